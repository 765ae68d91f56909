using RegistryTools.References;

namespace RegistryTools.Deletion;

/// <summary>A repository that was removed, as far as it was.</summary>
public sealed class RepositoryRemoval
{
    /// <summary>The repository.</summary>
    public required string Repository { get; init; }

    /// <summary>The tags that are gone.</summary>
    public IReadOnlyList<string> Tags { get; internal set; } = [];

    /// <summary>The manifests that are gone: of a storage every one; else those that tags pointed to.</summary>
    public int Manifests { get; internal set; }

    /// <summary>The run by which it can be restored: of a storage one of the quarantine, else one of the journal; null where nothing was removed.</summary>
    public string? RunId { get; internal set; }

    /// <summary>When it was removed.</summary>
    public DateTimeOffset Time { get; internal set; } = DateTimeOffset.UtcNow;

    /// <summary>Tags that were pushed while it was being removed, and stay.</summary>
    public IReadOnlyList<string> PushedMeanwhile { get; internal set; } = [];

    /// <summary>What went wrong: then something of it may be left.</summary>
    public IReadOnlyList<Exception> Errors { get; internal set; } = [];
}
