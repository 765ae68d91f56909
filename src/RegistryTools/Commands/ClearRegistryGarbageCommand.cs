using System.Management.Automation;
using RegistryTools.GarbageCollection;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Frees the disk space of what garbage collections moved to the quarantine, for good.</summary>
[Cmdlet(VerbsCommon.Clear, "RegistryGarbage", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(RegistryGarbageRun))]
public sealed class ClearRegistryGarbageCommand : StorageCmdlet
{
    /// <summary>Frees only this run, as <c>Get-RegistryGarbage</c> names it.</summary>
    /// <value>All runs</value>
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(GarbageCompleter))]
    public string? RunId { get; set; }

    /// <summary>Frees only what was removed longer ago than this: <c>7d</c>, <c>12h</c>, <c>2w</c> or a TimeSpan.</summary>
    /// <value>Whatever its age</value>
    [Parameter]
    [AgeTransformation]
    public TimeSpan OlderThan { get; set; } = TimeSpan.Zero;

    /// <summary>Writes an object for every run that was freed.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override void Process()
    {
        if (!TryFindStorage(out var storage)) return;
        var subject = new ErrorSubject(string.IsNullOrEmpty(RunId) ? storage.Root : RunId);
        if (!TryRun(subject, token => GarbageRun.ReadAsync(storage, token), out var runs, "Reading the quarantine")) return;
        var now = DateTimeOffset.UtcNow;
        var found = false;
        foreach (var run in runs)
        {
            if (!string.IsNullOrEmpty(RunId) && !string.Equals(RunId, run.Id, StringComparison.OrdinalIgnoreCase)) continue;
            found = true;
            if (now - run.Time < OlderThan) continue;
            if (run.IsAway && string.IsNullOrEmpty(RunId))
            {
                WriteWarning($"The run {run.Id} is kept: its files are in '{run.QuarantinePath}', which can't be read. Named by its id it is forgotten.");
                continue;
            }

            if (!ShouldProcess(storage.Root, FormattableString.Invariant($"Free {run.Size:N0} bytes of the run {run.Id} for good"))) continue;
            if (!TryRun(new ErrorSubject(run.Id), token => new GarbageClearer(storage, ActivityRouter.Log).ClearAsync(run.Id, OlderThan, null, token), out _, "Freeing garbage")) continue;
            if (PassThru) WriteObject(RegistryGarbageRun.From(run));
        }

        if (!found && !string.IsNullOrEmpty(RunId)) WriteError(ErrorRecords.Create(ErrorRecords.GarbageFailed, ErrorCategory.ObjectNotFound, $"There is no run '{RunId}' in the quarantine.", "Get-RegistryGarbage lists the runs.", subject));
    }
}
