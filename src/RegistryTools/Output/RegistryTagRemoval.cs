using RegistryTools.Deletion;
using RegistryTools.Journal;

namespace RegistryTools.PowerShell;

/// <summary>
/// A tag that was removed, or was to be: what <c>Remove-RegistryTag -PassThru</c> gives and the journal of removals holds. Pipe it to
/// <c>Restore-RegistryTag</c> to put the tag back.
/// </summary>
public sealed class RegistryTagRemoval
{
    /// <summary>The registry, as <c>-Registry</c> takes it.</summary>
    public string Registry { get; internal set; } = string.Empty;

    /// <summary>The repository.</summary>
    public string Repository { get; internal set; } = string.Empty;

    /// <summary>The tag; null where a manifest was removed that had none.</summary>
    public string? Tag { get; internal set; }

    /// <summary>The manifest that the tag pointed to: algorithm, colon, hexadecimal digits.</summary>
    public string Digest { get; internal set; } = string.Empty;

    /// <summary>That manifest's media type; null where it was not found out.</summary>
    public string? MediaType { get; internal set; }

    /// <summary>By what means: TagApi, Placeholder or Manifest.</summary>
    public string Method { get; internal set; } = string.Empty;

    /// <summary>What became of it: Removed, Restored, Unchanged, or Pending where that is not known.</summary>
    public string State { get; internal set; } = string.Empty;

    /// <summary>When that was.</summary>
    public DateTimeOffset Time { get; internal set; }

    /// <summary>The run that it was part of.</summary>
    public string RunId { get; internal set; } = string.Empty;

    /// <summary>The registry, the repository and the tag.</summary>
    public override string ToString() => Registry + "/" + Repository + (Tag is null ? "@" + Digest : ":" + Tag);

    internal static RegistryTagRemoval From(TagRemoval removal, string registry) => new()
    {
        Registry = registry,
        Repository = removal.Repository,
        Tag = removal.Tag,
        Digest = removal.Digest?.ToString() ?? string.Empty,
        MediaType = removal.MediaType.Length == 0 ? null : removal.MediaType,
        Method = removal.Method?.ToString() ?? string.Empty,
        State = removal.State.ToString(),
        Time = removal.Time,
        RunId = removal.RunId ?? string.Empty,
    };

    internal static RegistryTagRemoval From(JournalEntry entry) => new()
    {
        Registry = entry.Registry,
        Repository = entry.Repository,
        Tag = entry.Tag,
        Digest = entry.Digest.ToString(),
        MediaType = entry.MediaType.Length == 0 ? null : entry.MediaType,
        Method = entry.Method.ToString(),
        State = entry.State.ToString(),
        Time = entry.StateTime,
        RunId = entry.RunId,
    };
}
