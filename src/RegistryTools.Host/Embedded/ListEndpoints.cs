using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace RegistryTools.Host.Embedded;

/// <summary>Lists: repositories, tags, referrers.</summary>
internal sealed class ListEndpoints(EmbeddedRegistryOptions options, DistributionStore store)
{
    public void Catalog(HttpContext context, Answer answer)
    {
        if (!options.Catalog)
        {
            answer.Error(404, "UNSUPPORTED", "no catalog here");
            return;
        }

        if (!HttpMethods.IsGet(context.Request.Method))
        {
            answer.Error(405, "UNSUPPORTED", "The operation is unsupported.");
            return;
        }

        if (Page(context, answer, store.Repositories(), DistributionStore.CatalogOrder, Math.Min(options.CatalogPage, options.MaximumPage)) is { } page) answer.Json(new { repositories = page });
    }

    public void Tags(HttpContext context, Answer answer, string repository)
    {
        if (!HttpMethods.IsGet(context.Request.Method))
        {
            answer.Error(405, "UNSUPPORTED", "The operation is unsupported.");
            return;
        }

        var tags = store.Tags(repository);
        if (!store.HasRepository(repository) || (tags.Count == 0 && options.EmptyTags == EmptyTagList.NotFound))
        {
            answer.Error(404, "NAME_UNKNOWN", "repository name not known to registry", new { name = repository });
            return;
        }

        if (tags.Count == 0)
        {
            answer.Json(new { name = repository, tags = options.EmptyTags == EmptyTagList.Null ? null : Array.Empty<string>() });
            return;
        }

        if (options.TagPaging == TagPaging.IgnoresN)
        {
            // In no order that anybody could rely on, and yet the same each time.
            answer.Json(new { name = repository, tags = tags.OrderBy(tag => RegistryNames.DigestOf(System.Text.Encoding.UTF8.GetBytes(tag)), StringComparer.Ordinal) });
            return;
        }

        if (Page(context, answer, tags, StringComparer.Ordinal, options.MaximumPage) is { } page) answer.Json(new { name = repository, tags = page });
    }

    public void Referrers(HttpContext context, Answer answer, string repository, string subject)
    {
        if (!options.ReferrersApi)
        {
            answer.StatusCode = 404;
            answer.ContentType = "text/plain; charset=utf-8";
            answer.Body = "404 page not found\n"u8.ToArray();
            return;
        }

        if (!RegistryNames.IsDigest(subject))
        {
            answer.Error(400, "DIGEST_INVALID", "invalid digest");
            return;
        }

        var wanted = context.Request.Query["artifactType"].ToString();
        var referrers = new JsonArray();
        foreach (var digest in store.Manifests(repository).Order(StringComparer.Ordinal))
        {
            if (store.ReadManifest(repository, digest) is not { } bytes || StoredManifest.Read(bytes) is not { } manifest || manifest.Subject != subject) continue;
            if (wanted.Length > 0 && manifest.ArtifactType != wanted) continue;
            var entry = new JsonObject { ["mediaType"] = manifest.MediaType, ["digest"] = digest, ["size"] = bytes.Length };
            if (manifest.ArtifactType is not null) entry["artifactType"] = manifest.ArtifactType;
            if (manifest.Annotations is not null) entry["annotations"] = manifest.Annotations.DeepClone();
            referrers.Add(entry);
        }

        if (wanted.Length > 0) answer.Headers["OCI-Filters-Applied"] = "artifactType";
        answer.ContentType = StoredManifest.OciIndex;
        answer.Body = JsonSerializer.SerializeToUtf8Bytes(new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = StoredManifest.OciIndex, ["manifests"] = referrers });
    }

    private List<string>? Page(HttpContext context, Answer answer, IReadOnlyList<string> all, IComparer<string> order, int unasked)
    {
        var query = context.Request.Query;
        var absolute = options.TagPaging == TagPaging.AbsoluteLink;
        var n = unasked;
        if (query.TryGetValue("n", out var asked))
        {
            // Distribution 2.8 takes what is no number for nothing.
            if (!int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out n)) n = options.TagPaging == TagPaging.IgnoresN ? unasked : -1;
            if (n < 0 || (n > options.MaximumPage && options.RejectsLargeN))
            {
                answer.Error(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested", new { n = asked.ToString() });
                return null;
            }

            n = Math.Min(n, options.MaximumPage);
        }

        if (n == 0) return [];
        var last = query["last"].ToString();
        var page = all.Where(item => last.Length == 0 || order.Compare(item, last) > 0).Take(n + 1).ToList();
        if (page.Count <= n) return page;
        page.RemoveAt(n);
        var next = $"{context.Request.Path}?last={Uri.EscapeDataString(page[^1])}&n={n}";
        answer.Headers["Link"] = $"<{(absolute ? $"{context.Request.Scheme}://{context.Request.Host}" : string.Empty)}{next}>; rel=\"next\"";
        return page;
    }
}
