using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Storage;
using RegistryTools.Text;

namespace RegistryTools.GarbageCollection;

/// <summary>What became of something that was to be restored.</summary>
public enum GarbageRestoreState
{
    /// <summary>It is back where it was.</summary>
    Restored,

    /// <summary>The same is there already: the copy in the quarantine was deleted.</summary>
    AlreadyThere,

    /// <summary>Something else is in its place, and stays; the copy in the quarantine stays too.</summary>
    Replaced,

    /// <summary>It could not be moved.</summary>
    Failed,
}

/// <summary>What a restoration did.</summary>
public sealed class GarbageRestoration
{
    /// <summary>How many files and uploads are back.</summary>
    public int Restored { get; internal set; }

    /// <summary>Their bytes.</summary>
    public long Bytes { get; internal set; }

    /// <summary>How many were there already.</summary>
    public int AlreadyThere { get; internal set; }

    /// <summary>How many were not restored: something else is in their place, or they could not be moved.</summary>
    public int Left { get; internal set; }

    /// <summary>What went wrong.</summary>
    public IReadOnlyList<GarbageProblem> Problems { get; internal set; } = [];
}

/// <summary>Puts back what garbage collections removed, byte for byte and with its times. Never overwrites.</summary>
public sealed class GarbageRestorer
{
    private static readonly GarbageKind[] Order = [GarbageKind.Blob, GarbageKind.Layer, GarbageKind.Signature, GarbageKind.Manifest, GarbageKind.TagIndex, GarbageKind.Tag, GarbageKind.Upload];
    private readonly StorageLocation _location;
    private readonly IActivityLog _log;
    private readonly Action<string>? _beforeAct;
    private int _told;
    private int _all;

    /// <summary>Makes a restorer.</summary>
    public GarbageRestorer(StorageLocation location, IActivityLog? log = null)
        : this(location, log, null)
    {
    }

    internal GarbageRestorer(StorageLocation location, IActivityLog? log, Action<string>? beforeAct)
    {
        _location = location;
        _log = log ?? NoActivityLog.Instance;
        _beforeAct = beforeAct;
    }

    /// <summary>Restores a run, or what has a digest: that blob, its links, and where it is a manifest all that it needs and all that refers to it.</summary>
    /// <param name="runId">The run; null for every run, the newest first.</param>
    /// <param name="digest">The digest; null for everything.</param>
    /// <param name="repository">Only what is of this repository, and the bytes that it needs; null for all.</param>
    /// <param name="restored">Told what became of each; null for nobody.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <exception cref="GarbageException">There is no such run or digest, or a collection is under way.</exception>
    public Task<GarbageRestoration> RestoreAsync(string? runId, Digest? digest, string? repository, Action<GarbageItem, GarbageRestoreState>? restored, CancellationToken cancellationToken) => Task.Run(
        () => Restore(runId, digest, repository, restored, cancellationToken),
        cancellationToken);

    private GarbageRestoration Restore(string? runId, Digest? digest, string? repository, Action<GarbageItem, GarbageRestoreState>? restored, CancellationToken cancellationToken)
    {
        var quarantine = new Quarantine(_location);
        var acts = new FileActs(_beforeAct);
        var runs = quarantine.Runs();
        runs.Reverse();
        var asked = runs.FindAll(run => runId is null || run.Id == runId);
        if (asked.Count == 0)
        {
            if (runId is null && digest is null) return new GarbageRestoration();
            throw new GarbageException(runId is null ? "There is nothing in the quarantine." : $"There is no run '{Shown.Short(runId)}' in the quarantine.", "Get-RegistryGarbage lists the runs.");
        }

        if (digest is null && asked.Find(static run => run.Away is not null) is { } away)
        {
            throw new GarbageException(
                $"The files of the run {away.Id} are in '{Shown.Short(away.Away!, 300)}', which can't be read. Nothing was restored.",
                "Make that directory readable again, where it was. If it is gone for good, Clear-RegistryGarbage with this run's id forgets it.");
        }

        using var storage = quarantine.Lock();
        var result = new GarbageRestoration();
        var problems = new List<GarbageProblem>();
        var found = false;

        // The repositories that lost it as a manifest. What it needs may have gone in other runs, when the last that needed it went.
        var repositories = digest is null ? [] : new HashSet<string>(asked.SelectMany(static run => run.Items()).Where(item => item.Kind == GarbageKind.Manifest && digest.Equals(item.Digest) && (repository is null || item.Repository == repository)).Select(static item => item.Repository!), StringComparer.Ordinal);
        for (var before = -1; before != result.Restored && (before < 0 || repositories.Count > 0);)
        {
            before = result.Restored;
            foreach (var run in digest is null ? asked : runs)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var items = run.Items().ToList();
                var has = digest is null ? repository is null || items.Exists(item => item.Repository == repository) : asked.Contains(run) && items.Exists(item => digest.Equals(item.Digest));
                found |= has;
                if (!has && (items.Count == 0 || repositories.Count == 0)) continue;
                using (run)
                {
                    (_told, _all) = (0, items.Count);
                    run.Continue(acts);
                    var digests = new DigestTable();
                    var homecoming = new Homecoming(_location, digests, run, acts, items);
                    if (digest is not null) items = Selection(has ? items : [], digest, repository, repositories, homecoming, digests, result, restored);
                    else
                    {
                        if (repository is not null) items = Of(repository, items, digests);
                        RestoreMissing(run.Cause, items, runs.FindAll(other => other != run), digests, acts, result, problems, restored, cancellationToken);
                        items = RestoreDirectories(run, homecoming, items, acts, result, problems, restored, cancellationToken);
                    }

                    RestoreItems(run, homecoming, items, acts, result, problems, restored, cancellationToken);
                    if (!run.HasFiles()) run.Delete(acts, cancellationToken);
                }
            }
        }

        if (!found && repository is not null) throw new GarbageException($"There is nothing of the repository '{Shown.Short(repository)}' in the quarantine.", "Get-RegistryGarbage -Detailed lists what is.");
        if (!found && digest is not null) throw new GarbageException($"{digest} is not in the quarantine.", "Get-RegistryGarbage -Detailed lists what is.");
        result.Problems = problems;
        _log.Verbose($"Restored {result.Restored} items of {result.Bytes} bytes.");
        return result;
    }

    /// <summary>What is of a repository, and the bytes that its links lead to.</summary>
    private static List<GarbageItem> Of(string repository, List<GarbageItem> items, DigestTable digests)
    {
        var own = items.FindAll(item => item.Repository == repository);
        var needed = new HashSet<Sha256Key>(own.Where(static item => item.Kind is GarbageKind.Manifest or GarbageKind.Layer).Select(item => digests.Key(item.Digest!)));
        return [.. own, .. items.Where(item => item.Kind == GarbageKind.Blob && needed.Contains(digests.Key(item.Digest!)))];
    }

    /// <summary>Restores a manifest with what it needs, where the digest is one; gives what else has the digest.</summary>
    private static List<GarbageItem> Selection(List<GarbageItem> items, Digest digest, string? only, HashSet<string> repositories, Homecoming homecoming, DigestTable digests, GarbageRestoration result, Action<GarbageItem, GarbageRestoreState>? restored)
    {
        var own = items.FindAll(item => digest.Equals(item.Digest) && (only is null || item.Repository is null || item.Repository == only));
        foreach (var repository in repositories) homecoming.Return(repository, digests.Key(digest), []);
        foreach (var item in homecoming.Returned)
        {
            result.Restored++;
            result.Bytes += item.Size;
            restored?.Invoke(item, GarbageRestoreState.Restored);
        }

        own.RemoveAll(homecoming.Returned.Contains);
        return own;
    }

    /// <summary>Brings back from other runs the bytes that the links of this one lead to: a repository that was removed, and then its blobs collected, comes back whole.</summary>
    private void RestoreMissing(
        GarbageCause cause, List<GarbageItem> items, List<QuarantineRun> others, DigestTable digests, FileActs acts, GarbageRestoration result, List<GarbageProblem> problems, Action<GarbageItem, GarbageRestoreState>? restored, CancellationToken cancellationToken)
    {
        var own = new HashSet<string>(items.Where(static item => item.Kind == GarbageKind.Blob).Select(static item => item.Path), StringComparer.Ordinal);
        var missing = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            if (item.Kind is not (GarbageKind.Manifest or GarbageKind.Layer)) continue;
            var path = "blobs/" + digests.BlobPath(digests.Key(item.Digest!));
            if (!own.Contains(path) && !File.Exists(Path.Combine(_location.V2, path))) missing.Add(path);
        }

        foreach (var other in others)
        {
            var found = missing.Where(path => File.Exists(Path.Combine(other.Files, "v2", path))).ToList();
            if (found.Count == 0) continue;
            using (other)
            {
                other.Continue(acts);
                var blobs = found.ConvertAll(path => new FileInfo(Path.Combine(other.Files, "v2", path)) is var file ? GarbageItem.FromPath(path, file.Length, file.LastWriteTimeUtc)! : null!);
                RestoreItems(other, new Homecoming(_location, digests, other, acts, blobs), blobs, acts, result, problems, restored, cancellationToken);
                if (!other.HasFiles()) other.Delete(acts, cancellationToken);
            }

            missing.ExceptWith(found);
        }

        // What a collection took away may have led nowhere before.
        if (cause != GarbageCause.RepositoryRemoval) return;
        foreach (var path in missing)
        {
            var blob = GarbageItem.FromPath(path, 0, default)!.Digest!;
            var first = items.Find(item => blob.Equals(item.Digest))!;
            problems.Add(new GarbageProblem($"The bytes of {blob}, which '{first.Repository}' links to, are neither in the storage nor in the quarantine any more: push what needs them again.", first.Repository, null, blob, false));
        }
    }

    /// <summary>
    /// Restores the bytes, then whatever lies in directories of repositories that are not there at all, a rename each: what a removed repository had, odd files and empty directories too. Gives what is
    /// left to be restored.
    /// </summary>
    private List<GarbageItem> RestoreDirectories(
        QuarantineRun run, Homecoming homecoming, List<GarbageItem> items, FileActs acts, GarbageRestoration result, List<GarbageProblem> problems, Action<GarbageItem, GarbageRestoreState>? restored, CancellationToken cancellationToken)
    {
        RestoreItems(run, homecoming, items.FindAll(static item => item.Repository is null), acts, result, problems, restored, cancellationToken);
        var left = items.FindAll(static item => item.Repository is not null);

        // What manifests need before they are there, and are served, themselves.
        foreach (var group in left.GroupBy(static item => OwnDirectory(item)).OrderBy(static group => group.Key.EndsWith("/_manifests", StringComparison.Ordinal)).ToList())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var to = Path.Combine(_location.V2, group.Key);
            if (Directory.Exists(to) || File.Exists(to) || !StoragePaths.IsOwn(_location.V2, Path.GetDirectoryName(to)!)) continue;
            var own = group.ToList();
            run.Write("return", own);
            var returned = new HashSet<GarbageItem>(own);
            try
            {
                acts.CreateDirectory(Path.GetDirectoryName(to)!);
                acts.Move(Path.Combine(run.Files, "v2", group.Key), to, isDirectory: true);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Somebody has made it meanwhile, or it can't be made: a file at a time, then, and each tells why not.
                continue;
            }

            left.RemoveAll(returned.Contains);
            foreach (var item in own)
            {
                result.Restored++;
                result.Bytes += item.Size;
                restored?.Invoke(item, GarbageRestoreState.Restored);
            }

            Tell(run, own.Count, result);
        }

        return left;
    }

    private static string OwnDirectory(GarbageItem item)
    {
        var start = "repositories/".Length + item.Repository!.Length + 1;
        return item.Path.Substring(0, item.Path.IndexOf('/', start));
    }

    private void RestoreItems(
        QuarantineRun run, Homecoming homecoming, List<GarbageItem> items, FileActs acts, GarbageRestoration result, List<GarbageProblem> problems, Action<GarbageItem, GarbageRestoreState>? restored, CancellationToken cancellationToken)
    {
        foreach (var kind in Order)
        {
            var own = items.FindAll(item => item.Kind == kind);
            run.Write("return", own);
            foreach (var item in own)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var state = GarbageRestoreState.Failed;
                try
                {
                    state = homecoming.MoveBack(item, isNoted: true) ? GarbageRestoreState.Restored : InPlace(run, item, acts);
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                {
                    problems.Add(new GarbageProblem($"'{Shown.Short(item.Path, 300)}' could not be restored: {exception.Message}", item.Repository, item.Tag, item.Digest, false));
                }

                switch (state)
                {
                    case GarbageRestoreState.Restored:
                        result.Restored++;
                        result.Bytes += item.Size;
                        break;
                    case GarbageRestoreState.AlreadyThere:
                        result.AlreadyThere++;
                        break;
                    case GarbageRestoreState.Replaced:
                        result.Left++;
                        problems.Add(new GarbageProblem($"'{Shown.Short(item.Path, 300)}' was not restored: something else is in its place, or a symbolic link is on the way to it.", item.Repository, item.Tag, item.Digest, false));
                        break;
                    default:
                        result.Left++;
                        break;
                }

                restored?.Invoke(item, state);
                Tell(run, 1, result);
            }
        }
    }

    private void Tell(QuarantineRun run, int more, GarbageRestoration result) =>
        _log.Progress("Restoring garbage", FormattableString.Invariant($"run {run.Id}, {result.Bytes / 1e6:N0} MB so far"), Math.Min(_told += more, _all), _all, "item");

    private GarbageRestoreState InPlace(QuarantineRun run, GarbageItem item, FileActs acts)
    {
        var from = run.PathOf(item);
        var to = Path.Combine(_location.V2, item.Path);
        if (item.Kind == GarbageKind.Upload || !File.Exists(to) || !File.Exists(from) || !Same(from, to)) return GarbageRestoreState.Replaced;
        acts.DeleteFile(from);
        return GarbageRestoreState.AlreadyThere;
    }

    private static bool Same(string left, string right)
    {
        if ((File.GetAttributes(right) & FileAttributes.ReparsePoint) != 0) return false;
        using var a = new FileStream(left, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
        using var b = new FileStream(right, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1 << 16);
        if (a.Length != b.Length) return false;
        var first = new byte[1 << 16];
        var second = new byte[1 << 16];
        while (true)
        {
            var count = Fill(a, first);
            if (count != Fill(b, second)) return false;
            if (count == 0) return true;
            if (!first.AsSpan(0, count).SequenceEqual(second.AsSpan(0, count))) return false;
        }
    }

    private static int Fill(FileStream stream, byte[] buffer)
    {
        var filled = 0;
        while (filled < buffer.Length)
        {
            var count = stream.Read(buffer, filled, buffer.Length - filled);
            if (count == 0) break;
            filled += count;
        }

        return filled;
    }
}
