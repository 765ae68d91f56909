using NuGet.Versioning;

namespace RegistryTools.Inspection;

/// <summary>The orders in which people want to see tags. All are total: equal only what is the same text.</summary>
public static class TagOrder
{
    /// <summary>By character code: <c>T1, T10, T2</c>.</summary>
    public static IComparer<string> Name { get; } = StringComparer.Ordinal;

    /// <summary>Numbers by their value: <c>T1, T2, T10</c>. Letters regardless of case where that decides.</summary>
    public static IComparer<string> Natural { get; } = new NaturalComparer();

    /// <summary>
    /// Versions first, by the rules of semantic versioning: <c>1.2.0-rc.1, v1.2.0, 1.10</c>; then what is no version, in natural order. A leading <c>v</c> does
    /// not count, and neither do parts that are left out.
    /// </summary>
    public static IComparer<string> Semantic { get; } = new SemanticComparer();

    /// <summary>The version that a tag names, with or without a leading <c>v</c>; null where it names none.</summary>
    public static NuGetVersion? VersionOf(string tag)
    {
        if (string.IsNullOrEmpty(tag)) return null;
        var text = tag.Length > 1 && tag[0] is 'v' or 'V' ? tag.Substring(1) : tag;
        return text[0] is >= '0' and <= '9' && NuGetVersion.TryParse(text, out var version) ? version : null;
    }

    private sealed class NaturalComparer : IComparer<string>
    {
        public int Compare(string? x, string? y)
        {
            if (ReferenceEquals(x, y)) return 0;
            if (x is null) return -1;
            if (y is null) return 1;
            int i = 0, j = 0;
            while (i < x.Length && j < y.Length)
            {
                int order;
                if (IsDigit(x[i]) && IsDigit(y[j]))
                {
                    order = CompareNumbers(x, ref i, y, ref j);
                }
                else
                {
                    order = char.ToLowerInvariant(x[i]).CompareTo(char.ToLowerInvariant(y[j]));
                    i++;
                    j++;
                }

                if (order != 0) return order;
            }

            var rest = (x.Length - i).CompareTo(y.Length - j);
            return rest != 0 ? rest : string.CompareOrdinal(x, y);
        }

        private static int CompareNumbers(string x, ref int i, string y, ref int j)
        {
            var (startX, lengthX) = Number(x, ref i);
            var (startY, lengthY) = Number(y, ref j);
            return lengthX != lengthY ? lengthX.CompareTo(lengthY) : string.CompareOrdinal(x, startX, y, startY, lengthX);
        }

        private static (int Start, int Length) Number(string text, ref int i)
        {
            while (i < text.Length && text[i] == '0') i++;
            var start = i;
            while (i < text.Length && IsDigit(text[i])) i++;
            return (start, i - start);
        }

        private static bool IsDigit(char c) => c is >= '0' and <= '9';
    }

    private sealed class SemanticComparer : IComparer<string>
    {
        public int Compare(string? x, string? y)
        {
            var left = x is null ? null : VersionOf(x);
            var right = y is null ? null : VersionOf(y);
            if (left is null || right is null)
            {
                if (left is not null) return -1;
                if (right is not null) return 1;
                return Natural.Compare(x!, y!);
            }

            var order = VersionComparer.VersionRelease.Compare(left, right);
            return order != 0 ? order : Natural.Compare(x!, y!);
        }
    }
}
