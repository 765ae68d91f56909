namespace RegistryTools.Usage;

/// <summary>Tags that may be removed.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Tag">The tag; null for all that the repository has.</param>
public sealed record TagSelection(string Repository, string? Tag)
{
    /// <inheritdoc/>
    public override string ToString() => Tag is null ? Repository : Repository + ":" + Tag;
}

/// <summary>
/// What is got back if certain tags, and nothing else, are removed and the garbage is collected with untagged manifests, whatever their age. As with <see cref="StorageUsage"/>, bytes are bytes of content.
/// </summary>
public sealed record StorageSavings
{
    /// <summary>How many tags would be removed.</summary>
    public int Tags { get; init; }

    /// <summary>The bytes of everything that they need.</summary>
    public long? Size { get; init; }

    /// <summary>The bytes that go because they are removed.</summary>
    public long Freed { get; init; }

    /// <summary>The bytes of what they need that stay, because others need them too.</summary>
    public long? Shared { get; init; }

    /// <summary>The bytes that go anyway, with no tag removed: untagged and garbage. Null over HTTP, where that can't be seen.</summary>
    public long? AlreadyFree { get; init; }

    /// <summary>The blobs that <see cref="Freed"/> counts.</summary>
    public int FreedBlobs { get; init; }

    /// <summary>The manifests, counted in each repository, that go because the tags are removed.</summary>
    public int FreedManifests { get; init; }

    /// <summary>The blobs that <see cref="AlreadyFree"/> counts.</summary>
    public int? AlreadyFreeBlobs { get; init; }

    /// <summary>The manifests that go anyway.</summary>
    public int? AlreadyFreeManifests { get; init; }

    /// <summary>What was named and is not there.</summary>
    public IReadOnlyList<TagSelection> NotFound { get; init; } = [];

    /// <summary>Whether everything that these tags need could be read.</summary>
    public bool IsComplete { get; init; } = true;
}
