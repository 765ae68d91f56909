using System.Text;
using System.Text.RegularExpressions;

namespace RegistryTools.Host.Shell;

/// <summary>How text lies in a terminal's cells.</summary>
internal static partial class TerminalText
{
    /// <summary>The text without its escape sequences (colours, links, cursor movements).</summary>
    public static string WithoutEscapes(string text) => text.Contains('\x1b', StringComparison.Ordinal) ? Escapes().Replace(text, "") : text;

    /// <summary>How many cells the text takes: none for escape sequences and combining marks, two for the wide characters of East Asia and emoji.</summary>
    public static int Cells(string text)
    {
        int cells = 0;
        foreach (Rune rune in WithoutEscapes(text).EnumerateRunes())
            cells += Cells(rune);
        return cells;
    }

    /// <summary>The beginning of the text that fits in so many cells.</summary>
    public static string Fit(string text, int cells)
    {
        var fitted = new StringBuilder();
        foreach (Rune rune in text.EnumerateRunes())
        {
            cells -= Cells(rune);
            if (cells < 0)
                break;
            fitted.Append(rune.ToString());
        }
        return fitted.ToString();
    }

    /// <summary>The text in lines of so many cells, broken between words.</summary>
    public static IEnumerable<string> Wrap(string text, int cells)
    {
        var line = new StringBuilder();
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && Cells(line.ToString()) + 1 + Cells(word) > cells)
            {
                yield return line.ToString();
                line.Clear();
            }
            if (line.Length > 0)
                line.Append(' ');
            line.Append(word);
        }
        if (line.Length > 0)
            yield return line.ToString();
    }

    private static int Cells(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.EnclosingMark => 0,
        _ => IsWide(rune.Value) ? 2 : 1,
    };

    private static bool IsWide(int value) => value >= 0x1100 && value is
        <= 0x115f                       // Hangul Jamo
        or (>= 0x2e80 and <= 0xa4cf)    // CJK radicals to Yi
        or (>= 0xac00 and <= 0xd7a3)    // Hangul syllables
        or (>= 0xf900 and <= 0xfaff)    // CJK compatibility ideographs
        or (>= 0xfe30 and <= 0xfe6f)    // CJK compatibility forms
        or (>= 0xff00 and <= 0xff60)    // full-width forms
        or (>= 0xffe0 and <= 0xffe6)
        or (>= 0x1f300 and <= 0x1f64f)  // emoji
        or (>= 0x1f900 and <= 0x1f9ff)
        or (>= 0x20000 and <= 0x3fffd);

    [GeneratedRegex(@"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")]
    private static partial Regex Escapes();
}
