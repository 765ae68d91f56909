using RegistryTools.Errors;
using RegistryTools.GarbageCollection;
using RegistryTools.References;
using RegistryTools.Storage;
using RegistryTools.Text;

namespace RegistryTools.Deletion;

/// <summary>
/// Takes repositories out of a storage into its quarantine. The directory of manifests goes first, and with it every tag at once: killed after that, there is a repository without manifests, which the next garbage collection tidies away. What
/// a push that was under way needs is given back.
/// </summary>
internal sealed class StoredRepositoryRemover(StorageLocation location, TimeSpan settleTime, IActivityLog log, Action<string>? beforeAct)
{
    private static readonly string[] Own = ["_manifests", "_layers", "_uploads"];

    public IReadOnlyList<RepositoryRemoval> Remove(IReadOnlyList<string> repositories, CancellationToken cancellationToken)
    {
        var acts = new FileActs(beforeAct);
        var quarantine = new Quarantine(location);
        using var storage = quarantine.Lock();
        using var run = quarantine.Begin(new GarbageCollectorOptions(), acts, GarbageCause.RepositoryRemoval);
        var removals = repositories.Select(static repository => new RepositoryRemoval { Repository = repository }).ToList();
        OperationCanceledException? cancelled = null;
        foreach (var removal in removals)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                cancelled = new OperationCanceledException(cancellationToken);
                break;
            }

            log.Progress("Removing repositories", removal.Repository, removals.IndexOf(removal), removals.Count, "repository");
            try
            {
                MoveAway(removal, run, acts);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                removal.Errors = [new RemovalFailedException($"The repository '{removal.Repository}' can't be moved away whole: {exception.Message}", "Run it as the user that the registry runs as, or as root, and remove it again; what is moved is in the quarantine.", exception)];
            }
            catch (RegistryToolsException exception)
            {
                removal.Errors = [exception];
            }
        }

        var moved = removals.Where(static removal => removal.RunId is not null).ToList();
        if (moved.Count > 0)
        {
            GiveBack(moved, run, acts);
            foreach (var removal in moved) TidyUp(removal.Repository, acts);

            // A registry that had looked for its layers just before they were moved has written its manifest by then.
            if (cancelled is null && settleTime > TimeSpan.Zero) cancellationToken.WaitHandle.WaitOne(settleTime);
            GiveBack(moved, run, acts);
        }

        run.Write(static writer => writer.WriteString("kind", "end"));
        if (!run.HasFiles()) run.Delete(acts, CancellationToken.None);
        return cancelled is null ? removals : throw cancelled;
    }

    private void MoveAway(RepositoryRemoval removal, QuarantineRun run, FileActs acts)
    {
        var directory = location.Repository(removal.Repository);
        if (!StoragePaths.IsOwn(location.V2, directory)) throw new RemovalFailedException($"The repository '{removal.Repository}' lies behind a symbolic link in the storage {location.Root}: it was not followed.", "Links inside a registry's storage are not of the registry's making; look who made it.");
        var found = Array.FindAll(Own, name => Directory.Exists(Path.Combine(directory, name)) && (File.GetAttributes(Path.Combine(directory, name)) & FileAttributes.ReparsePoint) == 0);
        if (found.Length == 0) throw new RegistryNotFoundException($"There is no repository '{removal.Repository}' in {location.Root}.", "DELETE", new Uri(location.Root), null, [new RegistryErrorEntry("NAME_UNKNOWN", string.Empty, null)]);
        var path = "repositories/" + removal.Repository + "/";
        var to = Path.Combine(run.Files, "v2", path);
        run.Write(writer =>
        {
            writer.WriteString("kind", "repository");
            writer.WriteString("path", path);
        });
        acts.CreateDirectory(to);
        foreach (var name in found)
        {
            acts.Move(Path.Combine(directory, name), Path.Combine(to, name), isDirectory: true);
            removal.RunId = run.Id;
        }

        var manifests = Path.Combine(to, "_manifests");
        removal.Tags = [.. Names(Path.Combine(manifests, "tags")).Where(tag => File.Exists(Path.Combine(manifests, "tags", tag, "current", "link"))).OrderBy(static tag => tag, StringComparer.Ordinal)];
        removal.Manifests = Names(Path.Combine(manifests, "revisions")).Sum(algorithm => Names(Path.Combine(manifests, "revisions", algorithm)).Count(digest => File.Exists(Path.Combine(manifests, "revisions", algorithm, digest, "link"))));
        log.Verbose($"Moved the repository '{removal.Repository}' with {removal.Tags.Count} tags and {removal.Manifests} manifests to the quarantine, run {run.Id}.");
    }

    /// <summary>Gives back what was pushed meanwhile needs.</summary>
    private void GiveBack(List<RepositoryRemoval> moved, QuarantineRun run, FileActs acts)
    {
        var anew = moved.FindAll(removal => Directory.Exists(Path.Combine(location.Repository(removal.Repository), "_manifests")));
        if (anew.Count == 0) return;
        var homecoming = new Homecoming(location, new DigestTable(), run, acts, run.Items().ToList());
        homecoming.Look(null, force: false, 1, CancellationToken.None, new HashSet<string>(anew.Select(static removal => removal.Repository), StringComparer.Ordinal));
        foreach (var removal in anew)
        {
            var tags = Path.Combine(location.Repository(removal.Repository), "_manifests", "tags");
            removal.PushedMeanwhile = [.. Names(tags).Where(tag => File.Exists(Path.Combine(tags, tag, "current", "link")))];
        }
    }

    /// <summary>Removes the directories that only led to the repository.</summary>
    private void TidyUp(string repository, FileActs acts)
    {
        for (var path = location.Repository(repository); path.Length > location.Repositories.Length; path = Path.GetDirectoryName(path)!)
        {
            if (Directory.Exists(path) && !(StorageDirectory.IsEmpty(path) && acts.DeleteEmptyDirectory(path))) return;
        }
    }

    private static IEnumerable<string> Names(string directory) => Directory.Exists(directory) ? StorageDirectory.Read(directory).Where(static entry => entry.Kind == EntryKind.Directory).Select(static entry => entry.Name) : [];
}
