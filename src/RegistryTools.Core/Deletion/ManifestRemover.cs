using System.Diagnostics;
using RegistryTools.Errors;
using RegistryTools.Journal;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Text;
using RegistryTools.Threading;

namespace RegistryTools.Deletion;

/// <summary>A manifest to remove, as the user named it.</summary>
/// <param name="Reference">A tag or a digest.</param>
/// <param name="ListedDigest">The digest that a tag had when the caller decided; null where the caller did not look.</param>
public sealed record ManifestRemovalRequest(string Reference, Digest? ListedDigest = null);

/// <summary>What removing a manifest would take along, and what stands against it.</summary>
public sealed class ManifestRemovalPlan
{
    /// <summary>What the user named.</summary>
    public required ManifestRemovalRequest Request { get; init; }

    /// <summary>The manifest; null where it could not be found.</summary>
    public Manifest? Manifest { get; internal set; }

    /// <summary>Every tag that points to it and goes with it, the one it was named by included.</summary>
    public IReadOnlyList<string> Tags { get; internal set; } = [];

    /// <summary>Those of <see cref="Tags"/> that the user did not name in this call.</summary>
    public IReadOnlyList<string> OtherTags { get; internal set; } = [];

    /// <summary>Tagged indexes that list it, at any depth, and that are not removed in the same call: <c>tag (digest)</c> each.</summary>
    public IReadOnlyList<string> Indexes { get; internal set; } = [];

    /// <summary>Manifests that have it for their subject and are not removed in the same call.</summary>
    public IReadOnlyList<Descriptor> Referrers { get; internal set; } = [];

    /// <summary>Plans of the same call whose manifests need this one, and which go before it.</summary>
    public IReadOnlyList<ManifestRemovalPlan> NeededBy { get; internal set; } = [];

    /// <summary>The plans of the same call, by manifest.</summary>
    internal Dictionary<Digest, ManifestRemovalPlan> Together { get; set; } = [];

    /// <summary>The tags that the user named in this call.</summary>
    internal HashSet<string> Named { get; set; } = [];

    /// <summary>Whether it has been carried out.</summary>
    public bool IsRemoved { get; internal set; }

    /// <summary>Why it can't be removed at all; null where it can.</summary>
    public Exception? Error { get; internal set; }

    /// <summary>Whether something else needs it, so that it is removed only by force.</summary>
    /// <remarks>Changes as the plans that come before it are carried out or not.</remarks>
    public bool IsInUse => OtherTags.Count > 0 || Indexes.Count > 0 || Referrers.Count > 0 || NeededBy.Any(plan => !plan.IsRemoved);
}

/// <summary>
/// Removes manifests by digest, knowingly: what would go along, and what needs them, is found out and told first. What is told rests on the registry's list of
/// tags: an index without a tag can't be found over the protocol.
/// </summary>
public sealed class ManifestRemover(IRegistry registry, RemovalJournal journal, int throttleLimit = 8, IActivityLog? log = null) : IDisposable
{
    private readonly IActivityLog _log = log ?? NoActivityLog.Instance;
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);
    private readonly Stopwatch _age = new();
    private Survey? _survey;
    private readonly object _beginning = new();
    private JournalRun? _run;

    /// <summary>For tests: how old what is known of a repository's tags may be when a manifest is removed; null for ten seconds, or longer where looking takes long.</summary>
    internal TimeSpan? PlanLifetime { get; init; }

    /// <summary>
    /// Finds out, for manifests of one repository that are to go together, what stands against each. The plans come in an order in which they can be carried out: what needs a
    /// manifest before that manifest.
    /// </summary>
    public async Task<IReadOnlyList<ManifestRemovalPlan>> PlanAsync(string repository, IReadOnlyList<ManifestRemovalRequest> requests, CancellationToken cancellationToken = default)
    {
        var plans = requests.Select(request => new ManifestRemovalPlan { Request = request }).ToList();
        var found = 0;
        await Throttle.ForEachAsync(
            plans,
            throttleLimit,
            async plan =>
            {
                try
                {
                    plan.Manifest = await FindAsync(repository, plan.Request, cancellationToken).ConfigureAwait(false);
                }
                catch (RegistryToolsException exception)
                {
                    plan.Error = exception;
                }

                _log.Progress("Looking at manifests", repository, Interlocked.Increment(ref found), plans.Count, "manifest");
            },
            cancellationToken).ConfigureAwait(false);

        // The same manifest named twice, by two of its tags, is one removal.
        var byDigest = new Dictionary<Digest, ManifestRemovalPlan>();
        var named = new HashSet<string>(plans.Where(plan => plan.Error is null).Select(plan => plan.Request.Reference), StringComparer.Ordinal);
        var merged = new List<ManifestRemovalPlan>();
        foreach (var plan in plans)
        {
            if (plan.Manifest is null) merged.Add(plan);
            else if (!byDigest.TryGetValue(plan.Manifest.Digest, out _))
            {
                byDigest[plan.Manifest.Digest] = plan;
                merged.Add(plan);
            }
        }

        if (byDigest.Count == 0) return merged;
        var survey = await FreshSurveyAsync(repository, TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
        var assessed = 0;
        foreach (var plan in byDigest.Values)
        {
            _log.Progress("Looking for what needs the manifests", repository, assessed++, byDigest.Count, "manifest");
            (plan.Together, plan.Named) = (byDigest, named);
            await AssessAsync(repository, plan, survey, cancellationToken).ConfigureAwait(false);
        }

        return Order(merged);
    }

    private async Task<Survey> FreshSurveyAsync(string repository, TimeSpan? lifetime, CancellationToken cancellationToken)
    {
        if (_survey is not null && _survey.Repository == repository && _age.Elapsed <= (lifetime ?? _survey.Lifetime)) return _survey;
        var clock = Stopwatch.StartNew();
        var (tags, parents) = await SurveyAsync(repository, cancellationToken).ConfigureAwait(false);
        _age.Restart();

        // Where looking takes long, no more than a fifth of the time goes into looking again.
        var patience = TimeSpan.FromTicks(clock.Elapsed.Ticks * 4);
        return _survey = new Survey(repository, tags, parents, patience > Lifetime ? patience : Lifetime);
    }

    /// <summary>Finds out what stands against removing a manifest.</summary>
    private async Task AssessAsync(string repository, ManifestRemovalPlan plan, Survey survey, CancellationToken cancellationToken)
    {
        var digest = plan.Manifest!.Digest;
        plan.Tags = survey.Tags.TryGetValue(digest, out var own) ? own : [];
        plan.OtherTags = plan.Tags.Where(tag => !plan.Named.Contains(tag)).ToList();
        var fallback = plan.Manifest.Subject is { } subject ? TagName.ForReferrersOf(subject.Digest) : null;
        var neededBy = new List<ManifestRemovalPlan>();
        var indexes = new List<string>();
        foreach (var index in survey.Parents.TryGetValue(digest, out var found) ? found : [])
        {
            // The fallback tag's index is a list of referrers, kept up to date below; it does not need them.
            if (index.Tag == fallback) continue;
            if (plan.Together.TryGetValue(index.Digest, out var parent)) neededBy.Add(parent);
            else indexes.Add($"{index.Tag} ({index.Digest})");
        }

        plan.Indexes = indexes.Distinct().ToList();
        var referrers = new List<Descriptor>();
        try
        {
            await foreach (var referrer in registry.ListReferrersAsync(repository, digest, null, cancellationToken).ConfigureAwait(false))
            {
                if (plan.Together.TryGetValue(referrer.Digest, out var one)) neededBy.Add(one);
                else referrers.Add(referrer);
            }
        }
        catch (RegistryNotFoundException)
        {
            // Neither the API nor a fallback tag knows of any.
        }
        catch (RegistryToolsException exception)
        {
            // What can't be told is not taken for none.
            plan.Error = exception;
        }

        plan.Referrers = referrers;
        plan.NeededBy = neededBy.Where(other => other != plan).Distinct().ToList();
    }

    /// <summary>Removes what a plan is about.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="plan">A plan of <see cref="PlanAsync"/>.</param>
    /// <param name="force">Whether it goes although something else needs it.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="ManifestInUseException">Something else needs it, and it was not forced.</exception>
    public async Task RemoveAsync(string repository, ManifestRemovalPlan plan, bool force, CancellationToken cancellationToken = default)
    {
        if (plan.Error is not null) throw plan.Error;
        var manifest = plan.Manifest ?? throw new ArgumentException("The plan has no manifest.", nameof(plan));
        if (plan.IsInUse && !force) throw InUse(repository, plan);
        if (_age.Elapsed > (PlanLifetime ?? _survey?.Lifetime ?? Lifetime))
        {
            // Somebody may have thought about it for long, and a build have put a tag on it.
            await AssessAsync(repository, plan, await FreshSurveyAsync(repository, PlanLifetime, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);
            if (plan.Error is not null) throw plan.Error;
            if (plan.IsInUse && !force) throw InUse(repository, plan);
        }

        lock (_beginning) _run ??= journal.Begin(registry.Location);
        var intents = plan.Tags.Count == 0
            ? [new RemovalIntent(repository, null, manifest.Digest, manifest.MediaType, RemovalMethod.Manifest)]
            : plan.Tags.Select(tag => new RemovalIntent(repository, tag, manifest.Digest, manifest.MediaType, RemovalMethod.Manifest)).ToList();
        await _run.IntendAsync(intents, [manifest]).ConfigureAwait(false);
        RemovalState? state = null;
        string? message = null;
        var isAccepted = false;
        try
        {
            try
            {
                await registry.DeleteManifestAsync(repository, manifest.Digest, cancellationToken).ConfigureAwait(false);
            }
            catch (RegistryUnsupportedException exception)
            {
                state = RemovalState.Unchanged;
                message = exception.Message;
                if (await registry.FindManifestDeletionAsync(repository, cancellationToken).ConfigureAwait(false) == Support.NotSupported)
                {
                    throw new DeletionDisabledException(registry.Name, repository, exception, (registry as HttpRegistry)?.Product?.Instead);
                }

                throw;
            }

            isAccepted = true;
            if (await registry.FindManifestAsync(repository, manifest.Digest.ToString(), cancellationToken).ConfigureAwait(false) is not null)
            {
                state = RemovalState.Unchanged;
                throw new RemovalFailedException($"{registry.Name} accepted the deletion of {manifest.Digest} in '{repository}', and yet it is still there.", "Look at the registry's log and version.");
            }

            state = RemovalState.Removed;
            plan.IsRemoved = true;
            await UpdateFallbackAsync(repository, manifest, cancellationToken).ConfigureAwait(false);
        }
        catch (RegistryRequestException exception) when (!isAccepted && exception.StatusCode is >= 400 and < 500)
        {
            state ??= RemovalState.Unchanged;
            message ??= exception.Message;
            throw;
        }
        finally
        {
            if (state is { } known)
            {
                try
                {
                    await Task.WhenAll(intents.Select(intent => _run.ConcludeAsync(repository, intent.Tag, intent.Digest, known, message))).ConfigureAwait(false);
                }
                catch (JournalException exception)
                {
                    _log.Warning(exception.Message);
                }
            }
        }
    }

    /// <summary>What is told where something else needs a manifest.</summary>
    public ManifestInUseException InUse(string repository, ManifestRemovalPlan plan)
    {
        var reasons = new List<string>();
        if (plan.OtherTags.Count > 0) reasons.Add($"its other tag(s) {List(plan.OtherTags)} would go with it");
        if (plan.Indexes.Count > 0) reasons.Add($"the multi-platform image(s) {List(plan.Indexes)} list it");
        if (plan.Referrers.Count > 0) reasons.Add($"{plan.Referrers.Count} manifest(s) refer to it ({List(plan.Referrers.Select(referrer => (referrer.ArtifactType ?? referrer.MediaType) + " " + referrer.Digest).ToList())})");
        var waiting = plan.NeededBy.Where(other => !other.IsRemoved).Select(other => other.Manifest!.Digest.ToString()).ToList();
        if (waiting.Count > 0) reasons.Add($"{List(waiting)}, which was to go first and needs it, is still there");
        return new ManifestInUseException(
            $"The manifest {plan.Manifest!.Digest} of '{repository}' on {registry.Name} was not removed: {string.Join("; ", reasons)}.",
            "Remove-RegistryTag removes a tag alone. Use -Force to remove the manifest with all of that.");
    }

    /// <inheritdoc/>
    public void Dispose() => _run?.Dispose();

    private static string List(IReadOnlyList<string> items) =>
        items.Count <= 10 ? string.Join(", ", items) : string.Join(", ", items.Take(10)) + $" and {items.Count - 10} more";

    private async Task<Manifest> FindAsync(string repository, ManifestRemovalRequest request, CancellationToken cancellationToken)
    {
        if (!Digest.TryParse(request.Reference, out var asked)) TagName.Validate(request.Reference);
        Manifest manifest;
        try
        {
            // Fetched and read, not only looked up: some registries unlink a layer when its digest is deleted as a manifest.
            manifest = await registry.GetManifestAsync(repository, request.Reference, cancellationToken).ConfigureAwait(false);
        }
        catch (RegistryToolsException exception) when (asked is not null && exception is RegistryNotFoundException or ManifestFormatException or RegistryRequestException { StatusCode: 400 or >= 500 })
        {
            // Distribution 2.8 answers 500 to a layer that is asked for as a manifest, and 202 where it is to be deleted as one.
            if (await registry.FindBlobAsync(repository, asked!, cancellationToken).ConfigureAwait(false) is not null)
            {
                throw new RemovalFailedException($"{asked} of '{repository}' on {registry.Name} is a layer or a configuration, not a manifest. It was not deleted.", null, exception);
            }

            throw;
        }
        catch (RegistryNotFoundException)
        {
            throw new TagNotFoundException(registry.Name, repository, request.Reference);
        }

        if (request.ListedDigest is { } listed && asked is null && listed != manifest.Digest) throw new TagMovedException(registry.Name, repository, request.Reference, listed, manifest.Digest);
        return manifest;
    }

    /// <summary>Looks at every tag once: which tags point to what, and which tagged indexes list what, at any depth.</summary>
    private async Task<(Dictionary<Digest, List<string>> Tags, Dictionary<Digest, List<(string Tag, Digest Digest)>> Parents)> SurveyAsync(string repository, CancellationToken cancellationToken)
    {
        var names = new List<string>();
        await foreach (var tag in registry.ListTagsAsync(repository, cancellationToken).ConfigureAwait(false)) names.Add(tag);
        var tags = new Dictionary<Digest, List<string>>();
        var indexes = new Dictionary<Digest, string>();
        long done = 0;
        await Throttle.ForEachAsync(
            names,
            throttleLimit,
            async tag =>
            {
                var found = await registry.FindManifestAsync(repository, tag, cancellationToken).ConfigureAwait(false);
                _log.Progress("Looking at tags", repository, Interlocked.Increment(ref done), names.Count, "tag");
                if (found is null) return;
                lock (tags)
                {
                    if (!tags.TryGetValue(found.Digest, out var list)) tags.Add(found.Digest, list = []);
                    list.Add(tag);

                    // A media type that says nothing may hide an index.
                    if ((MediaTypes.IsIndex(found.MediaType) || !MediaTypes.IsManifest(found.MediaType)) && !indexes.ContainsKey(found.Digest)) indexes.Add(found.Digest, tag);
                }
            },
            cancellationToken).ConfigureAwait(false);

        foreach (var list in tags.Values) list.Sort(StringComparer.Ordinal);
        var parents = new Dictionary<Digest, List<(string Tag, Digest Digest)>>();
        var visited = new HashSet<Digest>();
        var frontier = indexes.Select(index => (Tag: index.Value, Digest: index.Key)).ToList();
        while (frontier.Count > 0)
        {
            var next = new List<(string Tag, Digest Digest)>();
            await Throttle.ForEachAsync(
                frontier.FindAll(index => visited.Add(index.Digest)),
                throttleLimit,
                async index =>
                {
                    Manifest manifest;
                    try
                    {
                        manifest = await registry.GetManifestAsync(repository, index.Digest.ToString(), cancellationToken).ConfigureAwait(false);
                    }
                    catch (RegistryNotFoundException)
                    {
                        return;
                    }

                    lock (parents)
                    {
                        foreach (var child in manifest.Manifests)
                        {
                            if (!parents.TryGetValue(child.Digest, out var list)) parents.Add(child.Digest, list = []);
                            list.Add(index);
                            if (MediaTypes.IsIndex(child.MediaType)) next.Add((index.Tag, child.Digest));
                        }
                    }
                },
                cancellationToken).ConfigureAwait(false);
            frontier = next;
        }

        return (tags, parents);
    }

    private static List<ManifestRemovalPlan> Order(List<ManifestRemovalPlan> plans)
    {
        var ordered = new List<ManifestRemovalPlan>();
        var visited = new HashSet<ManifestRemovalPlan>();

        void Visit(ManifestRemovalPlan plan)
        {
            if (!visited.Add(plan)) return;
            foreach (var other in plan.NeededBy) Visit(other);
            ordered.Add(plan);
        }

        foreach (var plan in plans) Visit(plan);
        return ordered;
    }

    /// <summary>
    /// Takes a deleted referrer out of its subject's fallback tag, where the registry has no referrers API (distribution-spec, "Deleting Manifests").
    /// </summary>
    private async Task UpdateFallbackAsync(string repository, Manifest removed, CancellationToken cancellationToken)
    {
        if (removed.Subject is null) return;
        try
        {
            await ReferrersFallback.RemoveAsync(registry, repository, removed, cancellationToken).ConfigureAwait(false);
        }
        catch (RegistryToolsException exception)
        {
            _log.Warning($"{removed.Digest} of '{repository}' on {registry.Name} was deleted, but the list of its subject's referrers may name it still: {exception.Message}");
        }
    }

    /// <summary>What a look at every tag found.</summary>
    private sealed record Survey(string Repository, Dictionary<Digest, List<string>> Tags, Dictionary<Digest, List<(string Tag, Digest Digest)>> Parents, TimeSpan Lifetime);
}
