using RegistryTools.Errors;
using RegistryTools.Inspection;
using RegistryTools.Manifests;
using RegistryTools.Registries;

namespace RegistryTools.PowerShell.Drives;

/// <summary>What a path turned out to be.</summary>
internal enum PlaceKind
{
    /// <summary>Nothing that is there.</summary>
    Nothing,

    /// <summary>The registry.</summary>
    Root,

    /// <summary>The beginning of repositories' names, and no repository.</summary>
    Namespace,

    /// <summary>A repository.</summary>
    Repository,

    /// <summary>A tag.</summary>
    Tag,

    /// <summary>A manifest, named by its digest.</summary>
    Manifest,
}

/// <summary>What a registry says of a path.</summary>
internal sealed class Place(DrivePath path, PlaceKind kind)
{
    public DrivePath Path { get; } = path;

    public PlaceKind Kind { get; } = kind;

    /// <summary>The manifest of the tag, or the one that was named; null where neither is there, or was looked for.</summary>
    public Descriptor? Manifest { get; private set; }

    /// <summary>Whether there is a repository of that name, which may be empty where the place is a tag.</summary>
    public bool IsRepository { get; private set; }

    /// <summary>Whether that repository has tags.</summary>
    public bool HasTags { get; private set; }

    /// <summary>Whether a repository of that name may be there that this user may not see.</summary>
    public bool MayBeHidden { get; private set; }

    /// <summary>Whether it is what a list had, and was not looked at by itself.</summary>
    public bool IsListed { get; private set; }

    /// <summary>What a list had, with what was found out about it.</summary>
    public TagDetail? Detail { get; init; }

    /// <summary>Why nothing was found; null where something was.</summary>
    public Exception? Error { get; private set; }

    public bool IsContainer => Kind is PlaceKind.Root or PlaceKind.Namespace or PlaceKind.Repository;

    /// <summary>Whether both a tag and a repository are meant. An empty repository beside a tag is none that could be meant: some registries say of every name that it is there and empty.</summary>
    public bool IsAmbiguous => Manifest is not null && HasTags;

    /// <summary>A place that a list had.</summary>
    public static Place Listed(DrivePath path, PlaceKind kind, TagDetail? detail = null) => new(path, kind) { IsListed = true, Detail = detail, IsRepository = kind == PlaceKind.Repository };

    /// <summary>
    /// Asks a registry what a path is: one or two requests, however much it holds. A path that is both a repository and a tag is the repository; the tag is named with a colon. What the user may not
    /// see is not there; any other failure is thrown.
    /// </summary>
    public static async Task<Place> FindAsync(IRegistry registry, RepositoryTree tree, DrivePath path, CancellationToken cancellationToken)
    {
        if (path.IsRoot) return new Place(path, PlaceKind.Root);
        if (path.IsLeaf) return await FindLeafAsync(registry, path, cancellationToken).ConfigureAwait(false);
        var asking = AskForRepositoryAsync(registry, path.Container!, cancellationToken);
        var looking = path.Tag is null ? Task.FromResult<(Descriptor?, Exception?)>((null, null)) : LookForTagAsync(registry, path, cancellationToken);
        await Task.WhenAll(asking, looking).ConfigureAwait(false);
        var (isRepository, hasTags, refusal) = await asking.ConfigureAwait(false);
        var (manifest, tagRefusal) = await looking.ConfigureAwait(false);
        Place Found(PlaceKind kind) => new(path, kind) { Manifest = manifest, IsRepository = isRepository, HasTags = hasTags, MayBeHidden = refusal is not (null or RegistryNotFoundException) };

        if (hasTags) return Found(PlaceKind.Repository);
        if (manifest is not null) return Found(PlaceKind.Tag);
        if (isRepository) return Found(PlaceKind.Repository);
        var names = await tree.ReadAsync(registry, cancellationToken).ConfigureAwait(false);
        if (names.HasBelow(path.Container)) return Found(PlaceKind.Namespace);

        // That one may not see it says more than that it is not there.
        var error = refusal is RegistryNotFoundException && tagRefusal is not (null or RegistryNotFoundException) ? tagRefusal : refusal;
        return new Place(path, PlaceKind.Nothing) { Error = error };
    }

    private static async Task<Place> FindLeafAsync(IRegistry registry, DrivePath path, CancellationToken cancellationToken)
    {
        var found = await registry.FindManifestAsync(path.Repository!, path.Tag ?? path.Digest!.ToString(), cancellationToken).ConfigureAwait(false);
        if (found is not null && (path.Digest is null || path.Digest == found.Digest)) return new Place(path, path.Tag is null ? PlaceKind.Manifest : PlaceKind.Tag) { Manifest = found };
        return new Place(path, PlaceKind.Nothing) { Manifest = found, Error = path.Tag is null ? null : new TagNotFoundException(registry.Name, path.Repository!, path.Tag) };
    }

    private static async Task<(bool IsRepository, bool HasTags, Exception? Refusal)> AskForRepositoryAsync(IRegistry registry, string repository, CancellationToken cancellationToken)
    {
        try
        {
            await using var tags = registry.ListTagsAsync(repository, cancellationToken).GetAsyncEnumerator(cancellationToken);
            return (true, await tags.MoveNextAsync().ConfigureAwait(false), null);
        }
        catch (RegistryRequestException error) when (RepositoryTree.IsRefusal(error))
        {
            return (false, false, error);
        }
    }

    private static async Task<(Descriptor? Manifest, Exception? Refusal)> LookForTagAsync(IRegistry registry, DrivePath path, CancellationToken cancellationToken)
    {
        try
        {
            return (await registry.FindManifestAsync(path.Repository!, path.Tag!, cancellationToken).ConfigureAwait(false), null);
        }
        catch (RegistryRequestException error) when (RepositoryTree.IsRefusal(error))
        {
            return (null, error);
        }
    }
}
