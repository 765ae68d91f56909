using System.Net;
using RegistryTools.Errors;
using RegistryTools.Registries;

namespace RegistryTools.Transport.Proxies;

/// <summary>
/// Which proxy a request goes through: the one that was named, or else what HTTPS_PROXY, HTTP_PROXY and ALL_PROXY say (upper case before lower, as in Go), or else the system's. What is on this machine
/// is reached without. Users and passwords stay out of every address that it gives away.
/// </summary>
internal sealed class ProxyChoice : IWebProxy
{
    private readonly Entry? _http;
    private readonly Entry? _https;
    private readonly NoProxyList _direct;
    private readonly IWebProxy? _system;

    private ProxyChoice(Entry? http, Entry? https, NoProxyList direct, IWebProxy? system)
    {
        _http = http;
        _https = https;
        _direct = direct;
        _system = system;
        Credentials = new ProxyCredentials(new[] { http, https }.Where(entry => entry?.Credential is not null).Select(entry => entry!).ToList(), system);
    }

    /// <inheritdoc/>
    public ICredentials? Credentials { get; set; }

    /// <summary>What the options and the environment say; null for no proxy at all.</summary>
    /// <exception cref="RegistryToolsException">What is named as the proxy for such addresses is no address of one.</exception>
    public static ProxyChoice? For(Uri registry, HttpRegistryOptions options)
    {
        if (options.NoProxy) return null;
        if (options.Proxy is not null)
        {
            var named = Read(options.Proxy.OriginalString, "-Proxy") is { Bad: null } entry ? entry : throw NotAProxy("-Proxy");
            if (options.ProxyCredential is not null) named = named with { Credential = options.ProxyCredential };
            return new ProxyChoice(named, named, new NoProxyList(null), null);
        }

        var environment = options.Environment ?? System.Environment.GetEnvironmentVariable;
        var direct = new NoProxyList(Get(environment, "NO_PROXY").Value);
        var all = Get(environment, "ALL_PROXY");

        // A CGI program gets the request header Proxy as HTTP_PROXY (CVE-2016-5385); the name in lower case can't come from there.
        var isCgi = environment("REQUEST_METHOD") is { Length: > 0 } || environment("GATEWAY_INTERFACE") is { Length: > 0 };
        var http = Read(isCgi ? ("http_proxy", environment("http_proxy")) : Get(environment, "HTTP_PROXY"), all);
        var https = Read(Get(environment, "HTTPS_PROXY"), all);
        var needed = registry.Scheme == "https" ? https : http;
        if (needed?.Bad is not null && !direct.Contains(registry)) throw NotAProxy(needed.Source);
        foreach (var other in new[] { http, https })
        {
            if (other?.Bad is not null && other != needed) options.Log.Warning($"{other.Source} is not used: it is not the address of a proxy, such as http://proxy.example.com:3128.");
        }

        if (http?.Bad is not null) http = null;
        if (https?.Bad is not null) https = null;
        var system = http is null && https is null ? SystemProxy() : null;
        return http is null && https is null && system is null ? null : new ProxyChoice(http, https, direct, system);
    }

    /// <inheritdoc/>
    public Uri? GetProxy(Uri destination) => Find(destination)?.Address;

    /// <inheritdoc/>
    public bool IsBypassed(Uri host) => Find(host) is null;

    /// <summary>The proxy for an address and where it is named; null for none.</summary>
    public (Uri Address, string Source, bool HasCredential)? Find(Uri destination)
    {
        if (_direct.Contains(destination)) return null;
        if ((destination.Scheme == "https" ? _https : _http) is { } entry) return (entry.Address!, entry.Source, entry.Credential is not null);
        if (_system is null || _system.IsBypassed(destination) || _system.GetProxy(destination) is not { } address || address == destination) return null;
        return (Bare(address), "the system's settings", false);
    }

    private static IWebProxy? SystemProxy()
    {
#if NET
        // On Linux there is none but what the environment says.
        return OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() ? HttpClient.DefaultProxy : null;
#else
        return WebRequest.DefaultWebProxy;
#endif
    }

    private static (string Name, string? Value) Get(Func<string, string?> environment, string name)
    {
        var value = environment(name);
        if (!string.IsNullOrEmpty(value)) return (name, value);
        var lower = name.ToLowerInvariant();
        return (lower, environment(lower));
    }

    private static Entry? Read((string Name, string? Value) own, (string Name, string? Value) all)
    {
        var (name, value) = string.IsNullOrWhiteSpace(own.Value) ? all : own;
        return string.IsNullOrWhiteSpace(value) ? null : Read(value!.Trim(), name);
    }

    private static Entry Read(string value, string source)
    {
        // Without a scheme, http is meant: proxy.example.com:3128.
        var text = value.IndexOf("://", StringComparison.Ordinal) < 0 ? "http://" + value : value;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || !IsScheme(uri.Scheme)) return new Entry(null, null, source, "bad");
        NetworkCredential? credential = null;
        if (uri.UserInfo.Length > 0)
        {
            var colon = uri.UserInfo.IndexOf(':');
            credential = colon < 0
                ? new NetworkCredential(Uri.UnescapeDataString(uri.UserInfo), string.Empty)
                : new NetworkCredential(Uri.UnescapeDataString(uri.UserInfo.Substring(0, colon)), Uri.UnescapeDataString(uri.UserInfo.Substring(colon + 1)));
        }

        return new Entry(Bare(uri), credential, source, null);
    }

    private static bool IsScheme(string scheme) =>
#if NET
        scheme is "http" or "https" or "socks4" or "socks4a" or "socks5";
#else
        scheme is "http";
#endif

    /// <summary>Scheme, host and port, and nothing else.</summary>
    private static Uri Bare(Uri uri) => new(uri.Scheme + "://" + (uri.HostNameType == UriHostNameType.IPv6 ? "[" + uri.IdnHost.Trim('[', ']') + "]" : uri.IdnHost) + (uri.Port >= 0 ? ":" + uri.Port.ToString(System.Globalization.CultureInfo.InvariantCulture) : uri.Scheme.StartsWith("socks", StringComparison.Ordinal) ? ":1080" : string.Empty));

    /// <summary>The value is not shown: it may hold a password.</summary>
    private static RegistryToolsException NotAProxy(string source) =>
        new($"{source} is not the address of a proxy (it is not shown, since it may hold a password).", "Such as http://proxy.example.com:3128, or http://user:password@proxy.example.com:3128.");

    private sealed record Entry(Uri? Address, NetworkCredential? Credential, string Source, string? Bad);

    /// <summary>The credentials of each proxy, for that proxy only.</summary>
    private sealed class ProxyCredentials(List<Entry> entries, IWebProxy? system) : ICredentials
    {
        public NetworkCredential? GetCredential(Uri uri, string authType)
        {
            foreach (var entry in entries)
            {
                if (entry.Address!.Port == uri.Port && string.Equals(entry.Address.IdnHost, uri.IdnHost, StringComparison.OrdinalIgnoreCase)) return entry.Credential;
            }

            return system?.Credentials?.GetCredential(uri, authType);
        }
    }
}
