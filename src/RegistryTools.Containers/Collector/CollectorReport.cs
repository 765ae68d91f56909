namespace RegistryTools.Containers;

/// <summary>A manifest that the registry's own collector names as one to be deleted.</summary>
/// <param name="Repository">Its repository.</param>
/// <param name="Digest">Its digest.</param>
public sealed record CollectedManifest(string Repository, string Digest);

/// <summary>What the registry's own collector said it did, or with <c>--dry-run</c> would do.</summary>
public sealed class CollectorReport
{
    /// <summary>The repositories that it went through, in its order.</summary>
    public IReadOnlyList<string> Repositories { get; internal set; } = [];

    /// <summary>The manifests that it marks as needed, by repository.</summary>
    public IReadOnlyList<CollectedManifest> Marked { get; internal set; } = [];

    /// <summary>The blobs that it marks as needed; null where it did not come that far.</summary>
    public int? BlobsMarked { get; internal set; }

    /// <summary>The manifests that it deletes.</summary>
    public IReadOnlyList<CollectedManifest> Manifests { get; internal set; } = [];

    /// <summary>The blobs that it deletes, by digest.</summary>
    public IReadOnlyList<string> Blobs { get; internal set; } = [];

    /// <summary>The repositories' links to layers that it deletes; 3.x only.</summary>
    public int LayersRemoved { get; internal set; }

    /// <summary>
    /// The manifests that it deletes although something that stays names them: children of a tagged index, which 2.x deletes with -m and leaves the index broken (distribution issue 3178).
    /// </summary>
    public IReadOnlyList<CollectedManifest> Needed { get; internal set; } = [];

    /// <summary>What it warned of.</summary>
    public IReadOnlyList<string> Warnings { get; internal set; } = [];

    /// <summary>Lines that are none that any known version writes.</summary>
    public IReadOnlyList<string> Unknown { get; internal set; } = [];

    /// <summary>Whether it came to its end: its summary is there.</summary>
    public bool IsWhole => BlobsMarked is not null;
}
