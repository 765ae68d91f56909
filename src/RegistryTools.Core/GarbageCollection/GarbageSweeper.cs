using System.Collections.Concurrent;
using RegistryTools.Storage;
using RegistryTools.Text;
using RegistryTools.Threading;

namespace RegistryTools.GarbageCollection;

/// <summary>Moves what a plan condemns into a run's quarantine, a kind after the other, and tidies up after it.</summary>
internal sealed class GarbageSweeper(StorageLocation location, GarbageCollectorOptions options, GarbagePlan plan, QuarantineRun run, FileActs acts, GarbageCollectionResult result, Action<GarbageItem>? removed)
{
    private const int Batch = 512;
    private const string Activity = "Removing garbage";

    private readonly object _gate = new();
    private readonly ConcurrentDictionary<Sha256Key, bool> _spared = new();
    private readonly ConcurrentDictionary<string, bool> _own = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _left = new(StringComparer.Ordinal);
    private readonly List<GarbageProblem> _problems = [];

    /// <summary>What was moved.</summary>
    public List<GarbageItem> Moved { get; } = [];

    /// <summary>What went wrong with single items.</summary>
    public IReadOnlyList<GarbageProblem> Problems => _problems;

    public void Sweep(CancellationToken cancellationToken)
    {
        var items = plan.Items;
        for (var start = 0; start < items.Count;)
        {
            var batch = new List<GarbageItem>(Batch);
            var kind = items[start].Kind;

            // What points to something is moved, all of it, before that.
            while (start < items.Count && items[start].Kind == kind && batch.Count < Batch)
            {
                var item = items[start++];
                if (item.Digest is null || !_spared.ContainsKey(plan.Digests.Key(item.Digest))) batch.Add(item);
            }

            run.Write("move", batch);
            ParallelWork.For(batch.Count, options.ThrottleLimit, index => Move(batch[index]), cancellationToken);
            options.Log.Progress(Activity, FormattableString.Invariant($"{kind}, {result.BytesQuarantined / 1e6:N0} MB so far"), start, items.Count, "item");
        }
    }

    /// <summary>Removes the directories that have nothing in them any more, and those that had nothing in them before.</summary>
    public void Tidy(CancellationToken cancellationToken)
    {
        foreach (var directory in plan.EmptyDirectories)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (IsLeft(directory) && IsEmpty(directory) && acts.DeleteEmptyDirectory(directory)) _left.TryAdd(Path.GetDirectoryName(directory)!, true);
        }

        foreach (var directory in _left.Keys.OrderByDescending(static path => path.Length))
        {
            var path = directory;
            while (CanGo(path) && IsEmpty(path) && acts.DeleteEmptyDirectory(path)) path = Path.GetDirectoryName(path)!;

            // What is no repository, and has none below it any more.
            if (!IsInRepository(path)) RazeUp(path);
        }

        foreach (var repository in plan.Repositories)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var uploads = repository.UploadsDirectory;
            if (repository.HasUploads && (_left.ContainsKey(uploads) || IsLeft(uploads)) && IsEmpty(uploads)) acts.DeleteEmptyDirectory(uploads);
            if (!repository.MayVanish || !IsVacant(repository.Directory)) continue;
            foreach (var name in new[] { "_uploads", "_layers", "_manifests" }) Raze(Path.Combine(repository.Directory, name));
            RazeUp(repository.Directory);
        }
    }

    private void RazeUp(string path)
    {
        while (path.StartsWith(location.Repositories + Path.DirectorySeparatorChar, StringComparison.Ordinal) && IsEmpty(path) && acts.DeleteEmptyDirectory(path)) path = Path.GetDirectoryName(path)!;
    }

    private void Move(GarbageItem item)
    {
        var key = item.Digest is null ? default : plan.Digests.Key(item.Digest);
        if (item.Digest is not null && _spared.ContainsKey(key)) return;
        var from = Path.Combine(location.V2, item.Path);
        var directory = Path.GetDirectoryName(from)!;
        var isUpload = item.Kind == GarbageKind.Upload;
        try
        {
            if (isUpload ? !Directory.Exists(from) : !File.Exists(from)) return;
            if (!StoragePaths.IsOwn(location.V2, isUpload ? from : directory, _own))
            {
                Spare(item, key, "a symbolic link is on the way to it, which is not followed");
                return;
            }

            if (isUpload ? !IsOld(from) || !IsOld(Path.Combine(from, "data")) : !IsUnchanged(from, item))
            {
                // Written again since it was marked: somebody is pushing it.
                Spare(item, key, null);
                return;
            }

            var to = run.PathOf(item);
            acts.CreateDirectory(Path.GetDirectoryName(to)!);
            acts.Move(from, to, isUpload);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Spare(item, key, exception.Message);
            return;
        }

        lock (_gate)
        {
            Moved.Add(item);
            result.Count(item, 1);
            removed?.Invoke(item);
        }

        if (isUpload) _left.TryAdd(directory, true);
        else if (acts.DeleteEmptyDirectory(directory)) _left.TryAdd(Path.GetDirectoryName(directory)!, true);
    }

    /// <summary>Leaves something where it is, and with it all that it needs.</summary>
    private void Spare(GarbageItem item, Sha256Key key, string? reason)
    {
        if (reason is not null)
        {
            lock (_gate) _problems.Add(new GarbageProblem($"'{Shown.Short(item.Path, 300)}' could not be moved: {reason}.", item.Repository, item.Tag, item.Digest, false));
        }

        if (item.Digest is null) return;
        var open = new Stack<Sha256Key>();
        open.Push(key);
        while (open.Count > 0)
        {
            var spared = open.Pop();
            if (!_spared.TryAdd(spared, true) || item.Kind != GarbageKind.Manifest) continue;
            if (plan.Manifests.Get(spared).References is not { } references) continue;
            foreach (var needed in references.Blobs.Concat(references.Manifests).Concat(references.Others)) open.Push(needed.Key);
        }
    }

    private bool IsOld(string path)
    {
        // The time of what is not there is 1601.
        return Directory.GetLastWriteTimeUtc(path) <= plan.Threshold;
    }

    /// <summary>Whether nobody but this library has changed a directory of late.</summary>
    private bool IsLeft(string path) => plan.Touched.Contains(path) || IsOld(path);

    private static bool IsUnchanged(string path, GarbageItem item)
    {
        var file = new FileInfo(path);
        return file.Exists && (file.Attributes & FileAttributes.ReparsePoint) == 0 && file.LastWriteTimeUtc == item.Time.UtcDateTime && file.Length == item.Size;
    }

    private static bool IsEmpty(string path)
    {
        try
        {
            return (File.GetAttributes(path) & FileAttributes.ReparsePoint) == 0 && StorageDirectory.IsEmpty(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // A repository's own directories stay as long as it is one: without _layers, for one, distribution 2.x does not list it.
    private bool CanGo(string path) =>
        Path.GetFileName(path) is not ("_manifests" or "_layers" or "revisions" or "tags")
        && (path.StartsWith(location.Blobs + Path.DirectorySeparatorChar, StringComparison.Ordinal) || IsInRepository(path));

    private bool IsInRepository(string path) => path.StartsWith(location.Repositories, StringComparison.Ordinal) && path.IndexOf(Path.DirectorySeparatorChar + "_", location.Repositories.Length, StringComparison.Ordinal) >= 0;

    /// <summary>Whether a repository has nothing but directories.</summary>
    private static bool IsVacant(string repository)
    {
        var open = new Stack<string>();
        foreach (var name in new[] { "_uploads", "_layers", "_manifests" })
        {
            if (Directory.Exists(Path.Combine(repository, name))) open.Push(Path.Combine(repository, name));
        }

        try
        {
            while (open.Count > 0)
            {
                var path = open.Pop();
                foreach (var (name, kind) in StorageDirectory.Read(path))
                {
                    if (kind != EntryKind.Directory) return false;
                    open.Push(Path.Combine(path, name));
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }

        return true;
    }

    private void Raze(string directory)
    {
        if (!Directory.Exists(directory)) return;
        try
        {
            foreach (var (name, kind) in StorageDirectory.Read(directory).ToList())
            {
                if (kind == EntryKind.Directory) Raze(Path.Combine(directory, name));
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return;
        }

        acts.DeleteEmptyDirectory(directory);
    }
}
