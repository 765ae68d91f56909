using RegistryTools.GarbageCollection;

namespace RegistryTools.PowerShell;

/// <summary>What a garbage collection did, or would do.</summary>
public sealed class RegistryGarbageCollection
{
    /// <summary>The storage's root.</summary>
    public string StoragePath { get; internal set; } = string.Empty;

    /// <summary>The run, which <c>Restore-RegistryGarbage</c> takes; null where nothing was moved.</summary>
    public string? RunId { get; internal set; }

    /// <summary>Whether it was only planned, by -WhatIf.</summary>
    public bool IsPlan { get; internal set; }

    /// <summary>When it began.</summary>
    public DateTimeOffset Started { get; internal set; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; internal set; }

    /// <summary>The repositories that were marked.</summary>
    public int Repositories { get; internal set; }

    /// <summary>The tags that were read.</summary>
    public int Tags { get; internal set; }

    /// <summary>The manifests that stay, counted in each repository.</summary>
    public int ManifestsMarked { get; internal set; }

    /// <summary>The blobs that stay.</summary>
    public int BlobsMarked { get; internal set; }

    /// <summary>The manifests that were removed.</summary>
    public int ManifestsRemoved { get; internal set; }

    /// <summary>The blobs that were removed.</summary>
    public int BlobsRemoved { get; internal set; }

    /// <summary>The repositories' links to layers and configurations that were removed.</summary>
    public int LayersRemoved { get; internal set; }

    /// <summary>The uploads that were removed.</summary>
    public int UploadsRemoved { get; internal set; }

    /// <summary>The dangling notes of tags that were removed.</summary>
    public int TagIndexesRemoved { get; internal set; }

    /// <summary>What was given back because something that was pushed meanwhile needs it.</summary>
    public int GivenBack { get; internal set; }

    /// <summary>The bytes that this run moved to the quarantine: <c>Clear-RegistryGarbage</c> frees them.</summary>
    public long BytesQuarantined { get; internal set; }

    /// <summary>The bytes that were freed; null where the collector does not tell, as the registry's own does not.</summary>
    public long? BytesFreed { get; internal set; }

    /// <summary>What collected: RegistryTools, or the registry's own collector with its version.</summary>
    public string Collector { get; internal set; } = "RegistryTools";

    /// <summary>The container or pod that the registry's own collector was run in; null for none.</summary>
    public string? Container { get; internal set; }

    /// <summary>What could not be read, or was found wrong.</summary>
    public RegistryList<string> Problems { get; internal set; } = RegistryList<string>.None;

    /// <inheritdoc/>
    public override string ToString() => RunId ?? Container ?? StoragePath;

    internal static RegistryGarbageCollection From(GarbageCollectionResult result) => new()
    {
        StoragePath = result.StoragePath,
        RunId = result.RunId,
        IsPlan = result.IsPlan,
        Started = result.Started,
        Duration = result.Duration,
        Repositories = result.Repositories,
        Tags = result.Tags,
        ManifestsMarked = result.ManifestsMarked,
        BlobsMarked = result.BlobsMarked,
        ManifestsRemoved = result.ManifestsRemoved,
        BlobsRemoved = result.BlobsRemoved,
        LayersRemoved = result.LayersRemoved,
        UploadsRemoved = result.UploadsRemoved,
        TagIndexesRemoved = result.TagIndexesRemoved,
        GivenBack = result.GivenBack,
        BytesQuarantined = result.BytesQuarantined,
        BytesFreed = result.BytesFreed,
        Problems = new(result.Problems.Select(problem => problem.Message)),
    };
}

/// <summary>Something that a garbage collection removes, or the quarantine holds.</summary>
public sealed class RegistryGarbageItem
{
    /// <summary>The storage's root.</summary>
    public string StoragePath { get; internal set; } = string.Empty;

    /// <summary>The run; null where it is only planned.</summary>
    public string? RunId { get; internal set; }

    /// <summary>Manifest, Tag, TagIndex, Layer, Signature, Upload or Blob.</summary>
    public string Kind { get; internal set; } = string.Empty;

    /// <summary>The repository; null for a blob, which is every repository's.</summary>
    public string? Repository { get; internal set; }

    /// <summary>The tag, for a tag and for a tag's note.</summary>
    public string? Tag { get; internal set; }

    /// <summary>The digest; null for an upload.</summary>
    public string? Digest { get; internal set; }

    /// <summary>Its bytes.</summary>
    public long Size { get; internal set; }

    /// <summary>When it was last written.</summary>
    public DateTimeOffset Time { get; internal set; }

    /// <summary>Where it is, or was, from <c>docker/registry/v2</c> on.</summary>
    public string Path { get; internal set; } = string.Empty;

    /// <summary>What became of it: Planned, Removed, Quarantined, Restored, AlreadyThere, Replaced or Failed.</summary>
    public string State { get; internal set; } = string.Empty;

    /// <inheritdoc/>
    public override string ToString() => Path.Length > 0 ? Path : Repository is null ? Kind + " " + Digest : Repository + "@" + Digest;

    internal static RegistryGarbageItem From(GarbageItem item, string storage, string? run, string state) => new()
    {
        StoragePath = storage,
        RunId = run,
        Kind = item.Kind.ToString(),
        Repository = item.Repository,
        Tag = item.Tag,
        Digest = item.Digest?.ToString(),
        Size = item.Size,
        Time = item.Time,
        Path = item.Path,
        State = state,
    };
}

/// <summary>What the quarantine holds of a run.</summary>
public sealed class RegistryGarbageRun
{
    /// <summary>The storage's root.</summary>
    public string StoragePath { get; internal set; } = string.Empty;

    /// <summary>The run.</summary>
    public string RunId { get; internal set; } = string.Empty;

    /// <summary>When it began.</summary>
    public DateTimeOffset Time { get; internal set; }

    /// <summary>What moved things there: Collection, RepositoryRemoval or Repair.</summary>
    public string Cause { get; internal set; } = string.Empty;

    /// <summary>Complete, or Interrupted where it was killed: the next collection brings it to its end.</summary>
    public string State { get; internal set; } = string.Empty;

    /// <summary>The manifests.</summary>
    public int Manifests { get; internal set; }

    /// <summary>The blobs.</summary>
    public int Blobs { get; internal set; }

    /// <summary>Everything, links and uploads too.</summary>
    public int Items { get; internal set; }

    /// <summary>The bytes.</summary>
    public long Size { get; internal set; }

    /// <summary>Where the files are.</summary>
    public string QuarantinePath { get; internal set; } = string.Empty;

    /// <inheritdoc/>
    public override string ToString() => RunId;

    internal static RegistryGarbageRun From(GarbageRun run) => new()
    {
        StoragePath = run.StoragePath,
        RunId = run.Id,
        Time = run.Time,
        Cause = run.Cause.ToString(),
        State = run.IsConcluded ? "Complete" : "Interrupted",
        Manifests = run.Items.Count(item => item.Kind == GarbageKind.Manifest),
        Blobs = run.Items.Count(item => item.Kind == GarbageKind.Blob),
        Items = run.Items.Count,
        Size = run.Size,
        QuarantinePath = run.QuarantinePath,
    };
}

/// <summary>What a restoration did.</summary>
public sealed class RegistryGarbageRestoration
{
    /// <summary>The storage's root.</summary>
    public string StoragePath { get; internal set; } = string.Empty;

    /// <summary>The run; null for all.</summary>
    public string? RunId { get; internal set; }

    /// <summary>The digest; null for everything.</summary>
    public string? Digest { get; internal set; }

    /// <summary>The repository; null for all.</summary>
    public string? Repository { get; internal set; }

    /// <summary>How many files and uploads are back.</summary>
    public int Restored { get; internal set; }

    /// <summary>How many were there already.</summary>
    public int AlreadyThere { get; internal set; }

    /// <summary>How many were not restored: something else is in their place, or they could not be moved.</summary>
    public int Left { get; internal set; }

    /// <summary>The bytes that are back.</summary>
    public long Size { get; internal set; }

    /// <inheritdoc/>
    public override string ToString() => Digest ?? Repository ?? RunId ?? StoragePath;
}
