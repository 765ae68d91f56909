using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace RegistryTools.Cmdlets.Tests.Support;

/// <summary>
/// A registry in memory, read-only, which counts what it is asked for and can be made slow, wrong or stubborn: for what the embedded registry, being
/// a good one, does not do.
/// </summary>
public sealed class ScriptedRegistry : IAsyncDisposable
{
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string OciConfig = "application/vnd.oci.image.config.v1+json";
    private readonly WebApplication _application;
    private readonly ConcurrentDictionary<string, SortedDictionary<string, string>> _tags = new();
    private readonly ConcurrentDictionary<string, (string MediaType, byte[] Bytes)> _manifests = new();
    private readonly ConcurrentDictionary<string, byte[]> _blobs = new();

    private ScriptedRegistry(WebApplication application)
    {
        _application = application;
        application.Run(Answer);
    }

    /// <summary>Host and port.</summary>
    public string Address { get; private set; } = string.Empty;

    /// <summary>What was asked, in the order in which it came: method, space, path and query.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>How many of the requests under way were given up by the client.</summary>
    public int Aborted => _aborted;

    /// <summary>The most requests that were under way at once.</summary>
    public int MostAtOnce => _mostAtOnce;

    /// <summary>Comes before the answer; true where it answered itself.</summary>
    public Func<HttpContext, Task<bool>>? Before { get; set; }

    /// <summary>How many tags a page has.</summary>
    public int PageSize { get; set; } = 100;

    private int _aborted;
    private int _underWay;
    private int _mostAtOnce;

    public static async Task<ScriptedRegistry> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var application = builder.Build();
        var registry = new ScriptedRegistry(application);
        await application.StartAsync();
        var addresses = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        registry.Address = new Uri(addresses.First()).Authority;
        return registry;
    }

    /// <summary>Adds an image and gives its digest.</summary>
    public string AddImage(string repository, string? tag, string created = "2024-05-06T07:08:09Z", string os = "linux", string architecture = "amd64", int layers = 1, string? variant = null, string seed = "")
    {
        var history = new JsonArray();
        var layerList = new JsonArray();
        for (var i = 0; i < layers; i++)
        {
            var bytes = Encoding.UTF8.GetBytes($"layer {i} of everything{seed}");
            layerList.Add(new JsonObject { ["mediaType"] = "application/vnd.oci.image.layer.v1.tar+gzip", ["digest"] = AddBlob(bytes), ["size"] = bytes.Length });
            history.Add(new JsonObject { ["created"] = created, ["created_by"] = $"COPY layer{i} /" });
        }

        history.Add(new JsonObject { ["created"] = created, ["created_by"] = "CMD [\"serve\"]", ["empty_layer"] = true });
        var config = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["created"] = created,
            ["author"] = "tests",
            ["os"] = os,
            ["architecture"] = architecture,
            ["variant"] = variant,
            ["config"] = new JsonObject
            {
                ["Env"] = new JsonArray("PATH=/bin", "A=b"),
                ["Entrypoint"] = new JsonArray("/entry"),
                ["Cmd"] = new JsonArray("serve"),
                ["User"] = "app",
                ["WorkingDir"] = "/srv",
                ["Labels"] = new JsonObject { ["maintainer"] = "someone" },
                ["ExposedPorts"] = new JsonObject { ["80/tcp"] = new JsonObject() },
            },
            ["history"] = history,
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray() },
        }.ToJsonString());
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = OciManifest,
            ["config"] = new JsonObject { ["mediaType"] = OciConfig, ["digest"] = AddBlob(config), ["size"] = config.Length },
            ["layers"] = layerList,
            ["annotations"] = seed.Length == 0 ? null : new JsonObject { ["seed"] = seed },
        };
        return AddManifest(repository, tag, OciManifest, Encoding.UTF8.GetBytes(manifest.ToJsonString()));
    }

    /// <summary>Adds an index of images that are there and gives its digest.</summary>
    public string AddIndex(string repository, string? tag, params (string Digest, string Os, string Architecture)[] children)
    {
        var list = new JsonArray();
        foreach (var (digest, os, architecture) in children)
        {
            list.Add(new JsonObject
            {
                ["mediaType"] = OciManifest,
                ["digest"] = digest,
                ["size"] = _manifests.TryGetValue(repository + "@" + digest, out var child) ? child.Bytes.Length : 100,
                ["platform"] = new JsonObject { ["os"] = os, ["architecture"] = architecture },
            });
        }

        return AddManifest(repository, tag, OciIndex, Encoding.UTF8.GetBytes(new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = OciIndex, ["manifests"] = list }.ToJsonString()));
    }

    /// <summary>Adds any manifest and gives its digest.</summary>
    public string AddManifest(string repository, string? tag, string mediaType, byte[] bytes)
    {
        var digest = Digest(bytes);
        _manifests[repository + "@" + digest] = (mediaType, bytes);
        var tags = _tags.GetOrAdd(repository, _ => new SortedDictionary<string, string>(StringComparer.Ordinal));
        if (tag is not null)
        {
            lock (tags) tags[tag] = digest;
        }

        return digest;
    }

    /// <summary>Points a tag to a digest, which need not be there.</summary>
    public void Tag(string repository, string tag, string digest)
    {
        var tags = _tags.GetOrAdd(repository, _ => new SortedDictionary<string, string>(StringComparer.Ordinal));
        lock (tags) tags[tag] = digest;
    }

    public string AddBlob(byte[] bytes)
    {
        var digest = Digest(bytes);
        _blobs[digest] = bytes;
        return digest;
    }

    /// <summary>The bytes of a manifest.</summary>
    public byte[] Manifest(string repository, string digest) => _manifests[repository + "@" + digest].Bytes;

    /// <summary>Puts other bytes in a manifest's place, under the digest of the old ones.</summary>
    public void Corrupt(string repository, string digest, byte[] bytes) => _manifests[repository + "@" + digest] = (_manifests[repository + "@" + digest].MediaType, bytes);

    /// <summary>How often that was asked.</summary>
    public int Count(string method, string part) => Requests.Count(request => request.StartsWith(method + " ", StringComparison.Ordinal) && request.Contains(part, StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        using var hurry = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await _application.StopAsync(hurry.Token);
        await _application.DisposeAsync();
    }

    private static string Digest(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));

    private async Task Answer(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        Requests.Enqueue(context.Request.Method + " " + path + context.Request.QueryString);
        var now = Interlocked.Increment(ref _underWay);
        while (Volatile.Read(ref _mostAtOnce) is var most && now > most) Interlocked.CompareExchange(ref _mostAtOnce, now, most);
        try
        {
            if (Before is null || !await Before(context)) await AnswerWell(context, path);
        }
        catch (OperationCanceledException)
        {
            // The client went away.
        }
        finally
        {
            Interlocked.Decrement(ref _underWay);
            if (context.RequestAborted.IsCancellationRequested) Interlocked.Increment(ref _aborted);
        }
    }

    private async Task AnswerWell(HttpContext context, string path)
    {
        var response = context.Response;
        response.Headers["Docker-Distribution-Api-Version"] = "registry/2.0";
        var query = context.Request.Query;
        if (path is "/v2/" or "/v2")
        {
            await Json(response, "{}");
        }
        else if (path == "/v2/_catalog")
        {
            await Page(response, "repositories", _tags.Keys.Order(StringComparer.Ordinal), "/v2/_catalog", query["last"], null);
        }
        else if (path.EndsWith("/tags/list", StringComparison.Ordinal))
        {
            var repository = path["/v2/".Length..^"/tags/list".Length];
            if (!_tags.TryGetValue(repository, out var tags))
            {
                await Error(response, 404, "NAME_UNKNOWN");
                return;
            }

            string[] names;
            lock (tags) names = [.. tags.Keys];
            await Page(response, "tags", names, path, query["last"], repository);
        }
        else if (path.LastIndexOf("/manifests/", StringComparison.Ordinal) is var at and > 0)
        {
            var repository = path["/v2/".Length..at];
            var reference = path[(at + "/manifests/".Length)..];
            if (context.Request.Method is not ("GET" or "HEAD"))
            {
                await Error(response, 405, "UNSUPPORTED");
                return;
            }

            if (!reference.Contains(':'))
            {
                string? digest = null;
                if (_tags.TryGetValue(repository, out var tags))
                {
                    lock (tags) tags.TryGetValue(reference, out digest);
                }

                reference = digest ?? "none";
            }

            if (!_manifests.TryGetValue(repository + "@" + reference, out var manifest))
            {
                await Error(response, 404, "MANIFEST_UNKNOWN");
                return;
            }

            response.ContentType = manifest.MediaType;
            response.ContentLength = manifest.Bytes.Length;
            response.Headers["Docker-Content-Digest"] = reference;
            if (context.Request.Method == "GET") await response.Body.WriteAsync(manifest.Bytes, context.RequestAborted);
        }
        else if (path.LastIndexOf("/blobs/", StringComparison.Ordinal) is var blob and > 0 && _blobs.TryGetValue(path[(blob + "/blobs/".Length)..], out var bytes))
        {
            response.ContentType = "application/octet-stream";
            response.ContentLength = bytes.Length;
            if (context.Request.Method == "GET") await response.Body.WriteAsync(bytes, context.RequestAborted);
        }
        else
        {
            await Error(response, 404, path.Contains("/blobs/", StringComparison.Ordinal) ? "BLOB_UNKNOWN" : "NOT_FOUND");
        }
    }

    private async Task Page(HttpResponse response, string kind, IEnumerable<string> all, string path, string? last, string? repository)
    {
        var names = all.Where(name => string.IsNullOrEmpty(last) || string.CompareOrdinal(name, last) > 0).Take(PageSize + 1).ToList();
        if (names.Count > PageSize)
        {
            names.RemoveAt(PageSize);
            response.Headers.Link = $"<{path}?n={PageSize}&last={Uri.EscapeDataString(names[^1])}>; rel=\"next\"";
        }

        var body = new JsonObject { [kind] = new JsonArray([.. names.Select(name => (JsonNode)name)]) };
        if (repository is not null) body["name"] = repository;
        await Json(response, body.ToJsonString());
    }

    private static Task Json(HttpResponse response, string text)
    {
        response.ContentType = "application/json";
        return response.WriteAsync(text);
    }

    private static Task Error(HttpResponse response, int status, string code)
    {
        response.StatusCode = status;
        return Json(response, "{\"errors\":[{\"code\":\"" + code + "\",\"message\":\"said the registry\"}]}");
    }
}
