using System.Management.Automation;
using RegistryTools.Authentication;
using RegistryTools.Errors;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Output;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Storage;

namespace RegistryTools.PowerShell.Pipeline;

/// <summary>Makes connections, for cmdlets and for drives: to a server, with the credentials that are there for it, or to a storage. What fails is given back as an error record, to be thrown or written.</summary>
internal sealed class RegistryConnector(IPipelineWriter writer, PipelinePump pump)
{
    /// <summary>Where credentials come from where there are none.</summary>
    public const string NoCredentials = "None";

    /// <summary>A path as the file system has it, whatever drive the user named it on.</summary>
    /// <exception cref="StorageNotFoundException">It is no path of the file system.</exception>
    public static string FileSystemPath(SessionState session, string path)
    {
        try
        {
            var resolved = session.Path.GetUnresolvedProviderPathFromPSPath(path, out var provider, out _);
            return provider.Name == "FileSystem" ? resolved : throw new StorageNotFoundException($"'{path}' is not a path of the file system.", null);
        }
        catch (Exception error) when (error is System.Management.Automation.DriveNotFoundException or ProviderNotFoundException or ProviderInvocationException or PSArgumentException)
        {
            throw new StorageNotFoundException($"'{path}' is not a path of the file system: {error.Message}", null);
        }
    }

    /// <summary>The connection that an argument means. One that has to be made is added to the session, and does not become the current one.</summary>
    public ErrorRecord? Connect(RegistrySession session, RegistrySession.Resolution resolution, Func<string, string> fileSystemPath, out RegistryConnection connection)
    {
        connection = resolution.Connection!;
        if (resolution.Connection is not null) return null;
        if (resolution.Error is not null) return resolution.Error;
        if (resolution.StoragePath is { } path)
        {
            try
            {
                var location = StorageLocation.Find(fileSystemPath(path));
                var root = location.Root;
                connection = session.Connections.FirstOrDefault(open => open.Address is null && string.Equals(open.Location, root, StringComparison.Ordinal))
                    ?? session.Add(RegistryConnection.Open(new StorageRegistry(location), null, null, null, NoCredentials, DateTimeOffset.Now), makeCurrent: false);
                return null;
            }
            catch (StorageNotFoundException error)
            {
                return ErrorRecords.From(error, new ErrorSubject(path));
            }
        }

        writer.WriteVerbose($"There is no connection to {resolution.Address} in this session: connecting to it.");
        var record = Open(resolution.Address!, null, null, allowUnencrypted: false, Options, out var opened);
        if (record is null) connection = session.Add(opened, makeCurrent: false);
        return record;
    }

    /// <summary>The options of a connection for which nothing but its credentials was said.</summary>
    public static HttpRegistryOptions Options(RegistryCredential credential, IReadOnlyDictionary<string, RegistryCredential> namespaces) => new()
    {
        UserName = credential.UserName,
        Password = credential.Password,
        Token = credential.RegistryToken,
        IdentityToken = credential.IdentityToken,
        NamespaceCredentials = namespaces,
        Log = ActivityRouter.Log,
    };

    /// <summary>
    /// Makes a connection. What fails is given back as an error record, to be thrown or written; the connection is not added to the session.
    /// </summary>
    /// <param name="address">The registry.</param>
    /// <param name="given">The credentials that were given; null to look for those that Docker, Podman or the environment has.</param>
    /// <param name="name">What to call the connection; null for its host and port.</param>
    /// <param name="allowUnencrypted">Whether credentials may go over http to another machine.</param>
    /// <param name="configure">Makes the options of the connection out of the credentials.</param>
    /// <param name="connection">The connection.</param>
    public ErrorRecord? Open(RegistryAddress address, RegistryCredential? given, string? name, bool allowUnencrypted, Func<RegistryCredential, IReadOnlyDictionary<string, RegistryCredential>, HttpRegistryOptions> configure, out RegistryConnection connection)
    {
        connection = null!;
        var subject = new ErrorSubject(address.ToString(), name ?? address.Name);
        RegistryConnection? opened = null;
        var refused = false;
        var source = NoCredentials;
        var error = pump.Run(
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
            $"Connecting to {address}");
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
