using System.Text;
using System.Text.Json;
using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Tests.Servers;
using Xunit;

namespace RegistryTools.Tests.Registries;

public sealed class HttpRegistryManifestTests
{
    private static readonly Digest Config = Digest.Compute(Encoding.UTF8.GetBytes("{}"));
    private static readonly string Image = $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{Config}}","size":2},"layers":[]}""";
    private static readonly Digest ImageDigest = Digest.Compute(Encoding.UTF8.GetBytes(Image));

    [Fact]
    public async Task A_manifest_is_looked_up_and_fetched_with_every_media_type_asked_for()
    {
        var handler = new ScriptedHandler().On("HEAD /v2/a/manifests/t", Answer.Manifest(Image, MediaTypes.OciManifest)).On("GET /v2/a/manifests/t", Answer.Manifest(Image, MediaTypes.OciManifest));
        using var registry = await handler.ConnectAsync();
        var found = await registry.FindManifestAsync("a", "t");
        Assert.Equal((MediaTypes.OciManifest, ImageDigest, (long)Image.Length), (found!.MediaType, found.Digest, found.Size));
        var manifest = await registry.GetManifestAsync("a", "t");
        Assert.Equal((Image, ImageDigest), (Encoding.UTF8.GetString(manifest.Raw.Span), manifest.Digest));
        foreach (var request in handler.Requests)
        {
            foreach (var type in MediaTypes.ManifestAccept) Assert.Contains(type, request.Headers["Accept"]);
        }

        Assert.Equal(3, registry.RequestCount);
    }

    [Fact]
    public async Task A_manifest_without_its_digest_in_the_header_is_fetched_and_hashed()
    {
        var handler = new ScriptedHandler()
            .On("HEAD /v2/a/manifests/t", Answer.Manifest(Image, MediaTypes.OciManifest, withDigest: false))
            .On("GET /v2/a/manifests/t", Answer.Manifest(Image, MediaTypes.OciManifest, withDigest: false));
        using var registry = await handler.ConnectAsync();
        Assert.Equal(ImageDigest, (await registry.FindManifestAsync("a", "t"))!.Digest);
        Assert.Equal(["HEAD /v2/a/manifests/t", "GET /v2/a/manifests/t"], handler.Lines);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(405)]
    public async Task A_registry_that_does_not_answer_HEAD_is_asked_by_GET(int status)
    {
        var handler = new ScriptedHandler()
            .On("GET /v2/", Answer.Json(200, "{}"))
            .On("HEAD *", Answer.Status(status))
            .On("GET /v2/a/manifests/t", Answer.Manifest(Image, MediaTypes.OciManifest));
        using var registry = await handler.ConnectAsync();
        Assert.Equal(ImageDigest, (await registry.FindManifestAsync("a", "t"))!.Digest);
        Assert.Null(await registry.FindManifestAsync("a", "other"));
    }

    [Fact]
    public async Task A_registry_that_shows_itself_is_believed_that_a_tag_is_not_there()
    {
        var handler = new ScriptedHandler();
        using var registry = await handler.ConnectAsync();
        Assert.Null(await registry.FindManifestAsync("a", "t"));
        Assert.Equal(["HEAD /v2/a/manifests/t"], handler.Lines);
        await Assert.ThrowsAsync<RegistryNotFoundException>(() => registry.GetManifestAsync("a", "t"));
    }

    [Fact]
    public async Task A_wrong_digest_in_the_header_is_an_error()
    {
        var wrong = Digest.Random();
        var handler = new ScriptedHandler()
            .On("GET /v2/a/manifests/t", Answer.Text(200, Image, MediaTypes.OciManifest, ("Docker-Content-Digest", wrong.ToString())))
            .On("HEAD /v2/a/manifests/" + ImageDigest, Answer.Text(200, Image, MediaTypes.OciManifest, ("Docker-Content-Digest", wrong.ToString())))
            .On("GET /v2/a/manifests/" + wrong, Answer.Text(200, Image, MediaTypes.OciManifest));
        using var registry = await handler.ConnectAsync();
        foreach (var act in new Func<Task>[] { () => registry.GetManifestAsync("a", "t"), () => registry.FindManifestAsync("a", ImageDigest.ToString()), () => registry.GetManifestAsync("a", wrong.ToString()) })
        {
            var error = await Assert.ThrowsAsync<DigestMismatchException>(act);
            Assert.Contains("'a' on registry.test", error.Message);
        }

        Assert.Equal(3, handler.Lines.Count);
    }

    [Fact]
    public async Task A_manifest_over_the_limit_is_refused_whether_it_says_so_or_not()
    {
        var large = Encoding.UTF8.GetBytes("{" + new string(' ', 2000) + "}");
        var handler = new ScriptedHandler()
            .On("GET /v2/a/manifests/said", Answer.Bytes(200, large, MediaTypes.OciManifest))
            .On("GET /v2/a/manifests/unsaid", Answer.Partial(large, -1, BodyEnd.Stalls, MediaTypes.OciManifest))
            .On("GET /v2/a/manifests/lied", Answer.Partial(large, -1, BodyEnd.Ends, MediaTypes.OciManifest));
        using var registry = await handler.ConnectAsync(maximumManifest: 1000);
        foreach (var tag in new[] { "said", "unsaid", "lied" })
        {
            var error = await Assert.ThrowsAsync<RegistryProtocolException>(() => registry.GetManifestAsync("a", tag));
            Assert.Contains("larger than 1000 bytes", error.Message);
            Assert.Contains("/v2/a/manifests/" + tag, error.Message);
        }

        Assert.Equal(3, handler.Lines.Count);
    }

    [Fact]
    public async Task A_web_page_in_place_of_a_manifest_is_called_one()
    {
        using var registry = await new ScriptedHandler().On("* /v2/a/manifests/t", Answer.Html()).On("GET /v2/a/manifests/t", Answer.Html()).On("HEAD /v2/a/manifests/t", Answer.Html()).ConnectAsync();
        Assert.Contains("a web page", (await Assert.ThrowsAsync<RegistryProtocolException>(() => registry.GetManifestAsync("a", "t"))).Message);
        Assert.Contains("a web page", (await Assert.ThrowsAsync<RegistryProtocolException>(() => registry.FindManifestAsync("a", "t"))).Message);
    }

    [Fact]
    public async Task Truncated_JSON_is_one_clear_error()
    {
        using var registry = await new ScriptedHandler().On("GET /v2/a/manifests/t", Answer.Text(200, Image[..50], MediaTypes.OciManifest)).ConnectAsync();
        var error = await Assert.ThrowsAsync<ManifestFormatException>(() => registry.GetManifestAsync("a", "t"));
        Assert.Contains("'t' of 'a' on registry.test", error.Message);
    }

    [Fact]
    public async Task A_manifest_is_pushed_as_it_is_and_its_digest_is_checked()
    {
        var handler = new ScriptedHandler()
            .On("PUT /v2/a/manifests/t", Answer.Status(201, ("Docker-Content-Digest", ImageDigest.ToString())), Answer.Status(201), Answer.Status(201, ("Docker-Content-Digest", Digest.Random().ToString())))
            .On("PUT /v2/a/manifests/" + ImageDigest, Answer.Status(201));
        using var registry = await handler.ConnectAsync();
        Assert.Equal(ImageDigest, await registry.PutManifestAsync("a", "t", Encoding.UTF8.GetBytes(Image), MediaTypes.OciManifest));
        Assert.Equal(ImageDigest, await registry.PutManifestAsync("a", "t", Encoding.UTF8.GetBytes(Image), MediaTypes.OciManifest));
        await Assert.ThrowsAsync<DigestMismatchException>(() => registry.PutManifestAsync("a", "t", Encoding.UTF8.GetBytes(Image), MediaTypes.OciManifest));
        Assert.Equal(ImageDigest, await registry.PutManifestAsync("a", ImageDigest.ToString(), Encoding.UTF8.GetBytes(Image), MediaTypes.OciManifest));
        Assert.All(handler.Requests, request => Assert.Equal((Image, MediaTypes.OciManifest), (request.Text, request.Headers["Content-Type"])));

        // What is not that content is not sent at all.
        await Assert.ThrowsAsync<DigestMismatchException>(() => registry.PutManifestAsync("a", Digest.Random().ToString(), Encoding.UTF8.GetBytes(Image), MediaTypes.OciManifest));
        Assert.Equal(4, handler.Lines.Count);
    }

    [Fact]
    public async Task Warnings_are_told_once_each()
    {
        var log = new CollectingLog();
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", Answer.Text(200, Image, MediaTypes.OciManifest, ("Warning", "299 - \"this registry closes\"")));
        using var registry = await handler.ConnectAsync(log: log);
        await registry.GetManifestAsync("a", "t");
        await registry.GetManifestAsync("a", "t");
        Assert.Equal("WARNING registry.test warns: this registry closes", Assert.Single(log.Lines, line => line.StartsWith("WARNING", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(202, TagDeletion.Accepted)]
    [InlineData(200, TagDeletion.Accepted)]
    [InlineData(204, TagDeletion.Accepted)]
    [InlineData(404, TagDeletion.NotFound)]
    [InlineData(405, TagDeletion.NotSupported)]
    public async Task What_a_registry_says_to_the_deletion_of_a_tag(int status, TagDeletion expected)
    {
        var handler = new ScriptedHandler().On("DELETE /v2/a/manifests/t", Answer.Status(status));
        using var registry = await handler.ConnectAsync();
        Assert.Equal(expected, await registry.DeleteTagAsync("a", "t"));
        Assert.Single(handler.Lines);
    }

    [Theory]
    [InlineData(400, "UNSUPPORTED")]
    [InlineData(400, "DIGEST_INVALID")]
    [InlineData(400, "TAG_INVALID")]
    [InlineData(405, "UNSUPPORTED")]
    public async Task Only_its_own_word_counts_as_a_no(int status, string code)
    {
        using var registry = await new ScriptedHandler().On("DELETE /v2/a/manifests/t", Answer.Error(status, code)).ConnectAsync();
        Assert.Equal(TagDeletion.NotSupported, await registry.DeleteTagAsync("a", "t"));
    }

    [Theory]
    [InlineData(400, "NAME_INVALID", typeof(RegistryRequestException))]
    [InlineData(405, "DENIED", typeof(RegistryUnsupportedException))]
    [InlineData(409, "CONFLICT", typeof(RegistryRequestException))]
    [InlineData(412, "PRECONDITION", typeof(RegistryRequestException))]
    [InlineData(403, "DENIED", typeof(RegistryDeniedException))]
    [InlineData(401, "UNAUTHORIZED", typeof(RegistryUnauthorizedException))]
    [InlineData(500, "UNKNOWN", typeof(RegistryRequestException))]
    [InlineData(502, "UNSUPPORTED", typeof(RegistryRequestException))]
    [InlineData(503, "DIGEST_INVALID", typeof(RegistryRequestException))]
    [InlineData(302, "UNSUPPORTED", typeof(RegistryProtocolException))]
    public async Task Anything_else_said_to_the_deletion_of_a_tag_is_an_error_and_is_not_repeated(int status, string code, Type type)
    {
        var handler = new ScriptedHandler().On("DELETE /v2/a/manifests/t", Answer.Error(status, code));
        using var registry = await handler.ConnectAsync();
        var error = await Assert.ThrowsAnyAsync<RegistryRequestException>(() => registry.DeleteTagAsync("a", "t"));
        Assert.IsType(type, error);
        Assert.Equal(status, error.StatusCode);
        Assert.Single(handler.Lines);
    }

    [Theory]
    [InlineData(404, "MANIFEST_UNKNOWN", Support.Supported)]
    [InlineData(202, "", Support.Supported)]
    [InlineData(405, "UNSUPPORTED", Support.NotSupported)]
    [InlineData(400, "UNSUPPORTED", Support.NotSupported)]
    [InlineData(400, "DIGEST_INVALID", Support.Unknown)]
    public async Task Manifest_deletion_is_found_out_with_a_digest_that_nothing_has(int status, string code, Support expected)
    {
        var handler = new ScriptedHandler().On("DELETE /v2/a/manifests/sha256:*", Answer.Error(status, code));
        using var registry = await handler.ConnectAsync();
        Assert.Equal(expected, await registry.FindManifestDeletionAsync("a"));
        Assert.Equal(expected, await registry.FindManifestDeletionAsync("a"));
        Assert.Equal(2, handler.Lines.Distinct().Count());
    }

    [Theory]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(500)]
    public async Task What_does_not_tell_whether_deletion_is_on_is_an_error(int status)
    {
        using var registry = await new ScriptedHandler().On("DELETE *", Answer.Status(status)).ConnectAsync(retries: 0);
        Assert.Equal(status, (await Assert.ThrowsAnyAsync<RegistryRequestException>(() => registry.FindManifestDeletionAsync("a"))).StatusCode);
    }

    [Fact]
    public async Task Deleting_by_digest_is_repeated_and_a_404_after_doubt_is_done()
    {
        var digest = Digest.Random();
        foreach (var doubt in new[] { Answer.Dead, Answer.Status(502) })
        {
            var handler = new ScriptedHandler().On("DELETE /v2/a/manifests/" + digest, doubt, Answer.Error(404, "MANIFEST_UNKNOWN"));
            using var registry = await handler.ConnectAsync();
            await registry.DeleteManifestAsync("a", digest);
            Assert.Equal(2, handler.Lines.Count);
        }

        // A 429 leaves no doubt.
        var other = new ScriptedHandler().On("DELETE /v2/a/manifests/" + digest, Answer.Status(429), Answer.Error(404, "MANIFEST_UNKNOWN"));
        using var second = await other.ConnectAsync();
        await Assert.ThrowsAsync<RegistryNotFoundException>(() => second.DeleteManifestAsync("a", digest));
    }

    [Fact]
    public async Task Deletion_that_is_off_says_how_it_is_enabled()
    {
        using var registry = await new ScriptedHandler().On("DELETE *", Answer.Error(405, "UNSUPPORTED")).ConnectAsync();
        var error = await Assert.ThrowsAsync<RegistryUnsupportedException>(() => registry.DeleteManifestAsync("a", Digest.Random()));
        Assert.Contains("REGISTRY_STORAGE_DELETE_ENABLED", error.Remedy);
        await Assert.ThrowsAsync<RegistryUnsupportedException>(() => registry.DeleteBlobAsync("a", Digest.Random()));
    }

    [Fact]
    public async Task Referrers_come_by_the_API_page_by_page_and_are_filtered_here_too()
    {
        var handler = new ScriptedHandler()
            .On($"GET /v2/a/referrers/{ImageDigest}?artifactType=application%2Fx.sig", Referrers([("application/x.sig", 1), ("application/x.sbom", 2)], ("Link", $"</v2/a/referrers/{ImageDigest}?artifactType=application%2Fx.sig&page=2>; rel=next")))
            .On($"GET /v2/a/referrers/{ImageDigest}?artifactType=application%2Fx.sig&page=2", Referrers([("application/x.sig", 3)]))
            .On($"GET /v2/a/referrers/{ImageDigest}", Referrers([("application/x.sig", 1), ("application/x.sbom", 2)]));
        using var registry = await handler.ConnectAsync();
        Assert.Equal([1L, 3], (await ReferrersAsync(registry, "application/x.sig")).Select(referrer => referrer.Size));
        Assert.Equal([1L, 2], (await ReferrersAsync(registry)).Select(referrer => referrer.Size));
    }

    [Fact]
    public async Task Without_the_API_referrers_come_from_the_fallback_tag()
    {
        var tag = TagName.ForReferrersOf(ImageDigest);
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/" + tag, Referrers([("application/x.sig", 1), ("application/x.sbom", 2)]));
        using var registry = await handler.ConnectAsync();
        Assert.Equal([1L], (await ReferrersAsync(registry, "application/x.sig")).Select(referrer => referrer.Size));
        Assert.Equal([1L, 2], (await ReferrersAsync(registry)).Select(referrer => referrer.Size));

        // That it has no API is known after the first time.
        Assert.Single(handler.Lines, line => line.Contains("/referrers/"));
        var empty = new ScriptedHandler();
        using var second = await empty.ConnectAsync();
        Assert.Empty(await ReferrersAsync(second));
    }

    [Fact]
    public async Task An_unknown_repository_says_nothing_about_the_API()
    {
        var handler = new ScriptedHandler()
            .On("GET /v2/none/referrers/*", Answer.Error(404, "NAME_UNKNOWN"))
            .On($"GET /v2/a/referrers/{ImageDigest}", Referrers([("application/x.sig", 1)]));
        using var registry = await handler.ConnectAsync();
        await foreach (var _ in registry.ListReferrersAsync("none", ImageDigest)) Assert.Fail("There are none.");
        Assert.Single(await ReferrersAsync(registry));
    }

    [Fact]
    public async Task A_page_of_referrers_that_is_missing_is_an_error_and_not_the_end()
    {
        var handler = new ScriptedHandler().On($"GET /v2/a/referrers/{ImageDigest}", Referrers([("application/x.sig", 1)], ("Link", $"</v2/a/referrers/{ImageDigest}?page=2>; rel=next")));
        using var registry = await handler.ConnectAsync();
        await Assert.ThrowsAnyAsync<RegistryRequestException>(() => ReferrersAsync(registry));
    }

    [Fact]
    public async Task A_registry_with_the_API_keeps_its_own_list()
    {
        var referrer = Referrer(ImageDigest);
        var handler = new ScriptedHandler().On("PUT *", Answer.Status(201, ("OCI-Subject", ImageDigest.ToString())));
        using var registry = await handler.ConnectAsync();
        await registry.PutManifestAsync("a", "sig", Encoding.UTF8.GetBytes(referrer), MediaTypes.OciManifest);
        Assert.Single(handler.Lines);
    }

    [Fact]
    public async Task A_push_with_a_subject_is_noted_under_the_fallback_tag_and_foreign_fields_stay()
    {
        var tag = TagName.ForReferrersOf(ImageDigest);
        var referrer = Referrer(ImageDigest);
        var before = $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","x-foreign":{"é":[1.50,"<+>"]},"manifests":[{"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{Config}}","size":9,"x-own":true}],"annotations":{"k":"v"} }""";
        var handler = new ScriptedHandler()
            .On("PUT *", Answer.Status(201))
            .On("HEAD /v2/a/manifests/" + tag, Answer.Manifest(before, MediaTypes.OciIndex))
            .On("GET /v2/a/manifests/" + tag, Answer.Manifest(before, MediaTypes.OciIndex));
        using var registry = await handler.ConnectAsync();
        await registry.PutManifestAsync("a", "sig", Encoding.UTF8.GetBytes(referrer), MediaTypes.OciManifest);
        var put = handler.Requests[^1];
        Assert.Equal("PUT /v2/a/manifests/" + tag, put.ToString());
        Assert.Equal(MediaTypes.OciIndex, put.Headers["Content-Type"]);
        using var after = JsonDocument.Parse(put.Body);
        Assert.Equal("{\"é\":[1.50,\"<+>\"]}", put.Text[(put.Text.IndexOf("x-foreign", StringComparison.Ordinal) + 11)..(put.Text.IndexOf("\"manifests\"", StringComparison.Ordinal) - 1)]);
        Assert.Equal("v", after.RootElement.GetProperty("annotations").GetProperty("k").GetString());
        var entries = after.RootElement.GetProperty("manifests");
        Assert.True(entries[0].GetProperty("x-own").GetBoolean());
        Assert.Equal(Digest.Compute(Encoding.UTF8.GetBytes(referrer)).ToString(), entries[1].GetProperty("digest").GetString());
        Assert.Equal(("application/x.sig", "me"), (entries[1].GetProperty("artifactType").GetString(), entries[1].GetProperty("annotations").GetProperty("by").GetString()));
    }

    [Theory]
    [InlineData("{\"schemaVersion\":2,\"manifests\":[],\"x\":1,\"x\":2}")]
    [InlineData("{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"size\":1,\"size\":2}]}")]
    public async Task A_fallback_list_that_cannot_be_changed_without_loss_is_left(string index)
    {
        var handler = new ScriptedHandler()
            .On("PUT *", Answer.Status(201))
            .On("HEAD /v2/a/manifests/" + TagName.ForReferrersOf(ImageDigest), Answer.Manifest(index, MediaTypes.OciIndex))
            .On("GET /v2/a/manifests/" + TagName.ForReferrersOf(ImageDigest), Answer.Manifest(index, MediaTypes.OciIndex));
        using var registry = await handler.ConnectAsync();
        await Assert.ThrowsAsync<ManifestFormatException>(() => registry.PutManifestAsync("a", "sig", Encoding.UTF8.GetBytes(Referrer(ImageDigest)), MediaTypes.OciManifest));
        Assert.Single(handler.Lines, line => line.StartsWith("PUT", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Referrers_pushed_at_once_are_all_noted()
    {
        var tag = TagName.ForReferrersOf(ImageDigest);
        string? stored = null;
        var handler = new ScriptedHandler()
            .On("PUT *", Answer.Status(201))
            .OnAsync("PUT /v2/a/manifests/" + tag, async (request, _) =>
            {
                await Task.Yield();
                stored = request.Text;
                return Answer.Status(201)(request);
            })
            .On("HEAD /v2/a/manifests/" + tag, request => stored is null ? Answer.Status(404)(request) : Answer.Manifest(stored, MediaTypes.OciIndex)(request))
            .OnAsync("GET /v2/a/manifests/" + tag, async (request, stop) =>
            {
                var now = stored!;
                await Task.Delay(5, stop);
                return Answer.Manifest(now, MediaTypes.OciIndex)(request);
            });
        using var registry = await handler.ConnectAsync();
        await Task.WhenAll(Enumerable.Range(0, 10).Select(i => Task.Run(() => registry.PutManifestAsync("a", "sig" + i, Encoding.UTF8.GetBytes(Referrer(ImageDigest, i.ToString())), MediaTypes.OciManifest))));
        Assert.Equal(10, Manifest.Parse(Encoding.UTF8.GetBytes(stored!), MediaTypes.OciIndex).Manifests.Select(entry => entry.Digest).Distinct().Count());
    }

    private static string Referrer(Digest subject, string by = "me") =>
        $$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.OciManifest}}}","artifactType":"application/x.sig","config":{"mediaType":"{{{MediaTypes.OciEmpty}}}","digest":"{{{Config}}}","size":2},"layers":[],"subject":{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{subject}}}","size":1},"annotations":{"by":"{{{by}}}" }}""";

    private static Func<SeenRequest, HttpResponseMessage> Referrers((string Type, int Size)[] entries, params (string, string)[] headers) =>
        Answer.Text(
            200,
            JsonSerializer.Serialize(new { schemaVersion = 2, mediaType = MediaTypes.OciIndex, manifests = entries.Select(entry => new { mediaType = MediaTypes.OciManifest, digest = Config.ToString(), size = entry.Size, artifactType = entry.Type }) }),
            MediaTypes.OciIndex,
            headers);

    private static async Task<List<Descriptor>> ReferrersAsync(HttpRegistry registry, string? type = null)
    {
        var list = new List<Descriptor>();
        await foreach (var referrer in registry.ListReferrersAsync("a", ImageDigest, type)) list.Add(referrer);
        return list;
    }
}
