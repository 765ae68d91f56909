namespace RegistryTools.Usage;

/// <summary>What a tag needs; tags on one manifest have one of these together.</summary>
internal sealed class TagNeeds
{
    /// <summary>The blobs that are there, by number, each once.</summary>
    public int[] Blobs { get; init; } = [];

    /// <summary>The manifests that the repository has, by number in it, each once.</summary>
    public int[] Manifests { get; init; } = [];

    /// <summary>How many manifests it needs.</summary>
    public int ManifestCount { get; init; }

    /// <summary>How many blobs it needs that are not there.</summary>
    public int Missing { get; init; }

    /// <summary>Whether a manifest on the way could not be read or understood: what it needs is not all known.</summary>
    public bool IsBroken { get; init; }
}

/// <summary>A tag of a measured repository.</summary>
/// <param name="Name">The tag.</param>
/// <param name="Needs">What it needs; null where not even its manifest could be found out.</param>
internal sealed record UsageTag(string Name, TagNeeds? Needs)
{
    /// <summary>Whether, for what can't be read of it, all that its repository has is kept.</summary>
    public bool IsBroken => Needs is null || Needs.IsBroken;
}

/// <summary>A measured repository.</summary>
internal sealed class UsageRepository(string name)
{
    public string Name { get; } = name;

    public UsageTag[] Tags { get; set; } = [];

    /// <summary>How many manifests it has.</summary>
    public int Manifests { get; set; }

    /// <summary>How far its manifests are numbered.</summary>
    public int ManifestNumbers { get; set; }

    /// <summary>The blobs that the manifests need which no tag of it does.</summary>
    public int[] Untagged { get; set; } = [];

    /// <summary>The blobs that its layer links name and none of its manifests needs.</summary>
    public int[] Layers { get; set; } = [];

    /// <summary>All that it has links to: what stays while something in it can't be read.</summary>
    public int[] Linked { get; set; } = [];

    /// <summary>Whether all that it has stays, whichever tags are removed.</summary>
    public bool IsHeld { get; set; }

    /// <summary>How many layers and configurations its manifests need that are not there.</summary>
    public int Missing { get; set; }

    /// <summary>Its own number, from 1 on.</summary>
    public int Number { get; set; }

    /// <summary>The number of its first tag among all tags.</summary>
    public int FirstTag { get; set; }

    /// <summary>How many of its tags need something that can't be read.</summary>
    public int BrokenTags { get; set; }
}

/// <summary>
/// Who needs which blob. Every blob is marked with the one that needs it or with "several", in one pass over what the tags need: what anything costs is then a sum over its own blobs.
/// </summary>
internal sealed class UsageGraph
{
    private const int Several = -1;

    private readonly int[] _tag;
    private readonly int[] _needing;
    private readonly int[] _holding;
    private readonly int[] _pinning;

    public UsageGraph(IReadOnlyList<long> sizes, IReadOnlyList<UsageRepository> repositories, bool isStorage, bool canCollect)
    {
        Sizes = sizes;
        Repositories = repositories;
        IsStorage = isStorage;
        CanCollect = canCollect;
        _tag = new int[sizes.Count];
        _needing = new int[sizes.Count];
        _holding = new int[sizes.Count];
        _pinning = isStorage ? new int[sizes.Count] : [];
        for (var r = 0; r < repositories.Count; r++)
        {
            var repository = repositories[r];
            repository.Number = r + 1;
            repository.FirstTag = TagCount;
            repository.BrokenTags = repository.Tags.Count(static tag => tag.IsBroken);
            TagCount += repository.Tags.Length;
            for (var t = 0; t < repository.Tags.Length; t++)
            {
                foreach (var blob in BlobsOf(repository.Tags[t]))
                {
                    Mark(_tag, blob, repository.FirstTag + t + 1);
                    Mark(_holding, blob, r + 1);
                    Mark(_needing, blob, r + 1);
                }
            }

            foreach (var blob in repository.Untagged) Mark(_needing, blob, r + 1);
            if (!IsPinned(repository, null)) continue;
            foreach (var blob in repository.Linked)
            {
                Mark(_pinning, blob, r + 1);
                Mark(_holding, blob, r + 1);
                Mark(_needing, blob, r + 1);
            }
        }
    }

    public IReadOnlyList<long> Sizes { get; }

    public IReadOnlyList<UsageRepository> Repositories { get; }

    public int TagCount { get; }

    private bool IsStorage { get; }

    /// <summary>Whether a collection would remove blobs at all: not where a part of the storage can't be looked into.</summary>
    private bool CanCollect { get; }

    public StorageUsage Tag(UsageRepository repository, int index)
    {
        var tag = repository.Tags[index];
        var ordinal = repository.FirstTag + index + 1;
        long size = 0;
        long unique = 0;
        foreach (var blob in BlobsOf(tag))
        {
            size += Sizes[blob];
            if (_tag[blob] == ordinal && !IsPinnedBlob(blob)) unique += Sizes[blob];
        }

        return new StorageUsage
        {
            Scope = UsageScope.Tag,
            Repository = repository.Name,
            Tag = tag.Name,
            Size = tag.IsBroken ? null : size,
            LogicalSize = tag.IsBroken ? null : size,
            Unique = tag.IsBroken || !CanCollect ? null : unique,
            Shared = tag.IsBroken || !CanCollect ? null : size - unique,
            Freed = FreedBy(repository, tag, ordinal, unique),
            Manifests = tag.Needs?.ManifestCount ?? 0,
            Blobs = BlobsOf(tag).Length,
            Missing = tag.Needs?.Missing ?? 0,
            IsComplete = !tag.IsBroken,
        };
    }

    /// <summary>Measures the repositories, and from them the whole.</summary>
    public (StorageUsage Registry, StorageUsage[] Repositories) Total(long? quarantined)
    {
        var seen = new int[Sizes.Count];
        var usages = new StorageUsage[Repositories.Count];
        var registry = new Sums();
        for (var r = 0; r < usages.Length; r++)
        {
            usages[r] = Repository(Repositories[r], seen);
            registry.Logical += usages[r].Size!.Value;
            registry.Manifests += usages[r].Manifests;
            registry.Missing += usages[r].Missing;
            registry.IsComplete &= usages[r].IsComplete;
        }

        long garbage = 0;
        for (var blob = 0; blob < Sizes.Count; blob++)
        {
            if (_needing[blob] == 0)
            {
                garbage += Sizes[blob];
                continue;
            }

            registry.Size += Sizes[blob];
            registry.Blobs++;
            if (_needing[blob] != Several) registry.Unique += Sizes[blob];
            if (_holding[blob] == 0) registry.Untagged += Sizes[blob];
        }

        var known = IsStorage && CanCollect;
        var whole = new StorageUsage
        {
            Scope = UsageScope.Registry,
            Size = registry.Size,
            LogicalSize = registry.Logical,
            Unique = CanCollect ? registry.Unique : null,
            Shared = CanCollect ? registry.Size - registry.Unique : null,
            Freed = !IsStorage ? null : CanCollect ? registry.Untagged + garbage : 0,
            Untagged = known ? registry.Untagged : null,
            Garbage = known ? garbage : null,
            Quarantined = quarantined,
            Repositories = Repositories.Count,
            Tags = TagCount,
            Manifests = registry.Manifests,
            Blobs = registry.Blobs,
            Missing = registry.Missing,
            IsComplete = registry.IsComplete && CanCollect,
        };
        return (whole, usages);
    }

    /// <summary>What goes if tags are removed, by their numbers.</summary>
    public StorageSavings Without(bool[] removed, IReadOnlyList<TagSelection> notFound)
    {
        var stays = new bool[Sizes.Count];
        var complete = true;
        var freedManifests = 0;
        var freeManifests = 0;
        foreach (var repository in Repositories)
        {
            foreach (var (tag, isRemoved) in Each(repository, removed))
            {
                if (isRemoved) complete &= !tag.IsBroken;
                else foreach (var blob in BlobsOf(tag)) stays[blob] = true;
            }

            if (IsPinned(repository, removed)) foreach (var blob in repository.Linked) stays[blob] = true;
            var now = KeptManifests(repository, null);
            freedManifests += now - KeptManifests(repository, removed);
            freeManifests += repository.Manifests - now;
        }

        long size = 0;
        long shared = 0;
        var counted = new bool[Sizes.Count];
        foreach (var repository in Repositories)
        {
            foreach (var (tag, isRemoved) in Each(repository, removed))
            {
                if (!isRemoved) continue;
                foreach (var blob in BlobsOf(tag))
                {
                    if (counted[blob]) continue;
                    counted[blob] = true;
                    size += Sizes[blob];
                    if (stays[blob] || !CanCollect) shared += Sizes[blob];
                }
            }
        }

        long freed = 0;
        long free = 0;
        var freedBlobs = 0;
        var freeBlobs = 0;
        for (var blob = 0; CanCollect && blob < Sizes.Count; blob++)
        {
            if (_holding[blob] == 0)
            {
                free += Sizes[blob];
                freeBlobs++;
            }
            else if (!stays[blob])
            {
                freed += Sizes[blob];
                freedBlobs++;
            }
        }

        return new StorageSavings
        {
            Tags = removed.Count(static isRemoved => isRemoved),
            Size = complete ? size : null,
            Freed = freed,
            Shared = complete ? shared : null,
            AlreadyFree = IsStorage ? free : null,
            FreedBlobs = freedBlobs,
            FreedManifests = freedManifests,
            AlreadyFreeBlobs = IsStorage ? freeBlobs : null,
            AlreadyFreeManifests = IsStorage ? freeManifests : null,
            NotFound = notFound,
            IsComplete = complete,
        };
    }

    private static void Mark(int[] owners, int blob, int owner)
    {
        if (owners[blob] == 0) owners[blob] = owner;
        else if (owners[blob] != owner) owners[blob] = Several;
    }

    private static int[] BlobsOf(UsageTag tag) => tag.Needs?.Blobs ?? [];

    private static IEnumerable<(UsageTag Tag, bool IsRemoved)> Each(UsageRepository repository, bool[]? removed)
    {
        for (var t = 0; t < repository.Tags.Length; t++) yield return (repository.Tags[t], removed is not null && removed[repository.FirstTag + t]);
    }

    private bool IsPinnedBlob(int blob) => IsStorage && _pinning[blob] != 0;

    /// <summary>Whether all that a repository has stays, for what can't be read of it.</summary>
    private bool IsPinned(UsageRepository repository, bool[]? removed)
    {
        if (!IsStorage || repository.IsHeld || repository.BrokenTags == 0) return IsStorage && repository.IsHeld;
        if (removed is null) return true;
        for (var t = 0; t < repository.Tags.Length; t++)
        {
            if (repository.Tags[t].IsBroken && !removed[repository.FirstTag + t]) return true;
        }

        return false;
    }

    private int KeptManifests(UsageRepository repository, bool[]? removed)
    {
        if (IsPinned(repository, removed)) return repository.Manifests;
        var kept = new bool[repository.ManifestNumbers];
        var count = 0;
        foreach (var (tag, isRemoved) in Each(repository, removed))
        {
            if (isRemoved || tag.Needs is null) continue;
            foreach (var manifest in tag.Needs.Manifests)
            {
                if (kept[manifest]) continue;
                kept[manifest] = true;
                count++;
            }
        }

        return count;
    }

    private long? FreedBy(UsageRepository repository, UsageTag tag, int ordinal, long unique)
    {
        if (!IsStorage) return tag.IsBroken ? null : unique;
        if (!CanCollect) return 0;
        if (!tag.IsBroken || repository.IsHeld || repository.BrokenTags > 1) return unique;

        // With it goes the only reason why everything in the repository is kept.
        foreach (var blob in repository.Linked)
        {
            if (_pinning[blob] == repository.Number && (_tag[blob] == 0 || _tag[blob] == ordinal)) unique += Sizes[blob];
        }

        return unique;
    }

    private StorageUsage Repository(UsageRepository repository, int[] seen)
    {
        var own = repository.Number;
        var sums = new Sums();
        long freed = 0;
        void Add(int[] blobs)
        {
            foreach (var blob in blobs)
            {
                if (seen[blob] == own) continue;
                seen[blob] = own;
                var size = Sizes[blob];
                sums.Size += size;
                sums.Blobs++;
                if (_needing[blob] == own) sums.Unique += size;
                if (_holding[blob] == 0) sums.Untagged += size;
                if (_holding[blob] == own || (_holding[blob] == 0 && _needing[blob] == own)) freed += size;
            }
        }

        foreach (var tag in repository.Tags)
        {
            Add(BlobsOf(tag));
            foreach (var blob in BlobsOf(tag)) sums.Logical += Sizes[blob];
        }

        var broken = repository.BrokenTags > 0;
        Add(repository.Untagged);
        if (IsPinned(repository, null)) Add(repository.Linked);
        long garbage = 0;
        foreach (var blob in repository.Layers)
        {
            if (_needing[blob] == 0) garbage += Sizes[blob];
        }

        var isKnown = IsStorage && CanCollect;
        return new StorageUsage
        {
            Scope = UsageScope.Repository,
            Repository = repository.Name,
            Size = sums.Size,
            LogicalSize = broken ? null : sums.Logical,
            Unique = CanCollect ? sums.Unique : null,
            Shared = CanCollect ? sums.Size - sums.Unique : null,
            Freed = CanCollect ? freed : 0,
            Untagged = isKnown ? sums.Untagged : null,
            Garbage = isKnown ? garbage : null,
            Tags = repository.Tags.Length,
            Manifests = repository.Manifests,
            Blobs = sums.Blobs,
            Missing = repository.Missing,
            IsComplete = !broken && !repository.IsHeld,
        };
    }

    private sealed class Sums
    {
        public long Size { get; set; }

        public long Logical { get; set; }

        public long Unique { get; set; }

        public long Untagged { get; set; }

        public int Manifests { get; set; }

        public int Blobs { get; set; }

        public int Missing { get; set; }

        public bool IsComplete { get; set; } = true;
    }
}
