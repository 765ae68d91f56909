using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Text;

namespace RegistryTools.Inspection;

/// <summary>
/// Finds out what tags point to: a HEAD a tag, a GET for each manifest and each configuration, so many at a time and none of them twice. Details come
/// in the order of the tags, as they are ready.
/// </summary>
public sealed class TagInspector
{
    /// <summary>How many manifests are remembered, so that another tag on one of them costs nothing. Beyond it the oldest are forgotten.</summary>
    public const int MaximumRemembered = 8_000;

    private const int MaximumDepth = 4;
    private readonly IRegistry _registry;
    private readonly int _limit;
    private readonly IActivityLog _log;

    /// <summary>Makes an inspector.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="throttleLimit">How many requests are under way at once.</param>
    /// <param name="log">Where it tells what it leaves out.</param>
    public TagInspector(IRegistry registry, int throttleLimit = 8, IActivityLog? log = null)
    {
        _registry = registry;
        _limit = Math.Max(1, throttleLimit);
        _log = log ?? NoActivityLog.Instance;
    }

    /// <summary>Finds out about the tags of one repository. What goes wrong with a tag is in its detail, and the next tag follows.</summary>
    public IAsyncEnumerable<TagDetail> InspectAsync(string repository, IAsyncEnumerable<string> tags, CancellationToken cancellationToken = default) =>
        ReadAsync(repository, tags, false, cancellationToken);

    /// <summary>As <see cref="InspectAsync"/>, but finds only what a HEAD tells: digest and media type.</summary>
    public IAsyncEnumerable<TagDetail> LookUpAsync(string repository, IAsyncEnumerable<string> tags, CancellationToken cancellationToken = default) =>
        ReadAsync(repository, tags, true, cancellationToken);

    private async IAsyncEnumerable<TagDetail> ReadAsync(
        string repository, IAsyncEnumerable<string> tags, bool headOnly, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var run = new Run(this, repository, stop.Token);
        var window = new Queue<Task<TagDetail>>();
        try
        {
            await foreach (var tag in tags.WithCancellation(stop.Token).ConfigureAwait(false))
            {
                while (window.Count > 0 && (window.Count >= _limit || window.Peek().IsCompleted)) yield return await window.Dequeue().ConfigureAwait(false);
                window.Enqueue(run.InspectAsync(tag, headOnly));
            }

            while (window.Count > 0) yield return await window.Dequeue().ConfigureAwait(false);
        }
        finally
        {
            stop.Cancel();
            try
            {
                await run.EndAsync(window).ConfigureAwait(false);
            }
            catch (Exception)
            {
                // Whoever left early does not want to know how the rest ended, only that it has.
            }
        }
    }

    private sealed class Run(TagInspector inspector, string repository, CancellationToken token) : IDisposable
    {
        private readonly SemaphoreSlim _slots = new(inspector._limit);
        private readonly Remembered<Facts> _manifests = new(MaximumRemembered);
        private readonly ConcurrentDictionary<Platform, Platform> _platforms = new();
        private readonly Remembered<Build> _configs = new(MaximumRemembered);

        public void Dispose() => _slots.Dispose();

        public async Task EndAsync(IEnumerable<Task> window)
        {
            await Settle(window).ConfigureAwait(false);
            await Settle(_manifests.Tasks).ConfigureAwait(false);
            await Settle(_configs.Tasks).ConfigureAwait(false);
        }

        public async Task<TagDetail> InspectAsync(string tag, bool headOnly)
        {
            try
            {
                var found = await SlotAsync(() => inspector._registry.FindManifestAsync(repository, tag, token)).ConfigureAwait(false)
                    ?? throw new TagNotFoundException(inspector._registry.Name, repository, tag);
                if (headOnly) return new TagDetail { Tag = tag, Digest = found.Digest, MediaType = found.MediaType };
                var facts = await FactsAsync(found.Digest, 0).ConfigureAwait(false);
                var size = facts.OwnSize;
                if (size is not null)
                {
                    var counted = new HashSet<Digest>();
                    foreach (var (digest, bytes) in facts.Content)
                    {
                        if (counted.Add(digest)) size += bytes;
                    }
                }

                return new TagDetail
                {
                    Tag = tag,
                    Tagged = inspector._registry is ITagTimes times ? await times.FindTaggedAsync(repository, tag, token).ConfigureAwait(false) : null,
                    Digest = found.Digest,
                    MediaType = facts.MediaType,
                    Kind = facts.Kind,
                    Size = size,
                    Created = facts.Created,
                    Platforms = facts.Platforms,
                    ArtifactType = facts.ArtifactType,
                    IsPlaceholder = facts.IsPlaceholder,
                };
            }
            catch (Exception error) when (!token.IsCancellationRequested)
            {
                return new TagDetail { Tag = tag, Error = error };
            }
        }

        private static async Task Settle(IEnumerable<Task> tasks)
        {
            foreach (var task in tasks)
            {
                try
                {
                    await task.ConfigureAwait(false);
                }
                catch (Exception)
                {
                    // Looked at, so that nothing is left unobserved.
                }
            }
        }

        private Task<Facts> FactsAsync(Digest digest, int depth) => _manifests.GetOrAdd(digest, () => ReadAsync(digest, depth));

        private async Task<Facts> ReadAsync(Digest digest, int depth)
        {
            var manifest = await SlotAsync(() => inspector._registry.GetManifestAsync(repository, digest.ToString(), token)).ConfigureAwait(false);
            var facts = new Facts
            {
                MediaType = MediaTypes.IsManifest(manifest.MediaType) ? string.Intern(manifest.MediaType) : manifest.MediaType,
                Kind = manifest.Kind,
                ArtifactType = manifest.ArtifactType,
                OwnSize = manifest.Raw.Length,
                IsPlaceholder = PlaceholderManifest.Recognize(manifest) is not null,
            };
            switch (manifest.Kind)
            {
                case ManifestKind.Image:
                    facts.Content = [.. manifest.Blobs().Where(blob => blob.Size >= 0).Select(blob => (blob.Digest, blob.Size))];
                    if (manifest.Blobs().Any(blob => blob.Size < 0)) facts.OwnSize = null;
                    if (manifest.Config is { } config && MediaTypes.IsImageConfig(config.MediaType))
                    {
                        var image = await _configs.GetOrAdd(config.Digest, () => ReadConfigAsync(config.Digest)).ConfigureAwait(false);
                        facts.Created = image.Created;
                        facts.Platforms = image.Platforms;
                    }

                    break;
                case ManifestKind.Index:
                    await ReadIndexAsync(facts, manifest, depth).ConfigureAwait(false);
                    break;
                default:
                    facts.OwnSize = null;
                    break;
            }

            return facts;
        }

        private async Task ReadIndexAsync(Facts facts, Manifest index, int depth)
        {
            // What is marked as running on nothing known, as build attestations are, is not pulled with the image.
            var children = index.Manifests.Where(child => child.Platform is not { Os: "unknown", Architecture: "unknown" }).ToList();
            if (depth >= MaximumDepth)
            {
                facts.OwnSize = null;
                return;
            }

            var read = await Task.WhenAll(children.Select(child => TryChildAsync(index, child, depth + 1))).ConfigureAwait(false);
            var content = new Dictionary<Digest, long>();
            var platforms = new List<Platform>();
            for (var i = 0; i < children.Count; i++)
            {
                if (read[i] is not { } child)
                {
                    facts.OwnSize = null;
                    if (children[i].Platform is { IsUnknown: false } told) platforms.Add(told);
                    continue;
                }

                if (child.OwnSize is { } own) content[children[i].Digest] = own;
                else facts.OwnSize = null;
                foreach (var (digest, bytes) in child.Content) content[digest] = bytes;
                if (child.Created is { } created && (facts.Created is null || created > facts.Created)) facts.Created = created;
                if (children[i].Platform is { IsUnknown: false } platform) platforms.Add(platform);
                else platforms.AddRange(child.Platforms);
            }

            facts.Content = [.. content.Select(pair => (pair.Key, pair.Value))];
            facts.Platforms = [.. platforms.Distinct()];
        }

        private async Task<Facts?> TryChildAsync(Manifest index, Descriptor child, int depth)
        {
            try
            {
                return await FactsAsync(child.Digest, depth).ConfigureAwait(false);
            }
            catch (RegistryNotFoundException)
            {
                inspector._log.Verbose($"The index {index.Digest} of '{repository}' lists {child.Digest}, which is not there: its size is not counted.");
                return null;
            }
        }

        private async Task<Build> ReadConfigAsync(Digest digest)
        {
            var config = ImageConfig.Parse(await SlotAsync(() => inspector._registry.ReadBlobAsync(repository, digest, ImageConfig.MaximumSize, token)).ConfigureAwait(false), digest);
            return new Build(config.Created, config.Platform.IsUnknown ? [] : [_platforms.GetOrAdd(config.Platform, config.Platform)]);
        }

        private async Task<T> SlotAsync<T>(Func<Task<T>> request)
        {
            await _slots.WaitAsync(token).ConfigureAwait(false);
            try
            {
                return await request().ConfigureAwait(false);
            }
            finally
            {
                _slots.Release();
            }
        }
    }

    /// <summary>What is remembered of a configuration: of tens of thousands the rest would be most of the memory.</summary>
    private sealed record Build(DateTimeOffset? Created, Platform[] Platforms);

    private sealed class Facts
    {
        public required string MediaType { get; init; }

        public required ManifestKind Kind { get; init; }

        public string? ArtifactType { get; init; }

        public bool IsPlaceholder { get; init; }

        /// <summary>The manifest's own bytes; null where the whole size can't be told.</summary>
        public long? OwnSize { get; set; }

        /// <summary>Everything else that is pulled with it.</summary>
        public (Digest Digest, long Size)[] Content { get; set; } = [];

        public DateTimeOffset? Created { get; set; }

        public IReadOnlyList<Platform> Platforms { get; set; } = [];
    }

    /// <summary>What was asked for already, by digest, asked once however many ask at the same time.</summary>
    private sealed class Remembered<T>(int capacity)
    {
        private readonly object _gate = new();
        private readonly Dictionary<Digest, Task<T>> _tasks = [];
        private readonly Queue<Digest> _ages = new();

        public IReadOnlyList<Task> Tasks
        {
            get
            {
                lock (_gate) return [.. _tasks.Values];
            }
        }

        public Task<T> GetOrAdd(Digest digest, Func<Task<T>> make)
        {
            TaskCompletionSource<T> mine;
            lock (_gate)
            {
                if (_tasks.TryGetValue(digest, out var known)) return known;
                if (_ages.Count >= capacity) _tasks.Remove(_ages.Dequeue());
                mine = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
                _tasks.Add(digest, mine.Task);
                _ages.Enqueue(digest);
            }

            _ = CompleteAsync(mine, make);
            return mine.Task;
        }

        private static async Task CompleteAsync(TaskCompletionSource<T> source, Func<Task<T>> make)
        {
            try
            {
                source.TrySetResult(await make().ConfigureAwait(false));
            }
            catch (OperationCanceledException)
            {
                source.TrySetCanceled();
            }
            catch (Exception error)
            {
                source.TrySetException(error);
                _ = source.Task.Exception;
            }
        }
    }
}
