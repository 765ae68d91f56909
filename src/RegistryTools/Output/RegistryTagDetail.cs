namespace RegistryTools.PowerShell;

/// <summary>A tag with what there is to know of it without pulling it.</summary>
public sealed class RegistryTagDetail
{
    internal RegistryTagDetail(string registry, string repository, string name, string digest)
    {
        Registry = registry;
        Repository = repository;
        Name = name;
        Digest = digest;
    }

    /// <summary>The registry, by its connection's name.</summary>
    public string Registry { get; }

    /// <summary>The repository.</summary>
    public string Repository { get; }

    /// <summary>The tag.</summary>
    public string Name { get; }

    /// <summary>The tag; the same as <see cref="Name"/>.</summary>
    public string Tag => Name;

    /// <summary>The digest of the manifest that it pointed to when it was looked at.</summary>
    public string Digest { get; }

    /// <summary>The manifest's media type.</summary>
    public string MediaType { get; internal set; } = string.Empty;

    /// <summary>The manifest's kind.</summary>
    public RegistryManifestKind Kind { get; internal set; }

    /// <summary>
    /// The bytes that a pull takes: manifest, configuration and layers; of an index, those of all its platforms, what they share counted once. Null where that is not
    /// told.
    /// </summary>
    public long? Size { get; internal set; }

    /// <summary>When the image was built, as it says; of an index, the newest of its platforms. Reproducible builds say 1970 or 1980.</summary>
    public DateTimeOffset? Created { get; internal set; }

    /// <summary>When the tag itself was last written: pushed, or moved. Null over HTTP, where no registry tells.</summary>
    public DateTimeOffset? Tagged { get; internal set; }

    /// <summary>What it runs on.</summary>
    public string[] Platform { get; internal set; } = [];

    /// <summary>The kind of artifact, where it is one.</summary>
    public string? ArtifactType { get; internal set; }

    /// <summary>Whether it is a placeholder that an interrupted deletion left behind: Remove-RegistryTag or Restore-RegistryTag brings that to its end.</summary>
    public bool IsPlaceholder { get; internal set; }

    /// <inheritdoc/>
    public override string ToString() => Repository + ":" + Name;
}
