using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace RegistryTools.Help.Sources;

/// <summary>What the XML documentation file beside an assembly says, as Markdown.</summary>
internal sealed partial class XmlDocumentation
{
    private readonly Dictionary<string, XElement> _members;

    public XmlDocumentation(string path) =>
        _members = XDocument.Load(path, LoadOptions.PreserveWhitespace).Descendants("member").ToDictionary(static member => member.Attribute("name")!.Value, StringComparer.Ordinal);

    /// <summary>The summary of a type or member, in one line; empty where it has none.</summary>
    public string Summary(MemberInfo member) => Find(member)?.Element("summary") is { } summary ? string.Join(' ', Paragraphs(summary).Select(static paragraph => paragraph.Text)) : string.Empty;

    /// <summary>The summary and the remarks of a property, without the list of values.</summary>
    public IReadOnlyList<Block> Description(MemberInfo member) => Find(member) is { } found ? [.. found.Elements().Where(static element => element.Name.LocalName is "summary" or "remarks").SelectMany(Paragraphs)] : [];

    /// <summary>What counts where a property is not set, from its <c>value</c>; null where that is not said.</summary>
    public string? Value(MemberInfo member) => Find(member)?.Element("value") is { } value ? Inline(value.Nodes()) : null;

    /// <summary>The values that a property takes, from the list in its documentation.</summary>
    public IReadOnlyDictionary<string, string> Values(MemberInfo member) => (Find(member)?.Descendants("list") ?? [])
        .SelectMany(static list => list.Elements("item"))
        .Where(static item => item.Element("term") is not null)
        .ToDictionary(static item => Inline(item.Element("term")!.Nodes()), static item => Inline(item.Element("description")?.Nodes() ?? []), StringComparer.Ordinal);

    private static IEnumerable<Paragraph> Paragraphs(XElement element)
    {
        var open = new List<XNode>();
        foreach (var node in element.Nodes())
        {
            if (node is XElement { Name.LocalName: "para" or "list" } block)
            {
                if (Inline(open) is { Length: > 0 } before) yield return new Paragraph(before);
                open.Clear();
                if (block.Name.LocalName == "para" && Inline(block.Nodes()) is { Length: > 0 } text) yield return new Paragraph(text);
            }
            else
            {
                open.Add(node);
            }
        }

        if (Inline(open) is { Length: > 0 } rest) yield return new Paragraph(rest);
    }

    private static string Inline(IEnumerable<XNode> nodes)
    {
        var text = new StringBuilder();
        foreach (var node in nodes)
        {
            switch (node)
            {
                case XText plain:
                    text.Append(MarkdownText.Escape(plain.Value));
                    break;
                case XElement { Name.LocalName: "c" } code:
                    text.Append('`').Append(code.Value).Append('`');
                    break;
                case XElement { Name.LocalName: "see" } see:
                    var target = see.Attribute("langword")?.Value ?? see.Attribute("cref")?.Value ?? string.Empty;
                    text.Append('`').Append(target[(target.LastIndexOfAny(['.', ':']) + 1)..]).Append('`');
                    break;
                case XElement { Name.LocalName: "paramref" } parameter:
                    text.Append('`').Append(parameter.Attribute("name")?.Value).Append('`');
                    break;
                case XElement other:
                    throw new NotSupportedException(string.Create(CultureInfo.InvariantCulture, $"<{other.Name}> in XML documentation has no form in the help."));
            }
        }

        return Whitespace().Replace(text.ToString(), " ").Trim();
    }

    private XElement? Find(MemberInfo member)
    {
        var found = _members.GetValueOrDefault(Id(member));
        if (found?.Element("inheritdoc") is null) return found;
        return member is PropertyInfo property && property.DeclaringType?.BaseType?.GetProperty(property.Name) is { } inherited ? Find(inherited) : null;
    }

    private static string Id(MemberInfo member) => member switch
    {
        Type type => "T:" + Name(type),
        PropertyInfo property => "P:" + Name(property.DeclaringType!) + "." + property.Name,
        FieldInfo field => "F:" + Name(field.DeclaringType!) + "." + field.Name,
        _ => throw new ArgumentOutOfRangeException(nameof(member)),
    };

    private static string Name(Type type) => type.FullName!.Replace('+', '.');

    [GeneratedRegex(@"\s+")]
    private static partial Regex Whitespace();
}
