using RegistryTools.Errors;
using RegistryTools.Journal;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Text;

namespace RegistryTools.Deletion;

/// <summary>What became of a tag that was to be put back.</summary>
public enum TagRestoration
{
    /// <summary>It is back.</summary>
    Restored,

    /// <summary>It pointed to that manifest already.</summary>
    AlreadyThere,
}

/// <summary>Puts tags back that were removed, for as long as their manifest can be had.</summary>
public sealed class TagRestorer(IRegistry registry, RemovalJournal journal, IActivityLog? log = null)
{
    private readonly IActivityLog _log = log ?? NoActivityLog.Instance;
    private List<JournalEntry>? _entries;

    /// <summary>What the journal has of this registry: read once for all tags of a command.</summary>
    private List<JournalEntry> Entries => _entries ??= journal.Read(registry.Location).ToList();

    /// <summary>The manifest that a tag pointed to when it was last removed, as the journal has it; null where it has none.</summary>
    public Digest? FindRemoved(string repository, string tag) =>
        Entries.LastOrDefault(entry => entry.Repository == repository && entry.Tag == tag && (entry.State is RemovalState.Removed or RemovalState.Pending))?.Digest;

    /// <summary>
    /// Points a tag to the manifest that it had. The manifest's bytes come from the registry, else from the journal, in which case the registry takes them only
    /// while it has what they refer to.
    /// </summary>
    /// <param name="repository">The repository.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="digest">The manifest that it is to point to.</param>
    /// <param name="overwrite">Whether a tag that points elsewhere by now is moved; a left-over placeholder is replaced in any case.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="RestoreFailedException">The tag points elsewhere, or the manifest can't be had any more.</exception>
    public async Task<TagRestoration> RestoreAsync(string repository, string tag, Digest digest, bool overwrite = false, CancellationToken cancellationToken = default)
    {
        var current = await registry.FindManifestAsync(repository, tag, cancellationToken).ConfigureAwait(false);
        if (current?.Digest == digest) return Conclude(repository, tag, digest, TagRestoration.AlreadyThere);
        if (current is not null && !overwrite && !await IsPlaceholderAsync(repository, current, cancellationToken).ConfigureAwait(false))
        {
            throw new RestoreFailedException(
                $"The tag '{tag}' of '{repository}' on {registry.Name} is there and points to {current.Digest}; it was not pointed back to {digest}.",
                "Use -Force to move it.");
        }

        var manifest = await FindManifestAsync(repository, tag, digest, cancellationToken).ConfigureAwait(false);
        try
        {
            await RestoreChildrenAsync(repository, manifest, cancellationToken).ConfigureAwait(false);
            await registry.PutManifestAsync(repository, tag, manifest.Raw, manifest.MediaType, cancellationToken).ConfigureAwait(false);
        }
        catch (RegistryRequestException exception) when (exception.HasCode("MANIFEST_BLOB_UNKNOWN") || exception.HasCode("BLOB_UNKNOWN") || exception.HasCode("MANIFEST_UNKNOWN"))
        {
            throw Gone(repository, tag, digest, exception);
        }

        var now = await registry.FindManifestAsync(repository, tag, cancellationToken).ConfigureAwait(false);
        if (now is null || now.Digest != manifest.Digest)
        {
            throw new RestoreFailedException($"{registry.Name} took the manifest {manifest.Digest} for the tag '{tag}' of '{repository}', and yet the tag {(now is null ? "is not there" : "points to " + now.Digest)}.");
        }

        return Conclude(repository, tag, digest, TagRestoration.Restored);
    }

    /// <summary>Looks what became of an interrupted removal and, where the placeholder still stands over the tag, puts the tag back.</summary>
    internal async Task<RemovalState> MendAsync(JournalEntry entry, CancellationToken cancellationToken)
    {
        var current = await registry.FindManifestAsync(entry.Repository, entry.Tag!, cancellationToken).ConfigureAwait(false);
        if (current is null) return RemovalState.Removed;
        if (entry.Placeholder is null || current.Digest != entry.Placeholder) return RemovalState.Unchanged;
        await PutBackAsync(entry.Repository, new OriginalTag(entry.Tag!, entry.Digest, entry.MediaType), entry.Placeholder, entry, cancellationToken).ConfigureAwait(false);
        return RemovalState.Restored;
    }

    /// <summary>Puts a tag back that still has this placeholder over it; any other is let be.</summary>
    internal async Task PutBackAsync(string repository, OriginalTag original, Digest placeholder, JournalEntry? entry, CancellationToken cancellationToken)
    {
        var current = await registry.FindManifestAsync(repository, original.Tag, cancellationToken).ConfigureAwait(false);
        if (current?.Digest != placeholder) return;
        var manifest = await TryGetAsync(repository, original.Digest, cancellationToken).ConfigureAwait(false)
            ?? (entry is not null && RemovalJournal.FindManifest(entry) is { } bytes ? Manifest.Parse(bytes, entry.MediaType, entry.Digest) : null)
            ?? throw Gone(repository, original.Tag, original.Digest, null);
        await registry.PutManifestAsync(repository, original.Tag, manifest.Raw, manifest.MediaType, cancellationToken).ConfigureAwait(false);
        _log.Warning($"The removal of the tag '{original.Tag}' of '{repository}' on {registry.Name} was interrupted earlier and is not asked for now: the tag is back, and points to {original.Digest}.");
    }

    /// <summary>Pushes again what an index lists and the journal has: where a repository was removed, its platforms may have been tags of their own.</summary>
    private async Task RestoreChildrenAsync(string repository, Manifest manifest, CancellationToken cancellationToken)
    {
        foreach (var child in manifest.Manifests)
        {
            var entry = Entries.Find(entry => entry.Digest == child.Digest && entry.Repository == repository && RemovalJournal.FindManifest(entry) is not null);
            if (entry is null || await registry.FindManifestAsync(repository, child.Digest.ToString(), cancellationToken).ConfigureAwait(false) is not null) continue;
            var removed = Manifest.Parse(RemovalJournal.FindManifest(entry)!, entry.MediaType, child.Digest);
            await RestoreChildrenAsync(repository, removed, cancellationToken).ConfigureAwait(false);
            await registry.PutManifestAsync(repository, child.Digest.ToString(), removed.Raw, removed.MediaType, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<Manifest> FindManifestAsync(string repository, string tag, Digest digest, CancellationToken cancellationToken)
    {
        var manifest = await TryGetAsync(repository, digest, cancellationToken).ConfigureAwait(false);
        if (manifest is null)
        {
            foreach (var entry in Entries)
            {
                if (entry.Digest == digest && entry.Repository == repository && RemovalJournal.FindManifest(entry) is { } bytes) return Manifest.Parse(bytes, entry.MediaType, digest);
            }

            throw Gone(repository, tag, digest, null);
        }

        if (PlaceholderManifest.Recognize(manifest)?.Tags.FirstOrDefault(original => original.Tag == tag) is { } behind && behind.Digest != digest)
        {
            return await FindManifestAsync(repository, tag, behind.Digest, cancellationToken).ConfigureAwait(false);
        }

        return manifest;
    }

    private async Task<Manifest?> TryGetAsync(string repository, Digest digest, CancellationToken cancellationToken)
    {
        try
        {
            return await registry.GetManifestAsync(repository, digest.ToString(), cancellationToken).ConfigureAwait(false);
        }
        catch (RegistryNotFoundException)
        {
            return null;
        }
    }

    private async Task<bool> IsPlaceholderAsync(string repository, Descriptor current, CancellationToken cancellationToken) =>
        await TryGetAsync(repository, current.Digest, cancellationToken).ConfigureAwait(false) is { } manifest && PlaceholderManifest.Recognize(manifest) is not null;

    private TagRestoration Conclude(string repository, string tag, Digest digest, TagRestoration restoration)
    {
        foreach (var entry in Entries)
        {
            if (entry.Repository == repository && entry.Tag == tag && entry.Digest == digest && !entry.IsLive && (entry.State is RemovalState.Removed or RemovalState.Pending))
            {
                RemovalJournal.Conclude(entry, RemovalState.Restored);
            }
        }

        return restoration;
    }

    private RestoreFailedException Gone(string repository, string tag, Digest digest, Exception? cause) =>
        new(
            $"The tag '{tag}' of '{repository}' on {registry.Name} can't be put back: its manifest {digest}, or something that it refers to, is no longer in the repository.",
            "Push the image anew. A garbage collection, or the deletion of the manifest, has taken it.",
            cause);
}
