using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace RegistryTools.Host.Embedded;

/// <summary>Blobs and their uploads.</summary>
internal sealed class BlobEndpoints(EmbeddedRegistryOptions options, DistributionStore store)
{
    public void Answer(HttpContext context, Answer answer, string repository, string digest)
    {
        if (HttpMethods.IsDelete(context.Request.Method) && !options.DeleteEnabled)
        {
            answer.Error(405, "UNSUPPORTED", "The operation is unsupported.");
            return;
        }

        if (!RegistryNames.IsDigest(digest))
        {
            answer.Error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
            return;
        }

        switch (context.Request.Method)
        {
            case "GET" or "HEAD":
                Get(context, answer, repository, digest);
                break;
            case "DELETE":
                if (store.DeleteLayer(repository, digest)) answer.StatusCode = 202;
                else answer.Error(404, "BLOB_UNKNOWN", "blob unknown to registry", digest);
                break;
            default:
                answer.Error(405, "UNSUPPORTED", "The operation is unsupported.");
                break;
        }
    }

    public async Task UploadAsync(HttpContext context, Answer answer, string repository, string id)
    {
        var query = context.Request.Query;
        if (HttpMethods.IsPost(context.Request.Method))
        {
            await BeginAsync(context, answer, repository, query["mount"].ToString(), query["from"].ToString(), query["digest"].ToString());
            return;
        }

        if (store.FindUpload(repository, id) is not { } data)
        {
            answer.Error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
            return;
        }

        switch (context.Request.Method)
        {
            case "GET":
                Describe(context, answer, repository, id, data);
                answer.StatusCode = 204;
                break;
            case "PATCH":
                await AppendAsync(context, answer, repository, id, data);
                break;
            case "PUT":
                await FinishAsync(context, answer, repository, id, data, query["digest"].ToString());
                break;
            case "DELETE":
                store.CancelUpload(repository, id);
                answer.StatusCode = 204;
                break;
            default:
                answer.Error(405, "UNSUPPORTED", "The operation is unsupported.");
                break;
        }
    }

    private static void Describe(HttpContext context, Answer answer, string repository, string id, string data)
    {
        var length = new FileInfo(data).Length;
        answer.Headers["Location"] = $"{context.Request.Scheme}://{context.Request.Host}/v2/{repository}/blobs/uploads/{id}?_state=here";
        answer.Headers["Range"] = string.Create(CultureInfo.InvariantCulture, $"0-{Math.Max(0, length - 1)}");
        answer.Headers["Docker-Upload-UUID"] = id;
    }

    private static async Task ReceiveAsync(HttpContext context, string data)
    {
        await using var file = new FileStream(data, FileMode.Append, FileAccess.Write, FileShare.Read);
        await context.Request.Body.CopyToAsync(file, context.RequestAborted);
    }

    private void Get(HttpContext context, Answer answer, string repository, string digest)
    {
        if (!store.HasLayer(repository, digest))
        {
            answer.Error(404, "BLOB_UNKNOWN", "blob unknown to registry", digest);
            return;
        }

        answer.Headers["Docker-Content-Digest"] = digest;
        answer.Headers["ETag"] = $"\"{digest}\"";
        if (context.Request.Headers.IfNoneMatch.ToString().Trim('"') == digest)
        {
            answer.StatusCode = 304;
            return;
        }

        var path = store.BlobPath(digest);
        var length = new FileInfo(path).Length;
        answer.ContentType = "application/octet-stream";
        answer.Headers["Accept-Ranges"] = "bytes";
        long from = 0;
        var to = length - 1;
        if (RangeHeaderValue.TryParse(context.Request.Headers.Range.ToString(), out var range) && range.Ranges.Count == 1)
        {
            var one = range.Ranges.First();
            from = one.From ?? Math.Max(0, length - (one.To ?? 0));
            to = one.From is null ? length - 1 : Math.Min(one.To ?? to, to);
            if (from > to)
            {
                answer.StatusCode = 416;
                answer.Headers["Content-Range"] = string.Create(CultureInfo.InvariantCulture, $"bytes */{length}");
                return;
            }

            answer.StatusCode = 206;
            answer.Headers["Content-Range"] = string.Create(CultureInfo.InvariantCulture, $"bytes {from}-{to}/{length}");
        }

        answer.File = (path, from, to - from + 1);
    }

    private async Task BeginAsync(HttpContext context, Answer answer, string repository, string mount, string from, string digest)
    {
        if (mount.Length > 0 && from.Length > 0 && RegistryNames.IsDigest(mount) && RegistryNames.IsRepository(from) && store.HasLayer(from, mount))
        {
            store.LinkBlob(repository, mount);
            Created(context, answer, repository, mount);
            return;
        }

        if (digest.Length > 0 && options.SinglePostUpload && !RegistryNames.IsDigest(digest))
        {
            answer.Error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
            return;
        }

        var id = store.BeginUpload(repository);
        var data = store.FindUpload(repository, id)!;
        if (digest.Length > 0 && options.SinglePostUpload)
        {
            await ReceiveAsync(context, data);
            await CloseAsync(context, answer, repository, id, data, digest);
            return;
        }

        Describe(context, answer, repository, id, data);
        answer.StatusCode = 202;
    }

    private async Task AppendAsync(HttpContext context, Answer answer, string repository, string id, string data)
    {
        if (!Follows(context, data))
        {
            Describe(context, answer, repository, id, data);
            answer.Error(416, "BLOB_UPLOAD_INVALID", "the chunk does not follow what was received");
            return;
        }

        await ReceiveAsync(context, data);
        Describe(context, answer, repository, id, data);
        answer.StatusCode = 202;
    }

    /// <summary>Whether a chunk that says where it belongs begins where the upload ends, and is as long as it says.</summary>
    private static bool Follows(HttpContext context, string data)
    {
        var range = context.Request.Headers.ContentRange.ToString();
        if (range.Length == 0) return true;
        var hyphen = range.IndexOf('-', StringComparison.Ordinal);
        return hyphen > 0
            && long.TryParse(range.AsSpan(0, hyphen), NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            && long.TryParse(range.AsSpan(hyphen + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            && first == new FileInfo(data).Length
            && last >= first
            && (context.Request.ContentLength is not { } length || length == last - first + 1);
    }

    private async Task FinishAsync(HttpContext context, Answer answer, string repository, string id, string data, string digest)
    {
        if (!RegistryNames.IsDigest(digest))
        {
            answer.Error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
            return;
        }

        if (!Follows(context, data))
        {
            Describe(context, answer, repository, id, data);
            answer.Error(416, "BLOB_UPLOAD_INVALID", "the chunk does not follow what was received");
            return;
        }

        await ReceiveAsync(context, data);
        await CloseAsync(context, answer, repository, id, data, digest);
    }

    private async Task CloseAsync(HttpContext context, Answer answer, string repository, string id, string data, string digest)
    {
        string actual;
        await using (var stream = File.OpenRead(data)) actual = await RegistryNames.DigestOfAsync(stream, digest, context.RequestAborted);
        if (actual != digest)
        {
            store.CancelUpload(repository, id);
            answer.Error(400, "DIGEST_INVALID", "provided digest did not match uploaded content", new { digest });
            return;
        }

        store.FinishUpload(repository, id, digest);
        Created(context, answer, repository, digest);
    }

    private static void Created(HttpContext context, Answer answer, string repository, string digest)
    {
        answer.StatusCode = 201;
        answer.Headers["Location"] = $"{context.Request.Scheme}://{context.Request.Host}/v2/{repository}/blobs/{digest}";
        answer.Headers["Docker-Content-Digest"] = digest;
    }
}
