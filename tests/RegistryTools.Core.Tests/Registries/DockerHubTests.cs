using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Journal;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Tests.Servers;
using RegistryTools.Text;
using Xunit;

namespace RegistryTools.Tests.Registries;

/// <summary>Tags on Docker Hub go through its own API, which a stand-in plays here: by the book, and otherwise.</summary>
public sealed class DockerHubTests : IDisposable
{
    private const string Registry = "https://registry-1.docker.io";
    private const string Login = "POST https://hub.docker.com/v2/auth/token";
    private const string Delete = "DELETE https://hub.docker.com/v2/repositories/team/app/tags/T11/";
    private const string Password = "dckr_pat_0123456789";
    private const string Jwt = "eyJhbGciOi.J9.abcdef";
    private const string Raw = """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}""";
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-hub-").FullName;
    private readonly List<string> _log = [];
    private bool _gone;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_tag_goes_alone_and_one_login_serves_them_all()
    {
        var handler = Hub().On("DELETE https://hub.docker.com/v2/repositories/team/app/tags/T1*", Gone(204));
        var removal = await RemoveAsync(handler);
        Assert.Equal((RemovalState.Removed, RemovalMethod.TagApi), (removal.State, removal.Method));
        Assert.Equal(Login, Assert.Single(handler.AllRequests, request => request.Method == "POST").ToString());
        Assert.Equal($$"""{"identifier":"user","secret":"{{Password}}"}""", handler.AllRequests.Single(request => request.Method == "POST").Text);
        Assert.Equal("Bearer " + Jwt, Assert.Single(handler.AllRequests, request => request.Method == "DELETE").Authorization);

        // Neither goes anywhere else.
        Assert.All(handler.AllRequests.Where(request => request.Uri.Host != "hub.docker.com"), request => Assert.DoesNotContain(Jwt, request.Authorization ?? string.Empty, StringComparison.Ordinal));
        Assert.DoesNotContain(handler.AllRequests, request => request.Method == "PUT");
    }

    [Theory]
    [InlineData(204)]
    [InlineData(202)]
    public async Task A_token_that_has_run_out_is_renewed_once(int status)
    {
        var handler = Hub().On(Delete, Answer.Json(401, """{"detail":"token has expired"}"""), Gone(status));
        Assert.Equal(RemovalState.Removed, (await RemoveAsync(handler)).State);
        Assert.Equal(2, handler.AllRequests.Count(request => request.ToString() == Login));

        _gone = false;
        handler = Hub().On(Delete, Answer.Json(401, """{"detail":"no"}"""));
        Assert.Equal(RemovalState.Unchanged, (await RemoveAsync(handler)).State);
        Assert.Equal(2, handler.AllRequests.Count(request => request.ToString() == Login));
    }

    [Theory]
    [InlineData(401, """{"detail":"Incorrect authentication credentials"}""", "Incorrect")]
    [InlineData(401, """{"detail":"Require secondary authentication on MFA enabled account","login_2fa_token":"t0k3n"}""", "secondary authentication")]
    [InlineData(403, """{"message":"deactivated"}""", "deactivated")]
    [InlineData(401, """{"detail":"you sent dckr_pat_0123456789"}""", "***")]
    [InlineData(401, "<html>", "401")]
    public async Task A_login_that_is_refused_is_told_with_what_to_do(int status, string answer, string told)
    {
        var handler = Hub().On(Login, Answer.Json(status, answer));
        var removal = await RemoveAsync(handler);
        var error = Assert.IsType<RegistryUnauthorizedException>(removal.Error);
        Assert.Contains("hub.docker.com", error.Message, StringComparison.Ordinal);
        Assert.Contains(told, error.Message, StringComparison.Ordinal);
        Assert.Contains("personal access token", error.Remedy, StringComparison.Ordinal);
        Assert.Equal(RemovalState.Unchanged, removal.State);
        Assert.DoesNotContain(handler.AllRequests, request => request.Method is "DELETE" or "PUT");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"access_token":""}""")]
    [InlineData("""{"access_token":"a b"}""")]
    [InlineData("""{"access_token":{"a":1}}""")]
    [InlineData("""{"access_token":"eyJ""")]
    [InlineData("<html>")]
    [InlineData("")]
    public async Task A_login_without_a_token_is_an_error(string answer)
    {
        var handler = Hub().On(Login, Answer.Json(200, answer));
        var removal = await RemoveAsync(handler);
        Assert.IsType<RegistryProtocolException>(removal.Error);
        Assert.Equal(RemovalState.Unchanged, removal.State);
        Assert.DoesNotContain(handler.AllRequests, request => request.Method is "DELETE" or "PUT");
    }

    [Fact]
    public async Task Who_may_not_delete_there_is_told_so_and_nothing_is_overwritten()
    {
        foreach (var answer in new[] { Answer.Json(403, """{"detail":"Insufficient scope"}"""), Answer.Json(400, """{"message":"no"}"""), Answer.Json(405, "{}"), Answer.Json(200, "{}"), Answer.Html(), Answer.Html(404), Answer.Status(302, ("Location", "https://elsewhere.test/")) })
        {
            var handler = Hub().On(Delete, answer);
            var removal = await RemoveAsync(handler);
            Assert.Equal(RemovalState.Unchanged, removal.State);
            Assert.Contains("hub.docker.com", removal.Error!.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(handler.AllRequests, request => request.Method == "PUT" || request.Uri.Host == "elsewhere.test");
        }
    }

    [Fact]
    public async Task A_tag_that_is_not_there_any_more_is_gone()
    {
        var handler = Hub().On(Delete, seen =>
        {
            _gone = true;
            return Answer.Json(404, """{"message":"tag not found"}""")(seen);
        });
        Assert.NotEqual(RemovalState.Unchanged, (await RemoveAsync(handler)).State);
    }

    [Fact]
    public async Task A_storm_of_429_is_waited_out()
    {
        var handler = Hub()
            .On(Login, Answer.Status(429, ("Retry-After", "0")), Token())
            .On(Delete, Answer.Status(429, ("Retry-After", "0")), Answer.Status(429, ("X-Retry-After", "1")), Gone(204));
        Assert.Equal(RemovalState.Removed, (await RemoveAsync(handler)).State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Where_the_answer_is_lost_it_is_looked_whether_the_tag_is_gone(bool done)
    {
        var handler = Hub().On(Delete, seen =>
        {
            _gone = done;
            return Answer.Dead(seen);
        });
        var removal = await RemoveAsync(handler);
        Assert.Equal(done ? RemovalState.Removed : RemovalState.Unchanged, removal.State);
        Assert.DoesNotContain(handler.AllRequests, request => request.Method == "PUT");
    }

    [Theory]
    [InlineData(null, null, null)]
    [InlineData(null, null, "some-token-or-other")]
    public async Task Without_a_password_nothing_is_tried(string? user, string? password, string? token)
    {
        var handler = Hub();
        using var registry = await handler.ConnectAsync("https://docker.io", user: user, password: password, token: token);
        using var remover = new TagRemover(registry, new RemovalJournal(_directory));
        var error = Assert.IsType<DeletionDisabledException>(Assert.Single(await remover.RemoveAsync("team/app", [new TagRemovalRequest("T11")])).Error);
        Assert.Contains("-Credential", error.Remedy, StringComparison.Ordinal);
        Assert.DoesNotContain(handler.AllRequests, request => request.Uri.Host == "hub.docker.com");
    }

    [Fact]
    public async Task It_is_found_out_without_deleting_anything()
    {
        var handler = Hub().On("DELETE https://hub.docker.com/v2/repositories/team/app/tags/registrytools-probe-*", Answer.Json(404, "{}"));
        using var registry = await handler.ConnectAsync("https://docker.io", user: "user", password: Password);
        var found = await registry.ProbeAsync("team/app");
        Assert.Equal((Support.Supported, Support.Supported), (found.TagDelete, found.ManifestDelete));
    }

    [Fact]
    public async Task A_manifest_that_a_tag_needs_is_refused_there_and_that_is_told()
    {
        var digest = Digest.Compute(System.Text.Encoding.UTF8.GetBytes(Raw));
        var handler = Hub().On("DELETE " + Registry + "/v2/team/app/manifests/" + digest, Answer.Error(403, "DENIED", "manifest is referenced by a tag"));
        using var registry = await handler.ConnectAsync("https://docker.io", user: "user", password: Password);
        var error = await Assert.ThrowsAsync<RegistryDeniedException>(() => registry.DeleteManifestAsync("team/app", digest));
        Assert.Contains("referenced by a tag", error.Message, StringComparison.Ordinal);
    }

    private async Task<TagRemoval> RemoveAsync(ScriptedHandler handler)
    {
        using var registry = await handler.ConnectAsync("https://docker.io", user: "user", password: Password, log: new DelegateActivityLog(Keep, Keep, Keep));
        using var remover = new TagRemover(registry, new RemovalJournal(_directory), new TagRemoverOptions { RollbackTimeout = TimeSpan.FromSeconds(1), Log = new DelegateActivityLog(Keep, Keep, Keep) });
        var removal = Assert.Single(await remover.RemoveAsync("team/app", [new TagRemovalRequest("T11")]));
        var told = string.Join("\n", _log) + removal.Error + string.Concat(Directory.EnumerateFiles(_directory, "*", SearchOption.AllDirectories).Select(File.ReadAllText));
        Assert.DoesNotContain(Password, told, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(Jwt, told, StringComparison.OrdinalIgnoreCase);
        return removal;
    }

    private void Keep(string line)
    {
        lock (_log) _log.Add(line);
    }

    private Func<SeenRequest, HttpResponseMessage> Gone(int status) => seen =>
    {
        _gone = true;
        return Answer.Status(status)(seen);
    };

    private static Func<SeenRequest, HttpResponseMessage> Token() => Answer.Json(200, $$"""{"access_token":"{{Jwt}}"}""");

    private ScriptedHandler Hub()
    {
        Func<SeenRequest, HttpResponseMessage> unlessGone(Func<SeenRequest, HttpResponseMessage> there) => seen => (_gone ? Answer.Error(404, "MANIFEST_UNKNOWN") : there)(seen);
        var digest = Digest.Compute(System.Text.Encoding.UTF8.GetBytes(Raw));
        return new ScriptedHandler()
            .On("GET " + Registry + "/v2/", Answer.Json(200, "{}", ("Docker-Distribution-Api-Version", "registry/2.0")))
            .On("GET " + Registry + "/v2/team/app/tags/list*", seen => Answer.Json(200, _gone ? """{"name":"team/app","tags":["T12"]}""" : """{"name":"team/app","tags":["T11","T12"]}""")(seen))
            .On("HEAD " + Registry + "/v2/team/app/manifests/T11", unlessGone(Answer.Manifest(Raw, MediaTypes.OciManifest)))
            .On("GET " + Registry + "/v2/team/app/manifests/T11", unlessGone(Answer.Manifest(Raw, MediaTypes.OciManifest)))
            .On("HEAD " + Registry + "/v2/team/app/manifests/" + digest, Answer.Manifest(Raw, MediaTypes.OciManifest))
            .On("GET " + Registry + "/v2/team/app/manifests/" + digest, Answer.Manifest(Raw, MediaTypes.OciManifest))
            .On(Login, Token());
    }
}
