using RegistryTools.Usage;

namespace RegistryTools.PowerShell;

/// <summary>The bytes of a registry, a repository or a tag: of manifests, configurations and layers, each blob once. Null is what can't be told.</summary>
public sealed class RegistryStorageUsage
{
    /// <summary>The registry that was asked, by its connection's name; null where a storage was measured.</summary>
    public string? Registry { get; internal set; }

    /// <summary>The storage's root; null where a registry was asked.</summary>
    public string? StoragePath { get; internal set; }

    /// <summary>Registry, Repository or Tag.</summary>
    public string Scope { get; internal set; } = string.Empty;

    /// <summary>The repository; null for the registry.</summary>
    public string? Repository { get; internal set; }

    /// <summary>The tag; null for what is none.</summary>
    public string? Tag { get; internal set; }

    /// <summary>The bytes of everything that its manifests need, untagged ones too, each blob once. Null for a tag that needs something that can't be read.</summary>
    public long? Size { get; internal set; }

    /// <summary>What it would take if nothing were shared below it: of the registry the sum of its repositories' sizes, of a repository the sum of its tags' sizes.</summary>
    public long? LogicalSize { get; internal set; }

    /// <summary>What only it needs: a tag and no other tag of any repository, a repository and no other repository; of the registry, what a single repository needs.</summary>
    public long? Unique { get; internal set; }

    /// <summary>Size without Unique.</summary>
    public long? Shared { get; internal set; }

    /// <summary>
    /// What <c>Invoke-RegistryGarbageCollect -RemoveUntagged</c> gives back if exactly this is removed: of a tag, beyond what it gives back anyway; of a repository, what only its tags and its untagged manifests
    /// hold; of the registry, what it gives back as things are.
    /// </summary>
    public long? Freed { get; internal set; }

    /// <summary>The part of Size that only untagged manifests need; null over HTTP, and for a tag.</summary>
    public long? Untagged { get; internal set; }

    /// <summary>What no manifest needs; null over HTTP, and for a tag.</summary>
    public long? Garbage { get; internal set; }

    /// <summary>What earlier garbage collections moved to the storage's quarantine, which is no part of the others; null over HTTP, and for a repository or tag.</summary>
    public long? Quarantined { get; internal set; }

    /// <summary>How many repositories it has.</summary>
    public int? Repositories { get; internal set; }

    /// <summary>How many tags it has.</summary>
    public int? Tags { get; internal set; }

    /// <summary>How many manifests it has; a tag's: its own, those its index lists, and what refers to them.</summary>
    public int Manifests { get; internal set; }

    /// <summary>How many blobs Size counts, manifests among them.</summary>
    public int Blobs { get; internal set; }

    /// <summary>How many layers and configurations it needs that are not there.</summary>
    public int Missing { get; internal set; }

    /// <summary>Whether everything that it needs could be read. What something that can't be read may need counts as needed.</summary>
    public bool IsComplete { get; internal set; }

    /// <inheritdoc/>
    public override string ToString() => Tag is not null ? Repository + ":" + Tag : Repository ?? Registry ?? StoragePath ?? string.Empty;

    internal static RegistryStorageUsage From(StorageUsage usage, string? registry, string? storage) => new()
    {
        Registry = registry,
        StoragePath = storage,
        Scope = usage.Scope.ToString(),
        Repository = usage.Repository,
        Tag = usage.Tag,
        Size = usage.Size,
        LogicalSize = usage.LogicalSize,
        Unique = usage.Unique,
        Shared = usage.Shared,
        Freed = usage.Freed,
        Untagged = usage.Untagged,
        Garbage = usage.Garbage,
        Quarantined = usage.Quarantined,
        Repositories = usage.Repositories,
        Tags = usage.Tags,
        Manifests = usage.Manifests,
        Blobs = usage.Blobs,
        Missing = usage.Missing,
        IsComplete = usage.IsComplete,
    };
}

/// <summary>What is got back if certain tags are removed and the garbage is collected.</summary>
public sealed class RegistrySavings
{
    /// <summary>The registry that was asked, by its connection's name; null where a storage was measured.</summary>
    public string? Registry { get; internal set; }

    /// <summary>The storage's root; null where a registry was asked.</summary>
    public string? StoragePath { get; internal set; }

    /// <summary>How many tags would be removed.</summary>
    public int Tags { get; internal set; }

    /// <summary>The bytes of everything that they need; null where something of it can't be read.</summary>
    public long? Size { get; internal set; }

    /// <summary>The bytes that go because they are removed. With AlreadyFree it is what <c>Invoke-RegistryGarbageCollect -RemoveUntagged -MinimumAge 0s</c> gives back then.</summary>
    public long Freed { get; internal set; }

    /// <summary>The bytes of what they need that stay, because others need them too.</summary>
    public long? Shared { get; internal set; }

    /// <summary>The bytes that go anyway, with no tag removed: untagged and garbage. Null over HTTP, where that can't be seen.</summary>
    public long? AlreadyFree { get; internal set; }

    /// <summary>The blobs that Freed counts.</summary>
    public int FreedBlobs { get; internal set; }

    /// <summary>The manifests that go because the tags are removed.</summary>
    public int FreedManifests { get; internal set; }

    /// <summary>The blobs that go anyway.</summary>
    public int? AlreadyFreeBlobs { get; internal set; }

    /// <summary>The manifests that go anyway.</summary>
    public int? AlreadyFreeManifests { get; internal set; }

    /// <summary>What was named and is not there.</summary>
    public RegistryList<string> NotFound { get; internal set; } = RegistryList<string>.None;

    /// <summary>Whether everything that these tags need could be read.</summary>
    public bool IsComplete { get; internal set; }

    /// <inheritdoc/>
    public override string ToString() => Registry ?? StoragePath ?? string.Empty;

    internal static RegistrySavings From(StorageSavings savings, string? registry, string? storage) => new()
    {
        Registry = registry,
        StoragePath = storage,
        Tags = savings.Tags,
        Size = savings.Size,
        Freed = savings.Freed,
        Shared = savings.Shared,
        AlreadyFree = savings.AlreadyFree,
        FreedBlobs = savings.FreedBlobs,
        FreedManifests = savings.FreedManifests,
        AlreadyFreeBlobs = savings.AlreadyFreeBlobs,
        AlreadyFreeManifests = savings.AlreadyFreeManifests,
        NotFound = new(savings.NotFound.Select(selection => selection.ToString())),
        IsComplete = savings.IsComplete,
    };
}
