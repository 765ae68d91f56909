using RegistryTools.Errors;
using RegistryTools.References;

namespace RegistryTools.Authentication;

/// <summary>The names under which Docker and Podman keep a registry's credentials.</summary>
internal static class CredentialKey
{
    /// <summary>Docker's name for Docker Hub, of the days of its first protocol.</summary>
    public const string DockerHub = "https://index.docker.io/v1/";

    private static readonly string[] HubHosts = ["docker.io", "index.docker.io", "registry-1.docker.io"];

    public static bool IsHub(RegistryAddress address) => address.Port is null && HubHosts.Contains(address.Host);

    /// <summary>Host, and port where one was given.</summary>
    public static string HostOf(RegistryAddress address) => address.Name.Substring(0, address.Name.Length - address.Prefix.Length);

    /// <summary>What <c>docker login</c> uses: the host, except for Docker Hub.</summary>
    public static string ForDocker(RegistryAddress address) => IsHub(address) ? DockerHub : HostOf(address);

    /// <summary>The keys that mean this registry as they stand, the best first.</summary>
    public static IEnumerable<string> Exact(RegistryAddress address, bool podman)
    {
        var host = HostOf(address);
        if (!IsHub(address)) return [host];
        return podman ? [host, .. HubHosts, DockerHub] : [DockerHub, host, .. HubHosts];
    }

    /// <summary>
    /// The keys under which Podman looks for a repository, the most specific first: host/ns/repo, host/ns, host (containers-auth.json(5)). A registry's prefix is a namespace to it.
    /// </summary>
    public static IEnumerable<string> Namespaces(RegistryAddress address, string? repository)
    {
        foreach (var host in Exact(address, podman: true))
        {
            var key = host + address.Prefix + (string.IsNullOrEmpty(repository) ? string.Empty : "/" + repository);
            if (host == DockerHub) continue;
            for (; key.Length > host.Length; key = key.Substring(0, key.LastIndexOf('/'))) yield return key;
        }
    }

    /// <summary>
    /// How well a key that is not one of <see cref="Exact"/> fits: 2 with the path of a protocol version or none, 1 with another path behind a scheme (old logins took any address), 0 not at all.
    /// Docker Hub's other paths are no logins: Docker Desktop keeps tokens of its own there. Without a scheme a path is a namespace to Podman.
    /// </summary>
    public static int Fit(string key, RegistryAddress address, bool podman)
    {
        var rest = key;
        if (rest.StartsWith("https://", StringComparison.OrdinalIgnoreCase)) rest = rest.Substring(8);
        else if (rest.StartsWith("http://", StringComparison.OrdinalIgnoreCase)) rest = rest.Substring(7);
        var hasScheme = rest.Length < key.Length;
        var slash = rest.IndexOf('/');
        var host = slash < 0 ? rest : rest.Substring(0, slash);
        var path = slash < 0 ? string.Empty : rest.Substring(slash);
        var hub = IsHub(address);
        if (hub ? !HubHosts.Contains(host, StringComparer.OrdinalIgnoreCase) : !string.Equals(host, HostOf(address), StringComparison.OrdinalIgnoreCase)) return 0;
        if (path.Length == 0) return 2;
        if (podman && !hasScheme) return 0;
        if (path is "/" or "/v1" or "/v1/" or "/v2" or "/v2/") return 2;
        return hasScheme && !hub ? 1 : 0;
    }

    /// <summary>The address that one connects to for the registry that a key names, without the path of a protocol version or a namespace; null where the key names none.</summary>
    public static string? AddressOf(string key)
    {
        var mark = key.IndexOf("://", StringComparison.Ordinal);
        var slash = key.IndexOf('/', mark < 0 ? 0 : mark + 3);
        try
        {
            var address = RegistryAddress.Parse(slash < 0 ? key : key.Substring(0, slash));
            return IsHub(address) ? "docker.io" : address.Scheme == "http" ? address.ToString() : address.Name;
        }
        catch (ReferenceFormatException)
        {
            return null;
        }
    }

    /// <summary>Whether the text names this registry, as a helper's ServerURL should.</summary>
    public static bool Same(string one, string other)
    {
        var (first, second) = (Bare(one), Bare(other));
        return string.Equals(first, second, StringComparison.OrdinalIgnoreCase)
            || (HubHosts.Contains(first, StringComparer.OrdinalIgnoreCase) && HubHosts.Contains(second, StringComparer.OrdinalIgnoreCase));

        static string Bare(string text)
        {
            var mark = text.IndexOf("://", StringComparison.Ordinal);
            var rest = (mark < 0 ? text : text.Substring(mark + 3)).Trim();
            var slash = rest.IndexOf('/');
            return slash < 0 ? rest : rest.Substring(0, slash);
        }
    }
}
