using RegistryTools.GarbageCollection;

namespace RegistryTools.Usage;

/// <summary>Something that could not be measured.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Tag">The tag; null where the whole repository failed.</param>
/// <param name="Error">Why.</param>
public sealed record UsageError(string Repository, string? Tag, Exception Error);

/// <summary>A registry as it was measured. What is asked of it is answered from memory.</summary>
public sealed class StorageMeasurement
{
    private readonly UsageGraph _graph;
    private readonly Dictionary<string, UsageRepository> _byName;

    internal StorageMeasurement(UsageGraph graph, long? quarantined, IReadOnlyList<GarbageProblem> problems, IReadOnlyList<UsageError> errors)
    {
        _graph = graph;
        _byName = graph.Repositories.ToDictionary(static repository => repository.Name, StringComparer.Ordinal);
        (Registry, Repositories) = graph.Total(quarantined);
        Problems = problems;
        Errors = errors;
    }

    /// <summary>The whole.</summary>
    public StorageUsage Registry { get; }

    /// <summary>Its repositories, by name.</summary>
    public IReadOnlyList<StorageUsage> Repositories { get; }

    /// <summary>What could not be read. What it might need counts as needed, as it does in a garbage collection, where something is kept for it.</summary>
    public IReadOnlyList<GarbageProblem> Problems { get; }

    /// <summary>Over HTTP: what could not be asked for.</summary>
    public IReadOnlyList<UsageError> Errors { get; }

    /// <summary>The names of a repository's tags; none where there is no such repository.</summary>
    public IEnumerable<string> TagNames(string repository) => _byName.TryGetValue(repository, out var found) ? found.Tags.Select(static tag => tag.Name) : [];

    /// <summary>A repository's tags, by name.</summary>
    public IEnumerable<StorageUsage> Tags(string repository)
    {
        if (!_byName.TryGetValue(repository, out var found)) yield break;
        for (var i = 0; i < found.Tags.Length; i++) yield return _graph.Tag(found, i);
    }

    /// <summary>What would be got back if exactly these tags were removed.</summary>
    public StorageSavings Without(IEnumerable<TagSelection> tags)
    {
        var removed = new bool[_graph.TagCount];
        var notFound = new List<TagSelection>();
        var indexes = new Dictionary<string, Dictionary<string, int>>(StringComparer.Ordinal);
        foreach (var selection in tags)
        {
            if (!_byName.TryGetValue(selection.Repository, out var repository))
            {
                notFound.Add(selection);
                continue;
            }

            if (selection.Tag is null)
            {
                for (var i = 0; i < repository.Tags.Length; i++) removed[repository.FirstTag + i] = true;
                continue;
            }

            if (!indexes.TryGetValue(repository.Name, out var index))
            {
                index = new Dictionary<string, int>(StringComparer.Ordinal);
                for (var i = 0; i < repository.Tags.Length; i++) index[repository.Tags[i].Name] = i;
                indexes.Add(repository.Name, index);
            }

            if (index.TryGetValue(selection.Tag, out var found)) removed[repository.FirstTag + found] = true;
            else notFound.Add(selection);
        }

        return _graph.Without(removed, notFound);
    }
}
