using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Text;

namespace RegistryTools.Tests.Review;

/// <summary>A request as it was sent.</summary>
internal sealed record Sent(string Method, Uri Uri, string? Authorization, string? Body)
{
    public string Line => Method + " " + (Uri.Authority == Wire.Host ? Uri.PathAndQuery : Uri.AbsoluteUri);
}

/// <summary>Plays a registry, and whatever else is asked, by one function. What it does not know is 404 without a registry's word.</summary>
internal sealed class Wire(Func<Sent, HttpResponseMessage?> answer) : HttpMessageHandler
{
    public const string Host = "registry.test";
    private readonly ConcurrentQueue<Sent> _sent = new();
    private readonly ConcurrentQueue<string> _log = new();

    public IReadOnlyList<string> Lines => _sent.Select(sent => sent.Line).ToList();

    public IReadOnlyList<Sent> Requests => _sent.ToList();

    public IReadOnlyList<string> Log => _log.ToList();

    public Func<Sent, CancellationToken, Task>? Before { get; set; }

    public static HttpResponseMessage Json(int status, string json, params (string Name, string Value)[] headers) => Text(status, json, "application/json", headers);

    public static HttpResponseMessage Error(int status, string code, params (string Name, string Value)[] headers) => Json(status, $$"""{"errors":[{"code":"{{code}}","message":"no"}]}""", headers);

    public static HttpResponseMessage Text(int status, string text, string type, params (string Name, string Value)[] headers)
    {
        var response = new HttpResponseMessage((HttpStatusCode)status) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(text)) };
        response.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        foreach (var (name, value) in headers)
        {
            if (!response.Headers.TryAddWithoutValidation(name, value)) response.Content.Headers.TryAddWithoutValidation(name, value);
        }

        return response;
    }

    public static HttpResponseMessage Challenge(string parameters = "realm=\"https://auth.test/token\",service=\"registry.test\"") =>
        Error(401, "UNAUTHORIZED", ("WWW-Authenticate", "Bearer " + parameters));

    public static HttpRequestException Refused() => new("Connection refused", new SocketException((int)SocketError.ConnectionRefused));

    public Task<HttpRegistry> ConnectAsync(HttpRegistryOptions? options = null, string address = "https://" + Host, CancellationToken cancellationToken = default)
    {
        options ??= new HttpRegistryOptions();
        return HttpRegistry.ConnectAsync(
            RegistryAddress.Parse(address),
            new HttpRegistryOptions
            {
                UserName = options.UserName,
                Password = options.Password,
                Token = options.Token,
                IdentityToken = options.IdentityToken,
                RetryCount = options.RetryCount,
                RetryDelay = TimeSpan.FromMilliseconds(1),
                MaximumRetryDelay = TimeSpan.FromSeconds(2),
                PageSize = options.PageSize,
                ChunkSize = options.ChunkSize,
                Timeout = TimeSpan.FromSeconds(20),
                Log = new Recorder(_log),
                Handler = this,
            },
            cancellationToken);
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var body = request.Content is null ? null : await request.Content.ReadAsStringAsync(cancellationToken);
        var sent = new Sent(request.Method.Method, request.RequestUri!, request.Headers.Authorization?.ToString(), body);
        _sent.Enqueue(sent);
        if (Before is { } before) await before(sent, cancellationToken);
        var response = answer(sent) ?? (sent.Line == "GET /v2/" ? Json(200, "{}", ("Docker-Distribution-Api-Version", "registry/2.0")) : Text(404, "404 page not found", "text/plain"));
        response.RequestMessage = request;
        return response;
    }

    private sealed class Recorder(ConcurrentQueue<string> lines) : IActivityLog
    {
        public void Verbose(string message) => lines.Enqueue(message);

        public void Debug(string message) => lines.Enqueue(message);

        public void Warning(string message) => lines.Enqueue(message);

        public void Progress(string activity, string item, long done, long? total, string unit)
        {
        }
    }
}
