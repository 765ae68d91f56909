using System.Management.Automation;
using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Journal;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.References;
using RegistryTools.Registries;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Removes tags, and the tags alone: manifests, layers and every other tag stay.</summary>
[Cmdlet(VerbsCommon.Remove, "RegistryTag", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(RegistryTagRemoval))]
public sealed class RemoveRegistryTagCommand : TagTargetCmdlet
{
    private readonly Grouped<TagRemovalRequest> _asked = new();

    /// <summary>
    /// By what means tags are removed.
    /// <list type="bullet">
    /// <item><term>Auto</term><description>By name; and under a placeholder where the registry says that it can't delete a tag by its name.</description></item>
    /// <item><term>TagApi</term><description>By name alone. Where the registry has no such thing, that is an error.</description></item>
    /// <item><term>Placeholder</term><description>By a unique, empty image that is pushed over the tags and deleted by its digest.</description></item>
    /// </list>
    /// </summary>
    [Parameter]
    [ValidateSet("Auto", "TagApi", "Placeholder")]
    public string Method { get; set; } = "Auto";

    /// <summary>
    /// Takes the digest that a piped object brings along for the tag's present one. It saves a request a tag, and gives up the check that the tag has not moved since it was listed.
    /// </summary>
    [Parameter]
    public SwitchParameter TrustListing { get; set; }

    /// <summary>How many requests are under way at once, at most.</summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int ThrottleLimit { get; set; } = 8;

    /// <summary>Writes an object for every tag that was removed, which <c>Restore-RegistryTag</c> takes.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override void End()
    {
        if (_asked.Groups.Count == 0) return;
        var journal = RemovalJournal.ForUser();
        using var all = Whole("Removing tags", "tag", _asked.Groups.Sum(static group => group.Items.Count));
        if (!Enum.TryParse<TagRemovalChoice>(Method, ignoreCase: true, out var choice)) choice = TagRemovalChoice.Auto;
        foreach (var byConnection in _asked.Groups.GroupBy(group => group.Place.Connection))
        {
            var remover = new TagRemover(
                byConnection.Key.Handle,
                journal,
                new TagRemoverOptions { Method = choice, ThrottleLimit = ThrottleLimit, TrustListing = TrustListing, Log = ActivityRouter.Log });
            using var hold = Hold(remover);
            foreach (var (place, requests) in byConnection)
            {
                // In portions, so that what is done is told, and the next portion is not begun, where the consumer has had enough.
                for (var start = 0; start < requests.Count; start += TagRemover.MaximumBatch)
                {
                    var portion = requests.GetRange(start, Math.Min(TagRemover.MaximumBatch, requests.Count - start));
                    if (!TryRun(new ErrorSubject(place.Repository, place.Connection.Name, place.Repository), token => remover.RemoveAsync(place.Repository, portion, token), out var removals, "Removing tags")) continue;
                    all.Done += portion.Count;
                    foreach (var removal in removals) Report(place, removal);
                }
            }
        }
    }

    private protected override void Take(Place place, string tag, Digest? digest)
    {
        var target = place.Name(tag) + (digest is null ? string.Empty : " (" + digest + ")");
        if (ShouldProcess(target, "Remove tag")) _asked.Add(place, new TagRemovalRequest(tag, digest));
    }

    private void Report(Place place, TagRemoval removal)
    {
        var record = RegistryTagRemoval.From(removal, place.Connection.Name);
        if (removal.Error is { } error) WriteFailure(error, new ErrorSubject(record, place.Connection.Name, place.Repository, removal.Tag));
        else if (PassThru && removal.State == RemovalState.Removed) WriteObject(record);
        if (removal.State == RemovalState.Removed) WriteVerbose($"Removed the tag {place.Name(removal.Tag)}; its manifest {removal.Digest} stays.");
    }
}
