using System.Diagnostics;
using RegistryTools.Storage;
using RegistryTools.Text;
using RegistryTools.Threading;

namespace RegistryTools.GarbageCollection;

/// <summary>
/// Marks what is kept, by repository and digest: that a manifest was seen in one repository says nothing of another. Then lists what is not, and old enough to go. Changes nothing.
/// </summary>
internal sealed class StorageMarker
{
    private const string Activity = "Marking what is kept";

    // A repository of more entries than this is read by all threads together; smaller ones by a thread each.
    private const int Large = 512;

    private readonly StorageLocation _location;
    private readonly GarbageCollectorOptions _options;
    private readonly DigestTable _digests = new();
    private readonly ManifestStore _manifests;
    private readonly RepositoryReader _reader;
    private readonly DateTime _threshold;

    public StorageMarker(StorageLocation location, GarbageCollectorOptions options)
    {
        _location = location;
        _options = options;
        _manifests = new ManifestStore(location, _digests);
        _reader = new RepositoryReader(location, _digests, _manifests, options.ThrottleLimit);
        var age = options.MinimumAge < TimeSpan.Zero ? TimeSpan.Zero : options.MinimumAge;
        var now = DateTime.UtcNow;
        _threshold = age.Ticks >= now.Ticks ? DateTime.MinValue : now - age;
    }

    /// <summary>Directories that are as young as they are only because a run that was killed moved something out of them.</summary>
    public HashSet<string> Touched { get; init; } = [];

    public GarbagePlan Mark(CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var started = DateTimeOffset.UtcNow;
        var problems = new List<GarbageProblem>();
        var empty = new List<string>();
        var repositories = _reader.Find(problems, cancellationToken, empty, _options.Log);
        var listsAll = problems.Count == 0;
        ParallelWork.For(repositories.Count, _options.ThrottleLimit, index => _reader.List(repositories[index]), cancellationToken);

        var done = 0;
        void MarkOne(RepositoryMark repository, bool divide)
        {
            _reader.Read(repository, divide, cancellationToken);
            MarkRepository(repository);
            ListGarbage(repository, divide, cancellationToken);
            _options.Log.Progress(Activity, repository.Name, Interlocked.Increment(ref done), repositories.Count, "repository");
        }

        var large = repositories.Where(static repository => repository.Tags.Length + repository.Revisions.Length > Large).ToList();
        var small = repositories.Where(static repository => repository.Tags.Length + repository.Revisions.Length <= Large).ToList();
        foreach (var repository in large) MarkOne(repository, divide: true);
        ParallelWork.For(small.Count, _options.ThrottleLimit, index => MarkOne(small[index], divide: false), cancellationToken);

        var needed = new HashSet<Sha256Key>();
        var tags = 0;
        var marked = 0;
        foreach (var repository in repositories)
        {
            if (repository.IsUnlisted) listsAll = false;
            problems.AddRange(repository.Problems);
            foreach (var tag in repository.Tags)
            {
                if (tag.IsTag) tags++;
            }

            marked += repository.Revisions.Count(revision => revision.Link != LinkState.Missing && !repository.Condemned.Contains(revision.Key));
            Need(repository, needed);
        }

        var blobs = new List<GarbageItem>();
        empty.AddRange(repositories.SelectMany(static repository => repository.EmptyDirectories));
        var kept = ListBlobs(needed, listsAll, blobs, empty, problems, cancellationToken);

        // What refers to other things goes before what it refers to: revisions (indexes first), what tags noted, layer links, uploads, blobs.
        var items = new List<GarbageItem>();
        var garbage = repositories.SelectMany(static repository => repository.Items).ToList();
        items.AddRange(garbage.Where(item => item.Kind == GarbageKind.Manifest && IsIndex(item)));
        items.AddRange(garbage.Where(item => item.Kind == GarbageKind.Manifest && !IsIndex(item)));
        items.AddRange(garbage.Where(static item => item.Kind == GarbageKind.Signature));
        items.AddRange(garbage.Where(static item => item.Kind == GarbageKind.TagIndex));
        items.AddRange(garbage.Where(static item => item.Kind == GarbageKind.Layer));
        items.AddRange(garbage.Where(static item => item.Kind == GarbageKind.Upload));
        items.AddRange(blobs);

        var result = new GarbageCollectionResult
        {
            StoragePath = _location.Root,
            IsPlan = true,
            Started = started,
            Repositories = repositories.Count,
            Tags = tags,
            ManifestsMarked = marked,
            BlobsMarked = kept,
            Problems = problems,
        };
        foreach (var item in items) result.Count(item, 1);
        result.Duration = clock.Elapsed;
        _options.Log.Verbose($"Marked {repositories.Count} repositories with {tags} tags, {marked} manifests and {kept} blobs; {items.Count} items are garbage.");
        return new GarbagePlan(result, items) { Repositories = repositories, Digests = _digests, Manifests = _manifests, EmptyDirectories = empty, Touched = Touched, Threshold = _threshold };
    }

    private bool IsIndex(GarbageItem item) => _manifests.Get(_digests.Key(item.Digest!)).References?.IsIndex == true;

    /// <summary>What may be in the storage because of a repository.</summary>
    private void Need(RepositoryMark repository, HashSet<Sha256Key> needed)
    {
        needed.UnionWith(repository.Kept);
        needed.UnionWith(repository.Needed);
        var all = repository.KeepsAll(_options.Force);
        if (all) needed.UnionWith(repository.Layers);
        foreach (var revision in repository.Revisions)
        {
            if (revision.Link == LinkState.Missing || repository.Condemned.Contains(revision.Key)) continue;
            needed.Add(revision.Key);
            needed.Add(revision.Target);
        }

        foreach (var target in repository.LayerTargets)
        {
            if (all || needed.Contains(target.Key)) needed.Add(target.Value);
        }
    }

    private void MarkRepository(RepositoryMark repository)
    {
        var walk = new Walk(this, repository);
        foreach (var tag in repository.Tags)
        {
            if (tag.IsRead) walk.Keep(tag.Target, tag.Name);
        }

        var removes = _options.RemoveUntagged && (_options.RepositoryFilter?.Invoke(repository.Name) ?? true);
        foreach (var revision in repository.Revisions)
        {
            if (revision.Link == LinkState.Missing || repository.Kept.Contains(revision.Key)) continue;
            if (removes && revision.Reading?.IsUnreadable != true && !IsYoung(LinkOf(repository.RevisionsDirectory, revision.Key))) continue;
            walk.Keep(revision.Key, null);
        }
    }

    private static void Need(RepositoryMark repository, Sha256Key blob)
    {
        repository.Needed.Add(blob);
        if (repository.LayerTargets.TryGetValue(blob, out var target)) repository.Needed.Add(target);
    }

    // The first registries kept the signatures of schema 1 as blobs of their own.
    private void NeedSignatures(RepositoryMark repository, Sha256Key key)
    {
        try
        {
            foreach (var (signature, _) in Signatures(repository, key)) repository.Needed.Add(signature);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            repository.Block(new GarbageProblem($"The signatures of {_digests.ToDigest(key)} in '{repository.Name}' can't be listed: {exception.Message}", repository.Name, null, _digests.ToDigest(key), true));
        }
    }

    private IEnumerable<(Sha256Key Key, string Path)> Signatures(RepositoryMark repository, Sha256Key manifest)
    {
        var directory = Path.Combine(repository.RevisionsDirectory, _digests.Segments(manifest), "signatures");
        if (!Directory.Exists(directory)) yield break;
        foreach (var algorithm in StorageDirectory.Read(directory))
        {
            if (algorithm.Kind != EntryKind.Directory) continue;
            foreach (var (name, kind) in StorageDirectory.Read(Path.Combine(directory, algorithm.Name)))
            {
                if (kind == EntryKind.Directory && _digests.TryKey(algorithm.Name, name.AsSpan(), out var signature)) yield return (signature, Path.Combine(directory, algorithm.Name, name, "link"));
            }
        }
    }

    private void Tell(RepositoryMark repository, Sha256Key key, Sha256Key root, string? tag, string reason, bool isBlocking)
    {
        var digest = _digests.ToDigest(key);
        var needer = tag is null
            ? key == root ? "which is kept although no tag needs it," : $"which the manifest {_digests.ToDigest(root)} needs,"
            : $"which the tag '{Shown.Short(tag)}' needs,";
        repository.Block(new GarbageProblem($"The manifest {digest} of '{repository.Name}', {needer} can't be followed: {reason}.", repository.Name, tag, digest, isBlocking));
    }

    private void ListGarbage(RepositoryMark repository, bool divide, CancellationToken cancellationToken)
    {
        // Uploads are no part of what tags need.
        if (_options.IncludeUpload && !repository.IsUnlisted) ListUploads(repository);
        if (repository.KeepsAll(_options.Force)) return;

        foreach (var revision in repository.Revisions)
        {
            if (repository.Kept.Contains(revision.Key)) continue;
            var path = LinkOf(repository.RevisionsDirectory, revision.Key);
            if (revision.Link == LinkState.Missing)
            {
                repository.EmptyDirectories.Add(Path.GetDirectoryName(path)!);
                continue;
            }

            if (Candidate(path, out var file) != Age.Old) continue;
            repository.Condemned.Add(revision.Key);
            repository.Items.Add(Item(GarbageKind.Manifest, path, repository, null, revision.Key, file!));
            if (revision.Reading?.References?.IsSchema1 == true) ListSignatures(repository, revision.Key);
        }

        foreach (var tag in repository.Tags)
        {
            foreach (var key in tag.Index)
            {
                if (tag.IsTag && (!tag.IsRead || tag.Target == key)) continue;
                if (tag.IsTag && repository.RevisionIndex.TryGetValue(key, out var index) && repository.Revisions[index].Link != LinkState.Missing && !repository.Condemned.Contains(key)) continue;
                var path = LinkOf(Path.Combine(repository.TagsDirectory, tag.Name, "index"), key);
                var age = Candidate(path, out var file);
                if (age == Age.Missing) repository.EmptyDirectories.Add(Path.GetDirectoryName(path)!);
                else if (age == Age.Old) repository.Items.Add(Item(GarbageKind.TagIndex, path, repository, tag.Name, key, file!));
            }
        }

        var candidates = repository.Layers.Where(layer => !repository.Needed.Contains(layer)).ToArray();
        var files = new (Age Age, FileInfo? File)[candidates.Length];
        ParallelWork.For(
            candidates.Length,
            divide ? _options.ThrottleLimit : 1,
            i => files[i].Age = Candidate(LinkOf(repository.LayersDirectory, candidates[i]), out files[i].File),
            cancellationToken);
        for (var i = 0; i < candidates.Length; i++)
        {
            var path = LinkOf(repository.LayersDirectory, candidates[i]);
            if (files[i].Age == Age.Missing) repository.EmptyDirectories.Add(Path.GetDirectoryName(path)!);
            else if (files[i].Age == Age.Old) repository.Items.Add(Item(GarbageKind.Layer, path, repository, null, candidates[i], files[i].File!));
            else Need(repository, candidates[i]);
        }

        repository.MayVanish = MayVanish(repository);
    }

    private void ListSignatures(RepositoryMark repository, Sha256Key manifest)
    {
        foreach (var (signature, path) in Signatures(repository, manifest).ToList())
        {
            if (Candidate(path, out var file) == Age.Old) repository.Items.Add(Item(GarbageKind.Signature, path, repository, null, signature, file!));
        }
    }

    private bool MayVanish(RepositoryMark repository)
    {
        if (Array.Exists(repository.Tags, static tag => tag.IsTag) || repository.Kept.Count > 0 || repository.Needed.Count > 0) return false;
        if (repository.Uploads.Count > repository.Items.Count(static item => item.Kind == GarbageKind.Upload)) return false;
        var own = new[]
        {
            repository.Directory, Path.Combine(repository.Directory, "_manifests"), repository.TagsDirectory, repository.RevisionsDirectory, Path.Combine(repository.RevisionsDirectory, "sha256"),
            repository.LayersDirectory, Path.Combine(repository.LayersDirectory, "sha256"), repository.UploadsDirectory,
        };
        return Array.TrueForAll(own, path => Touched.Contains(path) || Directory.GetLastWriteTimeUtc(path) <= _threshold);
    }

    private void ListUploads(RepositoryMark repository)
    {
        foreach (var upload in repository.Uploads)
        {
            var path = Path.Combine(repository.UploadsDirectory, upload);
            try
            {
                long size = 0;
                var newest = Directory.GetLastWriteTimeUtc(path);
                var isOurs = true;
                foreach (var entry in new DirectoryInfo(path).EnumerateFileSystemInfos())
                {
                    if ((entry.Attributes & FileAttributes.ReparsePoint) != 0) isOurs = false;
                    if (entry.LastWriteTimeUtc > newest) newest = entry.LastWriteTimeUtc;
                    if (entry is FileInfo file) size += file.Length;
                }

                if (isOurs && newest <= _threshold) repository.Items.Add(new GarbageItem(GarbageKind.Upload, Relative(path), repository.Name, null, null, size, newest));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                repository.Block(new GarbageProblem($"The upload '{Shown.Short(upload)}' of '{repository.Name}' can't be looked at: {exception.Message}", repository.Name, null, null, false));
            }
        }
    }

    /// <summary>Lists the blobs that nobody needs, and counts the others.</summary>
    private int ListBlobs(HashSet<Sha256Key> needed, bool listsAll, List<GarbageItem> into, List<string> empty, List<GarbageProblem> problems, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(_location.Blobs)) return 0;
        var directories = new List<(string Algorithm, string Path)>();
        foreach (var (algorithm, kind) in StorageDirectory.Read(_location.Blobs))
        {
            if (kind != EntryKind.Directory) continue;
            foreach (var (name, prefix) in StorageDirectory.Read(Path.Combine(_location.Blobs, algorithm)))
            {
                if (prefix == EntryKind.Directory && name.Length <= 2) directories.Add((algorithm, Path.Combine(_location.Blobs, algorithm, name)));
            }
        }

        var kept = 0;
        var looked = 0;
        ParallelWork.For(
            directories.Count,
            _options.ThrottleLimit,
            index =>
            {
                var (algorithm, path) = directories[index];
                var count = 0;
                var any = false;
                var garbage = new List<GarbageItem>();
                var dead = new List<string>();
                try
                {
                    foreach (var key in StorageDirectory.Read<Sha256Key?>(path, (name, _) => _digests.TryKey(algorithm, name, out var key) ? key : null))
                    {
                        any = true;
                        if (key is not { } blob) continue;
                        if (needed.Contains(blob))
                        {
                            count++;
                            continue;
                        }

                        var directory = Path.Combine(path, _digests.ToDigest(blob).Encoded);
                        if ((File.GetAttributes(directory) & FileAttributes.ReparsePoint) != 0) continue;
                        var data = Path.Combine(directory, "data");
                        var age = Candidate(data, out var file);
                        if (age == Age.Missing) dead.Add(directory);
                        else if (age == Age.Old) garbage.Add(new GarbageItem(GarbageKind.Blob, Relative(data), null, null, _digests.ToDigest(blob), file!.Length, file.LastWriteTimeUtc));
                        else count++;
                    }

                    if (!any) dead.Add(path);
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                {
                    lock (problems) problems.Add(new GarbageProblem($"'{Relative(path)}' can't be looked at: {exception.Message}", null, null, null, false));
                }

                lock (into)
                {
                    kept += count;
                    if (!listsAll) kept += garbage.Count;
                    else into.AddRange(garbage);
                    empty.AddRange(dead);
                }

                _options.Log.Progress("Looking through the blobs", Path.GetFileName(path), Interlocked.Increment(ref looked), directories.Count, "directory");
            },
            cancellationToken);
        into.Sort(static (left, right) => string.CompareOrdinal(left.Path, right.Path));
        return kept;
    }

    private enum Age
    {
        Old,
        Young,
        Missing,
        NotOurs,
    }

    private Age Candidate(string path, out FileInfo? file)
    {
        file = new FileInfo(path);
        try
        {
            if (!file.Exists) return Directory.Exists(path) ? Age.NotOurs : Age.Missing;
            if ((file.Attributes & FileAttributes.ReparsePoint) != 0) return Age.NotOurs;
            return file.LastWriteTimeUtc <= _threshold ? Age.Old : Age.Young;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return Age.NotOurs;
        }
    }

    private bool IsYoung(string path) => Candidate(path, out _) != Age.Old;

    private string LinkOf(string directory, Sha256Key key) => Path.Combine(directory, _digests.Segments(key), "link");

    private GarbageItem Item(GarbageKind kind, string path, RepositoryMark repository, string? tag, Sha256Key key, FileInfo file) =>
        new(kind, Relative(path), repository.Name, tag, _digests.ToDigest(key), file.Length, file.LastWriteTimeUtc);

    private string Relative(string path)
    {
        var relative = path.Substring(_location.V2.Length + 1);
        return Path.DirectorySeparatorChar == '/' ? relative : relative.Replace(Path.DirectorySeparatorChar, '/');
    }

    /// <summary>Keeps a manifest with everything it needs, and with what refers to it.</summary>
    private sealed class Walk(StorageMarker marker, RepositoryMark repository) : ManifestWalk(repository, marker._manifests)
    {
        private Sha256Key _root;
        private string? _tag;

        public void Keep(Sha256Key root, string? tag)
        {
            (_root, _tag) = (root, tag);
            From(root, Repository.Kept);
        }

        protected override void Manifest(in Step step, ManifestReading reading, bool isLinked)
        {
            if (reading.References is not { } references)
            {
                marker.Tell(Repository, step.Key, _root, _tag, reading.Reason, isBlocking: true);
                return;
            }

            // Its bytes are there because another repository has it: what it needs is known, and kept.
            if (!isLinked) marker.Tell(Repository, step.Key, _root, _tag, "the repository has no link to it", isBlocking: false);
            if (references.IsUnknown)
            {
                Repository.HasUnknown = true;
                marker.Tell(Repository, step.Key, _root, _tag, "it is of a kind that is not known here; everything in the repository is kept", isBlocking: false);
            }

            if (references.IsSchema1) marker.NeedSignatures(Repository, step.Key);
        }

        protected override void Blob(Sha256Key manifest, in ManifestReference blob) => Need(Repository, blob.Key);
    }
}
