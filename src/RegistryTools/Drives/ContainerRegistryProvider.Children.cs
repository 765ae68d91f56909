using System.Management.Automation;
using RegistryTools.Errors;
using RegistryTools.Inspection;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.References;

namespace RegistryTools.PowerShell.Drives;

/// <summary>What is in a registry, a namespace and a repository: tags first, as they come, then the repositories below, then the namespaces.</summary>
public sealed partial class ContainerRegistryProvider
{
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
                PlaceKind.Root => Listing.RepositoriesAsync(connection.Handle, tree, token),
                PlaceKind.Namespace => Listing.BelowAsync(connection.Handle, tree, container!, token),
                _ => Listing.TagsAndBelowAsync(connection.Handle, tree, container!, detailed ? new TagInspector(connection.Handle, log: ActivityRouter.Log) : null, token),
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
}
