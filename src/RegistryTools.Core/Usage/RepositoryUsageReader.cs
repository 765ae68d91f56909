using RegistryTools.GarbageCollection;
using RegistryTools.Storage;
using RegistryTools.Text;

namespace RegistryTools.Usage;

/// <summary>Finds what each tag of a repository needs, by the numbers that the blobs were given. It goes where the collector goes, but from each tag anew.</summary>
internal sealed class RepositoryUsageReader(RepositoryMark repository, ManifestStore manifests, DigestTable digests, Dictionary<Sha256Key, int> blobs) : ManifestWalk(repository, manifests)
{
    private readonly Dictionary<Sha256Key, TagNeeds> _known = [];
    private readonly HashSet<Sha256Key> _told = [];
    private readonly HashSet<Sha256Key> _lost = [];
    private readonly List<int> _blobs = [];
    private readonly List<int> _manifests = [];
    private readonly HashSet<Sha256Key> _missing = [];
    private int _count;
    private bool _isBroken;
    private string? _tag;

    public UsageRepository Read(CancellationToken cancellationToken)
    {
        // What was found wrong with a tag goes with the tag; the rest stays whichever tags are removed.
        var isHeld = Repository.IsUnlisted || Repository.Problems.Exists(static problem => problem.IsBlocking && problem.Tag is null);
        var tags = new List<UsageTag>(Repository.Tags.Length);
        foreach (var tag in Repository.Tags)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (tag.IsTag) tags.Add(new UsageTag(tag.Name, tag.IsRead ? NeedsOf(tag) : null));
        }

        tags.Sort(static (left, right) => string.CompareOrdinal(left.Name, right.Name));
        var tagged = new bool[Repository.Revisions.Length];
        foreach (var needs in _known.Values)
        {
            foreach (var manifest in needs.Manifests) tagged[manifest] = true;
        }

        // What is there and can't be read stays although no tag needs it, and everything else with it.
        Begin(null);
        var seen = new HashSet<Sha256Key>();
        foreach (var revision in Repository.Revisions)
        {
            if (revision.Link == LinkState.Missing || revision.Reading?.IsUnreadable != true) continue;
            isHeld = true;
            From(revision.Key, seen);
        }

        foreach (var revision in Repository.Revisions)
        {
            if (revision.Link == LinkState.Missing) continue;
            Add(revision.Key);
            Add(revision.Target);
        }

        var layers = new List<(Sha256Key Key, int Number)>();
        foreach (var layer in Repository.Layers)
        {
            if (!Repository.LayerTargets.TryGetValue(layer, out var target)) target = layer;
            Add(layer);
            if (Add(target)) layers.Add((layer, blobs[target]));
        }

        var linked = Numbers(_blobs);

        Begin(null);
        seen.Clear();
        for (var i = 0; i < tagged.Length; i++)
        {
            if (!tagged[i] && Repository.Revisions[i].Link != LinkState.Missing) From(Repository.Revisions[i].Key, seen);
        }

        var untagged = Numbers(_blobs);
        var needed = new HashSet<int>(untagged);
        foreach (var needs in _known.Values) needed.UnionWith(needs.Blobs);
        _blobs.Clear();
        foreach (var (key, number) in layers)
        {
            // Deleting a layer leaves a directory without a link in it.
            if (!needed.Contains(number) && File.Exists(Path.Combine(Repository.LayersDirectory, digests.Segments(key), "link"))) _blobs.Add(number);
        }

        return new UsageRepository(Repository.Name)
        {
            Tags = [.. tags],
            Manifests = Repository.Revisions.Count(static revision => revision.Link != LinkState.Missing),
            ManifestNumbers = Repository.Revisions.Length,
            Untagged = untagged,
            Layers = Numbers(_blobs),
            Linked = linked,
            IsHeld = isHeld,
            Missing = _lost.Count,
        };
    }

    protected override void Manifest(in Step step, ManifestReading reading, bool isLinked)
    {
        _count++;
        Add(step.Key);
        if (Repository.RevisionIndex.TryGetValue(step.Key, out var index))
        {
            if (isLinked) _manifests.Add(index);
            Add(Repository.Revisions[index].Target);
        }

        if (reading.References is { } references)
        {
            if (references.IsSchema1) AddSignatures(step.Key);
            if (!references.IsUnknown) return;
        }

        _isBroken = true;
        var reason = reading.References is null ? reading.Reason : "it is of a kind that is not known here";
        if (!_told.Add(step.Key)) return;
        var needer = _tag is null ? "which no tag needs," : $"which the tag '{Shown.Short(_tag)}' needs,";
        var digest = digests.ToDigest(step.Key);
        Repository.Block(new GarbageProblem($"The manifest {digest} of '{Repository.Name}', {needer} can't be followed: {reason}. What it needs is not known.", Repository.Name, _tag, digest, _tag is not null || reading.IsUnreadable));
    }

    protected override void Blob(Sha256Key manifest, in ManifestReference blob)
    {
        if (!Add(blob.Key) && !blob.IsForeign && (!Repository.LayerTargets.TryGetValue(blob.Key, out var target) || !blobs.ContainsKey(target)))
        {
            _missing.Add(blob.Key);
            _lost.Add(blob.Key);
        }

        if (Repository.LayerTargets.TryGetValue(blob.Key, out target)) Add(target);
    }

    private static int[] Numbers(List<int> numbers)
    {
        if (numbers.Count == 0) return [];
        numbers.Sort();
        var kept = 1;
        for (var i = 1; i < numbers.Count; i++)
        {
            if (numbers[i] != numbers[kept - 1]) numbers[kept++] = numbers[i];
        }

        return [.. numbers.Take(kept)];
    }

    private TagNeeds NeedsOf(in TagMark tag)
    {
        if (_known.TryGetValue(tag.Target, out var needs)) return needs;
        Begin(tag.Name);
        From(tag.Target, []);
        needs = new TagNeeds { Blobs = Numbers(_blobs), Manifests = Numbers(_manifests), ManifestCount = _count, Missing = _missing.Count, IsBroken = _isBroken };
        _known.Add(tag.Target, needs);
        return needs;
    }

    private void Begin(string? tag)
    {
        _tag = tag;
        _count = 0;
        _isBroken = false;
        _blobs.Clear();
        _manifests.Clear();
        _missing.Clear();
    }

    private bool Add(Sha256Key key)
    {
        if (!blobs.TryGetValue(key, out var number)) return false;
        _blobs.Add(number);
        return true;
    }

    // The first registries kept the signatures of schema 1 as blobs of their own.
    private void AddSignatures(Sha256Key key)
    {
        var directory = Path.Combine(Repository.RevisionsDirectory, digests.Segments(key), "signatures");
        if (!Directory.Exists(directory)) return;
        try
        {
            foreach (var algorithm in StorageDirectory.Read(directory))
            {
                if (algorithm.Kind != EntryKind.Directory) continue;
                foreach (var (name, _) in StorageDirectory.Read(Path.Combine(directory, algorithm.Name)))
                {
                    if (digests.TryKey(algorithm.Name, name.AsSpan(), out var signature)) Add(signature);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _isBroken = true;
            Repository.Block(new GarbageProblem($"The signatures of {digests.ToDigest(key)} in '{Repository.Name}' can't be listed: {exception.Message}", Repository.Name, _tag, digests.ToDigest(key), _tag is not null));
        }
    }
}
