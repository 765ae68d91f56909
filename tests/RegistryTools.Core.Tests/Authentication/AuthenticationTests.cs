using System.Collections.Concurrent;
using System.Text;
using RegistryTools.Authentication;
using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Tests.Servers;
using Xunit;

namespace RegistryTools.Tests.Authentication;

public sealed class AuthenticationTests
{
    private const string User = "alice";
    private const string Password = "p4ss:w\u00f6rd";
    private static readonly string BasicHeader = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(User + ":" + Password));
    private static readonly byte[] Image = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{Digest.Compute(Array.Empty<byte>())}}","size":0},"layers":[]}""");

    [Fact]
    public async Task Basic_is_sent_once_it_is_asked_for_and_from_then_on_at_once()
    {
        var handler = new ScriptedHandler().On("*", Answer.Status(500)).On("GET *", request => request.Authorization == BasicHeader ? Answer.Bytes(200, Image, MediaTypes.OciManifest)(request) : Answer.Status(401, ("WWW-Authenticate", "Basic realm=\"r\""))(request));
        using var registry = await handler.ConnectAsync(user: User, password: Password);
        Assert.Equal("Basic", registry.AuthenticationScheme);
        Assert.Equal([null, BasicHeader], handler.AllRequests.Select(request => request.Authorization));
        await registry.GetManifestAsync("a", "t");
        Assert.Equal(BasicHeader, Assert.Single(handler.Requests).Authorization);
    }

    [Fact]
    public async Task Nothing_is_sent_to_a_registry_that_asks_for_nothing()
    {
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", Answer.Bytes(200, Image, MediaTypes.OciManifest));
        using var registry = await handler.ConnectAsync(user: User, password: Password);
        await registry.GetManifestAsync("a", "t");
        Assert.Equal("None", registry.AuthenticationScheme);
        Assert.All(handler.AllRequests, request => Assert.Null(request.Authorization));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(User)]
    public async Task Basic_that_is_missing_or_wrong_fails_at_connect(string? user)
    {
        var handler = new ScriptedHandler().On("GET /v2/", Answer.Error(401, "UNAUTHORIZED", "authentication required", ("WWW-Authenticate", "Basic realm=\"r\"")));
        var error = await Assert.ThrowsAsync<RegistryUnauthorizedException>(() => handler.ConnectAsync(user: user, password: user is null ? null : "wr0ng"));
        Assert.NotNull(error.Remedy);
        Assert.DoesNotContain("wr0ng", error.ToString());
        Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes(User + ":wr0ng")), error.ToString());
        Assert.Equal(user is null ? 1 : 2, handler.AllRequests.Count);
    }

    [Fact]
    public async Task An_anonymous_token_is_asked_for_by_the_challenges_words()
    {
        var server = new TokenServer();
        using var registry = await server.Handler.ConnectAsync();
        await registry.GetManifestAsync("lib/a", "t");
        var request = Assert.Single(server.TokenRequests);
        Assert.Equal("GET http://auth.test/token?x=1&service=registry.test&scope=repository%3Alib%2Fa%3Apull", request.ToString());
        Assert.Null(request.Authorization);
        Assert.Equal("Bearer", registry.AuthenticationScheme);

        // Known from now on: no more 401.
        await registry.GetManifestAsync("lib/a", "t");
        await registry.GetManifestAsync("lib/b", "t");
        Assert.Equal(2, server.TokenRequests.Count);
        Assert.Equal(0, server.Refusals - server.RefusalsAtConnect);
    }

    [Fact]
    public async Task Credentials_go_to_the_token_service_and_not_to_the_registry()
    {
        var server = new TokenServer { Accepts = BasicHeader };
        using var registry = await server.Handler.ConnectAsync(user: User, password: Password);
        Assert.Single(server.TokenRequests);
        await registry.GetManifestAsync("a", "t");
        Assert.All(server.TokenRequests, request => Assert.Equal(BasicHeader, request.Authorization));
        Assert.All(server.TokenRequests, request => Assert.Contains("account=alice", request.Uri.Query));
        Assert.All(server.RegistryRequests, request => Assert.False(request.Authorization?.StartsWith("Basic", StringComparison.Ordinal) ?? false));
    }

    [Fact]
    public async Task Wrong_credentials_fail_at_connect()
    {
        var log = new CollectingLog();
        var server = new TokenServer { Accepts = BasicHeader };
        var error = await Assert.ThrowsAsync<RegistryUnauthorizedException>(() => server.Handler.ConnectAsync(user: User, password: "wr0ng", log: log));
        Assert.Contains("auth.test", error.Message);
        Assert.NotNull(error.Remedy);
        Assert.Equal(string.Empty, error.Uri.Query);
        var secret = Convert.ToBase64String(Encoding.UTF8.GetBytes(User + ":wr0ng"));
        Assert.DoesNotContain("wr0ng", error + string.Join("\n", log.Lines));
        Assert.DoesNotContain(secret, error + string.Join("\n", log.Lines));
    }

    [Fact]
    public async Task An_identity_token_is_exchanged_by_POST()
    {
        var server = new TokenServer { Accepts = "identity" };
        using var registry = await server.Handler.ConnectAsync(identityToken: "1d/ent+ity");
        await registry.GetManifestAsync("a", "t");
        var request = server.TokenRequests[^1];
        Assert.Equal("POST http://auth.test/token?x=1", request.ToString());
        Assert.Equal("application/x-www-form-urlencoded", request.Headers["Content-Type"]);
        Assert.Equal("grant_type=refresh_token&service=registry.test&client_id=RegistryTools&scope=repository%3Aa%3Apull&refresh_token=1d%2Fent%2Bity", request.Text);
        Assert.Null(request.Authorization);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(405)]
    public async Task Where_the_token_service_has_no_POST_the_password_goes_by_GET(int status)
    {
        var basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("user:pass"));
        var server = new TokenServer { Accepts = basic };
        server.Handler.On("POST http://auth.test/token*", Answer.Status(status));
        using var registry = await server.Handler.ConnectAsync(user: "user", password: "pass", identityToken: "1d/ent+ity");
        await registry.GetManifestAsync("a", "t");
        await registry.GetManifestAsync("b", "t");
        Assert.Single(server.Handler.AllRequests, request => request.Method == "POST");
        Assert.All(server.TokenRequests, request => Assert.Equal(basic, request.Authorization));
    }

    [Fact]
    public async Task Where_the_token_service_has_no_GET_the_password_goes_by_POST()
    {
        var server = new TokenServer { Accepts = "password" };
        server.Handler.On("GET http://auth.test/token*", Answer.Status(405));
        using var registry = await server.Handler.ConnectAsync(user: "us er", password: "p&ss");
        await registry.GetManifestAsync("a", "t");
        await registry.GetManifestAsync("b", "t");
        Assert.Single(server.Handler.AllRequests, request => request.Method == "GET" && request.Uri.Host == "auth.test");
        Assert.Contains("grant_type=password&service=registry.test&client_id=RegistryTools&scope=repository%3Aa%3Apull&username=us+er&password=p%26ss", server.TokenRequests.Select(request => request.Text));
        Assert.All(server.TokenRequests, request => Assert.Null(request.Authorization));
    }

    [Fact]
    public async Task Where_neither_is_there_that_is_told_once()
    {
        var server = new TokenServer();
        server.Handler.On("GET http://auth.test/token*", Answer.Status(405)).On("POST http://auth.test/token*", Answer.Status(405));
        var error = await Assert.ThrowsAsync<RegistryRequestException>(() => server.Handler.ConnectAsync(user: "user", password: "pass"));
        Assert.Contains("405", error.Message, StringComparison.Ordinal);
        Assert.Equal(2, server.Handler.AllRequests.Count(request => request.Uri.Host == "auth.test"));
    }

    [Theory]
    [InlineData("""{"token":"a","expires_in":300,"issued_at":"2026-11-23T12:00:00Z"}""", 300)]
    [InlineData("""{"token":"a","expires_in":300,"issued_at":"2026-11-23T11:59:00Z"}""", 240)]
    [InlineData("""{"token":"a","expires_in":300,"issued_at":"2026-11-23T13:59:00+02:00"}""", 240)]
    [InlineData("""{"token":"a","expires_in":300,"issued_at":"2026-11-23T11:00:00Z"}""", 0)]
    [InlineData("""{"token":"a","expires_in":300,"issued_at":"2027-11-23T11:00:00Z"}""", 300)]
    [InlineData("""{"token":"a","expires_in":300,"issued_at":"yesterday"}""", 300)]
    [InlineData("""{"token":"a","issued_at":"2026-11-23T11:59:30Z"}""", 30)]
    [InlineData("""{"access_token":"a"}""", 60)]
    [InlineData("""{"token":"","access_token":"a","expires_in":0}""", 60)]
    [InlineData("""{"token":"a","expires_in":-5}""", 60)]
    [InlineData("""{"token":"a","expires_in":1e99}""", 60)]
    [InlineData("""{"token":"a","expires_in":"300"}""", 60)]
    public void A_token_is_good_for_as_long_as_the_service_says_by_the_service_s_own_clock(string answer, int seconds)
    {
        var read = TokenAnswer.Read(Encoding.UTF8.GetBytes(answer), new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
        Assert.Equal(("a", TimeSpan.FromSeconds(seconds)), (read!.Value, read.Lifetime));
    }

    [Fact]
    public async Task A_clock_that_goes_wrong_on_either_side_asks_for_no_token_anew()
    {
        var server = new TokenServer();
        var number = 0;
        foreach (var skew in new[] { -86400, 86400 })
        {
            server.Handler.On("GET http://auth.test/token*", seen =>
            {
                number++;
                var now = DateTimeOffset.UtcNow.AddSeconds(skew);
                return Answer.Json(200, $$"""{"token":"{{server.Issue("repository:a:pull")}}","expires_in":300,"issued_at":"{{now:O}}"}""", ("Date", now.ToString("r")))(seen);
            });
            using var registry = await server.Handler.ConnectAsync();
            for (var i = 0; i < 5; i++) await registry.GetManifestAsync("a", "t");
        }

        Assert.Equal(2, number);
    }

    [Fact]
    public async Task A_ready_token_is_sent_as_it_is()
    {
        var server = new TokenServer { FixedToken = "ready" };
        using var registry = await server.Handler.ConnectAsync(token: "ready");
        await registry.GetManifestAsync("a", "t");
        Assert.Empty(server.TokenRequests);
        Assert.All(server.RegistryRequests, request => Assert.Equal("Bearer ready", request.Authorization));
    }

    [Fact]
    public async Task A_ready_token_that_is_refused_fails_at_connect()
    {
        var server = new TokenServer { FixedToken = "ready" };
        var error = await Assert.ThrowsAsync<RegistryUnauthorizedException>(() => server.Handler.ConnectAsync(token: "st0len"));
        Assert.DoesNotContain("st0len", error.ToString());
        Assert.Empty(server.TokenRequests);
    }

    [Fact]
    public async Task Fifty_callers_at_once_make_one_request_for_a_token()
    {
        for (var round = 0; round < 5; round++)
        {
            var server = new TokenServer { Gate = new TaskCompletionSource() };
            using var registry = await server.Handler.ConnectAsync();
            using var barrier = new Barrier(50);
            var callers = Enumerable.Range(0, 50).Select(i => Task.Factory.StartNew(
                () =>
                {
                    barrier.SignalAndWait();
                    return registry.GetManifestAsync("a", "t" + i);
                },
                CancellationToken.None,
                TaskCreationOptions.LongRunning,
                TaskScheduler.Default).Unwrap()).ToArray();
            while (server.RegistryRequests.Count + server.TokenRequests.Count < 2) await Task.Delay(1);
            await Task.Delay(10);
            server.Gate.SetResult();
            await Task.WhenAll(callers);
            Assert.Single(server.TokenRequests);
        }
    }

    [Fact]
    public async Task A_caller_that_gives_up_does_not_take_the_token_from_the_others()
    {
        var server = new TokenServer { Gate = new TaskCompletionSource() };
        using var registry = await server.Handler.ConnectAsync();
        using var stop = new CancellationTokenSource();
        var first = registry.GetManifestAsync("a", "t", stop.Token);
        while (server.TokenRequests.Count == 0) await Task.Delay(1);
        var second = registry.GetManifestAsync("a", "t");
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        server.Gate.SetResult();
        await second;
        Assert.Single(server.TokenRequests);
    }

    [Fact]
    public async Task A_failure_that_nobody_waited_for_is_not_kept_for_the_next()
    {
        var server = new TokenServer { Gate = new TaskCompletionSource(), FailFirst = Answer.Status(403) };
        using var registry = await server.Handler.ConnectAsync();
        using var stop = new CancellationTokenSource();
        var first = registry.GetManifestAsync("a", "t", stop.Token);
        while (server.TokenRequests.Count == 0) await Task.Delay(1);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        server.Gate.SetResult();
        await server.FirstFailed.Task;
        await Task.Delay(50);
        await registry.GetManifestAsync("a", "t");
        Assert.Equal(2, server.TokenRequests.Count);
    }

    [Fact]
    public async Task A_token_that_has_run_out_is_renewed_before_it_is_used()
    {
        var server = new TokenServer { ExpiresIn = 1 };
        using var registry = await server.Handler.ConnectAsync();
        await registry.GetManifestAsync("a", "t");
        await Task.Delay(1000);
        await registry.GetManifestAsync("a", "t");
        Assert.Equal(2, server.TokenRequests.Count);
        Assert.Equal(0, server.Refusals - server.RefusalsAtConnect);
    }

    [Fact]
    public async Task A_token_that_is_refused_in_mid_run_is_renewed_once()
    {
        var server = new TokenServer();
        using var registry = await server.Handler.ConnectAsync();
        await registry.GetManifestAsync("a", "t");
        server.Revoke();
        await registry.GetManifestAsync("a", "t");
        Assert.Equal(2, server.TokenRequests.Count);

        // Where a new one is no better, that is the end of it.
        server.RefusesEverything = true;
        var before = server.TokenRequests.Count;
        await Assert.ThrowsAsync<RegistryUnauthorizedException>(() => registry.GetManifestAsync("a", "t"));
        Assert.InRange(server.TokenRequests.Count - before, 1, 2);
    }

    [Fact]
    public async Task A_change_of_a_tag_is_sent_again_with_the_new_token()
    {
        var server = new TokenServer();
        using var registry = await server.Handler.ConnectAsync();
        await registry.PutManifestAsync("a", "t", Image, MediaTypes.OciManifest);
        server.Revoke();
        await registry.PutManifestAsync("a", "t", Image, MediaTypes.OciManifest);
        Assert.Equal(2, server.TokenRequests.Count);
        Assert.All(server.RegistryRequests.Where(request => request.Method == "PUT"), request => Assert.Equal(Image, request.Body));
    }

    [Theory]
    [InlineData("repository:a:delete")]
    [InlineData("repository:a:*")]
    [InlineData("repository:a:pull,delete")]
    public async Task What_deleting_needs_is_taken_from_the_challenge(string wanted)
    {
        var server = new TokenServer { DeleteScope = wanted };
        using var registry = await server.Handler.ConnectAsync();
        Assert.Equal(TagDeletion.Accepted, await registry.DeleteTagAsync("a", "t"));
        Assert.Contains("scope=" + Uri.EscapeDataString(wanted), Assert.Single(server.TokenRequests).Uri.Query);
        await registry.DeleteTagAsync("a", "u");
        Assert.Single(server.TokenRequests);
    }

    [Fact]
    public async Task Cancelling_an_upload_does_not_spoil_the_token_for_pushing()
    {
        var server = new TokenServer { DeleteScope = "repository:a:delete" };
        using var registry = await server.Handler.ConnectAsync(chunkSize: 1000);
        await Assert.ThrowsAsync<DigestMismatchException>(() => registry.PushBlobAsync("a", Digest.Random(), new MemoryStream(Image)));
        var before = server.Refusals;
        await registry.PutManifestAsync("a", "t", Image, MediaTypes.OciManifest);
        Assert.Equal(before, server.Refusals);
        Assert.Contains(server.RegistryRequests, request => request.Method == "DELETE" && request.Authorization is not null);
    }

    [Fact]
    public async Task A_mount_asks_for_both_repositories()
    {
        var server = new TokenServer();
        using var registry = await server.Handler.ConnectAsync();
        await registry.PutManifestAsync("a", "t", Image, MediaTypes.OciManifest);
        var refusals = server.Refusals;
        Assert.False(await registry.MountBlobAsync("a", Digest.Random(), "b"));

        // The token was good at once; only to cancel what was begun instead takes a right that has to be learnt.
        Assert.Equal(1, server.Refusals - refusals);
        Assert.Single(server.RegistryRequests, request => request.Method == "POST");
        Assert.Contains(server.TokenRequests, request => request.Uri.Query.Contains("scope=repository%3Aa%3Apull%2Cpush&scope=repository%3Ab%3Apull"));
        var count = server.TokenRequests.Count;
        await registry.PutManifestAsync("a", "t", Image, MediaTypes.OciManifest);
        Assert.Equal(count, server.TokenRequests.Count);
    }

    [Fact]
    public async Task A_token_service_over_http_is_refused_under_https()
    {
        var server = new TokenServer();
        var error = await Assert.ThrowsAsync<RegistryProtocolException>(() => server.Handler.ConnectAsync("https://registry.test", user: User, password: Password));
        Assert.Contains("http://auth.test", error.Message.Replace("plain http, ", "http://"));
        Assert.Empty(server.TokenRequests);
        Assert.DoesNotContain(server.Handler.AllRequests, request => request.Authorization is not null);
    }

    [Theory]
    [InlineData("file:///etc/passwd")]
    [InlineData("not an address")]
    [InlineData("http://user:s3cret@auth.test/token")]
    public async Task A_token_service_that_is_none_is_refused(string realm)
    {
        var handler = new ScriptedHandler().On("GET *", Answer.Status(401, ("WWW-Authenticate", $"Bearer realm=\"{realm}\",service=\"x\"")));
        var error = await Assert.ThrowsAsync<RegistryProtocolException>(() => handler.ConnectAsync(user: User, password: Password));
        Assert.Contains("token service", error.Message);
        Assert.DoesNotContain("s3cret", error.ToString());
        Assert.Single(handler.AllRequests);
    }

    [Fact]
    public async Task A_token_service_that_hiccups_is_asked_again()
    {
        foreach (var hiccup in new[] { Answer.Status(503), Answer.Status(429), Answer.Dead, Answer.Refused })
        {
            var server = new TokenServer { FailFirst = hiccup };
            using var registry = await server.Handler.ConnectAsync();

            // Nothing of it reached the registry yet, so that a change of a tag can be sent all the same.
            await registry.PutManifestAsync("a", "t", Image, MediaTypes.OciManifest);
            Assert.Equal(2, server.TokenRequests.Count);
        }
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("<html>s3cret</html>")]
    [InlineData("{\"token\":\"\"}")]
    [InlineData("{\"token\":\"a b\"}")]
    [InlineData("{\"token\":3}")]
    [InlineData("{\"token\":\"tr\\u0000uncated\"}")]
    [InlineData("{\"\\ud800\":1}")]
    [InlineData("{\"token\":\"s3cret")]
    public async Task An_answer_that_is_no_token_is_one_clear_error(string body)
    {
        var server = new TokenServer { FailFirst = Answer.Json(200, body) };
        using var registry = await server.Handler.ConnectAsync();
        var error = await Assert.ThrowsAsync<RegistryProtocolException>(() => registry.GetManifestAsync("a", "t"));
        Assert.Contains("token service of registry.test", error.Message);
        Assert.DoesNotContain("s3cret", error.ToString());
        await registry.GetManifestAsync("a", "t");
    }

    [Fact]
    public async Task A_token_service_that_never_answers_or_sends_too_much_is_an_error()
    {
        var server = new TokenServer { Gate = new TaskCompletionSource() };
        using var registry = await server.Handler.ConnectAsync(retries: 0, timeout: TimeSpan.FromMilliseconds(100));
        Assert.Contains("did not answer", (await Assert.ThrowsAsync<RegistryUnreachableException>(() => registry.GetManifestAsync("a", "t"))).Message);
        var large = new TokenServer { FailFirst = Answer.Bytes(200, new byte[2 * 1024 * 1024], "application/json") };
        using var second = await large.Handler.ConnectAsync();
        Assert.Contains("larger than", (await Assert.ThrowsAsync<RegistryProtocolException>(() => second.GetManifestAsync("a", "t"))).Message);
    }

    [Fact]
    public async Task Tokens_and_the_queries_for_them_are_told_nowhere()
    {
        var log = new CollectingLog();
        var server = new TokenServer { Accepts = BasicHeader };
        using var registry = await server.Handler.ConnectAsync(user: User, password: Password, log: log);
        await registry.GetManifestAsync("a", "t");
        server.RefusesEverything = true;
        var error = await Assert.ThrowsAsync<RegistryUnauthorizedException>(() => registry.GetManifestAsync("a", "t"));
        var told = error + error.Remedy + string.Join("\n", log.Lines);
        Assert.Contains("GET http://registry.test/v2/a/manifests/t -> 401", told);
        foreach (var secret in new[] { Password, BasicHeader["Basic ".Length..], "account=", "issued-" }) Assert.DoesNotContain(secret, told);
    }

    /// <summary>A registry that wants tokens, and the service that gives them.</summary>
    private sealed class TokenServer
    {
        private readonly ConcurrentDictionary<string, string> _issued = new();
        private readonly ConcurrentQueue<SeenRequest> _tokenRequests = new();
        private int _count;
        private int _refusals;

        public TokenServer()
        {
            Handler = new ScriptedHandler().On("*", Answer.Status(500));
            foreach (var method in new[] { "GET", "HEAD", "PUT", "POST", "PATCH", "DELETE" }) Handler.On(method + " *", Registry);
            Handler.OnAsync("GET http://auth.test/token*", TokenAsync).OnAsync("POST http://auth.test/token*", TokenAsync);
        }

        public ScriptedHandler Handler { get; }

        public string? Accepts { get; init; }

        public string? FixedToken { get; init; }

        public string DeleteScope { get; init; } = "repository:a:delete";

        public int ExpiresIn { get; init; } = 300;

        public TaskCompletionSource? Gate { get; init; }

        public Func<SeenRequest, HttpResponseMessage>? FailFirst { get; init; }

        public TaskCompletionSource FirstFailed { get; } = new();

        public bool RefusesEverything { get; set; }

        public int Refusals => _refusals;

        public int RefusalsAtConnect { get; private set; }

        public IReadOnlyList<SeenRequest> TokenRequests => _tokenRequests.ToList();

        public IReadOnlyList<SeenRequest> RegistryRequests => Handler.AllRequests.Where(request => request.Uri.Host == ScriptedHandler.Host).ToList();

        public void Revoke() => _issued.Clear();

        public string Issue(string scope)
        {
            var token = "issued-" + Interlocked.Increment(ref _count);
            _issued[token] = scope;
            return token;
        }

        private HttpResponseMessage Registry(SeenRequest request)
        {
            var token = request.Authorization?.StartsWith("Bearer ", StringComparison.Ordinal) == true ? request.Authorization["Bearer ".Length..] : null;
            if (request.Path == "/v2/")
            {
                if (!RefusesEverything && token is not null && (token == FixedToken || _issued.ContainsKey(token))) return Answer.Json(200, "{}")(request);
                RefusalsAtConnect++;
                Interlocked.Increment(ref _refusals);
                return Answer.Error(401, "UNAUTHORIZED", "no", ("WWW-Authenticate", "Bearer realm=\"http://auth.test/token?x=1\",service=\"registry.test\""))(request);
            }

            var repository = request.Path["/v2/".Length..].Split(["/manifests", "/blobs", "/tags"], StringSplitOptions.None)[0];
            var scope = request.Method switch
            {
                "GET" or "HEAD" => $"repository:{repository}:pull",
                "DELETE" => DeleteScope,
                "POST" when request.Uri.Query.Contains("from=b") => $"repository:{repository}:pull,push repository:b:pull",
                _ => $"repository:{repository}:pull,push",
            };
            if (RefusesEverything || token is null || !(token == FixedToken || (_issued.TryGetValue(token, out var allowed) && scope.Split(' ').All(one => Allows(allowed, one)))))
            {
                Interlocked.Increment(ref _refusals);
                return Answer.Error(401, "UNAUTHORIZED", "no", ("WWW-Authenticate", $"Bearer realm=\"http://auth.test/token?x=1\",service=\"registry.test\",scope=\"{scope}\""))(request);
            }

            return request.Method switch
            {
                "HEAD" => Answer.Status(404)(request),
                "GET" => Answer.Bytes(200, Image, MediaTypes.OciManifest)(request),
                "POST" => Answer.Status(202, ("Location", $"/v2/{repository}/blobs/uploads/1"))(request),
                "DELETE" => Answer.Status(202)(request),
                _ => Answer.Status(201)(request),
            };
        }

        private static bool Allows(string allowed, string wanted)
        {
            var colon = wanted.LastIndexOf(':');
            return allowed.Split(' ').Any(one => one.StartsWith(wanted[..(colon + 1)], StringComparison.Ordinal) && wanted[(colon + 1)..].Split(',').All(one[(colon + 1)..].Split(',').Contains));
        }

        private async Task<HttpResponseMessage> TokenAsync(SeenRequest request, CancellationToken cancellationToken)
        {
            _tokenRequests.Enqueue(request);
            var number = Interlocked.Increment(ref _count);
            if (Gate is not null) await Gate.Task.WaitAsync(cancellationToken);
            if (FailFirst is not null && number == 1)
            {
                FirstFailed.TrySetResult();
                return FailFirst(request);
            }

            var accepted = Accepts switch { null => true, "identity" => request.Text.Contains("refresh_token=1d%2Fent%2Bity"), "password" => request.Text.Contains("username=us+er&password=p%26ss"), _ => request.Authorization == Accepts };
            if (!accepted) return Answer.Json(401, "{\"details\":\"incorrect username or password\"}")(request);
            var query = (request.Uri.Query + "&" + request.Text).TrimStart('?').Split('&');
            var scopes = query.Where(part => part.StartsWith("scope=", StringComparison.Ordinal)).Select(part => Uri.UnescapeDataString(part["scope=".Length..].Replace('+', ' ')));
            var token = "issued-" + number;
            _issued[token] = string.Join(' ', scopes);
            return Answer.Json(200, $$"""{"token":"{{token}}","expires_in":{{ExpiresIn}}}""")(request);
        }
    }
}
