using System.Text;

namespace RegistryTools.PowerShell;

/// <summary>A manifest.</summary>
public sealed class RegistryManifest
{
    private readonly byte[] _bytes;

    internal RegistryManifest(string registry, string repository, string? tag, string digest, byte[] bytes)
    {
        Registry = registry;
        Repository = repository;
        Tag = tag;
        Digest = digest;
        _bytes = bytes;
    }

    /// <summary>The registry, by its connection's name.</summary>
    public string Registry { get; }

    /// <summary>The repository.</summary>
    public string Repository { get; }

    /// <summary>The tag by which it was found; null where it was found by its digest, or through an index.</summary>
    public string? Tag { get; }

    /// <summary>Its digest.</summary>
    public string Digest { get; }

    /// <summary>Its media type.</summary>
    public string MediaType { get; internal set; } = string.Empty;

    /// <summary>Image, Index (an image for several platforms, or another list of manifests), Artifact (a chart, a signature, a bill of materials), Schema1 (a Docker image of schema 1) or Unknown.</summary>
    public string Kind { get; internal set; } = string.Empty;

    /// <summary>Its schema version: 1 or 2; 0 where it says nothing.</summary>
    public int SchemaVersion { get; internal set; }

    /// <summary>The kind of artifact, where it is one.</summary>
    public string? ArtifactType { get; internal set; }

    /// <summary>What it runs on, where it was chosen for that.</summary>
    public string? Platform { get; internal set; }

    /// <summary>The digest of the index through which it was found, or null.</summary>
    public string? IndexDigest { get; internal set; }

    /// <summary>The manifest's own bytes.</summary>
    public long Size => _bytes.Length;

    /// <summary>The bytes of configuration and layers; null where that is not told.</summary>
    public long? ContentSize { get; internal set; }

    /// <summary>The configuration.</summary>
    public RegistryDescriptor? Config { get; internal set; }

    /// <summary>The layers, base first.</summary>
    public RegistryList<RegistryDescriptor> Layers { get; internal set; } = RegistryList<RegistryDescriptor>.None;

    /// <summary>The manifests that an index lists.</summary>
    public RegistryList<RegistryDescriptor> Manifests { get; internal set; } = RegistryList<RegistryDescriptor>.None;

    /// <summary>The manifest that this one belongs to, as a signature does.</summary>
    public RegistryDescriptor? Subject { get; internal set; }

    /// <summary>Its annotations.</summary>
    public RegistryDictionary Annotations { get; internal set; } = RegistryDictionary.None;

    /// <summary>The bytes as the registry holds them: those that the digest is of.</summary>
    public byte[] GetBytes() => (byte[])_bytes.Clone();

    /// <summary>The text as the registry holds it.</summary>
    public string GetText() => Encoding.UTF8.GetString(_bytes);

    /// <inheritdoc/>
    public override string ToString() => Registry + "/" + Repository + (Tag is null ? "@" + Digest : ":" + Tag);
}

/// <summary>What a manifest says of one of its parts.</summary>
public sealed class RegistryDescriptor
{
    internal RegistryDescriptor(string registry, string repository, string digest)
    {
        Registry = registry;
        Repository = repository;
        Digest = digest;
    }

    /// <summary>The registry, by its connection's name.</summary>
    public string Registry { get; }

    /// <summary>The repository.</summary>
    public string Repository { get; }

    /// <summary>The content's digest.</summary>
    public string Digest { get; }

    /// <summary>The content's media type.</summary>
    public string MediaType { get; internal set; } = string.Empty;

    /// <summary>The content's size in bytes; null where it is not told.</summary>
    public long? Size { get; internal set; }

    /// <summary>What it runs on, where it is one platform of an index.</summary>
    public string? Platform { get; internal set; }

    /// <summary>The kind of artifact, where it is one.</summary>
    public string? ArtifactType { get; internal set; }

    /// <summary>Its annotations; null where it has none.</summary>
    public RegistryDictionary? Annotations { get; internal set; }

    /// <inheritdoc/>
    public override string ToString() => Digest;
}
