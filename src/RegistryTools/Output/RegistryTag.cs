namespace RegistryTools.PowerShell;

/// <summary>A tag of a repository.</summary>
public sealed class RegistryTag
{
    internal RegistryTag(string registry, string repository, string name, string? digest)
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

    /// <summary>The digest of the manifest that it pointed to when it was looked at; null where it was only listed.</summary>
    public string? Digest { get; }

    /// <inheritdoc/>
    public override string ToString() => Repository + ":" + Name;
}
