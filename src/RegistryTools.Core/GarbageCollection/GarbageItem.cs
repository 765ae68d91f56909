using RegistryTools.References;

namespace RegistryTools.GarbageCollection;

/// <summary>What kind of thing a garbage collection removes.</summary>
public enum GarbageKind
{
    /// <summary>A repository's link to a manifest.</summary>
    Manifest,

    /// <summary>A note that a tag once pointed to a manifest that is no more.</summary>
    TagIndex,

    /// <summary>A repository's link to a layer or configuration.</summary>
    Layer,

    /// <summary>An upload that was never finished.</summary>
    Upload,

    /// <summary>Bytes that no repository needs.</summary>
    Blob,

    /// <summary>A tag, gone with its repository.</summary>
    Tag,

    /// <summary>A repository's link to a signature of a manifest of schema 1, as the first registries kept them.</summary>
    Signature,
}

/// <summary>A file, or an upload's directory, that is garbage.</summary>
public sealed class GarbageItem
{
    internal GarbageItem(GarbageKind kind, string path, string? repository, string? tag, Digest? digest, long size, DateTimeOffset time)
    {
        Kind = kind;
        Path = path;
        Repository = repository;
        Tag = tag;
        Digest = digest;
        Size = size;
        Time = time;
    }

    /// <summary>What it is.</summary>
    public GarbageKind Kind { get; }

    /// <summary>Where it is, from <c>docker/registry/v2</c> on, with slashes; in the quarantine it lies under the same path.</summary>
    public string Path { get; }

    /// <summary>The repository; null for a blob, which is every repository's.</summary>
    public string? Repository { get; }

    /// <summary>The tag, for a tag and for a tag's note.</summary>
    public string? Tag { get; }

    /// <summary>The digest; null for an upload. A tag has the digest that it pointed to.</summary>
    public Digest? Digest { get; }

    /// <summary>Its bytes.</summary>
    public long Size { get; }

    /// <summary>When it was last written.</summary>
    public DateTimeOffset Time { get; }

    /// <inheritdoc/>
    public override string ToString() => Path;

    /// <summary>The same, with a digest.</summary>
    internal GarbageItem WithDigest(Digest? digest) => new(Kind, Path, Repository, Tag, digest, Size, Time);

    /// <summary>What a path from <c>docker/registry/v2</c> on is; null where it is none of these.</summary>
    internal static GarbageItem? FromPath(string path, long size, DateTimeOffset time)
    {
        var parts = path.Split('/');
        if (parts.Length == 5 && parts[0] == "blobs" && parts[4] == "data" && Digest.TryParse(parts[1] + ":" + parts[3], out var blob)) return new GarbageItem(GarbageKind.Blob, path, null, null, blob, size, time);
        if (parts.Length < 4 || parts[0] != "repositories") return null;
        var own = Array.FindIndex(parts, 1, static part => part.StartsWith("_", StringComparison.Ordinal));
        if (own < 2) return null;
        var repository = string.Join("/", parts, 1, own - 1);
        var rest = parts.Length - own;
        if (parts[own] == "_uploads") return rest < 2 ? null : new GarbageItem(GarbageKind.Upload, string.Join("/", parts, 0, own + 2), repository, null, null, size, time);
        if (parts[parts.Length - 1] == "link" && rest == 5 && parts[own] == "_manifests" && parts[own + 1] == "tags" && parts[own + 3] == "current") return new GarbageItem(GarbageKind.Tag, path, repository, parts[own + 2], null, size, time);
        if (parts[parts.Length - 1] != "link" || rest < 4 || !Digest.TryParse(parts[parts.Length - 3] + ":" + parts[parts.Length - 2], out var digest)) return null;
        if (parts[own] == "_layers" && rest == 4) return new GarbageItem(GarbageKind.Layer, path, repository, null, digest, size, time);
        if (parts[own] != "_manifests") return null;
        if (rest == 5 && parts[own + 1] == "revisions") return new GarbageItem(GarbageKind.Manifest, path, repository, null, digest, size, time);
        if (rest == 8 && parts[own + 1] == "revisions" && parts[own + 4] == "signatures") return new GarbageItem(GarbageKind.Signature, path, repository, null, digest, size, time);
        return rest == 7 && parts[own + 1] == "tags" && parts[own + 3] == "index" ? new GarbageItem(GarbageKind.TagIndex, path, repository, parts[own + 2], digest, size, time) : null;
    }
}

/// <summary>Something that a garbage collection could not read, or found wrong.</summary>
/// <param name="Message">What, and where.</param>
/// <param name="Repository">The repository; null where it is none's.</param>
/// <param name="Tag">The tag that is concerned, or null.</param>
/// <param name="Digest">The digest that is concerned, or null.</param>
/// <param name="IsBlocking">Whether things were kept for it that may be garbage.</param>
public sealed record GarbageProblem(string Message, string? Repository, string? Tag, Digest? Digest, bool IsBlocking)
{
    /// <summary>What kind of obstacle it is, where it is one.</summary>
    internal StorageObstacle Obstacle { get; init; }

    /// <summary>Where the obstacle is, from <c>docker/registry/v2</c> on.</summary>
    internal string? Path { get; init; }
}

/// <summary>Why a part of a storage could not be looked at.</summary>
internal enum StorageObstacle
{
    None,
    SymbolicLink,
    Unreadable,
    NoRepositoryName,
}
