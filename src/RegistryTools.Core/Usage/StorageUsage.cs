namespace RegistryTools.Usage;

/// <summary>What was measured.</summary>
public enum UsageScope
{
    /// <summary>The whole registry; over HTTP, the repositories that were asked for together.</summary>
    Registry,

    /// <summary>A repository.</summary>
    Repository,

    /// <summary>A tag.</summary>
    Tag,
}

/// <summary>
/// The bytes of a registry, a repository or a tag. What is counted is content: manifests, configurations and layers, each blob once; the links that a storage keeps to them are a hundred bytes each and
/// are not. Null is what can't be told.
/// </summary>
public sealed record StorageUsage
{
    /// <summary>What was measured.</summary>
    public required UsageScope Scope { get; init; }

    /// <summary>The repository; null for the registry.</summary>
    public string? Repository { get; init; }

    /// <summary>The tag; null for what is none.</summary>
    public string? Tag { get; init; }

    /// <summary>The bytes of everything that its manifests need, each blob once; garbage is none of it. Null for a tag that needs something that can't be read.</summary>
    public long? Size { get; init; }

    /// <summary>What it would take if nothing were shared below it: of the registry the sum of its repositories' sizes, of a repository the sum of its tags' sizes.</summary>
    public long? LogicalSize { get; init; }

    /// <summary>
    /// The bytes that only it needs: a tag and no other tag of any repository that was measured, a repository and no other one; of the registry, those that a single repository needs. What something that
    /// can't be read may need counts as needed.
    /// </summary>
    public long? Unique { get; init; }

    /// <summary><see cref="Size"/> without <see cref="Unique"/>.</summary>
    public long? Shared { get; init; }

    /// <summary>
    /// What a garbage collection that removes untagged manifests gives back if exactly this is removed: of a tag, beyond what it gives back anyway; of a repository, what only its tags and its untagged manifests
    /// hold; of the registry, what it gives back as things are.
    /// </summary>
    public long? Freed { get; init; }

    /// <summary>The part of <see cref="Size"/> that only untagged manifests need.</summary>
    public long? Untagged { get; init; }

    /// <summary>The bytes that no manifest needs, tagged or not: of the registry all, of a repository what it has links to.</summary>
    public long? Garbage { get; init; }

    /// <summary>The bytes that earlier garbage collections moved to the storage's quarantine. They are no part of the others.</summary>
    public long? Quarantined { get; init; }

    /// <summary>How many repositories it has.</summary>
    public int? Repositories { get; init; }

    /// <summary>How many tags it has.</summary>
    public int? Tags { get; init; }

    /// <summary>How many manifests it has, counted in each repository; a tag's: its own, those its index lists, and what refers to them.</summary>
    public int Manifests { get; init; }

    /// <summary>How many blobs <see cref="Size"/> counts, manifests among them.</summary>
    public int Blobs { get; init; }

    /// <summary>How many layers and configurations it needs that are not there. Layers that are fetched from elsewhere are not missed.</summary>
    public int Missing { get; init; }

    /// <summary>Whether everything that it needs could be read.</summary>
    public bool IsComplete { get; init; } = true;

    /// <inheritdoc/>
    public override string ToString() => Tag is not null ? Repository + ":" + Tag : Repository ?? "registry";
}
