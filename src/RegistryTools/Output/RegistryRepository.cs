using RegistryTools.PowerShell.Output;

namespace RegistryTools.PowerShell;

/// <summary>A repository of a registry.</summary>
public sealed class RegistryRepository : IComparable
{
    internal RegistryRepository(string registry, string repository)
    {
        Registry = registry;
        Repository = repository;
    }

    /// <summary>The registry, by its connection's name.</summary>
    public string Registry { get; }

    /// <summary>The repository's name.</summary>
    public string Repository { get; }

    /// <inheritdoc/>
    public override string ToString() => Repository;

    /// <summary>Orders by registry, repository.</summary>
    /// <exception cref="ArgumentException">It is something else.</exception>
    public int CompareTo(object? obj) => obj switch
    {
        null => 1,
        RegistryRepository other => Compare(other),
        _ => throw Identity.NotComparable(obj),
    };

    /// <summary>Whether it is the same repository.</summary>
    public override bool Equals(object? obj) => obj is RegistryRepository other && Compare(other) == 0;

    /// <inheritdoc/>
    public override int GetHashCode() => Identity.Hash(Registry, Repository, string.Empty);

    private int Compare(RegistryRepository other) => Identity.Compare(Registry, Repository, string.Empty, other.Registry, other.Repository, string.Empty);
}
