using System.Net;
using System.Security.Cryptography.X509Certificates;
using RegistryTools.Authentication;
using RegistryTools.Manifests;
using RegistryTools.Text;
using RegistryTools.Transport.Tls;

namespace RegistryTools.Registries;

/// <summary>How an <see cref="HttpRegistry"/> behaves. Defaults are fit for an administrator's session.</summary>
public sealed class HttpRegistryOptions
{
    /// <summary>The user's name, for Basic authentication and token requests; null for anonymous.</summary>
    public string? UserName { get; init; }

    /// <summary>The password that goes with it. Never shown, never logged.</summary>
    public string? Password { get; init; }

    /// <summary>A bearer token to send as it is; null to ask the token service.</summary>
    public string? Token { get; init; }

    /// <summary>An identity (refresh) token, exchanged at the token service by POST; null for none.</summary>
    public string? IdentityToken { get; init; }

    /// <summary>
    /// Other credentials for the repositories of a namespace, by its name (<c>team/project</c>): the longest one that a repository is in counts. As in Podman's auth.json (containers-auth.json(5)).
    /// </summary>
    public IReadOnlyDictionary<string, RegistryCredential> NamespaceCredentials { get; init; } = new Dictionary<string, RegistryCredential>();

    /// <summary>How often a request that is safe to repeat is repeated: 0 for never.</summary>
    public int RetryCount { get; init; } = 4;

    /// <summary>The longest wait between two tries, the registry's own Retry-After included.</summary>
    public TimeSpan MaximumRetryDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The first wait; it doubles, with jitter.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// How long to wait for an answer's headers, and for each piece of its body. A body as a whole may take three times as long, and longer only as far as what has come of it came at a fair
    /// rate: a server that sends a byte now and then holds nobody for ever.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>After how many requests in a row without an answer, or with none but 5xx (each after all its repetitions), the registry is taken to be down, and not asked for a while: 0 for never.</summary>
    public int BreakAfter { get; init; } = 5;

    /// <summary>How long a registry that is taken to be down is not asked; then one request is let through, whose outcome decides.</summary>
    public TimeSpan BreakDuration { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Files of certificate authorities (PEM with one or several certificates, or DER) that are trusted besides the system's.</summary>
    public IReadOnlyList<string> CertificateAuthorityFiles { get; init; } = [];

    /// <summary>Certificate authorities that are trusted besides the system's, loaded already.</summary>
    public IReadOnlyList<X509Certificate2> CertificateAuthorities { get; init; } = [];

    /// <summary>What to show to a registry that wants to know its clients by certificate; null for what <see cref="CertificateDirectories"/> hold, if anything. Shown to the registry and its token service only.</summary>
    public ClientCertificate? ClientCertificate { get; init; }

    /// <summary>
    /// Directories with a directory a registry in them (<c>host</c> or <c>host:port</c>), as Docker has them: <c>*.crt</c> are authorities, <c>*.cert</c> with <c>*.key</c> the client's certificate. Null
    /// for those of Docker and podman (<see cref="Transport.Tls.CertificateDirectories.Default"/>), an empty list for none.
    /// </summary>
    public IReadOnlyList<string>? CertificateDirectories { get; init; }

    /// <summary>Accepts whatever certificate the server has. Whoever is on the way can then read and alter everything, the password included.</summary>
    public bool SkipCertificateCheck { get; init; }

    /// <summary>
    /// The proxy to use for everything that is not on this machine (<c>http://host:port</c>; https and socks5 on the modern .NET); null for what the environment says (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY,
    /// NO_PROXY), and else the system. A user and password in it are used, and never shown.
    /// </summary>
    public Uri? Proxy { get; init; }

    /// <summary>The user name and password for <see cref="Proxy"/>; null for those in its address, if any.</summary>
    public NetworkCredential? ProxyCredential { get; init; }

    /// <summary>Uses no proxy, whatever the environment says.</summary>
    public bool NoProxy { get; init; }

    /// <summary>The largest manifest that is taken, in bytes.</summary>
    public int MaximumManifestSize { get; init; } = Manifest.DefaultMaximumSize;

    /// <summary>The largest page of a list that is taken, in bytes.</summary>
    public int MaximumListPageSize { get; init; } = 64 * 1024 * 1024;

    /// <summary>How many entries of a list are asked for at a time; registries refuse more than 1000.</summary>
    public int PageSize { get; init; } = 1000;

    /// <summary>How many bytes of a blob go in one chunk.</summary>
    public int ChunkSize { get; init; } = 16 * 1024 * 1024;

    /// <summary>How many connections to the registry may be open at once.</summary>
    public int ConnectionLimit { get; init; } = 64;

    /// <summary>Where it tells what it does.</summary>
    public IActivityLog Log { get; init; } = NoActivityLog.Instance;

    /// <summary>The innermost handler, for tests; null for the real one.</summary>
    public HttpMessageHandler? Handler { get; init; }

    /// <summary>Where environment variables are read, for tests; null for the process's own.</summary>
    internal Func<string, string?>? Environment { get; init; }
}
