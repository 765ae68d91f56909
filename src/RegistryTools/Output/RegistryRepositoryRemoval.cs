using RegistryTools.Deletion;

namespace RegistryTools.PowerShell;

/// <summary>A repository that was removed.</summary>
public sealed class RegistryRepositoryRemoval
{
    /// <summary>The registry, as <c>-Registry</c> takes it.</summary>
    public string Registry { get; internal set; } = string.Empty;

    /// <summary>The repository.</summary>
    public string Repository { get; internal set; } = string.Empty;

    /// <summary>The tags that are gone.</summary>
    public RegistryList<string> Tags { get; internal set; } = RegistryList<string>.None;

    /// <summary>How many manifests are gone: of a storage all, else those that the tags pointed to.</summary>
    public int Manifests { get; internal set; }

    /// <summary>The storage in whose quarantine it lies, where <c>Restore-RegistryGarbage</c> finds it; null where it was removed over HTTP, and <c>Restore-RegistryTag</c> puts its tags back.</summary>
    public string? StoragePath { get; internal set; }

    /// <summary>The run of the quarantine, or of the journal.</summary>
    public string? RunId { get; internal set; }

    /// <summary>When it was removed.</summary>
    public DateTimeOffset Time { get; internal set; }

    /// <inheritdoc/>
    public override string ToString() => Registry + "/" + Repository;

    internal static RegistryRepositoryRemoval From(RepositoryRemoval removal, string registry, string? storage) => new()
    {
        Registry = registry,
        Repository = removal.Repository,
        Tags = new(removal.Tags),
        Manifests = removal.Manifests,
        StoragePath = storage,
        RunId = removal.RunId,
        Time = removal.Time.ToLocalTime(),
    };
}
