using System.Management.Automation;
using RegistryTools.Errors;
using RegistryTools.GarbageCollection;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Puts back what garbage collections, removals of repositories and repairs moved to the quarantine.</summary>
[Cmdlet(VerbsData.Restore, "RegistryGarbage", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(RegistryGarbageRestoration), typeof(RegistryGarbageItem))]
public sealed class RestoreRegistryGarbageCommand : StorageCmdlet
{
    private readonly HashSet<string> _done = new(StringComparer.Ordinal);

    /// <summary>Only what this run removed.</summary>
    /// <value>All runs</value>
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(GarbageCompleter))]
    public string? RunId { get; set; }

    /// <summary>Only what has this digest; a manifest with all that it needs and all that refers to it.</summary>
    /// <value>Everything</value>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(GarbageCompleter))]
    public string? Digest { get; set; }

    /// <summary>Only what is of this repository, and the bytes that it needs.</summary>
    /// <value>All repositories</value>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    [NameTransformation]
    [ArgumentCompleter(typeof(GarbageCompleter))]
    public string? Repository { get; set; }

    /// <summary>Writes an object for every item, before the result.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override void Process()
    {
        if (!TryFindStorage(out var storage)) return;
        var run = string.IsNullOrEmpty(RunId) ? null : RunId;
        var repository = string.IsNullOrEmpty(Repository) ? null : Repository!.ToLowerInvariant();
        References.Digest? digest = null;
        var subject = new ErrorSubject(Digest ?? run ?? storage.Root, null, null, Digest);
        if (!string.IsNullOrEmpty(Digest))
        {
            try
            {
                digest = References.Digest.Parse(Digest!);
            }
            catch (ReferenceFormatException error)
            {
                WriteFailure(error, subject);
                return;
            }
        }

        // Piped items repeat their digest: a blob, its links, its repositories.
        if (!_done.Add(storage.Root + "\n" + run + "\n" + repository + "\n" + digest)) return;
        var what = digest is null ? run is null ? "everything in the quarantine" : "run " + run : digest.ToString();
        if (repository is not null) what += " of " + repository;
        if (!ShouldProcess(storage.Root, "Restore " + what)) return;
        var items = new List<(GarbageItem Item, GarbageRestoreState State)>();
        var restorer = new GarbageRestorer(storage, ActivityRouter.Log);
        if (!TryRun(subject, token => restorer.RestoreAsync(run, digest, repository, (item, state) => items.Add((item, state)), token), out var result, "Restoring")) return;
        foreach (var problem in result.Problems)
        {
            WriteError(ErrorRecords.Create(ErrorRecords.RestoreFailed, ErrorCategory.ResourceExists, problem.Message, null, new ErrorSubject(problem.Digest?.ToString() ?? storage.Root, null, problem.Repository, problem.Tag)));
        }

        if (PassThru)
        {
            foreach (var (item, state) in items) WriteObject(RegistryGarbageItem.From(item, storage.Root, run, state.ToString()));
        }

        WriteObject(new RegistryGarbageRestoration
        {
            StoragePath = storage.Root,
            RunId = run,
            Repository = repository,
            Digest = digest?.ToString(),
            Restored = result.Restored,
            AlreadyThere = result.AlreadyThere,
            Left = result.Left,
            Size = result.Bytes,
        });
    }
}
