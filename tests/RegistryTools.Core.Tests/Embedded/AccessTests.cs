using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using RegistryTools.Host.Embedded;
using Xunit;
using Server = RegistryTools.Host.Embedded.EmbeddedRegistry;

namespace RegistryTools.Tests.Embedded;

public sealed class AccessTests
{
    [Fact]
    public async Task BasicTakesTheOnePair()
    {
        await using var registry = await StartAsync(new() { Authentication = RegistryAuthentication.Basic, UserName = "ann", Password = "p:ss" });
        using var client = Client(registry);
        using (var nobody = await client.GetAsync(Relative("v2/")))
        {
            Assert.Equal("registry/2.0", nobody.Headers.GetValues("Docker-Distribution-Api-Version").Single());
            Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
            Assert.Equal("Basic", nobody.Headers.WwwAuthenticate.Single().Scheme);
            Assert.Equal("UNAUTHORIZED", await CodeAsync(nobody));
        }
        Assert.Equal(401, await StatusAsync(client, HttpMethod.Get, "v2/r/tags/list", Basic("ann", "wrong")));
        Assert.Equal(200, await StatusAsync(client, HttpMethod.Get, "v2/r/tags/list", Basic("ann", "p:ss")));
        Assert.Equal(200, await StatusAsync(client, HttpMethod.Get, "v2/_catalog", Basic("ann", "p:ss")));
    }

    [Fact]
    public async Task BasicWithoutTheRightIsDenied()
    {
        await using var registry = await StartAsync(new() { Authentication = RegistryAuthentication.Basic, UserName = "ann", Password = "pass", UserActions = ["pull"], AnonymousPull = true });
        using var client = Client(registry);
        Assert.Equal(200, await StatusAsync(client, HttpMethod.Get, "v2/r/tags/list", null));
        Assert.Equal(401, await StatusAsync(client, HttpMethod.Delete, "v2/r/manifests/one", null));
        Assert.Equal(403, await StatusAsync(client, HttpMethod.Delete, "v2/r/manifests/one", Basic("ann", "pass")));
        Assert.Equal(["one"], registry.Store.Tags("r"));
    }

    [Fact]
    public async Task ATokenHoldsForItsScopeOnly()
    {
        await using var registry = await StartAsync(new() { Authentication = RegistryAuthentication.Bearer, UserName = "ann", Password = "pass" });
        using var client = Client(registry);
        var challenge = await ChallengeAsync(client, HttpMethod.Get, "v2/r/tags/list", null);
        Assert.Contains($"realm=\"{registry.BaseAddress}token\"", challenge, StringComparison.Ordinal);
        Assert.Contains("scope=\"repository:r:pull\"", challenge, StringComparison.Ordinal);

        var pull = await TokenAsync(client, "repository:r:pull", Basic("ann", "pass"));
        Assert.Equal(200, await StatusAsync(client, HttpMethod.Get, "v2/r/tags/list", pull));
        Assert.Equal(200, await StatusAsync(client, HttpMethod.Get, "v2/", pull));
        Assert.Equal(401, await StatusAsync(client, HttpMethod.Get, "v2/other/tags/list", pull));
        Assert.Equal(401, await StatusAsync(client, HttpMethod.Get, "v2/_catalog", pull));
        challenge = await ChallengeAsync(client, HttpMethod.Delete, "v2/r/manifests/one", pull);
        Assert.Contains("scope=\"repository:r:delete\"", challenge, StringComparison.Ordinal);
        Assert.Contains("error=\"insufficient_scope\"", challenge, StringComparison.Ordinal);
        Assert.Contains("scope=\"repository:r:pull,push\"", await ChallengeAsync(client, HttpMethod.Post, "v2/r/blobs/uploads/", pull), StringComparison.Ordinal);

        Assert.Equal(200, await StatusAsync(client, HttpMethod.Get, "v2/_catalog", await TokenAsync(client, "registry:catalog:*", Basic("ann", "pass"))));
        Assert.Equal(202, await StatusAsync(client, HttpMethod.Delete, "v2/r/manifests/one", await TokenAsync(client, "repository:r:*", Basic("ann", "pass"))));
        Assert.Equal(3, registry.TokenRequests);
        Assert.Equal(401, await StatusAsync(client, HttpMethod.Get, "v2/r/tags/list", new AuthenticationHeaderValue("Bearer", "made-up")));
    }

    [Fact]
    public async Task WhatWasAskedForAndNotGivenIsDenied()
    {
        await using var registry = await StartAsync(new() { Authentication = RegistryAuthentication.Bearer, UserName = "ann", Password = "pass", UserActions = ["pull", "push"], UserCatalog = false });
        using var client = Client(registry);
        var token = await TokenAsync(client, "repository:r:pull,delete", Basic("ann", "pass"));
        Assert.Equal(200, await StatusAsync(client, HttpMethod.Get, "v2/r/tags/list", token));
        Assert.Equal(403, await StatusAsync(client, HttpMethod.Delete, "v2/r/manifests/one", token));
        Assert.Equal(403, await StatusAsync(client, HttpMethod.Get, "v2/_catalog", await TokenAsync(client, "registry:catalog:*", Basic("ann", "pass"))));
    }

    [Fact]
    public async Task ATokenWithoutANameIsForWhatAnybodyMay()
    {
        await using var registry = await StartAsync(new() { Authentication = RegistryAuthentication.Bearer, UserName = "ann", Password = "pass", AnonymousPull = true });
        using var client = Client(registry);
        var token = await TokenAsync(client, "repository:r:pull,push", null);
        Assert.Equal(200, await StatusAsync(client, HttpMethod.Get, "v2/r/tags/list", token));
        Assert.Equal(403, await StatusAsync(client, HttpMethod.Post, "v2/r/blobs/uploads/", token));
        using var wrong = new HttpRequestMessage(HttpMethod.Get, "token?scope=repository:r:pull");
        wrong.Headers.Authorization = Basic("ann", "wrong");
        using var refused = await client.SendAsync(wrong);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    [Fact]
    public async Task ATokenEnds()
    {
        await using var registry = await StartAsync(new() { Authentication = RegistryAuthentication.Bearer, UserName = "ann", Password = "pass", TokenLifetime = TimeSpan.FromMilliseconds(500) });
        using var client = Client(registry);
        var token = await TokenAsync(client, "repository:r:pull", Basic("ann", "pass"));
        await Task.Delay(700);
        Assert.Contains("error=\"invalid_token\"", await ChallengeAsync(client, HttpMethod.Get, "v2/r/tags/list", token), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("grant_type=password&username=ann&password=pass&access_type=offline&scope=repository:r:pull&service=s&client_id=c", 200)]
    [InlineData("grant_type=refresh_token&refresh_token=identity-pass&scope=repository:r:pull+repository:x:push&service=s&client_id=c", 200)]
    [InlineData("grant_type=refresh_token&refresh_token=other&scope=repository:r:pull", 401)]
    [InlineData("grant_type=password&username=ann&password=other&scope=repository:r:pull", 401)]
    [InlineData("grant_type=magic&scope=repository:r:pull", 400)]
    public async Task OAuth2IsSpoken(string form, int status)
    {
        await using var registry = await StartAsync(new() { Authentication = RegistryAuthentication.Bearer, UserName = "ann", Password = "pass" });
        using var client = Client(registry);
        using var answer = await client.PostAsync(Relative("token"), new StringContent(form, Encoding.UTF8, "application/x-www-form-urlencoded"));
        Assert.Equal(status, (int)answer.StatusCode);
        if (status != 200)
            return;
        var json = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
        Assert.Equal(form.Contains("offline", StringComparison.Ordinal) ? "identity-pass" : null, (string?)json["refresh_token"]);
        Assert.Equal(300, (int)json["expires_in"]!);
        Assert.Equal(200, await StatusAsync(client, HttpMethod.Get, "v2/r/tags/list", new AuthenticationHeaderValue("Bearer", (string)json["access_token"]!)));
    }

    [Fact]
    public async Task WithoutOAuth2PostIsRefused()
    {
        await using var registry = await StartAsync(new() { Authentication = RegistryAuthentication.Bearer, UserName = "ann", Password = "pass", OAuth2 = false });
        using var client = Client(registry);
        using var answer = await client.PostAsync(Relative("token"), new StringContent("grant_type=password", Encoding.UTF8, "application/x-www-form-urlencoded"));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
    }

    [Fact]
    public async Task AMountNeedsTheRightToReadTheOtherRepository()
    {
        await using var registry = await StartAsync(new() { Authentication = RegistryAuthentication.Bearer, UserName = "ann", Password = "pass" });
        using var client = Client(registry);
        var layer = registry.Store.Layers("r")[0];
        var path = $"v2/other/blobs/uploads/?mount={layer}&from=r";
        Assert.Equal(401, await StatusAsync(client, HttpMethod.Post, path, await TokenAsync(client, "repository:other:pull,push", Basic("ann", "pass"))));
        Assert.Equal(201, await StatusAsync(client, HttpMethod.Post, path, await TokenAsync(client, "repository:other:pull,push repository:r:pull", Basic("ann", "pass"))));
    }

    private static async Task<Server> StartAsync(EmbeddedRegistryOptions options)
    {
        var registry = await Server.StartAsync(options);
        registry.Store.AddImage("r", "one", "r");
        return registry;
    }

    private static HttpClient Client(Server registry) => new() { BaseAddress = registry.BaseAddress };

    private static Uri Relative(string path) => new(path, UriKind.Relative);

    private static AuthenticationHeaderValue Basic(string user, string password) => new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}")));

    private static async Task<HttpResponseMessage> SendAsync(HttpClient client, HttpMethod method, string path, AuthenticationHeaderValue? authorization)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = authorization;
        return await client.SendAsync(request);
    }

    private static async Task<int> StatusAsync(HttpClient client, HttpMethod method, string path, AuthenticationHeaderValue? authorization)
    {
        using var answer = await SendAsync(client, method, path, authorization);
        return (int)answer.StatusCode;
    }

    private static async Task<string> ChallengeAsync(HttpClient client, HttpMethod method, string path, AuthenticationHeaderValue? authorization)
    {
        using var answer = await SendAsync(client, method, path, authorization);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        return answer.Headers.WwwAuthenticate.Single().ToString();
    }

    private static async Task<AuthenticationHeaderValue> TokenAsync(HttpClient client, string scope, AuthenticationHeaderValue? authorization)
    {
        using var answer = await SendAsync(client, HttpMethod.Get, $"token?service=embedded-registry&scope={Uri.EscapeDataString(scope)}", authorization);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return new AuthenticationHeaderValue("Bearer", (string)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["token"]!);
    }

    private static async Task<string?> CodeAsync(HttpResponseMessage answer) =>
        (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["errors"]![0]!["code"];
}
