using System.Management.Automation;
using RegistryTools.Inspection;
using RegistryTools.PowerShell.Output;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Gets images as their configuration tells them: when they were built, from what steps, to run what.</summary>
[Cmdlet(VerbsCommon.Get, "RegistryImage")]
[OutputType(typeof(RegistryImage))]
public sealed class GetRegistryImageCommand : ManifestQueryCmdlet
{
    private protected override string Activity => "Reading images";

    private protected override string Unit => "image";

    private protected override void Read(Query query, string? tag, string reference)
    {
        var subject = query.Subject(query.Repository + (tag is null ? "@" + reference : ":" + tag), reference);
        var inspector = new ImageInspector(query.Connection.Handle);
        TryStream(
            subject,
            token => inspector.ReadAsync(query.Repository, reference, Wanted, token),
            image => WriteObject(Outputs.Image(query.Connection.Name, query.Repository, tag, image)),
            $"Reading {subject.Target}");
    }
}
