using RegistryTools.Storage;

namespace RegistryTools.GarbageCollection;

/// <summary>
/// Gives back from the quarantine what is needed after all: by what was pushed while a run was under way, or by what a user wants back.
/// </summary>
internal sealed class Homecoming
{
    private readonly StorageLocation _location;
    private readonly DigestTable _digests;
    private readonly ManifestStore _manifests;
    private readonly QuarantineRun _run;
    private readonly FileActs _acts;
    private readonly Dictionary<Sha256Key, GarbageItem> _blobs = [];
    private readonly Dictionary<string, RepositoryItems> _repositories = new(StringComparer.Ordinal);

    public Homecoming(StorageLocation location, DigestTable digests, QuarantineRun run, FileActs acts, IEnumerable<GarbageItem> items)
    {
        _location = location;
        _digests = digests;
        _run = run;
        _acts = acts;
        _manifests = new ManifestStore(location, digests, Path.Combine(run.Files, "v2", "blobs"));
        foreach (var item in items)
        {
            if (item.Digest is null) continue;
            var key = digests.Key(item.Digest);
            if (item.Kind == GarbageKind.Blob)
            {
                _blobs[key] = item;
                continue;
            }

            if (item.Kind is not (GarbageKind.Manifest or GarbageKind.Layer)) continue;
            if (!_repositories.TryGetValue(item.Repository!, out var own)) _repositories[item.Repository!] = own = new RepositoryItems();
            (item.Kind == GarbageKind.Manifest ? own.Manifests : own.Layers)[key] = item;
        }
    }

    /// <summary>What came back.</summary>
    public List<GarbageItem> Returned { get; } = [];

    /// <summary>Whether there is anything that could be given back.</summary>
    public bool IsEmpty => _blobs.Count == 0 && _repositories.Count == 0;

    /// <summary>
    /// Goes through the repositories as they are now and gives back what tags and manifests need that were not known when <paramref name="marks"/> were made; where there are none, what any
    /// of them needs.
    /// </summary>
    /// <param name="marks">The repositories as they were marked; null for none.</param>
    /// <param name="force">Whether the run went on although something could not be read.</param>
    /// <param name="throttleLimit">How many files are read at once.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    /// <param name="only">The repositories to go through; null for all.</param>
    public void Look(IReadOnlyDictionary<string, RepositoryMark>? marks, bool force, int throttleLimit, CancellationToken cancellationToken, ICollection<string>? only = null)
    {
        if (IsEmpty) return;
        var reader = new RepositoryReader(_location, _digests, _manifests, throttleLimit);
        foreach (var repository in reader.Find([], cancellationToken))
        {
            if (only is not null && !only.Contains(repository.Name)) continue;
            reader.List(repository);
            reader.ReadTags(repository, divide: true, cancellationToken);
            RepositoryMark? mark = null;
            marks?.TryGetValue(repository.Name, out mark);
            _repositories.TryGetValue(repository.Name, out var own);
            var seen = new HashSet<Sha256Key>();
            var isWhole = true;
            foreach (var tag in repository.Tags)
            {
                if (!tag.IsRead || (IsKept(mark, tag.Target) && own?.Manifests.ContainsKey(tag.Target) != true)) continue;
                isWhole &= Return(repository.Name, tag.Target, seen) || mark?.Kept.Contains(tag.Target) == true;
            }

            foreach (var revision in repository.Revisions)
            {
                // What is there and was not kept was pushed since, or could not be moved.
                var wasThere = mark is not null && mark.RevisionIndex.TryGetValue(revision.Key, out var index) && mark.Revisions[index].Link != LinkState.Missing;
                if (IsKept(mark, revision.Key) || (wasThere && mark!.KeepsAll(force)) || !HasLink(repository.RevisionsDirectory, revision.Key)) continue;
                isWhole &= Return(repository.Name, revision.Key, seen) || wasThere;
            }

            // What something that was pushed needs can't be told: as in a mark, it may be anything that the repository had.
            if (!isWhole && own is not null) ReturnAll(own);

            foreach (var layer in repository.Layers)
            {
                if (_blobs.ContainsKey(layer) && HasLink(repository.LayersDirectory, layer)) ReturnBlob(layer);
                if (repository.LayerTargets.TryGetValue(layer, out var target)) ReturnBlob(target);
            }
        }
    }

    /// <summary>Gives back a manifest to a repository, with all it needs and all that refers to it; false where not all that it needs can be told.</summary>
    public bool Return(string repository, Sha256Key root, HashSet<Sha256Key> seen)
    {
        var isWhole = true;
        _repositories.TryGetValue(repository, out var own);
        var open = new Stack<Sha256Key>();
        open.Push(root);
        while (open.Count > 0)
        {
            var key = open.Pop();
            if (!seen.Add(key)) continue;
            var stored = Stored(repository, own, key);
            var references = _manifests.Get(stored).References;
            if (references is null || references.IsUnknown) isWhole = false;

            // The bytes first, then what points to them.
            ReturnBlob(key);
            ReturnBlob(stored);
            foreach (var blob in references is null ? [] : references.Blobs.Concat(references.Others)) ReturnLayer(own, blob.Key);
            foreach (var child in references is null ? [] : references.Manifests.Concat(references.Others))
            {
                ReturnLayer(own, child.Key);
                if (own?.Manifests.ContainsKey(child.Key) == true || references!.Manifests.Contains(child)) open.Push(child.Key);
            }

            if (own is null) continue;
            foreach (var referrer in own.ReferrersOf(key, _manifests)) open.Push(referrer);
            if (own.Manifests.TryGetValue(key, out var link) && MoveBack(link)) own.Manifests.Remove(key);
        }

        return isWhole;
    }

    /// <summary>Gives back something for itself; false where something else is in its place.</summary>
    /// <param name="item">What is given back.</param>
    /// <param name="isNoted">Whether the journal has it already.</param>
    public bool MoveBack(GarbageItem item, bool isNoted = false)
    {
        var from = _run.PathOf(item);
        var to = Path.Combine(_location.V2, item.Path);
        var isDirectory = item.Kind == GarbageKind.Upload;
        if (!(isDirectory ? Directory.Exists(from) : File.Exists(from))) return false;
        if (File.Exists(to) || Directory.Exists(to) || !StoragePaths.IsOwn(_location.V2, Path.GetDirectoryName(to)!)) return false;
        if (!isNoted) _run.Write("return", [item]);
        for (var attempt = 0; ; attempt++)
        {
            _acts.CreateDirectory(Path.GetDirectoryName(to)!);
            try
            {
                _acts.Move(from, to, isDirectory);
                break;
            }
            catch (DirectoryNotFoundException) when (attempt < 3)
            {
                // A registry tidied the directory away between the two.
            }
            catch (IOException) when (File.Exists(to))
            {
                return false;
            }
        }

        Returned.Add(item);
        return true;
    }

    public void ReturnBlob(Sha256Key key)
    {
        if (!_blobs.TryGetValue(key, out var item)) return;
        MoveBack(item);
        _blobs.Remove(key);
    }

    /// <summary>Whether a mark has kept a manifest and all that it needs. What a forced one could not read may have come meanwhile.</summary>
    private static bool IsKept(RepositoryMark? mark, Sha256Key key) => mark is { IsBlocked: false } && mark.Kept.Contains(key);

    /// <summary>What a manifest's bytes are stored under: another digest than its own only where that is no sha256.</summary>
    private Sha256Key Stored(string repository, RepositoryItems? own, Sha256Key key)
    {
        if (!_digests.IsOther(key)) return key;
        var link = Path.Combine(_location.Repositories, repository, "_manifests", "revisions", _digests.Segments(key), "link");
        if (StorageFile.ReadLink(link, _digests, out var target, out _) == LinkState.Read) return target;
        return own is not null && own.Manifests.TryGetValue(key, out var item) && StorageFile.ReadLink(_run.PathOf(item), _digests, out target, out _) == LinkState.Read ? target : key;
    }

    private void ReturnAll(RepositoryItems own)
    {
        foreach (var layer in own.Layers.Keys.ToList()) ReturnLayer(own, layer);
        foreach (var manifest in own.Manifests.ToList())
        {
            ReturnBlob(manifest.Key);
            if (MoveBack(manifest.Value)) own.Manifests.Remove(manifest.Key);
        }
    }

    private bool HasLink(string directory, Sha256Key key) => File.Exists(Path.Combine(directory, _digests.Segments(key), "link"));

    private void ReturnLayer(RepositoryItems? own, Sha256Key key)
    {
        ReturnBlob(key);
        if (own is null || !own.Layers.TryGetValue(key, out var link)) return;

        // A link under another digest than sha256 names the blob that it stands for.
        if (_digests.IsOther(key) && StorageFile.ReadLink(_run.PathOf(link), _digests, out var target, out _) == LinkState.Read && target != key) ReturnLayer(own, target);
        own.Layers.Remove(key);
        MoveBack(link);
    }

    private sealed class RepositoryItems
    {
        private Dictionary<Sha256Key, List<Sha256Key>>? _referrers;

        public Dictionary<Sha256Key, GarbageItem> Manifests { get; } = [];

        public Dictionary<Sha256Key, GarbageItem> Layers { get; } = [];

        public IEnumerable<Sha256Key> ReferrersOf(Sha256Key key, ManifestStore manifests)
        {
            if (_referrers is null)
            {
                _referrers = [];
                foreach (var manifest in Manifests.Keys)
                {
                    if (manifests.Get(manifest).References?.Subject is not { } subject) continue;
                    if (!_referrers.TryGetValue(subject, out var list)) _referrers[subject] = list = [];
                    list.Add(manifest);
                }
            }

            return _referrers.TryGetValue(key, out var found) ? found : [];
        }
    }
}
