namespace RegistryTools.PowerShell;

/// <summary>A manifest that was removed, with the tags that went along.</summary>
public sealed class RegistryManifestRemoval
{
    /// <summary>The registry, as <c>-Registry</c> takes it.</summary>
    public string Registry { get; internal set; } = string.Empty;

    /// <summary>The repository.</summary>
    public string Repository { get; internal set; } = string.Empty;

    /// <summary>The manifest's digest.</summary>
    public string Digest { get; internal set; } = string.Empty;

    /// <summary>The manifest's media type.</summary>
    public string MediaType { get; internal set; } = string.Empty;

    /// <summary>The tags that pointed to it and are gone with it.</summary>
    public RegistryList<string> Tags { get; internal set; } = RegistryList<string>.None;

    /// <summary>When it was removed.</summary>
    public DateTimeOffset Time { get; internal set; }

    /// <inheritdoc/>
    public override string ToString() => Registry + "/" + Repository + "@" + Digest;
}
