using System.Management.Automation;
using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Journal;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.Registries;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Removes whole repositories.</summary>
[Cmdlet(VerbsCommon.Remove, "RegistryRepository", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(RegistryRepositoryRemoval))]
public sealed class RemoveRegistryRepositoryCommand : RegistryTargetCmdlet
{
    private readonly List<(RegistryConnection Connection, List<string> Repositories)> _asked = [];
    private ProgressDisplay.Part? _looked;

    /// <summary>The repositories, letter for letter: no wildcards. <c>Get-RegistryRepository</c> finds repositories by wildcards, and what it writes can be piped here.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Name")]
    [ValidateNotNullOrEmpty]
    [NameTransformation]
    [ArgumentCompleter(typeof(RepositoryCompleter))]
    public string[] Repository { get; set; } = [];

    /// <summary>
    /// Not to be typed: by it a tag or manifest that is piped here is known. Each names its repository too, and that is not what was meant: it is an error, and nothing of it is removed. The names of repositories, <c>| ForEach-Object Repository</c>, can be
    /// piped.
    /// </summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Alias("Tag", "Digest")]
    [AllowNull]
    [AllowEmptyString]
    public string? PipedPart { get; set; }

    /// <summary>How many requests are under way at once, at most.</summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int ThrottleLimit { get; set; } = 8;

    /// <summary>Writes an object for every repository that was removed.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override void Process()
    {
        if (!string.IsNullOrEmpty(PipedPart))
        {
            WriteError(ErrorRecords.Create(
                ErrorRecords.InvalidArgument,
                ErrorCategory.InvalidArgument,
                $"'{Text.Shown.Short(PipedPart)}' is a tag or a manifest of '{Text.Shown.Short(string.Join(", ", Repository))}', and no repository: nothing was removed.",
                "Remove-RegistryTag removes tags, Remove-RegistryManifest manifests. If whole repositories are meant: … | ForEach-Object Repository | Remove-RegistryRepository.",
                new ErrorSubject(PipedPart, null, Repository.FirstOrDefault(), PipedPart)));
            return;
        }

        if (MyInvocation.ExpectingInput || Repository.Length > 1) _looked ??= Whole("Looking at the repositories", "repository");
        foreach (var text in Repository)
        {
            if (!TryConnect(Registry, out var connection) || !TryNormalizeRepository(text, connection, out var repository)) continue;
            var remover = Remover(connection);
            if (!TryRun(new ErrorSubject(repository, connection.Name, repository), token => remover.ListTagsAsync(repository, token), out var tags, $"Listing tags of {repository}")) continue;
            if (_looked is not null) _looked.Done++;
            if (!ShouldProcess(connection.Handle.Name + "/" + repository, "Remove repository with " + RepositoryRemovalReport.Tags(tags))) continue;
            var own = _asked.Find(group => group.Connection == connection).Repositories;
            if (own is null) _asked.Add((connection, own = []));
            if (!own.Contains(repository)) own.Add(repository);
        }
    }

    private protected override void End()
    {
        _looked?.Dispose();
        foreach (var (connection, repositories) in _asked)
        {
            var remover = Remover(connection);
            if (!TryRun(new ErrorSubject(connection.Name, connection.Name), token => remover.RemoveAsync(repositories, token), out var removals, "Removing repositories")) continue;
            var storage = (connection.Handle as StorageRegistry)?.Location;
            foreach (var removal in removals)
            {
                if (RepositoryRemovalReport.Write(this, WriteFailure, connection, removal, storage) && PassThru) WriteObject(RegistryRepositoryRemoval.From(removal, connection.Name, storage));
            }
        }
    }

    private static RepositoryRemover Remover(RegistryConnection connection, int throttleLimit) => new(connection.Handle, RemovalJournal.ForUser(), throttleLimit, ActivityRouter.Log);

    private RepositoryRemover Remover(RegistryConnection connection) => Remover(connection, ThrottleLimit);
}
