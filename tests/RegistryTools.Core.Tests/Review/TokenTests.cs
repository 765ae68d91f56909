using RegistryTools.References;
using RegistryTools.Errors;
using RegistryTools.Registries;
using Xunit;

namespace RegistryTools.Tests.Review;

/// <summary>Tokens: got once for all, again when they must be, and never at the price of the request they are for.</summary>
public sealed class TokenTests
{
    private const string Tags = """{"name":"a","tags":["t"]}""";

    [Fact]
    public async Task A_token_service_that_is_busy_for_a_moment_does_not_fail_what_must_be_sent_once()
    {
        var asked = 0;
        var wire = new Wire(sent => sent switch
        {
            { Uri.Host: "auth.test" } => Interlocked.Increment(ref asked) switch
            {
                1 => Wire.Error(503, "UNAVAILABLE"),
                2 => throw new HttpRequestException("cut", new IOException("reset")),
                _ => Wire.Json(200, """{"token":"good"}"""),
            },
            { Method: "DELETE", Authorization: "Bearer good" } => Wire.Text(202, "", "text/plain"),
            { Line: not "GET /v2/" } => Wire.Challenge("realm=\"https://auth.test/token\",service=\"s\",scope=\"repository:a:delete\""),
            _ => null,
        });
        using var registry = await wire.ConnectAsync();
        Assert.Equal(TagDeletion.Accepted, await registry.DeleteTagAsync("a", "t"));
        Assert.Equal(3, asked);
        Assert.Single(wire.Requests, sent => sent is { Method: "DELETE", Authorization: not null });
    }

    [Fact]
    public async Task One_token_serves_all_that_wait_and_who_gives_up_takes_it_from_nobody()
    {
        var gate = new TaskCompletionSource();
        var wire = new Wire(sent => sent switch
        {
            { Uri.Host: "auth.test" } => Wire.Json(200, """{"access_token":"good","expires_in":300}"""),
            { Line: "GET /v2/" } => Wire.Challenge(),
            { Authorization: "Bearer good" } => Wire.Json(200, Tags),
            _ => Wire.Challenge("realm=\"https://auth.test/token\",service=\"s\",scope=\"repository:a:pull\""),
        });
        using var registry = await wire.ConnectAsync();
        wire.Before = (sent, _) => sent.Uri.Host == "auth.test" ? gate.Task : Task.CompletedTask;
        using var stop = new CancellationTokenSource();
        var quitter = registry.ListTagsAsync("a", stop.Token).GetAsyncEnumerator(stop.Token).MoveNextAsync().AsTask();
        var others = Enumerable.Range(0, 20).Select(_ => registry.ListTagsAsync("a").GetAsyncEnumerator().MoveNextAsync().AsTask()).ToList();
        while (!wire.Requests.Any(sent => sent.Uri.Host == "auth.test")) await Task.Delay(5);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => quitter);
        gate.SetResult();
        Assert.All(await Task.WhenAll(others), Assert.True);
        Assert.Single(wire.Requests, sent => sent.Uri.Host == "auth.test");
    }

    [Fact]
    public async Task A_failure_that_nobody_waited_for_is_not_kept_for_the_next()
    {
        var gate = new TaskCompletionSource();
        var fails = true;
        var wire = new Wire(sent => sent switch
        {
            { Uri.Host: "auth.test" } => fails ? Wire.Error(401, "UNAUTHORIZED") : Wire.Json(200, """{"token":"good"}"""),
            { Authorization: "Bearer good" } => Wire.Json(200, Tags),
            _ => Wire.Challenge(),
        });
        using var registry = await wire.ConnectAsync();
        wire.Before = (sent, _) => sent.Uri.Host == "auth.test" ? gate.Task : Task.CompletedTask;
        using var stop = new CancellationTokenSource();
        var quitter = registry.ListTagsAsync("a", stop.Token).GetAsyncEnumerator(stop.Token).MoveNextAsync().AsTask();
        while (!wire.Requests.Any(sent => sent.Uri.Host == "auth.test")) await Task.Delay(5);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => quitter);
        gate.SetResult();
        await Task.Delay(100);
        fails = false;
        Assert.True(await registry.ListTagsAsync("a").GetAsyncEnumerator().MoveNextAsync());
    }

    [Fact]
    public async Task A_refresh_token_that_is_exchanged_for_another_is_the_other_from_then_on()
    {
        var wire = new Wire(sent => sent switch
        {
            { Uri.Host: "auth.test" } => Wire.Json(200, sent.Body!.Contains("refresh_token=first", StringComparison.Ordinal) ? """{"access_token":"one","refresh_token":"second"}""" : """{"access_token":"two"}"""),
            { Line: "GET /v2/", Authorization: "Bearer one" } => null,
            { Authorization: "Bearer two" } => Wire.Json(200, Tags),
            _ => Wire.Challenge(),
        });
        using var registry = await wire.ConnectAsync(new HttpRegistryOptions { IdentityToken = "first" });
        Assert.True(await registry.ListTagsAsync("a").GetAsyncEnumerator().MoveNextAsync());
        var asked = wire.Requests.Where(sent => sent.Uri.Host == "auth.test").ToList();
        Assert.All(asked, sent => Assert.Equal("POST", sent.Method));
        Assert.EndsWith("refresh_token=second", asked[^1].Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"details":"incorrect username or password"}""")]
    [InlineData("""{"error":"invalid_grant","error_description":"incorrect username or password"}""")]
    [InlineData("""{"errors":[{"code":"UNAUTHORIZED","message":"incorrect username or password"}]}""")]
    public async Task A_refusal_tells_why_and_no_secret(string body)
    {
        var wire = new Wire(sent => sent.Uri.Host == "auth.test" ? Wire.Json(401, body) : Wire.Challenge());
        var error = await Assert.ThrowsAsync<RegistryUnauthorizedException>(() => wire.ConnectAsync(new HttpRegistryOptions { UserName = "someone", Password = "s3cret" }));
        Assert.Contains("refused the credentials with 401", error.Message, StringComparison.Ordinal);
        Assert.Contains("incorrect username or password", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", error + string.Join('\n', wire.Log), StringComparison.Ordinal);
        Assert.DoesNotContain("someone", error.Uri.AbsoluteUri, StringComparison.Ordinal);
        Assert.Contains("user name", error.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_is_refused_is_told_on_connecting()
    {
        var wire = new Wire(_ => Wire.Challenge("realm=\"https://auth.test/token\",service=\"s\",error=\"invalid_token\""));
        var error = await Assert.ThrowsAsync<RegistryUnauthorizedException>(() => wire.ConnectAsync(new HttpRegistryOptions { Token = "t0ken" }));
        Assert.Contains("did not accept the credentials", error.Remedy, StringComparison.Ordinal);
        Assert.DoesNotContain("t0ken", error.ToString(), StringComparison.Ordinal);
        Assert.Single(wire.Requests);
    }

    [Fact]
    public async Task A_token_for_one_repository_connects()
    {
        var wire = new Wire(sent => sent.Line == "GET /v2/" ? Wire.Challenge("realm=\"https://auth.test/token\",service=\"s\",error=\"insufficient_scope\"") : Wire.Json(200, Tags));
        using var registry = await wire.ConnectAsync(new HttpRegistryOptions { Token = "t0ken" });
        Assert.Equal("Bearer", registry.AuthenticationScheme);
        Assert.True(await registry.ListTagsAsync("a").GetAsyncEnumerator().MoveNextAsync());
    }

    [Fact]
    public async Task A_registry_that_refuses_its_own_service_s_token_is_told_on_connecting()
    {
        var wire = new Wire(sent => sent.Uri.Host == "auth.test" ? Wire.Json(200, """{"token":"x"}""") : Wire.Challenge());
        await Assert.ThrowsAsync<RegistryUnauthorizedException>(() => wire.ConnectAsync(new HttpRegistryOptions { UserName = "u", Password = "p" }));
        using var anonymous = await wire.ConnectAsync();
        Assert.Equal("Bearer", anonymous.AuthenticationScheme);
    }

    [Fact]
    public async Task Deleting_asks_for_delete_where_the_challenge_names_no_scope()
    {
        var wire = new Wire(sent => sent switch
        {
            { Uri.Host: "auth.test" } => Wire.Json(200, """{"token":"good"}"""),
            { Authorization: "Bearer good" } => Wire.Text(202, "", "text/plain"),
            { Line: "GET /v2/" } => null,
            _ => Wire.Challenge(),
        });
        using var registry = await wire.ConnectAsync();
        Assert.Equal(TagDeletion.Accepted, await registry.DeleteTagAsync("a", "t"));
        Assert.Contains("scope=repository%3Aa%3Adelete", wire.Requests.Single(sent => sent.Uri.Host == "auth.test").Uri.Query, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_token_services_of_one_registry_do_not_share_tokens()
    {
        var wire = new Wire(sent => sent switch
        {
            { Uri.Host: "one.test" or "two.test" } => Wire.Json(200, $$"""{"token":"{{sent.Uri.Host}}"}"""),
            { Line: "GET /v2/" } => null,
            { Method: "HEAD", Authorization: "Bearer one.test" } => Wire.Text(200, "", "application/json", ("Docker-Content-Digest", Digest.Random().ToString())),
            { Method: "HEAD" } => Wire.Challenge("realm=\"https://one.test/token\",service=\"s\",scope=\"repository:a:pull\""),
            { Authorization: "Bearer two.test" } => Wire.Json(200, Tags),
            _ => Wire.Challenge("realm=\"https://two.test/token\",service=\"s\",scope=\"repository:a:pull\""),
        });
        using var registry = await wire.ConnectAsync();
        Assert.NotNull(await registry.FindManifestAsync("a", "t"));
        Assert.True(await registry.ListTagsAsync("a").GetAsyncEnumerator().MoveNextAsync());
        Assert.NotNull(await registry.FindManifestAsync("a", "t"));
    }

    [Fact]
    public async Task A_mount_asks_for_both_repositories_and_leaves_pushing_its_own_token()
    {
        var wire = new Wire(sent => sent switch
        {
            { Uri.Host: "auth.test" } => Wire.Json(200, """{"token":"t"}"""),
            { Line: "GET /v2/" } => null,
            { Authorization: null } => Wire.Challenge(),
            _ => Wire.Text(201, "", "text/plain"),
        });
        using var registry = await wire.ConnectAsync();
        Assert.True(await registry.MountBlobAsync("to", Digest.Random(), "from"));
        Assert.EndsWith("scope=repository%3Ato%3Apull%2Cpush&scope=repository%3Afrom%3Apull", wire.Requests.Single(sent => sent.Uri.Host == "auth.test").Uri.Query, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ReferenceFormatException>(() => registry.MountBlobAsync("to", Digest.Random(), "../x"));
    }
}
