using RegistryTools.Errors;
using RegistryTools.Text;

namespace RegistryTools.References;

/// <summary>
/// The grammar of repository names (distribution-spec, "Pulling manifests"): path components of lower-case letters and digits,
/// separated inside by one period, one or two underscores or any number of hyphens, joined by slashes; at most 255 characters.
/// </summary>
public static class RepositoryName
{
    /// <summary>The longest name that registries take.</summary>
    public const int MaximumLength = 255;

    /// <summary>Whether the text is a repository name as it stands.</summary>
    public static bool IsValid(string? text)
    {
        if (text is null || text.Length is 0 or > MaximumLength) return false;
        var i = 0;
        while (true)
        {
            if (!Alphanumerics(text, ref i)) return false;
            while (i < text.Length && text[i] != '/')
            {
                if (!Separator(text, ref i) || !Alphanumerics(text, ref i)) return false;
            }

            if (i == text.Length) return true;
            i++;
        }
    }

    /// <summary>
    /// The name as it is sent. PowerShell ignores case and no registry that Docker can push to has upper-case letters in a
    /// repository name, so letters are lowered; surrounding slashes are dropped.
    /// </summary>
    /// <param name="text">The name as it was typed.</param>
    /// <param name="lowered">Whether that changed its letters, so that the caller can say so.</param>
    /// <exception cref="ReferenceFormatException">It is no repository name even so.</exception>
    public static string Normalize(string? text, out bool lowered)
    {
        var trimmed = (text ?? string.Empty).Trim().Trim('/');
        var name = trimmed.ToLowerInvariant();
        lowered = !string.Equals(name, trimmed, StringComparison.Ordinal);
        if (IsValid(name)) return name;
        throw new ReferenceFormatException(
            text ?? string.Empty,
            name.Length == 0
                ? "A repository name is empty."
                : name.Length > MaximumLength
                    ? $"The repository name '{Shown.Short(text)}' is longer than {MaximumLength} characters."
                    : $"'{Shown.Short(text)}' is not a repository name: it takes lower-case letters and digits, separated by '.', '_', '__', '-' or '/'.");
    }

    /// <summary>The name itself.</summary>
    /// <exception cref="ReferenceFormatException">It is no repository name as it stands; one with upper-case letters is none.</exception>
    public static string Validate(string? text)
    {
        if (IsValid(text)) return text!;
        Normalize(text, out _);
        throw new ReferenceFormatException(text ?? string.Empty, $"'{Shown.Short(text)}' is not a repository name as it is sent: that has lower-case letters and no slash or space around it.");
    }

    private static bool Alphanumerics(string text, ref int i)
    {
        var start = i;
        while (i < text.Length && text[i] is (>= 'a' and <= 'z') or (>= '0' and <= '9')) i++;
        return i > start;
    }

    private static bool Separator(string text, ref int i)
    {
        switch (text[i])
        {
            case '.':
                i++;
                return true;
            case '_':
                i++;
                if (i < text.Length && text[i] == '_') i++;
                return true;
            case '-':
                while (i < text.Length && text[i] == '-') i++;
                return true;
            default:
                return false;
        }
    }
}
