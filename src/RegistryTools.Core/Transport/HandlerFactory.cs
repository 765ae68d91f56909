using System.Net;
#if NET
using System.Net.Security;
#endif
using System.Security.Authentication;
using RegistryTools.Registries;
using RegistryTools.Transport.Proxies;
using RegistryTools.Transport.Tls;

namespace RegistryTools.Transport;

/// <summary>Makes the innermost handlers: TLS 1.2 or later, the proxies that are due, no cookies, and no redirections but those that <see cref="RegistryHttpClient"/> follows itself.</summary>
internal static class HandlerFactory
{
#if NET
    private static readonly TimeSpan LongestConnect = TimeSpan.FromSeconds(15);

    public static HttpMessageHandler Create(HttpRegistryOptions options, ServerTrust trust, ProxyChoice? proxy, ClientCertificate? client)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxConnectionsPerServer = options.ConnectionLimit,
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = TimeSpan.FromSeconds(30),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            ConnectTimeout = options.Timeout > TimeSpan.Zero && options.Timeout < LongestConnect ? options.Timeout : LongestConnect,
            UseProxy = proxy is not null,
            Proxy = proxy,
        };

        // Said outright: what the system's configuration allows below 1.2 is not used. macOS' own TLS has no 1.3 there.
        handler.SslOptions.EnabledSslProtocols = OperatingSystem.IsMacOS() ? SslProtocols.Tls12 : SslProtocols.Tls12 | SslProtocols.Tls13;
        handler.SslOptions.RemoteCertificateValidationCallback = (sender, certificate, chain, errors) => trust.Accepts(((SslStream)sender).TargetHostName, certificate, chain, errors);
        if (client is not null)
        {
            handler.SslOptions.ClientCertificateContext = SslStreamCertificateContext.Create(client.Certificate, [.. client.Intermediates], offline: true);
        }
        else
        {
            handler.SslOptions.LocalCertificateSelectionCallback = (_, host, _, remote, _) =>
            {
                // With the server's certificate at hand it is the server that asks; without, it is asked beforehand what there is.
                if (remote is not null) trust.NoteRequest(host);
                return null!;
            };
        }

        return handler;
    }
#else
    private const SslProtocols Tls13 = (SslProtocols)0x3000;

    public static HttpMessageHandler Create(HttpRegistryOptions options, ServerTrust trust, ProxyChoice? proxy, ClientCertificate? client)
    {
        var handler = new HttpClientHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxConnectionsPerServer = options.ConnectionLimit,
            UseProxy = proxy is not null,
            Proxy = proxy,
            ClientCertificateOptions = ClientCertificateOption.Manual,
            ServerCertificateCustomValidationCallback = (request, certificate, chain, errors) => trust.Accepts(request.RequestUri.IdnHost, certificate, chain, errors),
        };
        try
        {
            handler.SslProtocols = SslProtocols.Tls12 | Tls13;
        }
        catch (Exception exception) when (exception is ArgumentException or NotSupportedException)
        {
            // An older .NET Framework has never heard of 1.3.
            handler.SslProtocols = SslProtocols.Tls12;
        }

        if (client is not null) handler.ClientCertificates.Add(client.Certificate);
        return handler;
    }
#endif
}
