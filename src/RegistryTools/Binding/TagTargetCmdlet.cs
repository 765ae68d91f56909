using System.Management.Automation;
using RegistryTools.Errors;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;
using RegistryTools.References;

namespace RegistryTools.PowerShell;

/// <summary>The base of the cmdlets that remove tags and put them back: each tag by its name, letter for letter.</summary>
public abstract class TagTargetCmdlet : ReferenceTargetCmdlet
{
    /// <summary>The tags, letter for letter: no wildcards. <c>Get-RegistryTag</c> and <c>Get-RegistryRemoval</c> find tags by wildcards, and what they write can be piped here.</summary>
    [Parameter(Mandatory = true, Position = 1, ParameterSetName = ByName, ValueFromPipelineByPropertyName = true)]
    [Alias("Name")]
    [ValidateNotNullOrEmpty]
    [NameTransformation]
    [ArgumentCompleter(typeof(TagCompleter))]
    public string[] Tag { get; set; } = [];

    /// <summary>
    /// The digest of the tag's manifest: where a tag is removed, the one that it had when it was listed, so that a tag that points elsewhere by now is not removed; where it is put back, the one that it
    /// is to point to. Piped objects bring it along.
    /// </summary>
    [Parameter(ParameterSetName = ByName, ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(DigestCompleter))]
    public string? Digest { get; set; }

    /// <summary>Takes one tag that was asked for.</summary>
    private protected abstract void Take(Place place, string tag, Digest? digest);

    private protected sealed override void Process()
    {
        if (ParameterSetName == ByReference)
        {
            foreach (var text in Reference)
            {
                if (FindReference(text) is not { } found) continue;
                if (found.Reference.Tag is null) WriteFailure(new ReferenceFormatException(text, $"'{text}' names no tag: expected repository:tag."), new ErrorSubject(text));
                else Take(found.Place, found.Reference.Tag, found.Reference.Digest);
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

            if (TryDigest(Digest, subject, out var digest)) Take(place, tag, digest);
        }
    }
}
