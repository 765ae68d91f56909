using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RegistryTools.Tests.Servers;

/// <summary>A small HTTP proxy on loopback: makes the way by CONNECT to one port of loopback whatever the name, and answers what is to be forwarded itself.</summary>
public sealed class ProxyServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly int _target;
    private readonly string? _login;
    private readonly int _status;

    /// <param name="target">The port that every CONNECT leads to.</param>
    /// <param name="login"><c>user:password</c> where it wants one.</param>
    /// <param name="status">What it answers to CONNECT where that is not 200.</param>
    public ProxyServer(int target = 0, string? login = null, int status = 200)
    {
        _target = target;
        _login = login;
        _status = status;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>The first lines of what it was asked, those that it refused included.</summary>
    public IReadOnlyList<string> Requests => _requests.ToList();

    public ValueTask DisposeAsync()
    {
        _stop.Cancel();
        _listener.Stop();
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
            while (true)
            {
                var head = await ReadHeadAsync(stream);
                if (head is null) return;
                var first = head.Split("\r\n")[0];
                _requests.Enqueue(first);
                var expected = _login is null ? null : "Proxy-Authorization: Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(_login));
                if (expected is not null && !head.Contains(expected, StringComparison.OrdinalIgnoreCase))
                {
                    await WriteAsync(stream, "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\nContent-Length: 0\r\n\r\n");
                    continue;
                }

                if (!first.StartsWith("CONNECT ", StringComparison.Ordinal))
                {
                    await WriteAsync(stream, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
                    continue;
                }

                if (_status != 200)
                {
                    await WriteAsync(stream, $"HTTP/1.1 {_status} No\r\nContent-Length: 0\r\n\r\n");
                    return;
                }

                using var target = new TcpClient();
                await target.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
                await WriteAsync(stream, "HTTP/1.1 200 Connection established\r\n\r\n");
                await Task.WhenAny(stream.CopyToAsync(target.GetStream(), _stop.Token), target.GetStream().CopyToAsync(stream, _stop.Token));
                return;
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private static async Task WriteAsync(NetworkStream stream, string text) => await stream.WriteAsync(Encoding.ASCII.GetBytes(text));

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
