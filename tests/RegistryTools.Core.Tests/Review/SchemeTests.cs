using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using RegistryTools.Errors;
using RegistryTools.Host.Embedded;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Tests.Servers;
using Xunit;

namespace RegistryTools.Tests.Review;

/// <summary>Which scheme is spoken, over real sockets.</summary>
public sealed class SchemeTests
{
    private static readonly HttpRegistryOptions Options = new() { RetryDelay = TimeSpan.FromSeconds(1), Timeout = TimeSpan.FromSeconds(20) };

    [Fact]
    public async Task A_loopback_host_without_a_scheme_is_asked_over_http_where_https_fails()
    {
        await using var server = await EmbeddedRegistry.StartAsync();
        using var registry = await ConnectAsync(server.Host);
        Assert.False(registry.IsEncrypted);
        Assert.Equal("http", registry.BaseUri.Scheme);
    }

    [Fact]
    public async Task Https_to_a_plain_registry_says_http()
    {
        await using var server = await EmbeddedRegistry.StartAsync();
        var error = await Assert.ThrowsAsync<RegistryTlsException>(() => ConnectAsync("https://" + server.Host));
        Assert.Equal(TlsFailure.PlainHttp, error.Failure);
        Assert.Contains("http://" + server.Host, error.Remedy, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Https_to_the_real_registry_without_TLS_says_http_and_without_a_scheme_it_connects()
    {
        await using var server = await DockerRegistryServer.StartAsync();
        var error = await Assert.ThrowsAsync<RegistryTlsException>(() => ConnectAsync("https://" + server.Host));
        Assert.Contains("http://" + server.Host, error.Remedy, StringComparison.Ordinal);
        using var registry = await ConnectAsync(server.Host);
        Assert.Equal("registry/2.0", registry.ApiVersion);
    }

    [Fact]
    public async Task A_port_where_nothing_listens_is_told_at_once_and_for_both_schemes()
    {
        var watch = Stopwatch.StartNew();
        var error = await Assert.ThrowsAsync<RegistryUnreachableException>(() => ConnectAsync("127.0.0.1:" + Processes.FreePort()));
        Assert.Contains("refused", error.Message, StringComparison.Ordinal);
        Assert.Contains("Over https:", error.Message, StringComparison.Ordinal);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(3), watch.Elapsed.ToString());
    }

    [Fact]
    public async Task A_certificate_that_is_not_trusted_is_no_reason_for_http()
    {
        await using var server = new TlsServer();
        var error = await Assert.ThrowsAsync<RegistryTlsException>(() => ConnectAsync("127.0.0.1:" + server.Port));
        Assert.Equal(TlsFailure.UntrustedIssuer, error.Failure);
        Assert.DoesNotContain(server.Plain, line => line.StartsWith("GET", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Http_to_a_registry_with_TLS_says_https()
    {
        await using var server = new TlsServer();
        var error = await Assert.ThrowsAnyAsync<RegistryRequestException>(() => ConnectAsync("http://127.0.0.1:" + server.Port));
        Assert.Contains("https://127.0.0.1:" + server.Port, error.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Client sent an HTTP request to an HTTPS server.\n", "text/plain")]
    [InlineData("<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head></html>", "text/html")]
    public async Task Http_to_a_server_that_says_that_it_wants_https_says_so_too(string body, string type)
    {
        var wire = new Wire(_ => Wire.Text(400, body, type));
        var error = await Assert.ThrowsAsync<RegistryProtocolException>(() => wire.ConnectAsync(address: "http://" + Wire.Host));
        Assert.Contains("speaks https and was asked over http", error.Message, StringComparison.Ordinal);
        Assert.Contains("https://registry.test", error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Something_that_speaks_no_HTTP_is_named_so()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var served = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync();
            await client.GetStream().WriteAsync("SSH-2.0-OpenSSH_9.2\r\n"u8.ToArray());
            _ = await client.GetStream().ReadAsync(new byte[1024]);
        });
        var error = await Assert.ThrowsAsync<RegistryProtocolException>(() => ConnectAsync("http://127.0.0.1:" + ((IPEndPoint)listener.LocalEndpoint).Port));
        Assert.Contains("not HTTP", error.Message, StringComparison.Ordinal);
        await served;
    }

    [Fact]
    public async Task Another_host_without_a_scheme_is_never_asked_over_http()
    {
        var wire = new Wire(_ => throw Wire.Refused());
        await Assert.ThrowsAsync<RegistryUnreachableException>(() => wire.ConnectAsync(address: Wire.Host));
        Assert.Equal(["https"], wire.Requests.Select(sent => sent.Uri.Scheme));
    }

    [Fact]
    public async Task Connecting_waits_for_a_registry_that_is_busy_for_a_moment()
    {
        var asked = 0;
        var wire = new Wire(_ => ++asked < 3 ? Wire.Error(503, "UNAVAILABLE") : null);
        using var registry = await wire.ConnectAsync();
        Assert.Equal(3, registry.RequestCount);
    }

    [Fact]
    public async Task Deletion_that_is_switched_off_is_told_with_how_to_enable_it()
    {
        await using var server = await EmbeddedRegistry.StartAsync(EmbeddedRegistryOptions.DeletionDisabled());
        SampleData.Seed(server.Store);
        using var registry = await ConnectAsync(server.Host);
        var capabilities = await registry.ProbeAsync();
        Assert.Equal((Support.NotSupported, Support.NotSupported), (capabilities.ManifestDelete, capabilities.TagDelete));
        Assert.Contains(capabilities.Notes, note => note.Contains("REGISTRY_STORAGE_DELETE_ENABLED=true", StringComparison.Ordinal));
    }

    private static Task<HttpRegistry> ConnectAsync(string address) => HttpRegistry.ConnectAsync(RegistryAddress.Parse(address), Options);

    /// <summary>Speaks TLS under a certificate that nobody trusts, and nothing else.</summary>
    private sealed class TlsServer : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly X509Certificate2 _certificate;
        private readonly Task _serving;

        public TlsServer()
        {
            using var key = RSA.Create(2048);
            var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
            _listener.Start();
            _serving = ServeAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public List<string> Plain { get; } = [];

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _serving;
            _certificate.Dispose();
        }

        private async Task ServeAsync()
        {
            while (true)
            {
                try
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    var first = new byte[3];
                    await client.Client.ReceiveAsync(first, SocketFlags.Peek);
                    Plain.Add(Encoding.ASCII.GetString(first));
                    using var stream = new SslStream(client.GetStream());
                    await stream.AuthenticateAsServerAsync(_certificate);
                }
                catch (Exception exception) when (exception is IOException or System.Security.Authentication.AuthenticationException)
                {
                }
                catch (Exception exception) when (exception is SocketException or ObjectDisposedException or InvalidOperationException)
                {
                    return;
                }
            }
        }
    }
}
