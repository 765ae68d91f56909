using System.Text;
using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Tests.Servers;
using Xunit;

namespace RegistryTools.Tests.Transport;

public sealed class RetryAndTimeoutTests
{
    private static readonly byte[] Image = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{Digest.Compute(Array.Empty<byte>())}}","size":0},"layers":[]}""");
    private static readonly Func<SeenRequest, HttpResponseMessage> Good = Answer.Bytes(200, Image, MediaTypes.OciManifest);

    [Theory]
    [InlineData(408)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task What_may_pass_is_asked_again(int status)
    {
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", Answer.Status(status), Answer.Html(status), Good);
        using var registry = await handler.ConnectAsync();
        Assert.Equal(Image, (await registry.GetManifestAsync("a", "t")).Raw.ToArray());
        Assert.Equal(3, handler.Lines.Count);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(409)]
    [InlineData(501)]
    [InlineData(505)]
    public async Task What_will_not_pass_is_not_asked_again(int status)
    {
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", Answer.Status(status), Good);
        using var registry = await handler.ConnectAsync();
        Assert.Equal(status, (await Assert.ThrowsAnyAsync<RegistryRequestException>(() => registry.GetManifestAsync("a", "t"))).StatusCode);
        Assert.Single(handler.Lines);
    }

    [Fact]
    public async Task A_dead_or_refused_connection_is_tried_again()
    {
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", Answer.Dead, Answer.Refused, Good);
        using var registry = await handler.ConnectAsync();
        await registry.GetManifestAsync("a", "t");
        Assert.Equal(3, handler.Lines.Count);
    }

    [Fact]
    public async Task It_ends_with_the_last_error_after_as_many_tries_as_the_user_sets()
    {
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", Answer.Error(503, "UNAVAILABLE", "come back later"));
        using var registry = await handler.ConnectAsync(retries: 2);
        var error = await Assert.ThrowsAsync<RegistryRequestException>(() => registry.GetManifestAsync("a", "t"));
        Assert.Equal(503, error.StatusCode);
        Assert.Contains("come back later", error.Message);
        Assert.Equal(3, handler.Lines.Count);
        Assert.Null(error.InnerException);
    }

    [Fact]
    public async Task With_no_retries_it_is_asked_once()
    {
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", Answer.Status(503), Good).On("GET /v2/a/manifests/dead", Answer.Dead, Good);
        using var registry = await handler.ConnectAsync(retries: 0);
        await Assert.ThrowsAsync<RegistryRequestException>(() => registry.GetManifestAsync("a", "t"));
        await Assert.ThrowsAsync<RegistryUnreachableException>(() => registry.GetManifestAsync("a", "dead"));
        Assert.Equal(2, handler.Lines.Count);
    }

    [Fact]
    public async Task Retry_after_is_waited_for()
    {
        var log = new CollectingLog();
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", Answer.Status(429, ("Retry-After", "0")), Answer.Status(503, ("Retry-After", "1")), Good);
        using var registry = await handler.ConnectAsync(log: log);
        await registry.GetManifestAsync("a", "t");
        Assert.Contains(log.Lines, line => line.Contains("Trying again in 0 s (1 of 3)"));
        Assert.Contains(log.Lines, line => line.Contains("Trying again in 1 s (2 of 3)"));
    }

    [Fact]
    public async Task Retry_after_beyond_the_ceiling_fails_at_once_and_says_how_long()
    {
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", Answer.Status(429, ("Retry-After", "3600")), Good);
        using var registry = await handler.ConnectAsync(maximumDelay: TimeSpan.FromSeconds(30));
        var error = await Assert.ThrowsAsync<RegistryRequestException>(() => registry.GetManifestAsync("a", "t"));
        Assert.Contains("3600 s", error.Message);
        Assert.Contains("30 s", error.Message);
        Assert.Equal(429, error.StatusCode);
        Assert.Single(handler.Lines);
    }

    public static TheoryData<string, bool> TagChanges()
    {
        var data = new TheoryData<string, bool>();
        foreach (var what in new[] { "500", "502", "503", "408", "dead", "timeout" })
        {
            data.Add(what, true);
            data.Add(what, false);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(TagChanges))]
    public async Task What_moves_or_deletes_a_tag_is_not_repeated_in_doubt(string what, bool put)
    {
        var handler = new ScriptedHandler();
        var request = (put ? "PUT" : "DELETE") + " /v2/a/manifests/t";
        if (what == "timeout") handler.OnAsync(request, Answer.Never);
        else handler.On(request, what == "dead" ? Answer.Dead : Answer.Status(int.Parse(what)), Answer.Status(201));
        using var registry = await handler.ConnectAsync(timeout: what == "timeout" ? TimeSpan.FromMilliseconds(200) : null);
        var error = await Assert.ThrowsAnyAsync<RegistryRequestException>(() => ChangeAsync(registry, put));
        Assert.Equal(what is "dead" or "timeout", error is RegistryUnreachableException);
        Assert.Single(handler.Lines);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_moves_or_deletes_a_tag_is_repeated_where_it_was_surely_not_done(bool put)
    {
        var handler = new ScriptedHandler().On((put ? "PUT" : "DELETE") + " /v2/a/manifests/t", Answer.Status(429), Answer.Refused, Answer.Status(201));
        using var registry = await handler.ConnectAsync();
        await ChangeAsync(registry, put);
        Assert.Equal(3, handler.Lines.Count);
        if (put) Assert.All(handler.Requests, request => Assert.Equal(Image, request.Body));
    }

    [Fact]
    public async Task A_push_by_digest_is_repeated()
    {
        var handler = new ScriptedHandler().On("PUT /v2/a/manifests/sha256:*", Answer.Dead, Answer.Status(500), Answer.Status(201));
        using var registry = await handler.ConnectAsync();
        await registry.PutManifestAsync("a", Digest.Compute(Image).ToString(), Image, MediaTypes.OciManifest);
        Assert.Equal(3, handler.Lines.Count);
    }

    [Fact]
    public async Task A_server_that_never_answers_is_unreachable()
    {
        var handler = new ScriptedHandler().OnAsync("GET /v2/a/manifests/t", Answer.Never);
        using var registry = await handler.ConnectAsync(retries: 1, timeout: TimeSpan.FromMilliseconds(100));
        var error = await Assert.ThrowsAsync<RegistryUnreachableException>(() => registry.GetManifestAsync("a", "t"));
        Assert.Contains("registry.test did not answer GET http://registry.test/v2/a/manifests/t within 0.1 s", error.Message);
        Assert.Equal(2, handler.Lines.Count);
    }

    [Fact]
    public async Task A_body_that_stalls_is_unreachable()
    {
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", Answer.Partial(Image[..10], Image.Length, BodyEnd.Stalls, MediaTypes.OciManifest));
        using var registry = await handler.ConnectAsync(retries: 1, timeout: TimeSpan.FromMilliseconds(100));
        var error = await Assert.ThrowsAsync<RegistryUnreachableException>(() => registry.GetManifestAsync("a", "t"));
        Assert.Contains("Nothing more came for 0.1 s", error.Message);
        Assert.Equal(2, handler.Lines.Count);
    }

    [Fact]
    public async Task An_error_whose_body_stalls_is_that_error()
    {
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", request =>
        {
            var response = Answer.Partial([], 10, BodyEnd.Stalls, "application/json")(request);
            response.StatusCode = System.Net.HttpStatusCode.Forbidden;
            return response;
        });
        using var registry = await handler.ConnectAsync(timeout: TimeSpan.FromMilliseconds(100));
        await Assert.ThrowsAsync<RegistryDeniedException>(() => registry.GetManifestAsync("a", "t"));
    }

    [Theory]
    [InlineData("headers")]
    [InlineData("body")]
    [InlineData("retry")]
    [InlineData("error")]
    public async Task Cancellation_by_the_caller_stays_cancellation(string when)
    {
        using var stop = new CancellationTokenSource();
        var begun = new TaskCompletionSource();
        var handler = new ScriptedHandler().OnAsync("GET /v2/a/manifests/t", async (request, token) =>
        {
            begun.TrySetResult();
            await Task.Yield();
            switch (when)
            {
                case "body": return Answer.Partial(Image[..10], Image.Length, BodyEnd.Stalls, MediaTypes.OciManifest)(request);
                case "retry": return Answer.Status(503, ("Retry-After", "3600"))(request);
                case "error":
                    var response = Answer.Partial([], 10, BodyEnd.Stalls, "text/plain")(request);
                    response.StatusCode = System.Net.HttpStatusCode.BadGateway;
                    return response;
                default: return await Answer.Never(request, token);
            }
        });
        using var registry = await handler.ConnectAsync(maximumDelay: TimeSpan.FromHours(2));
        var work = registry.GetManifestAsync("a", "t", stop.Token);
        await begun.Task;
        await Task.Delay(20);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
        Assert.Single(handler.Lines);
    }

    [Fact]
    public async Task Cancelled_before_it_began_nothing_is_sent()
    {
        var handler = new ScriptedHandler();
        using var registry = await handler.ConnectAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => registry.GetManifestAsync("a", "t", new CancellationToken(true)));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => registry.DeleteTagAsync("a", "t", new CancellationToken(true)));
        Assert.Empty(handler.Lines);
    }

    [Fact]
    public async Task A_blob_goes_to_another_host_without_authorization()
    {
        var content = Encoding.UTF8.GetBytes("content");
        var digest = Digest.Compute(content);
        var handler = new ScriptedHandler()
            .On("GET /v2/", Answer.Status(401, ("WWW-Authenticate", "Basic realm=\"r\"")), Answer.Json(200, "{}"))
            .On("GET /v2/a/blobs/" + digest, Answer.Status(307, ("Location", "http://cdn.test/x?X-Signature=s3cret")))
            .On("GET http://cdn.test/x?X-Signature=s3cret", Answer.Status(302, ("Location", "/y")))
            .On("GET http://cdn.test/y", Answer.Bytes(200, content, null));
        using var registry = await handler.ConnectAsync(user: "u", password: "p");
        Assert.Equal(content, await registry.ReadBlobAsync("a", digest, 100));
        Assert.NotNull(handler.Requests[0].Authorization);
        Assert.All(handler.Requests.Skip(1), request => Assert.Null(request.Authorization));
    }

    [Fact]
    public async Task A_redirect_within_the_registry_keeps_authorization()
    {
        var content = Encoding.UTF8.GetBytes("content");
        var digest = Digest.Compute(content);
        var handler = new ScriptedHandler()
            .On("GET /v2/", Answer.Status(401, ("WWW-Authenticate", "Basic realm=\"r\"")), Answer.Json(200, "{}"))
            .On("GET /v2/a/blobs/" + digest, Answer.Status(307, ("Location", "/storage/x")))
            .On("GET /storage/x", Answer.Bytes(200, content, null));
        using var registry = await handler.ConnectAsync(user: "u", password: "p");
        Assert.Equal(content, await registry.ReadBlobAsync("a", digest, 100));
        Assert.NotNull(handler.Requests[1].Authorization);
    }

    [Fact]
    public async Task A_redirect_does_not_leave_https()
    {
        var handler = new ScriptedHandler()
            .On("GET https://registry.test/v2/", Answer.Json(200, "{}"))
            .On("GET /v2/", Answer.Json(200, "{}"))
            .On("GET *", Answer.Status(307, ("Location", "http://cdn.test/x?X-Signature=s3cret")))
            .On("GET /v2/", Answer.Json(200, "{}"));
        using var registry = await handler.ConnectAsync("https://registry.test");
        var error = await Assert.ThrowsAsync<RegistryProtocolException>(() => registry.ReadBlobAsync("a", Digest.Random(), 100));
        Assert.Contains("https is not left", error.Message);
        Assert.DoesNotContain("s3cret", error.ToString());
        Assert.Single(handler.Lines);
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://cdn.test/x")]
    public async Task A_redirect_to_another_kind_of_address_is_not_followed(string location)
    {
        var handler = new ScriptedHandler().On("GET /v2/a/blobs/*", Answer.Status(307, ("Location", location)));
        using var registry = await handler.ConnectAsync();
        await Assert.ThrowsAsync<RegistryProtocolException>(() => registry.ReadBlobAsync("a", Digest.Random(), 100));
        Assert.Single(handler.Lines);
    }

    [Fact]
    public async Task Redirects_in_a_circle_or_without_end_end()
    {
        var n = 0;
        var handler = new ScriptedHandler()
            .On("GET /v2/a/blobs/*", Answer.Status(307, ("Location", "/one?s3cret")))
            .On("GET /one?s3cret", Answer.Status(307, ("Location", "/two")))
            .On("GET /two", Answer.Status(307, ("Location", "/one?s3cret")))
            .On("GET /v2/b/blobs/*", Answer.Status(307, ("Location", "/n")))
            .On("GET /n*", request => Answer.Status(307, ("Location", "/n" + ++n))(request));
        using var registry = await handler.ConnectAsync();
        var error = await Assert.ThrowsAsync<RegistryProtocolException>(() => registry.ReadBlobAsync("a", Digest.Random(), 100));
        Assert.Contains("circle", error.Message);
        Assert.DoesNotContain("s3cret", error.ToString());
        Assert.Equal(3, handler.Lines.Count);
        await Assert.ThrowsAsync<RegistryProtocolException>(() => registry.ReadBlobAsync("b", Digest.Random(), 100));
        Assert.True(n < 10);
    }

    [Fact]
    public async Task Lists_and_changes_follow_no_redirect()
    {
        var handler = new ScriptedHandler().On("PUT *", Answer.Status(307, ("Location", "http://user:s3cret@elsewhere.test/"))).On("DELETE *", Answer.Status(308, ("Location", "/x")));
        using var registry = await handler.ConnectAsync();
        var error = await Assert.ThrowsAsync<RegistryProtocolException>(() => ChangeAsync(registry, put: true));
        Assert.Contains("http://elsewhere.test", error.Remedy);
        Assert.DoesNotContain("s3cret", error.Remedy + error);
        await Assert.ThrowsAsync<RegistryProtocolException>(() => ChangeAsync(registry, put: false));
        Assert.Equal(2, handler.Lines.Count);
    }

    [Theory]
    [InlineData("404", typeof(RegistryProtocolException), "which is not a registry's answer")]
    [InlineData("html", typeof(RegistryProtocolException), "a web page")]
    [InlineData("redirect", typeof(RegistryProtocolException), "redirects")]
    [InlineData("refused", typeof(RegistryUnreachableException), "refused")]
    [InlineData("401", typeof(RegistryProtocolException), "which is not a registry's answer")]
    [InlineData("https", typeof(RegistryProtocolException), "speaks https")]
    public async Task Connecting_to_what_is_no_registry_says_so(string what, Type type, string said)
    {
        var handler = new ScriptedHandler().On("GET /v2/", what switch
        {
            "404" => Answer.Text(404, "404 page not found"),
            "html" => Answer.Html(),
            "redirect" => Answer.Status(301, ("Location", "https://user:s3cret@registry.test/v2/?s3cret")),
            "refused" => Answer.Refused,
            "https" => Answer.Text(400, "Client sent an HTTP request to an HTTPS server."),
            _ => Answer.Status(401),
        });
        var error = await Assert.ThrowsAnyAsync<RegistryRequestException>(() => handler.ConnectAsync());
        Assert.IsType(type, error);
        Assert.Contains(said, error.Message);
        Assert.Contains("registry.test", error.Message);
        Assert.DoesNotContain("s3cret", error.Remedy + error);
        Assert.NotNull(error.Remedy);
        if (what is "https" or "redirect") Assert.Contains("https://registry.test", error.Remedy);
    }

    [Fact]
    public async Task A_server_that_has_answered_over_http_is_not_said_to_speak_https()
    {
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", Answer.Dead);
        using var registry = await handler.ConnectAsync("http://registry.test", retries: 0);
        var error = await Assert.ThrowsAsync<RegistryUnreachableException>(() => registry.GetManifestAsync("a", "t"));
        Assert.DoesNotContain("https", error.Remedy ?? string.Empty);
        var never = await Assert.ThrowsAsync<RegistryUnreachableException>(() => new ScriptedHandler().On("GET *", Answer.Dead).ConnectAsync("http://registry.test", retries: 0));
        Assert.Contains("https://registry.test", never.Remedy);
    }

    [Fact]
    public async Task Only_a_loopback_host_without_a_scheme_is_asked_over_http()
    {
        var handler = new ScriptedHandler().On("GET https://localhost:5000/v2/", Answer.Refused).On("GET http://localhost:5000/v2/", Answer.Json(200, "{}")).On("GET https://registry.test/v2/", Answer.Refused);
        using var registry = await handler.ConnectAsync("localhost:5000");
        Assert.Equal(("http://localhost:5000", false, "localhost:5000"), (registry.Location, registry.IsEncrypted, registry.Name));
        await Assert.ThrowsAsync<RegistryUnreachableException>(() => handler.ConnectAsync("https://localhost:5000"));
        Assert.Single(handler.AllRequests, request => request.Uri.Scheme == "http");
        await Assert.ThrowsAsync<RegistryUnreachableException>(() => new ScriptedHandler().On("GET *", Answer.Refused).ConnectAsync("registry.test"));
    }

    [Fact]
    public async Task A_certificate_that_is_not_trusted_does_not_lead_to_http()
    {
        var handler = new ScriptedHandler()
            .On("GET http://localhost/v2/", Answer.Json(200, "{}"))
            .On("GET https://localhost/v2/", _ => throw new HttpRequestException("The SSL connection could not be established, see inner exception.", new System.Security.Authentication.AuthenticationException("The remote certificate is invalid because of errors in the certificate chain: UntrustedRoot")));
        var error = await Assert.ThrowsAsync<RegistryTlsException>(() => handler.ConnectAsync("localhost", user: "u", password: "p"));
        Assert.Contains("certificate is not trusted", error.Message);
        Assert.DoesNotContain(handler.AllRequests, request => request.Uri.Scheme == "http");
    }

    private static async Task ChangeAsync(HttpRegistry registry, bool put)
    {
        if (put) await registry.PutManifestAsync("a", "t", Image, MediaTypes.OciManifest);
        else await registry.DeleteTagAsync("a", "t");
    }
}
