using RegistryTools.Storage;

namespace RegistryTools.GarbageCollection;

/// <summary>What was found to be kept and what to go.</summary>
public sealed class GarbagePlan
{
    internal GarbagePlan(GarbageCollectionResult result, IReadOnlyList<GarbageItem> items)
    {
        Result = result;
        Items = items;
    }

    /// <summary>The counts, as if everything in <see cref="Items"/> were removed.</summary>
    public GarbageCollectionResult Result { get; }

    /// <summary>What goes, in the order in which it goes.</summary>
    public IReadOnlyList<GarbageItem> Items { get; }

    internal List<RepositoryMark> Repositories { get; init; } = [];

    internal DigestTable Digests { get; init; } = new();

    internal ManifestStore Manifests { get; init; } = null!;

    internal List<string> EmptyDirectories { get; init; } = [];

    internal HashSet<string> Touched { get; init; } = [];

    /// <summary>What is older may go.</summary>
    internal DateTime Threshold { get; init; }

    internal DateTime Made { get; } = DateTime.UtcNow;
}
