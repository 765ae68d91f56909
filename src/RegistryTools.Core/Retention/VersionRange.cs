using RegistryTools.Text;

namespace RegistryTools.Retention;

/// <summary>
/// A range of versions: <c>&lt;1.4.0</c>, <c>&gt;=1.2 &lt;2</c> (both), <c>^1.2.0 || ~2.1</c> (either). By precedence alone: <c>1.4.0-rc.1</c> is below 1.4.0.
/// </summary>
internal sealed class VersionRange
{
    private readonly List<List<Func<SemanticVersion, bool>>> _either = [];

    private VersionRange()
    {
    }

    /// <summary>Reads a range.</summary>
    /// <exception cref="RetentionException">It is none.</exception>
    public static VersionRange Parse(string text)
    {
        var range = new VersionRange();
        foreach (var alternative in text.Split(["||"], StringSplitOptions.None))
        {
            var all = new List<Func<SemanticVersion, bool>>();
            foreach (var word in Words(alternative)) all.Add(Comparator(word) ?? throw Wrong(text));
            if (all.Count == 0) throw Wrong(text);
            range._either.Add(all);
        }

        return range;
    }

    public bool Contains(SemanticVersion version) => _either.Exists(all => all.TrueForAll(holds => holds(version)));

    private static RetentionException Wrong(string text) => new($"'{Shown.Short(text)}' is no range of versions.", "Such as '<1.4.0', '>=1.2 <2', '^1.2.0' or '~1.4 || >=3.0.0'.");

    // An operator may stand apart from its version.
    private static IEnumerable<string> Words(string text)
    {
        var held = string.Empty;
        foreach (var word in text.Split([' ', '\t', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            held += word;
            if (word.All(static c => c is '<' or '>' or '=' or '^' or '~')) continue;
            yield return held;
            held = string.Empty;
        }

        if (held.Length > 0) yield return held;
    }

    private static Func<SemanticVersion, bool>? Comparator(string word)
    {
        var length = 0;
        while (length < word.Length && word[length] is '<' or '>' or '=' or '^' or '~') length++;
        var (sign, text) = (word.Substring(0, length), word.Substring(length));
        if (Bounds(text) is not { } bounds) return null;
        var (from, parts) = bounds;

        // What 1 or 1.4 leaves open: up to the next of what is named.
        var next = parts switch { 1 => SemanticVersion.Of(from.Major + 1, 0, 0), 2 => SemanticVersion.Of(from.Major, from.Minor + 1, 0), _ => null };
        switch (sign)
        {
            case "<":
                return version => version.CompareTo(from) < 0;
            case "<=":
                return next is null ? version => version.CompareTo(from) <= 0 : version => version.CompareTo(next) < 0;
            case ">":
                return next is null ? version => version.CompareTo(from) > 0 : version => version.CompareTo(next) >= 0;
            case ">=":
                return version => version.CompareTo(from) >= 0;
            case "" or "=" or "==":
                return next is null ? version => version.CompareTo(from) == 0 : version => version.CompareTo(from) >= 0 && version.CompareTo(next) < 0;
            case "^":
                var caret = from.Major > 0 || parts == 1 ? SemanticVersion.Of(from.Major + 1, 0, 0) : from.Minor > 0 || parts == 2 ? SemanticVersion.Of(0, from.Minor + 1, 0) : SemanticVersion.Of(0, 0, from.Patch + 1);
                return version => version.CompareTo(from) >= 0 && version.CompareTo(caret) < 0;
            case "~":
                var tilde = parts == 1 ? SemanticVersion.Of(from.Major + 1, 0, 0) : SemanticVersion.Of(from.Major, from.Minor + 1, 0);
                return version => version.CompareTo(from) >= 0 && version.CompareTo(tilde) < 0;
            default:
                return null;
        }
    }

    private static (SemanticVersion From, int Parts)? Bounds(string text)
    {
        if (SemanticVersion.Parse(text) is { } whole) return (whole, 3);
        var numbers = Array.ConvertAll((text.Length > 0 && text[0] is 'v' or 'V' ? text.Substring(1) : text).Split('.'), SemanticVersion.Number);
        if (numbers.Length > 2 || Array.Exists(numbers, static number => number is null)) return null;
        return (SemanticVersion.Of(numbers[0]!.Value, numbers.Length > 1 ? numbers[1]!.Value : 0, 0), numbers.Length);
    }
}
