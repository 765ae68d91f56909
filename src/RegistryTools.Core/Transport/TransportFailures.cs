using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using RegistryTools.Errors;
using RegistryTools.Text;
using RegistryTools.Transport.Proxies;
using RegistryTools.Transport.Tls;

namespace RegistryTools.Transport;

/// <summary>What it means when no answer came: by the exception, and by what is known of the certificate and of the proxy.</summary>
internal sealed class TransportFailures(ServerTrust? trust, ProxyChoice? proxy)
{
    // What OpenSSL and Windows say where the first bytes from the other side are no TLS.
    private static readonly string[] NoTls = ["wrong version number", "http request", "cannot determine the frame size", "packet length too long", "unexpected packet format"];
    private static readonly string[] TooOld = ["alert protocol version", "unsupported protocol", "no protocols available", "alert insufficient security", "no shared cipher", "dh key too small", "common algorithm", "version too low", "illegal version"];
    private static readonly string[] WantsClient = ["alert certificate required", "certificate_required"];
    private static readonly string[] RefusesClient = ["alert bad certificate", "alert unknown ca", "alert certificate unknown", "alert certificate expired", "alert certificate revoked", "alert unsupported certificate", "alert access denied"];

    private volatile string? _answered;

    /// <summary>Notes that this server speaks what it was asked in.</summary>
    public void Answered(Uri uri) => _answered = uri.Authority;

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

    /// <summary>Whether the host may still speak plain http on that port: https failed, and not by a certificate or by silence.</summary>
    public static bool MaySpeakHttp(RegistryUnreachableException error) =>
        error is not (RegistryDownException or RegistryProxyException or RegistryTlsException { Failure: not (TlsFailure.Other or TlsFailure.PlainHttp) })
        && !error.SpeaksTls
        && error.InnerException is { } cause
        && Find<OperationCanceledException>(cause) is null;

    /// <summary>The failure that it is.</summary>
    public TransientFailure From(string method, Uri uri, Exception exception)
    {
        var error = Explain(method, uri, exception);
        return new TransientFailure(error, carriedOut: !NothingSent(exception), lasting: error is RegistryTlsException || IsLasting(exception, error), null);
    }

    /// <summary>nginx takes the connection of a client without a certificate, and answers with a page that says so; null where the page is another.</summary>
    public static RegistryTlsException? ClientCertificatePage(string method, Uri uri, byte[] body)
    {
        var text = System.Text.Encoding.UTF8.GetString(body);
        var missing = text.IndexOf("No required SSL certificate was sent", StringComparison.OrdinalIgnoreCase) >= 0;
        if (!missing && text.IndexOf("The SSL certificate error", StringComparison.OrdinalIgnoreCase) < 0) return null;
        return new RegistryTlsException(
            missing ? TlsFailure.ClientCertificateRequired : TlsFailure.ClientCertificateRefused,
            $"{uri.Authority} {(missing ? "lets in only clients with a certificate, and none was given" : "does not accept the client certificate that it was shown")} ({method} {uri}).",
            method,
            uri,
            missing ? $"Give one with -Certificate, or put it in /etc/docker/certs.d/{uri.Authority}/ as client.cert and client.key." : "Use a certificate that an authority has issued which the registry trusts for clients.");
    }

    /// <summary>The failure that a proxy's own answer is: it wants to know who asks.</summary>
    public TransientFailure ProxyRefused(string method, Uri uri)
    {
        var through = proxy?.Find(uri);
        var shown = RegistryErrors.Shown(uri);
        return new TransientFailure(
            new RegistryProxyException(
                through is { } named ? $"The proxy {Name(named.Address)} (from {named.Source}) {Unknown(named.HasCredential)}: {method} {shown} was not passed on." : $"A proxy on the way to {uri.Authority} wants a user and a password: {method} {shown} was not passed on.",
                method,
                shown,
                through?.Address,
                ProxyRemedy(through?.Source)),
            carriedOut: false,
            lasting: true,
            null);
    }

    /// <summary>Whether trying again is of no use: the name does not exist, TLS will fail the same way, or it is no HTTP that is spoken there.</summary>
    private static bool IsLasting(Exception exception, RegistryRequestException error) =>
        Find<AuthenticationException>(exception) is not null
        || Find<SocketException>(exception) is { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData }
        || Find<WebException>(exception) is { Status: WebExceptionStatus.NameResolutionFailure or WebExceptionStatus.TrustFailure or WebExceptionStatus.SecureChannelFailure }
        || error is RegistryProtocolException or RegistryProxyException { IsRefusal: true };

    private RegistryRequestException Explain(string method, Uri uri, Exception exception)
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

#if NET
        if (Find<HttpRequestException>(exception) is { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded })
        {
            return new RegistryProtocolException($"The headers of {uri.Authority}'s answer to {method} {shown} are larger than any registry's; it was not read.", method, shown, null, null, exception);
        }
#endif

        return ExplainTls(method, uri, exception) ?? ExplainProxy(method, uri, exception) ?? ExplainConnection(method, uri, exception);
    }

    private RegistryUnreachableException ExplainConnection(string method, Uri uri, Exception exception)
    {
        var shown = RegistryErrors.Shown(uri);
        var (what, remedy) = Connection(uri, exception);

        // A connection that is up and then breaks may break at the proxy, or beyond it.
        var through = proxy?.Find(uri) is { } named ? $" (through the proxy {Name(named.Address)})" : string.Empty;
        if (uri.Scheme == "https" && trust is { Client: null } && trust.AskedForClient(uri.IdnHost)) remedy ??= "It asked for a client certificate and got none: if it insists, give one with -Certificate.";

        return new RegistryUnreachableException($"{uri.Authority} could not be reached{through} ({method} {shown}): {what}", method, shown, remedy, exception) { SpeaksTls = uri.Scheme == "https" && trust?.SpeaksTls(uri.IdnHost) == true };
    }

    private (string What, string? Remedy) Connection(Uri uri, Exception exception)
    {
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

    /// <summary>The error where it is TLS that failed, or that ended the connection for want of a client's certificate; null where it is something else.</summary>
    private RegistryTlsException? ExplainTls(string method, Uri uri, Exception exception)
    {
        if (uri.Scheme != "https") return null;
        var told = Told(exception);
        var isTls = IsTls(exception);

        // With TLS 1.3 the client has its connection before the server has looked at its certificate: what the server thinks of it comes with the first answer, as the end of the connection.
        var isAlert = told.IndexOf("alert ", StringComparison.Ordinal) >= 0;
        var isCut = IsCutAtBeginning(exception) && (trust?.Client is not null || trust?.AskedForClient(uri.IdnHost) == true);
        if (!isTls && !isAlert && !isCut) return null;
        var shown = RegistryErrors.Shown(uri);
        var subject = $"{uri.Authority} could not be reached ({method} {shown}): ";

        RegistryTlsException Make(TlsFailure failure, string what, string? remedy) => new(failure, subject + what, method, shown, remedy, exception);

        if (isTls && trust?.Rejection(uri.IdnHost) is { } rejection) return Make(rejection.Failure, rejection.Message, rejection.Remedy);
        var client = trust?.Client;
        var asked = trust?.AskedForClient(uri.IdnHost) == true;
        var silent = HasAny(told, ["alert handshake failure"]) && (client is not null || asked);
        if (HasAny(told, WantsClient) || HasAny(told, RefusesClient) || silent || isCut)
        {
            if (client is null)
            {
                return Make(
                    TlsFailure.ClientCertificateRequired,
                    "it lets in only clients with a certificate, and none was given.",
                    $"Give one with -Certificate, or put it in /etc/docker/certs.d/{uri.Authority}/ as client.cert and client.key.");
            }

            var why = HasAny(told, ["alert unknown ca"]) ? " It does not know the authority that issued it."
                : HasAny(told, ["alert certificate expired"]) || client.Certificate.NotAfter < DateTime.Now ? $" It expired on {client.Certificate.NotAfter.ToUniversalTime().ToString("u", System.Globalization.CultureInfo.InvariantCulture)}."
                : string.Empty;
            return Make(
                TlsFailure.ClientCertificateRefused,
                $"it {(isCut ? "ended the connection right after the TLS handshake, as one does that does not accept" : "does not accept")} the client certificate {Shown.Short(client.ToString(), 300)}, issued by {Shown.Short(client.Certificate.Issuer, 200)}.{why}",
                "Use a certificate that an authority has issued which the registry trusts for clients.");
        }

        if (HasAny(told, NoTls)) return Make(TlsFailure.PlainHttp, "what listens there does not speak TLS.", $"If the registry speaks plain http, say so: http://{uri.Authority}.");
        if (HasAny(told, TooOld) || HasAny(told, ["alert handshake failure"]))
        {
            return Make(TlsFailure.OldProtocol, $"there is no version of TLS, 1.2 or later, and no cipher, that both sides know. {Innermost(exception)}", "Only TLS 1.2 and later are used: the server, or the proxy before it, must learn it.");
        }

        // A handler that is not ours keeps to itself what it found.
        if (HasAny(told, ["remote certificate"]) || Find<WebException>(exception) is { Status: WebExceptionStatus.TrustFailure })
        {
            return Make(TlsFailure.BadCertificate, $"its certificate is not trusted. {Innermost(exception)}", "Trust the certificate's authority, or use the name that the certificate is made out to.");
        }

        return Make(TlsFailure.Other, $"no TLS connection came about. {Innermost(exception)}", $"If the registry speaks plain http, say so: http://{uri.Authority}.");
    }

    /// <summary>The error where it is the proxy that failed; null where it is something else.</summary>
    private RegistryProxyException? ExplainProxy(string method, Uri uri, Exception exception)
    {
        if (proxy?.Find(uri) is not { } through) return null;
        var shown = RegistryErrors.Shown(uri);
        var name = $"The proxy {Name(through.Address)} (from {through.Source})";
#if NET
        if (Find<HttpRequestException>(exception) is { HttpRequestError: HttpRequestError.ProxyTunnelError } tunnel)
        {
            var status = (int?)tunnel.StatusCode ?? Status(tunnel.Message);
            var what = status switch
            {
                407 => Unknown(through.HasCredential),
                403 => $"does not let anybody through to {uri.Authority} (403 Forbidden)",
                null => $"did not make the way to {uri.Authority}: {Shown.Short(Innermost(exception), 200).TrimEnd('.')}",
                _ => $"did not make the way to {uri.Authority}: it answered {status} {RegistryErrors.Reason((HttpStatusCode)status)}".TrimEnd(),
            };
            return new RegistryProxyException($"{name} {what}. {method} {shown} was not sent.", method, shown, through.Address, ProxyRemedy(through.Source), exception) { IsRefusal = status is >= 400 and < 500 and not (408 or 429) };
        }

        if (Find<HttpRequestException>(exception) is not { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError } && !IsConnectTimeout(exception)) return null;
#else
        if (Find<WebException>(exception) is not { Status: WebExceptionStatus.ConnectFailure or WebExceptionStatus.ProxyNameResolutionFailure or WebExceptionStatus.NameResolutionFailure }) return null;
#endif
        return new RegistryProxyException($"{name} could not be reached, and so not {uri.Authority} ({method} {shown}): {Connection(through.Address, exception).What}", method, shown, through.Address, ProxyRemedy(through.Source), exception);
    }

    private static string Unknown(bool hasCredential) => hasCredential ? "does not accept the user and password that it was given (407 Proxy Authentication Required)" : "wants a user and a password (407 Proxy Authentication Required)";

    private static string ProxyRemedy(string? source) => $"Check {source ?? "the proxy"}, or name the host in NO_PROXY if it is reached without a proxy. A user and password go into the proxy's address: http://user:password@host:port.";

    private static string Name(Uri proxy) => proxy.Scheme + "://" + proxy.Authority;

#if NET
    /// <summary>The status in the text of .NET, which is the only place that has it in some versions.</summary>
    private static int? Status(string message)
    {
        for (var i = 0; i + 4 < message.Length; i++)
        {
            if (message[i] == '\'' && message[i + 4] == '\'' && int.TryParse(message.AsSpan(i + 1, 3), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var status)) return status;
        }

        return null;
    }
#endif

    // A server that has answered over http is not asked to be spoken to otherwise.
    private string? OtherScheme(Uri uri) => uri.Scheme == "http" && !string.Equals(uri.Authority, _answered, StringComparison.OrdinalIgnoreCase) ? $"If the registry speaks https, say so: https://{uri.Authority}." : null;

    private static bool IsTls(Exception exception) =>
        Find<AuthenticationException>(exception) is not null
        || Find<WebException>(exception) is { Status: WebExceptionStatus.SecureChannelFailure or WebExceptionStatus.TrustFailure }
#if NET
        || Find<HttpRequestException>(exception) is { HttpRequestError: HttpRequestError.SecureConnectionError }
#endif
        ;

    /// <summary>The handler's own limit for connecting, which it tells as a cancellation with this cause.</summary>
    private static bool IsConnectTimeout(Exception exception) => exception is OperationCanceledException { InnerException: TimeoutException };

    private static bool IsNoHttp(Exception exception) =>
#if NET
        Find<HttpRequestException>(exception) is { HttpRequestError: HttpRequestError.InvalidResponse } && !IsCutAtBeginning(exception);
#else
        Find<WebException>(exception) is { Status: WebExceptionStatus.ServerProtocolViolation };
#endif

    /// <summary>
    /// Whether the connection ended when the two had hardly begun: HTTP/2 begins with both sides' settings, and a server that does not want the client ends it there. What it said is lost then: the
    /// handler has closed the stream by the time that it tells.
    /// </summary>
    private static bool IsCutAtBeginning(Exception exception) => Told(exception).IndexOf("http/2 handshake", StringComparison.Ordinal) >= 0;

    /// <summary>All that the exceptions say, in lower case, to be looked through and not to be shown.</summary>
    private static string Told(Exception exception)
    {
        var told = new System.Text.StringBuilder();
        Exception? one = exception;
        for (var depth = 0; one is not null && depth < 10; one = one.InnerException, depth++) told.Append(one.Message).Append('\n');
        return told.ToString().ToLowerInvariant();
    }

    private static string Innermost(Exception exception)
    {
        while (exception.InnerException is not null) exception = exception.InnerException;
        return Shown.Short(exception.Message, 300);
    }

    private static bool HasAny(string told, string[] texts) => texts.Any(text => told.IndexOf(text, StringComparison.Ordinal) >= 0);

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
