using System.Management.Automation;
using RegistryTools.GarbageCollection;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Tells what the quarantine of a registry's storage holds.</summary>
[Cmdlet(VerbsCommon.Get, "RegistryGarbage")]
[OutputType(typeof(RegistryGarbageRun), typeof(RegistryGarbageItem))]
public sealed class GetRegistryGarbageCommand : StorageCmdlet
{
    /// <summary>Tells of this run only.</summary>
    /// <value>All runs</value>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ArgumentCompleter(typeof(GarbageCompleter))]
    public string? RunId { get; set; }

    /// <summary>Writes only the items that have this digest.</summary>
    [Parameter]
    [ArgumentCompleter(typeof(GarbageCompleter))]
    public string? Digest { get; set; }

    /// <summary>Writes an object for every item: every manifest, tag, link, upload and blob.</summary>
    [Parameter]
    public SwitchParameter Detailed { get; set; }

    private protected override void Process()
    {
        if (!TryFindStorage(out var storage)) return;
        if (!TryRun(new ErrorSubject(storage.Root), token => GarbageRun.ReadAsync(storage, token), out var runs, "Reading the quarantine")) return;
        foreach (var run in runs)
        {
            if (!string.IsNullOrEmpty(RunId) && !string.Equals(RunId, run.Id, StringComparison.OrdinalIgnoreCase)) continue;
            if (!Detailed && string.IsNullOrEmpty(Digest))
            {
                WriteObject(RegistryGarbageRun.From(run));
                continue;
            }

            foreach (var item in run.Items)
            {
                if (string.IsNullOrEmpty(Digest) || item.Digest?.ToString() == Digest) WriteObject(RegistryGarbageItem.From(item, run.StoragePath, run.Id, "Quarantined"));
            }
        }
    }
}
