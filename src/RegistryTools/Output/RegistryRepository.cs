namespace RegistryTools.PowerShell;

/// <summary>A repository of a registry.</summary>
public sealed class RegistryRepository
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
}
