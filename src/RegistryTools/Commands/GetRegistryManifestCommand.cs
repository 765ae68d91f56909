using System.Management.Automation;
using RegistryTools.Inspection;
using RegistryTools.PowerShell.Output;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Gets manifests, as an object each or as the exact text that the registry holds.</summary>
[Cmdlet(VerbsCommon.Get, "RegistryManifest")]
[OutputType(typeof(RegistryManifest))]
[OutputType(typeof(string))]
public sealed class GetRegistryManifestCommand : ManifestQueryCmdlet
{
    /// <summary>Gives the manifest's text, exactly as the registry holds it, instead of an object.</summary>
    [Parameter]
    public SwitchParameter Raw { get; set; }

    private protected override string Activity => "Reading manifests";

    private protected override string Unit => "manifest";

    private protected override void Read(Query query, string? tag, string reference)
    {
        var subject = query.Subject(query.Repository + (tag is null ? "@" + reference : ":" + tag), reference);
        if (Wanted is { } platform)
        {
            var inspector = new ImageInspector(query.Connection.Handle);
            TryStream(
                subject,
                token => inspector.SelectAsync(query.Repository, reference, platform, token),
                found => Write(Outputs.Manifest(query.Connection.Name, query.Repository, found.Index is null ? tag : null, found.Manifest, found.Platform, found.Index?.ToString())),
                $"Reading {subject.Target}");
        }
        else if (TryRun(subject, token => query.Connection.Handle.GetManifestAsync(query.Repository, reference, token), out var manifest, $"Reading {subject.Target}"))
        {
            Write(Outputs.Manifest(query.Connection.Name, query.Repository, tag, manifest, null, null));
        }
    }

    private void Write(RegistryManifest manifest) => WriteObject(Raw ? manifest.GetText() : manifest);
}
