using RegistryTools.Text;

namespace RegistryTools.GarbageCollection;

/// <summary>How garbage is collected.</summary>
public sealed class GarbageCollectorOptions
{
    /// <summary>Whether manifests go that no tag needs. Else every manifest of a repository is kept, with what it needs.</summary>
    public bool RemoveUntagged { get; init; }

    /// <summary>The repositories whose untagged manifests go; null for all.</summary>
    public Func<string, bool>? RepositoryFilter { get; init; }

    /// <summary>What is younger is not touched: it may belong to a push that is under way.</summary>
    public TimeSpan MinimumAge { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Whether uploads go that nothing was written to for <see cref="MinimumAge"/>.</summary>
    public bool IncludeUpload { get; init; }

    /// <summary>How many files are read or moved at once.</summary>
    public int ThrottleLimit { get; init; } = Math.Max(2, Environment.ProcessorCount);

    /// <summary>Where what is removed goes to; null for <c>docker/registry/registrytools/quarantine</c> in the storage. It must be on the storage's own file system.</summary>
    public string? QuarantinePath { get; init; }

    /// <summary>Whether what was removed is freed at the end of the run.</summary>
    public bool Purge { get; init; }

    /// <summary>Frees, at the end of the run, what earlier runs removed longer ago than this; null for none.</summary>
    public TimeSpan? PurgeOlderThan { get; init; }

    /// <summary>
    /// Whether to go on although a manifest that a tag needs can't be read: what it might have needed is then not kept. A directory that can't be listed stops the removal of blobs all the
    /// same.
    /// </summary>
    public bool Force { get; init; }

    /// <summary>How long a run that moved something waits before it looks once more for what was pushed meanwhile.</summary>
    public TimeSpan SettleTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Where it tells what it does.</summary>
    public IActivityLog Log { get; init; } = NoActivityLog.Instance;

    /// <summary>For tests: called before each change of a file or directory, with what is changed.</summary>
    internal Action<string>? BeforeAct { get; init; }

    /// <summary>For tests: called between mark and sweep.</summary>
    internal Action? BeforeSweep { get; init; }

    /// <summary>For tests: called after the sweep, before the run looks for what was pushed meanwhile.</summary>
    internal Action? AfterSweep { get; init; }
}
