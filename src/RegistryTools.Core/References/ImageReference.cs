using RegistryTools.Errors;
using RegistryTools.Text;

namespace RegistryTools.References;

/// <summary>
/// What stands after <c>docker pull</c>: <c>[registry/]repository[:tag][@digest]</c>. The first component names a registry where it has a
/// period or a colon, or is <c>localhost</c>, and something follows it.
/// </summary>
public sealed class ImageReference
{
    private const string NotShown = "(not shown: it may hold a password)";

    private ImageReference(string? registry, string repository, bool lowered, string? tag, Digest? digest)
    {
        Registry = registry;
        Repository = repository;
        RepositoryWasLowered = lowered;
        Tag = tag;
        Digest = digest;
    }

    /// <summary>The registry's host and port, or null.</summary>
    public string? Registry { get; }

    /// <summary>The repository, lower case.</summary>
    public string Repository { get; }

    /// <summary>Whether the repository had upper-case letters.</summary>
    public bool RepositoryWasLowered { get; }

    /// <summary>The tag, or null.</summary>
    public string? Tag { get; }

    /// <summary>The digest, or null.</summary>
    public Digest? Digest { get; }

    /// <summary>Parses a reference. No tag is made up where there is none.</summary>
    /// <exception cref="ReferenceFormatException">The text is no reference.</exception>
    public static ImageReference Parse(string text)
    {
        var rest = (text ?? string.Empty).Trim();
        var scheme = rest.IndexOf("://", StringComparison.Ordinal);
        if (scheme >= 0)
        {
            if (rest.IndexOf('@') > scheme) throw new ReferenceFormatException(NotShown, "An image reference has no scheme, and holds no user name or password: connect with Connect-Registry and -Credential.");
            throw new ReferenceFormatException(text!, $"'{Shown.Short(text)}' is not an image reference: a reference has no scheme. Connect-Registry takes the scheme.");
        }

        Digest? digest = null;
        var at = rest.IndexOf('@');
        if (at >= 0)
        {
            if (!References.Digest.TryParse(rest.Substring(at + 1), out digest))
            {
                throw new ReferenceFormatException(NotShown, "What stands after the '@' of an image reference is a digest: sha256: followed by 64 lower-case hexadecimal digits. A user name and password have no place in it.");
            }

            rest = rest.Substring(0, at);
        }

        string? registry = null;
        var slash = rest.IndexOf('/');
        if (slash > 0)
        {
            var first = rest.Substring(0, slash);
            if (IsRegistry(first))
            {
                registry = RegistryAddress.Parse(first).Name;
                rest = rest.Substring(slash + 1);
            }
        }

        string? tag = null;
        var colon = rest.LastIndexOf(':');
        if (colon > rest.LastIndexOf('/'))
        {
            tag = TagName.Validate(rest.Substring(colon + 1));
            rest = rest.Substring(0, colon);
        }

        var repository = RepositoryName.Normalize(rest, out var lowered);
        return new ImageReference(registry, repository, lowered, tag, digest);
    }

    /// <summary>The reference as <see cref="Parse"/> reads it again: a repository that could be taken for one on another registry has a slash before it.</summary>
    public override string ToString() =>
        (Registry is not null ? Registry + "/" : Repository.IndexOf('/') > 0 && IsRegistry(Repository.Substring(0, Repository.IndexOf('/'))) ? "/" : string.Empty) + Repository + (Tag is null ? string.Empty : ":" + Tag) + (Digest is null ? string.Empty : "@" + Digest);

    private static bool IsRegistry(string first) => first.IndexOf('.') >= 0 || first.IndexOf(':') >= 0 || first.Equals("localhost", StringComparison.OrdinalIgnoreCase);
}
