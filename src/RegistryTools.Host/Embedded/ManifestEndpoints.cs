using Microsoft.AspNetCore.Http;

namespace RegistryTools.Host.Embedded;

/// <summary>Manifests: pull, push, delete.</summary>
internal sealed class ManifestEndpoints(EmbeddedRegistryOptions options, DistributionStore store)
{
    private const int MaximumSize = 4 * 1024 * 1024;

    public async Task AnswerAsync(HttpContext context, Answer answer, string repository, string reference)
    {
        var isDigest = RegistryNames.IsDigest(reference);
        if (!isDigest && !RegistryNames.IsTag(reference))
        {
            answer.Error(400, reference.Contains(':', StringComparison.Ordinal) ? "DIGEST_INVALID" : "TAG_INVALID", "invalid reference");
            return;
        }

        switch (context.Request.Method)
        {
            case "GET" or "HEAD":
                Get(context, answer, repository, reference, isDigest);
                break;
            case "PUT":
                await PutAsync(context, answer, repository, reference, isDigest);
                break;
            case "DELETE":
                Delete(answer, repository, reference, isDigest);
                break;
            default:
                answer.Error(405, "UNSUPPORTED", "The operation is unsupported.");
                break;
        }
    }

    private static void Unknown(Answer answer, string repository, string reference) =>
        answer.Error(404, "MANIFEST_UNKNOWN", "manifest unknown", new { name = repository, reference });

    private void Get(HttpContext context, Answer answer, string repository, string reference, bool isDigest)
    {
        var digest = isDigest ? reference : store.FindTag(repository, reference);
        if (digest is null || store.ReadManifest(repository, digest) is not { } bytes)
        {
            Unknown(answer, repository, reference);
            return;
        }

        // Only a type that is named counts: distribution takes no wildcard for an OCI type.
        var accepted = context.Request.Headers.Accept
            .SelectMany(line => (line ?? string.Empty).Split(','))
            .Select(type => type.Split(';')[0].Trim())
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        var manifest = StoredManifest.Read(bytes);
        var mediaType = manifest?.MediaType ?? "application/json";
        if (manifest is { IsOci: true } && !accepted.Contains(mediaType))
        {
            answer.Error(404, "MANIFEST_UNKNOWN", mediaType == StoredManifest.OciIndex ? "OCI index found, but accept header does not support OCI indexes" : "OCI manifest found, but accept header does not support OCI manifests");
            return;
        }

        if (!isDigest && mediaType == StoredManifest.DockerList && !accepted.Contains(StoredManifest.DockerList))
        {
            // To a client that does not know lists, one platform of it: what makes a careless HEAD dangerous.
            var child = manifest!.Children.FirstOrDefault(child => child is { Os: "linux", Architecture: "amd64" }).Digest;
            if (child is null || store.ReadManifest(repository, child) is not { } childBytes)
            {
                Unknown(answer, repository, reference);
                return;
            }

            (digest, bytes, mediaType) = (child, childBytes, StoredManifest.Read(childBytes)?.MediaType ?? mediaType);
        }

        if (context.Request.Headers.IfNoneMatch.ToString().Trim('"') == digest)
        {
            answer.StatusCode = 304;
            return;
        }

        if (!options.OmitsContentDigest) answer.Headers["Docker-Content-Digest"] = digest;
        answer.Headers["ETag"] = $"\"{digest}\"";
        answer.ContentType = mediaType;
        answer.Body = bytes;
    }

    private async Task PutAsync(HttpContext context, Answer answer, string repository, string reference, bool isDigest)
    {
        using var memory = new MemoryStream();
        var buffer = new byte[64 * 1024];
        int count;
        while ((count = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            memory.Write(buffer, 0, count);
            if (memory.Length <= MaximumSize) continue;
            answer.Error(413, "MANIFEST_INVALID", "manifest too large");
            return;
        }

        var bytes = memory.ToArray();
        var contentType = (context.Request.ContentType ?? string.Empty).Split(';')[0].Trim();
        var manifest = StoredManifest.Read(bytes, contentType);
        if (manifest is null || manifest.MediaType != contentType)
        {
            answer.Error(400, "MANIFEST_INVALID", "manifest invalid");
            return;
        }

        var digest = RegistryNames.DigestOf(bytes, isDigest ? reference : null);
        if (isDigest && digest != reference)
        {
            answer.Error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
            return;
        }

        foreach (var blob in manifest.Blobs)
        {
            if (RegistryNames.IsDigest(blob) && store.HasLayer(repository, blob)) continue;
            answer.Error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", new { digest = blob });
            return;
        }

        foreach (var (child, _, _) in manifest.Children)
        {
            if (RegistryNames.IsDigest(child) && store.HasManifest(repository, child)) continue;
            answer.Error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", new { digest = child });
            return;
        }

        store.WriteManifest(repository, isDigest ? null : reference, bytes, digest);
        answer.StatusCode = 201;
        answer.Headers["Location"] = $"{context.Request.Scheme}://{context.Request.Host}/v2/{repository}/manifests/{digest}";
        if (!options.OmitsContentDigest) answer.Headers["Docker-Content-Digest"] = digest;
        if (options.ReferrersApi && manifest.Subject is not null) answer.Headers["OCI-Subject"] = manifest.Subject;
    }

    private void Delete(Answer answer, string repository, string reference, bool isDigest)
    {
        if (!isDigest && options.TagDelete == TagDeleteBehaviour.Refused400 && options.DeleteEnabled)
        {
            answer.Error(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
            return;
        }

        if (!options.DeleteEnabled || (!isDigest && options.TagDelete != TagDeleteBehaviour.Supported))
        {
            answer.Error(405, "UNSUPPORTED", "The operation is unsupported.");
            return;
        }

        var done = isDigest ? store.DeleteManifest(repository, reference) : store.DeleteTag(repository, reference);
        if (!done && isDigest && options.UnlinksLayersByManifestDelete) done = store.DeleteLayer(repository, reference);
        if (done) answer.StatusCode = 202;
        else Unknown(answer, repository, reference);
    }
}
