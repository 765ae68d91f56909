using System.Management.Automation;
using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Registries;

namespace RegistryTools.PowerShell.Drives;

/// <summary>What the wildcards of a path match.</summary>
internal sealed class PathExpansion
{
    private const int AtOnce = 8;
    private readonly IRegistry _registry;
    private readonly RepositoryTree _tree;
    private readonly CancellationToken _token;

    private PathExpansion(IRegistry registry, RepositoryTree tree, CancellationToken token)
    {
        _registry = registry;
        _tree = tree;
        _token = token;
    }

    /// <summary>What was found: the path below the root as one types it, and what it is.</summary>
    public List<(string Path, PlaceKind Kind)> Places { get; } = [];

    /// <summary>What went wrong with single repositories.</summary>
    public List<(string Repository, Exception Error)> Errors { get; } = [];

    /// <summary>Why repositories could not be listed; null where they could.</summary>
    public RegistryRequestException? Refusal { get; private set; }

    /// <summary>Whether the pattern can't be expanded without a list of repositories; tags alone can.</summary>
    public bool NeedsRepositories { get; private set; }

    /// <summary>Expands a path, part by part.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="tree">Its repositories.</param>
    /// <param name="pattern">The parts below the root: see <see cref="DrivePath.Parts"/>.</param>
    /// <param name="cancellationToken">Stops it.</param>
    public static async Task<PathExpansion> ExpandAsync(IRegistry registry, RepositoryTree tree, IReadOnlyList<string> pattern, CancellationToken cancellationToken)
    {
        var expansion = new PathExpansion(registry, tree, cancellationToken);
        if (pattern.Count > 0) await expansion.RunAsync(pattern).ConfigureAwait(false);
        return expansion;
    }

    private async Task RunAsync(IReadOnlyList<string> pattern)
    {
        // What the parts before the last one can be: containers, each with whether a list had it as a repository; null where no list was needed.
        var containers = new List<(string Path, bool? IsRepository)> { (string.Empty, false) };
        for (var i = 0; i < pattern.Count - 1; i++)
        {
            var part = pattern[i];
            if (!WildcardPattern.ContainsWildcardCharacters(part))
            {
                var name = WildcardPattern.Unescape(part).ToLowerInvariant();
                containers = containers.ConvertAll(container => (Join(container.Path, name), (bool?)null));
                if (!NeedsRepositories) continue;

                // What a list has brought so far is in that list or not at all.
                var listed = await NamesAsync().ConfigureAwait(false);
                containers = containers.FindAll(container => listed.Contains(container.Path) || listed.HasBelow(container.Path)).ConvertAll(container => (container.Path, (bool?)listed.Contains(container.Path)));
                continue;
            }

            NeedsRepositories = true;
            var names = await NamesAsync().ConfigureAwait(false);
            var matches = WildcardPattern.Get(part, WildcardOptions.IgnoreCase);
            containers = containers.SelectMany(container => names.Below(container.Path).Where(below => matches.IsMatch(below.Name)).Select(below => (Join(container.Path, below.Name), (bool?)below.IsRepository))).ToList();
        }

        var last = pattern[pattern.Count - 1];
        if (last[0] == '@') return;
        var onlyTags = last[0] == ':';
        if (onlyTags) last = last.Substring(1);
        if (WildcardPattern.ContainsWildcardCharacters(last))
        {
            foreach (var container in containers) await MatchAsync(container.Path, container.IsRepository, last, onlyTags).ConfigureAwait(false);
        }
        else
        {
            await LookAsync(containers, WildcardPattern.Unescape(last), onlyTags).ConfigureAwait(false);
        }
    }

    private async Task MatchAsync(string container, bool? isRepository, string pattern, bool onlyTags)
    {
        if (container.Length == 0) NeedsRepositories = true;
        var names = await NamesAsync().ConfigureAwait(false);
        var below = names.Below(container).ToList();
        var twins = new HashSet<string>(below.Select(static one => one.Name), StringComparer.Ordinal);
        if (container.Length > 0 && (isRepository ?? !IsNamespace(names, container)))
        {
            var tags = WildcardPattern.Get(pattern, WildcardOptions.None);
            try
            {
                await foreach (var tag in _registry.ListTagsAsync(RepositoryName.Normalize(container, out _), _token).ConfigureAwait(false))
                {
                    if (tags.IsMatch(tag)) Places.Add((Join(container, onlyTags || twins.Contains(tag.ToLowerInvariant()) ? ":" + tag : tag), PlaceKind.Tag));
                }
            }
            catch (RegistryToolsException error)
            {
                Errors.Add((container, error));
            }
        }

        if (onlyTags) return;
        var repositories = WildcardPattern.Get(pattern, WildcardOptions.IgnoreCase);
        foreach (var (name, itself) in below.Where(one => repositories.IsMatch(one.Name))) Places.Add((Join(container, name), itself ? PlaceKind.Repository : PlaceKind.Namespace));
    }

    /// <summary>One name in many containers, which wildcards before it have found.</summary>
    private async Task LookAsync(List<(string Path, bool? IsRepository)> containers, string name, bool onlyTags)
    {
        var names = await NamesAsync().ConfigureAwait(false);
        var found = new bool[containers.Count];
        if (TagName.IsValid(name))
        {
            using var space = new SemaphoreSlim(AtOnce);
            await Task.WhenAll(containers.Select(async (container, index) =>
            {
                if (container.IsRepository == false || !RepositoryName.IsValid(container.Path)) return;
                await space.WaitAsync(_token).ConfigureAwait(false);
                try
                {
                    found[index] = await _registry.FindManifestAsync(container.Path, name, _token).ConfigureAwait(false) is not null;
                }
                catch (RegistryToolsException error)
                {
                    lock (Errors) Errors.Add((container.Path, error));
                }
                finally
                {
                    space.Release();
                }
            })).ConfigureAwait(false);
        }

        for (var i = 0; i < containers.Count; i++)
        {
            var path = Join(containers[i].Path, name.ToLowerInvariant());
            var isRepository = !onlyTags && names.Contains(path);
            var isNamespace = !onlyTags && !isRepository && names.HasBelow(path);
            if (found[i]) Places.Add((Join(containers[i].Path, onlyTags || isRepository || isNamespace ? ":" + name : name), PlaceKind.Tag));
            if (isRepository || isNamespace) Places.Add((path, isRepository ? PlaceKind.Repository : PlaceKind.Namespace));
        }
    }

    private static bool IsNamespace(RepositoryNames names, string container) => !names.Contains(container) && names.HasBelow(container);

    private async Task<RepositoryNames> NamesAsync()
    {
        var names = await _tree.ReadAsync(_registry, _token).ConfigureAwait(false);
        Refusal = names.Refusal;
        return names;
    }

    private static string Join(string container, string name) => container.Length == 0 ? name : container + "/" + name;
}
