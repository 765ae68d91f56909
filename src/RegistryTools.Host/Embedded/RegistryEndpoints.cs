using Microsoft.AspNetCore.Http;

namespace RegistryTools.Host.Embedded;

/// <summary>Finds out what a request is for. Repository names have slashes in them, so it is read from the path's end.</summary>
internal sealed class RegistryEndpoints
{
    private readonly EmbeddedRegistryOptions _options;
    private readonly DistributionStore _store;
    private readonly ListEndpoints _lists;
    private readonly ManifestEndpoints _manifests;
    private readonly BlobEndpoints _blobs;

    public RegistryEndpoints(EmbeddedRegistryOptions options, DistributionStore store)
    {
        _options = options;
        _store = store;
        _lists = new ListEndpoints(options, store);
        _manifests = new ManifestEndpoints(options, store);
        _blobs = new BlobEndpoints(options, store);
    }

    public async Task AnswerAsync(HttpContext context, Answer answer)
    {
        var path = context.Request.Path.Value ?? string.Empty;
        if (path is "/v2" or "/v2/")
        {
            answer.Json(new { });
            return;
        }

        if (!path.StartsWith("/v2/", StringComparison.Ordinal))
        {
            NotThere(answer);
            return;
        }

        if (path == "/v2/_catalog")
        {
            _lists.Catalog(context, answer);
            return;
        }

        var parts = path["/v2/".Length..].Split('/');
        var method = context.Request.Method;
        if (parts is [.., "tags", "list"] && Name(parts, 2) is { } listed) _lists.Tags(context, answer, listed);
        else if (parts is [.., "referrers", var subject] && Name(parts, 2) is { } referred) _lists.Referrers(context, answer, referred, subject);
        else if (parts is [.., "manifests", var reference] && Name(parts, 2) is { } repository) await _manifests.AnswerAsync(context, answer, repository, reference);
        else if (parts is [.., "blobs", "uploads", var upload] && Name(parts, 3) is { } into) await _blobs.UploadAsync(context, answer, into, upload);
        else if (parts is [.., "blobs", "uploads"] && Name(parts, 2) is { } begun) await _blobs.UploadAsync(context, answer, begun, string.Empty);
        else if (parts is [.., "blobs", var digest] && Name(parts, 2) is { } holder) _blobs.Answer(context, answer, holder, digest);
        else if (parts.Length > 2) answer.Error(400, "NAME_INVALID", "invalid repository name");
        else NotThere(answer);
    }

    private static string? Name(string[] parts, int tail)
    {
        var name = string.Join('/', parts[..^tail]);
        return RegistryNames.IsRepository(name) ? name : null;
    }

    private static void NotThere(Answer answer)
    {
        answer.StatusCode = 404;
        answer.ContentType = "text/plain; charset=utf-8";
        answer.Body = "404 page not found\n"u8.ToArray();
    }
}
