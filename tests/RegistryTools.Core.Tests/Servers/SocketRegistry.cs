using System.Collections.Concurrent;
using System.Net;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace RegistryTools.Tests.Servers;

/// <summary>What a <see cref="SocketRegistry"/> was asked.</summary>
public sealed record SocketRequest(string Line, string Protocol, string? Authorization, string? ClientCertificate, IReadOnlyDictionary<string, string> Headers);

/// <summary>A server on loopback, over real sockets, with TLS where it is given a certificate. Answers <c>/v2/</c>, and the rest by a function.</summary>
public sealed class SocketRegistry : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly ConcurrentQueue<SocketRequest> _requests = new();
    private int _connections;

    private SocketRegistry(WebApplication application) => _application = application;

    public IReadOnlyList<SocketRequest> Requests => _requests.ToList();

    /// <summary>How many connections were begun.</summary>
    public int Connections => Volatile.Read(ref _connections);

    public int Port { get; private set; }

    public static async Task<SocketRegistry> StartAsync(
        X509Certificate2? certificate = null,
        X509Certificate2Collection? chain = null,
        ClientCertificateMode clients = ClientCertificateMode.NoCertificate,
        Func<X509Certificate2, bool>? acceptClient = null,
        SslProtocols protocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        Func<HttpContext, Task>? answer = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        SocketRegistry? registry = null;
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Use(next => connection =>
            {
                Interlocked.Increment(ref registry!._connections);
                return next(connection);
            });
            listen.Protocols = certificate is null ? HttpProtocols.Http1 : HttpProtocols.Http1AndHttp2;
            if (certificate is null) return;
            listen.UseHttps(new HttpsConnectionAdapterOptions
            {
                ServerCertificate = certificate,
                ServerCertificateChain = chain,
                ClientCertificateMode = clients,
                SslProtocols = protocols,
                ClientCertificateValidation = (client, _, _) => acceptClient?.Invoke(client) ?? true,
            });
        }));
        builder.Services.AddRoutingCore();
        var application = builder.Build();
        registry = new SocketRegistry(application);
        application.Run(async context =>
        {
            var request = context.Request;
            registry._requests.Enqueue(new SocketRequest(
                request.Method + " " + request.Path + request.QueryString,
                request.Protocol,
                request.Headers.Authorization.FirstOrDefault(),
                context.Connection.ClientCertificate?.Subject,
                request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase)));
            if (answer is not null && request.Path != "/v2/")
            {
                await answer(context);
                return;
            }

            context.Response.StatusCode = request.Path == "/v2/" ? 200 : 404;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync("{}");
        });
        await application.StartAsync();
        registry.Port = new Uri(application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;
        return registry;
    }

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await _application.StopAsync(soon.Token);
        await _application.DisposeAsync();
    }
}
