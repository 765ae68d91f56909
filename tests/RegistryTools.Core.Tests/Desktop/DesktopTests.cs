using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;
using RegistryTools.Tests.Servers;
using Xunit;

namespace RegistryTools.Tests.Desktop;

/// <summary>
/// The core as Windows PowerShell loads it, its build for netstandard2.0: many of these tests are compiled for the .NET Framework as well (RegistryTools.Desktop.Tests), and are run here under Mono, all in one process.
/// </summary>
public sealed class DesktopTests(DesktopTests.Run run) : IClassFixture<DesktopTests.Run>
{
    private static readonly string[] Marks = ["FactAttribute", "TheoryAttribute", "SkippableFactAttribute", "SkippableTheoryAttribute"];
    private static readonly string Assembly = Find();

    /// <summary>The classes that have tests, read out of the assembly, so that none of them can be left out of the run.</summary>
    public static TheoryData<string> Classes()
    {
        using var file = new PEReader(File.OpenRead(Assembly));
        var reader = file.GetMetadataReader();
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var type in reader.TypeDefinitions.Select(reader.GetTypeDefinition))
        {
            var tests = type.GetMethods().SelectMany(method => reader.GetMethodDefinition(method).GetCustomAttributes()).Select(attribute => reader.GetCustomAttribute(attribute).Constructor);
            if (tests.Any(constructor => constructor.Kind == HandleKind.MemberReference && IsMark(reader, reader.GetMemberReference((MemberReferenceHandle)constructor).Parent))) names.Add(reader.GetString(type.Namespace) + "." + reader.GetString(type.Name));
        }

        var data = new TheoryData<string>();
        foreach (var name in names) data.Add(name);
        return data;
    }

    [Fact]
    public void They_are_not_few()
    {
        Assert.True(Classes().Cast<object[]>().Count() >= 25, $"There are {Classes().Cast<object[]>().Count()}.");
    }

    [SkippableTheory]
    [MemberData(nameof(Classes))]
    public async Task They_pass_on_Mono_too(string type)
    {
        var tests = (await run.ResultsAsync()).Where(test => (string)test.Attribute("type")! == type).ToList();
        Assert.NotEmpty(tests);
        Assert.Contains(tests, test => (string)test.Attribute("result")! == "Pass");
        var failed = tests.Where(test => (string)test.Attribute("result")! == "Fail").Select(test => test.Attribute("name")!.Value + ": " + test.Element("failure")?.Value.Trim()).ToList();
        Assert.True(failed.Count == 0, string.Join("\n\n", failed));
    }

    private static bool IsMark(MetadataReader reader, EntityHandle type) => type.Kind == HandleKind.TypeReference && Marks.Contains(reader.GetString(reader.GetTypeReference((TypeReferenceHandle)type).Name));

    private static string Find()
    {
        // …/tests/RegistryTools.Core.Tests/bin/Debug/net10.0/
        var own = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        return Path.Combine(own.Parent!.Parent!.Parent!.Parent!.FullName, "RegistryTools.Desktop.Tests", "bin", own.Parent.Name, "net472", "RegistryTools.Desktop.Tests.dll");
    }

    /// <summary>One run of all of them.</summary>
    public sealed class Run
    {
        private static readonly TimeSpan Limit = TimeSpan.FromMinutes(15);
        private readonly Lazy<Task<List<XElement>>> _results = new(RunAsync);

        public Task<List<XElement>> ResultsAsync() => _results.Value;

        private static async Task<List<XElement>> RunAsync()
        {
            var mono = Requirement.Program("mono");
            var results = Path.Combine(Path.GetTempPath(), "rt-mono-" + Guid.NewGuid().ToString("N") + ".xml");
            try
            {
                string[] arguments = [Path.Combine(Path.GetDirectoryName(Assembly)!, "xunit.console.exe"), Assembly, "-noappdomain", "-noshadow", "-noautoreporters", "-nologo", "-parallel", "collections", "-maxthreads", "4", "-xml", results];
                var (exit, output) = await Processes.RunAsync(mono, arguments, Limit);
                Assert.True(File.Exists(results), $"Mono ended with {exit} and without results: {output}");
                return [.. XDocument.Load(results).Descendants("test")];
            }
            finally
            {
                File.Delete(results);
            }
        }
    }
}
