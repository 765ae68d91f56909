using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using RegistryTools.Errors;
using RegistryTools.Text;

namespace RegistryTools.Transport;

/// <summary>What it means when no answer came.</summary>
internal static class TransportFailures
{
    /// <summary>Whether no connection came about, so that nothing was sent.</summary>
    public static bool NothingSent(Exception exception) =>
        Find<SocketException>(exception) is { SocketErrorCode: SocketError.ConnectionRefused or SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData or SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.AddressNotAvailable }
        || Find<AuthenticationException>(exception) is not null
        || Find<WebException>(exception) is { Status: WebExceptionStatus.ConnectFailure or WebExceptionStatus.NameResolutionFailure or WebExceptionStatus.TrustFailure or WebExceptionStatus.SecureChannelFailure };

    /// <summary>Whether trying again is of no use: the name does not exist, or TLS will fail the same way.</summary>
    public static bool IsLasting(Exception exception) =>
        Find<AuthenticationException>(exception) is not null
        || Find<SocketException>(exception) is { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData }
        || Find<WebException>(exception) is { Status: WebExceptionStatus.NameResolutionFailure or WebExceptionStatus.TrustFailure or WebExceptionStatus.SecureChannelFailure };

    /// <summary>Whether TLS came about and the certificate is not trusted: it is the other scheme's turn in no case.</summary>
    public static bool IsUntrusted(Exception exception) =>
        Find<AuthenticationException>(exception) is { } tls && SpeaksOfCertificate(tls)
        || Find<WebException>(exception) is { Status: WebExceptionStatus.TrustFailure };

    /// <summary>The error that tells it.</summary>
    public static RegistryUnreachableException Unreachable(string method, Uri uri, Exception exception)
    {
        var shown = RegistryErrors.Shown(uri);
        var (what, remedy) = Explain(uri, exception);
        return new RegistryUnreachableException($"{uri.Authority} could not be reached ({method} {shown}): {what}", method, shown, remedy, exception);
    }

    private static (string What, string? Remedy) Explain(Uri uri, Exception exception)
    {
        if (Find<AuthenticationException>(exception) is { } tls)
        {
            var text = (tls.InnerException ?? tls).Message;
            if (SpeaksOfCertificate(tls))
            {
                return ($"its certificate is not trusted. {Shown.Short(tls.Message, 300)}", "Add the certificate's authority to the machine's trusted ones, or use the name that the certificate is made out to.");
            }

            return ($"no TLS connection came about. {Shown.Short(text, 300)}", $"If the registry speaks plain http, say so: http://{uri.Authority}.");
        }

        return Find<SocketException>(exception)?.SocketErrorCode switch
        {
            SocketError.ConnectionRefused => ("the connection was refused; nothing listens there.", "Check the host and the port, and whether the registry is running."),
            SocketError.HostNotFound or SocketError.NoData => ("the host name does not resolve.", "Check the registry's name."),
            SocketError.TryAgain => ("the name server did not answer.", null),
            SocketError.ConnectionReset => ("the connection was reset.", null),
            SocketError.TimedOut => ("the connection timed out.", "Check the host and the port, and firewalls in between."),
            SocketError.HostUnreachable or SocketError.NetworkUnreachable => ("there is no route to it.", null),
            _ => (Shown.Short((exception.InnerException ?? exception).Message, 300), null),
        };
    }

    private static bool SpeaksOfCertificate(AuthenticationException tls) => tls.Message.IndexOf("certificate", StringComparison.OrdinalIgnoreCase) >= 0;

    private static T? Find<T>(Exception? exception)
        where T : Exception
    {
        for (var depth = 0; exception is not null && depth < 10; exception = exception.InnerException, depth++)
        {
            if (exception is T found) return found;
        }

        return null;
    }
}
