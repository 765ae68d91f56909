using RegistryTools.Verification;

namespace RegistryTools.PowerShell;

/// <summary>Something that is wrong in a registry's storage.</summary>
public sealed class RegistryStorageFinding
{
    private RegistryStorageFinding(StorageFinding finding, string storage)
    {
        Finding = finding;
        StoragePath = storage;
    }

    /// <summary>The storage's root.</summary>
    public string StoragePath { get; }

    /// <summary>Error where a tag can't be pulled whole, Warning where no tag feels it, Information where nothing needs to be done.</summary>
    public string Severity => Finding.Severity.ToString();

    /// <summary>What it is: LayerMissing, TagLinkInvalid, BlobCorrupt and so on.</summary>
    public string Kind => Finding.Kind.ToString();

    /// <summary>The repository; null where it is none's alone.</summary>
    public string? Repository => Finding.Repository;

    /// <summary>The first of the tags that feel it; null where none does.</summary>
    public string? Tag => Finding.Tags.Count == 0 ? null : Finding.Tags[0];

    /// <summary>The tags that can't be pulled whole because of it.</summary>
    public RegistryList<string> Tags => new(Finding.Tags);

    /// <summary>The digest of what is missing or wrong.</summary>
    public string? Digest => Finding.Digest?.ToString();

    /// <summary>The file or directory, from <c>docker/registry/v2</c> on.</summary>
    public string Path => Finding.Path;

    /// <summary>What is wrong.</summary>
    public string Message => Finding.Message;

    /// <summary>What to do.</summary>
    public string Remedy => Finding.Remedy;

    /// <summary>Whether <c>Repair-RegistryStorage</c> can mend it, losing nothing.</summary>
    public bool IsRepairable => Finding.Repair is not null;

    internal StorageFinding Finding { get; }

    /// <inheritdoc/>
    public override string ToString() => Kind + " " + Path;

    internal static RegistryStorageFinding From(StorageFinding finding, string storage) => new(finding, storage);
}

/// <summary>What became of something that was to be repaired.</summary>
public sealed class RegistryStorageRepair
{
    /// <summary>The storage's root.</summary>
    public string StoragePath { get; internal set; } = string.Empty;

    /// <summary>What was wrong.</summary>
    public string Kind { get; internal set; } = string.Empty;

    /// <summary>The repository; null where it is none's alone.</summary>
    public string? Repository { get; internal set; }

    /// <summary>The first of the tags that felt it.</summary>
    public string? Tag { get; internal set; }

    /// <summary>The digest.</summary>
    public string? Digest { get; internal set; }

    /// <summary>The file or directory, from <c>docker/registry/v2</c> on.</summary>
    public string Path { get; internal set; } = string.Empty;

    /// <summary>What was, or was to be, done.</summary>
    public string Action { get; internal set; } = string.Empty;

    /// <summary>Repaired, Skipped or Failed.</summary>
    public string State { get; internal set; } = string.Empty;

    /// <summary>Why nothing was done; empty where it is repaired.</summary>
    public string Reason { get; internal set; } = string.Empty;

    /// <summary>The run of the quarantine that holds what was moved away, by which <c>Restore-RegistryGarbage</c> brings it back; null where nothing was.</summary>
    public string? RunId { get; internal set; }

    /// <inheritdoc/>
    public override string ToString() => State + " " + Path;

    internal static RegistryStorageRepair From(StorageRepair repair, string storage) => new()
    {
        StoragePath = storage,
        Kind = repair.Finding.Kind.ToString(),
        Repository = repair.Finding.Repository,
        Tag = repair.Finding.Tags.Count == 0 ? null : repair.Finding.Tags[0],
        Digest = repair.Finding.Digest?.ToString(),
        Path = repair.Finding.Path,
        Action = repair.Finding.Repair ?? string.Empty,
        State = repair.State.ToString(),
        Reason = repair.Reason,
        RunId = repair.RunId,
    };
}
