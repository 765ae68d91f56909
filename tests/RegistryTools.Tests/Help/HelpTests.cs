using System.Management.Automation;
using System.Text.RegularExpressions;

namespace RegistryTools.Cmdlets.Tests.Help;

/// <summary>That Get-Help says all that there is to say of every cmdlet, and nothing that is not so.</summary>
public sealed partial class HelpTests
{
    private static readonly Dictionary<string, (CmdletInfo Info, PSObject Help)> All = Load();

    public static TheoryData<string> Names()
    {
        var names = new TheoryData<string>();
        foreach (var name in All.Keys) names.Add(name);
        return names;
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_cmdlet_has_a_synopsis_of_one_sentence_and_a_description_that_says_more(string name)
    {
        var help = All[name].Help;

        // What the engine makes up where it finds no help is of the type ExtendedCmdletHelpInfo.
        Assert.Contains(help.TypeNames, static type => type.StartsWith("MamlCommandHelpInfo", StringComparison.Ordinal));
        Assert.DoesNotContain("ExtendedCmdletHelpInfo", help.TypeNames);
        var synopsis = Text(help, "Synopsis");
        Assert.Matches(@"^[A-Z].{10,140}\.$", synopsis);
        var description = Prose(help, "description");
        Assert.True(description.Length > synopsis.Length, description);
        Assert.False(description.StartsWith(synopsis, StringComparison.Ordinal), "The description repeats the synopsis.");
        Assert.EndsWith(".", description, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_parameter_is_described_as_it_is(string name)
    {
        var (info, help) = All[name];
        var parameters = List(Child(help, "parameters"), "parameter");
        Assert.Equal(Own(info).Order(StringComparer.Ordinal), parameters.Select(parameter => Text(parameter, "name")));
        foreach (var parameter in parameters)
        {
            var own = Text(parameter, "name");
            var uses = info.ParameterSets.SelectMany(static set => set.Parameters).Where(use => use.Name == own).ToList();
            var where = name + " -" + own;
            Assert.True(Sentence().IsMatch(Prose(parameter, "description")), $"{where}: {Prose(parameter, "description")}");
            Assert.Equal(uses.All(static use => use.IsMandatory) ? "true" : "false", Text(parameter, "required"));
            Assert.Equal(uses.Select(static use => use.Position).Distinct().Count() == 1 && uses[0].Position >= 0 ? uses[0].Position.ToString() : "named", Text(parameter, "position"));
            Assert.Equal(Pipeline(uses.Any(static use => use.ValueFromPipeline), uses.Any(static use => use.ValueFromPipelineByPropertyName)), Text(parameter, "pipelineInput"));
            Assert.Equal(uses[0].Aliases.Count == 0 ? "none" : string.Join(", ", uses[0].Aliases.Order(StringComparer.Ordinal)), Text(parameter, "aliases"));
            Assert.Equal(info.Parameters[own].Attributes.OfType<SupportsWildcardsAttribute>().Any() ? "true" : "false", Text(parameter, "globbing"));
            Assert.NotEqual(string.Empty, Text(parameter, "defaultValue"));
            if (uses[0].ParameterType == typeof(SwitchParameter)) Assert.Equal("False", Text(parameter, "defaultValue"));
            Assert.Equal((Nullable.GetUnderlyingType(uses[0].ParameterType) ?? uses[0].ParameterType).Name, Text(Child(parameter, "type"), "name"));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_value_that_a_parameter_takes_is_explained(string name)
    {
        var (info, help) = All[name];
        foreach (var parameter in List(Child(help, "parameters"), "parameter"))
        {
            var own = info.Parameters[Text(parameter, "name")];
            var element = own.ParameterType.IsArray ? own.ParameterType.GetElementType()! : Nullable.GetUnderlyingType(own.ParameterType) ?? own.ParameterType;
            var values = own.Attributes.OfType<ValidateSetAttribute>().SelectMany(static set => set.ValidValues).Concat(element.IsEnum ? Enum.GetNames(element) : []).ToList();
            var described = parameter.Properties["possibleValues"] is null ? [] : List(Child(parameter, "possibleValues"), "possibleValue");
            Assert.Equal(values, described.Select(static value => Text(value, "value")));
            Assert.All(described, value => Assert.True(Prose(value, "description") is { Length: > 5 } text && text != Text(value, "value"), $"{name} -{own.Name} {Text(value, "value")}"));
            var range = own.Attributes.OfType<ValidateRangeAttribute>().SingleOrDefault();
            if (range?.MinRange is not null) Assert.Contains($"Accepted: {range.MinRange}", Prose(parameter, "description"), StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_syntax_is_that_of_the_cmdlet(string name)
    {
        var (info, help) = All[name];
        var items = List(Child(help, "syntax"), "syntaxItem").Select(item => string.Join(" ", List(item, "parameter").Select(parameter => $"{Text(parameter, "name")},{Text(parameter, "required")},{Text(parameter, "position")}").Order(StringComparer.Ordinal))).ToList();
        var sets = info.ParameterSets.Select(set => string.Join(" ", set.Parameters.Where(use => Own(info).Contains(use.Name)).Select(static use => $"{use.Name},{(use.IsMandatory ? "true" : "false")},{(use.Position < 0 ? "named" : use.Position)}").Order(StringComparer.Ordinal))).ToList();
        Assert.Equal(sets.Order(StringComparer.Ordinal), items.Order(StringComparer.Ordinal));
        if (info.DefaultParameterSet is not null) Assert.Equal(sets[info.ParameterSets.ToList().FindIndex(static set => set.IsDefault)], items[0]);
        Assert.All(List(Child(help, "syntax"), "syntaxItem"), item =>
        {
            var positions = List(item, "parameter").Select(parameter => Text(parameter, "position")).TakeWhile(static position => position != "named").ToList();
            Assert.Equal(positions.Order(StringComparer.Ordinal), positions);
        });
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void What_goes_in_and_what_comes_out_is_said(string name)
    {
        var (info, help) = All[name];
        var inputs = List(Child(help, "inputTypes"), "inputType").Select(static input => (Type: Text(Child(input, "type"), "name"), Description: Prose(input, "description"))).ToList();
        var piped = info.ParameterSets.SelectMany(static set => set.Parameters).Where(static use => use.ValueFromPipeline || use.ValueFromPipelineByPropertyName).ToList();
        if (piped.Count == 0) Assert.Equal(["None"], inputs.Select(static input => input.Type));
        else Assert.All(inputs, input => Assert.True(input.Description.Length > 5 && Resolves(input.Type), input.Type));
        foreach (var type in piped.Where(static use => use.ValueFromPipeline).Select(static use => use.ParameterType.IsArray ? use.ParameterType.GetElementType()! : use.ParameterType)) Assert.Contains(type.FullName, inputs.Select(static input => input.Type));

        var outputs = List(Child(help, "returnValues"), "returnValue").Select(static output => (Type: Text(Child(output, "type"), "name"), Description: Prose(output, "description"))).ToList();
        Assert.Equal(info.OutputType.Select(static type => type.Type == typeof(void) ? "None" : type.Name).Distinct().Order(StringComparer.Ordinal), outputs.Select(static output => output.Type).Order(StringComparer.Ordinal));
        Assert.All(outputs.Where(static output => output.Type != "None"), output => Assert.True(output.Description.Length > 5, output.Type));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Three_examples_at_least_and_links_that_lead_somewhere(string name)
    {
        var help = All[name].Help;
        var examples = List(Child(help, "examples"), "example");
        Assert.True(examples.Count >= 3, $"{name} has {examples.Count} examples.");
        Assert.Equal(examples.Count, examples.Select(static example => Text(example, "title")).Distinct().Count());
        Assert.All(examples, example => Assert.True(Text(example, "code").Length > 0 && Prose(example, "remarks").EndsWith('.'), Text(example, "title")));
        var links = List(Child(help, "relatedLinks"), "navigationLink").Select(static link => Text(link, "linkText")).ToList();
        Assert.NotEmpty(links);
        Assert.All(links, link => Assert.True(All.ContainsKey(link) || File.Exists(Path.Combine(ModuleSession.Root, "en-US", link + ".help.txt")), link));
        Assert.DoesNotContain(name, links);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void It_is_shown_whole_in_eighty_columns(string name)
    {
        using var session = new ModuleSession();
        var text = session.Show($"Get-Help {name} -Full");
        Assert.All(text.Split('\n'), line => Assert.True(line.Length <= 80, line));
        foreach (var title in new[] { "NAME", "SYNOPSIS", "SYNTAX", "DESCRIPTION", "PARAMETERS", "INPUTS", "OUTPUTS", "-------- Example 1: ", "RELATED LINKS" }) Assert.Contains(title, text, StringComparison.Ordinal);
        Assert.DoesNotContain('`', Prose(All[name].Help, "description"));
        Assert.Contains("Example 3", session.Show($"Get-Help {name} -Examples"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_pages_are_what_is_made_of_the_source()
    {
        var made = Directory.GetFiles(Path.Combine(ModuleSession.Root, "out", "help", "cmdlets")).ToDictionary(static file => Path.GetFileName(file), File.ReadAllText);
        var kept = Directory.GetFiles(Path.Combine(ModuleSession.Root, "docs", "cmdlets")).ToDictionary(static file => Path.GetFileName(file), File.ReadAllText);
        Assert.Equal(All.Count + 2, made.Count);
        Assert.Equal(made.Keys.Order(StringComparer.Ordinal), kept.Keys.Order(StringComparer.Ordinal));
        Assert.All(made, page => Assert.True(kept[page.Key].ReplaceLineEndings("\n") == page.Value.ReplaceLineEndings("\n"), $"docs/cmdlets/{page.Key} is not what the source says: dotnet run --project src/RegistryTools.Help"));
    }

    [Fact]
    public void The_links_of_the_pages_lead_to_files()
    {
        var directory = Path.Combine(ModuleSession.Root, "docs", "cmdlets");
        var targets = Directory.GetFiles(directory).SelectMany(static file => Link().Matches(File.ReadAllText(file)).Select(static match => match.Groups[1].Value)).Where(static target => !target.StartsWith("http", StringComparison.Ordinal)).Distinct().ToList();
        Assert.True(targets.Count > All.Count);
        foreach (var target in targets)
        {
            var parts = target.Split('#');
            if (parts[0].Length > 0) Assert.True(File.Exists(Path.Combine(directory, parts[0])), target);
            if (parts.Length == 2) Assert.Contains("## " + parts[1], File.ReadAllText(Path.Combine(directory, "types.md")), StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task The_checkout_has_the_help_as_well()
    {
        var staged = Path.Combine(ModuleSession.Root, "out", "RegistryTools", "en-US", "RegistryTools.dll-Help.xml");
        Assert.Equal(File.ReadAllText(staged), File.ReadAllText(Path.Combine(ModuleSession.Root, "en-US", "RegistryTools.dll-Help.xml")));
        using var shell = new ChildShell { ModulePath = ModuleSession.Root };
        var (output, error) = await shell.RunAsync("(Get-Help Get-RegistryTag).examples.example.Count -ge 3; (Get-Help about_RegistryTools_Safety).Category");
        Assert.Equal(string.Empty, error);
        Assert.Equal(["True", "HelpFile"], output);
    }

    private static IEnumerable<string> Own(CmdletInfo info) => info.Parameters.Keys.Except(Cmdlet.CommonParameters, StringComparer.Ordinal);

    private static string Pipeline(bool byValue, bool byPropertyName) => (byValue, byPropertyName) switch
    {
        (true, true) => "True (ByValue, ByPropertyName)",
        (true, false) => "True (ByValue)",
        (false, true) => "True (ByPropertyName)",
        _ => "False",
    };

    private static bool Resolves(string type) => LanguagePrimitives.TryConvertTo<Type>(type, out _);

    private static Dictionary<string, (CmdletInfo Info, PSObject Help)> Load()
    {
        using var session = new ModuleSession();
        var all = new Dictionary<string, (CmdletInfo Info, PSObject Help)>(StringComparer.Ordinal);
        foreach (var item in session.Invoke("Get-Command -Module RegistryTools").Succeed().Output)
        {
            var info = (CmdletInfo)item.BaseObject;
            _ = info.ParameterSets.Count;
            _ = info.OutputType.Count;
            all.Add(info.Name, (info, session.Invoke($"Get-Help {info.Name} -Full").Succeed().Output.Single()));
        }

        return all;
    }

    private static string Text(PSObject item, string name) => item.Properties[name]?.Value?.ToString() ?? string.Empty;

    private static PSObject Child(PSObject item, string name) => PSObject.AsPSObject(item.Properties[name].Value);

    private static IReadOnlyList<PSObject> List(PSObject item, string name) => item.Properties[name]?.Value switch
    {
        null => [],
        PSObject[] list => list,
        PSObject { BaseObject: PSObject[] list } => list,
        var one => [PSObject.AsPSObject(one)],
    };

    private static string Prose(PSObject item, string name) => string.Join(' ', List(item, name).Select(static paragraph => (paragraph.Properties["Text"]?.Value ?? paragraph)?.ToString()?.Trim())).Trim();

    [GeneratedRegex(@"^[A-Z\d].{10,}[.]$", RegexOptions.Singleline)]
    private static partial Regex Sentence();

    [GeneratedRegex(@"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")]
    private static partial Regex Link();
}
