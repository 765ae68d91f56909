using RegistryTools.References;

namespace RegistryTools.Journal;

/// <summary>By what means a tag is removed.</summary>
public enum RemovalMethod
{
    /// <summary>The registry deletes the tag by its name.</summary>
    TagApi,

    /// <summary>A placeholder manifest is pushed over the tag and deleted by its digest.</summary>
    Placeholder,

    /// <summary>The manifest is deleted, and its tags with it.</summary>
    Manifest,
}

/// <summary>What became of a removal.</summary>
public enum RemovalState
{
    /// <summary>Begun and not concluded: in progress, or interrupted.</summary>
    Pending,

    /// <summary>It is gone.</summary>
    Removed,

    /// <summary>It is back: rolled back, undone by a later run, or restored by the user.</summary>
    Restored,

    /// <summary>Nothing was changed.</summary>
    Unchanged,
}

/// <summary>One removal in the journal: what was to be removed, and what became of it.</summary>
public sealed class JournalEntry
{
    internal JournalEntry(string file, string runId, DateTimeOffset time, string registry, string repository, string? tag, Digest digest, string mediaType, RemovalMethod method, Digest? placeholder)
    {
        File = file;
        RunId = runId;
        Time = time;
        Registry = registry;
        Repository = repository;
        Tag = tag;
        Digest = digest;
        MediaType = mediaType;
        Method = method;
        Placeholder = placeholder;
        StateTime = time;
    }

    /// <summary>The run's file.</summary>
    public string File { get; }

    /// <summary>The run that it belongs to.</summary>
    public string RunId { get; }

    /// <summary>When it was written down, before it was done.</summary>
    public DateTimeOffset Time { get; }

    /// <summary>The registry's location, as <see cref="Registries.IRegistry.Location"/>.</summary>
    public string Registry { get; }

    /// <summary>The repository.</summary>
    public string Repository { get; }

    /// <summary>The tag; null for a manifest that had none.</summary>
    public string? Tag { get; }

    /// <summary>The manifest that the tag pointed to.</summary>
    public Digest Digest { get; }

    /// <summary>The manifest's media type; empty where it was not known.</summary>
    public string MediaType { get; }

    /// <summary>The means.</summary>
    public RemovalMethod Method { get; }

    /// <summary>The placeholder that was to stand over the tag, or null.</summary>
    public Digest? Placeholder { get; }

    /// <summary>What became of it, as far as the journal knows.</summary>
    public RemovalState State { get; internal set; }

    /// <summary>When that was.</summary>
    public DateTimeOffset StateTime { get; internal set; }

    /// <summary>Whether the run that wrote it is still at work, in this process or another of this machine.</summary>
    public bool IsLive { get; internal set; }
}
