using RegistryTools.PowerShell.Output;

namespace RegistryTools.PowerShell;

/// <summary>A tag of a repository.</summary>
public sealed class RegistryTag : IComparable
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
    public override string ToString() => Registry + "/" + Repository + ":" + Name;

    /// <summary>Orders by registry, repository and tag, numbers by their value.</summary>
    /// <exception cref="ArgumentException">It is something else.</exception>
    public int CompareTo(object? obj) => obj switch
    {
        null => 1,
        RegistryTag other => Compare(other),
        _ => throw Identity.NotComparable(obj),
    };

    /// <summary>Whether it is the same tag.</summary>
    public override bool Equals(object? obj) => obj is RegistryTag other && Compare(other) == 0;

    /// <inheritdoc/>
    public override int GetHashCode() => Identity.Hash(Registry, Repository, Name);

    private int Compare(RegistryTag other) => Identity.Compare(Registry, Repository, Name, other.Registry, other.Repository, other.Name);
}
