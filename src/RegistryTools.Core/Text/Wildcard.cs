namespace RegistryTools.Text;

/// <summary>A pattern with <c>*</c> and <c>?</c>. It is matched letter by letter: no pattern takes long, as a regular expression made of one may.</summary>
internal static class Wildcard
{
    /// <summary>Whether a text is like a pattern, case counting.</summary>
    public static bool IsLike(string text, string pattern)
    {
        var (t, p, star, from) = (0, 0, -1, 0);
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                (star, from) = (p++, t);
            }
            else if (p < pattern.Length && (pattern[p] == '?' || pattern[p] == text[t]))
            {
                p++;
                t++;
            }
            else if (star >= 0)
            {
                // What the last star stands for is one letter longer.
                (p, t) = (star + 1, ++from);
            }
            else
            {
                return false;
            }
        }

        while (p < pattern.Length && pattern[p] == '*') p++;
        return p == pattern.Length;
    }

    /// <summary>Whether a text has <c>*</c> or <c>?</c>.</summary>
    public static bool IsPattern(string text) => text.IndexOfAny(['*', '?']) >= 0;
}
