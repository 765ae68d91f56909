using RegistryTools.Errors;
using RegistryTools.Storage;
using RegistryTools.Text;

namespace RegistryTools.GarbageCollection;

/// <summary>Runs that did not come to their end.</summary>
internal static class KilledRuns
{
    /// <summary>Does for a run what it had still to do: gives back what is needed.</summary>
    /// <param name="location">The storage.</param>
    /// <param name="run">The run.</param>
    /// <param name="acts">How files are changed.</param>
    /// <param name="throttleLimit">How many files are read at once.</param>
    /// <param name="log">Where it tells what it does.</param>
    /// <param name="touched">Gets the directories that the run had changed; null where nobody asks.</param>
    /// <param name="cancellationToken">Ends it early: it is done anew the next time.</param>
    /// <exception cref="GarbageException">What it moved is out of reach.</exception>
    public static void Conclude(StorageLocation location, QuarantineRun run, FileActs acts, int throttleLimit, IActivityLog log, HashSet<string>? touched, CancellationToken cancellationToken)
    {
        if (run.Away is { } away)
        {
            throw new GarbageException(
                $"The run {run.Id} did not come to its end, and its part of the quarantine, '{Shown.Short(away, 300)}', can't be read: what is needed of it can't be given back. Nothing was changed.",
                "Make that directory readable again, where it was. If it is gone for good, Clear-RegistryGarbage with this run's id forgets it.");
        }

        using (run)
        {
            log.Verbose($"The run {run.Id} did not come to its end: giving back what is needed of it.");
            run.Continue(acts);
            var items = run.Items().ToList();
            foreach (var item in items)
            {
                for (var path = Path.GetDirectoryName(Path.Combine(location.V2, item.Path))!; path.Length > location.V2.Length && touched?.Add(path) == true;) path = Path.GetDirectoryName(path)!;
            }

            var homecoming = new Homecoming(location, new DigestTable(), run, acts, items);
            homecoming.Look(null, force: false, throttleLimit, cancellationToken);
            run.Write(static writer =>
            {
                writer.WriteString("kind", "end");
                writer.WriteBoolean("interrupted", true);
            });
            if (!run.HasFiles()) run.Delete(acts, cancellationToken);
        }
    }
}
