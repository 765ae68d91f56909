using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RegistryTools.Bench;

/// <summary>Stands before a registry and counts the requests that go through, by method: what a client costs a server that does not tell.</summary>
internal sealed class CountingProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);
    private readonly IPEndPoint _target;

    public CountingProxy(Uri target)
    {
        _target = new IPEndPoint(IPAddress.Loopback, target.Port);
        _listener.Start();
        _ = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    public int Total
    {
        get
        {
            lock (_counts) return _counts.Values.Sum();
        }
    }

    public string Told
    {
        get
        {
            lock (_counts) return string.Join(", ", _counts.OrderByDescending(count => count.Value).Select(count => $"{count.Value} {count.Key}"));
        }
    }

    public void Clear()
    {
        lock (_counts) _counts.Clear();
    }

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Stop();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync(_stop.Token);
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }

            _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient())
        {
            try
            {
                client.NoDelay = server.NoDelay = true;
                await server.ConnectAsync(_target, _stop.Token);
                var up = CountAndCopyAsync(client.GetStream(), server.GetStream());
                var down = server.GetStream().CopyToAsync(client.GetStream(), _stop.Token);
                await Task.WhenAny(up, down);
            }
            catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException)
            {
                // Either side has left.
            }
        }
    }

    /// <summary>Copies, and counts the lines that begin a request: on loopback a client's head comes in one piece, and no body here looks like one.</summary>
    private async Task CountAndCopyAsync(NetworkStream from, NetworkStream to)
    {
        var buffer = new byte[64 * 1024];
        int count;
        while ((count = await from.ReadAsync(buffer, _stop.Token)) > 0)
        {
            var text = Encoding.ASCII.GetString(buffer, 0, Math.Min(count, 64));
            var space = text.IndexOf(' ', StringComparison.Ordinal);
            if (space is > 2 and < 8 && text[(space + 1)..].StartsWith("/v2", StringComparison.Ordinal))
            {
                lock (_counts) _counts[text[..space]] = _counts.GetValueOrDefault(text[..space]) + 1;
            }

            await to.WriteAsync(buffer.AsMemory(0, count), _stop.Token);
        }
    }
}
