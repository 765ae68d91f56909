using System.Management.Automation;
using RegistryTools.Authentication;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.References;
using RegistryTools.Registries;

namespace RegistryTools.PowerShell;

/// <summary>How a connection to a server is made, with the credentials that are there for it.</summary>
public abstract partial class RegistryCmdlet
{
    /// <summary>Where credentials come from where there are none.</summary>
    private protected const string NoCredentials = RegistryConnector.NoCredentials;

    /// <summary>As <see cref="RegistryConnector.Open"/>.</summary>
    private protected ErrorRecord? TryOpen(RegistryAddress address, RegistryCredential? given, string? name, bool allowUnencrypted, Func<RegistryCredential, IReadOnlyDictionary<string, RegistryCredential>, HttpRegistryOptions> configure, out RegistryConnection connection) =>
        new RegistryConnector(this, _pump).Open(address, given, name, allowUnencrypted, configure, out connection);
}
