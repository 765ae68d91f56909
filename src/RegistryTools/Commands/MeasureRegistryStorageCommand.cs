using System.Management.Automation;
using RegistryTools.Errors;
using RegistryTools.GarbageCollection;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.References;
using RegistryTools.Storage;
using RegistryTools.Usage;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Tells what takes the space of a registry, and what removing something would give back.</summary>
[Cmdlet(VerbsDiagnostic.Measure, "RegistryStorage", DefaultParameterSetName = OnRegistry)]
[OutputType(typeof(RegistryStorageUsage), ParameterSetName = [OnStorage, OnRegistry])]
[OutputType(typeof(RegistrySavings), ParameterSetName = [StorageWithout, RegistryWithout])]
public sealed class MeasureRegistryStorageCommand : RegistryCmdlet
{
    private const string OnStorage = "Storage";
    private const string OnRegistry = "Registry";
    private const string StorageWithout = "StorageWithout";
    private const string RegistryWithout = "RegistryWithout";

    private readonly List<TagPattern> _without = [];
    private bool _isAsked;

    /// <summary>
    /// The storage of a registry: the root that its configuration names (storage: filesystem: rootdirectory), the <c>docker/registry/v2</c> below it, or the directory of the container volume that it is on.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = OnStorage)]
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = StorageWithout)]
    [ValidateNotNullOrEmpty]
    public string StoragePath { get; set; } = string.Empty;

    /// <summary>The registry to ask: a connection of this session, its name, or an address.</summary>
    /// <value>The one that piped tags come from, or else the current connection</value>
    [Parameter(ParameterSetName = OnRegistry)]
    [Parameter(ParameterSetName = RegistryWithout)]
    [RegistryTransformation]
    [ArgumentCompleter(typeof(RegistryAddressCompleter))]
    public RegistryConnection? Registry { get; set; }

    /// <summary>
    /// The repositories. Wildcards are taken. Of a storage it says which of them are written: what is shared with others is seen all the same. A registry is asked for these and no others; with -Without, for those whose
    /// tags are named where this is not given.
    /// </summary>
    [Parameter(ParameterSetName = OnStorage)]
    [Parameter(Mandatory = true, ParameterSetName = OnRegistry)]
    [Parameter(ParameterSetName = RegistryWithout)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [NameTransformation]
    [ArgumentCompleter(typeof(RepositoryCompleter))]
    public string[]? Repository { get; set; }

    /// <summary>
    /// What is written.
    /// <list type="bullet">
    /// <item><term>Registry</term><description>One object for the whole registry or storage.</description></item>
    /// <item><term>Repository</term><description>An object for each repository.</description></item>
    /// <item><term>Tag</term><description>An object for each tag.</description></item>
    /// </list>
    /// </summary>
    [Parameter(ParameterSetName = OnStorage)]
    [Parameter(ParameterSetName = OnRegistry)]
    [ValidateSet("Registry", "Repository", "Tag")]
    public string[] By { get; set; } = ["Registry", "Repository"];

    /// <summary>
    /// The tags that might be removed: <c>repository:tag</c>, both with wildcards, such as <c>team/*:pr-*</c>; without a tag, all of the repository's. Objects with a Repository and a Tag or Name are taken as they are,
    /// given or piped: what <c>Get-RegistryTag</c> writes, and what this writes with -By Tag. What is piped is always this, and all of it is one question.
    /// </summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = StorageWithout)]
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = RegistryWithout)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [NameTransformation]
    [ArgumentCompleter(typeof(ReferenceCompleter))]
    public object[] Without { get; set; } = [];

    /// <summary>Asks the registry what refers to each manifest, such as signatures, and counts it with the tag, which takes a request more for each. A storage tells it by itself.</summary>
    [Parameter(ParameterSetName = OnRegistry)]
    [Parameter(ParameterSetName = RegistryWithout)]
    public SwitchParameter IncludeReferrer { get; set; }

    /// <summary>How many files are read at once, or how many requests are under way, at most.</summary>
    /// <value>As many files as there are processors, and at least 2; 8 requests</value>
    [Parameter]
    [ValidateRange(1, 64)]
    public int? ThrottleLimit { get; set; }

    private protected override void Process()
    {
        _isAsked = true;
        if (ParameterSetName is OnStorage or OnRegistry) return;
        foreach (var value in Without)
        {
            try
            {
                _without.Add(TagPattern.Read(value));
            }
            catch (ReferenceFormatException error)
            {
                WriteFailure(error, new ErrorSubject(value));
            }
        }
    }

    private protected override void End()
    {
        if (!_isAsked)
        {
            WriteVerbose("No tags were piped: there is nothing to measure.");
            return;
        }

        switch (ParameterSetName)
        {
            case OnStorage:
                if (TryMeasureStorage(out var root, out var storage)) Write(storage, null, root, Patterns(Repository));
                break;
            case StorageWithout:
                if (_without.Count > 0 && TryMeasureStorage(out root, out storage)) Write(storage, _without, null, root);
                break;
            case OnRegistry:
                if (TryConnect(Registry, out var connection) && TryMeasure(connection, Names(connection, Repository!), out var asked)) Write(asked, connection.Name, null, null);
                break;
            default:
                foreach (var (place, patterns) in ByConnection()) WriteWithout(place, patterns);
                break;
        }
    }

    private static WildcardPattern[]? Patterns(string[]? names) => names is null ? null : Array.ConvertAll(names, static text => WildcardPattern.Get(text, WildcardOptions.IgnoreCase));

    private bool TryMeasureStorage(out string root, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out StorageMeasurement? measured)
    {
        root = StoragePath;
        measured = null;
        try
        {
            var location = StorageLocation.Find(FileSystemPath(StoragePath));
            root = location.Root;
            var options = ThrottleLimit is { } limit ? new StorageMeterOptions { ThrottleLimit = limit, Log = ActivityRouter.Log } : new StorageMeterOptions { Log = ActivityRouter.Log };
            return TryRun(new ErrorSubject(root), new StorageMeter(location, options).MeasureAsync, out measured, "Measuring the storage");
        }
        catch (StorageNotFoundException error)
        {
            WriteFailure(error, new ErrorSubject(StoragePath));
            return false;
        }
    }

    private bool TryMeasure(RegistryConnection connection, IReadOnlyCollection<string> repositories, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out StorageMeasurement? measured)
    {
        measured = null;
        if (repositories.Count == 0) return false;
        var meter = new RegistryMeter(connection.Handle, new RegistryMeterOptions { ThrottleLimit = ThrottleLimit ?? 8, IncludeReferrers = IncludeReferrer, Log = ActivityRouter.Log });
        if (!TryRun(new ErrorSubject(connection.Name, connection.Name), token => meter.MeasureAsync(repositories, token), out measured, "Measuring tags")) return false;
        foreach (var failure in measured.Errors)
        {
            var target = failure.Tag is null ? failure.Repository : failure.Repository + ":" + failure.Tag;
            WriteFailure(failure.Error, new ErrorSubject(target, connection.Name, failure.Repository, failure.Tag));
        }

        return measured.Repositories.Count > 0;
    }

    private void Write(StorageMeasurement measured, string? registry, string? storage, WildcardPattern[]? patterns)
    {
        Warn(measured.Problems);
        bool Wants(string scope) => Array.Exists(By, by => by.Equals(scope, StringComparison.OrdinalIgnoreCase));
        if (Wants("Registry")) WriteObject(RegistryStorageUsage.From(measured.Registry, registry, storage));
        var any = false;
        foreach (var repository in measured.Repositories)
        {
            if (patterns is not null && !Array.Exists(patterns, pattern => pattern.IsMatch(repository.Repository))) continue;
            any = true;
            if (Wants("Repository")) WriteObject(RegistryStorageUsage.From(repository, registry, storage));
            if (!Wants("Tag")) continue;
            foreach (var tag in measured.Tags(repository.Repository!)) WriteObject(RegistryStorageUsage.From(tag, registry, storage));
        }

        if (any || Repository is null) return;
        foreach (var name in Repository.Where(static name => !WildcardPattern.ContainsWildcardCharacters(name))) NoRepository(name, registry ?? storage!);
    }

    private void WriteWithout(RegistryConnection connection, List<TagPattern> patterns)
    {
        // Sharing with what is not measured would not be seen: who wants it seen names more repositories.
        var names = Names(connection, Repository ?? [.. patterns.Select(static pattern => pattern.Repository)]);
        if (TryMeasure(connection, names, out var measured)) Write(measured, patterns, connection.Name, null);
    }

    private void Write(StorageMeasurement measured, List<TagPattern> patterns, string? registry, string? storage)
    {
        Warn(measured.Problems);
        var savings = measured.Without(patterns.SelectMany(pattern => pattern.Select(measured)).Distinct());
        var failed = new HashSet<string>(measured.Errors.Where(static error => error.Tag is null).Select(static error => error.Repository), StringComparer.Ordinal);
        foreach (var missing in savings.NotFound)
        {
            // That a repository could not be asked has been told.
            if (failed.Contains(missing.Repository)) continue;
            if (missing.Tag is null) NoRepository(missing.Repository, registry ?? storage!);
            else WriteFailure(new TagNotFoundException(registry ?? storage!, missing.Repository, missing.Tag), new ErrorSubject(missing.ToString(), registry, missing.Repository, missing.Tag));
        }

        WriteObject(RegistrySavings.From(savings, registry, storage));
    }

    private void NoRepository(string name, string place) =>
        WriteError(ErrorRecords.Create(ErrorRecords.RepositoryNotFound, ErrorCategory.ObjectNotFound, $"There is no repository '{name}' in {place}.", null, new ErrorSubject(name, null, name)));

    private void Warn(IReadOnlyList<GarbageProblem> problems)
    {
        foreach (var problem in problems) WriteWarning(problem.Message);
    }

    /// <summary>The repositories that are meant, wildcards looked up in the catalog.</summary>
    private HashSet<string> Names(RegistryConnection connection, IReadOnlyList<string> texts)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var patterns = new List<WildcardPattern>();
        foreach (var text in texts)
        {
            if (WildcardPattern.ContainsWildcardCharacters(text)) patterns.Add(WildcardPattern.Get(text, WildcardOptions.IgnoreCase));
            else if (TryNormalizeRepository(text, connection, out var name)) names.Add(name);
        }

        if (patterns.Count == 0) return names;
        var subject = new ErrorSubject(connection.Name, connection.Name);
        TryStream(
            subject,
            token => connection.Handle.ListRepositoriesAsync(token),
            repository =>
            {
                if (patterns.Exists(pattern => pattern.IsMatch(repository))) names.Add(repository);
            },
            $"Looking for repositories of {connection.Name}");
        if (names.Count == 0) WriteVerbose($"No repository of {connection.Name} is like that.");
        return names;
    }

    /// <summary>What was named, by the registry that it is on.</summary>
    private List<(RegistryConnection Connection, List<TagPattern> Patterns)> ByConnection()
    {
        var groups = new List<(RegistryConnection Connection, List<TagPattern> Patterns)>();
        foreach (var pattern in _without)
        {
            if (!TryConnect(Registry ?? (pattern.Registry is null ? null : RegistryConnection.FromText(pattern.Registry)), out var connection)) continue;
            if (Registry is not null && pattern.Registry is not null && (!TryConnect(RegistryConnection.FromText(pattern.Registry), out var own) || own != connection))
            {
                WriteError(ErrorRecords.Create(ErrorRecords.InvalidArgument, ErrorCategory.InvalidArgument, $"'{pattern.Text}' is on {pattern.Registry}, not on {connection.Name}.", null, new ErrorSubject(pattern.Text, connection.Name, pattern.Repository)));
                continue;
            }

            var group = groups.Find(group => group.Connection == connection);
            if (group.Patterns is null) groups.Add(group = (connection, []));
            group.Patterns.Add(pattern.On(connection.Handle.Name));
        }

        return groups;
    }
}
