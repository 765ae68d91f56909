using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using RegistryTools.Host.Embedded;
using Xunit;
using Server = RegistryTools.Host.Embedded.EmbeddedRegistry;

namespace RegistryTools.Tests.Embedded;

public sealed class ProtocolTests
{
    private const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    private const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json";
    private const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    private const string OciIndex = "application/vnd.oci.image.index.v1+json";

    [Fact]
    public async Task TheSampleIsListed()
    {
        await using var registry = await SeededAsync(EmbeddedRegistryOptions.Distribution2());
        using var client = Client(registry);
        Assert.Equal(["i1", "i2", "i3", "i4", "i5"], Strings(await Json(client, "v2/_catalog"), "repositories"));
        foreach (var (repository, tags) in SampleData.Tags)
        {
            var listed = Strings(await Json(client, $"v2/{repository}/tags/list"), "tags");
            Assert.Equal(tags, listed.Where(tag => !tag.StartsWith("sha256-", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        }
        using var ping = await client.GetAsync(new Uri("v2/", UriKind.Relative));
        Assert.Equal("registry/2.0", ping.Headers.GetValues("Docker-Distribution-Api-Version").Single());
    }

    [Fact]
    public async Task TheSamplesTagsShareWhatTheySaySo()
    {
        await using var registry = await SeededAsync(new());
        var store = registry.Store;
        Assert.Equal(store.FindTag("i1", "T12"), store.FindTag("i1", "T13"));
        Assert.NotEqual(store.FindTag("i1", "T11"), store.FindTag("i1", "T12"));
        Assert.Equal(store.FindTag("i2", "T22"), store.FindTag("i2", "T24"));
        Assert.Single(store.Tags("i5"), tag => store.FindTag("i5", tag) == store.FindTag("i5", "T52"));
        Assert.Contains(store.FindTag("i5", "T51")!.Replace(':', '-'), store.Tags("i5"));
        foreach (var tag in new[] { "T41", "T42" })
        {
            var index = JsonNode.Parse(store.ReadManifest("i4", store.FindTag("i4", tag)!)!)!;
            Assert.Equal(tag == "T41" ? OciIndex : DockerList, (string?)index["mediaType"]);
            Assert.Equal(tag == "T41" ? ["linux/amd64", "linux/arm64/v8", "windows/amd64"] : ["linux/amd64", "linux/arm64/v8"], index["manifests"]!.AsArray().Select(child =>
                string.Join('/', new[] { "os", "architecture", "variant" }.Select(part => (string?)child!["platform"]![part]).OfType<string>())));
        }
    }

    [Fact]
    public async Task TheSampleIsTheSameEachTime()
    {
        await using var one = await SeededAsync(new());
        await using var two = await SeededAsync(new());
        Assert.Equal(one.Store.Blobs(), two.Store.Blobs());
        foreach (var digest in one.Store.Blobs())
            Assert.Equal(digest, Digest(File.ReadAllBytes(one.Store.BlobPath(digest))));
    }

    [Theory]
    [InlineData("i1/manifests/T12", "*/*", 404, null)]
    [InlineData("i1/manifests/T12", OciManifest, 200, OciManifest)]
    [InlineData("i2/manifests/T21", "*/*", 200, DockerManifest)]
    [InlineData("i1/manifests/T12", "application/*", 404, null)]
    [InlineData("i4/manifests/T41", DockerManifest + ", " + OciManifest, 404, null)]
    [InlineData("i4/manifests/T41", OciIndex, 200, OciIndex)]
    [InlineData("i4/manifests/T42", DockerList + ";q=0.5", 200, DockerList)]
    [InlineData("i4/manifests/T42", DockerManifest, 200, DockerManifest)]
    [InlineData("i4/manifests/T49", OciIndex, 404, null)]
    [InlineData("i9/manifests/T41", OciIndex, 404, null)]
    public async Task AcceptDecidesWhatAManifestIs(string path, string accept, int status, string? mediaType)
    {
        await using var registry = await SeededAsync(EmbeddedRegistryOptions.Distribution2());
        using var client = Client(registry);
        using var request = new HttpRequestMessage(HttpMethod.Get, "v2/" + path);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var answer = await client.SendAsync(request);
        Assert.Equal(status, (int)answer.StatusCode);
        var body = await answer.Content.ReadAsByteArrayAsync();
        if (status == 404)
        {
            Assert.Equal("MANIFEST_UNKNOWN", Code(body));
            return;
        }
        Assert.Equal(mediaType, answer.Content.Headers.ContentType!.MediaType);
        var digest = answer.Headers.GetValues("Docker-Content-Digest").Single();
        Assert.Equal(Digest(body), digest);
        Assert.Equal($"\"{digest}\"", answer.Headers.ETag!.Tag);

        using var again = new HttpRequestMessage(HttpMethod.Get, "v2/" + path.Replace("T42", digest, StringComparison.Ordinal));
        again.Headers.TryAddWithoutValidation("Accept", accept);
        again.Headers.IfNoneMatch.Add(new EntityTagHeaderValue($"\"{digest}\""));
        using var unchanged = await client.SendAsync(again);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
    }

    [Fact]
    public async Task HeadAnswersAsGetWithoutTheBody()
    {
        await using var registry = await SeededAsync(new());
        using var client = Client(registry);
        using var request = new HttpRequestMessage(HttpMethod.Head, "v2/i4/manifests/T42");
        request.Headers.TryAddWithoutValidation("Accept", DockerList);
        using var answer = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(registry.Store.ReadManifest("i4", registry.Store.FindTag("i4", "T42")!)!.Length, answer.Content.Headers.ContentLength);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task OmitsTheDigestWhereToldTo()
    {
        await using var registry = await SeededAsync(new() { OmitsContentDigest = true });
        using var client = Client(registry);
        using var answer = await client.GetAsync(new Uri("v2/i2/manifests/T21", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Docker-Content-Digest"));
    }

    [Fact]
    public async Task DeletingADigestTakesItsTagsAndNoOthers()
    {
        await using var registry = await SeededAsync(EmbeddedRegistryOptions.Distribution2());
        using var client = Client(registry);
        var shared = registry.Store.FindTag("i1", "T12")!;
        Assert.Equal(202, await Delete(client, $"v2/i1/manifests/{shared}"));
        Assert.Equal(["T11"], registry.Store.Tags("i1"));
        Assert.False(registry.Store.HasManifest("i1", shared));
        Assert.True(File.Exists(registry.Store.BlobPath(shared)));
        Assert.Equal(404, await Delete(client, $"v2/i1/manifests/{shared}"));
    }

    [Theory]
    [InlineData(TagDeleteBehaviour.Supported, true, 202, null)]
    [InlineData(TagDeleteBehaviour.Refused400, true, 400, "DIGEST_INVALID")]
    [InlineData(TagDeleteBehaviour.Refused405, true, 405, "UNSUPPORTED")]
    [InlineData(TagDeleteBehaviour.Supported, false, 405, "UNSUPPORTED")]
    [InlineData(TagDeleteBehaviour.Refused400, false, 405, "UNSUPPORTED")]
    public async Task DeletingATagTakesItAloneOrIsRefused(TagDeleteBehaviour behaviour, bool enabled, int status, string? code)
    {
        await using var registry = await SeededAsync(new() { TagDelete = behaviour, DeleteEnabled = enabled });
        using var client = Client(registry);
        using var answer = await client.DeleteAsync(new Uri("v2/i1/manifests/T12", UriKind.Relative));
        Assert.Equal(status, (int)answer.StatusCode);
        if (code is not null)
            Assert.Equal(code, Code(await answer.Content.ReadAsByteArrayAsync()));
        Assert.Equal(status == 202 ? ["T11", "T13"] : ["T11", "T12", "T13"], registry.Store.Tags("i1"));
    }

    [Fact]
    public async Task WhereDeletionIsOffTheDigestIsNotLookedAt()
    {
        await using var registry = await SeededAsync(EmbeddedRegistryOptions.DeletionDisabled());
        using var client = Client(registry);
        var before = registry.Store.Manifests("i1");
        Assert.Equal(405, await Delete(client, "v2/i1/manifests/sha256:" + new string('0', 64)));
        Assert.Equal(405, await Delete(client, $"v2/i1/manifests/{before[0]}"));
        Assert.Equal(405, await Delete(client, $"v2/i1/blobs/{registry.Store.Layers("i1")[0]}"));
        Assert.Equal(before.Order(StringComparer.Ordinal), registry.Store.Manifests("i1").Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(true, 202)]
    [InlineData(false, 404)]
    public async Task ALayerDeletedAsAManifestIsLostWhereTheRegistryHasThatFault(bool fault, int status)
    {
        await using var registry = await SeededAsync(new() { UnlinksLayersByManifestDelete = fault });
        using var client = Client(registry);
        var layer = registry.Store.Layers("i1")[0];
        Assert.Equal(status, await Delete(client, $"v2/i1/manifests/{layer}"));
        Assert.Equal(!fault, registry.Store.HasLayer("i1", layer));
    }

    [Theory]
    [InlineData(EmptyTagList.Null, "null")]
    [InlineData(EmptyTagList.EmptyArray, "[]")]
    [InlineData(EmptyTagList.NotFound, null)]
    public async Task ARepositoryWithoutTags(EmptyTagList behaviour, string? expected)
    {
        await using var registry = await Server.StartAsync(new() { EmptyTags = behaviour });
        registry.Store.AddImage("empty", "one", "empty");
        registry.Store.DeleteTag("empty", "one");
        using var client = Client(registry);
        using var answer = await client.GetAsync(new Uri("v2/empty/tags/list", UriKind.Relative));
        var body = await answer.Content.ReadAsByteArrayAsync();
        if (expected is null)
        {
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.Equal("NAME_UNKNOWN", Code(body));
        }
        else
        {
            Assert.Equal(expected, JsonNode.Parse(body)!["tags"]?.ToJsonString() ?? "null");
        }
        Assert.Equal(["empty"], Strings(await Json(client, "v2/_catalog"), "repositories"));
    }

    [Theory]
    [InlineData(TagPaging.RelativeLink)]
    [InlineData(TagPaging.AbsoluteLink)]
    public async Task PagesAreFollowedToTheEnd(TagPaging paging)
    {
        await using var registry = await Server.StartAsync(new() { TagPaging = paging, MaximumPage = 7 });
        registry.Store.AddManyTags("many/of-them", 25, sharedEvery: 5);
        using var client = Client(registry);
        var tags = new List<string>();
        var next = new Uri(registry.BaseAddress, "/v2/many/of-them/tags/list?n=7");
        for (var pages = 1; ; pages++)
        {
            using var answer = await client.GetAsync(next);
            tags.AddRange(Strings(JsonNode.Parse(await answer.Content.ReadAsStringAsync())!, "tags"));
            if (!answer.Headers.TryGetValues("Link", out var links))
            {
                Assert.Equal(4, pages);
                break;
            }
            var link = links.Single();
            Assert.EndsWith(">; rel=\"next\"", link, StringComparison.Ordinal);
            var target = new Uri(link[1..link.IndexOf('>', StringComparison.Ordinal)], UriKind.RelativeOrAbsolute);
            Assert.Equal(paging == TagPaging.AbsoluteLink, target.IsAbsoluteUri && target.Scheme == "http");
            next = new Uri(registry.BaseAddress, target);
        }
        Assert.Equal(Enumerable.Range(0, 25).Select(number => number.ToString("'t'00000", CultureInfo.InvariantCulture)), tags);
        Assert.Equal(20, registry.Store.Manifests("many/of-them").Count);
    }

    [Fact]
    public async Task Distribution2GivesAllTagsInNoOrder()
    {
        await using var registry = await Server.StartAsync(EmbeddedRegistryOptions.Distribution2());
        registry.Store.AddManyTags("many", 30);
        using var client = Client(registry);
        var tags = Strings(await Json(client, "v2/many/tags/list?n=5&last=t00010"), "tags");
        Assert.Equal(30, tags.Distinct().Count());
        Assert.NotEqual(tags.Order(StringComparer.Ordinal), tags);
        using var large = await client.GetAsync(new Uri("v2/_catalog?n=1001", UriKind.Relative));
        Assert.Equal(HttpStatusCode.BadRequest, large.StatusCode);
        Assert.Equal("PAGINATION_NUMBER_INVALID", Code(await large.Content.ReadAsByteArrayAsync()));
    }

    [Fact]
    public async Task AnImageIsPushedAndPulled()
    {
        await using var registry = await Server.StartAsync(EmbeddedRegistryOptions.Full());
        using var client = Client(registry);
        var layer = RandomNumberGenerator.GetBytes(300_000);
        var config = "{\"architecture\":\"amd64\",\"os\":\"linux\"}"u8.ToArray();

        // The layer in three chunks, the second one first sent to the wrong place.
        using var begun = await client.PostAsync(new Uri("v2/a/b-c/d/blobs/uploads/", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.Accepted, begun.StatusCode);
        var upload = begun.Headers.Location!;
        Assert.Equal(202, await Patch(client, upload, layer[..100_000], "0-99999"));
        Assert.Equal(416, await Patch(client, upload, layer[100_000..200_000], "100001-200000"));
        Assert.Equal(202, await Patch(client, upload, layer[100_000..200_000], "100000-199999"));
        using (var status = await client.GetAsync(upload))
        {
            Assert.Equal(HttpStatusCode.NoContent, status.StatusCode);
            Assert.Equal("0-199999", status.Headers.GetValues("Range").Single());
        }
        using (var ended = await client.PutAsync(new Uri($"{upload}&digest={Digest(layer)}"), new ByteArrayContent(layer[200_000..])))
            Assert.Equal(HttpStatusCode.Created, ended.StatusCode);

        var manifest = Manifest(config, layer);
        using (var early = await client.PutAsync(new Uri("v2/a/b-c/d/manifests/v1", UriKind.Relative), Content(manifest, OciManifest)))
        {
            Assert.Equal(HttpStatusCode.BadRequest, early.StatusCode);
            Assert.Equal("MANIFEST_BLOB_UNKNOWN", Code(await early.Content.ReadAsByteArrayAsync()));
        }
        using (var whole = await client.PostAsync(new Uri($"v2/a/b-c/d/blobs/uploads/?digest={Digest(config)}", UriKind.Relative), new ByteArrayContent(config)))
            Assert.Equal(HttpStatusCode.Created, whole.StatusCode);
        using (var put = await client.PutAsync(new Uri("v2/a/b-c/d/manifests/v1", UriKind.Relative), Content(manifest, OciManifest)))
        {
            Assert.Equal(HttpStatusCode.Created, put.StatusCode);
            Assert.Equal(Digest(manifest), put.Headers.GetValues("Docker-Content-Digest").Single());
        }

        using (var mounted = await client.PostAsync(new Uri($"v2/other/blobs/uploads/?mount={Digest(layer)}&from=a/b-c/d", UriKind.Relative), null))
            Assert.Equal(HttpStatusCode.Created, mounted.StatusCode);
        using (var notThere = await client.PostAsync(new Uri($"v2/other/blobs/uploads/?mount={Digest(manifest)}&from=a/b-c/d", UriKind.Relative), null))
            Assert.Equal(HttpStatusCode.Accepted, notThere.StatusCode);
        Assert.Equal(layer, await client.GetByteArrayAsync(new Uri($"v2/other/blobs/{Digest(layer)}", UriKind.Relative)));
        Assert.Equal(["a/b-c/d", "other"], Strings(await Json(client, "v2/_catalog"), "repositories"));
    }

    [Fact]
    public async Task WhatHasAnotherDigestIsRefusedAndForgotten()
    {
        await using var registry = await Server.StartAsync(new());
        using var client = Client(registry);
        using var begun = await client.PostAsync(new Uri("v2/r/blobs/uploads/", UriKind.Relative), null);
        var wrong = "sha256:" + new string('a', 64);
        using (var put = await client.PutAsync(new Uri($"{begun.Headers.Location}&digest={wrong}"), new ByteArrayContent([1, 2, 3])))
        {
            Assert.Equal(HttpStatusCode.BadRequest, put.StatusCode);
            Assert.Equal("DIGEST_INVALID", Code(await put.Content.ReadAsByteArrayAsync()));
        }
        using (var status = await client.GetAsync(begun.Headers.Location))
            Assert.Equal(HttpStatusCode.NotFound, status.StatusCode);
        Assert.Empty(registry.Store.Blobs());
        using (var manifest = await client.PutAsync(new Uri($"v2/r/manifests/{wrong}", UriKind.Relative), Content(Encoding.UTF8.GetBytes($"{{\"schemaVersion\":2,\"mediaType\":\"{OciIndex}\",\"manifests\":[]}}"), OciIndex)))
            Assert.Equal("DIGEST_INVALID", Code(await manifest.Content.ReadAsByteArrayAsync()));

        using var other = await client.PostAsync(new Uri("v2/r/blobs/uploads/", UriKind.Relative), null);
        using var cancelled = await client.DeleteAsync(other.Headers.Location);
        Assert.Equal(HttpStatusCode.NoContent, cancelled.StatusCode);
        Assert.Equal(404, await Patch(client, other.Headers.Location!, [1], "0-0"));
    }

    [Theory]
    [InlineData("no json", OciManifest, 400, "MANIFEST_INVALID")]
    [InlineData("{\"schemaVersion\":1}", OciManifest, 400, "MANIFEST_INVALID")]
    [InlineData("{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}", OciManifest, 400, "MANIFEST_INVALID")]
    [InlineData("{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha256:1111111111111111111111111111111111111111111111111111111111111111\"}]}", OciIndex, 400, "MANIFEST_BLOB_UNKNOWN")]
    [InlineData("{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha256:11\"}]}", OciIndex, 400, "MANIFEST_BLOB_UNKNOWN")]
    public async Task ManifestsAreLookedThrough(string content, string mediaType, int status, string code)
    {
        await using var registry = await Server.StartAsync(new());
        using var client = Client(registry);
        using var answer = await client.PutAsync(new Uri("v2/r/manifests/x", UriKind.Relative), Content(Encoding.UTF8.GetBytes(content), mediaType));
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(code, Code(await answer.Content.ReadAsByteArrayAsync()));
        Assert.Empty(registry.Store.Manifests("r"));
    }

    [Fact]
    public async Task AManifestBeyondFourMebibytesIsRefused()
    {
        await using var registry = await Server.StartAsync(new());
        using var client = Client(registry);
        using var answer = await client.PutAsync(new Uri("v2/r/manifests/x", UriKind.Relative), Content(new byte[4 * 1024 * 1024 + 1], OciManifest));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
    }

    [Theory]
    [InlineData("bytes=0-9", 206, 0, 10)]
    [InlineData("bytes=5-", 206, 5, -1)]
    [InlineData("bytes=-7", 206, -7, 7)]
    [InlineData("bytes=5-99999999", 206, 5, -1)]
    [InlineData("bytes=99999999-", 416, 0, 0)]
        public async Task RangesOfABlob(string range, int status, int from, int count)
    {
        await using var registry = await SeededAsync(new());
        using var client = Client(registry);
        var digest = registry.Store.Layers("i1")[0];
        var content = File.ReadAllBytes(registry.Store.BlobPath(digest));
        using var request = new HttpRequestMessage(HttpMethod.Get, $"v2/i1/blobs/{digest}");
        request.Headers.TryAddWithoutValidation("Range", range);
        using var answer = await client.SendAsync(request);
        Assert.Equal(status, (int)answer.StatusCode);
        if (status == 416)
            return;
        var start = from < 0 ? content.Length + from : from;
        Assert.Equal(count < 0 ? content[start..] : content[start..(start + count)], await answer.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task ABlobIsUnlinkedFromOneRepositoryOnly()
    {
        await using var registry = await SeededAsync(new());
        using var client = Client(registry);
        var shared = registry.Store.Layers("i1")[0];
        registry.Store.LinkBlob("i3", shared);
        Assert.Equal(202, await Delete(client, $"v2/i1/blobs/{shared}"));
        Assert.Equal(404, await Delete(client, $"v2/i1/blobs/{shared}"));
        using var there = await client.GetAsync(new Uri($"v2/i3/blobs/{shared}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.OK, there.StatusCode);
    }

    [Fact]
    public async Task ReferrersAreListedWhereThereIsAnApi()
    {
        await using var registry = await SeededAsync(EmbeddedRegistryOptions.Full());
        using var client = Client(registry);
        var subject = registry.Store.FindTag("i5", "T51")!;
        var all = await Json(client, $"v2/i5/referrers/{subject}");
        var entry = Assert.Single(all["manifests"]!.AsArray())!;
        Assert.Equal("application/spdx+json", (string?)entry["artifactType"]);
        Assert.Equal(File.ReadAllBytes(registry.Store.BlobPath((string)entry["digest"]!)).Length, (int)entry["size"]!);
        var fallback = JsonNode.Parse(registry.Store.ReadManifest("i5", registry.Store.FindTag("i5", subject.Replace(':', '-'))!)!)!;
        Assert.Equal((string?)entry["digest"], (string?)fallback["manifests"]![0]!["digest"]);
        using var filtered = await client.GetAsync(new Uri($"v2/i5/referrers/{subject}?artifactType=other", UriKind.Relative));
        Assert.Equal("artifactType", filtered.Headers.GetValues("OCI-Filters-Applied").Single());
        Assert.Empty(JsonNode.Parse(await filtered.Content.ReadAsStringAsync())!["manifests"]!.AsArray());

        var pushed = Encoding.UTF8.GetBytes($"{{\"schemaVersion\":2,\"mediaType\":\"{OciIndex}\",\"manifests\":[],\"artifactType\":\"a/b\",\"subject\":{{\"mediaType\":\"{OciManifest}\",\"digest\":\"{subject}\",\"size\":1}}}}");
        using var put = await client.PutAsync(new Uri($"v2/i5/manifests/{Digest(pushed)}", UriKind.Relative), Content(pushed, OciIndex));
        Assert.Equal(subject, put.Headers.GetValues("OCI-Subject").Single());
        Assert.Equal(2, (await Json(client, $"v2/i5/referrers/{subject}"))["manifests"]!.AsArray().Count);
    }

    [Fact]
    public async Task WithoutAReferrersApiThereIsNothing()
    {
        await using var registry = await SeededAsync(EmbeddedRegistryOptions.Distribution3());
        using var client = Client(registry);
        using var answer = await client.GetAsync(new Uri($"v2/i5/referrers/{registry.Store.FindTag("i5", "T51")}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    [Fact]
    public async Task TheListOfReferrersUnderATagIsAnIndexLikeAnother()
    {
        // Distribution refuses it where a manifest that it names is gone, whatever its tag is called.
        await using var registry = await SeededAsync(EmbeddedRegistryOptions.Distribution2());
        using var client = Client(registry);
        var tag = registry.Store.FindTag("i5", "T51")!.Replace(':', '-');
        var list = registry.Store.ReadManifest("i5", registry.Store.FindTag("i5", tag)!)!;
        var referrer = (string)JsonNode.Parse(list)!["manifests"]![0]!["digest"]!;
        Assert.Equal(202, await Delete(client, $"v2/i5/manifests/{referrer}"));
        using var answer = await client.PutAsync(new Uri($"v2/i5/manifests/{tag}", UriKind.Relative), Content(list, OciIndex));
        Assert.Equal("MANIFEST_BLOB_UNKNOWN", Code(await answer.Content.ReadAsByteArrayAsync()));
    }

    [Fact]
    public async Task TheCatalogPagesByAHundredUnasked()
    {
        await using var registry = await Server.StartAsync(EmbeddedRegistryOptions.Distribution2());
        for (var i = 0; i < 130; i++) registry.Store.AddImage(FormattableString.Invariant($"r{i:000}"), "one", "the same");
        using var client = Client(registry);
        using var first = await client.GetAsync(new Uri("v2/_catalog", UriKind.Relative));
        Assert.Equal("</v2/_catalog?last=r099&n=100>; rel=\"next\"", first.Headers.GetValues("Link").Single());
        Assert.Equal(30, Strings(await Json(client, "v2/_catalog?last=r099&n=100"), "repositories").Count);
        Assert.Equal(130, Strings(await Json(client, "v2/_catalog?n=1000"), "repositories").Count);
        Assert.Empty(Strings(await Json(client, "v2/_catalog?n=0"), "repositories"));
    }

    [Fact]
    public async Task DistributionTakesAPostWithADigestForTheBeginningOfAnUpload()
    {
        await using var registry = await Server.StartAsync(EmbeddedRegistryOptions.Distribution3());
        using var client = Client(registry);
        using var answer = await client.PostAsync(new Uri($"v2/r/blobs/uploads/?digest={Digest([1, 2])}", UriKind.Relative), new ByteArrayContent([1, 2]));
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        Assert.Empty(registry.Store.Blobs());
    }

    [Fact]
    public async Task WarningsGoWithEveryAnswer()
    {
        await using var registry = await SeededAsync(new() { Warnings = ["moves \"soon\"", "back\\slash"] });
        using var client = Client(registry);
        using var answer = await client.GetAsync(new Uri("v2/i1/tags/list", UriKind.Relative));
        Assert.Equal(["299 - \"moves \\\"soon\\\"\"", "299 - \"back\\\\slash\""], answer.Headers.GetValues("Warning"));
    }

    [Fact]
    public async Task BothAlgorithmsHoldBlobsAndManifests()
    {
        await using var registry = await Server.StartAsync(new());
        using var client = Client(registry);
        var content = Encoding.UTF8.GetBytes($"{{\"schemaVersion\":2,\"mediaType\":\"{OciIndex}\",\"manifests\":[]}}");
        var digest = "sha512:" + Convert.ToHexStringLower(SHA512.HashData(content));
        using (var blob = await client.PostAsync(new Uri($"v2/r/blobs/uploads/?digest={digest}", UriKind.Relative), new ByteArrayContent(content)))
            Assert.Equal(HttpStatusCode.Created, blob.StatusCode);
        using (var put = await client.PutAsync(new Uri($"v2/r/manifests/{digest}", UriKind.Relative), Content(content, OciIndex)))
            Assert.Equal(digest, put.Headers.GetValues("Docker-Content-Digest").Single());
        Assert.Equal(content, await client.GetByteArrayAsync(new Uri($"v2/r/blobs/{digest}", UriKind.Relative)));
        Assert.Equal(202, await Delete(client, $"v2/r/manifests/{digest}"));
        Assert.Equal([digest], registry.Store.Layers("r"));
    }

    [Fact]
    public async Task TenThousandTagsAreThere()
    {
        await using var registry = await Server.StartAsync(EmbeddedRegistryOptions.Distribution3());
        registry.Store.AddManyTags("many", 10_000, sharedEvery: 10);
        Assert.Equal(10_000, registry.Store.Tags("many").Count);
        Assert.Equal(9_000, registry.Store.Manifests("many").Count);
    }

    [Fact]
    public async Task ATemporaryStorageGoesWithTheRegistry()
    {
        string path;
        await using (var registry = await SeededAsync(new()))
            path = registry.StoragePath;
        Assert.False(Directory.Exists(path));
    }

    private static async Task<Server> SeededAsync(EmbeddedRegistryOptions options)
    {
        var registry = await Server.StartAsync(options);
        SampleData.Seed(registry.Store);
        return registry;
    }

    private static HttpClient Client(Server registry) => new() { BaseAddress = registry.BaseAddress };

    private static async Task<JsonNode> Json(HttpClient client, string path) => JsonNode.Parse(await client.GetStringAsync(new Uri(path, UriKind.Relative)))!;

    private static List<string> Strings(JsonNode json, string name) => [.. json[name]!.AsArray().Select(item => (string)item!)];

    private static async Task<int> Delete(HttpClient client, string path)
    {
        using var answer = await client.DeleteAsync(new Uri(path, UriKind.Relative));
        return (int)answer.StatusCode;
    }

    private static async Task<int> Patch(HttpClient client, Uri upload, byte[] content, string range)
    {
        using var body = new ByteArrayContent(content);
        body.Headers.TryAddWithoutValidation("Content-Range", range);
        using var answer = await client.PatchAsync(upload, body);
        return (int)answer.StatusCode;
    }

    private static ByteArrayContent Content(byte[] content, string mediaType)
    {
        var body = new ByteArrayContent(content);
        body.Headers.ContentType = new MediaTypeHeaderValue(mediaType);
        return body;
    }

    private static byte[] Manifest(byte[] config, byte[] layer) => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["schemaVersion"] = 2,
        ["mediaType"] = OciManifest,
        ["config"] = new JsonObject { ["mediaType"] = "application/vnd.oci.image.config.v1+json", ["digest"] = Digest(config), ["size"] = config.Length },
        ["layers"] = new JsonArray(new JsonObject { ["mediaType"] = "application/vnd.oci.image.layer.v1.tar", ["digest"] = Digest(layer), ["size"] = layer.Length }),
    }.ToJsonString());

    private static string Digest(byte[] content) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));

    private static string? Code(byte[] body) => (string?)JsonNode.Parse(body)!["errors"]![0]!["code"];
}
