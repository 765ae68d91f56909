namespace RegistryTools.PowerShell;

/// <summary>Whether a registry can do something.</summary>
public enum RegistrySupport
{
    /// <summary>It could not be told.</summary>
    Unknown,

    /// <summary>It can.</summary>
    Supported,

    /// <summary>It can't, or that is switched off.</summary>
    NotSupported,
}

/// <summary>What a registry can do, found without changing anything.</summary>
public sealed class RegistryTestResult
{
    internal RegistryTestResult(string registry, string location)
    {
        Registry = registry;
        Location = location;
    }

    /// <summary>The registry, by its connection's name.</summary>
    public string Registry { get; }

    /// <summary>Where it is.</summary>
    public string Location { get; }

    /// <summary>The product, where it shows itself.</summary>
    public string? Product { get; internal set; }

    /// <summary>How it asks who one is: None, Basic or Bearer.</summary>
    public string? Authentication { get; internal set; }

    /// <summary>Whether it lists its repositories.</summary>
    public RegistrySupport Catalog { get; internal set; }

    /// <summary>Whether it has the referrers API. Where it has not, the fallback tags are read.</summary>
    public RegistrySupport Referrers { get; internal set; }

    /// <summary>Whether it deletes a tag by its name. Where it does not, Remove-RegistryTag uses a placeholder.</summary>
    public RegistrySupport TagDelete { get; internal set; }

    /// <summary>Whether it deletes manifests: not where deletion is disabled, and then it deletes nothing at all.</summary>
    public RegistrySupport ManifestDelete { get; internal set; }

    /// <summary>What was seen and could not be judged.</summary>
    public string[] Notes { get; internal set; } = [];

    /// <inheritdoc/>
    public override string ToString() => Registry;
}
