using System.Management.Automation;
using System.Runtime.CompilerServices;
using RegistryTools.Errors;
using RegistryTools.Inspection;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.References;
using RegistryTools.Registries;

namespace RegistryTools.PowerShell.Drives;

/// <summary>What is in a registry, a namespace and a repository: tags first, as they come, then the repositories below, then the namespaces.</summary>
public sealed partial class ContainerRegistryProvider
{
    // How long the first tags wait for the list of repositories, which tells those that share their name with one.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    protected override object GetChildItemsDynamicParameters(string path, bool recurse) => new RegistryItemParameters();

    /// <inheritdoc/>
    protected override void GetChildItems(string path, bool recurse) => GetChildItems(path, recurse, uint.MaxValue);

    /// <inheritdoc/>
    protected override void GetChildItems(string path, bool recurse, uint depth)
    {
        if (!TryLocateOrTell(path, out var located) || !TryFindOrTell(located, path, out var place)) return;
        TellLowered(place);
        if (!place.IsContainer) Write(located, path, place);
        else List(located, place, recurse ? depth : 0);
    }

    /// <inheritdoc/>
    protected override void GetChildNames(string path, ReturnContainers returnContainers)
    {
        if (!TryLocateOrTell(path, out var located) || !TryFindOrTell(located, path, out var place)) return;
        if (!place.IsContainer)
        {
            var self = GetChildName(path);
            WriteItemObject(self, path, false);
            return;
        }

        List(
            located,
            place,
            child =>
            {
                // The engine chooses among the names and comes back for some: it need not ask for each again what the list has told.
                var name = DrivePath.Parse(child.Container is null ? child.Name : child.Container + "/" + child.Name);
                _places[Key(located with { Path = name })] = Place.Listed(name, child.Kind);
                WriteItemObject(child.Name, Below(located, child), child.IsContainer);
            },
            detailed: false);
    }

    /// <summary>
    /// The paths that a pattern matches, part by part: repositories without regard to case, as they have none, and tags letter for letter. What a list had is remembered for as long as this command takes it
    /// up again.
    /// </summary>
    /// <param name="path">The path, with wildcards below its root.</param>
    protected override string[] ExpandPath(string path)
    {
        var parts = DrivePath.Split(path);
        if (parts.Length == 0 || !TryLocateOrTell(parts[0], out var root)) return [];
        var pattern = DrivePath.Parts(string.Join("/", parts.Skip(1)));
        var failure = _pump.Run(token => PathExpansion.ExpandAsync(root.Connection.Handle, root.Drive.Tree, pattern, token), out var expansion, $"Looking for {string.Join("/", pattern)}");
        if (failure is not null)
        {
            WriteError(ErrorRecords.From(failure, new ErrorSubject(path, root.Connection.Name)));
            return [];
        }

        foreach (var (repository, error) in expansion.Errors) WriteError(ErrorRecords.From(error, new ErrorSubject(path, root.Connection.Name, repository)));
        if (expansion.Refusal is { } refusal)
        {
            if (expansion.NeedsRepositories) WriteError(ErrorRecords.From(refusal, new ErrorSubject(path, root.Connection.Name)));
            else WriteVerbose($"{root.Connection.Name} does not list its repositories: only tags are looked at.");
        }

        var details = Detailed ? Inspect(root, expansion.Places) : null;
        var paths = new List<string>();
        foreach (var (written, kind) in expansion.Places)
        {
            var name = DrivePath.Parse(written);
            var detail = details is not null && kind == PlaceKind.Tag && details.TryGetValue((name.Repository!, name.Tag!), out var found) ? found : null;
            _places[Key(root with { Path = name })] = Place.Listed(name, kind, detail);
            paths.Add(string.Join(Separator, [parts[0], .. DrivePath.Split(written)]));
        }

        return [.. paths];
    }

    /// <summary>What there is to know of tags that a pattern matched: so many at a time, and none twice.</summary>
    private Dictionary<(string Repository, string Tag), TagDetail> Inspect(Located root, IReadOnlyList<(string Path, PlaceKind Kind)> places)
    {
        var details = new Dictionary<(string, string), TagDetail>();
        foreach (var repository in places.Where(place => place.Kind == PlaceKind.Tag).Select(place => DrivePath.Parse(place.Path)).GroupBy(path => path.Repository!))
        {
            var inspector = new TagInspector(root.Connection.Handle, log: ActivityRouter.Log);
            var failure = _pump.Stream(
                token => inspector.InspectAsync(repository.Key, TagList.FromNames(repository.Select(path => path.Tag!)), token),
                detail => details[(repository.Key, detail.Tag)] = detail,
                $"Inspecting tags of {repository.Key}");
            if (failure is not null) WriteError(ErrorRecords.From(failure, new ErrorSubject(repository.Key, root.Connection.Name, repository.Key)));
        }

        return details;
    }

    private void List(Located located, Place place, uint depth)
    {
        var containers = depth == 0 ? null : new List<Child>();
        List(
            located,
            place,
            child =>
            {
                WriteChild(located, child);
                if (child.IsContainer) containers?.Add(child);
            },
            Detailed);
        foreach (var child in containers ?? [])
        {
            var name = DrivePath.Parse(child.Container is null ? child.Name : child.Container + "/" + child.Name);
            List(located with { Path = name }, Place.Listed(name, child.Kind), depth - 1);
        }
    }

    private void List(Located located, Place place, Action<Child> write, bool detailed)
    {
        var (connection, tree, container) = (located.Connection, located.Drive.Tree, place.Path.Container);
        var failure = _pump.Stream(
            token => place.Kind switch
            {
                PlaceKind.Root => RepositoriesAsync(connection.Handle, tree, token),
                PlaceKind.Namespace => BelowAsync(connection.Handle, tree, container!, token),
                _ => TagsAndBelowAsync(connection.Handle, tree, container!, detailed ? new TagInspector(connection.Handle, log: ActivityRouter.Log) : null, token),
            },
            child =>
            {
                if (child.Notice is not null) WriteVerbose(child.Notice);
                else write(child);
            },
            place.Kind == PlaceKind.Repository ? $"Listing tags of {container}" : $"Listing repositories of {connection.Name}");
        if (failure is not null) WriteError(ErrorRecords.From(failure, place.Kind == PlaceKind.Repository ? new ErrorSubject(container, connection.Name, container) : new ErrorSubject(connection.Name, connection.Name)));
    }

    private void WriteChild(Located located, Child child)
    {
        var (connection, path) = (located.Connection, Below(located, child));
        var name = child.Container is null ? child.Name : child.Container + "/" + child.Name;
        switch (child.Kind)
        {
            case PlaceKind.Repository:
                WriteNamed(new RegistryRepository(connection.Name, name), path, child.Name, true);
                break;
            case PlaceKind.Namespace:
                WriteNamed(new RegistryNamespace(connection.Name, name), path, child.Name, true);
                break;
            default:
                if (child.Detail is { } detail) WriteDetail(connection, child.Container!, detail, path, child.Name);
                else WriteNamed(new RegistryTag(connection.Name, child.Container!, child.Tag!, null), path, child.Name, false);
                break;
        }
    }

    /// <summary>The path of what a list had: of a tag one that can be nothing else, with the digest that it had, so that it is not removed if it has moved.</summary>
    private static string Below(Located located, Child child)
    {
        var parts = new List<string> { located.Drive.Root };
        if (child.Container is not null) parts.AddRange(DrivePath.Split(child.Container));
        parts.Add(child.Tag is null ? child.Name : Mark(child.Tag, child.Detail?.Digest));
        return string.Join(Separator, parts);
    }

    private static string Mark(string tag, Digest? digest) => ":" + tag + (digest is null ? string.Empty : "@" + digest);

    private static async IAsyncEnumerable<Child> RepositoriesAsync(IRegistry registry, RepositoryTree tree, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var names = new List<string>();
        await foreach (var name in registry.ListRepositoriesAsync(cancellationToken).ConfigureAwait(false))
        {
            names.Add(name);
            if (name.IndexOf('/') < 0 && RepositoryName.IsValid(name)) yield return new Child(null, name, PlaceKind.Repository);
        }

        foreach (var (name, isRepository) in tree.Keep(names).Below(null))
        {
            if (!isRepository) yield return new Child(null, name, PlaceKind.Namespace);
        }
    }

    private static async IAsyncEnumerable<Child> BelowAsync(IRegistry registry, RepositoryTree tree, string container, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var names = await tree.ReadAsync(registry, cancellationToken).ConfigureAwait(false);
        foreach (var (name, isRepository) in names.Below(container)) yield return new Child(container, name, isRepository ? PlaceKind.Repository : PlaceKind.Namespace);
    }

    private static async IAsyncEnumerable<Child> TagsAndBelowAsync(IRegistry registry, RepositoryTree tree, string repository, TagInspector? inspector, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var reading = tree.ReadAsync(registry, stop.Token);
        try
        {
            await Task.WhenAny(reading, Task.Delay(Patience, stop.Token)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            var twins = reading.Status == TaskStatus.RanToCompletion ? new HashSet<string>(reading.Result.Below(repository).Select(static below => below.Name), StringComparer.Ordinal) : [];
            Child Tag(string tag, TagDetail? detail) => new(repository, twins.Contains(tag.ToLowerInvariant()) ? ":" + tag : tag, PlaceKind.Tag) { Tag = tag, Detail = detail };

            if (inspector is null)
            {
                await foreach (var tag in registry.ListTagsAsync(repository, stop.Token).ConfigureAwait(false)) yield return Tag(tag, null);
            }
            else
            {
                await foreach (var detail in inspector.InspectAsync(repository, registry.ListTagsAsync(repository, stop.Token), stop.Token).ConfigureAwait(false)) yield return Tag(detail.Tag, detail);
            }

            var names = await reading.ConfigureAwait(false);
            if (names.Refusal is not null) yield return new Child(repository, string.Empty, PlaceKind.Nothing) { Notice = $"{registry.Name} does not list its repositories: what is below '{repository}' is not known." };
            foreach (var (name, isRepository) in names.Below(repository)) yield return new Child(repository, name, isRepository ? PlaceKind.Repository : PlaceKind.Namespace);
        }
        finally
        {
            stop.Cancel();
            try
            {
                await reading.ConfigureAwait(false);
            }
            catch (Exception)
            {
                // Whoever awaited it above knows how it ended; whoever left early does not want to.
            }
        }
    }

    /// <summary>What a list had.</summary>
    /// <param name="Container">The repository or namespace that it is in; null for the root.</param>
    /// <param name="Name">What one types for it.</param>
    /// <param name="Kind">What it is.</param>
    private sealed record Child(string? Container, string Name, PlaceKind Kind)
    {
        public string? Tag { get; init; }

        public TagDetail? Detail { get; init; }

        /// <summary>No item, but something to say.</summary>
        public string? Notice { get; init; }

        public bool IsContainer => Kind is PlaceKind.Repository or PlaceKind.Namespace;
    }
}
