using RegistryTools.GarbageCollection;
using RegistryTools.Inspection;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Storage;

namespace RegistryTools.PowerShell.Completion;

/// <summary>A connection of the session, or a storage that the command line names, as what candidates come from. What is looked for is looked for elsewhere than on the calling thread.</summary>
internal sealed class CandidateSource
{
    private const int MaximumTags = 50;
    private const int AtOnce = 8;
    private readonly CommandLine _line;
    private readonly object _key;
    private readonly Func<IRegistry> _open;

    public CandidateSource(CommandLine line, RegistryConnection connection)
    {
        _line = line;
        _key = connection;
        _open = () => connection.Handle;
        Name = connection.Handle.Name;
        Location = connection.Location;
    }

    public CandidateSource(CommandLine line, string storagePath)
    {
        _line = line;
        _key = Name = Location = storagePath;
        _open = () => new StorageRegistry(StorageLocation.Find(storagePath));
    }

    /// <summary>What stands before a repository in a reference.</summary>
    public string Name { get; }

    /// <summary>What the journal knows it by.</summary>
    public string Location { get; }

    public Candidate[] Repositories() => Get(
        "repositories",
        async (list, token) =>
        {
            await foreach (var name in _open().ListRepositoriesAsync(token).ConfigureAwait(false))
            {
                if (RepositoryName.IsValid(name) && !list.Add(new Candidate(name))) return;
            }
        });

    public Candidate[] Tags(string repository) => Get(
        "tags " + repository,
        async (list, token) =>
        {
            await foreach (var tag in _open().ListTagsAsync(repository, token).ConfigureAwait(false))
            {
                if (!list.Add(new Candidate(tag))) return;
            }
        });

    /// <summary>The digests of a tag's manifest and of those that an index lists; without a tag, of the repository's tags, of many the last ones. The notes name the tags and platforms.</summary>
    public Candidate[] Digests(string repository, string? tag) => tag is null
        ? Get(
            "digests " + repository,
            async (list, token) =>
            {
                var registry = _open();
                var tags = new List<string>();
                await foreach (var name in registry.ListTagsAsync(repository, token).ConfigureAwait(false))
                {
                    tags.Add(name);
                    if (tags.Count == CandidateList.Capacity) break;
                }

                tags.Sort((one, other) => TagOrder.Natural.Compare(other, one));
                var details = new TagInspector(registry, AtOnce).LookUpAsync(repository, TagList.FromNames(tags.Take(MaximumTags)), token);
                await foreach (var detail in details.ConfigureAwait(false))
                {
                    if (detail.Digest is not null) list.Add(new Candidate(detail.Digest.ToString(), detail.Tag));
                }
            })
        : Get(
            "digests " + repository + ":" + tag,
            async (list, token) =>
            {
                var manifest = await _open().GetManifestAsync(repository, tag, token).ConfigureAwait(false);
                list.Add(new Candidate(manifest.Digest.ToString(), tag));
                foreach (var child in manifest.Manifests) list.Add(new Candidate(child.Digest.ToString(), child.Platform is { IsUnknown: false } platform ? platform.ToString() : child.ArtifactType ?? "of " + tag));
            });

    /// <summary>What a manifest can be had for: the platforms of an index, or the one of an image.</summary>
    public Candidate[] Platforms(string repository, string reference) => Get(
        "platforms " + repository + " " + reference,
        async (list, token) =>
        {
            var registry = _open();
            var manifest = await registry.GetManifestAsync(repository, reference, token).ConfigureAwait(false);
            List<Platform> platforms = manifest.Kind == ManifestKind.Index
                ? [.. manifest.Manifests.Select(static child => child.Platform).OfType<Platform>()]
                : manifest.Config is { } config && MediaTypes.IsImageConfig(config.MediaType)
                    ? [ImageConfig.Parse(await registry.ReadBlobAsync(repository, config.Digest, ImageConfig.MaximumSize, token).ConfigureAwait(false), config.Digest).Platform]
                    : [];
            foreach (var platform in platforms.Where(static platform => !platform.IsUnknown))
            {
                // Windows has one for each of its versions, which the version tells apart.
                var isVersioned = platform.OsVersion is not null && platforms.Count(other => other.ToString() == platform.ToString()) > 1;
                list.Add(new Candidate(isVersioned ? platform.Os + ":" + platform.OsVersion + platform.ToString().Substring(platform.Os.Length) : platform.ToString()));
            }
        });

    /// <summary>What the quarantine of a storage holds.</summary>
    /// <param name="what">Says which part of an item is wanted.</param>
    /// <param name="select">Gives that part, and what else there is to say; null for nothing.</param>
    public Candidate[] Garbage(string what, Func<GarbageRun, GarbageItem, Candidate?> select) => Get(
        "quarantine " + what,
        async (list, token) =>
        {
            foreach (var run in await GarbageRun.ReadAsync(StorageLocation.Find(Location), token).ConfigureAwait(false))
            {
                foreach (var item in run.Items)
                {
                    if (select(run, item) is { } candidate && !list.Add(candidate)) return;
                }
            }
        });

    private Candidate[] Get(string what, Func<CandidateList, CancellationToken, Task> search) => _line.Session.Candidates.Get(_key, what, search, _line.Deadline);
}
