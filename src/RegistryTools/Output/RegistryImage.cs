namespace RegistryTools.PowerShell;

/// <summary>An image for one platform, as its configuration tells it.</summary>
public sealed class RegistryImage
{
    internal RegistryImage(string registry, string repository, string? tag, string digest)
    {
        Registry = registry;
        Repository = repository;
        Tag = tag;
        Digest = digest;
    }

    /// <summary>The registry, by its connection's name.</summary>
    public string Registry { get; }

    /// <summary>The repository.</summary>
    public string Repository { get; }

    /// <summary>The tag by which it was found; null where it was found by its digest.</summary>
    public string? Tag { get; }

    /// <summary>The digest of this platform's manifest. Where it came through an index, the tag points to <see cref="IndexDigest"/>.</summary>
    public string Digest { get; }

    /// <summary>The digest of the index that lists it, or null.</summary>
    public string? IndexDigest { get; internal set; }

    /// <summary>The digest of the configuration: Docker's image id.</summary>
    public string ConfigDigest { get; internal set; } = string.Empty;

    /// <summary>What it runs on.</summary>
    public string Platform { get; internal set; } = string.Empty;

    /// <summary>The operating system.</summary>
    public string Os { get; internal set; } = string.Empty;

    /// <summary>The architecture.</summary>
    public string Architecture { get; internal set; } = string.Empty;

    /// <summary>When it was built, as it says.</summary>
    public DateTimeOffset? Created { get; internal set; }

    /// <summary>Who made it.</summary>
    public string? Author { get; internal set; }

    /// <summary>The bytes that a pull takes: manifest, configuration and layers; null where that is not told.</summary>
    public long? Size { get; internal set; }

    /// <summary>The user it runs as.</summary>
    public string? User { get; internal set; }

    /// <summary>The environment, <c>NAME=value</c> each.</summary>
    public RegistryList<string> Environment { get; internal set; } = RegistryList<string>.None;

    /// <summary>The entry point.</summary>
    public RegistryList<string> Entrypoint { get; internal set; } = RegistryList<string>.None;

    /// <summary>The command.</summary>
    public RegistryList<string> Command { get; internal set; } = RegistryList<string>.None;

    /// <summary>The working directory.</summary>
    public string? WorkingDirectory { get; internal set; }

    /// <summary>The ports it exposes.</summary>
    public RegistryList<string> ExposedPorts { get; internal set; } = RegistryList<string>.None;

    /// <summary>The volumes it declares.</summary>
    public RegistryList<string> Volumes { get; internal set; } = RegistryList<string>.None;

    /// <summary>Its labels.</summary>
    public RegistryDictionary Labels { get; internal set; } = RegistryDictionary.None;

    /// <summary>How it was built, oldest step first.</summary>
    public RegistryList<RegistryImageHistory> History { get; internal set; } = RegistryList<RegistryImageHistory>.None;

    /// <summary>Its layers, base first.</summary>
    public RegistryList<RegistryDescriptor> Layers { get; internal set; } = RegistryList<RegistryDescriptor>.None;

    /// <inheritdoc/>
    public override string ToString() => Registry + "/" + Repository + (Tag is null ? "@" + Digest : ":" + Tag) + " (" + Platform + ")";
}

/// <summary>One step of an image's build.</summary>
public sealed class RegistryImageHistory
{
    internal RegistryImageHistory(DateTimeOffset? created, string createdBy, string comment, bool emptyLayer, RegistryDescriptor? layer)
    {
        Created = created;
        CreatedBy = createdBy;
        Comment = comment;
        EmptyLayer = emptyLayer;
        LayerDigest = layer?.Digest;
        Size = layer is null ? 0 : layer.Size;
    }

    /// <summary>When.</summary>
    public DateTimeOffset? Created { get; }

    /// <summary>The command.</summary>
    public string CreatedBy { get; }

    /// <summary>A comment.</summary>
    public string Comment { get; }

    /// <summary>Whether it made no layer.</summary>
    public bool EmptyLayer { get; }

    /// <summary>The layer that it made, or null.</summary>
    public string? LayerDigest { get; }

    /// <summary>That layer's bytes; null where that is not told.</summary>
    public long? Size { get; }

    /// <inheritdoc/>
    public override string ToString() => CreatedBy;
}
