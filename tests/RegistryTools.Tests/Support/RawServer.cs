using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RegistryTools.Cmdlets.Tests.Support;

/// <summary>
/// A server that sends whatever bytes it is told to: the small registry behind it has a repository <c>i1</c> with the tag T11 and wants Basic authentication, until a script says otherwise for a request.
/// </summary>
public sealed class RawServer : IAsyncDisposable
{
    public const string Password = "pass-word-0815";
    public const string Manifest = """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}""";
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Task _accepting;
    private volatile bool _deleted;

    public RawServer()
    {
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public static string Digest { get; } = "sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(Manifest)));

    public string Address => "127.0.0.1:" + ((IPEndPoint)_listener.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>What to answer a request with: method and path, and how often the like of it came before. Null for what the registry behind it would say; the connection is closed after it.</summary>
    public Func<string, int, byte[]?>? Script { get; set; }

    /// <summary>Every request: its line, and whether it came with an Authorization header.</summary>
    public ConcurrentQueue<(string Line, bool Authorized)> Requests { get; } = new();

    public static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text.ReplaceLineEndings("\r\n"));

    /// <summary>A whole and good answer.</summary>
    public static byte[] Answer(string status, string body, params string[] headers) =>
        [.. Bytes($"HTTP/1.1 {status}\nContent-Type: application/json\n{string.Concat(headers.Select(header => header + "\n"))}Content-Length: {Encoding.UTF8.GetByteCount(body)}\nConnection: close\n\n"), .. Encoding.UTF8.GetBytes(body)];

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptTcpClientAsync(_end.Token);
                _ = ServeAsync(client);
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using (client)
            {
                var stream = client.GetStream();
                var head = new StringBuilder();
                var one = new byte[1];
                while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
                {
                    if (await stream.ReadAsync(one, _end.Token) == 0) return;
                    head.Append((char)one[0]);
                }

                var lines = head.ToString().Split("\r\n");
                var line = lines[0][..lines[0].LastIndexOf(' ')];
                var authorized = lines.Any(header => header.StartsWith("Authorization:", StringComparison.OrdinalIgnoreCase));
                var times = Requests.Count(request => request.Line == line && request.Authorized == authorized);
                Requests.Enqueue((line, authorized));
                await stream.WriteAsync(Script?.Invoke(authorized ? line : "anonymous " + line, times) ?? Good(line, authorized), _end.Token);

                // What was sent is to arrive, although the connection is closed now.
                client.Client.Shutdown(SocketShutdown.Send);
                _ = await stream.ReadAtLeastAsync(one, 1, throwOnEndOfStream: false, _end.Token);
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The client has had enough.
        }
    }

    private byte[] Good(string line, bool authorized)
    {
        if (!authorized) return Answer("401 Unauthorized", """{"errors":[{"code":"UNAUTHORIZED","message":"who?"}]}""", "WWW-Authenticate: Basic realm=\"registry\"");
        var (method, path) = (line[..line.IndexOf(' ')], line[(line.IndexOf(' ') + 1)..]);
        if (path == "/v2/") return Answer("200 OK", "{}");
        if (path.StartsWith("/v2/i1/tags/list", StringComparison.Ordinal)) return Answer("200 OK", _deleted ? """{"name":"i1","tags":[]}""" : """{"name":"i1","tags":["T11"]}""");
        if (path is "/v2/i1/manifests/T11" && method == "DELETE")
        {
            _deleted = true;
            return Answer("202 Accepted", string.Empty);
        }

        if ((path is "/v2/i1/manifests/T11" && !_deleted) || path == "/v2/i1/manifests/" + Digest)
        {
            var whole = Bytes($"HTTP/1.1 200 OK\nContent-Type: application/vnd.oci.image.manifest.v1+json\nDocker-Content-Digest: {Digest}\nContent-Length: {Manifest.Length}\nConnection: close\n\n");
            return method == "HEAD" ? whole : [.. whole, .. Encoding.UTF8.GetBytes(Manifest)];
        }

        return method == "HEAD" ? Bytes("HTTP/1.1 404 Not Found\nContent-Length: 0\nConnection: close\n\n") : Answer("404 Not Found", """{"errors":[{"code":"MANIFEST_UNKNOWN","message":"no"}]}""");
    }
}
