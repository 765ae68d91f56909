using System.Runtime.CompilerServices;
using RegistryTools.Errors;
using RegistryTools.Journal;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Text;
using RegistryTools.Threading;
using RegistryTools.Transport;

namespace RegistryTools.Deletion;

/// <summary>
/// Removes tags and nothing else: no manifest, and no other tag of a manifest. By the registry's own tag deletion where it has it; else
/// by a placeholder that all tags of a call share. Everything is in the journal before it is done. What changes a tag is never repeated blind: before each
/// repetition the tag is looked at again. See docs/safety.md for what holds at every moment.
/// </summary>
public sealed class TagRemover : IDisposable
{
    /// <summary>The most tags that one placeholder stands over at a time, and thus that a kill can leave to the next run.</summary>
    public const int MaximumBatch = 500;

    private const long MaximumBatchBytes = 64L * 1024 * 1024;

    // How often a tag is seen to be there before a deletion that was broken off is taken for not carried out.
    private const int Looks = 4;

    // What was seen of a tag longer ago than this is looked at again before the tag is overwritten.
    private static readonly TimeSpan Stale = TimeSpan.FromSeconds(2);
    private static readonly ConditionalWeakTable<IRegistry, Knowledge> KnownRegistries = new();

    private readonly IRegistry _registry;
    private readonly RemovalJournal _journal;
    private readonly TagRemoverOptions _options;
    private readonly IActivityLog _log;
    private readonly Knowledge _knowledge;
    private readonly object _beginning = new();
    private JournalRun? _run;
    private List<JournalEntry>? _pending;
    private Exception? _stop;
    private long _steps;
    private long _allSteps;

    /// <summary>Makes a remover for one command's work on one registry.</summary>
    public TagRemover(IRegistry registry, RemovalJournal journal, TagRemoverOptions? options = null)
    {
        _registry = registry;
        _journal = journal;
        _options = options ?? new TagRemoverOptions();
        _log = _options.Log;
        _knowledge = KnownRegistries.GetValue(registry, _ => new Knowledge());
    }

    /// <summary>
    /// Removes tags of one repository. A tag that fails does not keep the others from going; every tag asked for is in the answer once.
    /// </summary>
    /// <exception cref="OperationCanceledException">Cancelled. Tags that had a placeholder over them are back, or the journal tells which are not.</exception>
    public async Task<IReadOnlyList<TagRemoval>> RemoveAsync(string repository, IReadOnlyList<TagRemovalRequest> requests, CancellationToken cancellationToken = default)
    {
        var targets = new List<RemovalTarget>();
        var byTag = new Dictionary<string, RemovalTarget>(StringComparer.Ordinal);
        foreach (var request in requests)
        {
            TagName.Validate(request.Tag);
            if (byTag.TryGetValue(request.Tag, out var twin))
            {
                if (request.ListedDigest is { } listed && twin.Listed is { } other && listed != other) twin.Fail(new TagMovedException(_registry.Name, repository, request.Tag, listed, other));
                continue;
            }

            var target = new RemovalTarget(request);
            byTag.Add(request.Tag, target);
            targets.Add(target);
        }

        await RecoverJournalAsync(repository, byTag, cancellationToken).ConfigureAwait(false);
        for (var start = 0; start < targets.Count;)
        {
            var batch = new List<RemovalTarget>();
            while (start < targets.Count && batch.Count < MaximumBatch) batch.Add(targets[start++]);
            (_steps, _allSteps) = (2L * (start - batch.Count), 2L * targets.Count);
            Step(repository, 0);
            await RemoveBatchAsync(repository, batch, byTag, cancellationToken).ConfigureAwait(false);
            _steps = 2L * start;
            Step(repository, 0);
        }

        ConcludePastRuns(repository, byTag);
        return targets.ConvertAll(target => new TagRemoval
        {
            Registry = _registry.Name,
            RegistryLocation = _registry.Location,
            Repository = repository,
            Tag = target.Tag,
            Digest = target.Digest,
            MediaType = target.MediaType,
            Method = target.Method,
            State = target.State ?? RemovalState.Unchanged,
            RunId = target.Method is null ? null : _run?.Id,
            Time = DateTimeOffset.UtcNow,
            Error = target.Error,
        });
    }

    /// <inheritdoc/>
    public void Dispose() => _run?.Dispose();

    /// <summary>This remover's run of the journal, begun when there is something to write: one, although many tags are removed at once.</summary>
    private JournalRun Run()
    {
        lock (_beginning) return _run ??= _journal.Begin(_registry.Location);
    }

    /// <summary>Tells how far the call is. A tag takes two steps, of about a request each: to be looked at, and to be overwritten or deleted.</summary>
    private void Step(string item, int steps) => _log.Progress("Removing tags", item, Math.Min(Interlocked.Add(ref _steps, steps), _allSteps) / 2, _allSteps / 2, "tag");

    private async Task RemoveBatchAsync(string repository, List<RemovalTarget> batch, Dictionary<string, RemovalTarget> asked, CancellationToken cancellationToken)
    {
        try
        {
            if (_options.Method != TagRemovalChoice.Placeholder) await RemoveByNameAsync(repository, batch, cancellationToken).ConfigureAwait(false);
            var rest = batch.FindAll(target => !target.IsSettled);
            if (_options.Method == TagRemovalChoice.TagApi)
            {
                foreach (var target in rest) target.Fail(new TagDeletionUnsupportedException(_registry.Name, repository, target.Tag));
            }
            else if (rest.Count > 0)
            {
                await RemoveByPlaceholderAsync(repository, rest, asked, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            await ConcludeUntouchedAsync(repository, batch).ConfigureAwait(false);
            throw;
        }
        catch (JournalException exception)
        {
            // Not one more request that changes anything: what can't be written down is not done.
            foreach (var target in batch)
            {
                if (!target.IsSettled) target.Fail(exception, target.Touched ? RemovalState.Pending : RemovalState.Unchanged);
            }
        }
    }

    // ---- By name -------------------------------------------------------------------------------------------------------------------

    private async Task RemoveByNameAsync(string repository, List<RemovalTarget> batch, CancellationToken cancellationToken)
    {
        var accepted = new List<RemovalTarget>();
        try
        {
            foreach (var target in batch)
            {
                if ((_stop ?? _knowledge.Harm) is { } stop)
                {
                    foreach (var other in batch)
                    {
                        if (!other.IsSettled && !accepted.Contains(other)) other.Fail(stop);
                    }

                    return;
                }

                if (_knowledge.TagDelete == Support.NotSupported || (_knowledge.TagDelete == Support.Supported && _knowledge.KeepsManifests)) break;
                if (target.IsSettled) continue;
                if (!await RemoveFirstByNameAsync(repository, target, batch, cancellationToken).ConfigureAwait(false)) continue;
                accepted.Add(target);
                Step(repository, 2);
            }

            if (_knowledge.TagDelete == Support.NotSupported) return;
            await Throttle.ForEachAsync(
                batch.FindAll(target => !target.IsSettled && !accepted.Contains(target)),
                _options.ThrottleLimit,
                async target =>
                {
                    if (await RemoveOneByNameAsync(repository, target, cancellationToken).ConfigureAwait(false))
                    {
                        lock (accepted) accepted.Add(target);
                    }

                    if (target.Method is not null || target.IsSettled) Step(repository, 2);
                },
                cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await ConcludeAcceptedAsync(repository, accepted, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Removes a tag by name on a registry of which it is not known yet that it takes the tag alone. Some delete the manifest, and with it its other tags: so the
    /// tags are listed before, and where the manifest is gone after, they are listed again and what went along is put back.
    /// </summary>
    private async Task<bool> RemoveFirstByNameAsync(string repository, RemovalTarget target, List<RemovalTarget> batch, CancellationToken cancellationToken)
    {
        HashSet<string> before;
        try
        {
            before = await ListAsync(repository, cancellationToken).ConfigureAwait(false);
            if (!await FetchAsync(repository, target, cancellationToken).ConfigureAwait(false)) return false;
        }
        catch (RegistryToolsException exception) when (exception is not JournalException)
        {
            target.Fail(exception);
            return false;
        }

        await Run().IntendAsync([Intent(repository, target, RemovalMethod.TagApi)], target.Original is null ? null : [target.Original]).ConfigureAwait(false);
        try
        {
            if (!await DeleteByNameAsync(repository, target, cancellationToken).ConfigureAwait(false)) return false;
        }
        catch (OperationCanceledException)
        {
            // It may be done all the same, and other tags may have gone along.
            await MendFirstAsync(repository, target, before, isDone: false).ConfigureAwait(false);
            throw;
        }

        _knowledge.TagDelete = Support.Supported;
        await MendFirstAsync(repository, target, before, isDone: true).ConfigureAwait(false);
        return true;
    }

    /// <summary>
    /// Looks whether the first tag that was deleted by its name took the manifest and its other tags along, and puts those back. Where it did, or where that can't be told, nothing further is
    /// deleted by name. On a clock of its own: what went along comes back although the user has stopped.
    /// </summary>
    private async Task MendFirstAsync(string repository, RemovalTarget target, HashSet<string> before, bool isDone)
    {
        CircuitBreaker.BeginUrgent();
        using var limit = new CancellationTokenSource(_options.RollbackTimeout);
        List<string>? lost = null;
        var back = new List<string>();
        Exception? failure = null;
        for (var attempt = 1; attempt <= _options.MaximumAttempts && !limit.IsCancellationRequested; attempt++)
        {
            try
            {
                if (attempt > 1) await DelayAsync(attempt - 1, limit.Token).ConfigureAwait(false);
                if (lost is null)
                {
                    if (!isDone && await SoonAsync(token => _registry.FindManifestAsync(repository, target.Tag, token), limit.Token).ConfigureAwait(false) is not null) return;
                    if (await SoonAsync(token => _registry.FindManifestAsync(repository, target.Seen!.ToString(), token), limit.Token).ConfigureAwait(false) is not null)
                    {
                        _knowledge.KeepsManifests = true;
                        return;
                    }

                    var after = await ListAsync(repository, limit.Token).ConfigureAwait(false);
                    var missing = before.Where(tag => tag != target.Tag && !after.Contains(tag)).ToList();

                    // A listing may leave out what is there.
                    var gone = new List<string>();
                    foreach (var tag in missing)
                    {
                        if (await SoonAsync(token => _registry.FindManifestAsync(repository, tag, token), limit.Token).ConfigureAwait(false) is null) gone.Add(tag);
                    }

                    if (gone.Count == 0) return;
                    lost = gone;
                    _log.Warning($"{_registry.Name} deleted the manifest {target.Seen} with the tag '{target.Tag}' of '{repository}', and its other tags with it: {string.Join(", ", lost)}. They are being put back.");
                    await Run().IntendAsync(lost.Select(tag => new RemovalIntent(repository, tag, target.Digest!, target.MediaType, RemovalMethod.TagApi))).ConfigureAwait(false);
                }

                failure = null;
                foreach (var tag in lost.Where(tag => !back.Contains(tag)).ToList())
                {
                    try
                    {
                        // Somebody may have pushed it anew.
                        if (await SoonAsync(token => _registry.FindManifestAsync(repository, tag, token), limit.Token).ConfigureAwait(false) is null)
                        {
                            await SoonAsync(token => PutAsync(repository, tag, target.Original!, token), limit.Token).ConfigureAwait(false);
                        }

                        back.Add(tag);
                        await Run().ConcludeAsync(repository, tag, target.Digest!, RemovalState.Restored).ConfigureAwait(false);
                    }
                    catch (RegistryToolsException exception)
                    {
                        failure = exception;
                    }
                }

                if (failure is null) break;
            }
            catch (Exception exception) when (exception is RegistryToolsException or OperationCanceledException)
            {
                failure = exception;
            }
        }

        if (lost is null)
        {
            _stop = new RemovalFailedException(
                $"'{target.Tag}' of '{repository}' on {_registry.Name} was deleted, but whether its manifest {target.Seen} is still there, and whether other tags went along, could not be told{(failure is null ? "." : ": " + failure.Message)} Nothing further was deleted.",
                $"Look whether tags are missing; Restore-RegistryTag -Digest {target.Digest} puts them back.",
                failure);
        }
        else
        {
            var rest = lost.Except(back).ToList();
            _knowledge.Harm = new RemovalFailedException(
                $"{_registry.Name} deletes the manifest, and every tag of it, when one tag is to be deleted. '{target.Tag}' of '{repository}' is gone; {string.Join(", ", lost)} went along and {(rest.Count == 0 ? "were put back" : "could not all be put back: " + string.Join(", ", rest) + (rest.Count == 1 ? " is" : " are") + " missing" + (failure is null ? string.Empty : " (" + failure.Message + ")"))}. Nothing further was deleted.",
                "Use -Method Placeholder on this registry." + (rest.Count == 0 ? string.Empty : $" Restore-RegistryTag -Digest {target.Digest} puts back what is missing."),
                failure);
        }

        _log.Warning((_stop ?? _knowledge.Harm)!.Message);
    }

    private async Task<bool> RemoveOneByNameAsync(string repository, RemovalTarget target, CancellationToken cancellationToken)
    {
        try
        {
            if (_options.TrustListing && target.Listed is not null)
            {
                target.Seen = target.Digest = target.Listed;
            }
            else
            {
                var found = await _registry.FindManifestAsync(repository, target.Tag, cancellationToken).ConfigureAwait(false);
                if (found is null)
                {
                    target.Fail(new TagNotFoundException(_registry.Name, repository, target.Tag));
                    return false;
                }

                target.Seen = target.Digest = found.Digest;
                target.MediaType = found.MediaType;
                var pending = _pending?.Find(entry => entry.Repository == repository && entry.Tag == target.Tag && entry.Placeholder == found.Digest);
                if (pending is not null)
                {
                    target.Digest = pending.Digest;
                    target.MediaType = pending.MediaType;
                }

                if (!CheckNotMoved(repository, target)) return false;
            }
        }
        catch (RegistryToolsException exception)
        {
            target.Fail(exception);
            return false;
        }

        await Run().IntendAsync([Intent(repository, target, RemovalMethod.TagApi)]).ConfigureAwait(false);
        return await DeleteByNameAsync(repository, target, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>True where the tag is gone as far as the registry says; false where the target is settled otherwise, or the registry does not delete by name.</summary>
    private async Task<bool> DeleteByNameAsync(string repository, RemovalTarget target, CancellationToken cancellationToken)
    {
        target.Method = RemovalMethod.TagApi;
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                TagDeletion answer;
                try
                {
                    target.Touched = true;
                    answer = await _registry.DeleteTagAsync(repository, target.Tag, cancellationToken).ConfigureAwait(false);
                }
                catch (RegistryDownException exception) when (attempt == 1)
                {
                    // It was not sent.
                    target.Touched = false;
                    target.Fail(exception);
                    break;
                }
                catch (RegistryRequestException exception) when (LeavesDoubt(exception) && attempt < _options.MaximumAttempts)
                {
                    _log.Verbose($"Whether '{target.Tag}' of '{repository}' was deleted is in doubt ({exception.Message}); it is looked at again.");
                    await DelayAsync(attempt, cancellationToken).ConfigureAwait(false);
                    var now = await _registry.FindManifestAsync(repository, target.Tag, cancellationToken).ConfigureAwait(false);
                    if (now is null) return true;
                    if (now.Digest == target.Seen) continue;
                    target.Fail(new TagMovedException(_registry.Name, repository, target.Tag, target.Seen!, now.Digest));
                    break;
                }

                if (answer == TagDeletion.Accepted) return true;
                if (answer == TagDeletion.NotSupported)
                {
                    // What it says of one tag it says of all. A registry that deleted one a moment ago is taken at its word for this one alone.
                    if (_knowledge.TagDelete == Support.Unknown) _knowledge.TagDelete = Support.NotSupported;
                    target.Touched = false;
                    target.Method = null;
                    _log.Verbose($"{_registry.Name} does not delete a tag by its name.");
                    return false;
                }

                if (await _registry.FindManifestAsync(repository, target.Tag, cancellationToken).ConfigureAwait(false) is null) return true;
                target.Fail(new RemovalFailedException(
                    $"{_registry.Name} answers that there is no tag '{target.Tag}' in '{repository}' when it is to be deleted, and yet it is there. It was not changed.",
                    "If this registry is known not to delete tags by name, use -Method Placeholder."));
                break;
            }
        }
        catch (RegistryRequestException exception)
        {
            // Whatever the answer was: what is said of the tag is what it is.
            var state = await LookAfterAsync(repository, target, cancellationToken).ConfigureAwait(false);
            if (state == RemovalState.Removed) return true;
            state ??= LeavesDoubt(exception) ? RemovalState.Pending : RemovalState.Unchanged;
            target.Fail(
                state == RemovalState.Pending
                    ? new RemovalFailedException($"Whether the tag '{target.Tag}' of '{repository}' on {_registry.Name} is deleted could not be told: {exception.Message}", "Run the command again: it looks first.", exception)
                    : exception,
                state.Value);
        }
        catch (OperationCanceledException)
        {
            await SettleCancelledAsync(repository, target).ConfigureAwait(false);
            throw;
        }

        if (target.State == RemovalState.Unchanged) await Run().ConcludeAsync(repository, target.Tag, target.Digest!, RemovalState.Unchanged, target.Error?.Message).ConfigureAwait(false);
        return false;
    }

    private async Task<RemovalState?> LookAfterAsync(string repository, RemovalTarget target, CancellationToken cancellationToken)
    {
        CircuitBreaker.BeginUrgent();
        try
        {
            return await _registry.FindManifestAsync(repository, target.Tag, cancellationToken).ConfigureAwait(false) is null ? RemovalState.Removed : RemovalState.Unchanged;
        }
        catch (RegistryToolsException)
        {
            return null;
        }
    }

    /// <summary>
    /// A deletion was under way when the user stopped: the journal is told once it is seen to be done, or was not seen to be done for as long as what was sent may be on its way. Where
    /// the registry does not answer it stays pending, and the next run looks.
    /// </summary>
    private async Task SettleCancelledAsync(string repository, RemovalTarget target)
    {
        CircuitBreaker.BeginUrgent();
        using var limit = new CancellationTokenSource(_options.RollbackTimeout);
        var there = 0;
        try
        {
            while (there < Looks)
            {
                try
                {
                    var now = await SoonAsync(token => _registry.FindManifestAsync(repository, target.Tag, token), limit.Token).ConfigureAwait(false);
                    if (now is null)
                    {
                        await Run().ConcludeAsync(repository, target.Tag, target.Digest!, RemovalState.Removed).ConfigureAwait(false);
                        return;
                    }

                    there++;
                }
                catch (RegistryToolsException exception) when (exception is not JournalException)
                {
                    _log.Verbose($"Whether '{target.Tag}' of '{repository}' is deleted: {exception.Message}");
                }

                if (there < Looks) await Task.Delay(TimeSpan.FromTicks(_options.RollbackTimeout.Ticks / 25), limit.Token).ConfigureAwait(false);
            }

            await Run().ConcludeAsync(repository, target.Tag, target.Digest!, RemovalState.Unchanged, "stopped; the tag was still there after that").ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is RegistryToolsException or OperationCanceledException)
        {
            // It stays pending.
        }
    }

    /// <summary>What was written down and not begun when the user stopped is written down as unchanged.</summary>
    private async Task ConcludeUntouchedAsync(string repository, List<RemovalTarget> targets)
    {
        try
        {
            foreach (var target in targets)
            {
                if (!target.Touched && target.Digest is not null && Run().IsOpen(repository, target.Tag, target.Digest)) await Run().ConcludeAsync(repository, target.Tag, target.Digest, RemovalState.Unchanged, "stopped before it was begun").ConfigureAwait(false);
            }
        }
        catch (JournalException exception)
        {
            _log.Warning(exception.Message);
        }
    }

    /// <summary>
    /// Looks whether what the registry accepted is so (some accept and do nothing), and writes the outcome down. On cancellation the
    /// registry's word is taken.
    /// </summary>
    private async Task ConcludeAcceptedAsync(string repository, List<RemovalTarget> accepted, CancellationToken cancellationToken)
    {
        if (accepted.Count == 0) return;
        try
        {
            if (!cancellationToken.IsCancellationRequested)
            {
                var suspects = accepted;
                if (accepted.Count > 3)
                {
                    var listed = await ListAsync(repository, cancellationToken).ConfigureAwait(false);
                    suspects = accepted.FindAll(target => listed.Contains(target.Tag));
                }

                await Throttle.ForEachAsync(
                    suspects,
                    _options.ThrottleLimit,
                    async target =>
                    {
                        var now = await _registry.FindManifestAsync(repository, target.Tag, cancellationToken).ConfigureAwait(false);
                        if (now is null) return;
                        if (now.Digest == target.Seen)
                        {
                            target.Fail(new RemovalFailedException(
                                $"{_registry.Name} accepted the deletion of the tag '{target.Tag}' of '{repository}', and yet it is still there and points to {now.Digest}.",
                                "Look at the registry's log and version; some versions accept a deletion and do nothing."));
                        }
                        else
                        {
                            _log.Warning($"The tag '{target.Tag}' of '{repository}' on {_registry.Name} was deleted and has been pushed anew since: it points to {now.Digest}.");
                        }
                    },
                    cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The caller's wait ends with this; what was accepted is concluded below.
        }
        catch (RegistryToolsException exception)
        {
            _log.Warning($"{_registry.Name} accepted the deletion of {accepted.Count} tag(s) of '{repository}', but whether they are gone could not be looked up: {exception.Message}");
        }

        foreach (var target in accepted) target.State ??= RemovalState.Removed;
        await ConcludeAsync(repository, accepted).ConfigureAwait(false);
    }

    // ---- By placeholder ------------------------------------------------------------------------------------------------------------

    private async Task RemoveByPlaceholderAsync(string repository, List<RemovalTarget> targets, Dictionary<string, RemovalTarget> asked, CancellationToken cancellationToken)
    {
        for (var next = 0; next < targets.Count;)
        {
            var covered = new List<RemovalTarget>();
            long bytes = 0;
            while (next < targets.Count && bytes < MaximumBatchBytes)
            {
                var slice = targets.GetRange(next, Math.Min(50, targets.Count - next));
                next += slice.Count;
                await Throttle.ForEachAsync(
                    slice,
                    _options.ThrottleLimit,
                    async target =>
                    {
                        try
                        {
                            if (target.Original is null) await FetchAsync(repository, target, cancellationToken).ConfigureAwait(false);
                        }
                        catch (RegistryToolsException exception)
                        {
                            target.Fail(exception);
                        }

                        Step(repository + ": looking at the tags", 1);
                    },
                    cancellationToken).ConfigureAwait(false);
                foreach (var target in slice)
                {
                    if (target.IsSettled) continue;
                    covered.Add(target);
                    bytes += target.Original!.Raw.Length;
                }
            }

            if (covered.Count > 0) await RemoveUnderOnePlaceholderAsync(repository, covered, cancellationToken).ConfigureAwait(false);
            await RecoverLeftoversAsync(repository, covered, asked, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task RemoveUnderOnePlaceholderAsync(string repository, List<RemovalTarget> targets, CancellationToken cancellationToken)
    {
        PlaceholderManifest placeholder;
        try
        {
            // Before anything is overwritten: without manifest deletion there is no way on from there.
            switch (await _registry.FindManifestDeletionAsync(repository, cancellationToken).ConfigureAwait(false))
            {
                case Support.NotSupported:
                    // What it says of tags while deletion is switched off is not what it says afterwards.
                    _knowledge.TagDelete = Support.Unknown;
                    throw new DeletionDisabledException(_registry.Name, repository, instead: (_registry as HttpRegistry)?.Product?.Instead);
                case Support.Unknown:
                    throw new RemovalFailedException($"{_registry.Name} does not tell whether manifests can be deleted in '{repository}'. Nothing was changed.", "Test-Registry shows what it answers.");
            }

            using (var config = new MemoryStream(PlaceholderManifest.Config.ToArray(), writable: false))
            {
                await _registry.PushBlobAsync(repository, PlaceholderManifest.ConfigDigest, config, cancellationToken).ConfigureAwait(false);
            }

            placeholder = PlaceholderManifest.Create(Run().Id, targets.ConvertAll(target => new OriginalTag(target.Tag, target.Digest!, target.MediaType)));
            foreach (var target in targets) target.Method = RemovalMethod.Placeholder;
            await Run().IntendAsync(
                targets.ConvertAll(target => Intent(repository, target, RemovalMethod.Placeholder, placeholder.Digest)),
                targets.Select(target => target.Original!).GroupBy(manifest => manifest.Digest).Select(group => group.First())).ConfigureAwait(false);
        }
        catch (RegistryToolsException exception)
        {
            foreach (var target in targets)
            {
                target.Method = null;
                target.Fail(exception);
            }

            return;
        }

        Exception? failure = null;
        var deleted = false;
        try
        {
            await RemoveCoveredAsync(repository, placeholder, targets, () => deleted = true, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is RegistryToolsException or OperationCanceledException)
        {
            failure = exception;
        }

        var doubtful = targets.FindAll(target => target.Touched && target.State is null);
        if (doubtful.Count > 0) await RollBackAsync(repository, placeholder, doubtful, failure, removePlaceholder: !deleted && failure is null or OperationCanceledException).ConfigureAwait(false);
        foreach (var target in targets)
        {
            if (target.State is null) target.Fail(failure ?? target.Error as RegistryDownException ?? (Exception)new RemovalFailedException($"The tag '{target.Tag}' of '{repository}' on {_registry.Name} was not removed."));
        }

        await ConcludeAsync(repository, targets).ConfigureAwait(false);
        if (failure is OperationCanceledException) throw failure;
    }

    private async Task RemoveCoveredAsync(string repository, PlaceholderManifest placeholder, List<RemovalTarget> targets, Action onDeleted, CancellationToken cancellationToken)
    {
        async Task CoverNextAsync(RemovalTarget target)
        {
            await CoverAsync(repository, placeholder, target, cancellationToken).ConfigureAwait(false);
            Step(repository + ": putting the placeholder over them", 1);
        }

        var toCover = targets;
        for (var round = 1; ; round++)
        {
            // One alone first: a registry that refuses the placeholder refuses it for all, and has then been asked once.
            await CoverNextAsync(toCover[0]).ConfigureAwait(false);
            if (toCover[0].Error is RegistryRequestException refusal && !toCover[0].Covered && !LeavesDoubt(refusal) && refusal is not RegistryNotFoundException) throw refusal;
            await Throttle.ForEachAsync(toCover.GetRange(1, toCover.Count - 1), _options.ThrottleLimit, CoverNextAsync, cancellationToken).ConfigureAwait(false);

            var covered = targets.FindAll(target => target.Covered);
            if (covered.Count == 0) return;
            await DeletePlaceholderAsync(repository, placeholder, cancellationToken).ConfigureAwait(false);
            onDeleted();
            var dangling = await FindStillListedAsync(repository, placeholder, covered, cancellationToken).ConfigureAwait(false);
            if (dangling.Count == 0) return;
            if (round == 3)
            {
                foreach (var target in dangling)
                {
                    target.State = null;
                    target.Error = new RemovalFailedException(
                        $"The placeholder over the tag '{target.Tag}' of '{repository}' on {_registry.Name} is deleted, and yet the registry still lists the tag.",
                        "Look at the registry's log; run the command again.");
                }

                return;
            }

            foreach (var target in dangling)
            {
                target.State = null;
                target.Covered = false;
                target.Seen = placeholder.Digest;
            }

            toCover = dangling;
        }
    }

    private async Task CoverAsync(string repository, PlaceholderManifest placeholder, RemovalTarget target, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            // Never blind: not again, and not long after the tag was looked at.
            if (attempt > 1 || target.Looked.Elapsed > Stale)
            {
                try
                {
                    var now = await _registry.FindManifestAsync(repository, target.Tag, cancellationToken).ConfigureAwait(false);
                    target.Looked.Restart();
                    if (now?.Digest == placeholder.Digest)
                    {
                        target.Covered = true;
                        target.Error = null;
                        return;
                    }

                    if (now is not null && now.Digest != target.Seen)
                    {
                        target.Touched = false;
                        target.Fail(new TagMovedException(_registry.Name, repository, target.Tag, target.Seen!, now.Digest));
                        return;
                    }

                    if (now is null && target.Seen != placeholder.Digest)
                    {
                        // Somebody else deleted it. That is what was wanted, and nothing is pushed over nothing.
                        target.Touched = false;
                        target.Error = null;
                        target.State = RemovalState.Removed;
                        return;
                    }
                }
                catch (RegistryToolsException exception)
                {
                    // The next look, or putting back, finds out.
                    target.Error ??= exception;
                    if (attempt == _options.MaximumAttempts) return;
                    await DelayAsync(attempt, cancellationToken).ConfigureAwait(false);
                    continue;
                }
            }

            var touched = target.Touched;
            try
            {
                target.Touched = true;
                await _registry.PutManifestAsync(repository, target.Tag, placeholder.Manifest.Raw, placeholder.Manifest.MediaType, cancellationToken).ConfigureAwait(false);
                target.Covered = true;
                target.Error = null;
                return;
            }
            catch (RegistryDownException exception)
            {
                // It was not sent. What was before this try, if anything, is as doubtful as it was.
                target.Touched = touched;
                target.Error = exception;
                return;
            }
            catch (RegistryToolsException exception) when (exception is not JournalException)
            {
                target.Error = exception;
                if (exception is not RegistryRequestException request || !LeavesDoubt(request) || attempt == _options.MaximumAttempts) return;
            }

            _log.Verbose($"Whether the placeholder stands over '{target.Tag}' of '{repository}' is in doubt ({target.Error.Message}); it is looked at again.");
            await DelayAsync(attempt, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task DeletePlaceholderAsync(string repository, PlaceholderManifest placeholder, CancellationToken cancellationToken)
    {
        try
        {
            await _registry.DeleteManifestAsync(repository, placeholder.Digest, cancellationToken).ConfigureAwait(false);
        }
        catch (RegistryNotFoundException)
        {
            // It is gone: an earlier try of ours got through.
        }
        catch (RegistryRequestException exception) when (LeavesDoubt(exception))
        {
            if (await _registry.FindManifestAsync(repository, placeholder.Digest.ToString(), cancellationToken).ConfigureAwait(false) is not null) throw;
        }
    }

    /// <summary>
    /// Settles the tags that are gone after the placeholder's deletion and returns those that the registry still lists without anything behind them: it removes tags one by one,
    /// and may be at it still, or may have been stopped.
    /// </summary>
    private async Task<List<RemovalTarget>> FindStillListedAsync(string repository, PlaceholderManifest placeholder, List<RemovalTarget> covered, CancellationToken cancellationToken)
    {
        var open = covered;
        for (var look = 1; ; look++)
        {
            var listed = await ListAsync(repository, cancellationToken).ConfigureAwait(false);
            var still = new List<RemovalTarget>();
            foreach (var target in open)
            {
                if (!listed.Contains(target.Tag))
                {
                    target.State = RemovalState.Removed;
                    continue;
                }

                var now = await _registry.FindManifestAsync(repository, target.Tag, cancellationToken).ConfigureAwait(false);
                if (now is null || now.Digest == placeholder.Digest)
                {
                    still.Add(target);
                    continue;
                }

                if (now.Digest == target.Seen)
                {
                    target.Fail(new RemovalFailedException(
                        $"{_registry.Name} took the placeholder for the tag '{target.Tag}' of '{repository}', and yet the tag points to {now.Digest} as before. It was not removed.",
                        "Something between here and the registry may answer in its place, or the tag is immutable."));
                    continue;
                }

                target.State = RemovalState.Removed;
                _log.Warning($"The tag '{target.Tag}' of '{repository}' on {_registry.Name} was deleted and has been pushed anew since: it points to {now.Digest}.");
            }

            open = still;
            if (open.Count == 0 || look == 4) return open;
            await DelayAsync(look, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Puts back what a failed or cancelled removal left under the placeholder. Each tag is looked at first: only one that points to the
    /// placeholder is written to. Runs on a clock of its own, since the caller's token may be cancelled.
    /// </summary>
    private async Task RollBackAsync(string repository, PlaceholderManifest placeholder, List<RemovalTarget> targets, Exception? cause, bool removePlaceholder)
    {
        CircuitBreaker.BeginUrgent();
        using var limit = new CancellationTokenSource(_options.RollbackTimeout);
        try
        {
            await Throttle.ForEachAsync(targets, _options.ThrottleLimit, target => PutBackAsync(repository, placeholder, target, cause, limit.Token), limit.Token).ConfigureAwait(false);
            if (removePlaceholder && targets.TrueForAll(target => target.State is RemovalState.Restored or RemovalState.Unchanged && !target.IsInDoubt))
            {
                await _registry.DeleteManifestAsync(repository, placeholder.Digest, limit.Token).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or RegistryToolsException)
        {
            _log.Verbose($"Putting back ended early: {exception.Message}");
        }

        foreach (var target in targets)
        {
            if (target.State is not null) continue;
            target.Fail(
                new RemovalFailedException(
                    $"The removal of the tag '{target.Tag}' of '{repository}' on {_registry.Name} failed, and whether it points to the placeholder or to {target.Digest} could not be told{(cause is null ? string.Empty : ": " + cause.Message)}",
                    "Its manifest is untouched. Run Remove-RegistryTag again to finish, or Restore-RegistryTag to put the tag back.",
                    cause),
                RemovalState.Pending);
        }
    }

    private static bool IsInDoubt(RemovalTarget target, Exception? cause) => !target.Covered && (cause is OperationCanceledException || (target.Error is RegistryRequestException request && LeavesDoubt(request)));

    private async Task PutBackAsync(string repository, PlaceholderManifest placeholder, RemovalTarget target, Exception? cause, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= _options.MaximumAttempts + 1; attempt++)
        {
            try
            {
                var now = await SoonAsync(token => _registry.FindManifestAsync(repository, target.Tag, token), cancellationToken).ConfigureAwait(false);
                if (now is null)
                {
                    // The deletion got through after all, or somebody else's did.
                    target.Error = null;
                    target.State = RemovalState.Removed;
                    return;
                }

                if (now.Digest != placeholder.Digest)
                {
                    // A push that was not answered may land yet.
                    if (attempt < 3 && IsInDoubt(target, cause))
                    {
                        await DelayAsync(attempt, cancellationToken).ConfigureAwait(false);
                        continue;
                    }

                    target.IsInDoubt = IsInDoubt(target, cause);
                    var error = target.Error ?? (cause is OperationCanceledException ? null : cause);
                    var restored = now.Digest == target.Original!.Digest && target.Covered;
                    target.Fail(
                        new RemovalFailedException(
                            $"The tag '{target.Tag}' of '{repository}' on {_registry.Name} was not removed{(error is null ? string.Empty : ": " + error.Message)} It points to {now.Digest}{(restored ? ", as before" : string.Empty)}.",
                            (error as RegistryToolsException)?.Remedy,
                            error),
                        restored ? RemovalState.Restored : RemovalState.Unchanged);
                    return;
                }

                target.Covered = true;
                await SoonAsync(token => PutAsync(repository, target.Tag, target.Original!, token), cancellationToken).ConfigureAwait(false);
            }
            catch (RegistryToolsException exception)
            {
                _log.Verbose($"Putting '{target.Tag}' of '{repository}' back: {exception.Message}");
                await DelayAsync(attempt, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task<bool> PutAsync(string repository, string tag, Manifest manifest, CancellationToken cancellationToken)
    {
        await _registry.PutManifestAsync(repository, tag, manifest.Raw, manifest.MediaType, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Does one thing of an undoing, which a registry that does not answer must not use up all the time for.</summary>
    private async Task<T> SoonAsync<T>(Func<CancellationToken, Task<T>> act, CancellationToken cancellationToken)
    {
        var patience = TimeSpan.FromTicks(_options.RollbackTimeout.Ticks / 5);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        try
        {
            return await act(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RemovalFailedException(FormattableString.Invariant($"{_registry.Name} did not answer within {patience.TotalSeconds:0.#} s."), null, exception);
        }
    }

    // ---- What an interrupted run left ----------------------------------------------------------------------------------------------

    /// <summary>
    /// Mends what this machine's journal has as begun and not concluded in this repository. A tag that is asked for now is finished by what follows; one that is not,
    /// and that still has the placeholder over it, is put back: what nobody asks for again is not deleted.
    /// </summary>
    private async Task RecoverJournalAsync(string repository, Dictionary<string, RemovalTarget> asked, CancellationToken cancellationToken)
    {
        _pending ??= _journal.Read(_registry.Location, pendingOnly: true).Where(entry => !entry.IsLive && entry.Tag is not null).ToList();
        var here = _pending.FindAll(entry => entry.Repository == repository && !asked.ContainsKey(entry.Tag!));
        if (here.Count == 0) return;
        var restorer = new TagRestorer(_registry, _journal, _log);
        await Throttle.ForEachAsync(
            here,
            _options.ThrottleLimit,
            async entry =>
            {
                try
                {
                    var state = await restorer.MendAsync(entry, cancellationToken).ConfigureAwait(false);
                    RemovalJournal.Conclude(entry, state, "found by a later run");
                }
                catch (RegistryToolsException exception) when (exception is not JournalException)
                {
                    _log.Warning($"The removal of the tag '{entry.Tag}' of '{repository}' on {_registry.Name} was interrupted on {entry.Time:u} and could not be mended: {exception.Message}");
                }
            },
            cancellationToken).ConfigureAwait(false);
        _pending.RemoveAll(entry => entry.State != RemovalState.Pending);
    }

    /// <summary>Puts back the tags that share a left-over placeholder with one that was asked for and were not asked for themselves.</summary>
    private async Task RecoverLeftoversAsync(string repository, List<RemovalTarget> covered, Dictionary<string, RemovalTarget> asked, CancellationToken cancellationToken)
    {
        var leftovers = covered.Where(target => target.Leftover is not null).Select(target => target.Leftover!).GroupBy(leftover => leftover.Digest).Select(group => group.First()).ToList();
        foreach (var leftover in leftovers)
        {
            var others = leftover.Tags.Where(tag => !asked.ContainsKey(tag.Tag)).ToList();
            if (others.Count == 0) continue;
            if (_journal.Read(_registry.Location, pendingOnly: true).Any(entry => entry.IsLive && entry.RunId == leftover.RunId)
                || (leftover.Created is { } created && DateTimeOffset.UtcNow - created < TimeSpan.FromMinutes(2) && !_pending!.Exists(entry => entry.RunId == leftover.RunId)))
            {
                _log.Warning($"Another run is removing tags of '{repository}' on {_registry.Name}: {string.Join(", ", others.Select(tag => tag.Tag))} are left to it.");
                continue;
            }

            var restorer = new TagRestorer(_registry, _journal, _log);
            foreach (var other in others)
            {
                try
                {
                    await restorer.PutBackAsync(repository, other, leftover.Digest, null, cancellationToken).ConfigureAwait(false);
                }
                catch (RegistryToolsException exception)
                {
                    _log.Warning($"The removal of the tag '{other.Tag}' of '{repository}' on {_registry.Name} was interrupted and could not be undone: {exception.Message}");
                }
            }
        }
    }

    private void ConcludePastRuns(string repository, Dictionary<string, RemovalTarget> asked)
    {
        foreach (var entry in _pending!.FindAll(entry => entry.Repository == repository))
        {
            if (!asked.TryGetValue(entry.Tag!, out var target)) continue;
            var gone = target.State == RemovalState.Removed || target.Error is TagNotFoundException;
            if (!gone && target.State is not (RemovalState.Restored or RemovalState.Unchanged)) continue;
            if (!gone && target.Leftover is not null) continue;
            RemovalJournal.Conclude(entry, gone ? RemovalState.Removed : RemovalState.Unchanged, "found by a later run");
        }

        _pending.RemoveAll(entry => entry.State != RemovalState.Pending);
    }

    // ---- Small parts ---------------------------------------------------------------------------------------------------------------

    /// <summary>Fetches what a tag points to, and behind a left-over placeholder what it pointed to before. False where the target is settled by that.</summary>
    private async Task<bool> FetchAsync(string repository, RemovalTarget target, CancellationToken cancellationToken)
    {
        Manifest manifest;
        target.Looked.Restart();
        try
        {
            manifest = await _registry.GetManifestAsync(repository, target.Tag, cancellationToken).ConfigureAwait(false);
        }
        catch (RegistryNotFoundException)
        {
            target.Fail(new TagNotFoundException(_registry.Name, repository, target.Tag));
            return false;
        }

        target.Seen = target.Digest = manifest.Digest;
        target.MediaType = manifest.MediaType;
        target.Original = manifest;
        target.Leftover = PlaceholderManifest.Recognize(manifest);
        if (target.Leftover?.Tags.FirstOrDefault(tag => tag.Tag == target.Tag) is { } original)
        {
            _log.Warning($"An earlier removal of the tag '{target.Tag}' of '{repository}' on {_registry.Name} was interrupted; it is finished now.");
            target.Digest = original.Digest;
            target.MediaType = original.MediaType;
            try
            {
                target.Original = await _registry.GetManifestAsync(repository, original.Digest.ToString(), cancellationToken).ConfigureAwait(false);
            }
            catch (RegistryNotFoundException)
            {
                // What the tag pointed to is gone: the placeholder is all there is to put back.
            }
        }

        return CheckNotMoved(repository, target);
    }

    private bool CheckNotMoved(string repository, RemovalTarget target)
    {
        if (target.Listed is null || target.Listed == target.Seen || target.Listed == target.Digest) return true;
        target.Fail(new TagMovedException(_registry.Name, repository, target.Tag, target.Listed, target.Seen!));
        return false;
    }

    private async Task<HashSet<string>> ListAsync(string repository, CancellationToken cancellationToken)
    {
        var tags = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            await foreach (var tag in _registry.ListTagsAsync(repository, cancellationToken).ConfigureAwait(false)) tags.Add(tag);
        }
        catch (RegistryNotFoundException)
        {
            // Some registries forget a repository whose last tag is gone.
        }

        return tags;
    }

    private async Task ConcludeAsync(string repository, List<RemovalTarget> targets)
    {
        try
        {
            await Task.WhenAll(targets.Where(target => target.Method is not null && target.Digest is not null && target.State is not (null or RemovalState.Pending))
                .Select(target => Run().ConcludeAsync(repository, target.Tag, target.Digest!, target.State!.Value, target.Error?.Message))).ConfigureAwait(false);
        }
        catch (JournalException exception)
        {
            _log.Warning(exception.Message + " What became of the last removals is not in it; they are there as begun.");
        }
    }

    private static RemovalIntent Intent(string repository, RemovalTarget target, RemovalMethod method, Digest? placeholder = null) =>
        new(repository, target.Tag, target.Digest!, target.MediaType, method, placeholder);

    /// <summary>Whether the request may have been carried out although it was not answered so.</summary>
    private static bool LeavesDoubt(RegistryRequestException exception) =>
        exception is RegistryUnreachableException or RegistryProtocolException || exception.StatusCode is null or 408 or >= 500;

    private Task DelayAsync(int attempt, CancellationToken cancellationToken) =>
        Task.Delay(TimeSpan.FromTicks(_options.RetryDelay.Ticks << Math.Min(attempt - 1, 6)), cancellationToken);

    /// <summary>What is known of a registry for as long as it is connected.</summary>
    private sealed class Knowledge
    {
        /// <summary>Whether it deletes tags by name.</summary>
        public Support TagDelete { get; set; }

        /// <summary>What is said of it once it was seen to take a tag's manifest, and other tags, along: it is not asked to delete by name again.</summary>
        public Exception? Harm { get; set; }

        /// <summary>Whether it was seen to keep a manifest whose tag it deleted by name.</summary>
        public bool KeepsManifests { get; set; }
    }
}
