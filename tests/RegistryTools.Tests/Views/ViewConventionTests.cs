using System.Management.Automation;
using System.Xml.Linq;

namespace RegistryTools.Cmdlets.Tests.Views;

/// <summary>Every output type has all its views, and every view shows what there is, whatever there is.</summary>
public sealed class ViewConventionTests
{
    // The same as another property of the object: Name, Location.
    private static readonly string[] LeftOut = ["RegistryTag.Tag", "RegistryTagDetail.Tag", "RegistryConnection.Registry", "RegistryConnection.Uri"];
    private static readonly IReadOnlyList<View> Views = Read();

    public static TheoryData<string> Types() => OutputTypes.Names();

    [Theory]
    [MemberData(nameof(Types))]
    public void A_type_has_a_table_a_list_and_a_wide_view(string name)
    {
        foreach (var kind in new[] { "TableControl", "ListControl", "WideControl" }) Assert.Single(Views, view => view.Type == name && view.Kind == kind);
    }

    [Fact]
    public void There_is_no_view_of_a_type_that_is_not_there()
    {
        Assert.NotEmpty(OutputTypes.All);
        Assert.All(Views, view => Assert.Contains(view.Type, OutputTypes.All.Select(type => type.Name)));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_list_shows_every_property(string name)
    {
        var list = Views.Single(view => view.Type == name && view.Kind == "ListControl");
        var shown = list.Items.Select(item => item.Label).ToList();
        Assert.Equal(shown.Distinct().Count(), shown.Count);
        var properties = OutputTypes.Properties(OutputTypes.Named(name)).Select(property => property.Name).Where(property => !LeftOut.Contains(name + "." + property)).ToList();
        Assert.Equal(properties.Order(StringComparer.Ordinal), shown.Where(label => label != "ToFree").Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_table_fits_a_window_of_eighty_columns(string name)
    {
        var table = Views.Single(view => view.Type == name && view.Kind == "TableControl");
        var widths = table.Widths;
        Assert.Equal(widths.Count, table.Items.Count);
        Assert.True(widths[^1] is null, "What may be long is the last column.");
        var open = widths.Count(width => width is null);
        var taken = widths.Sum(width => width ?? 0) + widths.Count - 1;
        Assert.True((80 - taken) / open >= 17, $"{(80 - taken) / open} columns are left for what may be long.");
        Assert.True(table.Wraps || name == "RegistryImageHistory", "What is long goes on in the next line.");
        foreach (var (label, width) in table.Items.Zip(widths, (item, width) => (item.Label, width))) Assert.True(width is null || label.Length <= width, label);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void No_script_of_a_view_fails_on_an_empty_object_or_an_extreme_one(string name)
    {
        using var session = new ModuleSession();
        var type = OutputTypes.Named(name);
        foreach (var view in Views.Where(view => view.Type == name))
        {
            foreach (var made in new[] { OutputTypes.Empty(type), OutputTypes.Extreme(type) })
            {
                foreach (var script in view.Scripts)
                {
                    var shown = session.Invoke($"Set-StrictMode -Version Latest; $made | ForEach-Object {{ {script} }}", ("made", made)).Succeed();
                    var value = Assert.Single(shown.Output.DefaultIfEmpty(PSObject.AsPSObject(string.Empty)));
                    if (value is null) continue;
                    Assert.True(value.BaseObject is string or int or long, $"{script} gives {value.BaseObject.GetType()}.");
                    Assert.DoesNotContain('\u001b', value.ToString());
                    if (view.Kind != "ListControl") Assert.DoesNotContain('\n', value.ToString());
                }
            }
        }
    }

    /// <summary>What is longer than its column goes on in the next line: a name that was cut could not be typed.</summary>
    [Theory]
    [MemberData(nameof(Types))]
    public void Names_are_whole_at_80_and_at_200_columns(string name)
    {
        var type = OutputTypes.Named(name);
        foreach (var width in new[] { 80, 200 })
        {
            using var session = new ModuleSession(width);
            var made = OutputTypes.Extreme(type);
            var lines = session.Show("$made", ("made", new[] { made, OutputTypes.Empty(type) })).Split('\n').Select(line => line.TrimEnd()).ToArray();
            Assert.All(lines, line => Assert.True(line.Length <= width, line));
            var text = string.Join("\n", lines);
            Assert.DoesNotContain("#ERR", text);
            foreach (var property in new[] { "Tag", "Name", "TagName", "RunId" })
            {
                var column = Views.Single(view => view.Type == name && view.Kind == "TableControl").Items.FirstOrDefault(item => item.Shows(property));
                if (column is null || type.GetProperty(property)?.GetValue(made) is not string value) continue;
                var header = lines[Array.FindIndex(lines, line => line.Length > 0 && line.All(c => c is '-' or ' ')) - 1];
                Assert.Contains(value, Column(lines, header, column.Label));

                // It is there to be copied.
                if (property == "RunId") Assert.Contains(lines, line => line.Contains(value, StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public void Repositories_registries_and_storages_have_their_own_groups()
    {
        foreach (var view in Views.Where(view => view.Kind != "ListControl"))
        {
            var type = OutputTypes.Named(view.Type);
            var properties = OutputTypes.Properties(type).Select(property => property.Name).ToList();
            var isPart = view.Type is "RegistryDescriptor" or "RegistryConnection" or "RegistryTestResult";
            var expected = isPart ? null : properties.Contains("StoragePath") && view.Type != "RegistryRepositoryRemoval" ? "StoragePath"
                : view.Type is "RegistryRepository" or "RegistryRepositoryRemoval" ? "Registry"
                : properties.Exists(property => property.StartsWith("Repository", StringComparison.Ordinal)) ? "Repository" : properties.Contains("Registry") ? "Registry" : null;
            if (view.Kind == "WideControl" && view.Group is null) continue;
            if (expected is null) Assert.Null(view.Group);
            else Assert.Contains(expected, view.Group);
        }
    }

    /// <summary>The text of a column, its lines put together.</summary>
    private static string Column(string[] lines, string header, string label)
    {
        var from = header.LastIndexOf(label, StringComparison.Ordinal);
        var next = header.IndexOf(' ', from);
        var until = next < 0 ? int.MaxValue : header.Length - header[next..].TrimStart().Length - 1;
        return string.Concat(lines.Select(line => line.Length <= from ? string.Empty : line[from..Math.Min(line.Length, until)].TrimEnd()));
    }

    private static List<View> Read()
    {
        var files = Directory.GetFiles(Path.Combine(Path.GetDirectoryName(ModuleSession.Manifest)!, "format"), "*.ps1xml");
        return [.. files.SelectMany(file => XDocument.Load(file).Descendants("View")).Where(view => view.Element("CustomControl") is null).Select(view => new View(view))];
    }

    private sealed class View(XElement view)
    {
        public string Type { get; } = view.Descendants("TypeName").Single().Value.Replace("RegistryTools.PowerShell.", string.Empty, StringComparison.Ordinal);

        public string Kind { get; } = view.Elements().Last().Name.LocalName;

        public string? Group { get; } = view.Element("GroupBy")?.Elements().First().Value;

        public bool Wraps { get; } = view.Descendants("Wrap").Any();

        public IReadOnlyList<int?> Widths { get; } = [.. view.Descendants("TableColumnHeader").Select(header => (int?)header.Element("Width"))];

        public IReadOnlyList<Item> Items { get; } = Read(view);

        public IReadOnlyList<string> Scripts { get; } = [.. view.Descendants("ScriptBlock").Select(script => script.Value)];

        private static List<Item> Read(XElement view)
        {
            var labels = view.Descendants("TableColumnHeader").Select(header => header.Element("Label")!.Value).ToList();
            var items = view.Descendants().Where(element => element.Name.LocalName is "TableColumnItem" or "ListItem" or "WideItem").ToList();
            return [.. items.Select((item, index) => new Item(
                labels.Count > 0 ? labels[index] : item.Element("Label")?.Value ?? item.Element("PropertyName")?.Value ?? string.Empty,
                item.Element("PropertyName")?.Value ?? item.Element("ScriptBlock")!.Value))];
        }
    }

    private sealed record Item(string Label, string Source)
    {
        public bool Shows(string property) => Source == property || System.Text.RegularExpressions.Regex.IsMatch(Source, $@"\$_\.{property}\b");
    }
}
