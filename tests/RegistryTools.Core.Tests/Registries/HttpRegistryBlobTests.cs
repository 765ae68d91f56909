using System.Globalization;
using System.Text;
using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Tests.Servers;
using Xunit;

namespace RegistryTools.Tests.Registries;

public sealed class HttpRegistryBlobTests
{
    private static readonly byte[] Content = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 20).Select(i => i.ToString("00000", CultureInfo.InvariantCulture))));
    private static readonly Digest ContentDigest = Digest.Compute(Content);
    private static readonly string Blob = "/v2/a/blobs/" + ContentDigest;

    [Fact]
    public async Task A_blob_is_found_and_read_and_verified()
    {
        var handler = new ScriptedHandler().On("HEAD " + Blob, Answer.Bytes(200, Content, null)).On("GET " + Blob, Answer.Bytes(200, Content, null));
        using var registry = await handler.ConnectAsync();
        Assert.Equal(100, await registry.FindBlobAsync("a", ContentDigest));
        Assert.Null(await registry.FindBlobAsync("a", Digest.Random()));
        Assert.Equal(Content, await registry.ReadBlobAsync("a", ContentDigest, 100));
        var error = await Assert.ThrowsAsync<RegistryProtocolException>(() => registry.ReadBlobAsync("a", ContentDigest, 99));
        Assert.Contains("99 bytes", error.Message);
        using var copy = new MemoryStream();
        await registry.CopyBlobAsync("a", ContentDigest, copy);
        Assert.Equal(Content, copy.ToArray());
    }

    [Fact]
    public async Task A_blob_of_other_bytes_is_refused()
    {
        var handler = new ScriptedHandler().On("GET " + Blob, Answer.Bytes(200, [.. Content, 1], null));
        using var registry = await handler.ConnectAsync();
        await Assert.ThrowsAsync<DigestMismatchException>(() => registry.ReadBlobAsync("a", ContentDigest, 1000));
        using var copy = new MemoryStream();
        await Assert.ThrowsAsync<DigestMismatchException>(() => registry.CopyBlobAsync("a", ContentDigest, copy));
    }

    [Theory]
    [InlineData(true, BodyEnd.Breaks)]
    [InlineData(false, BodyEnd.Breaks)]
    [InlineData(true, BodyEnd.Ends)]
    [InlineData(false, BodyEnd.Ends)]
    public async Task A_copy_that_breaks_off_goes_on_where_it_was(bool ranges, BodyEnd end)
    {
        var handler = new ScriptedHandler().On("GET " + Blob, Answer.Partial(Content[..30], 100, end, "x/y"), request =>
        {
            var from = ranges && request.Headers.TryGetValue("Range", out var range) ? int.Parse(range["bytes=".Length..^1], CultureInfo.InvariantCulture) : 0;
            return Answer.Bytes(from > 0 ? 206 : 200, Content[from..], "x/y")(request);
        });
        using var registry = await handler.ConnectAsync();
        using var copy = new MemoryStream();
        await registry.CopyBlobAsync("a", ContentDigest, copy);
        Assert.Equal(Content, copy.ToArray());
        Assert.Equal(2, handler.Lines.Count);
        Assert.Equal("bytes=30-", handler.Requests[1].Headers["Range"]);
    }

    [Fact]
    public async Task A_copy_that_keeps_breaking_off_ends_with_an_error()
    {
        var handler = new ScriptedHandler().On("GET " + Blob, Answer.Partial(Content[..30], 100, BodyEnd.Breaks, "x/y"));
        using var registry = await handler.ConnectAsync(retries: 2);
        using var copy = new MemoryStream();
        await Assert.ThrowsAsync<RegistryUnreachableException>(() => registry.CopyBlobAsync("a", ContentDigest, copy));
    }

    [Fact]
    public async Task A_full_disk_is_not_the_registrys_fault()
    {
        var handler = new ScriptedHandler().On("GET " + Blob, Answer.Bytes(200, Content, null));
        using var registry = await handler.ConnectAsync();
        using var disk = new FullStream();
        var error = await Assert.ThrowsAsync<IOException>(() => registry.CopyBlobAsync("a", ContentDigest, disk));
        Assert.Equal("No space left on device", error.Message);
        Assert.Single(handler.Lines);
    }

    [Theory]
    [InlineData("/v2/a/blobs/uploads/1?_state=s3cret")]
    [InlineData("http://registry.test/v2/a/blobs/uploads/1?_state=s3cret")]
    [InlineData("1?_state=s3cret")]
    public async Task A_small_blob_goes_whole(string location)
    {
        var handler = new ScriptedHandler()
            .On("POST /v2/a/blobs/uploads/", Answer.Status(202, ("Location", location)))
            .On("PUT /v2/a/blobs/uploads/1*", Answer.Status(201));
        using var registry = await handler.ConnectAsync(chunkSize: 100);
        await registry.PushBlobAsync("a", ContentDigest, new MemoryStream(Content));
        Assert.Equal(["HEAD " + Blob, "POST /v2/a/blobs/uploads/", "PUT /v2/a/blobs/uploads/1?_state=s3cret&digest=" + Uri.EscapeDataString(ContentDigest.ToString())], handler.Lines);
        Assert.Equal(Content, handler.Requests[2].Body);
    }

    [Fact]
    public async Task A_blob_that_is_there_is_not_pushed_and_an_empty_one_is()
    {
        var empty = Digest.Compute(Array.Empty<byte>());
        var handler = new ScriptedHandler()
            .On("HEAD " + Blob, Answer.Status(200))
            .On("POST /v2/a/blobs/uploads/", Answer.Status(202, ("Location", "/u/1")))
            .On("PUT /u/1?digest=" + Uri.EscapeDataString(empty.ToString()), Answer.Status(201));
        using var registry = await handler.ConnectAsync();
        await registry.PushBlobAsync("a", ContentDigest, new MemoryStream(Content));
        Assert.Single(handler.Lines);
        await registry.PushBlobAsync("a", empty, new MemoryStream());
        Assert.Equal("PUT", handler.Requests[^1].Method);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_larger_blob_goes_in_chunks(bool seekable)
    {
        var upload = new Upload();
        var handler = upload.Play(new ScriptedHandler());
        using var registry = await handler.ConnectAsync(chunkSize: 30);
        Stream source = seekable ? new MemoryStream(Content) : new BrokenStream(Content, BodyEnd.Ends);
        await registry.PushBlobAsync("a", ContentDigest, source);
        Assert.Equal(Content, upload.Stored);
        Assert.Equal(["0-29", "30-59", "60-89", "90-99"], handler.Requests.Where(request => request.Method == "PATCH").Select(request => request.Headers["Content-Range"]));
    }

    [Fact]
    public async Task A_seekable_stream_is_pushed_from_where_it_stands()
    {
        var upload = new Upload();
        using var registry = await upload.Play(new ScriptedHandler()).ConnectAsync(chunkSize: 30);
        using var source = new MemoryStream([9, 9, 9, .. Content]);
        source.Position = 3;
        await registry.PushBlobAsync("a", ContentDigest, source);
        Assert.Equal(Content, upload.Stored);
    }

    [Fact]
    public async Task The_registrys_smallest_chunk_is_kept_to()
    {
        var upload = new Upload { MinimumChunk = "50" };
        var handler = upload.Play(new ScriptedHandler());
        using var registry = await handler.ConnectAsync(chunkSize: 30);
        await registry.PushBlobAsync("a", ContentDigest, new MemoryStream(Content));
        Assert.Equal(["0-49", "50-99"], handler.Requests.Where(request => request.Method == "PATCH").Select(request => request.Headers["Content-Range"]));
    }

    [Fact]
    public async Task A_smallest_chunk_that_no_memory_holds_is_refused()
    {
        var upload = new Upload { MinimumChunk = "2147483000" };
        using var registry = await upload.Play(new ScriptedHandler()).ConnectAsync(chunkSize: 30);
        var error = await Assert.ThrowsAsync<RegistryProtocolException>(() => registry.PushBlobAsync("a", ContentDigest, new BrokenStream(Content, BodyEnd.Ends)));
        Assert.Contains("2147483000", error.Message);
    }

    [Theory]
    [InlineData(0, "dead")]
    [InlineData(17, "dead")]
    [InlineData(30, "dead")]
    [InlineData(17, "500")]
    [InlineData(17, "503")]
    public async Task A_chunk_that_breaks_is_resumed_from_what_the_registry_has(int received, string how)
    {
        foreach (var seekable in new[] { true, false })
        {
            var upload = new Upload { BreakAt = 1, BreakAfter = received, BreakWith = how == "dead" ? Answer.Dead : Answer.Status(int.Parse(how)) };
            var handler = upload.Play(new ScriptedHandler());
            using var registry = await handler.ConnectAsync(chunkSize: 30);
            await registry.PushBlobAsync("a", ContentDigest, seekable ? new MemoryStream(Content) : new BrokenStream(Content, BodyEnd.Ends));
            Assert.Equal(Content, upload.Stored);
            Assert.Single(handler.Lines, line => line.StartsWith("POST", StringComparison.Ordinal));
            Assert.Single(handler.Lines, line => line.StartsWith("GET", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task An_upload_that_the_registry_has_forgotten_is_begun_anew_where_the_stream_can_be_read_again()
    {
        foreach (var seekable in new[] { true, false })
        {
            var upload = new Upload { BreakAt = 1, BreakAfter = 0, BreakWith = Answer.Dead, ForgetsAtBreak = true };
            var handler = upload.Play(new ScriptedHandler());
            using var registry = await handler.ConnectAsync(chunkSize: 30);
            var push = registry.PushBlobAsync("a", ContentDigest, seekable ? new MemoryStream(Content) : new BrokenStream(Content, BodyEnd.Ends));
            if (seekable)
            {
                await push;
                Assert.Equal(Content, upload.Stored);
                Assert.Equal(2, handler.Lines.Count(line => line.StartsWith("POST", StringComparison.Ordinal)));
            }
            else
            {
                await Assert.ThrowsAnyAsync<RegistryRequestException>(() => push);
            }
        }
    }

    [Fact]
    public async Task A_last_request_whose_answer_is_lost_is_looked_after()
    {
        foreach (var chunk in new[] { 30, 100 })
        {
            var upload = new Upload { LosesLastAnswer = true };
            var handler = upload.Play(new ScriptedHandler());
            using var registry = await handler.ConnectAsync(chunkSize: chunk);
            await registry.PushBlobAsync("a", ContentDigest, chunk == 30 ? new BrokenStream(Content, BodyEnd.Ends) : new MemoryStream(Content));
            Assert.Single(handler.Lines, line => line.StartsWith("POST", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task Content_that_is_not_what_its_digest_says_is_not_finished_and_its_upload_cancelled()
    {
        foreach (var chunk in new[] { 30, 100 })
        {
            var upload = new Upload();
            var handler = upload.Play(new ScriptedHandler());
            using var registry = await handler.ConnectAsync(chunkSize: chunk);
            await Assert.ThrowsAsync<DigestMismatchException>(() => registry.PushBlobAsync("a", Digest.Random(), new MemoryStream(Content)));
            Assert.Null(upload.Stored);
            Assert.Equal("DELETE", handler.Requests[^1].Method);
        }
    }

    [Fact]
    public async Task A_failed_push_says_where_without_the_uploads_secret()
    {
        var log = new CollectingLog();
        var handler = new ScriptedHandler()
            .On("POST /v2/a/blobs/uploads/", Answer.Status(202, ("Location", "/u/1?_state=s3cret")))
            .On("PUT /u/1?*", Answer.Error(403, "DENIED"));
        using var registry = await handler.ConnectAsync(chunkSize: 100, log: log);
        var error = await Assert.ThrowsAsync<RegistryDeniedException>(() => registry.PushBlobAsync("a", ContentDigest, new MemoryStream(Content)));
        Assert.DoesNotContain("s3cret", error + error.Remedy + error.Uri + string.Join("\n", log.Lines));
        Assert.Contains(log.Lines, line => line.Contains("PUT http://registry.test/u/1 -> 403"));
    }

    [Theory]
    [InlineData(null, "did not say where")]
    [InlineData("ftp://x.test/u", "ftp://x.test")]
    public async Task An_upload_that_leads_nowhere_is_an_error(string? location, string said)
    {
        var handler = new ScriptedHandler().On("POST *", location is null ? Answer.Status(202) : Answer.Status(202, ("Location", location)));
        using var registry = await handler.ConnectAsync();
        var error = await Assert.ThrowsAsync<RegistryProtocolException>(() => registry.PushBlobAsync("a", ContentDigest, new MemoryStream(Content)));
        Assert.Contains(said, error.Message);
    }

    [Fact]
    public async Task An_upload_does_not_leave_https_and_is_told_what_to_mend()
    {
        var handler = new ScriptedHandler()
            .On("POST *", Answer.Status(202, ("Location", "http://registry.test/v2/a/blobs/uploads/1?_state=s3cret")))
            .On("GET https://registry.test/v2/", Answer.Json(200, "{}"));
        using var registry = await handler.ConnectAsync("https://registry.test");
        var error = await Assert.ThrowsAsync<RegistryProtocolException>(() => registry.PushBlobAsync("a", ContentDigest, new MemoryStream(Content)));
        Assert.Contains("https is not left", error.Message);
        Assert.Contains("http.host", error.Remedy);
        Assert.DoesNotContain("s3cret", error.ToString());
    }

    [Fact]
    public async Task An_upload_to_another_host_takes_no_credentials_along()
    {
        var handler = new ScriptedHandler()
            .On("GET /v2/", Answer.Status(401, ("WWW-Authenticate", "Basic realm=\"r\"")), Answer.Json(200, "{}"))
            .On("POST *", Answer.Status(202, ("Location", "http://uploads.test/1")))
            .On("PUT http://uploads.test/1*", Answer.Status(201));
        using var registry = await handler.ConnectAsync(user: "u", password: "p", chunkSize: 100);
        await registry.PushBlobAsync("a", ContentDigest, new MemoryStream(Content));
        Assert.NotNull(handler.Requests[1].Authorization);
        Assert.Null(handler.Requests[2].Authorization);
    }

    [Fact]
    public async Task A_mount_is_taken_or_refused()
    {
        var handler = new ScriptedHandler()
            .On($"POST /v2/b/blobs/uploads/?mount={ContentDigest}&from=x%2Fa", Answer.Status(201, ("Location", "/v2/b/blobs/" + ContentDigest)), Answer.Status(202, ("Location", "/v2/b/blobs/uploads/7")))
            .On("DELETE /v2/b/blobs/uploads/7", Answer.Status(204));
        using var registry = await handler.ConnectAsync();
        Assert.True(await registry.MountBlobAsync("b", ContentDigest, "x/a"));
        Assert.Single(handler.Lines);
        Assert.False(await registry.MountBlobAsync("b", ContentDigest, "x/a"));
        Assert.Equal("DELETE /v2/b/blobs/uploads/7", handler.Lines[^1]);
    }

    [Fact]
    public async Task A_blob_is_deleted_and_a_404_after_doubt_is_done()
    {
        var handler = new ScriptedHandler().On("DELETE " + Blob, Answer.Status(202), Answer.Dead, Answer.Status(404), Answer.Status(404));
        using var registry = await handler.ConnectAsync();
        await registry.DeleteBlobAsync("a", ContentDigest);
        await registry.DeleteBlobAsync("a", ContentDigest);
        await Assert.ThrowsAsync<RegistryNotFoundException>(() => registry.DeleteBlobAsync("a", ContentDigest));
    }

    /// <summary>A registry's side of an upload.</summary>
    private sealed class Upload
    {
        private readonly List<byte> _received = [];
        private int _patches;
        private bool _forgotten;

        public string? MinimumChunk { get; init; }

        /// <summary>The chunk, from 0, in which the connection breaks, and the bytes of it that arrive.</summary>
        public int BreakAt { get; init; } = -1;

        public int BreakAfter { get; init; }

        public Func<SeenRequest, HttpResponseMessage>? BreakWith { get; init; }

        public bool ForgetsAtBreak { get; init; }

        public bool LosesLastAnswer { get; init; }

        public byte[]? Stored { get; private set; }

        public ScriptedHandler Play(ScriptedHandler handler) => handler
            .On("HEAD /v2/a/blobs/*", request => Answer.Status(Stored is null ? 404 : 200)(request))
            .On("POST /v2/a/blobs/uploads/", request =>
            {
                _received.Clear();
                _forgotten = false;
                return MinimumChunk is null ? Answer.Status(202, ("Location", "/u/1?s=0"))(request) : Answer.Status(202, ("Location", "/u/1?s=0"), ("OCI-Chunk-Min-Length", MinimumChunk))(request);
            })
            .On("PATCH /u/1?*", request =>
            {
                if (_forgotten) return Answer.Status(404)(request);
                var range = request.Headers["Content-Range"].Split('-');
                if (int.Parse(range[0]) != _received.Count || int.Parse(range[1]) != _received.Count + request.Body.Length - 1) return Answer.Status(416)(request);
                if (_patches++ == BreakAt)
                {
                    _received.AddRange(request.Body.Take(BreakAfter));
                    _forgotten = ForgetsAtBreak;
                    return BreakWith!(request);
                }

                _received.AddRange(request.Body);
                return Where(202)(request);
            })
            .On("GET /u/1?*", request => _forgotten ? Answer.Status(404)(request) : Where(204)(request))
            .On("PUT /u/1?*", request =>
            {
                _received.AddRange(request.Body);
                Stored = _received.ToArray();
                return LosesLastAnswer ? Answer.Dead(request) : Answer.Status(201)(request);
            })
            .On("DELETE /u/1?*", Answer.Status(204));

        private Func<SeenRequest, HttpResponseMessage> Where(int status) =>
            Answer.Status(status, ("Location", "/u/1?s=" + _received.Count), ("Range", "0-" + Math.Max(0, _received.Count - 1)));
    }

    private sealed class FullStream : MemoryStream
    {
        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => throw new IOException("No space left on device");
#if NET
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => throw new IOException("No space left on device");
#endif
    }
}
