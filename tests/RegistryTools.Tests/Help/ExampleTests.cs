using System.Management.Automation;
using System.Text.RegularExpressions;
using RegistryTools.Cmdlets.Tests.Host;
using RegistryTools.Help;
using RegistryTools.Help.Sources;

namespace RegistryTools.Cmdlets.Tests.Help;

/// <summary>Every example of the help, run.</summary>
[Collection(ProcessEnvironment.Name)]
public sealed partial class ExampleTests(ExampleTests.SharedPlace shared) : IClassFixture<ExampleTests.SharedPlace>
{
    private static readonly string Sources = Path.Combine(ModuleSession.Root, "src", "RegistryTools", "Help");

    public static TheoryData<string, string> Run() => All(static example => example.NotRun is null);

    public static TheoryData<string, string> Every() => All(static _ => true);

    [Theory]
    [MemberData(nameof(Run))]
    public async Task An_example_does_what_it_says(string cmdlet, string title)
    {
        var example = Find(cmdlet, title);
        await using var own = example.Before is not null || Changes().IsMatch(example.Code) ? await ExamplePlace.StartAsync() : null;
        var place = own ?? shared.Place;
        if (example.Before is not null) place.Invoke(example.Before).Succeed();
        if (example.Output is not null)
        {
            Assert.Equal(example.Output, place.Show(example.Code).Trim());
        }
        else
        {
            var result = place.Invoke(example.Code).Succeed();
            Assert.True(result.Output.Count > 0 || example.Check is not null, "It writes nothing, and nothing says what it did.");
            place.Session.Runspace.SessionStateProxy.SetVariable("output", result.Output.Count == 1 ? result.Output[0] : result.Output.ToArray());
            if (result.Output.Count == 0) place.Session.Runspace.SessionStateProxy.SetVariable("output", null);
        }

        if (example.Check is null) return;
        var check = place.Invoke(example.Check).Succeed().Output;
        Assert.True(check.Count == 1 && LanguagePrimitives.IsTrue(check[0]), $"{example.Check}: {string.Join(", ", check)}");
    }

    [Theory]
    [MemberData(nameof(Every))]
    public void An_example_uses_its_cmdlet_and_names_parameters_in_full(string cmdlet, string title)
    {
        using var session = new ModuleSession();
        var (errors, _) = ScriptCheck.Read(session, Find(cmdlet, title).Code);
        Assert.Empty(errors);
        Assert.Contains(cmdlet, Find(cmdlet, title).Code, StringComparison.Ordinal);
    }

    [Fact]
    public void Only_what_needs_a_container_is_not_run()
    {
        var left = Read().SelectMany(static pair => pair.Examples).Where(static example => example.NotRun is not null).ToList();
        Assert.All(left, example => Assert.Matches("-(Container|Deployment|Pod|Selector) ", example.Code));
        Assert.True(left.Count <= 3, string.Join(", ", left.Select(static example => example.Title)));
    }

    private static TheoryData<string, string> All(Func<Example, bool> where)
    {
        var data = new TheoryData<string, string>();
        foreach (var file in Read()) foreach (var example in file.Examples.Where(where)) data.Add(file.Name, example.Title);
        return data;
    }

    private static Example Find(string cmdlet, string title) => HelpFile.Read(Path.Combine(Sources, cmdlet + ".md")).Examples.Single(example => example.Title == title);

    private static IEnumerable<HelpFile> Read() => Directory.GetFiles(Sources, "*.md").Order(StringComparer.Ordinal).Select(HelpFile.Read);

    [GeneratedRegex("(Remove|Restore|Clear|Repair|Invoke|Connect|Disconnect)-Registry")]
    private static partial Regex Changes();

    /// <summary>One place for all examples that change nothing.</summary>
    public sealed class SharedPlace : IAsyncLifetime
    {
        internal ExamplePlace Place { get; private set; } = null!;

        public async Task InitializeAsync() => Place = await ExamplePlace.StartAsync();

        public async Task DisposeAsync() => await Place.DisposeAsync();
    }
}
