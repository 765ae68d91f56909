using System.Management.Automation;
using RegistryTools.Errors;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;
using RegistryTools.References;

namespace RegistryTools.PowerShell;

/// <summary>The base of the cmdlets that work on a registry.</summary>
public abstract class RegistryTargetCmdlet : RegistryCmdlet
{
    /// <summary>
    /// The registry: a connection of this session, its name, an address such as <c>https://registry.example.com</c>, or the path of a storage. An address that this session has no connection to is connected to, with the credentials that the
    /// environment, Docker or Podman has for it; over http only where the address says so, or on this machine.
    /// </summary>
    /// <value>The current connection</value>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [RegistryTransformation]
    [ArgumentCompleter(typeof(RegistryAddressCompleter))]
    public RegistryConnection? Registry { get; set; }

    /// <summary>
    /// What a reference names, <c>[registry/]repository[:tag][@digest]</c>, with its registry connected. Where <c>-Registry</c> is given, the first component is the registry only if it
    /// names that very one: mirrors have repositories such as <c>docker.io/library/nginx</c>. False where it names nothing, which is told.
    /// </summary>
    private protected bool TryFindReference(string text, out RegistryConnection connection, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ImageReference? reference)
    {
        connection = null!;
        reference = null;
        try
        {
            if (Registry is null)
            {
                reference = ImageReference.Parse(text);
                if (!TryConnect(reference.Registry is null ? null : RegistryConnection.FromText(reference.Registry), out connection)) return false;
            }
            else
            {
                if (!TryConnect(Registry, out connection)) return false;
                var rest = (text ?? string.Empty).Trim();
                var own = connection.Handle.Name + "/";
                if (rest.StartsWith(own, StringComparison.OrdinalIgnoreCase)) rest = rest.Substring(own.Length);
                reference = ImageReference.Parse("registry.invalid/" + rest);
            }

            if (reference.RepositoryWasLowered) WriteVerbose($"The repository of '{text}' is asked for as '{reference.Repository}': repository names have no upper-case letters.");
            return true;
        }
        catch (ReferenceFormatException error)
        {
            WriteFailure(error, new ErrorSubject(text, connection?.Name));
            return false;
        }
    }
}
