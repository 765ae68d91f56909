namespace RegistryTools.PowerShell;

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

    /// <summary>Whether it lists its repositories: Supported, NotSupported or Unknown, as in all of these.</summary>
    public string Catalog { get; internal set; } = string.Empty;

    /// <summary>Whether it has the referrers API. Where it has not, the fallback tags are read.</summary>
    public string Referrers { get; internal set; } = string.Empty;

    /// <summary>Whether it deletes a tag by its name. Where it does not, Remove-RegistryTag uses a placeholder.</summary>
    public string TagDelete { get; internal set; } = string.Empty;

    /// <summary>Whether it deletes manifests: not where deletion is disabled, and then it deletes nothing at all.</summary>
    public string ManifestDelete { get; internal set; } = string.Empty;

    /// <summary>What was seen and could not be judged.</summary>
    public RegistryList<string> Notes { get; internal set; } = RegistryList<string>.None;

    /// <inheritdoc/>
    public override string ToString() => Registry;
}
