using RegistryTools.Errors;
using RegistryTools.Storage;
using RegistryTools.Text;

namespace RegistryTools.GarbageCollection;

/// <summary>Frees what garbage collections removed. That can't be undone.</summary>
public sealed class GarbageClearer
{
    private readonly StorageLocation _location;
    private readonly IActivityLog _log;

    /// <summary>Makes a clearer.</summary>
    public GarbageClearer(StorageLocation location, IActivityLog? log = null)
    {
        _location = location;
        _log = log ?? NoActivityLog.Instance;
    }

    /// <summary>Deletes runs from the quarantine and gives the bytes that were freed.</summary>
    /// <param name="runId">The run; null for all.</param>
    /// <param name="olderThan">Only what was removed longer ago than this.</param>
    /// <param name="cleared">Told of each run that was deleted.</param>
    /// <param name="cancellationToken">Ends it early; what is left goes next time.</param>
    /// <exception cref="GarbageException">There is no such run, a collection is under way, or it can't be deleted.</exception>
    public Task<long> ClearAsync(string? runId, TimeSpan olderThan, Action<string, long>? cleared, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            var quarantine = new Quarantine(_location);
            if (runId is null && quarantine.Runs().Count == 0) return 0;
            using var storage = quarantine.Lock();
            return Clear(quarantine, runId, olderThan, null, new FileActs(null), cleared, cancellationToken);
        },
        cancellationToken);

    internal long Clear(Quarantine quarantine, string? runId, TimeSpan olderThan, string? except, FileActs acts, Action<string, long>? cleared, CancellationToken cancellationToken)
    {
        long freed = 0;
        var now = DateTimeOffset.UtcNow;
        var found = false;
        foreach (var run in quarantine.Runs())
        {
            if (run.Id == except || (runId is not null && run.Id != runId)) continue;
            found = true;
            if (now - run.Time < olderThan) continue;
            if (run.Away is { } away && runId is null)
            {
                _log.Warning($"The run {run.Id} is kept: its part of the quarantine, '{Shown.Short(away, 300)}', can't be read.");
                continue;
            }

            try
            {
                // What was pushed over a run that was killed needs some of it.
                if (!run.IsConcluded && run.Away is null) KilledRuns.Conclude(_location, run, acts, Math.Max(2, Environment.ProcessorCount), _log, null, cancellationToken);
                var bytes = run.Delete(acts, cancellationToken, _log);
                freed += bytes;
                cleared?.Invoke(run.Id, bytes);
                _log.Verbose($"Freed {bytes} bytes of the run {run.Id}.");
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw new GarbageException($"The run {run.Id} can't be deleted from the quarantine: {exception.Message}", "Run it as the user that collected, or as root.", exception);
            }
        }

        if (runId is not null && !found) throw new GarbageException($"There is no run '{Shown.Short(runId)}' in the quarantine.", "Get-RegistryGarbage lists the runs.");
        return freed;
    }
}
