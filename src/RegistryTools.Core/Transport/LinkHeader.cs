namespace RegistryTools.Transport;

/// <summary>The Link header (RFC 8288), as far as lists are paged by it.</summary>
public static class LinkHeader
{
    private const int MaximumLength = 16 * 1024;

    /// <summary>The target of the first link whose relation is <c>next</c>, as it stands there; null where there is none.</summary>
    /// <param name="values">The header's values: one or several, each holding one or several links.</param>
    public static string? FindNext(IEnumerable<string> values)
    {
        foreach (var value in values)
        {
            if (value.Length > MaximumLength) continue;
            var i = 0;
            while (i < value.Length)
            {
                if (value[i] != '<')
                {
                    i++;
                    continue;
                }

                var close = value.IndexOf('>', i + 1);
                if (close < 0) break;
                var target = value.Substring(i + 1, close - i - 1).Trim();
                i = close + 1;
                if (ReadParameters(value, ref i) && target.Length > 0) return target;
            }
        }

        return null;
    }

    /// <summary>Reads the parameters up to the comma that ends the link; true where the relation is <c>next</c>.</summary>
    private static bool ReadParameters(string value, ref int i)
    {
        var next = false;
        var seen = false;
        while (i < value.Length && value[i] != ',')
        {
            if (value[i] is ';' or ' ' or '\t')
            {
                i++;
                continue;
            }

            var start = i;
            while (i < value.Length && value[i] is not ('=' or ';' or ',')) i++;
            var name = value.Substring(start, i - start).Trim();
            var text = string.Empty;
            if (i < value.Length && value[i] == '=')
            {
                i++;
                while (i < value.Length && value[i] is ' ' or '\t') i++;
                text = i < value.Length && value[i] == '"' ? HeaderText.ReadQuoted(value, ref i) : HeaderText.ReadUntil(value, ref i, ";,").Trim();
            }

            // The first rel counts (RFC 8288, section 3.3).
            if (seen || !name.Equals("rel", StringComparison.OrdinalIgnoreCase)) continue;
            seen = true;
            next = text.Split(' ').Any(relation => relation.Equals("next", StringComparison.OrdinalIgnoreCase));
        }

        if (i < value.Length) i++;
        return next;
    }
}
