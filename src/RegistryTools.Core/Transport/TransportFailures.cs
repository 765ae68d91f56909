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
        || Find<WebException>(exception) is { Status: WebExceptionStatus.ConnectFailure or WebExceptionStatus.NameResolutionFailure or WebExceptionStatus.TrustFailure or WebExceptionStatus.SecureChannelFailure }
        || IsConnectTimeout(exception)
#if NET
        || Find<HttpRequestException>(exception) is { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError }
#endif
        ;

    /// <summary>Whether trying again is of no use: the name does not exist, TLS will fail the same way, or it is no HTTP that is spoken there.</summary>
    public static bool IsLasting(Exception exception) =>
        Find<AuthenticationException>(exception) is not null
        || Find<SocketException>(exception) is { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData }
        || Find<WebException>(exception) is { Status: WebExceptionStatus.NameResolutionFailure or WebExceptionStatus.TrustFailure or WebExceptionStatus.SecureChannelFailure }
        || IsNoHttp(exception);

    /// <summary>Whether the host may still speak plain http on that port: https failed, and not by its certificate or by silence.</summary>
    public static bool MaySpeakHttp(Exception exception) => !IsCertificate(exception) && Find<OperationCanceledException>(exception) is null;

    /// <summary>The error that tells it.</summary>
    public static RegistryRequestException From(string method, Uri uri, Exception exception)
    {
        var shown = RegistryErrors.Shown(uri);
        if (IsNoHttp(exception))
        {
            return new RegistryProtocolException(
                $"{uri.Authority} answered {method} {shown} with something that is not HTTP: {Shown.Short((exception.InnerException ?? exception).Message, 200)}",
                method,
                shown,
                null,
                OtherScheme(uri) ?? "Check the port: something other than a registry listens there.",
                exception);
        }

        var (what, remedy) = Explain(uri, exception);
        return new RegistryUnreachableException($"{uri.Authority} could not be reached ({method} {shown}): {what}", method, shown, remedy, exception);
    }

    private static (string What, string? Remedy) Explain(Uri uri, Exception exception)
    {
        if (IsCertificate(exception))
        {
            var text = Find<AuthenticationException>(exception)?.Message ?? exception.Message;
            return ($"its certificate is not trusted. {Shown.Short(text, 300)}", "Add the certificate's authority to the machine's trusted ones, or use the name that the certificate is made out to.");
        }

        if (IsTls(exception))
        {
            var inner = exception;
            while (inner.InnerException is not null) inner = inner.InnerException;
            return ($"no TLS connection came about. {Shown.Short(inner.Message, 300)}", $"If the registry speaks plain http, say so: http://{uri.Authority}.");
        }

        if (IsConnectTimeout(exception)) return ("no connection came about in time.", "Check the host and the port, and firewalls in between.");
        return Find<SocketException>(exception)?.SocketErrorCode switch
        {
            SocketError.ConnectionRefused => ("the connection was refused; nothing listens there.", "Check the host and the port, and whether the registry is running."),
            SocketError.HostNotFound or SocketError.NoData => ("the host name does not resolve.", "Check the registry's name."),
            SocketError.TryAgain => ("the name server did not answer.", null),
            SocketError.ConnectionReset => ("the connection was reset.", OtherScheme(uri)),
            SocketError.TimedOut => ("the connection timed out.", "Check the host and the port, and firewalls in between."),
            SocketError.HostUnreachable or SocketError.NetworkUnreachable => ("there is no route to it.", null),
            _ => (Shown.Short((exception.InnerException ?? exception).Message, 300), OtherScheme(uri)),
        };
    }

    private static string? OtherScheme(Uri uri) => uri.Scheme == "http" ? $"If the registry speaks https, say so: https://{uri.Authority}." : null;

    private static bool IsCertificate(Exception exception) =>
        Find<AuthenticationException>(exception)?.Message.IndexOf("certificate", StringComparison.OrdinalIgnoreCase) >= 0
        || Find<WebException>(exception) is { Status: WebExceptionStatus.TrustFailure };

    private static bool IsTls(Exception exception) =>
        Find<AuthenticationException>(exception) is not null
        || Find<WebException>(exception) is { Status: WebExceptionStatus.SecureChannelFailure }
#if NET
        || Find<HttpRequestException>(exception) is { HttpRequestError: HttpRequestError.SecureConnectionError }
#endif
        ;

    /// <summary>The handler's own limit for connecting, which it tells as a cancellation with this cause.</summary>
    private static bool IsConnectTimeout(Exception exception) => exception is OperationCanceledException { InnerException: TimeoutException };

    private static bool IsNoHttp(Exception exception) =>
#if NET
        Find<HttpRequestException>(exception) is { HttpRequestError: HttpRequestError.InvalidResponse };
#else
        Find<WebException>(exception) is { Status: WebExceptionStatus.ServerProtocolViolation };
#endif

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
