using System.Globalization;

namespace RegistryTools.Retention;

/// <summary>
/// A version by Semantic Versioning 2.0.0, with a <c>v</c> before it or not. <c>1</c> and <c>1.4</c> are none: as tags they move along with the versions, and are not one of them.
/// </summary>
internal sealed class SemanticVersion : IComparable<SemanticVersion>
{
    private SemanticVersion(long major, long minor, long patch, string[] prerelease)
    {
        Major = major;
        Minor = minor;
        Patch = patch;
        Prerelease = prerelease;
    }

    public long Major { get; }

    public long Minor { get; }

    public long Patch { get; }

    public string[] Prerelease { get; }

    public bool IsPrerelease => Prerelease.Length > 0;

    public static SemanticVersion Of(long major, long minor, long patch) => new(major, minor, patch, []);

    /// <summary>The version that a text is; null where it is none.</summary>
    public static SemanticVersion? Parse(string text)
    {
        if (text.Length > 0 && text[0] is 'v' or 'V') text = text.Substring(1);
        var plus = text.IndexOf('+');
        if (plus >= 0)
        {
            if (!Identifiers(text.Substring(plus + 1), numeric: false)) return null;
            text = text.Substring(0, plus);
        }

        string[] prerelease = [];
        var dash = text.IndexOf('-');
        if (dash >= 0)
        {
            if (!Identifiers(text.Substring(dash + 1), numeric: true)) return null;
            prerelease = text.Substring(dash + 1).Split('.');
            text = text.Substring(0, dash);
        }

        var parts = text.Split('.');
        return parts.Length == 3 && Number(parts[0]) is { } major && Number(parts[1]) is { } minor && Number(parts[2]) is { } patch ? new SemanticVersion(major, minor, patch, prerelease) : null;
    }

    /// <summary>Precedence, section 11.</summary>
    public int CompareTo(SemanticVersion? other)
    {
        if (other is null) return 1;
        var order = Major != other.Major ? Major.CompareTo(other.Major) : Minor != other.Minor ? Minor.CompareTo(other.Minor) : Patch.CompareTo(other.Patch);
        if (order != 0) return order;
        if (IsPrerelease != other.IsPrerelease) return IsPrerelease ? -1 : 1;
        for (var i = 0; i < Math.Min(Prerelease.Length, other.Prerelease.Length); i++)
        {
            var (left, right) = (Prerelease[i], other.Prerelease[i]);
            var (isNumber, isOtherNumber) = (left.All(IsDigit), right.All(IsDigit));
            order = isNumber && isOtherNumber
                ? left.Length != right.Length ? left.Length.CompareTo(right.Length) : string.CompareOrdinal(left, right)
                : isNumber != isOtherNumber ? (isNumber ? -1 : 1) : string.CompareOrdinal(left, right);
            if (order != 0) return order;
        }

        return Prerelease.Length.CompareTo(other.Prerelease.Length);
    }

    // A build's time makes a long patch: 1.0.20261123101500.
    internal static long? Number(string text) =>
        text.Length is > 0 and < 19 && text.All(IsDigit) && (text.Length == 1 || text[0] != '0') ? long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture) : null;

    private static bool Identifiers(string text, bool numeric) =>
        text.Split('.').All(part => part.Length > 0 && part.All(static c => IsDigit(c) || c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or '-') && !(numeric && part.Length > 1 && part[0] == '0' && part.All(IsDigit)));

    private static bool IsDigit(char c) => c is >= '0' and <= '9';
}
