using RegistryTools.Authentication;
using RegistryTools.Manifests;
using RegistryTools.Text;

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

    /// <summary>How long to wait for an answer's headers, and for each piece of its body.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(100);

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
}
