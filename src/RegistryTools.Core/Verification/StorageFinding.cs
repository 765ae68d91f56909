using RegistryTools.References;

namespace RegistryTools.Verification;

/// <summary>How bad a finding is.</summary>
public enum StorageFindingSeverity
{
    /// <summary>Allowed, or soon to be tidied away: nothing needs to be done.</summary>
    Information,

    /// <summary>Damage that no tag feels.</summary>
    Warning,

    /// <summary>A tag can't be pulled, or not whole.</summary>
    Error,
}

/// <summary>What is wrong.</summary>
public enum StorageFindingKind
{
    /// <summary>What a tag points to can't be told: its link is empty, holds no digest, or is no file.</summary>
    TagLinkInvalid,

    /// <summary>A tag's directory without the link that makes it one: registries list it and can't serve it.</summary>
    TagWithoutLink,

    /// <summary>A tag points to a manifest that its repository does not have.</summary>
    TagTargetMissing,

    /// <summary>A repository's link to a manifest is empty, names another digest than its own, or is no file.</summary>
    RevisionLinkInvalid,

    /// <summary>A repository has a link to a manifest whose bytes are not there.</summary>
    ManifestMissing,

    /// <summary>A manifest's bytes do not match its digest, or are no manifest.</summary>
    ManifestCorrupt,

    /// <summary>A manifest of a kind that is not known here: what it needs can't be checked.</summary>
    ManifestUnknown,

    /// <summary>An index lists a manifest that its repository does not have.</summary>
    ChildMissing,

    /// <summary>A manifest refers to one that its repository does not have. The specification allows it.</summary>
    SubjectMissing,

    /// <summary>A manifest needs a layer or configuration whose bytes are not there.</summary>
    LayerMissing,

    /// <summary>A manifest needs a layer or configuration that is there, and that its repository has no link to: it is not served.</summary>
    LayerNotLinked,

    /// <summary>A repository's link to a layer or configuration is empty, names another digest than its own, or is no file.</summary>
    LayerLinkInvalid,

    /// <summary>A repository has a link to a layer whose bytes are not there, and that no manifest needs. A later push may be told that the layer is there.</summary>
    LayerLinkDangling,

    /// <summary>A tag notes that it once pointed to a manifest that is no more.</summary>
    TagIndexDangling,

    /// <summary>Something has another size than the manifest that needs it says.</summary>
    SizeMismatch,

    /// <summary>Bytes that do not match their digest.</summary>
    BlobCorrupt,

    /// <summary>A blob's directory without its bytes.</summary>
    BlobWithoutData,

    /// <summary>A blob where no registry looks for it.</summary>
    BlobMisplaced,

    /// <summary>Something could not be read.</summary>
    Unreadable,

    /// <summary>A symbolic link, which neither this library nor the collector follows.</summary>
    SymbolicLink,

    /// <summary>A repository of a name that no registry serves.</summary>
    RepositoryNameInvalid,
}

/// <summary>Something that is wrong in a storage.</summary>
public sealed class StorageFinding
{
    /// <summary>How bad it is.</summary>
    public required StorageFindingSeverity Severity { get; init; }

    /// <summary>What it is.</summary>
    public required StorageFindingKind Kind { get; init; }

    /// <summary>The repository; null where it is none's alone.</summary>
    public string? Repository { get; init; }

    /// <summary>The tags that can't be pulled whole because of it.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>The digest of what is missing or wrong; null where there is none.</summary>
    public Digest? Digest { get; init; }

    /// <summary>The file or directory, from <c>docker/registry/v2</c> on, with slashes.</summary>
    public required string Path { get; init; }

    /// <summary>What is wrong, in a sentence.</summary>
    public required string Message { get; init; }

    /// <summary>What to do.</summary>
    public required string Remedy { get; init; }

    /// <summary>What <see cref="StorageRepairer"/> would do, losing nothing; null where it can do nothing.</summary>
    public string? Repair { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Kind} {Path}";
}

/// <summary>What was looked at, and how much was found.</summary>
public sealed class StorageVerification
{
    /// <summary>The storage's root.</summary>
    public required string StoragePath { get; init; }

    /// <summary>Repositories that were looked at.</summary>
    public int Repositories { get; internal set; }

    /// <summary>Their tags.</summary>
    public int Tags { get; internal set; }

    /// <summary>Their links to manifests.</summary>
    public int Manifests { get; internal set; }

    /// <summary>Their links to layers and configurations.</summary>
    public int Layers { get; internal set; }

    /// <summary>The storage's blobs.</summary>
    public int Blobs { get; internal set; }

    /// <summary>Their bytes.</summary>
    public long Size { get; internal set; }

    /// <summary>The bytes whose digests were computed.</summary>
    public long SizeHashed { get; internal set; }

    /// <summary>Findings of <see cref="StorageFindingSeverity.Error"/>.</summary>
    public int Errors { get; internal set; }

    /// <summary>Findings of <see cref="StorageFindingSeverity.Warning"/>.</summary>
    public int Warnings { get; internal set; }

    /// <summary>Findings of <see cref="StorageFindingSeverity.Information"/>.</summary>
    public int Informations { get; internal set; }

    /// <summary>How long it took.</summary>
    public TimeSpan Duration { get; internal set; }

    /// <summary>Whether there is nothing that is damaged.</summary>
    public bool IsSound => Errors + Warnings == 0;
}
