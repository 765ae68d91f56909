using System.Net;
using System.Net.Sockets;

namespace RegistryTools.Transport.Proxies;

/// <summary>
/// NO_PROXY as Go reads it, and with it Docker and podman (golang.org/x/net/http/httpproxy): names with all below them, names with a leading dot or <c>*.</c> for what is below them only, addresses,
/// networks (CIDR), each with a port where only that is meant, and <c>*</c> for everything. .NET's own reading knows neither networks nor ports.
/// </summary>
internal sealed class NoProxyList
{
    private readonly bool _all;
    private readonly List<(IPAddress Address, int Bits)> _networks = [];
    private readonly List<(IPAddress Address, int? Port)> _addresses = [];
    private readonly List<(string Suffix, bool Itself, int? Port)> _names = [];

    public NoProxyList(string? value)
    {
        foreach (var part in (value ?? string.Empty).Split(','))
        {
            var entry = part.Trim().ToLowerInvariant();
            if (entry.Length == 0) continue;
            if (entry == "*")
            {
                _all = true;
                return;
            }

            if (entry.IndexOf('/') is > 0 and var slash
                && TryAddress(entry.Substring(0, slash), out var network)
                && int.TryParse(entry.Substring(slash + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var bits)
                && bits <= network.GetAddressBytes().Length * 8)
            {
                _networks.Add((network, bits));
                continue;
            }

            var (host, port, malformed) = Split(entry);
            if (host.Length == 0 || malformed) continue;
            if (TryAddress(host, out var address))
            {
                _addresses.Add((address, port));
                continue;
            }

            if (host.StartsWith("*.", StringComparison.Ordinal)) host = host.Substring(1);
            if (host[0] == '.') _names.Add((host, false, port));
            else _names.Add(("." + host, true, port));
        }
    }

    /// <summary>Whether a host is reached without a proxy. What is on this machine always is.</summary>
    public bool Contains(Uri uri)
    {
        if (IsThisMachine(uri)) return true;
        if (_all) return true;
        var host = uri.IdnHost.Trim('[', ']').TrimEnd('.').ToLowerInvariant();
        if (TryAddress(host, out var address))
        {
            foreach (var (network, bits) in _networks)
            {
                if (Covers(network, bits, address)) return true;
            }

            foreach (var (one, port) in _addresses)
            {
                if (one.Equals(address) && (port is null || port == uri.Port)) return true;
            }
        }

        foreach (var (suffix, itself, port) in _names)
        {
            if (port is not null && port != uri.Port) continue;
            if (host.EndsWith(suffix, StringComparison.Ordinal) || (itself && host.Length == suffix.Length - 1 && suffix.EndsWith(host, StringComparison.Ordinal))) return true;
        }

        return false;
    }

    public static bool IsThisMachine(Uri uri)
    {
        var host = uri.IdnHost.Trim('[', ']').TrimEnd('.');
        return host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
            || (TryAddress(host, out var address) && IPAddress.IsLoopback(address));
    }

    private static (string Host, int? Port, bool Malformed) Split(string entry)
    {
        var colon = entry.LastIndexOf(':');
        if (entry[0] == '[')
        {
            var close = entry.IndexOf(']');
            if (close < 0) return (entry, null, true);
            if (close == entry.Length - 1) return (entry.Trim('[', ']'), null, false);
            return entry[close + 1] == ':' && TryPort(entry.Substring(close + 2), out var own) ? (entry.Substring(1, close - 1), own, false) : (entry, null, true);
        }

        // More than one colon: an IPv6 address without a port.
        if (colon < 0 || entry.IndexOf(':') != colon) return (entry, null, false);
        return TryPort(entry.Substring(colon + 1), out var port) ? (entry.Substring(0, colon), port, false) : (entry, null, true);
    }

    private static bool TryPort(string text, out int? port)
    {
        var valid = int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var number) && number is > 0 and < 65536;
        port = valid ? number : null;
        return valid;
    }

    /// <summary>An address as people write them: not <c>1</c>, which .NET takes for 0.0.0.1.</summary>
    private static bool TryAddress(string text, out IPAddress address)
    {
        address = IPAddress.None;
        if (text.IndexOf(':') < 0 && text.Count(c => c == '.') != 3) return false;
        if (!IPAddress.TryParse(text, out var parsed)) return false;
        address = parsed.IsIPv4MappedToIPv6 ? parsed.MapToIPv4() : parsed;
        return true;
    }

    private static bool Covers(IPAddress network, int bits, IPAddress address)
    {
        if (network.AddressFamily != address.AddressFamily || address.AddressFamily is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)) return false;
        var one = network.GetAddressBytes();
        var other = address.GetAddressBytes();
        for (var i = 0; i < one.Length && bits > 0; i++, bits -= 8)
        {
            var mask = bits >= 8 ? 0xff : 0xff << (8 - bits) & 0xff;
            if ((one[i] & mask) != (other[i] & mask)) return false;
        }

        return true;
    }
}
