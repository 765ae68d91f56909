using System.Text;

namespace RegistryTools.Transport;

/// <summary>The small grammar that header values share (RFC 9110, section 5.6).</summary>
internal static class HeaderText
{
    /// <summary>Reads a quoted string whose opening quote is at <paramref name="i"/>; one that is not closed ends with the value.</summary>
    public static string ReadQuoted(string value, ref int i)
    {
        var text = new StringBuilder();
        for (i++; i < value.Length; i++)
        {
            if (value[i] == '"')
            {
                i++;
                break;
            }

            if (value[i] == '\\' && i + 1 < value.Length) i++;
            text.Append(value[i]);
        }

        return text.ToString();
    }

    /// <summary>Reads up to one of these characters, or to the end.</summary>
    public static string ReadUntil(string value, ref int i, string stops)
    {
        var start = i;
        while (i < value.Length && stops.IndexOf(value[i]) < 0) i++;
        return value.Substring(start, i - start);
    }

    /// <summary>Whether the character may stand in a token.</summary>
    public static bool IsToken(char c) => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') || "!#$%&'*+-.^_`|~".IndexOf(c) >= 0;
}
