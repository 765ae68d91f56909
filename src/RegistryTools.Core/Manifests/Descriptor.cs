using RegistryTools.References;

namespace RegistryTools.Manifests;

/// <summary>A reference to content by digest (OCI image-spec, descriptor.md).</summary>
public sealed class Descriptor
{
    private static readonly IReadOnlyDictionary<string, string> NoAnnotations = new Dictionary<string, string>();

    /// <summary>Makes a descriptor.</summary>
    /// <param name="mediaType">The content's media type; empty where unknown.</param>
    /// <param name="digest">The content's digest.</param>
    /// <param name="size">The content's size in bytes; -1 where unknown.</param>
    public Descriptor(string mediaType, Digest digest, long size)
    {
        MediaType = mediaType;
        Digest = digest;
        Size = size;
    }

    /// <summary>The content's media type; empty where unknown.</summary>
    public string MediaType { get; }

    /// <summary>The content's digest.</summary>
    public Digest Digest { get; }

    /// <summary>The content's size in bytes; -1 where unknown.</summary>
    public long Size { get; }

    /// <summary>What the content runs on, where it is one platform of an index.</summary>
    public Platform? Platform { get; init; }

    /// <summary>The kind of artifact, where it is one.</summary>
    public string? ArtifactType { get; init; }

    /// <summary>Where else the content is to be had; a foreign layer's own server, for one.</summary>
    public IReadOnlyList<string> Urls { get; init; } = [];

    /// <summary>Free annotations.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; init; } = NoAnnotations;

    /// <summary>Whether the registry is not expected to hold the content (Docker's foreign and OCI's non-distributable layers).</summary>
    public bool IsForeign => MediaType.IndexOf(".foreign.", StringComparison.Ordinal) >= 0 || MediaType.IndexOf(".nondistributable.", StringComparison.Ordinal) >= 0;

    /// <inheritdoc/>
    public override string ToString() => $"{Digest} ({MediaType}, {Size} bytes)";
}
