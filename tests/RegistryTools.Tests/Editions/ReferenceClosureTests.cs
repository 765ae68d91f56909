using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace RegistryTools.Cmdlets.Tests.Editions;

/// <summary>Whatever an assembly of the module refers to is shipped with it, or is part of what it runs on, in a version that is there: for both editions.</summary>
public sealed class ReferenceClosureTests
{
    private const string Engine = "System.Management.Automation";

    [Fact]
    public void PowerShell_7_4_has_what_is_not_shipped()
    {
        // .NET 8's shared framework, as the targeting pack that the module was compiled against lists it; later ones have no less.
        var list = File.ReadAllLines(Path.Combine(ModuleSession.Root, "out", "framework", "net8.0.txt")).Select(line => line.Split(' ')).ToDictionary(parts => parts[0], parts => Version.Parse(parts[1]), StringComparer.OrdinalIgnoreCase);
        Assert.Equal(new Version(8, 0, 0, 0), list["System.Text.Json"]);
        Assert.DoesNotContain("System.Linq.AsyncEnumerable", list.Keys);
        Check("net8.0", list, unifies: true);
    }

    [Fact]
    public void Windows_PowerShell_has_what_is_not_shipped()
    {
        // .NET Framework 4.7.2, netstandard.dll and the other facades included.
        var list = XDocument.Load(Path.Combine(AppContext.BaseDirectory, "FrameworkList.net472.xml")).Descendants("File").ToDictionary(file => file.Attribute("AssemblyName")!.Value, file => Version.Parse(file.Attribute("Version")!.Value), StringComparer.OrdinalIgnoreCase);
        Assert.Equal(new Version(2, 0, 0, 0), list["netstandard"]);
        Assert.DoesNotContain("System.Text.Json", list.Keys);
        Check("netstandard2.0", list, unifies: false);
    }

    [Theory]
    [InlineData("net8.0", ".NETCoreApp,Version=v8.0")]
    [InlineData("netstandard2.0", ".NETStandard,Version=v2.0")]
    public void Ours_are_built_for_the_edition_they_are_shipped_for(string edition, string framework)
    {
        var ours = Shipped(edition).Where(file => Path.GetFileName(file).StartsWith("RegistryTools", StringComparison.Ordinal)).ToList();
        Assert.True(ours.Count >= 3);
        foreach (var file in ours) Assert.Contains(framework, System.Text.Encoding.Latin1.GetString(File.ReadAllBytes(file)), StringComparison.Ordinal);
    }

    private static IReadOnlyList<string> Shipped(string edition) => Directory.GetFiles(Path.Combine(Path.GetDirectoryName(ModuleSession.Manifest)!, "bin", edition), "*.dll", SearchOption.AllDirectories);

    private static void Check(string edition, Dictionary<string, Version> framework, bool unifies)
    {
        var shipped = Shipped(edition).Select(file => (File: file, AssemblyName.GetAssemblyName(file).Name, AssemblyName.GetAssemblyName(file).Version)).ToDictionary(file => file.Name!, StringComparer.OrdinalIgnoreCase);
        var wrong = new List<string>();
        foreach (var assembly in shipped.Values)
        {
            if (assembly.Name == Engine) wrong.Add("The engine is shipped.");

            // PowerShell looks in the module's own directory by itself; everything else is found by Dependencies, in its directory.
            if (assembly.Name != "RegistryTools" && Path.GetFileName(Path.GetDirectoryName(assembly.File)) != "dependencies") wrong.Add($"{assembly.Name} is not among the dependencies.");
            if (Path.GetFileNameWithoutExtension(assembly.File) != assembly.Name) wrong.Add($"{assembly.File} is called {assembly.Name}.");

            // What the framework has in a later version it would take from itself, and the shipped one would be dead weight.
            if (unifies && framework.TryGetValue(assembly.Name!, out var own) && own >= assembly.Version) wrong.Add($"{assembly.Name} {assembly.Version} is part of what it runs on, and shipped.");
            foreach (var (name, version) in References(assembly.File))
            {
                if (name == Engine)
                {
                    if (assembly.Name != "RegistryTools") wrong.Add($"{assembly.Name} refers to the engine.");
                }
                else if (shipped.TryGetValue(name, out var found))
                {
                    if (found.Version < version) wrong.Add($"{assembly.Name} refers to {name} {version}, and {found.Version} is shipped.");
                }
                else if (!framework.TryGetValue(name, out var there))
                {
                    wrong.Add($"{assembly.Name} refers to {name} {version}, which is neither shipped nor part of what it runs on.");
                }
                else if (there < version)
                {
                    wrong.Add($"{assembly.Name} refers to {name} {version}; what it runs on has {there}, and it is not shipped.");
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join("\n", wrong.Distinct().Order(StringComparer.Ordinal)));
    }

    private static IEnumerable<(string Name, Version Version)> References(string file)
    {
        using var reader = new PEReader(File.OpenRead(file));
        var metadata = reader.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(metadata.GetAssemblyReference).Select(reference => (metadata.GetString(reference.Name), reference.Version))];
    }
}
