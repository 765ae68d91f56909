using System.Management.Automation;
using RegistryTools.Authentication;
using RegistryTools.Errors;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.References;
using RegistryTools.Registries;

namespace RegistryTools.PowerShell;

/// <summary>How a connection to a server is made, with the credentials that are there for it.</summary>
public abstract partial class RegistryCmdlet
{
    /// <summary>Where credentials come from that were given to the cmdlet.</summary>
    private protected const string NoCredentials = "None";

    /// <summary>
    /// Makes a connection. What fails is given back as an error record, to be thrown or written; the connection is not added to the session.
    /// </summary>
    /// <param name="address">The registry.</param>
    /// <param name="given">The credentials that were given; null to look for those that Docker, Podman or the environment has.</param>
    /// <param name="name">What to call the connection; null for its host and port.</param>
    /// <param name="allowUnencrypted">Whether credentials may go over http to another machine.</param>
    /// <param name="configure">Makes the options of the connection out of the credentials.</param>
    /// <param name="connection">The connection.</param>
    private protected ErrorRecord? TryOpen(RegistryAddress address, RegistryCredential? given, string? name, bool allowUnencrypted, Func<RegistryCredential, IReadOnlyDictionary<string, RegistryCredential>, HttpRegistryOptions> configure, out RegistryConnection connection)
    {
        connection = null!;
        var subject = new ErrorSubject(address.ToString(), name ?? address.Name);
        RegistryConnection? opened = null;
        var refused = false;
        var source = NoCredentials;
        var error = Pump(
            async (_, token) =>
            {
                var credential = given;
                IReadOnlyDictionary<string, RegistryCredential> namespaces = new Dictionary<string, RegistryCredential>();
                if (credential is null)
                {
                    var finder = new CredentialFinder(new CredentialOptions { Log = ActivityRouter.Log });
                    var found = await finder.FindAsync(address, null, token).ConfigureAwait(false);
                    namespaces = finder.FindNamespaces(address, found);
                    credential = found ?? new RegistryCredential { Source = NoCredentials };
                }

                if (address.Scheme == "http" && !address.IsLoopback && (HasSecret(credential) || namespaces.Count > 0))
                {
                    if (!allowUnencrypted)
                    {
                        refused = true;
                        return;
                    }

                    ActivityRouter.Log.Warning($"Credentials go to {address} unencrypted.");
                }

                source = credential.Source != NoCredentials || namespaces.Count == 0 ? credential.Source : string.Join("; ", namespaces.Values.Select(one => one.Source).Distinct());
                var registry = await HttpRegistry.ConnectAsync(address, configure(credential, namespaces), token).ConfigureAwait(false);
                opened = RegistryConnection.Open(registry, address, name, credential.UserName, source, DateTimeOffset.Now);
            },
            $"Connecting to {address}",
            null);
        if (refused)
        {
            return ErrorRecords.Create(
                ErrorRecords.UnencryptedAuthentication,
                ErrorCategory.SecurityError,
                $"Credentials are not sent to {address} over http, where everyone on the way can read them.",
                given is null
                    ? "Use https; connect without them: Connect-Registry … -Anonymous; or accept the risk with -AllowUnencryptedAuthentication."
                    : "Use https, or accept the risk with -AllowUnencryptedAuthentication.",
                subject);
        }

        if (error is not null)
        {
            var remedy = given is not null ? null : error switch
            {
                CredentialException { Remedy: var advice } => $"{advice} Connect-Registry … -Anonymous connects without credentials.".TrimStart(),
                RegistryUnauthorizedException when source != NoCredentials => $"The credentials are from {source}. Log in again there, or give others: Connect-Registry … -Credential (Get-Credential).",
                _ => null,
            };
            return ErrorRecords.From(error, subject, remedy: remedy);
        }

        connection = opened!;
        return null;
    }

    private static bool HasSecret(RegistryCredential credential) => credential.UserName is not null || credential.RegistryToken is not null || credential.IdentityToken is not null;
}
