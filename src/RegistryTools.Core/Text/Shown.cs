using System.Text;

namespace RegistryTools.Text;

/// <summary>Text of unknown origin made fit for a message: one line, no control characters, of bounded length.</summary>
public static class Shown
{
    /// <summary>The text in at most <paramref name="maximum"/> characters, control characters replaced, and without the secrets that are in use.</summary>
    public static string Short(string? text, int maximum = 120)
    {
        if (text is null) return string.Empty;
        text = Secrets.Hide(text);
        var builder = new StringBuilder(Math.Min(text.Length, maximum) + 1);
        foreach (var c in text)
        {
            if (builder.Length == maximum) return builder.Append('…').ToString();
            builder.Append(char.IsControl(c) || c is '\u2028' or '\u2029' or (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069') ? ' ' : c);
        }

        return builder.ToString();
    }
}
