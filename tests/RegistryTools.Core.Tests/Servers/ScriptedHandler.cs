using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Text;

namespace RegistryTools.Tests.Servers;

/// <summary>A request as it reached the <see cref="ScriptedHandler"/>.</summary>
public sealed record SeenRequest(string Method, Uri Uri, string? Authorization, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public string Path => Uri.AbsolutePath;

    public string Text => Encoding.UTF8.GetString(Body);

    /// <summary>Method, path and query; the host as well where it is not the registry's.</summary>
    public override string ToString() => Method + " " + (Uri.Authority == ScriptedHandler.Host ? Uri.PathAndQuery : Uri.AbsoluteUri);
}

/// <summary>
/// Stands where the network would: answers requests by rules, and keeps what was asked. The answers of a rule are given one after the other; the last one stays.
/// </summary>
public sealed class ScriptedHandler : HttpMessageHandler
{
    public const string Host = "registry.test";
    private readonly List<Rule> _rules = [];
    private readonly ConcurrentQueue<SeenRequest> _requests = new();

    public ScriptedHandler() => On("GET /v2/", Answer.Json(200, "{}", ("Docker-Distribution-Api-Version", "registry/2.0")));

    /// <summary>Every request but the first look at <c>/v2/</c>.</summary>
    public IReadOnlyList<SeenRequest> Requests => _requests.Where(request => request.ToString() != "GET /v2/").ToList();

    public IReadOnlyList<SeenRequest> AllRequests => _requests.ToList();

    public IReadOnlyList<string> Lines => Requests.Select(request => request.ToString()).ToList();

    /// <summary>Answers a request of this method, path and query, or (with <c>*</c> at the end) whatever begins like that. Later rules go before earlier ones.</summary>
    public ScriptedHandler On(string request, params Func<SeenRequest, HttpResponseMessage>[] answers) =>
        OnAsync(request, answers.Select(answer => (Func<SeenRequest, CancellationToken, Task<HttpResponseMessage>>)((seen, _) => Task.FromResult(answer(seen)))).ToArray());

    public ScriptedHandler OnAsync(string request, params Func<SeenRequest, CancellationToken, Task<HttpResponseMessage>>[] answers)
    {
        lock (_rules) _rules.Insert(0, new Rule(request, answers));
        return this;
    }

    /// <summary>Connects to the registry that this handler plays.</summary>
    public Task<HttpRegistry> ConnectAsync(
        string address = "http://" + Host,
        int retries = 3,
        string? user = null,
        string? password = null,
        string? token = null,
        string? identityToken = null,
        TimeSpan? timeout = null,
        TimeSpan? maximumDelay = null,
        int pageSize = 1000,
        int chunkSize = 16,
        int maximumManifest = 64 * 1024,
        IActivityLog? log = null) =>
        HttpRegistry.ConnectAsync(RegistryAddress.Parse(address), new HttpRegistryOptions
        {
            Handler = this,
            RetryCount = retries,
            RetryDelay = TimeSpan.FromMilliseconds(1),
            MaximumRetryDelay = maximumDelay ?? TimeSpan.FromSeconds(5),
            UserName = user,
            Password = password,
            Token = token,
            IdentityToken = identityToken,
            Timeout = timeout ?? TimeSpan.FromSeconds(60),
            PageSize = pageSize,
            ChunkSize = chunkSize,
            MaximumManifestSize = maximumManifest,
            Log = log ?? NoActivityLog.Instance,
        });

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var headers = request.Headers.Concat(request.Content?.Headers ?? Enumerable.Empty<KeyValuePair<string, IEnumerable<string>>>())
            .ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);
        var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
        var seen = new SeenRequest(request.Method.Method, request.RequestUri!, request.Headers.Authorization?.ToString(), headers, body);
        _requests.Enqueue(seen);
        Func<SeenRequest, CancellationToken, Task<HttpResponseMessage>>? answer = null;
        lock (_rules) answer = _rules.Find(rule => rule.Fits(seen.ToString()))?.Next();
        var response = answer is null ? Answer.Text(404, "404 page not found")(seen) : await answer(seen, cancellationToken);
        response.RequestMessage = request;

        // A HEAD has the length of what it does not bring.
        if (request.Method == HttpMethod.Head)
        {
            var content = new ByteArrayContent([]);
            foreach (var header in response.Content.Headers) content.Headers.TryAddWithoutValidation(header.Key, header.Value);
            if (response.Content.Headers.ContentLength is { } length) content.Headers.ContentLength = length;
            response.Content = content;
        }

        return response;
    }

    private sealed class Rule(string request, Func<SeenRequest, CancellationToken, Task<HttpResponseMessage>>[] answers)
    {
        private int _next;

        public bool Fits(string line) => request.EndsWith('*') ? line.StartsWith(request[..^1], StringComparison.Ordinal) : line == request;

        public Func<SeenRequest, CancellationToken, Task<HttpResponseMessage>> Next() => answers[Math.Min(_next++, answers.Length - 1)];
    }
}

/// <summary>Answers for a <see cref="ScriptedHandler"/>.</summary>
public static class Answer
{
    public static Func<SeenRequest, HttpResponseMessage> Bytes(int status, byte[] body, string? type, params (string Name, string Value)[] headers) => _ =>
    {
        var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new ByteArrayContent(body) };
        if (type is not null) response.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        foreach (var (name, value) in headers)
        {
            if (!response.Headers.TryAddWithoutValidation(name, value)) response.Content.Headers.TryAddWithoutValidation(name, value);
        }

        return response;
    };

    public static Func<SeenRequest, HttpResponseMessage> Text(int status, string text, string type = "text/plain", params (string Name, string Value)[] headers) =>
        Bytes(status, Encoding.UTF8.GetBytes(text), type, headers);

    public static Func<SeenRequest, HttpResponseMessage> Json(int status, string json, params (string Name, string Value)[] headers) => Text(status, json, "application/json", headers);

    public static Func<SeenRequest, HttpResponseMessage> Status(int status, params (string Name, string Value)[] headers) => Bytes(status, [], null, headers);

    public static Func<SeenRequest, HttpResponseMessage> Error(int status, string code, string message = "it failed", params (string Name, string Value)[] headers) =>
        Json(status, $$"""{"errors":[{"code":"{{code}}","message":"{{message}}","detail":null}]}""", headers);

    public static Func<SeenRequest, HttpResponseMessage> Manifest(string json, string type, bool withDigest = true) =>
        withDigest ? Text(200, json, type, ("Docker-Content-Digest", Digest.Compute(Encoding.UTF8.GetBytes(json)).ToString())) : Text(200, json, type);

    public static Func<SeenRequest, HttpResponseMessage> Html(int status = 200) => Text(status, "<!DOCTYPE html><html><body>Welcome</body></html>", "text/html; charset=utf-8");

    /// <summary>The connection ends with no answer: what was asked may have been done.</summary>
    public static Func<SeenRequest, HttpResponseMessage> Dead { get; } = _ => throw new HttpRequestException("An error occurred while sending the request.", new IOException("reset", new SocketException((int)SocketError.ConnectionReset)));

    /// <summary>No connection: nothing was done.</summary>
    public static Func<SeenRequest, HttpResponseMessage> Refused { get; } = _ => throw new HttpRequestException("Connection refused", new SocketException((int)SocketError.ConnectionRefused));

    /// <summary>Never answers.</summary>
    public static async Task<HttpResponseMessage> Never(SeenRequest request, CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.Infinite, cancellationToken);
        throw new InvalidOperationException();
    }

    /// <summary>Sends the beginning of a body and then what <paramref name="then"/> says: nothing more ever, or the end of the connection.</summary>
    public static Func<SeenRequest, HttpResponseMessage> Partial(byte[] beginning, long announced, BodyEnd then, string type, params (string Name, string Value)[] headers) => _ =>
    {
        var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(new BrokenStream(beginning, then)) };
        response.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        if (announced >= 0) response.Content.Headers.ContentLength = announced;
        foreach (var (name, value) in headers) response.Headers.TryAddWithoutValidation(name, value);
        return response;
    };
}

/// <summary>How a body ends that does not come whole.</summary>
public enum BodyEnd
{
    Stalls,
    Breaks,
    Ends,
}

/// <summary>A body that does not come whole.</summary>
internal sealed class BrokenStream(byte[] beginning, BodyEnd end) : Stream
{
    private int _position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => _position; set => throw new NotSupportedException(); }

#if NET
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => await NextAsync(buffer, cancellationToken);
#endif

    private async Task<int> NextAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var count = Math.Min(buffer.Length, beginning.Length - _position);
        beginning.AsMemory(_position, count).CopyTo(buffer);
        _position += count;
        if (count > 0) return count;
        if (end == BodyEnd.Stalls) await Task.Delay(Timeout.Infinite, cancellationToken);
        return end == BodyEnd.Ends ? 0 : throw new IOException("The connection was reset.");
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => NextAsync(buffer.AsMemory(offset, count), cancellationToken);

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>Keeps every line of the log.</summary>
public sealed class CollectingLog : IActivityLog
{
    private readonly ConcurrentQueue<string> _lines = new();

    public IReadOnlyList<string> Lines => _lines.ToList();

    public void Verbose(string message) => _lines.Enqueue("VERBOSE " + message);

    public void Debug(string message) => _lines.Enqueue("DEBUG " + message);

    public void Warning(string message) => _lines.Enqueue("WARNING " + message);

    public void Progress(string activity, string item, long done, long? total, string unit) => _lines.Enqueue($"PROGRESS {activity} {item} {done}/{total} {unit}");
}
