using RegistryTools.Errors;
using RegistryTools.Journal;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Text;

namespace RegistryTools.Deletion;

/// <summary>
/// Removes repositories. Of a storage everything goes, its name too, into the quarantine in one rename each for manifests, layers and uploads. Over the protocol, which has no such request, every tag goes, and the manifests that
/// the tags pointed to; what an index lists, and the name, stay until the registry forgets them. Repositories whose names begin with its name are others, and stay.
/// </summary>
public sealed class RepositoryRemover(IRegistry registry, RemovalJournal journal, int throttleLimit = 8, IActivityLog? log = null)
{
    private readonly IActivityLog _log = log ?? NoActivityLog.Instance;

    /// <summary>How long is waited for pushes under way before one looks once more for what they need.</summary>
    internal TimeSpan SettleTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The tags that a repository has now.</summary>
    /// <exception cref="RegistryNotFoundException">There is no such repository.</exception>
    public async Task<IReadOnlyList<string>> ListTagsAsync(string repository, CancellationToken cancellationToken = default)
    {
        var tags = new List<string>();
        await foreach (var tag in registry.ListTagsAsync(repository, cancellationToken).ConfigureAwait(false)) tags.Add(tag);
        tags.Sort(StringComparer.Ordinal);
        return tags;
    }

    /// <summary>Removes repositories. What goes wrong with one is in its result, and the next is removed all the same.</summary>
    public async Task<IReadOnlyList<RepositoryRemoval>> RemoveAsync(IReadOnlyList<string> repositories, CancellationToken cancellationToken = default)
    {
        if (registry is StorageRegistry storage) return await Task.Run(() => new StoredRepositoryRemover(storage.StorageLocation, SettleTime, _log, null).Remove(repositories, cancellationToken), cancellationToken).ConfigureAwait(false);
        var removals = new List<RepositoryRemoval>();
        foreach (var repository in repositories)
        {
            var removal = new RepositoryRemoval { Repository = repository };
            removals.Add(removal);
            _log.Progress("Removing repositories", repository, removals.Count - 1, repositories.Count, "repository");
            try
            {
                await RemoveTagsAndManifestsAsync(removal, cancellationToken).ConfigureAwait(false);
            }
            catch (RegistryToolsException exception)
            {
                removal.Errors = [.. removal.Errors, exception];
            }
        }

        return removals;
    }

    private async Task RemoveTagsAndManifestsAsync(RepositoryRemoval removal, CancellationToken cancellationToken)
    {
        var repository = removal.Repository;
        var errors = new List<Exception>();
        var gone = new List<string>();
        var digests = new List<Digest>();
        var listed = await ListTagsAsync(repository, cancellationToken).ConfigureAwait(false);

        // Tags first, which costs a registry one deletion by digest for all of them: to delete a manifest that has tags, some read every tag there is.
        using (var tags = new TagRemover(registry, journal, new TagRemoverOptions { ThrottleLimit = throttleLimit, Log = _log }))
        {
            for (var start = 0; start < listed.Count && errors.Count == 0; start += TagRemover.MaximumBatch)
            {
                var portion = listed.Skip(start).Take(TagRemover.MaximumBatch).Select(static tag => new TagRemovalRequest(tag)).ToList();
                foreach (var done in await tags.RemoveAsync(repository, portion, cancellationToken).ConfigureAwait(false))
                {
                    removal.RunId ??= done.RunId;
                    if (done.Error is not null) errors.Add(done.Error);
                    if (done.State != RemovalState.Removed) continue;
                    gone.Add(done.Tag);
                    if (done.Digest is not null && !digests.Contains(done.Digest)) digests.Add(done.Digest);
                }
            }
        }

        removal.Tags = gone;
        removal.Errors = errors;
        if (errors.Count > 0) return;
        using var manifests = new ManifestRemover(registry, journal, throttleLimit, _log);
        var plans = digests.Count == 0 ? [] : await manifests.PlanAsync(repository, digests.Select(static digest => new ManifestRemovalRequest(digest.ToString())).ToList(), cancellationToken).ConfigureAwait(false);
        var begun = 0;
        foreach (var plan in plans)
        {
            _log.Progress("Removing manifests", repository, begun++, plans.Count, "manifest");
            if (plan.Error is RegistryNotFoundException || plan.Manifest is null) continue;
            try
            {
                // Somebody has pushed a tag of it since: it is needed, and stays.
                if (plan.Tags.Count > 0 || plan.Indexes.Count > 0) continue;
                await manifests.RemoveAsync(repository, plan, force: true, cancellationToken).ConfigureAwait(false);
                removal.Manifests++;
            }
            catch (RegistryToolsException exception)
            {
                errors.Add(exception);
                if (exception is DeletionDisabledException) break;
            }
        }

        removal.PushedMeanwhile = await TagsLeftAsync(repository, cancellationToken).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<string>> TagsLeftAsync(string repository, CancellationToken cancellationToken)
    {
        try
        {
            return await ListTagsAsync(repository, cancellationToken).ConfigureAwait(false);
        }
        catch (RegistryNotFoundException)
        {
            return [];
        }
    }
}
