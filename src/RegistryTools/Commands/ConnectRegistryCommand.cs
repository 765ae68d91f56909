using System.Management.Automation;
using System.Net;
using System.Security;
using RegistryTools.Errors;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Storage;

namespace RegistryTools.PowerShell.Commands;

/// <summary>
/// Connects this session to a registry and makes that connection the current one. Https is taken for granted; http has to be asked for, except
/// that a loopback host without a scheme is asked over http where https is not spoken. The name of an open connection makes that one current again.
/// </summary>
[Cmdlet(VerbsCommunications.Connect, "Registry", DefaultParameterSetName = Anonymous)]
[OutputType(typeof(RegistryConnection))]
public sealed class ConnectRegistryCommand : RegistryCmdlet
{
    private const string Anonymous = "Anonymous";
    private const string WithCredential = "Credential";
    private const string WithToken = "Token";
    private const string WithIdentityToken = "IdentityToken";
    private const string OnStorage = "Storage";

    /// <summary>The registry's address: registry.example.com, https://host/prefix, http://localhost:5000.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = Anonymous)]
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = WithCredential)]
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = WithToken)]
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = WithIdentityToken)]
    [Alias("Url", "Address", "Server")]
    [ValidateNotNullOrEmpty]
    public string Uri { get; set; } = string.Empty;

    /// <summary>
    /// The storage of a distribution registry in place of a server: the root that the registry's configuration names, the <c>docker/registry/v2</c> in it, or a container volume that is mounted here.
    /// </summary>
    [Parameter(Mandatory = true, ParameterSetName = OnStorage)]
    [ValidateNotNullOrEmpty]
    public string StoragePath { get; set; } = string.Empty;

    /// <summary>What to call the connection; its host and port otherwise. One of the same name is closed and replaced.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    /// <summary>User and password.</summary>
    [Parameter(Mandatory = true, ParameterSetName = WithCredential)]
    [Credential]
    [ValidateNotNull]
    public PSCredential? Credential { get; set; }

    /// <summary>A bearer token, sent as it is.</summary>
    [Parameter(Mandatory = true, ParameterSetName = WithToken)]
    [ValidateNotNull]
    public SecureString? Token { get; set; }

    /// <summary>An identity token (refresh token), exchanged for bearer tokens at the registry's token service.</summary>
    [Parameter(Mandatory = true, ParameterSetName = WithIdentityToken)]
    [ValidateNotNull]
    public SecureString? IdentityToken { get; set; }

    /// <summary>How often a request that is safe to repeat is repeated. 0 for never.</summary>
    [Parameter]
    [ValidateRange(0, 100)]
    public int RetryCount { get; set; } = 4;

    /// <summary>The longest wait between two tries, in seconds, also where the registry asks for a longer one.</summary>
    [Parameter]
    [Alias("MaximumRetryDelay")]
    [ValidateRange(0, 3600)]
    public int MaximumRetryDelaySec { get; set; } = 30;

    /// <summary>How long to wait for an answer, in seconds.</summary>
    [Parameter]
    [ValidateRange(1, 86400)]
    public int TimeoutSec { get; set; } = 100;

    /// <summary>The largest manifest that is taken, in bytes.</summary>
    [Parameter]
    [ValidateRange(1024, 1024 * 1024 * 1024)]
    public int MaximumManifestSize { get; set; } = 4 * 1024 * 1024;

    /// <summary>Sends credentials over http to a host other than this machine, where everyone on the way can read them.</summary>
    [Parameter]
    public SwitchParameter AllowUnencryptedAuthentication { get; set; }

    private protected override void Process()
    {
        var session = RegistrySession.Current;
        if (ParameterSetName == OnStorage)
        {
            var path = GetUnresolvedProviderPathFromPSPath(StoragePath);
            if (!TryRun(new ErrorSubject(path, Name), token => Task.Run(() => new StorageRegistry(StorageLocation.Find(path)), token), out var storage)) return;
            WriteObject(session.Add(RegistryConnection.Open(storage, null, Name, null, "None", DateTimeOffset.Now), makeCurrent: true));
            return;
        }

        if (ParameterSetName == Anonymous && Name is null && session.FindByName(Uri) is { } open && Uri.IndexOfAny(['.', ':']) < 0)
        {
            session.MakeCurrent(open);
            WriteObject(open);
            return;
        }

        RegistryAddress address;
        try
        {
            address = RegistryAddress.Parse(Uri);
        }
        catch (ReferenceFormatException error)
        {
            ThrowTerminatingError(ErrorRecords.From(error, new ErrorSubject(error.Input)));
            return;
        }

        if (ParameterSetName != Anonymous && address.Scheme == "http" && !address.IsLoopback)
        {
            if (!AllowUnencryptedAuthentication)
            {
                ThrowTerminatingError(ErrorRecords.Create(
                    ErrorRecords.UnencryptedAuthentication,
                    ErrorCategory.SecurityError,
                    $"Credentials are not sent to {address} over http, where everyone on the way can read them.",
                    "Use https, or accept the risk with -AllowUnencryptedAuthentication.",
                    new ErrorSubject(address.ToString(), address.Name)));
            }

            WriteWarning($"Credentials go to {address} unencrypted.");
        }

        var plain = Credential?.GetNetworkCredential();
        var options = new HttpRegistryOptions
        {
            UserName = plain is null ? null : Credential!.UserName,
            Password = plain?.Password,
            Token = Reveal(Token),
            IdentityToken = Reveal(IdentityToken),
            RetryCount = RetryCount,
            MaximumRetryDelay = TimeSpan.FromSeconds(MaximumRetryDelaySec),
            Timeout = TimeSpan.FromSeconds(TimeoutSec),
            MaximumManifestSize = MaximumManifestSize,
            Log = ActivityRouter.Log,
        };
        if (!TryRun(new ErrorSubject(address.ToString(), Name ?? address.Name), token => HttpRegistry.ConnectAsync(address, options, token), out var registry, $"Connecting to {address}")) return;
        var connection = RegistryConnection.Open(registry, address, Name, options.UserName, ParameterSetName == Anonymous ? "None" : ParameterSetName, DateTimeOffset.Now);
        session.Add(connection, makeCurrent: true);
        WriteVerbose($"Connected to {connection.Location}{(connection.IsEncrypted ? string.Empty : ", unencrypted")}.");
        WriteObject(connection);
    }

    private static string? Reveal(SecureString? secret) => secret is null ? null : new NetworkCredential(string.Empty, secret).Password;
}
