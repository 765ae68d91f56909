using RegistryTools.Errors;
using RegistryTools.Text;

namespace RegistryTools.References;

/// <summary>
/// Where a registry is: host, port, and the path before <c>/v2/</c> where it stands behind a prefix. The scheme is null where the user
/// gave none: it is https then, except that a loopback host may be asked over http when https fails, as Docker does.
/// </summary>
public sealed class RegistryAddress : IEquatable<RegistryAddress>
{
    private RegistryAddress(string? scheme, string host, int? port, string prefix)
    {
        Scheme = scheme;
        Host = host;
        Port = port;
        Prefix = prefix;
    }

    /// <summary><c>http</c>, <c>https</c>, or null where none was given.</summary>
    public string? Scheme { get; }

    /// <summary>The host, lower case; an IPv6 address in brackets.</summary>
    public string Host { get; }

    /// <summary>The port, or null for the scheme's own.</summary>
    public int? Port { get; }

    /// <summary>The path before <c>/v2/</c>, with a leading and without a trailing slash; empty in most registries.</summary>
    public string Prefix { get; }

    /// <summary>Host, port where one was given, and prefix: what stands before a repository in a pull reference.</summary>
    public string Name => Host + (Port is { } port ? ":" + port.ToString(System.Globalization.CultureInfo.InvariantCulture) : string.Empty) + Prefix;

    /// <summary>Whether the host is this machine by name or by address: localhost, 127.0.0.0/8, [::1].</summary>
    public bool IsLoopback =>
        Host is "localhost" or "[::1]"
        || Host.EndsWith(".localhost", StringComparison.Ordinal)
        || (System.Net.IPAddress.TryParse(Host.Trim('[', ']'), out var address) && System.Net.IPAddress.IsLoopback(address));

    /// <summary>The base URI under a scheme, without a trailing slash in its path.</summary>
    /// <remarks>Docker Hub's registry answers at another host than the one that images are named by, as Docker's own client knows.</remarks>
    public Uri ToUri(string scheme) => new(scheme + "://" + (Host is "docker.io" or "index.docker.io" ? "registry-1.docker.io" + Name.Substring(Host.Length) : Name) + "/", UriKind.Absolute);

    /// <summary>Parses <c>registry.example.com</c>, <c>localhost:5000</c>, <c>https://host/prefix</c>; a trailing <c>/v2/</c> is dropped.</summary>
    /// <exception cref="ReferenceFormatException">The text is no registry address; one with a user or password in it is refused without showing it.</exception>
    public static RegistryAddress Parse(string text)
    {
        var rest = (text ?? string.Empty).Trim();
        if (rest.Length == 0) throw new ReferenceFormatException(string.Empty, "The registry's address is empty.");
        if (rest.IndexOf('@') >= 0)
        {
            throw new ReferenceFormatException(
                "(not shown: it may hold a password)",
                "A registry's address holds no user name or password: give them with -Credential.");
        }

        string? scheme = null;
        var mark = rest.IndexOf("://", StringComparison.Ordinal);
        if (mark >= 0)
        {
            scheme = rest.Substring(0, mark).ToLowerInvariant();
            rest = rest.Substring(mark + 3);
            if (scheme is not ("http" or "https"))
            {
                throw new ReferenceFormatException(text!, $"'{Shown.Short(scheme)}' is not a registry's scheme: use https:// or http://.");
            }
        }

        if (rest.IndexOf('?') >= 0 || rest.IndexOf('#') >= 0) throw Bad(text!, "it has a query or a fragment");
        var slash = rest.IndexOf('/');
        var authority = slash < 0 ? rest : rest.Substring(0, slash);
        var prefix = slash < 0 ? string.Empty : rest.Substring(slash).TrimEnd('/');
        while (prefix.EndsWith("/v2", StringComparison.Ordinal)) prefix = prefix.Substring(0, prefix.Length - 3).TrimEnd('/');
        foreach (var c in prefix)
        {
            if (c is not ((>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '/' or '.' or '_' or '-' or '~')) throw Bad(text!, "its path has a character that paths of registries do not have");
        }

        if (prefix.IndexOf("//", StringComparison.Ordinal) >= 0 || prefix.Split('/').Any(part => part is "." or "..")) throw Bad(text!, "its path is not plain");

        string host;
        string? portText = null;
        if (authority.StartsWith("[", StringComparison.Ordinal))
        {
            var close = authority.IndexOf(']');
            if (close < 0) throw Bad(text!, "its IPv6 address lacks the closing bracket");
            host = authority.Substring(0, close + 1).ToLowerInvariant();
            var after = authority.Substring(close + 1);
            if (after.Length > 0 && after[0] != ':') throw Bad(text!, "something stands between the address and the port");
            if (after.Length > 0) portText = after.Substring(1);
            if (!System.Net.IPAddress.TryParse(host.Substring(1, close - 1), out var v6) || v6.AddressFamily != System.Net.Sockets.AddressFamily.InterNetworkV6) throw Bad(text!, "its IPv6 address is none");
        }
        else
        {
            var colon = authority.IndexOf(':');
            host = (colon < 0 ? authority : authority.Substring(0, colon)).ToLowerInvariant();
            if (colon >= 0) portText = authority.Substring(colon + 1);
            if (!IsHost(host)) throw Bad(text!, "its host is not a host name or an address");
        }

        int? port = null;
        if (portText is not null)
        {
            if (!int.TryParse(portText, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) || number is < 1 or > 65535)
            {
                throw Bad(text!, "its port is not a number from 1 to 65535");
            }

            port = number;
        }

        // The last word is the system's, which every request needs.
        var address = new RegistryAddress(scheme, host, port, prefix);
        return Uri.TryCreate("https://" + address.Name + "/", UriKind.Absolute, out _) ? address : throw Bad(text!, "its host is not a host name or an address");
    }

    /// <inheritdoc/>
    public override string ToString() => Scheme is null ? Name : Scheme + "://" + Name;

    /// <inheritdoc/>
    public bool Equals(RegistryAddress? other) => other is not null && string.Equals(ToString(), other.ToString(), StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as RegistryAddress);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(ToString());

    private static bool IsHost(string host)
    {
        if (host.Length is 0 or > 253) return false;
        foreach (var label in host.Split('.'))
        {
            if (label.Length is 0 or > 63 || label[0] == '-' || label[label.Length - 1] == '-') return false;
            foreach (var c in label)
            {
                if (c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '_')) return false;
            }
        }

        return true;
    }

    private static ReferenceFormatException Bad(string text, string why) =>
        new(text, $"'{Shown.Short(text)}' is not a registry's address: {why}. Examples: registry.example.com, localhost:5000, https://host/prefix.");
}
