using System.Management.Automation;
using System.Net;
using System.Security;
using System.Security.Cryptography.X509Certificates;
using RegistryTools.Authentication;
using RegistryTools.Errors;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Storage;
using RegistryTools.Transport.Tls;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Connects this session to a registry, or to the storage of one, and makes that the current connection.</summary>
[Cmdlet(VerbsCommunications.Connect, "Registry", DefaultParameterSetName = Configured)]
[OutputType(typeof(RegistryConnection))]
public sealed class ConnectRegistryCommand : RegistryCmdlet
{
    private const string Configured = "Configured";
    private const string WithNone = "Anonymous";
    private const string WithCredential = "Credential";
    private const string WithToken = "Token";
    private const string WithIdentityToken = "IdentityToken";
    private const string OnStorage = "Storage";
    private bool _allowsClearText;

    /// <summary>
    /// The address of the registry: <c>registry.example.com</c>, <c>https://host/prefix</c>, <c>http://localhost:5000</c>. Or the name of an open connection, which becomes the current one again.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = Configured)]
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = WithNone)]
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = WithCredential)]
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = WithToken)]
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = WithIdentityToken)]
    [Alias("Url", "Address", "Server")]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(RegistryAddressCompleter))]
    public string Uri { get; set; } = string.Empty;

    /// <summary>
    /// The storage of a distribution registry in place of a server: the root that the registry's configuration names, the <c>docker/registry/v2</c> in it, or a container volume that is mounted here.
    /// </summary>
    [Parameter(Mandatory = true, ParameterSetName = OnStorage)]
    [ValidateNotNullOrEmpty]
    public string StoragePath { get; set; } = string.Empty;

    /// <summary>What to call the connection. An open one of the same name is closed and replaced.</summary>
    /// <value>The host and port, or the path</value>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Name { get; set; }

    /// <summary>The user and the password, or what stands in a password's place, such as an access token.</summary>
    [Parameter(Mandatory = true, ParameterSetName = WithCredential)]
    [Credential]
    [ValidateNotNull]
    public PSCredential? Credential { get; set; }

    /// <summary>A bearer token, which is sent as it is.</summary>
    [Parameter(Mandatory = true, ParameterSetName = WithToken)]
    [ValidateNotNull]
    public SecureString? Token { get; set; }

    /// <summary>An identity token (refresh token), which is exchanged for bearer tokens at the registry's token service.</summary>
    [Parameter(Mandatory = true, ParameterSetName = WithIdentityToken)]
    [ValidateNotNull]
    public SecureString? IdentityToken { get; set; }

    /// <summary>Connects without credentials, whatever is configured.</summary>
    [Parameter(Mandatory = true, ParameterSetName = WithNone)]
    public SwitchParameter Anonymous { get; set; }

    /// <summary>
    /// Keeps the credentials for later sessions, once the registry has taken them: with the credential helper that Docker's config.json names, or, where it names none and the question is answered with yes, in that file in clear text.
    /// </summary>
    [Parameter(ParameterSetName = WithCredential)]
    [Parameter(ParameterSetName = WithToken)]
    [Parameter(ParameterSetName = WithIdentityToken)]
    public SwitchParameter SaveCredential { get; set; }

    /// <summary>With -SaveCredential: does not ask before credentials are kept in clear text.</summary>
    [Parameter(ParameterSetName = WithCredential)]
    [Parameter(ParameterSetName = WithToken)]
    [Parameter(ParameterSetName = WithIdentityToken)]
    public SwitchParameter Force { get; set; }

    /// <summary>How often a request that is safe to repeat is repeated at most; 0 for never.</summary>
    [Parameter]
    [ValidateRange(0, 100)]
    public int RetryCount { get; set; } = 4;

    /// <summary>The longest wait between two tries, in seconds, also where the registry asks for a longer one.</summary>
    [Parameter]
    [Alias("MaximumRetryDelay")]
    [ValidateRange(0, 3600)]
    public int MaximumRetryDelaySec { get; set; } = 30;

    /// <summary>How long is waited for an answer, in seconds.</summary>
    [Parameter]
    [ValidateRange(1, 86400)]
    public int TimeoutSec { get; set; } = 100;

    /// <summary>The size of the largest manifest that is taken, in bytes.</summary>
    [Parameter]
    [ValidateRange(1024, 1024 * 1024 * 1024)]
    public int MaximumManifestSize { get; set; } = 4 * 1024 * 1024;

    /// <summary>Sends credentials over http to another machine, where everyone on the way can read them. Without it that is refused.</summary>
    [Parameter]
    public SwitchParameter AllowUnencryptedAuthentication { get; set; }

    /// <summary>The files (PEM) of certificate authorities that are trusted besides the system's. Those in /etc/docker/certs.d/HOST are found without it.</summary>
    [Parameter(ParameterSetName = Configured)]
    [Parameter(ParameterSetName = WithNone)]
    [Parameter(ParameterSetName = WithCredential)]
    [Parameter(ParameterSetName = WithToken)]
    [Parameter(ParameterSetName = WithIdentityToken)]
    [Alias("CaCertificate")]
    [ValidateNotNullOrEmpty]
    public string[] CertificateAuthority { get; set; } = [];

    /// <summary>The certificate, with its key, by which the registry knows its clients: an object, from the certificate store or loaded.</summary>
    [Parameter(ParameterSetName = Configured)]
    [Parameter(ParameterSetName = WithNone)]
    [Parameter(ParameterSetName = WithCredential)]
    [Parameter(ParameterSetName = WithToken)]
    [Parameter(ParameterSetName = WithIdentityToken)]
    public X509Certificate2? Certificate { get; set; }

    /// <summary>The file of the certificate by which the registry knows its clients: PEM, or PFX (.pfx, .p12). Windows PowerShell takes PFX only.</summary>
    [Parameter(ParameterSetName = Configured)]
    [Parameter(ParameterSetName = WithNone)]
    [Parameter(ParameterSetName = WithCredential)]
    [Parameter(ParameterSetName = WithToken)]
    [Parameter(ParameterSetName = WithIdentityToken)]
    [ValidateNotNullOrEmpty]
    public string? CertificatePath { get; set; }

    /// <summary>The file (PEM) of the key to -CertificatePath, where it is not in the same file.</summary>
    [Parameter(ParameterSetName = Configured)]
    [Parameter(ParameterSetName = WithNone)]
    [Parameter(ParameterSetName = WithCredential)]
    [Parameter(ParameterSetName = WithToken)]
    [Parameter(ParameterSetName = WithIdentityToken)]
    [ValidateNotNullOrEmpty]
    public string? CertificateKeyPath { get; set; }

    /// <summary>The password of that key, or of the PFX file.</summary>
    [Parameter(ParameterSetName = Configured)]
    [Parameter(ParameterSetName = WithNone)]
    [Parameter(ParameterSetName = WithCredential)]
    [Parameter(ParameterSetName = WithToken)]
    [Parameter(ParameterSetName = WithIdentityToken)]
    public SecureString? CertificatePassword { get; set; }

    /// <summary>Accepts whatever certificate the registry shows, with a warning: whoever is on the way can then read and alter everything.</summary>
    [Parameter(ParameterSetName = Configured)]
    [Parameter(ParameterSetName = WithNone)]
    [Parameter(ParameterSetName = WithCredential)]
    [Parameter(ParameterSetName = WithToken)]
    [Parameter(ParameterSetName = WithIdentityToken)]
    public SwitchParameter SkipCertificateCheck { get; set; }

    /// <summary>The proxy, such as <c>http://proxy:3128</c>.</summary>
    /// <value>What the environment says: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY</value>
    [Parameter(ParameterSetName = Configured)]
    [Parameter(ParameterSetName = WithNone)]
    [Parameter(ParameterSetName = WithCredential)]
    [Parameter(ParameterSetName = WithToken)]
    [Parameter(ParameterSetName = WithIdentityToken)]
    public Uri? Proxy { get; set; }

    /// <summary>The user and the password for the proxy.</summary>
    [Parameter(ParameterSetName = Configured)]
    [Parameter(ParameterSetName = WithNone)]
    [Parameter(ParameterSetName = WithCredential)]
    [Parameter(ParameterSetName = WithToken)]
    [Parameter(ParameterSetName = WithIdentityToken)]
    [Credential]
    public PSCredential? ProxyCredential { get; set; }

    /// <summary>Uses no proxy, whatever the environment says.</summary>
    [Parameter(ParameterSetName = Configured)]
    [Parameter(ParameterSetName = WithNone)]
    [Parameter(ParameterSetName = WithCredential)]
    [Parameter(ParameterSetName = WithToken)]
    [Parameter(ParameterSetName = WithIdentityToken)]
    public SwitchParameter NoProxy { get; set; }

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

        if (ParameterSetName == Configured && Name is null && session.FindByName(Uri) is { } open && Uri.IndexOfAny(['.', ':']) < 0)
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

        ClientCertificate? certificate;
        try
        {
            certificate = ClientCertificateOf();
        }
        catch (CertificateFileException error)
        {
            WriteFailure(error, new ErrorSubject(error.Path, address.Name));
            return;
        }

        if (SkipCertificateCheck && address.Scheme != "http") WriteWarning($"The certificate of {address.Name} is not checked: whoever is on the way can read and alter everything, the password included.");
        var given = Given();
        if (given is not null && SaveCredential && !AllowsSaving(address)) return;
        var failure = TryOpen(address, given, Name, AllowUnencryptedAuthentication, (credential, namespaces) => Configure(credential, namespaces, certificate), out var connection);
        if (failure is not null)
        {
            if (failure.FullyQualifiedErrorId == ErrorRecords.UnencryptedAuthentication) ThrowTerminatingError(failure);
            WriteError(failure);
            return;
        }

        session.Add(connection, makeCurrent: true);
        WriteVerbose($"Connected to {connection.Location}{(connection.IsEncrypted ? string.Empty : ", unencrypted")}.");
        WriteObject(connection);
        if (given is not null && SaveCredential) Save(address, given);
    }

    private HttpRegistryOptions Configure(RegistryCredential credential, IReadOnlyDictionary<string, RegistryCredential> namespaces, ClientCertificate? certificate) => new()
    {
        UserName = credential.UserName,
        Password = credential.Password,
        Token = credential.RegistryToken,
        IdentityToken = credential.IdentityToken,
        NamespaceCredentials = namespaces,
        RetryCount = RetryCount,
        MaximumRetryDelay = TimeSpan.FromSeconds(MaximumRetryDelaySec),
        Timeout = TimeSpan.FromSeconds(TimeoutSec),
        MaximumManifestSize = MaximumManifestSize,
        CertificateAuthorityFiles = Array.ConvertAll(CertificateAuthority, GetUnresolvedProviderPathFromPSPath),
        ClientCertificate = certificate,
        SkipCertificateCheck = SkipCertificateCheck,
        Proxy = Proxy,
        ProxyCredential = ProxyCredential?.GetNetworkCredential(),
        NoProxy = NoProxy,
        Log = ActivityRouter.Log,
    };

    private ClientCertificate? ClientCertificateOf()
    {
        if (Certificate is not null) return ClientCertificate.From(Certificate);
        if (CertificatePath is null) return null;
        var path = GetUnresolvedProviderPathFromPSPath(CertificatePath);
        var password = Reveal(CertificatePassword);
        var isPfx = Path.GetExtension(path).ToUpperInvariant() is ".PFX" or ".P12";
        return isPfx ? ClientCertificate.FromPfx(path, password) : ClientCertificate.FromPem(path, CertificateKeyPath is null ? null : GetUnresolvedProviderPathFromPSPath(CertificateKeyPath), password);
    }

    /// <summary>The credentials among the parameters; null where they are to be looked for.</summary>
    private RegistryCredential? Given() => ParameterSetName switch
    {
        WithNone => new RegistryCredential { Source = NoCredentials },
        WithCredential => new RegistryCredential { UserName = Credential!.UserName, Password = Credential.GetNetworkCredential().Password, Source = WithCredential },
        WithToken => new RegistryCredential { RegistryToken = Reveal(Token), Source = WithToken },
        WithIdentityToken => new RegistryCredential { IdentityToken = Reveal(IdentityToken), Source = WithIdentityToken },
        _ => null,
    };

    // Asked before anything is sent: who says no has not logged in yet.
    private bool AllowsSaving(RegistryAddress address)
    {
        if (Force) return true;
        if (!TryRun(new ErrorSubject(address.ToString(), address.Name), token => Task.Run(() => new CredentialStore(new CredentialOptions { Log = ActivityRouter.Log }).FindClearTextFile(address), token), out var file)) return false;
        if (file is null || ShouldContinue($"{file} names no credential helper: the credentials of {address.Name} will stand there in clear text, for everyone to read who can read that file.", "Save credentials in clear text"))
        {
            _allowsClearText = file is not null;
            return true;
        }

        return false;
    }

    private void Save(RegistryAddress address, RegistryCredential credential)
    {
        var store = new CredentialStore(new CredentialOptions { Log = ActivityRouter.Log });
        var allowed = Force || _allowsClearText;
        if (TryRun(new ErrorSubject(address.ToString(), address.Name), token => store.StoreAsync(address, credential, allowed, token), out var place)) WriteVerbose($"The credentials of {address.Name} are kept in {place}.");
    }

    private static string? Reveal(SecureString? secret) => secret is null ? null : new NetworkCredential(string.Empty, secret).Password;
}
