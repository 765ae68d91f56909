using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Registries;

namespace RegistryTools.PowerShell.Drives;

/// <summary>
/// The repositories of a registry as a tree. A registry tells what is below a repository or a namespace only by listing all that it has, so the list is kept for a few seconds: for what is shown,
/// never for what is removed.
/// </summary>
internal sealed class RepositoryTree
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(10);
    private readonly object _gate = new();
    private RepositoryNames? _names;
    private DateTime _read;

    /// <summary>The repositories. Where the registry does not list them to this user, none, and why.</summary>
    public async Task<RepositoryNames> ReadAsync(IRegistry registry, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_names is not null && DateTime.UtcNow - _read < Fresh) return _names;
        }

        var names = new List<string>();
        try
        {
            await foreach (var name in registry.ListRepositoriesAsync(cancellationToken).ConfigureAwait(false)) names.Add(name);
        }
        catch (RegistryRequestException error) when (IsRefusal(error))
        {
            return Keep(new RepositoryNames([], error));
        }

        return Keep(names);
    }

    /// <summary>Keeps a list that was just read.</summary>
    public RepositoryNames Keep(IEnumerable<string> names) => Keep(new RepositoryNames(names, null));

    /// <summary>Forgets the list.</summary>
    public void Forget()
    {
        lock (_gate) _names = null;
    }

    /// <summary>Whether an error says that this user may not have it or that there is no such thing, as against one that comes of the moment.</summary>
    public static bool IsRefusal(Exception error) => error is RegistryDeniedException or RegistryUnauthorizedException or RegistryUnsupportedException or RegistryNotFoundException;

    private RepositoryNames Keep(RepositoryNames names)
    {
        lock (_gate)
        {
            _names = names;
            _read = DateTime.UtcNow;
        }

        return names;
    }
}

/// <summary>A list of repositories.</summary>
internal sealed class RepositoryNames
{
    private readonly List<string> _names;

    public RepositoryNames(IEnumerable<string> names, RegistryRequestException? refusal)
    {
        // Which names a registry gives its repositories is its own affair; what is no name by the specification can't be a path.
        _names = new List<string>(new HashSet<string>(names.Where(RepositoryName.IsValid), StringComparer.Ordinal));
        _names.Sort(StringComparer.Ordinal);
        Refusal = refusal;
    }

    /// <summary>Why there is no list; null where there is one.</summary>
    public RegistryRequestException? Refusal { get; }

    /// <summary>Whether there is such a repository.</summary>
    public bool Contains(string repository) => _names.BinarySearch(repository, StringComparer.Ordinal) >= 0;

    /// <summary>Whether there is any below a repository or namespace; null for the root.</summary>
    public bool HasBelow(string? container)
    {
        var prefix = Prefix(container);
        var first = First(prefix);
        return first < _names.Count && _names[first].StartsWith(prefix, StringComparison.Ordinal);
    }

    /// <summary>What is right below a repository or namespace, or the root: repositories first, then the namespaces that are none.</summary>
    public IEnumerable<(string Name, bool IsRepository)> Below(string? container)
    {
        var prefix = Prefix(container);
        var repositories = new List<(string, bool)>();
        var namespaces = new SortedSet<string>(StringComparer.Ordinal);
        for (var i = First(prefix); i < _names.Count && _names[i].StartsWith(prefix, StringComparison.Ordinal); i++)
        {
            var slash = _names[i].IndexOf('/', prefix.Length);
            if (slash < 0) repositories.Add((_names[i].Substring(prefix.Length), true));
            else namespaces.Add(_names[i].Substring(prefix.Length, slash - prefix.Length));
        }

        foreach (var (name, _) in repositories) namespaces.Remove(name);
        return repositories.Concat(namespaces.Select(static name => (name, false)));
    }

    private static string Prefix(string? container) => string.IsNullOrEmpty(container) ? string.Empty : container + "/";

    private int First(string prefix)
    {
        var index = prefix.Length == 0 ? 0 : _names.BinarySearch(prefix, StringComparer.Ordinal);
        return index < 0 ? ~index : index;
    }
}
