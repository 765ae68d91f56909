using System.Collections.Concurrent;
using System.Diagnostics;
using RegistryTools.GarbageCollection;
using RegistryTools.References;
using RegistryTools.Storage;
using RegistryTools.Text;
using RegistryTools.Threading;

namespace RegistryTools.Verification;

/// <summary>
/// Looks through a storage for what is broken: every tag, manifest, link and blob once. Changes nothing. What is pushed or deleted while it looks may be reported as broken: look again before anything is done about it.
/// </summary>
public sealed class StorageVerifier
{
    private const string Activity = "Verifying the storage";
    private const string TakeAway = "Bring the file back from a backup; or have Repair-RegistryStorage take it away, since the registry takes no other in its place as long as it is there, and push what needs it again.";

    private readonly StorageLocation _location;
    private readonly StorageVerifierOptions _options;
    private readonly DigestTable _digests = new();
    private readonly ManifestStore _manifests;
    private readonly BlobTable _blobs;
    private readonly ConcurrentDictionary<Sha256Key, bool> _reached = new();
    private readonly ConcurrentDictionary<Sha256Key, bool> _toldManifests = new();
    private readonly Lazy<List<QuarantineRun>> _runs;
    private readonly object _gate = new();
    private readonly StorageVerification _result;
    private Action<StorageFinding>? _found;

    /// <summary>Makes a verifier, for one verification.</summary>
    public StorageVerifier(StorageLocation location, StorageVerifierOptions? options = null)
    {
        _location = location;
        _options = options ?? new StorageVerifierOptions();
        _manifests = new ManifestStore(location, _digests);
        _blobs = new BlobTable(location, _digests);
        _runs = new Lazy<List<QuarantineRun>>(() => new Quarantine(location).Runs());
        _result = new StorageVerification { StoragePath = location.Root };
    }

    /// <summary>Verifies the storage.</summary>
    /// <param name="found">Told of each finding as it is found, from any thread, one at a time.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    public Task<StorageVerification> VerifyAsync(Action<StorageFinding> found, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            _found = found;
            return Verify(cancellationToken);
        },
        cancellationToken);

    private StorageVerification Verify(CancellationToken cancellationToken)
    {
        var clock = Stopwatch.StartNew();
        var reader = new RepositoryReader(_location, _digests, _manifests, _options.ThrottleLimit);
        var problems = new List<GarbageProblem>();
        var repositories = reader.Find(problems, cancellationToken, log: _options.Log);
        if (_options.RepositoryFilter is { } filter) repositories.RemoveAll(repository => !filter(repository.Name));
        else foreach (var problem in problems) Obstacle(problem);
        _blobs.Read(_options.ThrottleLimit, TellOfBlob, _options.Log, cancellationToken);

        var done = 0;
        ParallelWork.For(
            repositories.Count,
            repositories.Count < _options.ThrottleLimit ? 1 : _options.ThrottleLimit,
            index =>
            {
                var repository = repositories[index];
                reader.List(repository);
                reader.Read(repository, divide: repositories.Count < _options.ThrottleLimit, cancellationToken);
                new RepositoryVerifier(this, repository).Verify(cancellationToken);
                _options.Log.Progress(Activity, repository.Name, Interlocked.Increment(ref done), repositories.Count, "repository");
            },
            cancellationToken);

        _result.Repositories = repositories.Count;
        foreach (var repository in repositories)
        {
            _result.Tags += repository.Tags.Count(static tag => tag.IsTag);
            _result.Manifests += repository.Revisions.Count(static revision => revision.Link != LinkState.Missing);
            _result.Layers += repository.Layers.Count;
        }

        _result.Blobs = _blobs.Count;
        _result.Size = _blobs.All.Sum(static blob => blob.Value);
        if (_options.Content) VerifyContent(repositories, cancellationToken);
        _result.Duration = clock.Elapsed;
        _options.Log.Verbose($"Verified {_result.Repositories} repositories with {_result.Tags} tags, {_result.Manifests} manifests and {_result.Blobs} blobs: {_result.Errors} errors, {_result.Warnings} warnings, {_result.Informations} other findings.");
        return _result;
    }

    private void VerifyContent(List<RepositoryMark> repositories, CancellationToken cancellationToken)
    {
        IEnumerable<KeyValuePair<Sha256Key, long>> blobs = _blobs.All;
        if (_options.RepositoryFilter is not null)
        {
            var linked = new HashSet<Sha256Key>(repositories.SelectMany(static repository => repository.Layers.Concat(repository.Revisions.Select(static revision => revision.Target))).Concat(_reached.Keys));
            blobs = blobs.Where(blob => linked.Contains(blob.Key));
        }

        var bad = new ConcurrentDictionary<Sha256Key, (Digest? Actual, string Reason)>();
        var verifier = new ContentVerifier(_location, _digests, _options.ThrottleLimit, _options.Log);
        verifier.Check(
            blobs.ToList(),
            (key, actual, reason) =>
            {
                // A manifest that is broken was told of; the digest of a signed one of schema 1 is that of its payload.
                if (_toldManifests.ContainsKey(key) || (actual is not null && _reached.ContainsKey(key) && _manifests.Get(key).References?.IsSchema1 == true) || !bad.TryAdd(key, (actual, reason))) return;

                // What nobody has is told at once; whom the others hit is looked up when all are known.
                if (!_reached.ContainsKey(key)) TellOfContent(key, actual, reason, null, []);
            },
            cancellationToken);
        var wanted = new HashSet<Sha256Key>(bad.Keys.Where(_reached.ContainsKey));
        foreach (var repository in wanted.Count == 0 ? [] : repositories)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var felt = Reach.Felt(repository, _manifests, wanted);
            foreach (var key in wanted)
            {
                var tags = felt.TryGetValue(key, out var own) ? own : [];
                if (tags.Count > 0 || repository.HasLayer(key) || repository.RevisionIndex.ContainsKey(key)) TellOfContent(key, bad[key].Actual, bad[key].Reason, repository.Name, tags);
            }
        }

        _result.SizeHashed = verifier.Read;
    }

    private void TellOfContent(Sha256Key key, Digest? actual, string reason, string? repository, List<string> tags)
    {
        var digest = _digests.ToDigest(key);
        Tell(new StorageFinding
        {
            Severity = tags.Count > 0 ? StorageFindingSeverity.Error : StorageFindingSeverity.Warning,
            Kind = actual is null ? StorageFindingKind.Unreadable : StorageFindingKind.BlobCorrupt,
            Repository = repository,
            Tags = tags,
            Digest = digest,
            Path = Relative(BlobPath(key)),
            Message = actual is null ? $"The bytes of {digest} can't be read: {reason}." : $"The bytes of {digest} are not what they should be: their digest is {actual}.",
            Remedy = actual is null ? "Look at the disk, and at who may read the file." : TakeAway,
            Repair = actual is null ? null : "Move the corrupt bytes to the quarantine",
        });
    }

    private void TellOfBlob(StorageFindingKind kind, string path, Sha256Key? key, string reason)
    {
        var relative = Relative(path);
        var (severity, message, remedy, repair) = kind switch
        {
            StorageFindingKind.BlobWithoutData => (StorageFindingSeverity.Information, $"The blob directory '{relative}' has no bytes in it.", "Repair-RegistryStorage or the next garbage collection removes it.", "Remove the empty directory"),
            StorageFindingKind.BlobMisplaced => (StorageFindingSeverity.Warning, $"In '{relative}' there are bytes where no registry looks for them.", "Look who put them there; move them to the place that their digest names, or delete them.", null),
            StorageFindingKind.SymbolicLink => (StorageFindingSeverity.Warning, $"'{relative}' is a symbolic link, which is not followed.", "Registries make none: look who made it, and put what it leads to in its place.", (string?)null),
            _ => (StorageFindingSeverity.Error, $"'{relative}' can't be listed: {reason}.", "Run it as the user that the registry runs as, or as root.", null),
        };
        Tell(new StorageFinding { Severity = severity, Kind = kind, Digest = key is { } known ? _digests.ToDigest(known) : null, Path = relative, Message = message, Remedy = remedy, Repair = repair });
    }

    private void Obstacle(GarbageProblem problem)
    {
        var (severity, kind, message, remedy) = problem.Obstacle switch
        {
            StorageObstacle.SymbolicLink => (StorageFindingSeverity.Warning, StorageFindingKind.SymbolicLink, $"'{problem.Path}' is a symbolic link, which is not followed.", "Registries make none: look who made it, and put what it leads to in its place."),
            StorageObstacle.NoRepositoryName => (StorageFindingSeverity.Warning, StorageFindingKind.RepositoryNameInvalid, $"'{problem.Path}' has no name that a registry serves.", "Rename the directory, or move it away."),
            StorageObstacle.Unreadable => (StorageFindingSeverity.Error, StorageFindingKind.Unreadable, problem.Message, "Run it as the user that the registry runs as, or as root."),
            _ => (default, default, string.Empty, string.Empty),
        };
        if (message.Length == 0) return;
        Tell(new StorageFinding { Severity = severity, Kind = kind, Repository = problem.Repository, Path = problem.Path ?? string.Empty, Message = message, Remedy = remedy, Tags = problem.Tag is null ? [] : [problem.Tag] });
    }

    private void Tell(StorageFinding finding)
    {
        lock (_gate)
        {
            if (finding.Severity == StorageFindingSeverity.Error) _result.Errors++;
            else if (finding.Severity == StorageFindingSeverity.Warning) _result.Warnings++;
            else _result.Informations++;
            _found?.Invoke(finding);
        }
    }

    /// <summary>What to do about something that is missing: where the quarantine has it, how it comes back.</summary>
    private string Missing(Sha256Key key, string? link, string otherwise)
    {
        var blob = _digests.BlobPath(key);
        foreach (var run in _runs.Value)
        {
            var root = Path.Combine(run.Files, "v2");
            if (File.Exists(Path.Combine(root, "blobs", blob)) || (link is not null && File.Exists(Path.Combine(root, link)))) return $"The quarantine has it: Restore-RegistryGarbage -RunId {run.Id} -Digest {_digests.ToDigest(key)} brings it back.";
        }

        return otherwise;
    }

    private string BlobPath(Sha256Key key) => Path.Combine(_location.Blobs, _digests.BlobPath(key));

    private string Relative(string path)
    {
        var relative = path.Length > _location.V2.Length ? path.Substring(_location.V2.Length + 1) : path;
        return Path.DirectorySeparatorChar == '/' ? relative : relative.Replace(Path.DirectorySeparatorChar, '/');
    }

    /// <summary>Verifies one repository.</summary>
    private sealed class RepositoryVerifier(StorageVerifier verifier, RepositoryMark repository) : ManifestWalk(repository, verifier._manifests)
    {
        private const string PushAgain = "Push the image again, or remove the tags that need it.";

        private readonly Dictionary<(StorageFindingKind Kind, Sha256Key Key, Sha256Key Of), Pending> _pending = [];
        private readonly HashSet<Sha256Key> _badLayers = [];
        private readonly HashSet<Sha256Key> _unlinked = [];
        private readonly HashSet<Sha256Key> _reached = [];
        private string? _tag;
        private Sha256Key _root;

        private DigestTable Digests => verifier._digests;

        public void Verify(CancellationToken cancellationToken)
        {
            foreach (var problem in Repository.Problems) verifier.Obstacle(problem);
            VerifyLayerLinks(cancellationToken);
            foreach (var tag in Repository.Tags)
            {
                if (!tag.IsRead) continue;
                (_tag, _root) = (tag.Name, tag.Target);
                From(tag.Target, _reached);
            }

            cancellationToken.ThrowIfCancellationRequested();
            var tagged = new HashSet<Sha256Key>(_reached);
            _tag = null;
            foreach (var revision in Repository.Revisions)
            {
                if (revision.Link == LinkState.Missing) continue;
                _root = revision.Key;
                From(revision.Key, _reached);
                VerifyRevision(revision);
            }

            foreach (var tag in Repository.Tags) VerifyTag(tag);
            VerifyDangling();
            Report(tagged, cancellationToken);
        }

        protected override void Manifest(in Step step, ManifestReading reading, bool isLinked)
        {
            var digest = Digests.ToDigest(step.Key);
            verifier._reached.TryAdd(step.Key, true);
            if (reading.References is not { } references)
            {
                if (reading.IsMissing) MissingManifest(step, isLinked, digest);
                else if (reading.IsUnreadable) Note(step.Key, step.Key, StorageFindingKind.Unreadable, verifier.BlobPath(step.Key), $"The manifest {digest} {reading.Reason.Replace("it can't be read", "can't be read")}.", "Look at the disk, and at who may read the file.", null);
                else
                {
                    verifier._toldManifests.TryAdd(step.Key, true);
                    Note(step.Key, step.Key, StorageFindingKind.ManifestCorrupt, verifier.BlobPath(step.Key), $"The manifest {digest} is no good: {reading.Reason}.", verifier.Missing(step.Key, null, reading.IsCorrupt ? TakeAway : "Remove the tags that need it, and push the image again."), reading.IsCorrupt ? "Move the corrupt bytes to the quarantine" : null);
                }

                return;
            }

            if (!isLinked) UnlinkedManifest(step, digest);
            if (references.IsUnknown) Note(step.Key, step.Key, StorageFindingKind.ManifestUnknown, verifier.BlobPath(step.Key), $"The manifest {digest} is of a kind that is not known here: what it needs was not checked.", "Nothing, where the registry serves it. A garbage collection keeps everything in its repository.", null);
            if (references.Subject is { } subject && !HasRevision(subject)) Note(step.Key, subject, StorageFindingKind.SubjectMissing, LinkPath(subject), $"The manifest {digest} refers to {Digests.ToDigest(subject)}, which the repository does not have.", "Nothing: the specification allows it. Remove the manifest where what it was about is gone for good.", null);
            VerifySize(step.Parent ?? step.Key, step.Key, step.Size, "manifest");
        }

        protected override void Blob(Sha256Key manifest, in ManifestReference blob)
        {
            var digest = Digests.ToDigest(blob.Key);
            var has = verifier._blobs.Has(blob.Key) || (Repository.LayerTargets.TryGetValue(blob.Key, out var target) && verifier._blobs.Has(target));
            if (!has)
            {
                if (!blob.IsForeign) Note(manifest, blob.Key, StorageFindingKind.LayerMissing, verifier.BlobPath(blob.Key), $"The layer or configuration {digest}, which a manifest needs, is not in the storage.", verifier.Missing(blob.Key, null, PushAgain), null);
                return;
            }

            verifier._reached.TryAdd(blob.Key, true);
            var isManifest = HasRevision(blob.Key);
            if (!isManifest && !blob.IsForeign && (!Repository.HasLayer(blob.Key) || _unlinked.Contains(blob.Key)))
            {
                Note(manifest, blob.Key, StorageFindingKind.LayerNotLinked, LayerPath(blob.Key), $"The layer or configuration {digest}, which a manifest needs, is in the storage, but the repository has no link to it and does not serve it.", "Repair-RegistryStorage links it.", "Write the link to the layer");
            }

            VerifySize(manifest, blob.Key, blob.Size, "layer or configuration");
        }

        private void MissingManifest(in Step step, bool isLinked, Digest digest)
        {
            var link = verifier.Relative(LinkPath(step.Key));
            if (isLinked)
            {
                var isNeeded = _tag is not null || step.Parent is not null;
                Note(step.Key, step.Key, StorageFindingKind.ManifestMissing, LinkPath(step.Key), $"The repository has a link to the manifest {digest}, whose bytes are not in the storage.", verifier.Missing(step.Key, null, isNeeded ? PushAgain : "Repair-RegistryStorage takes the link away: nothing needs it."), isNeeded ? null : "Move the link to the quarantine");
            }
            else if (step.Parent is null) Note(step.Key, step.Key, StorageFindingKind.TagTargetMissing, LinkPath(step.Key), $"The manifest {digest}, which the tag points to, is not in the storage.", verifier.Missing(step.Key, link, PushAgain), null);
            else Note(step.Parent.Value, step.Key, StorageFindingKind.ChildMissing, LinkPath(step.Key), $"The manifest {digest}, which the index {Digests.ToDigest(step.Parent.Value)} lists, is not in the storage.", verifier.Missing(step.Key, link, PushAgain), null);
        }

        private void UnlinkedManifest(in Step step, Digest digest)
        {
            const string Action = "Write the link to the manifest";
            if (step.Parent is null) Note(step.Key, step.Key, StorageFindingKind.TagTargetMissing, LinkPath(step.Key), $"The manifest {digest}, which the tag points to, is in the storage, but the repository has no link to it and does not serve it.", "Repair-RegistryStorage links it.", Action);
            else Note(step.Parent.Value, step.Key, StorageFindingKind.ChildMissing, LinkPath(step.Key), $"The manifest {digest}, which the index {Digests.ToDigest(step.Parent.Value)} lists, is in the storage, but the repository has no link to it and does not serve it.", "Repair-RegistryStorage links it.", Action);
        }

        private void VerifySize(Sha256Key manifest, Sha256Key key, long size, string what)
        {
            var actual = verifier._blobs.SizeOf(key);
            if (size < 0 || actual < 0 || size == actual || Digests.IsOther(key)) return;
            Note(manifest, key, StorageFindingKind.SizeMismatch, verifier.BlobPath(key), FormattableString.Invariant($"The {what} {Digests.ToDigest(key)} has {actual} bytes; the manifest {Digests.ToDigest(manifest)} says {size}."), "Check the bytes with -Content. Where they are right, the manifest is wrong: push the image again.", null);
        }

        private void VerifyLayerLinks(CancellationToken cancellationToken)
        {
            foreach (var layer in Repository.Layers)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var path = LayerPath(layer);
                var state = StorageFile.ReadLink(path, Digests, out var target, out var reason);
                if (state == LinkState.Read && target != layer && !Digests.IsOther(layer)) (state, reason) = (LinkState.Bad, "it names another digest than its own");
                if (state == LinkState.Missing) _unlinked.Add(layer);
                if (state is LinkState.Read or LinkState.Missing) continue;
                _badLayers.Add(layer);
                var canMend = state == LinkState.Bad && verifier._blobs.Has(layer);
                Note(layer, layer, StorageFindingKind.LayerLinkInvalid, path, $"The link to the layer or configuration {Digests.ToDigest(layer)} is no good: {reason}.", canMend ? "Repair-RegistryStorage writes it anew." : PushAgain, canMend ? "Write the link anew" : null);
            }
        }

        private void VerifyRevision(in RevisionMark revision)
        {
            if (revision.Link is not (LinkState.Bad or LinkState.Unreadable)) return;
            var canMend = revision.Link == LinkState.Bad && verifier._manifests.Get(revision.Key).References is not null;
            Note(revision.Key, revision.Key, StorageFindingKind.RevisionLinkInvalid, LinkPath(revision.Key), $"The link to the manifest {Digests.ToDigest(revision.Key)} is no good: it is empty, names another digest than its own, or can't be read.", canMend ? "Repair-RegistryStorage writes it anew." : PushAgain, canMend ? "Write the link anew" : null);
        }

        private void VerifyTag(TagMark tag)
        {
            var directory = Path.Combine(Repository.TagsDirectory, tag.Name);
            if (!tag.IsTag)
            {
                var canGo = tag.Index.Length > 0 ? "Move what the tag notes to the quarantine, and remove its directory" : "Remove the empty directory";
                Tell(StorageFindingSeverity.Warning, StorageFindingKind.TagWithoutLink, [tag.Name], null, directory, $"The tag '{Shown.Short(tag.Name)}' has a directory and no link: registries list it, and can't serve it.", "Repair-RegistryStorage removes what is left of it; or push the tag again.", canGo);
            }
            else if (!tag.IsRead && !Repository.Problems.Exists(problem => problem.Tag == tag.Name && problem.Obstacle != StorageObstacle.None))
            {
                var candidates = Array.FindAll(tag.Index, key => HasRevision(key) && verifier._manifests.Get(key).References is not null);
                var canMend = candidates.Length == 1 && tag.Index.Length == 1;
                Tell(
                    StorageFindingSeverity.Error,
                    StorageFindingKind.TagLinkInvalid,
                    [tag.Name],
                    canMend ? candidates[0] : null,
                    Path.Combine(directory, "current", "link"),
                    $"What the tag '{Shown.Short(tag.Name)}' points to can't be told: its link is empty, holds no digest, or is no file.",
                    canMend ? $"Repair-RegistryStorage points it to {Digests.ToDigest(candidates[0])}, the only manifest that it ever pointed to." : candidates.Length == 0 ? "Push the tag again, or remove it." : $"Push the tag again, or remove it. It pointed to one of {string.Join(", ", candidates.Select(key => Digests.ToDigest(key).ToString()))}.",
                    canMend ? "Point the tag to the only manifest that it ever pointed to" : null);
            }

            foreach (var key in tag.Index)
            {
                if (!tag.IsTag || HasRevision(key) || (tag.IsRead && tag.Target == key)) continue;
                var path = Path.Combine(directory, "index", Digests.Segments(key), "link");
                Tell(StorageFindingSeverity.Information, StorageFindingKind.TagIndexDangling, [], key, path, $"The tag '{Shown.Short(tag.Name)}' notes that it once pointed to {Digests.ToDigest(key)}, which the repository does not have any more.", "Nothing: the next garbage collection, or Repair-RegistryStorage, takes the note away.", "Move the note to the quarantine");
            }
        }

        private void VerifyDangling()
        {
            foreach (var layer in Repository.Layers)
            {
                var target = Repository.LayerTargets.TryGetValue(layer, out var other) ? other : layer;
                if (verifier._blobs.Has(target) || _badLayers.Contains(layer) || _pending.ContainsKey((StorageFindingKind.LayerMissing, layer, default))) continue;
                var path = LayerPath(layer);
                if (!File.Exists(path)) continue;
                Tell(StorageFindingSeverity.Warning, StorageFindingKind.LayerLinkDangling, [], layer, path, $"The repository has a link to the layer or configuration {Digests.ToDigest(layer)}, whose bytes are not in the storage; no manifest needs it. A push may be told that the layer is there.", verifier.Missing(layer, null, "Repair-RegistryStorage or the next garbage collection takes the link away."), "Move the link to the quarantine");
            }
        }

        /// <summary>Notes what is wrong with something that a manifest needs; which tags feel it is found out at the end.</summary>
        private void Note(Sha256Key manifest, Sha256Key key, StorageFindingKind kind, string path, string message, string remedy, string? repair)
        {
            var of = kind is StorageFindingKind.SizeMismatch or StorageFindingKind.ChildMissing ? manifest : default;
            if (!_pending.TryGetValue((kind, key, of), out var pending)) _pending[(kind, key, of)] = pending = new Pending(key, kind, path, message, remedy, repair);
            pending.Manifests.Add(manifest);
        }

        private void Report(HashSet<Sha256Key> tagged, CancellationToken cancellationToken)
        {
            if (_pending.Count == 0) return;
            var broken = new HashSet<Sha256Key>(_pending.Values.SelectMany(static pending => pending.Manifests));
            var felt = broken.Overlaps(tagged) || _badLayers.Count > 0 ? Reach.Felt(Repository, verifier._manifests, broken) : [];
            cancellationToken.ThrowIfCancellationRequested();
            foreach (var pending in _pending.Values)
            {
                var tags = pending.Manifests.SelectMany(key => felt.TryGetValue(key, out var own) ? own : []).Distinct().OrderBy(static tag => tag, StringComparer.Ordinal).ToList();
                if (pending.Kind is StorageFindingKind.SubjectMissing or StorageFindingKind.ManifestUnknown) tags = [];
                var severity = pending.Kind switch
                {
                    StorageFindingKind.SubjectMissing => StorageFindingSeverity.Information,
                    StorageFindingKind.ManifestUnknown => StorageFindingSeverity.Warning,

                    // A list of referrers may outlive one of them.
                    StorageFindingKind.ChildMissing when tags.TrueForAll(static tag => TagName.IsForReferrers(tag)) => StorageFindingSeverity.Warning,
                    _ => tags.Count > 0 ? StorageFindingSeverity.Error : StorageFindingSeverity.Warning,
                };
                Tell(severity, pending.Kind, tags, pending.Key, pending.Path, pending.Message, pending.Remedy, pending.Repair);
            }
        }

        private void Tell(StorageFindingSeverity severity, StorageFindingKind kind, List<string> tags, Sha256Key? key, string path, string message, string remedy, string? repair) => verifier.Tell(new StorageFinding
        {
            Severity = severity,
            Kind = kind,
            Repository = Repository.Name,
            Tags = tags,
            Digest = key is { } known ? Digests.ToDigest(known) : null,
            Path = verifier.Relative(path),
            Message = message,
            Remedy = remedy,
            Repair = repair,
        });

        private bool HasRevision(Sha256Key key) => Repository.RevisionIndex.TryGetValue(key, out var index) && Repository.Revisions[index].Link != LinkState.Missing;

        private string LinkPath(Sha256Key key) => Path.Combine(Repository.RevisionsDirectory, Digests.Segments(key), "link");

        private string LayerPath(Sha256Key key) => Path.Combine(Repository.LayersDirectory, Digests.Segments(key), "link");

        private sealed record Pending(Sha256Key Key, StorageFindingKind Kind, string Path, string Message, string Remedy, string? Repair)
        {
            public HashSet<Sha256Key> Manifests { get; } = [];
        }
    }

    /// <summary>Finds what of some digests a manifest needs, itself, its children or their blobs.</summary>
    private sealed class Reach(RepositoryMark repository, ManifestStore manifests, HashSet<Sha256Key> wanted) : ManifestWalk(repository, manifests)
    {
        private readonly HashSet<Sha256Key> _found = [];

        // A signature that is broken keeps nobody from pulling what it signs.
        protected override bool FollowsReferrers => false;

        /// <summary>The tags that can't be pulled whole without these.</summary>
        public static Dictionary<Sha256Key, List<string>> Felt(RepositoryMark repository, ManifestStore manifests, HashSet<Sha256Key> wanted)
        {
            var reach = new Reach(repository, manifests, wanted);
            var felt = new Dictionary<Sha256Key, List<string>>();
            foreach (var tag in repository.Tags.Where(static tag => tag.IsRead).OrderBy(static tag => tag.Name, StringComparer.Ordinal))
            {
                reach._found.Clear();
                reach.From(tag.Target, []);
                foreach (var key in reach._found)
                {
                    if (!felt.TryGetValue(key, out var tags)) felt[key] = tags = [];
                    tags.Add(tag.Name);
                }
            }

            return felt;
        }

        protected override void Manifest(in Step step, ManifestReading reading, bool isLinked)
        {
            if (wanted.Contains(step.Key)) _found.Add(step.Key);
        }

        protected override void Blob(Sha256Key manifest, in ManifestReference blob)
        {
            if (wanted.Contains(blob.Key)) _found.Add(blob.Key);
        }
    }
}
