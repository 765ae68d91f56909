namespace RegistryTools.GarbageCollection;

/// <summary>Why things were moved into the quarantine.</summary>
public enum GarbageCause
{
    /// <summary>A garbage collection.</summary>
    Collection,

    /// <summary>Repositories were removed.</summary>
    RepositoryRemoval,

    /// <summary>A storage was repaired.</summary>
    Repair,
}

/// <summary>What a run of a garbage collection removed and the quarantine still holds.</summary>
public sealed class GarbageRun
{
    internal GarbageRun(string storagePath, QuarantineRun run, IReadOnlyList<GarbageItem> items)
    {
        StoragePath = storagePath;
        Id = run.Id;
        Time = run.Time;
        IsConcluded = run.IsConcluded;
        Cause = run.Cause;
        IsAway = run.Away is not null;
        QuarantinePath = run.Away ?? run.Files;
        Items = items;
        foreach (var item in items) Size += item.Size;
    }

    /// <summary>The storage's root.</summary>
    public string StoragePath { get; }

    /// <summary>The run.</summary>
    public string Id { get; }

    /// <summary>When it began.</summary>
    public DateTimeOffset Time { get; }

    /// <summary>Whether it came to its end.</summary>
    public bool IsConcluded { get; }

    /// <summary>What moved things there.</summary>
    public GarbageCause Cause { get; }

    /// <summary>Whether the directory elsewhere that its files are in can't be read.</summary>
    public bool IsAway { get; }

    /// <summary>Where the files are.</summary>
    public string QuarantinePath { get; }

    /// <summary>What is there.</summary>
    public IReadOnlyList<GarbageItem> Items { get; }

    /// <summary>The bytes of it.</summary>
    public long Size { get; }

    /// <inheritdoc/>
    public override string ToString() => Id;

    /// <summary>Reads what a storage's quarantine holds, oldest run first. Changes nothing.</summary>
    public static Task<IReadOnlyList<GarbageRun>> ReadAsync(Storage.StorageLocation location, CancellationToken cancellationToken, Text.IActivityLog? log = null) => Task.Run<IReadOnlyList<GarbageRun>>(
        () =>
        {
            var runs = new List<GarbageRun>();
            var all = new Quarantine(location).Runs();
            foreach (var run in all)
            {
                log?.Progress("Reading the quarantine", run.Id, runs.Count, all.Count, "run");
                cancellationToken.ThrowIfCancellationRequested();
                runs.Add(new GarbageRun(location.Root, run, [.. run.Items()]));
            }

            return runs;
        },
        cancellationToken);
}
