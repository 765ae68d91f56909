using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using RegistryTools.Errors;

namespace RegistryTools.Containers;

/// <summary>
/// Where the engine is asked, as Docker's own client finds it: what is given, <c>DOCKER_HOST</c>, the context (<c>DOCKER_CONTEXT</c>, or <c>currentContext</c> of config.json), the usual socket or pipe; after that Podman's sockets.
/// </summary>
/// <param name="Address">Its address: unix, npipe, tcp, http or https.</param>
/// <param name="Source">Where that is from.</param>
/// <param name="CertificateDirectory">Where ca.pem, cert.pem and key.pem are, for TLS; null for none.</param>
internal sealed record DockerEndpoint(Uri Address, string Source, string? CertificateDirectory)
{
    /// <summary>Finds it.</summary>
    /// <param name="given">What the user gives, a context's name or an address; null for nothing.</param>
    /// <param name="environment">Reads an environment variable.</param>
    /// <param name="home">The user's home.</param>
    /// <param name="exists">Whether a socket is there.</param>
    /// <exception cref="RegistryRuntimeException">It is no address that can be used, or a context that is not there.</exception>
    public static DockerEndpoint Find(string? given, Func<string, string?> environment, string home, Func<string, bool> exists)
    {
        var config = environment("DOCKER_CONFIG") is { Length: > 0 } set ? set : Path.Combine(home, ".docker");
        var tls = environment("DOCKER_TLS_VERIFY") is { Length: > 0 } ? environment("DOCKER_CERT_PATH") is { Length: > 0 } path ? path : config : null;
        if (given is { Length: > 0 } and not "default") return given.IndexOf("://", StringComparison.Ordinal) > 0 ? Parse(given, "-DockerHost", tls) : Context(given, config, "-DockerHost");
        if (given is null && environment("DOCKER_HOST") is { Length: > 0 } host) return Parse(host, "DOCKER_HOST", tls);
        var context = given is not null ? (Name: given, Source: "-DockerHost") : environment("DOCKER_CONTEXT") is { Length: > 0 } named ? (Name: named, Source: "DOCKER_CONTEXT") : (Name: CurrentContext(config), Source: Path.Combine(config, "config.json"));
        if (context.Name is { Length: > 0 } name && name != "default") return Context(name, config, context.Source);
        if (RuntimeInformation.IsOSPlatform(OSPlatform.Windows)) return new DockerEndpoint(new Uri("npipe://./pipe/docker_engine"), "the usual pipe", null);
        var sockets = new[]
        {
            "/var/run/docker.sock",
            environment("XDG_RUNTIME_DIR") is { Length: > 0 } runtime ? runtime + "/docker.sock" : null,
            home + "/.docker/run/docker.sock",
            environment("XDG_RUNTIME_DIR") is { Length: > 0 } own ? own + "/podman/podman.sock" : null,
            "/run/podman/podman.sock",
        };
        var socket = Array.Find(sockets, candidate => candidate is not null && exists(candidate)) ?? throw new RegistryRuntimeException(
            "No container engine was found: none of " + string.Join(", ", sockets.Where(candidate => candidate is not null)) + " is there.",
            "Start Docker, or podman system service; or name it with -DockerHost unix:///… or DOCKER_HOST.");
        return new DockerEndpoint(new Uri("unix://" + socket), "the usual socket", null);
    }

    private static DockerEndpoint Parse(string text, string source, string? tls)
    {
        text = WithoutUser(text);
        if (text.StartsWith("ssh://", StringComparison.OrdinalIgnoreCase)) throw new RegistryRuntimeException($"'{Text.Shown.Short(text)}' ({source}) is reached over ssh, which is not spoken here.", "Forward the socket: ssh -L /tmp/docker.sock:/var/run/docker.sock HOST, and give -DockerHost unix:///tmp/docker.sock.");
        if (text.StartsWith("npipe:////./pipe/", StringComparison.OrdinalIgnoreCase)) text = "npipe://./pipe/" + text.Substring("npipe:////./pipe/".Length);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("unix" or "npipe" or "tcp" or "http" or "https")) throw new RegistryRuntimeException($"'{Text.Shown.Short(text)}' ({source}) is no address of a container engine.", "Expected unix:///var/run/docker.sock, npipe://./pipe/docker_engine or tcp://host:2376.");
        if (address is { Scheme: "tcp", IsDefaultPort: true }) address = new UriBuilder(address) { Port = tls is null ? 2375 : 2376 }.Uri;
        return new DockerEndpoint(address, source, address.Scheme is "tcp" or "https" ? tls : null);
    }

    // No engine asks for it, and it would be in every message.
    private static string WithoutUser(string text)
    {
        var scheme = text.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0) return text;
        var rest = text.Substring(scheme + 3);
        var host = rest.Split('/')[0];
        return text.Substring(0, scheme + 3) + rest.Substring(host.LastIndexOf('@') + 1);
    }

    private static string? CurrentContext(string config)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(config, "config.json")));
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("currentContext", out var current) && current.ValueKind == JsonValueKind.String ? current.GetString() : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    // A context is kept under the SHA-256 of its name.
    private static DockerEndpoint Context(string name, string config, string source)
    {
        var id = References.Digest.Compute(Encoding.UTF8.GetBytes(name)).Encoded;
        var file = Path.Combine(config, "contexts", "meta", id, "meta.json");
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            var host = document.RootElement.GetProperty("Endpoints").GetProperty("docker").GetProperty("Host").GetString() ?? string.Empty;
            var tls = Path.Combine(config, "contexts", "tls", id, "docker");
            return Parse(host, $"context '{name}'", Directory.Exists(tls) ? tls : null);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new RegistryRuntimeException($"There is no context '{Text.Shown.Short(name)}' ({source}): {file} can't be read.", "docker context ls shows those that there are.", exception);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new RegistryRuntimeException($"The context '{Text.Shown.Short(name)}' names no Docker host: {file}.", null, exception);
        }
    }
}
