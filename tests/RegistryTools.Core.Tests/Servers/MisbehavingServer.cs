using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RegistryTools.Tests.Servers;

/// <summary>How a <see cref="MisbehavingServer"/> wants to know who asks.</summary>
public enum Doorkeeper
{
    None,
    Basic,
    Bearer,
}

/// <summary>What becomes of the connection after a reply.</summary>
public enum Ending
{
    /// <summary>It is used again.</summary>
    Stay,

    /// <summary>It is closed in order.</summary>
    Close,

    /// <summary>It is reset.</summary>
    Reset,

    /// <summary>Nothing more comes, and it stays open.</summary>
    Hold,
}

/// <summary>A request as it came in.</summary>
public sealed record Asked(string Method, string Target, string? Authorization, byte[] Body)
{
    public string Line => Method + " " + Target;

    public string Path => Target.Split('?')[0];

    public string? Query(string name) =>
        Target.Split('?', 2).Skip(1).SelectMany(query => query.Split('&')).Select(pair => pair.Split('=', 2)).Where(pair => pair[0] == name && pair.Length == 2).Select(pair => Uri.UnescapeDataString(pair[1])).FirstOrDefault();
}

/// <summary>Bytes to send: a good answer, whose body a HEAD is spared, or any bytes at all.</summary>
public sealed record Reply(byte[] Head, byte[] Body, Ending End, bool IsRaw)
{
    /// <summary>A whole and good answer.</summary>
    public static Reply Whole(string status, string body = "", params string[] headers) => Whole(status, Encoding.UTF8.GetBytes(body), headers);

    public static Reply Whole(string status, byte[] body, params string[] headers)
    {
        var type = headers.Any(header => header.StartsWith("Content-Type:", StringComparison.OrdinalIgnoreCase)) ? string.Empty : "Content-Type: application/json\n";
        return new Reply(Lines($"HTTP/1.1 {status}\n{type}{string.Concat(headers.Select(header => header + "\n"))}Content-Length: {body.Length}\n\n"), body, Ending.Stay, false);
    }

    /// <summary>An error as a registry words it.</summary>
    public static Reply Error(string status, string code, params string[] headers) => Whole(status, $$"""{"errors":[{"code":"{{code}}","message":"no"}]}""", headers);

    /// <summary>These bytes and no others; line ends of the head are written as they are on the wire. The connection is closed after it.</summary>
    public static Reply Raw(string head, string body = "") => Raw(head, Encoding.UTF8.GetBytes(body));

    public static Reply Raw(string head, byte[] body) => new(Lines(head), body, Ending.Close, true);

    public Reply Then(Ending end) => this with { End = end };

    public byte[] Bytes(bool isHead) => isHead && !IsRaw ? Head : [.. Head, .. Body];

    private static byte[] Lines(string text) => Encoding.Latin1.GetBytes(text.ReplaceLineEndings("\r\n"));
}

/// <summary>
/// A registry in memory, on a raw socket of this machine, that sends whatever bytes a test wants in the place of any answer. Behind that it behaves: it has the repositories i1 (tags T11 and T12, an image each, and T13, which is
/// T12's) and i2 (T21), deletes tags and manifests, and takes manifests and blobs. It remembers every request, and what was changed.
/// </summary>
public sealed class MisbehavingServer : IAsyncDisposable
{
    public const string User = "admin";
    public const string Password = "pa55-Sesam-0ffne-dich";
    public const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentQueue<Asked> _requests = new();
    private readonly ConcurrentQueue<string> _changes = new();
    private readonly List<Rule> _rules = [];
    private readonly Lock _lock = new();
    private readonly Dictionary<string, SortedDictionary<string, string>> _tags = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string Type, byte[] Bytes)> _manifests = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte[]> _blobs = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, MemoryStream> _uploads = new();
    private readonly ConcurrentQueue<string> _issued = new();
    private readonly ConcurrentDictionary<string, bool> _valid = new();
    private readonly Doorkeeper _doorkeeper;
    private readonly Task _accepting;

    public MisbehavingServer(Doorkeeper doorkeeper = Doorkeeper.None)
    {
        _doorkeeper = doorkeeper;
        AddImage("i1", "T11", "one");
        _tags["i1"]["T13"] = AddImage("i1", "T12", "two");
        AddImage("i2", "T21", "three");
        _listener.Start();
        Address = "127.0.0.1:" + ((IPEndPoint)_listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        _accepting = AcceptAsync();
    }

    /// <summary>Host and port.</summary>
    public string Address { get; }

    public IReadOnlyList<Asked> Requests => [.. _requests];

    /// <summary>What was changed: <c>DELETE i1:T11</c>, <c>PUT i1:T11</c>.</summary>
    public IReadOnlyList<string> Changes => [.. _changes];

    /// <summary>How many tokens were given out.</summary>
    public int TokensIssued => _issued.Count;

    /// <summary>What must be seen nowhere: the password as it is and as it is sent, and every token.</summary>
    public IEnumerable<string> Secrets => [Password, BasicValue, Uri.EscapeDataString(Password), .. _issued];

    /// <summary>Whether a tag is deleted by its name.</summary>
    public bool DeletesTags { get; set; } = true;

    public static string BasicValue { get; } = Convert.ToBase64String(Encoding.UTF8.GetBytes(User + ":" + Password));

    public static string DigestOf(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>What a tag points to.</summary>
    public string this[string repository, string tag]
    {
        get
        {
            lock (_lock) return _tags[repository][tag];
        }
    }

    public byte[] Manifest(string repository, string reference)
    {
        lock (_lock) return _manifests[repository + "@" + (_tags[repository].TryGetValue(reference, out var digest) ? digest : reference)].Bytes;
    }

    /// <summary>The digest of the configuration of a tag's image.</summary>
    public string ConfigOf(string repository, string tag) => JsonNode.Parse(Manifest(repository, tag))!["config"]!["digest"]!.GetValue<string>();

    /// <summary>Everything there is, a line each: what was there before must be there after.</summary>
    public string Snapshot()
    {
        lock (_lock) return string.Join("\n", _tags.SelectMany(repository => repository.Value.Select(tag => $"{repository.Key}:{tag.Key} {tag.Value}")).Concat(_manifests.Keys).Order(StringComparer.Ordinal));
    }

    /// <summary>Adds an image with a configuration of its own and gives its digest.</summary>
    public string AddImage(string repository, string? tag, string content)
    {
        var config = Encoding.UTF8.GetBytes($$$"""{"architecture":"amd64","os":"linux","created":"2024-01-01T00:00:00Z","config":{"Labels":{"content":"{{{content}}}"}},"rootfs":{"type":"layers","diff_ids":[]}}""");
        var manifest = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{ManifestType}}","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{DigestOf(config)}}","size":{{config.Length}}},"layers":[]}""");
        lock (_lock)
        {
            _blobs[DigestOf(config)] = config;
            _manifests[repository + "@" + DigestOf(manifest)] = (ManifestType, manifest);
            if (!_tags.TryGetValue(repository, out var tags)) _tags.Add(repository, tags = new SortedDictionary<string, string>(StringComparer.Ordinal));
            if (tag is not null) tags[tag] = DigestOf(manifest);
        }

        return DigestOf(manifest);
    }

    public byte[] Blob(string digest)
    {
        lock (_lock) return _blobs[digest];
    }

    /// <summary>Sends this in the place of the answer to every request whose line begins so, as often as is said; a request that is not authorized gets its 401 all the same.</summary>
    public void On(string line, Reply reply, int times = int.MaxValue) => On(line, (_, _) => reply, times);

    /// <summary>The same, decided anew at each request, whose good answer can be had, and with it what it does; null for that answer.</summary>
    public void On(string line, Func<Asked, Func<Reply>, Reply?> act, int times = int.MaxValue, bool evenUnauthorized = false)
    {
        lock (_lock) _rules.Add(new Rule(line, act, evenUnauthorized) { Left = times });
    }

    /// <summary>Behaves from now on.</summary>
    public void Behave()
    {
        lock (_lock) _rules.Clear();
    }

    /// <summary>No token that was given out is good any more.</summary>
    public void ExpireTokens() => _valid.Clear();

    /// <summary>A token that is good.</summary>
    public string Issue()
    {
        var token = "tkn-" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        _issued.Enqueue(token);
        _valid[token] = true;
        return token;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token));
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        await Task.Yield();
        try
        {
            using (client)
            {
                client.NoDelay = true;
                var stream = client.GetStream();
                var reader = new RequestReader(stream);
                while (await reader.ReadAsync(_end.Token) is { } asked)
                {
                    _requests.Enqueue(asked);
                    var reply = Answer(asked);
                    await stream.WriteAsync(reply.Bytes(asked.Method == "HEAD"), _end.Token);
                    switch (reply.End)
                    {
                        case Ending.Stay:
                            continue;
                        case Ending.Reset:
                            client.LingerState = new LingerOption(true, 0);
                            return;
                        case Ending.Hold:
                            await reader.DrainAsync(_end.Token);
                            return;
                        default:
                            // What was sent is to arrive, although the connection is closed now.
                            client.Client.Shutdown(SocketShutdown.Send);
                            await reader.DrainAsync(_end.Token);
                            return;
                    }
                }
            }
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The client has had enough.
        }
    }

    private Reply Answer(Asked asked)
    {
        var refusal = Refusal(asked);
        Rule? rule;
        lock (_lock)
        {
            rule = _rules.Find(one => one.Left > 0 && (refusal is null || one.EvenUnauthorized) && asked.Line.StartsWith(one.Line, StringComparison.Ordinal));
            if (rule is not null) rule.Left--;
        }

        return rule?.Act(asked, () => refusal ?? Good(asked)) ?? refusal ?? Good(asked);
    }

    private Reply? Refusal(Asked asked)
    {
        if (_doorkeeper == Doorkeeper.None) return null;
        if (asked.Path == "/token") return asked.Authorization == "Basic " + BasicValue || asked.Method == "POST" ? null : Reply.Error("401 Unauthorized", "UNAUTHORIZED");
        if (_doorkeeper == Doorkeeper.Basic) return asked.Authorization == "Basic " + BasicValue ? null : Reply.Error("401 Unauthorized", "UNAUTHORIZED", "WWW-Authenticate: Basic realm=\"registry\"");
        if (asked.Authorization is { } sent && sent.StartsWith("Bearer ", StringComparison.Ordinal) && _valid.ContainsKey(sent["Bearer ".Length..])) return null;
        var parts = asked.Path.Split('/');
        var scope = asked.Path == "/v2/" ? string.Empty : asked.Path == "/v2/_catalog" ? ",scope=\"registry:catalog:*\"" : $",scope=\"repository:{parts[2]}:{(asked.Method is "GET" or "HEAD" ? "pull" : asked.Method == "DELETE" ? "delete" : "pull,push")}\"";
        return Reply.Error("401 Unauthorized", "UNAUTHORIZED", $"WWW-Authenticate: Bearer realm=\"http://{Address}/token\",service=\"registry\"{scope}");
    }

    private Reply Good(Asked asked)
    {
        if (asked.Path == "/token") return Reply.Whole("200 OK", JsonSerializer.Serialize(new { token = Issue(), expires_in = 300 }));
        if (asked.Path == "/v2/") return Reply.Whole("200 OK", "{}", "Docker-Distribution-Api-Version: registry/2.0");
        lock (_lock)
        {
            if (asked.Path == "/v2/_catalog") return Reply.Whole("200 OK", JsonSerializer.Serialize(new { repositories = _tags.Keys.Order(StringComparer.Ordinal) }));
            var parts = asked.Path.Split('/');
            if (parts.Length < 5 || !_tags.TryGetValue(parts[2], out var tags)) return Reply.Error("404 Not Found", "NAME_UNKNOWN");
            return (parts[3], parts[4]) switch
            {
                ("tags", "list") => Reply.Whole("200 OK", JsonSerializer.Serialize(new { name = parts[2], tags = tags.Keys })),
                ("manifests", var reference) => GoodManifest(asked, parts[2], tags, reference),
                ("blobs", "uploads") => GoodUpload(asked, parts),
                ("blobs", var digest) => _blobs.TryGetValue(digest, out var blob) ? Reply.Whole("200 OK", blob, "Content-Type: application/octet-stream", "Docker-Content-Digest: " + digest) : Reply.Error("404 Not Found", "BLOB_UNKNOWN"),
                _ => Reply.Whole("404 Not Found", "404 page not found", "Content-Type: text/plain"),
            };
        }
    }

    private Reply GoodManifest(Asked asked, string repository, SortedDictionary<string, string> tags, string reference)
    {
        var isDigest = reference.StartsWith("sha256:", StringComparison.Ordinal);
        var digest = isDigest ? reference : tags.GetValueOrDefault(reference);
        switch (asked.Method)
        {
            case "PUT":
                digest = DigestOf(asked.Body);
                _manifests[repository + "@" + digest] = (ManifestType, asked.Body);
                if (!isDigest) tags[reference] = digest;
                _changes.Enqueue($"PUT {repository}:{reference}");
                return Reply.Whole("201 Created", string.Empty, "Docker-Content-Digest: " + digest);
            case "DELETE" when !isDigest && !DeletesTags:
                return Reply.Error("405 Method Not Allowed", "UNSUPPORTED");
            case "DELETE" when digest is not null && _manifests.ContainsKey(repository + "@" + digest):
                _changes.Enqueue($"DELETE {repository}:{reference}");
                if (isDigest)
                {
                    _manifests.Remove(repository + "@" + digest);
                    foreach (var tag in tags.Where(tag => tag.Value == digest).Select(tag => tag.Key).ToList()) tags.Remove(tag);
                }
                else
                {
                    tags.Remove(reference);
                }

                return Reply.Whole("202 Accepted");
        }

        return digest is not null && _manifests.TryGetValue(repository + "@" + digest, out var manifest)
            ? Reply.Whole("200 OK", manifest.Bytes, "Content-Type: " + manifest.Type, "Docker-Content-Digest: " + digest)
            : Reply.Error("404 Not Found", "MANIFEST_UNKNOWN");
    }

    private Reply GoodUpload(Asked asked, string[] parts)
    {
        if (asked.Method == "POST")
        {
            var id = Guid.NewGuid().ToString("N");
            _uploads[id] = new MemoryStream();
            return Reply.Whole("202 Accepted", string.Empty, $"Location: /v2/{parts[2]}/blobs/uploads/{id}", "Range: 0-0");
        }

        if (!_uploads.TryGetValue(parts[^1], out var upload)) return Reply.Error("404 Not Found", "BLOB_UPLOAD_UNKNOWN");
        upload.Write(asked.Body);
        if (asked.Method != "PUT") return Reply.Whole("202 Accepted", string.Empty, "Location: " + asked.Path, $"Range: 0-{Math.Max(0, upload.Length - 1)}");
        var bytes = upload.ToArray();
        _blobs[DigestOf(bytes)] = bytes;
        return Reply.Whole("201 Created", string.Empty, "Docker-Content-Digest: " + DigestOf(bytes), $"Location: /v2/{parts[2]}/blobs/{DigestOf(bytes)}");
    }

    private sealed class Rule(string line, Func<Asked, Func<Reply>, Reply?> act, bool evenUnauthorized)
    {
        public string Line { get; } = line;

        public Func<Asked, Func<Reply>, Reply?> Act { get; } = act;

        public bool EvenUnauthorized { get; } = evenUnauthorized;

        public int Left { get; set; }
    }

    /// <summary>Reads requests of one connection: as much of HTTP as the client under test speaks.</summary>
    private sealed class RequestReader(NetworkStream stream)
    {
        private readonly byte[] _buffer = new byte[16 * 1024];
        private byte[] _rest = [];

        public async Task<Asked?> ReadAsync(CancellationToken cancellationToken)
        {
            int end;
            while ((end = _rest.AsSpan().IndexOf("\r\n\r\n"u8)) < 0)
            {
                if (!await MoreAsync(cancellationToken)) return null;
            }

            var lines = Encoding.Latin1.GetString(_rest, 0, end).Split("\r\n");
            _rest = _rest[(end + 4)..];
            string? Header(string name) => lines.Skip(1).Where(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase)).Select(line => line[(name.Length + 1)..].Trim()).FirstOrDefault();
            byte[] body = [];
            if (Header("Transfer-Encoding") == "chunked")
            {
                while (true)
                {
                    int line;
                    while ((line = _rest.AsSpan().IndexOf("\r\n"u8)) < 0)
                    {
                        if (!await MoreAsync(cancellationToken)) return null;
                    }

                    var size = int.Parse(Encoding.Latin1.GetString(_rest, 0, line), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                    _rest = _rest[(line + 2)..];
                    if (await TakeAsync(size + 2, cancellationToken) is not { } chunk) return null;
                    if (size == 0) break;
                    body = [.. body, .. chunk[..size]];
                }
            }
            else if (Header("Content-Length") is { } length)
            {
                if (await TakeAsync(int.Parse(length, CultureInfo.InvariantCulture), cancellationToken) is not { } whole) return null;
                body = whole;
            }

            var words = lines[0].Split(' ');
            return new Asked(words[0], words[1], Header("Authorization"), body);
        }

        /// <summary>Waits until the client closes, too.</summary>
        public async Task DrainAsync(CancellationToken cancellationToken)
        {
            while (await stream.ReadAsync(_buffer, cancellationToken) > 0)
            {
            }
        }

        private async Task<byte[]?> TakeAsync(int count, CancellationToken cancellationToken)
        {
            while (_rest.Length < count)
            {
                if (!await MoreAsync(cancellationToken)) return null;
            }

            var taken = _rest[..count];
            _rest = _rest[count..];
            return taken;
        }

        private async Task<bool> MoreAsync(CancellationToken cancellationToken)
        {
            var count = await stream.ReadAsync(_buffer, cancellationToken);
            _rest = [.. _rest, .. _buffer.AsSpan(0, count)];
            return count > 0;
        }
    }
}
