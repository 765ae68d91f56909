using System.Globalization;
using System.Text;

namespace RegistryTools.Help.Writing;

/// <summary>Writes the pages of docs/cmdlets.</summary>
internal static class MarkdownWriter
{
    private const string Types = "types.md";
    private const string Made = "<!-- Made from the source: dotnet run --project src/RegistryTools.Help -->\n";

    /// <summary>The pages by file name.</summary>
    public static IReadOnlyDictionary<string, string> Write(ModuleHelp help)
    {
        var pages = help.Cmdlets.ToDictionary(static cmdlet => cmdlet.Name + ".md", cmdlet => Page(cmdlet, help), StringComparer.Ordinal);
        pages.Add("README.md", Index(help));
        pages.Add(Types, TypePage(help));
        return pages;
    }

    private static string Index(ModuleHelp help)
    {
        var page = new StringBuilder(Made).Append("# The cmdlets\n\n| cmdlet | |\n|---|---|\n");
        foreach (var cmdlet in help.Cmdlets) page.Append(CultureInfo.InvariantCulture, $"| [{cmdlet.Name}]({cmdlet.Name}.md) | {MarkdownText.Cell(cmdlet.Synopsis)} |\n");
        return page.Append(CultureInfo.InvariantCulture, $"\nWhat they write: [{Types}]({Types}). In the shell: `Get-Help NAME -Full`, `Get-Help about_RegistryTools`.\n").ToString();
    }

    private static string Page(CmdletHelp cmdlet, ModuleHelp help)
    {
        var page = new StringBuilder(Made).Append(CultureInfo.InvariantCulture, $"# {cmdlet.Name}\n\n{cmdlet.Synopsis}\n\n## Syntax\n\n");
        foreach (var set in cmdlet.Sets)
        {
            if (cmdlet.Sets.Count > 1) page.Append(CultureInfo.InvariantCulture, $"### {set}{(cmdlet.HasDefaultSet && set == cmdlet.Sets[0] ? " (default)" : string.Empty)}\n\n");
            page.Append(CultureInfo.InvariantCulture, $"```\n{Syntax.Line(cmdlet, set)}\n```\n\n");
        }

        page.Append("## Description\n\n");
        Append(page, cmdlet.Description);
        page.Append("## Examples\n\n");
        for (var i = 0; i < cmdlet.Examples.Count; i++)
        {
            var example = cmdlet.Examples[i];
            page.Append(CultureInfo.InvariantCulture, $"### {i + 1}. {example.Title}\n\n```powershell\n{example.Code}\n```\n\n");
            if (example.Output is not null) page.Append(CultureInfo.InvariantCulture, $"```\n{example.Output}\n```\n\n");
            Append(page, example.Remarks);
        }

        page.Append("## Parameters\n\n");
        foreach (var parameter in cmdlet.Parameters) Append(page, parameter, cmdlet);
        page.Append("It takes the [common parameters](https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_commonparameters), such as `-Verbose`, as well.\n\n");
        page.Append("## Inputs\n\n");
        foreach (var note in cmdlet.Inputs) page.Append(CultureInfo.InvariantCulture, $"- {Reference(note.Type, help)}{(note.Description.Length == 0 ? string.Empty : ": " + note.Description)}\n");
        page.Append("\n## Outputs\n\n");
        foreach (var note in cmdlet.Outputs) page.Append(CultureInfo.InvariantCulture, $"- {Reference(note.Type, help)}{(note.Description.Length == 0 ? string.Empty : ": " + note.Description)}\n");
        page.Append('\n');
        if (cmdlet.Notes.Count > 0)
        {
            page.Append("## Notes\n\n");
            Append(page, cmdlet.Notes);
        }

        page.Append("## Links\n\n");
        foreach (var link in cmdlet.Links) page.Append(CultureInfo.InvariantCulture, $"- {Link(link)}\n");
        return page.ToString();
    }

    private static void Append(StringBuilder page, ParameterHelp parameter, CmdletHelp cmdlet)
    {
        page.Append(CultureInfo.InvariantCulture, $"### -{parameter.Name}\n\n");
        Append(page, parameter.Description);
        if (parameter.Values.Count > 0)
        {
            foreach (var value in parameter.Values) page.Append(CultureInfo.InvariantCulture, $"- `{value.Value}`{(value.Description is null ? string.Empty : ": " + value.Description)}\n");
            page.Append('\n');
        }

        page.Append("| | |\n|---|---|\n");
        Row("Type", $"`{parameter.Type}`");
        if (cmdlet.Sets.Count > 1) Row("Parameter sets", parameter.Uses is [{ Set: ParameterUse.AllSets }] || parameter.Uses.Count == cmdlet.Sets.Count ? "all" : string.Join(", ", parameter.Uses.Select(static use => use.Set)));
        Row("Required", Where(static use => use.IsMandatory ? "yes" : "no"));
        Row("Position", Where(static use => use.Position?.ToString(CultureInfo.InvariantCulture) ?? "named"));
        Row("Default", parameter.Values.Any(value => value.Value == parameter.Default) ? $"`{parameter.Default}`" : MarkdownText.Cell(parameter.Default));
        Row("Pipeline input", Where(static use => (use.ByValue, use.ByPropertyName) switch { (true, true) => "by value, by property name", (true, false) => "by value", (false, true) => "by property name", _ => "no" }));
        Row("Wildcards", parameter.TakesWildcards ? "yes" : "no");
        if (parameter.Aliases.Count > 0) Row("Aliases", string.Join(", ", parameter.Aliases.Select(static alias => $"`{alias}`")));
        if (parameter.Range is not null) Row("Accepted", parameter.Range);
        page.Append('\n');

        void Row(string name, string value) => page.Append(CultureInfo.InvariantCulture, $"| {name} | {value} |\n");

        // What holds in every set is said once.
        string Where(Func<ParameterUse, string> of)
        {
            var groups = parameter.Uses.GroupBy(of).ToList();
            return groups.Count == 1 ? groups[0].Key : string.Join("; ", groups.Select(static group => group.Key + " in " + string.Join(", ", group.Select(static use => use.Set))));
        }
    }

    private static string TypePage(ModuleHelp help)
    {
        var page = new StringBuilder(Made).Append("# What the cmdlets write\n\nSizes are bytes and times are DateTimeOffset: the tables that PowerShell shows make them readable, the objects keep them as they are. A property that can't be told is null.\n\n");
        foreach (var type in help.Types)
        {
            page.Append(CultureInfo.InvariantCulture, $"## {type.Name}\n\n`{type.FullName}`: {type.Summary}\n\n{(type.IsEnum ? "| value | |\n|---|---|\n" : "| property | type | |\n|---|---|---|\n")}");
            foreach (var member in type.Members)
            {
                page.Append(CultureInfo.InvariantCulture, $"| `{member.Name}` | {(type.IsEnum ? string.Empty : Shown(member.Type, help) + " | ")}{MarkdownText.Cell(member.Description)} |\n");
            }

            page.Append('\n');
        }

        return page.ToString().TrimEnd() + "\n";
    }

    private static string Shown(string type, ModuleHelp help)
    {
        var known = help.Types.FirstOrDefault(other => other.Name == type.Replace("[]", string.Empty, StringComparison.Ordinal));
        return known is null ? $"`{type}`" : $"[{type.Replace("[]", "\\[\\]", StringComparison.Ordinal)}](#{Anchor(known)})";
    }

    private static string Reference(string type, ModuleHelp help) => type == "None" ? "None" : help.Types.FirstOrDefault(other => other.FullName == type) is { } known ? $"[{type}]({Types}#{Anchor(known)})" : $"`{type}`";

    private static string Anchor(TypeHelp type) => type.Name.ToLowerInvariant();

    private static string Link(string link) =>
        link.StartsWith('[') ? link : link.StartsWith("about_RegistryTools", StringComparison.Ordinal) ? $"[{link}](../../en-US/{link}.help.txt)" : link.StartsWith("about_", StringComparison.Ordinal) ? $"`Get-Help {link}`" : $"[{link}]({link}.md)";

    private static void Append(StringBuilder page, IReadOnlyList<Block> blocks)
    {
        foreach (var block in blocks)
        {
            if (block is Bullets list) foreach (var item in list.Items) page.Append(CultureInfo.InvariantCulture, $"- {item}\n");
            else page.Append(((Paragraph)block).Text).Append('\n');
            page.Append('\n');
        }
    }
}
