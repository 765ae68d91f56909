using System.Text;
using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;
using Xunit;

namespace RegistryTools.Tests.Review;

/// <summary>Answers that are taken for no more, and no less, than they say.</summary>
public sealed class AnswerTests
{
    private const string Image = """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}""";

    private static readonly string ImageDigest = Digest.Compute(Encoding.UTF8.GetBytes(Image)).ToString();

    [Fact]
    public async Task A_registry_that_answers_404_to_every_HEAD_is_asked_by_GET_although_it_sends_distribution_s_header()
    {
        var wire = new Wire(sent => sent switch
        {
            { Method: "HEAD" } => Wire.Text(404, "", "text/plain", ("Docker-Distribution-Api-Version", "registry/2.0")),
            { Line: "GET /v2/a/manifests/t" } => Wire.Text(200, Image, MediaTypes.OciManifest),
            { Line: "GET /v2/" } => null,
            _ => Wire.Error(404, "MANIFEST_UNKNOWN"),
        });
        using var registry = await wire.ConnectAsync();
        Assert.Null(await registry.FindManifestAsync("a", "missing"));
        Assert.Equal(ImageDigest, (await registry.FindManifestAsync("a", "t"))!.Digest.ToString());
        Assert.Equal(ImageDigest, (await registry.FindManifestAsync("a", "t"))!.Digest.ToString());
        Assert.Null(await registry.FindManifestAsync("a", "missing"));
        Assert.Equal(2, wire.Requests.Count(sent => sent.Method == "HEAD"));
    }

    [Fact]
    public async Task Once_HEAD_has_found_something_its_404_is_believed()
    {
        var wire = new Wire(sent => sent switch
        {
            { Line: "HEAD /v2/a/manifests/t" } => Wire.Text(200, "", MediaTypes.OciManifest, ("Docker-Content-Digest", ImageDigest)),
            { Method: "HEAD" } => Wire.Text(404, "", "text/plain"),
            _ => null,
        });
        using var registry = await wire.ConnectAsync();
        Assert.NotNull(await registry.FindManifestAsync("a", "t"));
        for (var i = 0; i < 5; i++) Assert.Null(await registry.FindManifestAsync("a", "missing"));
        Assert.DoesNotContain(wire.Requests, sent => sent is { Method: "GET", Line: not "GET /v2/" });
    }

    [Fact]
    public async Task A_list_that_gives_the_same_page_under_ever_new_addresses_ends()
    {
        var page = 0;
        var wire = new Wire(sent => sent.Line == "GET /v2/" ? null : Wire.Json(200, """{"name":"a","tags":["x","y"]}""", ("Link", $"</v2/a/tags/list?page={++page}>; rel=\"next\"")));
        using var registry = await wire.ConnectAsync();
        var error = await Assert.ThrowsAsync<RegistryProtocolException>(async () =>
        {
            await foreach (var _ in registry.ListTagsAsync("a")) { }
        });
        Assert.Contains("circle", error.Message, StringComparison.Ordinal);
        Assert.Equal(2, page);
    }

    [Fact]
    public async Task Empty_pages_are_passed_over_but_not_without_end()
    {
        var page = 0;
        var wire = new Wire(sent => sent.Line == "GET /v2/" ? null : ++page switch
        {
            < 5 => Wire.Json(200, """{"repositories":[]}""", ("Link", $"</v2/_catalog?page={page}>; rel=next")),
            5 => Wire.Json(200, """{"repositories":["a"]}""", ("Link", "</v2/_catalog?page=last>; rel=next")),
            6 => Wire.Json(200, """{"repositories":null}"""),
            _ => Wire.Json(200, """{"repositories":[]}""", ("Link", $"</v2/_catalog?page={page}>; rel=next")),
        });
        using var registry = await wire.ConnectAsync();
        Assert.Equal(["a"], await ToListAsync(registry.ListRepositoriesAsync()));
        await Assert.ThrowsAsync<RegistryProtocolException>(() => ToListAsync(registry.ListRepositoriesAsync()));
        Assert.Equal(106, page);
    }

    [Fact]
    public async Task A_page_is_never_asked_for_larger_than_registries_give_and_a_refusal_is_remembered()
    {
        var wire = new Wire(sent => sent.Uri.Query switch
        {
            "?n=1000" => Wire.Error(400, "PAGINATION_NUMBER_INVALID"),
            "?n=100" => Wire.Json(200, """{"name":"a","tags":["t"]}"""),
            _ => null,
        });
        using var registry = await wire.ConnectAsync(new HttpRegistryOptions { PageSize = 50_000 });
        Assert.Equal(["t"], await ToListAsync(registry.ListTagsAsync("a")));
        Assert.Equal(["t"], await ToListAsync(registry.ListTagsAsync("a")));
        Assert.Equal(["GET /v2/", "GET /v2/a/tags/list?n=1000", "GET /v2/a/tags/list?n=100", "GET /v2/a/tags/list?n=100"], wire.Lines);
    }

    [Theory]
    [InlineData(404, "NOT_FOUND")]
    [InlineData(405, "UNSUPPORTED")]
    [InlineData(400, "UNSUPPORTED")]
    public async Task A_registry_without_a_catalog_says_so(int status, string code)
    {
        var wire = new Wire(sent => sent.Line == "GET /v2/" ? null : Wire.Error(status, code));
        using var registry = await wire.ConnectAsync();
        var error = await Assert.ThrowsAsync<RegistryUnsupportedException>(() => ToListAsync(registry.ListRepositoriesAsync()));
        Assert.Contains("no catalog", error.Message, StringComparison.Ordinal);
        Assert.Contains("Name the repositories", error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_repository_that_is_not_known_does_not_make_the_referrers_API_be_forgotten()
    {
        var subject = Digest.Random();
        var referrer = Digest.Random();
        var wire = new Wire(sent => sent switch
        {
            { Uri.AbsolutePath: var path } when path == $"/v2/gone/referrers/{subject}" => Wire.Error(404, "NAME_UNKNOWN"),
            { Uri.AbsolutePath: var path } when path == $"/v2/a/referrers/{subject}" =>
                Wire.Text(200, $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{referrer}}","size":2}] }""", MediaTypes.OciIndex),
            { Line: "GET /v2/" } => null,
            _ => Wire.Error(404, "MANIFEST_UNKNOWN"),
        });
        using var registry = await wire.ConnectAsync();
        Assert.Empty(await ToListAsync(registry.ListReferrersAsync("gone", subject)));
        Assert.Equal([referrer], (await ToListAsync(registry.ListReferrersAsync("a", subject))).Select(descriptor => descriptor.Digest));
    }

    [Fact]
    public async Task A_registry_without_the_referrers_API_is_asked_for_it_once()
    {
        var wire = new Wire(_ => null);
        using var registry = await wire.ConnectAsync();
        for (var i = 0; i < 3; i++) Assert.Empty(await ToListAsync(registry.ListReferrersAsync("a", Digest.Random())));
        Assert.Single(wire.Lines, line => line.Contains("/referrers/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_list_of_referrers_that_breaks_off_between_pages_is_an_error_and_not_its_end()
    {
        var subject = Digest.Random();
        var wire = new Wire(sent => sent switch
        {
            { Uri: { AbsolutePath: var path, Query: "" } } when path == $"/v2/a/referrers/{subject}" =>
                Wire.Text(200, $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[]}""", MediaTypes.OciIndex, ("Link", "<?page=2>; rel=\"next\"")),
            _ => null,
        });
        using var registry = await wire.ConnectAsync();
        await Assert.ThrowsAsync<RegistryNotFoundException>(() => ToListAsync(registry.ListReferrersAsync("a", subject)));
    }

    [Fact]
    public async Task An_image_under_the_fallback_tag_is_not_taken_for_a_list_of_nothing()
    {
        var wire = new Wire(sent => sent.Line.StartsWith("GET /v2/a/manifests/sha256-", StringComparison.Ordinal) ? Wire.Text(200, Image, MediaTypes.OciManifest) : null);
        using var registry = await wire.ConnectAsync();
        await Assert.ThrowsAsync<ManifestFormatException>(() => ToListAsync(registry.ListReferrersAsync("a", Digest.Random())));
    }

    [Fact]
    public async Task A_fallback_list_that_names_a_thing_twice_is_left_alone()
    {
        var subject = Digest.Random();
        var list = $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[],"annotations":{},"annotations":{} }""";
        var wire = new Wire(sent => sent switch
        {
            { Method: "PUT", Uri.AbsolutePath: "/v2/a/manifests/t" } => Wire.Text(201, "", "text/plain"),
            { Method: "GET" or "HEAD" } when sent.Line.Contains("/manifests/sha256-", StringComparison.Ordinal) => Wire.Text(200, sent.Method == "HEAD" ? "" : list, MediaTypes.OciIndex, ("Docker-Content-Digest", Digest.Compute(Encoding.UTF8.GetBytes(list)).ToString())),
            _ => null,
        });
        using var registry = await wire.ConnectAsync();
        var signature = Image[..^1] + $$""","subject":{"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{subject}}","size":2} }""";
        await Assert.ThrowsAsync<ManifestFormatException>(() => registry.PutManifestAsync("a", "t", Encoding.UTF8.GetBytes(signature), MediaTypes.OciManifest));
    }

    [Theory]
    [InlineData("I1")]
    [InlineData(" a")]
    [InlineData("a/")]
    [InlineData("a/../b")]
    [InlineData("")]
    public async Task What_is_no_repository_as_it_stands_is_not_sent(string repository)
    {
        var wire = new Wire(_ => null);
        using var registry = await wire.ConnectAsync();
        await Assert.ThrowsAsync<ReferenceFormatException>(() => registry.GetManifestAsync(repository, "t"));
        Assert.Single(wire.Requests);
    }

    [Fact]
    public async Task Content_that_can_not_be_verified_is_not_read()
    {
        var wire = new Wire(sent => sent.Line == "GET /v2/" ? null : Wire.Text(200, "x", "application/octet-stream"));
        using var registry = await wire.ConnectAsync();
        var digest = Digest.Parse("blake3:0123456789abcdef");
        foreach (var read in new Func<Task>[]
        {
            () => registry.ReadBlobAsync("a", digest, 10),
            () => registry.CopyBlobAsync("a", digest, Stream.Null),
            () => registry.GetManifestAsync("a", digest.ToString()),
        })
        {
            Assert.Contains("can't be verified", (await Assert.ThrowsAsync<RegistryToolsException>(read)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_full_disk_is_the_disk_s_error_and_the_blob_is_not_fetched_again()
    {
        var wire = new Wire(sent => sent.Line == "GET /v2/" ? null : Wire.Text(200, "content", "application/octet-stream"));
        using var registry = await wire.ConnectAsync();
        var error = await Assert.ThrowsAsync<IOException>(() => registry.CopyBlobAsync("a", Digest.Compute("content"u8.ToArray()), new FullStream()));
        Assert.Equal("No space left on device", error.Message);
        Assert.Equal(2, wire.Requests.Count);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(405)]
    public async Task A_mount_that_is_refused_is_pushed_instead(int status)
    {
        var wire = new Wire(sent => sent.Method == "POST" ? Wire.Error(status, "UNSUPPORTED") : null);
        using var registry = await wire.ConnectAsync();
        Assert.False(await registry.MountBlobAsync("to", Digest.Random(), "from"));
    }

    [Fact]
    public async Task A_registry_that_wants_gigabytes_in_one_piece_is_refused()
    {
        var wire = new Wire(sent => sent.Method == "POST" ? Wire.Text(202, "", "text/plain", ("Location", "/v2/a/blobs/uploads/1"), ("OCI-Chunk-Min-Length", "2147483647")) : null);
        using var registry = await wire.ConnectAsync();
        await Assert.ThrowsAsync<RegistryProtocolException>(() => registry.PushBlobAsync("a", Digest.Compute("x"u8.ToArray()), new MemoryStream("x"u8.ToArray())));
    }

    [Theory]
    [InlineData(404)]
    [InlineData(200)]
    public async Task A_web_page_of_any_size_is_called_one(int status)
    {
        var wire = new Wire(_ => Wire.Text(status, "<!DOCTYPE html>" + new string('x', 200_000), "text/html; charset=utf-8"));
        var error = await Assert.ThrowsAsync<RegistryProtocolException>(() => wire.ConnectAsync());
        Assert.Contains("a web page (text/html) instead of JSON", error.Message, StringComparison.Ordinal);
        Assert.Contains("https://registry.test/v2/", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_s_page_of_any_size_does_not_hide_the_error()
    {
        var wire = new Wire(sent => sent.Line == "GET /v2/" ? null : Wire.Text(400, "<html>" + new string('x', 200_000), "text/html"));
        using var registry = await wire.ConnectAsync();
        var error = await Assert.ThrowsAsync<RegistryRequestException>(() => registry.DeleteTagAsync("a", "t"));
        Assert.Equal(400, error.StatusCode);
    }

    [Fact]
    public async Task Credentials_that_are_refused_are_not_asked_for_as_if_there_were_none()
    {
        var wire = new Wire(_ => Wire.Error(401, "UNAUTHORIZED", ("WWW-Authenticate", "Basic realm=\"x\"")));
        var with = await Assert.ThrowsAsync<RegistryUnauthorizedException>(() => wire.ConnectAsync(new HttpRegistryOptions { UserName = "u", Password = "s3cret" }));
        Assert.Contains("did not accept the credentials", with.Remedy, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", with.ToString(), StringComparison.Ordinal);
        var without = await Assert.ThrowsAsync<RegistryUnauthorizedException>(() => wire.ConnectAsync());
        Assert.Contains("Give credentials", without.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Retry_After_beyond_the_ceiling_ends_at_once_and_says_how_long()
    {
        var wire = new Wire(sent => sent.Line == "GET /v2/" ? null : Wire.Error(429, "TOOMANYREQUESTS", ("Retry-After", "3600")));
        using var registry = await wire.ConnectAsync();
        var error = await Assert.ThrowsAsync<RegistryRequestException>(() => registry.GetManifestAsync("a", "t"));
        Assert.Contains("asks to wait 3600 s", error.Message, StringComparison.Ordinal);
        Assert.Equal(2, wire.Requests.Count);
    }

    [Theory]
    [InlineData(200)]
    [InlineData(404)]
    public async Task A_proxy_s_page_is_no_word_of_the_registry_s(int status)
    {
        var wire = new Wire(sent => sent.Line == "GET /v2/" ? null : Wire.Text(status, "<html>sign in</html>", "text/html"));
        using var registry = await wire.ConnectAsync();
        Assert.Equal(Support.Unknown, await registry.FindManifestDeletionAsync("a"));
        await Assert.ThrowsAnyAsync<RegistryRequestException>(() => registry.DeleteTagAsync("a", "t"));
        if (status == 200) await Assert.ThrowsAsync<RegistryProtocolException>(() => registry.FindBlobAsync("a", Digest.Random()));
        var capabilities = await registry.ProbeAsync("a");
        Assert.Equal((Support.Unknown, Support.NotSupported), (capabilities.ManifestDelete, capabilities.Referrers));
        Assert.NotEqual(Support.Supported, capabilities.TagDelete);
    }

    [Fact]
    public async Task A_probe_is_not_ended_by_an_answer_that_is_no_manifest()
    {
        var wire = new Wire(sent => sent switch
        {
            { Line: "GET /v2/" } => null,
            { Method: "DELETE" } => Wire.Error(404, "MANIFEST_UNKNOWN"),
            { Method: "GET" } when sent.Uri.AbsolutePath.Contains("/manifests/", StringComparison.Ordinal) => Wire.Json(200, "[1,2"),
            _ => null,
        });
        using var registry = await wire.ConnectAsync();
        var capabilities = await registry.ProbeAsync("a");
        Assert.Equal((Support.Supported, Support.Unknown), (capabilities.ManifestDelete, capabilities.TagDelete));
        Assert.Contains(capabilities.Notes, note => note.Contains("not JSON", StringComparison.Ordinal));
    }

    private static async Task<List<T>> ToListAsync<T>(IAsyncEnumerable<T> items)
    {
        var list = new List<T>();
        await foreach (var item in items) list.Add(item);
        return list;
    }

    private sealed class FullStream : MemoryStream
    {
        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => throw new IOException("No space left on device");
    }
}
