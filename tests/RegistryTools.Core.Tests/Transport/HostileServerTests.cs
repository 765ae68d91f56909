using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Tests.Servers;
using Xunit;

namespace RegistryTools.Tests.Transport;

/// <summary>Servers that keep one waiting, over real sockets: whoever cancels is let go at once, and whoever does not is let go in the end.</summary>
public sealed class HostileServerTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

    public static TheoryData<string> Ways => new() { "silent", "headers", "body", "chunks", "error", "tls", "tls half", "backlog", "retry", "token", "token body", "token headers", "proxy", "list", "upload", "http2 headers", "http2 body" };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Cancelling_ends_it_at_once_whatever_the_server_does(string way)
    {
        using var authority = new TestAuthority();
        await using var http2 = way.StartsWith("http2", StringComparison.Ordinal)
            ? await SocketRegistry.StartAsync(authority.Server(), answer: async context =>
            {
                if (way == "http2 headers") await Task.Delay(Timeout.Infinite, context.RequestAborted);
                context.Response.ContentType = "application/json";
                while (true)
                {
                    await context.Response.Body.WriteAsync(" "u8.ToArray(), context.RequestAborted);
                    await context.Response.Body.FlushAsync(context.RequestAborted);
                    await Task.Delay(20, context.RequestAborted);
                }
            })
            : null;
        await using var server = new RawServer(way);
        var scheme = way.StartsWith("tls", StringComparison.Ordinal) ? "https" : "http";
        var address = http2 is not null ? $"https://localhost:{http2.Port}" : way == "proxy" ? "https://registry.test" : $"{scheme}://127.0.0.1:{server.Port}";
        var options = new HttpRegistryOptions
        {
            UserName = way.StartsWith("token", StringComparison.Ordinal) ? "user" : null,
            Password = "h0stile-pass",
            Timeout = TimeSpan.FromMinutes(5),
            MaximumRetryDelay = TimeSpan.FromMinutes(10),
            CertificateDirectories = [],
            CertificateAuthorities = [authority.Certificate],
            Environment = name => way == "proxy" && name == "HTTPS_PROXY" ? $"http://127.0.0.1:{server.Port}" : null,
        };
        using var stop = new CancellationTokenSource();
        var work = Task.Run(async () =>
        {
            using var registry = await HttpRegistry.ConnectAsync(RegistryAddress.Parse(address), options, stop.Token);
            if (way == "list")
            {
                await foreach (var unused in registry.ListTagsAsync("a", stop.Token)) Assert.Fail(unused);
            }
            else if (way == "upload")
            {
                await registry.PushBlobAsync("a", Digest.Compute(new byte[20_000_000]), new MemoryStream(new byte[20_000_000]), stop.Token);
            }
            else
            {
                await registry.GetManifestAsync("a", "t", stop.Token);
            }
        });

        // Until it waits for what never comes.
        if (http2 is not null) await UntilAsync(() => http2.Requests.Count == 2);
        else if (way != "backlog") await UntilAsync(() => server.Waiting);
        await Task.Delay(300);
        Assert.False(work.IsCompleted, work.Exception?.ToString());
        var watch = Stopwatch.StartNew();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(1.5), watch.Elapsed.ToString());
    }

    [Theory]
    [InlineData("body")]
    [InlineData("chunks")]
    [InlineData("list")]
    [InlineData("error")]
    [InlineData("headers")]
    [InlineData("token body")]
    [InlineData("token headers")]
    public async Task A_server_that_sends_a_byte_now_and_then_holds_nobody_for_ever(string way)
    {
        await using var server = new RawServer(way);
        var watch = Stopwatch.StartNew();
        var error = await Assert.ThrowsAnyAsync<RegistryRequestException>(async () =>
        {
            using var registry = await HttpRegistry.ConnectAsync(RegistryAddress.Parse($"http://127.0.0.1:{server.Port}"), new HttpRegistryOptions
            {
                UserName = way.StartsWith("token", StringComparison.Ordinal) ? "user" : null,
                Password = "h0stile-pass",
                Timeout = TimeSpan.FromMilliseconds(400),
                RetryCount = way is "body" or "chunks" or "list" ? 5 : 0,
            });
            if (way == "list") await registry.ListTagsAsync("a").GetAsyncEnumerator().MoveNextAsync();
            else await registry.GetManifestAsync("a", "t");
        });
        if (way is "body" or "chunks" or "list") Assert.Contains("It came too slowly", error.Message);
        else if (way == "error") Assert.Equal(500, error.StatusCode);
        else Assert.Contains("did not answer", error.Message);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), watch.Elapsed.ToString());
        if (way is "body" or "chunks" or "list") Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task A_blob_that_trickles_is_given_up_as_well_and_one_that_flows_is_not()
    {
        var content = new byte[40_000];
        var digest = Digest.Compute(content);
        await using var server = await SocketRegistry.StartAsync(answer: async context =>
        {
            context.Response.ContentLength = content.Length;
            var piece = context.Request.Path.Value!.StartsWith("/v2/fair/", StringComparison.Ordinal) ? 1000 : 1;
            for (var sent = 0; sent < content.Length; sent += piece)
            {
                await context.Response.Body.WriteAsync(content.AsMemory(sent, piece), context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
                await Task.Delay(50, context.RequestAborted);
            }
        });
        using var registry = await HttpRegistry.ConnectAsync(RegistryAddress.Parse($"http://127.0.0.1:{server.Port}"), new HttpRegistryOptions { Timeout = TimeSpan.FromMilliseconds(500), RetryCount = 1, RetryDelay = TimeSpan.FromMilliseconds(1) });

        // Two seconds at 20 kB a second, which is longer than the half second that three times would give.
        await registry.CopyBlobAsync("fair", digest, Stream.Null);
        var error = await Assert.ThrowsAsync<RegistryUnreachableException>(() => registry.CopyBlobAsync("slow", digest, Stream.Null));
        Assert.Contains("It came too slowly", error.Message);
    }

    [Fact]
    public async Task No_cookie_comes_back_and_no_authorization_goes_where_a_blob_is_redirected_to_or_from_there_back()
    {
        var content = "content"u8.ToArray();
        var digest = Digest.Compute(content);
        var ownPort = 0;
        await using var storage = await SocketRegistry.StartAsync(answer: context =>
        {
            context.Response.StatusCode = 302;
            context.Response.Headers.SetCookie = "s=1";
            context.Response.Headers.Location = $"http://127.0.0.1:{ownPort}/v2/back";
            return Task.CompletedTask;
        });
        await using var server = await SocketRegistry.StartAsync(answer: async context =>
        {
            if (context.Request.Path == "/v2/back")
            {
                await context.Response.Body.WriteAsync(content);
                return;
            }

            if (context.Request.Headers.Authorization.Count == 0)
            {
                context.Response.StatusCode = 401;
                context.Response.Headers.SetCookie = "s=1; Path=/";
                context.Response.Headers.WWWAuthenticate = "Basic realm=\"r\"";
                return;
            }

            context.Response.StatusCode = 307;
            context.Response.Headers.SetCookie = "s=2; Path=/";
            context.Response.Headers.Location = $"http://user:pass@127.0.0.1:{storage.Port}/blob";
        });
        ownPort = server.Port;
        using var registry = await HttpRegistry.ConnectAsync(RegistryAddress.Parse($"http://127.0.0.1:{server.Port}"), new HttpRegistryOptions { UserName = "user", Password = "h0stile-pass" });
        Assert.Equal(content, await registry.ReadBlobAsync("a", digest, 100));
        Assert.Contains(server.Requests, request => request.Authorization is not null);
        Assert.Null(Assert.Single(storage.Requests).Authorization);
        Assert.Null(server.Requests[^1].Authorization);
        Assert.DoesNotContain(server.Requests.Concat(storage.Requests), request => request.Headers.ContainsKey("Cookie"));
    }

    [Fact]
    public async Task An_upload_on_another_host_that_asks_for_credentials_gets_none()
    {
        var handler = new ScriptedHandler()
            .On("GET /v2/", Answer.Status(401, ("WWW-Authenticate", "Basic realm=\"r\"")), Answer.Json(200, "{}"))
            .On("POST *", Answer.Status(202, ("Location", "http://uploads.test/1")))
            .On("PUT http://uploads.test/1*", Answer.Status(401, ("WWW-Authenticate", "Basic realm=\"r\"")))
            .On("PATCH http://uploads.test/1*", Answer.Status(401, ("WWW-Authenticate", "Bearer realm=\"http://uploads.test/token\"")));
        using var registry = await handler.ConnectAsync(user: "u", password: "p", chunkSize: 4);
        var content = "content"u8.ToArray();
        await Assert.ThrowsAsync<RegistryUnauthorizedException>(() => registry.PushBlobAsync("a", Digest.Compute(content), new MemoryStream(content)));
        await Assert.ThrowsAsync<RegistryUnauthorizedException>(() => registry.PushBlobAsync("a", Digest.Compute("con"u8.ToArray()), new MemoryStream("con"u8.ToArray())));
        var elsewhere = handler.Requests.Where(request => request.Uri.Host == "uploads.test").ToList();
        Assert.NotEmpty(elsewhere);
        Assert.All(elsewhere, request => Assert.Null(request.Authorization));
        Assert.DoesNotContain(elsewhere, request => request.Path == "/token");
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var i = 0; i < 600 && !condition(); i++) await Task.Delay(50);
        Assert.True(condition());
    }

    /// <summary>A server that speaks by hand, and badly.</summary>
    private sealed class RawServer : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _stop = new();
        private readonly ConcurrentQueue<string> _requests = new();
        private readonly List<Socket> _fillers = [];
        private readonly string _way;
        private volatile bool _waiting;

        public RawServer(string way)
        {
            _way = way;
            if (way == "backlog")
            {
                // Nobody accepts, and there is no more room: from here on a connection does not come about.
                _listener.Start(0);
                for (var i = 0; i < 8; i++)
                {
                    var filler = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
                    _fillers.Add(filler);
                    try
                    {
                        filler.Connect(IPAddress.Loopback, Port);
                    }
                    catch (SocketException)
                    {
                        // Under way, for ever.
                    }
                }

                return;
            }

            _listener.Start();
            _ = AcceptAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public bool Waiting => _waiting;

        public IReadOnlyList<string> Requests => _requests.ToList();

        public ValueTask DisposeAsync()
        {
            _stop.Cancel();
            _listener.Stop();
            foreach (var filler in _fillers) filler.Dispose();
            return ValueTask.CompletedTask;
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
            }
        }

        private async Task ServeAsync(TcpClient client)
        {
            try
            {
                using var own = client;
                var stream = client.GetStream();
                if (_way is "tls" or "tls half")
                {
                    _ = await stream.ReadAsync(new byte[4096], _stop.Token);

                    // The beginning of a record that does not go on.
                    if (_way == "tls half") await stream.WriteAsync(Convert.FromHexString("1603030050020000"), _stop.Token);
                    await WaitAsync();
                }

                while (true)
                {
                    var head = await ReadHeadAsync(stream);
                    if (head is null) return;
                    var first = head.Split("\r\n")[0];
                    _requests.Enqueue(first);
                    if (first.StartsWith("GET /token", StringComparison.Ordinal))
                    {
                        if (_way == "token") await WaitAsync();
                        else if (_way == "token body") await TrickleAsync(stream, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n");
                        else await TrickleAsync(stream, "HTTP/1.1 200 OK\r\nX-Long: ");
                    }
                    else if (first.StartsWith("GET /v2/ ", StringComparison.Ordinal))
                    {
                        if (_way == "silent") await WaitAsync();
                        await WriteAsync(stream, _way.StartsWith("token", StringComparison.Ordinal)
                            ? $"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm=\"http://127.0.0.1:{Port}/token\",service=\"s\"\r\nContent-Length: 0\r\n\r\n"
                            : Ok);
                    }
                    else
                    {
                        switch (_way)
                        {
                            case "headers":
                                await TrickleAsync(stream, "HTTP/1.1 200 OK\r\nX-Long: ");
                                break;
                            case "body" or "list":
                                await TrickleAsync(stream, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 30000\r\n\r\n");
                                break;
                            case "chunks":
                                await TrickleAsync(stream, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n");
                                break;
                            case "error":
                                await TrickleAsync(stream, "HTTP/1.1 500 Oh\r\nContent-Type: application/json\r\nContent-Length: 30000\r\n\r\n");
                                break;
                            case "retry":
                                await WriteAsync(stream, "HTTP/1.1 503 Later\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n");
                                _waiting = true;
                                break;
                            case "upload" when first.StartsWith("HEAD", StringComparison.Ordinal):
                                await WriteAsync(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
                                break;
                            case "upload" when first.StartsWith("POST", StringComparison.Ordinal):
                                await WriteAsync(stream, "HTTP/1.1 202 Accepted\r\nLocation: /upload\r\nContent-Length: 0\r\n\r\n");
                                break;
                            default:
                                // A body that comes is not taken either.
                                await WaitAsync();
                                break;
                        }
                    }
                }
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or SocketException or ObjectDisposedException)
            {
            }
        }

        private async Task WaitAsync()
        {
            _waiting = true;
            await Task.Delay(Timeout.Infinite, _stop.Token);
        }

        private async Task TrickleAsync(NetworkStream stream, string head, string piece = " ")
        {
            await WriteAsync(stream, head);
            _waiting = true;
            while (true)
            {
                await WriteAsync(stream, piece);
                await Task.Delay(20, _stop.Token);
            }
        }

        private async Task WriteAsync(NetworkStream stream, string text) => await stream.WriteAsync(Encoding.ASCII.GetBytes(text), _stop.Token);

        private async Task<string?> ReadHeadAsync(NetworkStream stream)
        {
            var head = new StringBuilder();
            var one = new byte[1];
            while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
            {
                if (await stream.ReadAsync(one, _stop.Token) == 0) return null;
                head.Append((char)one[0]);
            }

            return head.ToString();
        }
    }
}
