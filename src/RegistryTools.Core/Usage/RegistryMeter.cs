using System.Collections.Concurrent;
using RegistryTools.Errors;
using RegistryTools.GarbageCollection;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Storage;
using RegistryTools.Text;
using RegistryTools.Threading;

namespace RegistryTools.Usage;

/// <summary>How a registry is measured by what it answers.</summary>
public sealed class RegistryMeterOptions
{
    /// <summary>How many requests are under way at once.</summary>
    public int ThrottleLimit { get; init; } = 8;

    /// <summary>Whether it asks for each manifest what refers to it, and counts that as the tag's: a request more for each.</summary>
    public bool IncludeReferrers { get; init; }

    /// <summary>Where it tells what it does.</summary>
    public IActivityLog Log { get; init; } = NoActivityLog.Instance;
}

/// <summary>
/// Measures the tags of repositories by asking the registry: a HEAD a tag, a GET for each manifest, none twice; the sizes are those that manifests tell. What is shared is seen among the repositories that are
/// measured together; untagged manifests and garbage are not seen at all.
/// </summary>
public sealed class RegistryMeter
{
    private const string Activity = "Measuring tags";

    // Nobody nests indexes so deep; a registry that answers anything could do it without end.
    private const int MaximumDepth = 16;

    private readonly IRegistry _registry;
    private readonly RegistryMeterOptions _options;

    /// <summary>Makes a meter.</summary>
    public RegistryMeter(IRegistry registry, RegistryMeterOptions? options = null)
    {
        _registry = registry;
        _options = options ?? new RegistryMeterOptions();
    }

    /// <summary>Measures these repositories. What goes wrong with one of them, or with a tag, is among the errors, and the rest is measured.</summary>
    public async Task<StorageMeasurement> MeasureAsync(IEnumerable<string> repositories, CancellationToken cancellationToken)
    {
        var names = repositories.Distinct(StringComparer.Ordinal).OrderBy(static name => name, StringComparer.Ordinal).ToArray();
        var run = new Run(_registry, _options, names, cancellationToken);
        await run.ReadAsync().ConfigureAwait(false);
        return run.Measure();
    }

    private sealed class Run(IRegistry registry, RegistryMeterOptions options, string[] repositories, CancellationToken cancellationToken)
    {
        private readonly DigestTable _digests = new();
        private readonly List<string>?[] _tags = new List<string>?[repositories.Length];
        private readonly List<Place> _places = [];
        private readonly ConcurrentDictionary<Sha256Key, Lazy<Task<Fetched>>> _fetched = new();
        private readonly ConcurrentDictionary<(int Repository, Sha256Key Key), Fetched> _manifests = new();
        private readonly ConcurrentDictionary<Sha256Key, Fetched> _contents = new();
        private readonly ConcurrentDictionary<(int Repository, Sha256Key Key), Sha256Key[]> _referrers = new();
        private readonly ConcurrentDictionary<Sha256Key, long?> _asked = new();
        private readonly List<GarbageProblem> _problems = [];
        private readonly List<UsageError> _errors = [];

        public async Task ReadAsync()
        {
            var listed = 0;
            await Throttle.ForEachAsync(
                Enumerable.Range(0, repositories.Length).ToList(),
                options.ThrottleLimit,
                async repository =>
                {
                    await ListAsync(repository).ConfigureAwait(false);
                    options.Log.Progress("Listing tags", repositories[repository], Interlocked.Increment(ref listed), repositories.Length, "repository");
                },
                cancellationToken).ConfigureAwait(false);
            for (var r = 0; r < repositories.Length; r++)
            {
                foreach (var tag in _tags[r] ?? []) _places.Add(new Place(r, tag));
            }

            var done = 0;
            await Throttle.ForEachAsync(
                _places,
                options.ThrottleLimit,
                async place =>
                {
                    await LookUpAsync(place).ConfigureAwait(false);
                    if (place.Target is { } target) await FetchAsync(place.Repository, target).ConfigureAwait(false);
                    options.Log.Progress(Activity, repositories[place.Repository], Interlocked.Increment(ref done), _places.Count, "tag");
                },
                cancellationToken).ConfigureAwait(false);

            var next = _manifests.Keys.ToList();
            for (var depth = 0; next.Count > 0 && depth < MaximumDepth; depth++)
            {
                if (options.IncludeReferrers) await Throttle.ForEachAsync(next, options.ThrottleLimit, FindReferrersAsync, cancellationToken).ConfigureAwait(false);
                next = [.. next.SelectMany(Below).Distinct().Where(below => !_manifests.ContainsKey(below))];
                var (fetched, all) = (0, next.Count);
                await Throttle.ForEachAsync(
                    next,
                    options.ThrottleLimit,
                    async below =>
                    {
                        await FetchAsync(below.Repository, below.Key).ConfigureAwait(false);
                        options.Log.Progress("Reading what the tags need", repositories[below.Repository], Interlocked.Increment(ref fetched), all, "manifest");
                    },
                    cancellationToken).ConfigureAwait(false);
            }

            var untold = new Dictionary<Sha256Key, int>();
            foreach (var pair in _manifests)
            {
                foreach (var blob in BlobsOf(pair.Value))
                {
                    if (blob.Size < 0 || blob.IsForeign) untold[blob.Key] = pair.Key.Repository;
                }
            }

            var asked = 0;
            await Throttle.ForEachAsync(
                untold.ToList(),
                options.ThrottleLimit,
                async blob =>
                {
                    await AskAsync(blob.Value, blob.Key).ConfigureAwait(false);
                    options.Log.Progress("Asking for sizes", repositories[blob.Value], Interlocked.Increment(ref asked), untold.Count, "blob");
                },
                cancellationToken).ConfigureAwait(false);
        }

        public StorageMeasurement Measure()
        {
            var numbers = new Dictionary<Sha256Key, int>();
            var sizes = new List<long>();
            var measured = new List<UsageRepository>();
            var places = _places.ToLookup(static place => place.Repository);
            for (var r = 0; r < repositories.Length; r++)
            {
                if (_tags[r] is null) continue;
                var walk = new Walk(this, r, numbers, sizes);
                var tags = places[r].OrderBy(static place => place.Tag, StringComparer.Ordinal).Select(place => new UsageTag(place.Tag, place.Target is { } target ? walk.NeedsOf(target, place.Tag) : null)).ToArray();
                measured.Add(new UsageRepository(repositories[r]) { Tags = tags, Manifests = walk.ManifestCount, ManifestNumbers = walk.ManifestCount, Missing = walk.MissingCount });
            }

            options.Log.Verbose($"Measured {_places.Count} tags of {measured.Count} repositories on {registry.Name} by {_fetched.Count} manifests.");
            return new StorageMeasurement(new UsageGraph(sizes, measured, isStorage: false, canCollect: true), null, _problems, _errors);
        }

        private static IEnumerable<ManifestReference> BlobsOf(Fetched manifest) => manifest.References is { } references ? references.Blobs.Concat(references.Others) : [];

        private async Task ListAsync(int repository)
        {
            try
            {
                var tags = new List<string>();
                await foreach (var tag in registry.ListTagsAsync(repositories[repository], cancellationToken).ConfigureAwait(false)) tags.Add(tag);
                _tags[repository] = [.. tags.Distinct(StringComparer.Ordinal)];
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                Tell(repository, null, error);
            }
        }

        private async Task LookUpAsync(Place place)
        {
            try
            {
                var found = await registry.FindManifestAsync(repositories[place.Repository], place.Tag, cancellationToken).ConfigureAwait(false);
                if (found is null) Tell(place.Repository, place.Tag, new TagNotFoundException(registry.Name, repositories[place.Repository], place.Tag));
                else place.Target = _digests.Key(found.Digest);
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                Tell(place.Repository, place.Tag, error);
            }
        }

        // A manifest is the same in every repository that has it, but one that does not have it says nothing of the others. What any has is known for all, as it is of a storage: which of them was asked first must not
        // decide what is told.
        private async Task FetchAsync(int repository, Sha256Key key)
        {
            if (_manifests.ContainsKey((repository, key))) return;
            var fetched = await _fetched.GetOrAdd(key, _ => new Lazy<Task<Fetched>>(() => GetAsync(repository, key))).Value.ConfigureAwait(false);
            if (fetched.References is null && fetched.Repository != repository) fetched = await GetAsync(repository, key).ConfigureAwait(false);
            _manifests.TryAdd((repository, key), fetched);
            if (fetched.References is not null) _contents.TryAdd(key, fetched);
        }

        private async Task<Fetched> GetAsync(int repository, Sha256Key key)
        {
            var digest = _digests.ToDigest(key);
            try
            {
                var manifest = await registry.GetManifestAsync(repositories[repository], digest.ToString(), cancellationToken).ConfigureAwait(false);
                return new Fetched(repository, ManifestReferences.Parse(manifest.Raw.Span, _digests), manifest.Raw.Length, false, null);
            }
            catch (RegistryNotFoundException error) when (!cancellationToken.IsCancellationRequested)
            {
                // Build caches list layers under a manifest's type, too.
                try
                {
                    var size = await registry.FindBlobAsync(repositories[repository], digest, cancellationToken).ConfigureAwait(false);
                    return new Fetched(repository, null, size ?? -1, size >= 0, error);
                }
                catch (RegistryToolsException)
                {
                    return new Fetched(repository, null, -1, false, error);
                }
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                return new Fetched(repository, null, -1, false, error);
            }
        }

        private async Task FindReferrersAsync((int Repository, Sha256Key Key) manifest)
        {
            if (!_manifests.TryGetValue(manifest, out var fetched) || fetched.References is null) return;
            try
            {
                var found = new List<Sha256Key>();
                await foreach (var referrer in registry.ListReferrersAsync(repositories[manifest.Repository], _digests.ToDigest(manifest.Key), null, cancellationToken).ConfigureAwait(false)) found.Add(_digests.Key(referrer.Digest));
                if (found.Count > 0) _referrers[manifest] = [.. found];
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                Tell(manifest.Repository, null, error);
            }
        }

        private async Task AskAsync(int repository, Sha256Key blob)
        {
            try
            {
                _asked[blob] = await registry.FindBlobAsync(repositories[repository], _digests.ToDigest(blob), cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                _asked[blob] = -1;
                Tell(repository, null, error);
            }
        }

        private IEnumerable<(int Repository, Sha256Key Key)> Below((int Repository, Sha256Key Key) manifest)
        {
            if (_contents.TryGetValue(manifest.Key, out var fetched) && fetched.References is { } references)
            {
                foreach (var child in references.Manifests) yield return (manifest.Repository, child.Key);
            }

            if (!_referrers.TryGetValue(manifest, out var referrers)) yield break;
            foreach (var referrer in referrers) yield return (manifest.Repository, referrer);
        }

        private void Tell(int repository, string? tag, Exception error)
        {
            lock (_errors) _errors.Add(new UsageError(repositories[repository], tag, error));
        }

        /// <summary>A tag, and what it points to.</summary>
        private sealed class Place(int repository, string tag)
        {
            public int Repository { get; } = repository;

            public string Tag { get; } = tag;

            public Sha256Key? Target { get; set; }
        }

        /// <summary>What asking for a manifest came to.</summary>
        private sealed record Fetched(int Repository, ManifestReferences? References, long Size, bool IsBlob, Exception? Error);

        /// <summary>Finds what the tags of a repository need, from what was fetched.</summary>
        private sealed class Walk(Run run, int repository, Dictionary<Sha256Key, int> numbers, List<long> sizes)
        {
            private readonly Dictionary<Sha256Key, TagNeeds> _known = [];
            private readonly Dictionary<Sha256Key, int> _numbers = [];
            private readonly HashSet<Sha256Key> _lost = [];
            private readonly HashSet<Sha256Key> _told = [];

            public int ManifestCount => _numbers.Count;

            public int MissingCount => _lost.Count;

            public TagNeeds NeedsOf(Sha256Key root, string tag)
            {
                if (_known.TryGetValue(root, out var needs)) return needs;
                var blobs = new HashSet<int>();
                var missing = new HashSet<Sha256Key>();
                var manifests = new HashSet<int>();
                var seen = new HashSet<Sha256Key>();
                var isBroken = false;
                var open = new Stack<Sha256Key>();
                open.Push(root);
                while (open.Count > 0)
                {
                    var key = open.Pop();
                    if (!seen.Add(key)) continue;
                    if (!run._contents.TryGetValue(key, out var fetched)) run._manifests.TryGetValue((repository, key), out fetched);
                    if (fetched is null or { References: null, IsBlob: false })
                    {
                        isBroken = true;
                        if (_told.Add(key)) Tell(key, tag, fetched?.Error);
                        continue;
                    }

                    blobs.Add(Number(key, fetched.Size));
                    if (fetched.References is not { } references) continue;
                    if (!_numbers.TryGetValue(key, out var manifest)) _numbers.Add(key, manifest = _numbers.Count);
                    manifests.Add(manifest);
                    if (references.IsUnknown)
                    {
                        isBroken = true;
                        if (_told.Add(key)) Problem(key, tag, "it is of a kind that is not known here");
                    }

                    foreach (var blob in BlobsOf(fetched))
                    {
                        var size = blob.Size < 0 || blob.IsForeign ? run._asked[blob.Key] : blob.Size;
                        if (size >= 0)
                        {
                            blobs.Add(Number(blob.Key, size.Value));
                        }
                        else if (size is not null)
                        {
                            isBroken = true;
                            if (_told.Add(blob.Key)) Problem(key, tag, $"the registry does not tell the size of its blob {run._digests.ToDigest(blob.Key)}");
                        }
                        else if (!blob.IsForeign)
                        {
                            missing.Add(blob.Key);
                        }
                    }

                    foreach (var below in run.Below((repository, key))) open.Push(below.Key);
                }

                _lost.UnionWith(missing);
                needs = new TagNeeds { Blobs = [.. blobs], Manifests = [.. manifests], ManifestCount = manifests.Count, Missing = missing.Count, IsBroken = isBroken };
                _known.Add(root, needs);
                return needs;
            }

            private int Number(Sha256Key key, long size)
            {
                if (numbers.TryGetValue(key, out var number)) return number;
                numbers.Add(key, number = sizes.Count);
                sizes.Add(size);
                return number;
            }

            private void Tell(Sha256Key key, string tag, Exception? error)
            {
                if (error is null) Problem(key, tag, "it is nested too deep");
                else if (error is RegistryNotFoundException) Problem(key, tag, "the registry does not have it");
                else run.Tell(repository, tag, error);
            }

            private void Problem(Sha256Key key, string tag, string reason)
            {
                var digest = run._digests.ToDigest(key);
                run._problems.Add(new GarbageProblem(
                    $"The manifest {digest} of '{run.Name(repository)}', which the tag '{Shown.Short(tag)}' needs, can't be followed: {reason}. What it needs is not known.", run.Name(repository), tag, digest, false));
            }
        }

        private string Name(int repository) => repositories[repository];
    }
}
