namespace RegistryTools.GarbageCollection;

/// <summary>What a garbage collection did; of one that was only planned, what it would do.</summary>
public sealed class GarbageCollectionResult
{
    /// <summary>The storage's root.</summary>
    public string StoragePath { get; internal set; } = string.Empty;

    /// <summary>The run, by which it is restored; null where nothing was moved.</summary>
    public string? RunId { get; internal set; }

    /// <summary>Whether it was only planned.</summary>
    public bool IsPlan { get; internal set; }

    /// <summary>When it began.</summary>
    public DateTimeOffset Started { get; internal set; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; internal set; }

    /// <summary>The repositories that were marked.</summary>
    public int Repositories { get; internal set; }

    /// <summary>The tags that were read.</summary>
    public int Tags { get; internal set; }

    /// <summary>The manifests that are kept, counted in each repository.</summary>
    public int ManifestsMarked { get; internal set; }

    /// <summary>The blobs that are kept.</summary>
    public int BlobsMarked { get; internal set; }

    /// <summary>The manifests that were removed from repositories.</summary>
    public int ManifestsRemoved { get; internal set; }

    /// <summary>The blobs that were removed.</summary>
    public int BlobsRemoved { get; internal set; }

    /// <summary>The repositories' links to layers and configurations that were removed.</summary>
    public int LayersRemoved { get; internal set; }

    /// <summary>The uploads that were removed.</summary>
    public int UploadsRemoved { get; internal set; }

    /// <summary>The dangling notes of tags that were removed.</summary>
    public int TagIndexesRemoved { get; internal set; }

    /// <summary>What was given back because something that was pushed meanwhile needs it. It is not counted as removed.</summary>
    public int GivenBack { get; internal set; }

    /// <summary>The bytes in the quarantine by this run.</summary>
    public long BytesQuarantined { get; internal set; }

    /// <summary>The bytes that were freed.</summary>
    public long BytesFreed { get; internal set; }

    /// <summary>What could not be read, or was found wrong.</summary>
    public IReadOnlyList<GarbageProblem> Problems { get; internal set; } = [];

    internal void Count(GarbageItem item, int sign)
    {
        switch (item.Kind)
        {
            case GarbageKind.Manifest:
                ManifestsRemoved += sign;
                break;
            case GarbageKind.TagIndex:
                TagIndexesRemoved += sign;
                break;
            case GarbageKind.Layer:
                LayersRemoved += sign;
                break;
            case GarbageKind.Upload:
                UploadsRemoved += sign;
                break;
            case GarbageKind.Blob:
                BlobsRemoved += sign;
                break;
        }

        BytesQuarantined += sign * item.Size;
    }
}
