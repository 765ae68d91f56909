using System.Management.Automation;
using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Journal;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.References;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Removes manifests, and with each every tag that points to it.</summary>
[Cmdlet(VerbsCommon.Remove, "RegistryManifest", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.High)]
[OutputType(typeof(RegistryManifestRemoval))]
public sealed class RemoveRegistryManifestCommand : ReferenceTargetCmdlet
{
    private readonly Grouped<ManifestRemovalRequest> _asked = new();

    /// <summary>The tags whose manifests are to go: always the manifest that the tag itself names, never that of one platform. A digest may stand in a tag's place.</summary>
    [Parameter(Position = 1, ParameterSetName = ByName, ValueFromPipelineByPropertyName = true)]
    [Alias("Name")]
    [AllowNull]
    [AllowEmptyCollection]
    [NameTransformation]
    [ArgumentCompleter(typeof(TagCompleter))]
    public string[]? Tag { get; set; }

    /// <summary>The manifest's digest. Beside a tag, the digest that the tag had when it was listed: where it points elsewhere by now, nothing is removed.</summary>
    [Parameter(ParameterSetName = ByName, ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(DigestCompleter))]
    public string? Digest { get; set; }

    /// <summary>Removes the manifest although other tags, images of several platforms or referrers need it.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>How many requests are under way at once, at most.</summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int ThrottleLimit { get; set; } = 8;

    /// <summary>Writes an object for every manifest that was removed.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override void Process()
    {
        if (ParameterSetName == ByReference)
        {
            foreach (var text in Reference)
            {
                if (FindReference(text) is not { } found) continue;
                var (place, reference) = found;
                if (reference.Tag is null && reference.Digest is null) WriteFailure(new ReferenceFormatException(text, $"'{text}' names no manifest: expected repository:tag or repository@digest."), new ErrorSubject(text));
                else _asked.Add(place, reference.Tag is null ? new ManifestRemovalRequest(reference.Digest!.ToString()) : new ManifestRemovalRequest(reference.Tag, reference.Digest));
            }

            return;
        }

        if (FindPlace(Registry, Repository) is not { } named) return;
        var subject = new ErrorSubject(Repository, named.Connection.Name, named.Repository, Digest);
        if (!TryDigest(Digest, subject, out var digest)) return;
        var tags = (Tag ?? []).Where(tag => !string.IsNullOrEmpty(tag)).ToList();
        if (tags.Count == 0)
        {
            if (digest is null) WriteError(ErrorRecords.Create(ErrorRecords.InvalidArgument, ErrorCategory.InvalidArgument, "Neither a tag nor a digest is given.", "Name the manifest with -Tag or -Digest.", subject));
            else _asked.Add(named, new ManifestRemovalRequest(digest.ToString()));
            return;
        }

        foreach (var tag in tags)
        {
            try
            {
                _asked.Add(named, digest is null && References.Digest.TryParse(tag, out var byDigest) ? new ManifestRemovalRequest(byDigest.ToString()) : new ManifestRemovalRequest(TagName.Validate(tag), digest));
            }
            catch (ReferenceFormatException error)
            {
                WriteFailure(error, new ErrorSubject(tag, named.Connection.Name, named.Repository, tag));
            }
        }
    }

    private protected override void End()
    {
        if (_asked.Groups.Count == 0) return;
        var journal = RemovalJournal.ForUser();
        foreach (var (place, requests) in _asked.Groups)
        {
            var remover = new ManifestRemover(place.Connection.Handle, journal, ThrottleLimit, ActivityRouter.Log);
            using var hold = Hold(remover);
            var subject = new ErrorSubject(place.Repository, place.Connection.Name, place.Repository);
            if (!TryRun(subject, token => remover.PlanAsync(place.Repository, requests, token), out var plans, "Looking for what needs the manifests")) continue;
            foreach (var plan in plans) Remove(place, remover, plan);
        }
    }

    private void Remove(Place place, ManifestRemover remover, ManifestRemovalPlan plan)
    {
        var subject = new ErrorSubject(plan.Request.Reference, place.Connection.Name, place.Repository, plan.Request.Reference);
        if (plan.Error is not null || plan.Manifest is not { } manifest)
        {
            WriteFailure(plan.Error ?? new RemovalFailedException($"The manifest {plan.Request.Reference} could not be looked at."), subject);
            return;
        }

        if (plan.IsInUse && !Force)
        {
            WriteFailure(remover.InUse(place.Repository, plan), subject);
            return;
        }

        var along = plan.Tags.Count == 0 ? string.Empty : " with its tag(s) " + string.Join(", ", plan.Tags);
        if (!ShouldProcess(place.Name(manifest.Digest), "Remove manifest" + along)) return;
        if (!TryRun(
            subject,
            async token =>
            {
                await remover.RemoveAsync(place.Repository, plan, Force, token).ConfigureAwait(false);
                return true;
            },
            out _,
            "Removing manifests")) return;
        WriteVerbose($"Removed the manifest {place.Name(manifest.Digest)}{along}.");
        if (!PassThru) return;
        WriteObject(new RegistryManifestRemoval
        {
            Registry = place.Connection.Name,
            Repository = place.Repository,
            Digest = manifest.Digest.ToString(),
            MediaType = manifest.MediaType,
            Tags = [.. plan.Tags],
            Time = DateTimeOffset.Now,
        });
    }
}
