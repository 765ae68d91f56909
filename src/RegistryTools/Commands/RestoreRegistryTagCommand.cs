using System.Management.Automation;
using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Journal;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.References;

namespace RegistryTools.PowerShell.Commands;

/// <summary>
/// Puts tags back that were removed: from the piped records of a removal, or from the journal, where the newest removal of the tag counts. It
/// works for as long as the manifest is in the registry, or the journal has its bytes and the registry what they refer to.
/// </summary>
[Cmdlet(VerbsData.Restore, "RegistryTag", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(RegistryTagRestoration))]
public sealed class RestoreRegistryTagCommand : ReferenceTargetCmdlet
{
    /// <summary>The tags.</summary>
    [Parameter(Mandatory = true, Position = 1, ParameterSetName = ByName, ValueFromPipelineByPropertyName = true)]
    [Alias("Name")]
    [ValidateNotNullOrEmpty]
    public string[] Tag { get; set; } = [];

    /// <summary>The manifest that the tag is to point to; without it, the one that the journal has for the tag's newest removal.</summary>
    [Parameter(ParameterSetName = ByName, ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    public string? Digest { get; set; }

    /// <summary>Moves the tag where it points elsewhere by now.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Writes an object for every tag that is back.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override void Process()
    {
        if (ParameterSetName == ByReference)
        {
            foreach (var text in Reference)
            {
                if (FindReference(text) is not { } found) continue;
                if (found.Reference.Tag is null) WriteFailure(new ReferenceFormatException(text, $"'{text}' names no tag: expected repository:tag."), new ErrorSubject(text));
                else Restore(found.Place, found.Reference.Tag, found.Reference.Digest);
            }

            return;
        }

        if (FindPlace(Registry, Repository) is not { } place) return;
        foreach (var tag in Tag)
        {
            var subject = new ErrorSubject(tag, place.Connection.Name, place.Repository, tag);
            try
            {
                TagName.Validate(tag);
            }
            catch (ReferenceFormatException error)
            {
                WriteFailure(error, subject);
                continue;
            }

            if (TryDigest(Digest, subject, out var digest)) Restore(place, tag, digest);
        }
    }

    private void Restore(Place place, string tag, Digest? digest)
    {
        var registry = place.Connection.Handle;
        var journal = RemovalJournal.ForUser();
        var subject = new ErrorSubject(place.Name(tag), place.Connection.Name, place.Repository, tag);
        if (digest is null)
        {
            var entry = journal.Read(registry.Location).LastOrDefault(entry => entry.Repository == place.Repository && entry.Tag == tag && (entry.State is RemovalState.Removed or RemovalState.Pending));
            if (entry is null)
            {
                WriteFailure(
                    new RestoreFailedException(
                        $"The journal of removals has no removal of the tag '{tag}' of '{place.Repository}' on {registry.Name}.",
                        "Give the manifest with -Digest where it is known."),
                    subject);
                return;
            }

            digest = entry.Digest;
        }

        if (!ShouldProcess(place.Name(tag) + " (" + digest + ")", "Restore tag")) return;
        var restorer = new TagRestorer(registry, journal, ActivityRouter.Log);
        if (!TryRun(subject, token => restorer.RestoreAsync(place.Repository, tag, digest, Force, token), out var result, "Restoring tags")) return;
        if (!PassThru) return;
        WriteObject(new RegistryTagRestoration { Registry = place.Connection.Name, Repository = place.Repository, Tag = tag, Digest = digest.ToString(), Result = result.ToString() });
    }
}
