using System.Collections.ObjectModel;
using System.Diagnostics.CodeAnalysis;
using System.Management.Automation;
using System.Management.Automation.Provider;
using RegistryTools.Authentication;
using RegistryTools.Errors;
using RegistryTools.Inspection;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.References;

namespace RegistryTools.PowerShell.Drives;

/// <summary>
/// A registry as a drive: repositories are containers in containers, as their names have slashes, and tags are what is in them. What is read, removed and asked is what the cmdlets read, remove and ask.
/// See docs/drive.md.
/// </summary>
/// <remarks>
/// The engine makes an instance for each command, and often several. Wildcards are the provider's affair: the engine's matching ignores case, and tags don't.
/// </remarks>
[CmdletProvider("ContainerRegistry", ProviderCapabilities.ShouldProcess | ProviderCapabilities.Credentials | ProviderCapabilities.ExpandWildcards)]
[OutputType(typeof(RegistryDriveInfo), ProviderCmdlet = "New-PSDrive")]
[OutputType(typeof(RegistryConnection), typeof(RegistryRepository), typeof(RegistryTag), typeof(RegistryTagDetail), typeof(RegistryManifest), typeof(RegistryNamespace), ProviderCmdlet = "Get-Item")]
[OutputType(typeof(RegistryRepository), typeof(RegistryTag), typeof(RegistryTagDetail), typeof(RegistryNamespace), ProviderCmdlet = "Get-ChildItem")]
[OutputType(typeof(string), typeof(byte), ProviderCmdlet = "Get-Content")]
public sealed partial class ContainerRegistryProvider : NavigationCmdletProvider, IContentCmdletProvider, IPipelineWriter, IDisposable
{
    private const string AmongOthers = "RegistryTools.PowerShell.Drives.AmongOthers";

    private readonly PipelinePump _pump;
    private readonly Dictionary<string, Place> _places = new(StringComparer.Ordinal);
    private (string Path, string Name)? _written;
    private Type? _firstType;

    /// <summary>Makes a provider.</summary>
    public ContainerRegistryProvider() => _pump = new PipelinePump(this);

    /// <inheritdoc/>
    public void Dispose() => _pump.Dispose();

    /// <inheritdoc/>
    protected override void StopProcessing() => _pump.Stop();

    /// <inheritdoc/>
    protected override PSDriveInfo? NewDrive(PSDriveInfo drive)
    {
        // The engine gives a drive that is there already back to its provider where it is added to another scope.
        if (drive is RegistryDriveInfo or null) return drive;
        var given = Given(drive.Credential);
        var session = RegistrySession.Current;
        var before = session.Connections;
        var resolution = session.Resolve(RegistryConnection.FromText((drive.Root ?? string.Empty).Trim()));
        var error = given is null
            ? new RegistryConnector(this, _pump).Connect(session, resolution, path => RegistryConnector.FileSystemPath(SessionState, path), out var connection)
            : ConnectAs(given, drive.Name, session, resolution, out connection);
        if (error is not null)
        {
            WriteError(error);
            return null;
        }

        return new RegistryDriveInfo(drive, FreeRoot(connection), connection, ownsConnection: !before.Contains(connection));
    }

    /// <inheritdoc/>
    protected override PSDriveInfo RemoveDrive(PSDriveInfo drive)
    {
        // The one that was made for the drive goes with it, unless somebody has come to rely on it.
        if (drive is RegistryDriveInfo { OwnsConnection: true, Connection: { IsOpen: true, IsCurrent: false } connection } own
            && !Drives().Any(other => !ReferenceEquals(other, own) && ReferenceEquals(other.Connection, connection)))
        {
            RegistrySession.Current.Remove(connection);
        }

        return drive;
    }

    /// <inheritdoc/>
    protected override bool IsValidPath(string path)
    {
        try
        {
            var parts = DrivePath.Split(path);
            DrivePath.Parse(string.Join("/", parts.Skip(1)));
            return parts.Length > 0;
        }
        catch (ReferenceFormatException)
        {
            return false;
        }
    }

    /// <summary>Whether there is such an item. The engine drops what is thrown here: that it could not be known is written as an error beside the answer.</summary>
    /// <param name="path">The path.</param>
    protected override bool ItemExists(string path)
    {
        if (!TryLocate(path, out var located, out var error))
        {
            if (error.FullyQualifiedErrorId != ErrorRecords.InvalidReference) WriteError(error);
            return false;
        }

        // A tag that has moved is there: what is done with it tells that it has.
        if (TryFind(located, path, out var place, out var failure)) return place.Kind != PlaceKind.Nothing || place.Manifest is not null;
        WriteError(ErrorRecords.From(failure, Subject(located, path)));
        return false;
    }

    /// <inheritdoc/>
    protected override bool IsItemContainer(string path) => IsPath(path) && Find(path).IsContainer;

    /// <summary>
    /// Whether there is anything in it. Of a path that is both a tag and a repository nothing is said: who is about to remove it is not asked about its children, and gets the error that there are two.
    /// </summary>
    /// <param name="path">The path.</param>
    protected override bool HasChildItems(string path)
    {
        if (!IsPath(path)) return false;
        var place = Find(path);
        if (place.IsAmbiguous || !place.IsContainer) return false;
        if (place.HasTags || place.Kind == PlaceKind.Namespace) return true;
        TryLocate(path, out var located, out _);
        return Ask(located!, token => located!.Drive.Tree.ReadAsync(located.Connection.Handle, token)).HasBelow(place.Path.Container);
    }

    /// <inheritdoc/>
    protected override object GetItemDynamicParameters(string path) => new RegistryItemParameters();

    /// <inheritdoc/>
    protected override void GetItem(string path)
    {
        if (!TryLocateOrTell(path, out var located) || !TryFindOrTell(located, path, out var place) || !IsIncluded(place)) return;
        TellLowered(place);
        Write(located, path, place);
    }

    private bool Detailed => (DynamicParameters as RegistryItemParameters)?.Detailed == true;

    private static RegistryCredential? Given(PSCredential? credential) =>
        credential is null || credential == PSCredential.Empty ? null : new RegistryCredential { UserName = credential.UserName, Password = credential.GetNetworkCredential().Password, Source = "Credential" };

    /// <summary>A connection with credentials of its own. It closes none that is there: where its name is taken it has the drive's.</summary>
    private ErrorRecord? ConnectAs(RegistryCredential given, string drive, RegistrySession session, RegistrySession.Resolution resolution, out RegistryConnection connection)
    {
        connection = null!;
        if (resolution.Error is not null) return resolution.Error;
        if ((resolution.Address ?? resolution.Connection?.Address) is not { } address)
        {
            return ErrorRecords.Create(
                ErrorRecords.InvalidArgument,
                ErrorCategory.InvalidArgument,
                "A storage directory takes no credentials: whoever may read its files may read it.",
                "Leave out -Credential.",
                new ErrorSubject(resolution.StoragePath ?? resolution.Connection?.Name));
        }

        var name = address.Name;
        for (var i = 1; session.FindByName(name) is not null; i++) name = i == 1 ? drive : FormattableString.Invariant($"{drive}-{i}");
        var error = new RegistryConnector(this, _pump).Open(address, given, name, allowUnencrypted: false, RegistryConnector.Options, out var opened);
        if (error is null) connection = session.Add(opened, makeCurrent: false);
        return error;
    }

    private IEnumerable<RegistryDriveInfo> Drives() => ProviderInfo.Drives.OfType<RegistryDriveInfo>();

    /// <summary>
    /// The root of a drive: one part of a path, so that a path begins with the whole of it and with no other, and its first character begins no repository, since the engine takes what begins like the
    /// root for the root. Drives of different connections have different roots.
    /// </summary>
    private string FreeRoot(RegistryConnection connection)
    {
        var name = "@" + new string(Array.ConvertAll(connection.Name.ToCharArray(), static c => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '.' or '-' ? c : '_'));
        var root = name;
        for (var i = 2; Drives().Any(other => SameRoot(other.Root, root) && !ReferenceEquals(other.Connection, connection)); i++) root = FormattableString.Invariant($"{name}+{i}");
        return root;
    }

    private static bool SameRoot(string one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// The drive and the connection that a provider's path belongs to, and what is below. Where there is no such drive, or its connection is closed, or the path can name nothing, an error.
    /// </summary>
    private bool TryLocate(string path, [NotNullWhen(true)] out Located? located, [NotNullWhen(false)] out ErrorRecord? error)
    {
        located = null;
        error = null;
        var parts = DrivePath.Split(path);
        var root = parts.Length == 0 ? string.Empty : parts[0];

        // The path decides and not the drive that the engine has at hand, which may be another path's.
        var drive = PSDriveInfo is RegistryDriveInfo own && SameRoot(own.Root, root) ? own : Drives().FirstOrDefault(other => SameRoot(other.Root, root));
        if (drive is null)
        {
            error = ErrorRecords.Create(
                ErrorRecords.DriveNotFound,
                ErrorCategory.ObjectNotFound,
                $"There is no drive in this session that '{Text.Shown.Short(path)}' could be on.",
                "New-PSDrive -PSProvider ContainerRegistry -Name NAME -Root ADDRESS makes one.",
                new ErrorSubject(path));
            return false;
        }

        if (!ReferenceEquals(Credential, PSCredential.Empty) && Credential is not null)
        {
            error = ErrorRecords.Create(
                ErrorRecords.InvalidArgument,
                ErrorCategory.InvalidArgument,
                $"The drive '{drive.Name}' has its credentials from its connection, and takes no others.",
                "Make another drive with them: New-PSDrive … -Credential.",
                new ErrorSubject(path, drive.Connection.Name));
            return false;
        }

        if (!drive.Connection.IsOpen)
        {
            // Connected again, under the same name and to the same place: the same, to whoever uses the drive.
            var again = RegistrySession.Current.FindByName(drive.Connection.Name);
            if (again is null || !string.Equals(again.Location, drive.Connection.Location, StringComparison.Ordinal))
            {
                error = RegistrySession.Current.Resolve(drive.Connection).Error!;
                return false;
            }

            drive.Connection = again;
            drive.OwnsConnection = false;
            drive.Tree.Forget();
        }

        try
        {
            located = new Located(drive, drive.Connection, DrivePath.Parse(string.Join("/", parts.Skip(1))));
            return true;
        }
        catch (ReferenceFormatException wrong)
        {
            error = ErrorRecords.From(wrong, new ErrorSubject(path, drive.Connection.Name));
            return false;
        }
    }

    private bool TryLocateOrTell(string path, [NotNullWhen(true)] out Located? located)
    {
        if (TryLocate(path, out located, out var error)) return true;
        WriteError(error);
        return false;
    }

    /// <summary>Whether a path could name anything: one that could not does not exist, which is no error.</summary>
    private bool IsPath(string path)
    {
        if (TryLocate(path, out _, out var error)) return true;
        if (error.FullyQualifiedErrorId != ErrorRecords.InvalidReference) ThrowTerminatingError(error);
        return false;
    }

    /// <summary>What a path is, where only yes or no can be answered: whatever keeps that from being known ends the command.</summary>
    private Place Find(string path)
    {
        if (!TryLocate(path, out var located, out var error)) ThrowTerminatingError(error);
        if (!TryFind(located!, path, out var place, out var failure)) ThrowTerminatingError(ErrorRecords.From(failure!, Subject(located!, path)));
        return place!;
    }

    /// <summary>What a path is; where there is nothing, or it can't be known, an error is written.</summary>
    private bool TryFindOrTell(Located located, string path, [NotNullWhen(true)] out Place? place)
    {
        if (!TryFind(located, path, out place, out var failure))
        {
            WriteError(ErrorRecords.From(failure, Subject(located, path)));
            return false;
        }

        if (place.Kind != PlaceKind.Nothing) return true;
        WriteError(Absence(located, path, place));
        place = null;
        return false;
    }

    private bool TryFind(Located located, string path, [NotNullWhen(true)] out Place? place, [NotNullWhen(false)] out Exception? failure)
    {
        failure = null;
        var key = Key(located);
        if (_places.TryGetValue(key, out place)) return true;
        failure = _pump.Run(token => Place.FindAsync(located.Connection.Handle, located.Drive.Tree, located.Path, token), out place, $"Looking for {located.Path.Text}");
        if (failure is not null) return false;
        _places[key] = place;
        return true;
    }

    private T Ask<T>(Located located, Func<CancellationToken, Task<T>> work)
    {
        if (_pump.Run(work, out var result, $"Asking {located.Connection.Name}") is { } failure) ThrowTerminatingError(ErrorRecords.From(failure, new ErrorSubject(located.Connection.Name, located.Connection.Name)));
        return result;
    }

    private static string Key(Located located) => located.Drive.Root + "/" + located.Path.Text;

    private static ErrorSubject Subject(Located located, string path) =>
        located.Path.Container is { } container ? new ErrorSubject(path, located.Connection.Name, container) : new ErrorSubject(path, located.Connection.Name, located.Path.Repository, located.Path.Tag ?? located.Path.Digest?.ToString());

    private static ErrorRecord Absence(Located located, string path, Place place)
    {
        var (names, name) = (located.Path, located.Connection.Handle.Name);
        if (place.Manifest is { } moved)
        {
            return ErrorRecords.Create(
                ErrorRecords.TagMoved, ErrorCategory.InvalidOperation, $"The tag '{names.Tag}' of '{names.Repository}' on {name} has moved: it does not point to {names.Digest}, but to {moved.Digest}.", "List it again.", new ErrorSubject(path, located.Connection.Name, names.Repository, names.Tag));
        }

        if (names.Digest is not null && names.Tag is null)
        {
            return ErrorRecords.Create(
                ErrorRecords.ManifestNotFound, ErrorCategory.ObjectNotFound, $"There is no manifest {names.Digest} in '{names.Repository}' on {name}.", null, new ErrorSubject(path, located.Connection.Name, names.Repository, names.Digest.ToString()));
        }

        if (names.Container is not null && names.Tag is not null && place.Error is null or RegistryNotFoundException)
        {
            return ErrorRecords.Create(
                ErrorRecords.TagNotFound,
                ErrorCategory.ObjectNotFound,
                $"There is neither a tag '{names.Tag}' in '{names.Repository}' on {name} nor a repository '{names.Container}'.",
                string.Equals(names.Tag, names.Tag!.ToLowerInvariant(), StringComparison.Ordinal) ? null : "The case of a tag counts.",
                new ErrorSubject(path, located.Connection.Name, names.Repository, names.Tag));
        }

        return ErrorRecords.From(place.Error!, Subject(located, path));
    }

    private void TellLowered(Place place)
    {
        var (path, asked) = (place.Path, place.IsContainer ? place.Path.Container : place.Path.Repository);
        if (place.IsContainer ? path.ContainerWasLowered : path.RepositoryWasLowered) WriteVerbose($"The repository of '{path.Text}' is asked for as '{asked}': repository names have no upper-case letters.");
    }

    /// <summary>
    /// Whether -Include takes it: the engine has matched without regard to case, which for tags is wrong. What -Exclude left out that way is left out.
    /// </summary>
    private bool IsIncluded(Place place)
    {
        if (place.Path.Tag is not { } tag || place.Kind != PlaceKind.Tag || Include is not { Count: > 0 }) return true;
        return Include.Any(pattern => WildcardPattern.Get(pattern, WildcardOptions.None).IsMatch(tag));
    }

    private void Write(Located located, string path, Place place)
    {
        var (connection, names) = (located.Connection, located.Path);
        switch (place.Kind)
        {
            case PlaceKind.Root:
                WriteNamed(connection, path, located.Drive.Root, true);
                break;
            case PlaceKind.Namespace:
                WriteNamed(new RegistryNamespace(connection.Name, names.Container!), path, null, true);
                break;
            case PlaceKind.Repository:
                if (place.Manifest is not null) WriteVerbose($"'{names.Container}' is a repository, and '{names.Tag}' a tag of '{names.Repository}' as well: that one is {located.Show(names.Repository!, names.Tag!)}.");
                WriteNamed(new RegistryRepository(connection.Name, names.Container!), path, null, true);
                break;
            case PlaceKind.Tag:
                WriteTag(located, path, place);
                break;
            default:
                if (!TryReadManifest(located, path, out var manifest)) return;
                WriteNamed(Outputs.Manifest(connection.Name, names.Repository!, null, manifest, null, null), path, null, false);
                break;
        }
    }

    private void WriteTag(Located located, string path, Place place)
    {
        var (connection, names) = (located.Connection, located.Path);
        var (repository, tag) = (names.Repository!, names.Tag!);
        var name = place.IsListed ? names.Text.Substring(names.Text.LastIndexOf('/') + 1) : null;
        string PathOf(TagDetail? detail) => place.IsListed ? Below(located, new Child(repository, name!, PlaceKind.Tag) { Tag = tag, Detail = detail }) : path;

        if (!Detailed)
        {
            WriteNamed(new RegistryTag(connection.Name, repository, tag, place.Manifest?.Digest.ToString()), PathOf(null), name, false);
            return;
        }

        if (place.Detail is { } known)
        {
            WriteDetail(connection, repository, known, PathOf(known), name);
            return;
        }

        var inspector = new TagInspector(connection.Handle, log: ActivityRouter.Log);
        var failure = _pump.Stream(
            token => inspector.InspectAsync(repository, TagList.FromNames([tag]), token),
            detail => WriteDetail(connection, repository, detail, PathOf(detail), name),
            $"Inspecting {names.Text}");
        if (failure is not null) WriteError(ErrorRecords.From(failure, Subject(located, path)));
    }

    private void WriteDetail(RegistryConnection connection, string repository, TagDetail detail, string path, string? name)
    {
        if (detail.Error is { } error) WriteError(ErrorRecords.From(error, new ErrorSubject(repository + ":" + detail.Tag, connection.Name, repository, detail.Tag)));
        else WriteNamed(Outputs.Tag(connection.Name, repository, detail), path, name, false);
    }

    /// <summary>
    /// Writes an item. Its PSPath says what it is, whatever else comes to be there; its PSChildName is what people type: while it is written, the engine is given that for the last part of the path.
    /// </summary>
    private void WriteNamed(object item, string path, string? name, bool isContainer)
    {
        var parts = DrivePath.Split(path);
        path = string.Join(Separator, parts);
        _written = (path, name ?? parts[parts.Length - 1]);
        _firstType ??= item.GetType();
        if (item.GetType() != _firstType && (item is RegistryTag or RegistryRepository or RegistryNamespace))
        {
            // A view is chosen by the first object; this name has one for what comes after it and is of another kind.
            var other = new PSObject(item);
            other.TypeNames.Insert(0, AmongOthers);
            item = other;
        }

        try
        {
            WriteItemObject(item, path, isContainer);
        }
        finally
        {
            _written = null;
        }
    }

    /// <summary>A path on a drive that there is, with its connection open.</summary>
    private sealed record Located(RegistryDriveInfo Drive, RegistryConnection Connection, DrivePath Path)
    {
        /// <summary>How one types a tag so that it can be nothing else.</summary>
        public string Show(string repository, string tag) => $"{Drive.Name}:/{repository}:{tag}";
    }
}
