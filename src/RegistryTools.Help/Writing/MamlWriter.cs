using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace RegistryTools.Help.Writing;

/// <summary>Writes MAML, which is what Get-Help reads.</summary>
internal static class MamlWriter
{
    private static readonly XNamespace Root = "http://msh";
    private static readonly XNamespace Maml = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace Command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace Dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    /// <summary>Writes all of it: the cmdlets, and providers, whose help is written by hand as the engine reads it.</summary>
    public static string Write(ModuleHelp help, IEnumerable<XElement>? providers = null)
    {
        var document = new XElement(Root + "helpItems", new XAttribute("schema", "maml"), help.Cmdlets.Select(cmdlet => Write(cmdlet, help)), (providers ?? []).Select(Provider));
        var text = new StringBuilder();
        using (var writer = XmlWriter.Create(text, new XmlWriterSettings { Indent = true, OmitXmlDeclaration = true, NewLineChars = "\n" })) document.Save(writer);
        return "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n" + text + "\n";
    }

    private static XElement Provider(XElement element) => new(Root + element.Name.LocalName, element.Nodes().Select(static node => node is XElement child ? Provider(child) : node));

    private static XElement Write(CmdletHelp cmdlet, ModuleHelp help) => new(
        Command + "command",
        new XAttribute(XNamespace.Xmlns + "maml", Maml),
        new XAttribute(XNamespace.Xmlns + "command", Command),
        new XAttribute(XNamespace.Xmlns + "dev", Dev),
        new XElement(
            Command + "details",
            new XElement(Command + "name", cmdlet.Name),
            new XElement(Command + "verb", cmdlet.Verb),
            new XElement(Command + "noun", cmdlet.Noun),
            Description([new Paragraph(cmdlet.Synopsis)])),
        Description(cmdlet.Description),
        new XElement(Command + "syntax", cmdlet.Sets.Select(set => SyntaxItem(cmdlet, set))),
        new XElement(Command + "parameters", cmdlet.Parameters.Select(static parameter => Parameter(parameter, Overall(parameter), isSyntax: false))),
        new XElement(Command + "inputTypes", cmdlet.Inputs.Select(note => TypeOf(Command + "inputType", note, help))),
        new XElement(Command + "returnValues", cmdlet.Outputs.Select(note => TypeOf(Command + "returnValue", note, help))),
        cmdlet.Notes.Count == 0 ? null : new XElement(Maml + "alertSet", new XElement(Maml + "alert", Paragraphs(cmdlet.Notes))),
        new XElement(Command + "examples", cmdlet.Examples.Select(Example)),
        new XElement(Command + "relatedLinks", cmdlet.Links.Where(static link => !link.StartsWith('[')).Select(static link => new XElement(Maml + "navigationLink", new XElement(Maml + "linkText", link), new XElement(Maml + "uri")))));

    private static XElement SyntaxItem(CmdletHelp cmdlet, string set) =>
        new(Command + "syntaxItem", new XElement(Maml + "name", cmdlet.Name), Syntax.Of(cmdlet, set).Select(static pair => Parameter(pair.Parameter, pair.Use, isSyntax: true)));

    // Where the sets differ, what can be said without naming one: it is required where every set requires it.
    private static ParameterUse Overall(ParameterHelp parameter) => new(
        ParameterUse.AllSets,
        parameter.Uses.All(static use => use.IsMandatory),
        parameter.Uses.Select(static use => use.Position).Distinct().Count() == 1 ? parameter.Uses[0].Position : null,
        parameter.Uses.Any(static use => use.ByValue),
        parameter.Uses.Any(static use => use.ByPropertyName));

    private static XElement Parameter(ParameterHelp parameter, ParameterUse use, bool isSyntax)
    {
        var position = use.Position?.ToString(CultureInfo.InvariantCulture) ?? "named";
        return new XElement(
            Command + "parameter",
            new XAttribute("required", use.IsMandatory ? "true" : "false"),
            new XAttribute("variableLength", "true"),
            new XAttribute("globbing", parameter.TakesWildcards ? "true" : "false"),
            new XAttribute("pipelineInput", use.PipelineInput),
            new XAttribute("position", position),
            new XAttribute("aliases", parameter.Aliases.Count == 0 ? "none" : string.Join(", ", parameter.Aliases)),
            new XElement(Maml + "name", parameter.Name),
            Description(parameter.Range is null ? parameter.Description : [.. parameter.Description, new Paragraph("Accepted: " + parameter.Range + ".")]),
            isSyntax && parameter.Values.Count > 0 ? new XElement(Command + "parameterValueGroup", parameter.Values.Select(static value => ParameterValue(value.Value, isRequired: false))) : null,
            isSyntax && parameter.IsSwitch ? null : ParameterValue(parameter.Type, isRequired: !parameter.IsSwitch),
            new XElement(Dev + "type", new XElement(Maml + "name", parameter.Type), new XElement(Maml + "uri")),
            new XElement(Dev + "defaultValue", MarkdownText.Plain(parameter.Default)),
            isSyntax || parameter.Values.Count == 0 ? null : new XElement(Dev + "possibleValues", parameter.Values.Select(static value => new XElement(Dev + "possibleValue", new XElement(Dev + "value", value.Value), Description([new Paragraph(value.Description ?? value.Value)])))));
    }

    private static XElement ParameterValue(string text, bool isRequired) => new(Command + "parameterValue", new XAttribute("required", isRequired ? "true" : "false"), new XAttribute("variableLength", "false"), text);

    private static XElement TypeOf(XName name, TypeNote note, ModuleHelp help)
    {
        var summary = help.Types.FirstOrDefault(type => type.FullName == note.Type)?.Summary;
        IEnumerable<string?> texts = name.LocalName == "returnValue" ? [note.Description, summary] : [note.Description];
        return new XElement(name, new XElement(Dev + "type", new XElement(Maml + "name", note.Type)), Description([.. texts.Where(static text => !string.IsNullOrEmpty(text)).Select(static text => new Paragraph(text!))]));
    }

    private static XElement Example(Example example, int index) => new(
        Command + "example",
        new XElement(Maml + "title", string.Create(CultureInfo.InvariantCulture, $"-------- Example {index + 1}: {MarkdownText.Plain(example.Title)} --------")),
        new XElement(Dev + "code", example.Output is null ? example.Code : example.Code + "\n\n" + example.Output),
        new XElement(Dev + "remarks", Paragraphs(example.Remarks)));

    private static XElement Description(IReadOnlyList<Block> blocks) => new(Maml + "description", Paragraphs(blocks));

    // A list's items are paragraphs as well: of the places that prose stands in, Get-Help shows lists in one alone.
    private static IEnumerable<XElement> Paragraphs(IReadOnlyList<Block> blocks) => blocks
        .SelectMany(static block => block is Bullets list ? list.Items.Select(static item => "- " + item) : [((Paragraph)block).Text])
        .Select(static text => new XElement(Maml + "para", MarkdownText.Plain(text)));
}
