using RegistryTools.PowerShell.Output;

namespace RegistryTools.PowerShell;

/// <summary>A tag with what there is to know of it without pulling it.</summary>
public sealed class RegistryTagDetail : IComparable
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

    /// <summary>The manifest's kind: Image, Index, Artifact, Schema1 or Unknown.</summary>
    public string Kind { get; internal set; } = string.Empty;

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
    public RegistryList<string> Platform { get; internal set; } = RegistryList<string>.None;

    /// <summary>The kind of artifact, where it is one.</summary>
    public string? ArtifactType { get; internal set; }

    /// <summary>Whether it is a placeholder that an interrupted deletion left behind: Remove-RegistryTag or Restore-RegistryTag brings that to its end.</summary>
    public bool IsPlaceholder { get; internal set; }

    /// <inheritdoc/>
    public override string ToString() => Registry + "/" + Repository + ":" + Name;

    /// <summary>Orders by registry, repository and tag, numbers by their value, and by digest where a tag was looked at twice.</summary>
    /// <exception cref="ArgumentException">It is something else.</exception>
    public int CompareTo(object? obj) => obj switch
    {
        null => 1,
        RegistryTagDetail other => Compare(other),
        _ => throw Identity.NotComparable(obj),
    };

    /// <summary>Whether it is the same tag on the same manifest.</summary>
    public override bool Equals(object? obj) => obj is RegistryTagDetail other && Compare(other) == 0;

    /// <inheritdoc/>
    public override int GetHashCode() => Identity.Hash(Registry, Repository, Name);

    private int Compare(RegistryTagDetail other)
    {
        var order = Identity.Compare(Registry, Repository, Name, other.Registry, other.Repository, other.Name);
        return order != 0 ? order : string.CompareOrdinal(Digest, other.Digest);
    }
}
