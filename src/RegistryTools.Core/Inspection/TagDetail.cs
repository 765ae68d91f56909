using RegistryTools.Manifests;
using RegistryTools.References;

namespace RegistryTools.Inspection;

/// <summary>What there is to know of a tag without pulling it.</summary>
public sealed class TagDetail
{
    /// <summary>The tag.</summary>
    public required string Tag { get; init; }

    /// <summary>The manifest it points to; null where that could not be found.</summary>
    public Digest? Digest { get; init; }

    /// <summary>The manifest's media type.</summary>
    public string MediaType { get; init; } = string.Empty;

    /// <summary>The manifest's kind.</summary>
    public ManifestKind Kind { get; init; }

    /// <summary>
    /// The bytes that a pull takes: manifest, configuration and layers; of an index, those of all its platforms, what they share counted once. Null
    /// where a size is not told or one of an index's manifests is missing.
    /// </summary>
    public long? Size { get; init; }

    /// <summary>When the image was built, as it says; of an index, the newest of its platforms.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>What it runs on.</summary>
    public IReadOnlyList<Platform> Platforms { get; init; } = [];

    /// <summary>The kind of artifact, where it is one.</summary>
    public string? ArtifactType { get; init; }

    /// <summary>Whether it is a placeholder that an interrupted deletion left behind.</summary>
    public bool IsPlaceholder { get; init; }

    /// <summary>When the tag itself was last written; null where the registry does not tell, as none does over HTTP.</summary>
    public DateTimeOffset? Tagged { get; init; }

    /// <summary>Why the rest could not be found out; null where it could.</summary>
    public Exception? Error { get; init; }
}
