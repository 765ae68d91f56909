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
    private const int NamedTags = 5;

    private readonly List<(RegistryConnection Connection, List<string> Repositories)> _asked = [];

    /// <summary>The repositories, letter for letter: no wildcards. <c>Get-RegistryRepository</c> finds repositories by wildcards, and what it writes can be piped here.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Name")]
    [ValidateNotNullOrEmpty]
    [NameTransformation]
    [ArgumentCompleter(typeof(RepositoryCompleter))]
    public string[] Repository { get; set; } = [];

    /// <summary>How many requests are under way at once, at most.</summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int ThrottleLimit { get; set; } = 8;

    /// <summary>Writes an object for every repository that was removed.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override void Process()
    {
        foreach (var text in Repository)
        {
            if (!TryConnect(Registry, out var connection) || !TryNormalizeRepository(text, connection, out var repository)) continue;
            var remover = Remover(connection);
            if (!TryRun(new ErrorSubject(repository, connection.Name, repository), token => remover.ListTagsAsync(repository, token), out var tags, $"Listing tags of {repository}")) continue;
            if (!ShouldProcess(connection.Handle.Name + "/" + repository, "Remove repository with " + Tags(tags))) continue;
            var own = _asked.Find(group => group.Connection == connection).Repositories;
            if (own is null) _asked.Add((connection, own = []));
            if (!own.Contains(repository)) own.Add(repository);
        }
    }

    private protected override void End()
    {
        foreach (var (connection, repositories) in _asked)
        {
            var remover = Remover(connection);
            if (!TryRun(new ErrorSubject(connection.Name, connection.Name), token => remover.RemoveAsync(repositories, token), out var removals, "Removing repositories")) continue;
            var storage = (connection.Handle as StorageRegistry)?.Location;
            foreach (var removal in removals) Report(connection, removal, storage);
        }
    }

    private static RepositoryRemover Remover(RegistryConnection connection, int throttleLimit) => new(connection.Handle, RemovalJournal.ForUser(), throttleLimit, ActivityRouter.Log);

    private RepositoryRemover Remover(RegistryConnection connection) => Remover(connection, ThrottleLimit);

    private void Report(RegistryConnection connection, RepositoryRemoval removal, string? storage)
    {
        foreach (var error in removal.Errors) WriteFailure(error, new ErrorSubject(removal.Repository, connection.Name, removal.Repository));
        if (removal.PushedMeanwhile.Count > 0) WriteWarning($"The repository '{removal.Repository}' of {connection.Name} is there again with {Tags(removal.PushedMeanwhile)}, pushed while it was being removed.");
        if (removal.RunId is null || removal.Errors.Count > 0) return;
        WriteVerbose(storage is null
            ? $"Removed the repository '{removal.Repository}' of {connection.Name}: {removal.Tags.Count} tags, {removal.Manifests} manifests. Get-RegistryRemoval -RunId {removal.RunId} | Restore-RegistryTag puts the tags back until a collection."
            : $"Removed the repository '{removal.Repository}' of {storage}: {removal.Tags.Count} tags, {removal.Manifests} manifests. Restore-RegistryGarbage -RunId {removal.RunId} -Repository {removal.Repository} brings it back; its blobs are freed by the next collection.");
        if (PassThru) WriteObject(RegistryRepositoryRemoval.From(removal, connection.Name, storage));
    }

    private static string Tags(IReadOnlyList<string> tags) => tags.Count switch
    {
        0 => "no tags",
        <= NamedTags => $"{tags.Count} tag(s) {string.Join(", ", tags)}",
        _ => $"{tags.Count} tags {string.Join(", ", tags.Take(NamedTags))}, \u2026",
    };
}
