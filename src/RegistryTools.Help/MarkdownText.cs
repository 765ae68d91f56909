using System.Text.RegularExpressions;

namespace RegistryTools.Help;

/// <summary>The little Markdown that there is within a paragraph.</summary>
internal static partial class MarkdownText
{
    /// <summary>Plain text as Markdown.</summary>
    public static string Escape(string text) => Special().Replace(text, static match => "\\" + match.Value);

    /// <summary>Markdown as plain text: no marks, of a link its text.</summary>
    public static string Plain(string markdown) => Marks().Replace(markdown, static match =>
        match.Groups["escaped"].Success ? match.Groups["escaped"].Value
        : match.Groups["code"].Success ? match.Groups["code"].Value
        : match.Groups["link"].Success ? Plain(match.Groups["link"].Value)
        : Plain(match.Groups["strong"].Value));

    /// <summary>Where the links of a text go to.</summary>
    public static IEnumerable<string> Targets(string markdown) => Marks().Matches(markdown).Where(static match => match.Groups["target"].Success).Select(static match => match.Groups["target"].Value);

    /// <summary>As a cell of a table.</summary>
    public static string Cell(string markdown) => markdown.Replace("|", "\\|", StringComparison.Ordinal);

    [GeneratedRegex(@"[\\*<`]")]
    private static partial Regex Special();

    [GeneratedRegex(@"\\(?<escaped>[\\*<`|_])|`(?<code>[^`]*)`|\[(?<link>[^\]]*)\]\((?<target>[^)]*)\)|\*\*(?<strong>[^*]+)\*\*")]
    private static partial Regex Marks();
}
