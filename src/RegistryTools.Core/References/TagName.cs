using RegistryTools.Errors;
using RegistryTools.Text;

namespace RegistryTools.References;

/// <summary>
/// The grammar of tags (distribution-spec): a letter, digit or underscore, then up to 127 of those, periods and hyphens. Case counts.
/// </summary>
public static class TagName
{
    /// <summary>The longest tag.</summary>
    public const int MaximumLength = 128;

    /// <summary>Whether the text is a tag.</summary>
    public static bool IsValid(string? text)
    {
        if (text is null || text.Length is 0 or > MaximumLength || text[0] is '.' or '-') return false;
        foreach (var c in text)
        {
            if (c is not ((>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '_' or '.' or '-')) return false;
        }

        return true;
    }

    /// <summary>The tag itself.</summary>
    /// <exception cref="ReferenceFormatException">It is no tag.</exception>
    public static string Validate(string? text) =>
        IsValid(text)
            ? text!
            : throw new ReferenceFormatException(
                text ?? string.Empty,
                string.IsNullOrEmpty(text)
                    ? "A tag is empty."
                    : $"'{Shown.Short(text)}' is not a tag: it takes letters, digits, '_', '.' and '-', does not begin with '.' or '-', and is at most {MaximumLength} characters long.");

    /// <summary>
    /// The tag under which clients keep the referrers of a manifest where a registry has no referrers API: <c>alg-encoded</c>, cut to 32 and 64 characters
    /// (distribution-spec, "Referrers Tag Schema").
    /// </summary>
    public static string ForReferrersOf(Digest subject)
    {
        var algorithm = subject.Algorithm.Length > 32 ? subject.Algorithm.Substring(0, 32) : subject.Algorithm;
        var encoded = subject.Encoded.Length > 64 ? subject.Encoded.Substring(0, 64) : subject.Encoded;
        return algorithm + "-" + encoded;
    }

    /// <summary>Whether a tag is such a fallback tag: a digest with a hyphen for its colon.</summary>
    public static bool IsForReferrers(string tag)
    {
        var hyphen = tag.IndexOf('-');
        return hyphen > 0 && Digest.TryParse(tag.Substring(0, hyphen) + ":" + tag.Substring(hyphen + 1), out _);
    }
}
