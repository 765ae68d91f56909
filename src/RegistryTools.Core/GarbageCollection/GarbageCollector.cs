using System.Diagnostics;
using System.Runtime.ExceptionServices;
using RegistryTools.Errors;
using RegistryTools.Storage;

namespace RegistryTools.GarbageCollection;

/// <summary>
/// Collects a storage's garbage: marks what tags need, moves the rest into a quarantine, looks for what was pushed meanwhile and gives back what that needs. At no moment is anything away that a
/// tag needs; a run that was killed is brought to its end by the next one.
/// </summary>
public sealed class GarbageCollector
{
    // A plan that somebody has thought about for longer is made anew.
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(10);

    // A removal or a write takes moments, a large blob minutes.
    private static readonly TimeSpan Leftover = TimeSpan.FromHours(6);

    // So long somebody who has cancelled a run waits for its end.
    private static readonly TimeSpan Impatience = TimeSpan.FromSeconds(2);

    private readonly StorageLocation _location;
    private readonly GarbageCollectorOptions _options;

    /// <summary>Makes a collector.</summary>
    public GarbageCollector(StorageLocation location, GarbageCollectorOptions options)
    {
        _location = location;
        _options = options;
    }

    /// <summary>Finds what would go. Changes nothing.</summary>
    public Task<GarbagePlan> PlanAsync(CancellationToken cancellationToken) => Task.Run(() => new StorageMarker(_location, _options).Mark(cancellationToken), cancellationToken);

    /// <summary>Finds what is garbage and removes it.</summary>
    /// <param name="removed">Told what was removed, from any thread, one at a time; null for nobody.</param>
    /// <param name="cancellationToken">Ends the run early: what was moved by then stays moved.</param>
    /// <exception cref="GarbageException">Another run is under way, or the quarantine can't be written. Nothing was removed.</exception>
    public Task<GarbageCollectionResult> CollectAsync(Action<GarbageItem>? removed, CancellationToken cancellationToken) => SweepAsync(null, removed, cancellationToken);

    /// <summary>Removes what was planned. A plan that is no longer fresh is made anew.</summary>
    /// <param name="plan">The plan; null to make one.</param>
    /// <param name="removed">Told what was removed, from any thread, one at a time; null for nobody.</param>
    /// <param name="cancellationToken">Ends the run early: what was moved by then stays moved.</param>
    /// <exception cref="GarbageException">Another run is under way, or the quarantine can't be written. Nothing was removed.</exception>
    public Task<GarbageCollectionResult> SweepAsync(GarbagePlan? plan, Action<GarbageItem>? removed, CancellationToken cancellationToken) =>
        Task.Run(() => Sweep(plan, removed, cancellationToken), cancellationToken);

    private GarbageCollectionResult Sweep(GarbagePlan? plan, Action<GarbageItem>? removed, CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var started = DateTimeOffset.UtcNow;
        var acts = new FileActs(_options.BeforeAct);
        var quarantine = new Quarantine(_location);
        using var storage = quarantine.Lock();
        ClearLeftovers(acts, cancellationToken);
        var touched = Conclude(quarantine, acts, cancellationToken);
        if (plan is null || touched.Count > 0 || DateTime.UtcNow - plan.Made > Fresh) plan = new StorageMarker(_location, _options) { Touched = touched }.Mark(cancellationToken);
        _options.BeforeSweep?.Invoke();

        var planned = plan.Result;
        var problems = new List<GarbageProblem>(planned.Problems);
        var result = new GarbageCollectionResult
        {
            StoragePath = planned.StoragePath,
            Started = planned.Started < started ? planned.Started : started,
            Repositories = planned.Repositories,
            Tags = planned.Tags,
            ManifestsMarked = planned.ManifestsMarked,
            BlobsMarked = planned.BlobsMarked,
        };
        if (plan.Items.Count > 0) SweepInto(quarantine, plan, acts, result, problems, removed, cancellationToken);
        else new GarbageSweeper(_location, _options, plan, null!, acts, result, null).Tidy(cancellationToken);

        if (_options.PurgeOlderThan is { } age) result.BytesFreed += new GarbageClearer(_location, _options.Log).Clear(quarantine, null, age, except: result.RunId, acts, null, cancellationToken);
        if (_options.Purge && result.RunId is { } id && quarantine.Runs().Find(run => run.Id == id) is { } own)
        {
            own.Delete(acts, cancellationToken, _options.Log);
            result.BytesFreed += result.BytesQuarantined;
            result.BytesQuarantined = 0;
        }

        result.Problems = problems;
        result.Duration = clock.Elapsed;
        return result;
    }

    /// <summary>Deletes what this library had renamed away, or not yet put in its place, when it was killed.</summary>
    private void ClearLeftovers(FileActs acts, CancellationToken cancellationToken)
    {
        var threshold = DateTime.UtcNow - Leftover;
        foreach (var name in new[] { "trash", "tmp" })
        {
            var directory = Path.Combine(_location.Own, name);
            // What is renamed keeps its time; the directory that it was put into does not.
            if (!Directory.Exists(directory) || !StoragePaths.IsOwn(_location.Root, directory) || Directory.GetLastWriteTimeUtc(directory) > threshold) continue;
            foreach (var (entry, kind) in StorageDirectory.Read(directory).ToList())
            {
                var path = Path.Combine(directory, entry);
                try
                {
                    if (kind == EntryKind.File && File.GetLastWriteTimeUtc(path) > threshold) continue;
                    if (kind == EntryKind.Directory) QuarantineRun.DeleteTree(path, acts, cancellationToken);
                    else acts.DeleteFile(path);
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                {
                    _options.Log.Verbose($"'{path}' is left over and can't be deleted: {exception.Message}");
                }
            }
        }
    }

    private void SweepInto(
        Quarantine quarantine, GarbagePlan plan, FileActs acts, GarbageCollectionResult result, List<GarbageProblem> problems, Action<GarbageItem>? removed, CancellationToken cancellationToken)
    {
        using var run = quarantine.Begin(_options, acts);
        result.RunId = run.Id;
        var sweeper = new GarbageSweeper(_location, _options, plan, run, acts, result, removed);
        ExceptionDispatchInfo? stopped = null;
        try
        {
            sweeper.Sweep(cancellationToken);
        }
        catch (Exception exception) when (exception is OperationCanceledException or GarbageException or IOException or UnauthorizedAccessException)
        {
            // What was moved is looked after all the same.
            stopped = ExceptionDispatchInfo.Capture(exception);
        }

        _options.AfterSweep?.Invoke();
        problems.AddRange(sweeper.Problems);
        GiveBack(plan, run, acts, sweeper.Moved, result);
        var isSettled = true;
        if (sweeper.Moved.Count > 0 && _options.SettleTime > TimeSpan.Zero)
        {
            // A registry that had looked for its blobs just before they were moved has written its manifest by then.
            isSettled = Settle(cancellationToken);
            GiveBack(plan, run, acts, sweeper.Moved, result);
        }

        if (stopped is null) sweeper.Tidy(CancellationToken.None);

        // One that was not waited for to the end is looked after once more by the next run.
        if (isSettled)
        {
            run.Write(writer =>
            {
                writer.WriteString("kind", "end");
                writer.WriteNumber("bytes", result.BytesQuarantined);
                writer.WriteBoolean("cancelled", stopped is not null);
            });
        }

        stopped?.Throw();
        if (result.BytesQuarantined == 0 && !run.Items().Any())
        {
            // Nothing is left in it: it never was.
            run.Delete(acts, CancellationToken.None);
            result.RunId = null;
        }
    }

    /// <summary>Waits; where it is cancelled, not for long. False where that was less than was asked for.</summary>
    private bool Settle(CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        if (!cancellationToken.WaitHandle.WaitOne(_options.SettleTime)) return true;
        var left = _options.SettleTime - clock.Elapsed;
        if (left > TimeSpan.Zero) Thread.Sleep(left < Impatience ? left : Impatience);
        return left <= Impatience;
    }

    private void GiveBack(GarbagePlan plan, QuarantineRun run, FileActs acts, List<GarbageItem> moved, GarbageCollectionResult result)
    {
        var homecoming = new Homecoming(_location, plan.Digests, run, acts, moved);
        homecoming.Look(plan.Repositories.ToDictionary(static repository => repository.Name, StringComparer.Ordinal), _options.Force, _options.ThrottleLimit, CancellationToken.None);
        foreach (var item in homecoming.Returned)
        {
            result.Count(item, -1);
            result.GivenBack++;
            moved.Remove(item);
            _options.Log.Verbose($"Gave back '{item.Path}': something that was pushed meanwhile needs it.");
        }
    }

    /// <summary>Does for runs that were killed what they had still to do: gives back what is needed. Tells which directories they had changed.</summary>
    private HashSet<string> Conclude(Quarantine quarantine, FileActs acts, CancellationToken cancellationToken)
    {
        var touched = new HashSet<string>(StringComparer.Ordinal);
        foreach (var run in quarantine.Runs())
        {
            if (!run.IsConcluded) KilledRuns.Conclude(_location, run, acts, _options.ThrottleLimit, _options.Log, touched, cancellationToken);
        }

        return touched;
    }
}
