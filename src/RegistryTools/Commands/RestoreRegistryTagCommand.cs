using System.Management.Automation;
using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Journal;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.References;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Puts tags back that were removed.</summary>
[Cmdlet(VerbsData.Restore, "RegistryTag", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(RegistryTagRestoration))]
public sealed class RestoreRegistryTagCommand : TagTargetCmdlet
{
    private readonly Dictionary<RegistryConnection, TagRestorer> _restorers = [];
    private ProgressDisplay.Part? _all;

    /// <summary>Moves the tag where it points elsewhere by now. Without it that is an error.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Writes an object for every tag that is back.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override void Take(Place place, string tag, Digest? digest)
    {
        var registry = place.Connection.Handle;
        if (!_restorers.TryGetValue(place.Connection, out var restorer)) _restorers.Add(place.Connection, restorer = new TagRestorer(registry, RemovalJournal.ForUser(), ActivityRouter.Log));
        var subject = new ErrorSubject(place.Name(tag), place.Connection.Name, place.Repository, tag);
        digest ??= restorer.FindRemoved(place.Repository, tag);
        if (digest is null)
        {
            WriteFailure(
                new RestoreFailedException(
                    $"The journal of removals has no removal of the tag '{tag}' of '{place.Repository}' on {registry.Name}.",
                    "Give the manifest with -Digest where it is known."),
                subject);
            return;
        }

        if (!ShouldProcess(place.Name(tag) + " (" + digest + ")", "Restore tag")) return;
        _all ??= Whole("Restoring tags", "tag");
        if (!TryRun(subject, token => restorer.RestoreAsync(place.Repository, tag, digest, Force, token), out var result, place.Name(tag))) return;
        _all.Done++;
        if (!PassThru) return;
        WriteObject(new RegistryTagRestoration { Registry = place.Connection.Name, Repository = place.Repository, Tag = tag, Digest = digest.ToString(), Result = result.ToString() });
    }
}
