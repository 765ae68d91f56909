using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Journal;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Tests.Servers;
using Xunit;

namespace RegistryTools.Tests.Registries;

/// <summary>The real registry with token authentication.</summary>
public sealed class TokenRegistryTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-token-tests-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [SkippableFact]
    public async Task Who_may_everything_lists_and_removes_and_asks_for_no_more_than_that_needs()
    {
        await using var tokens = await TokenServer.StartAsync();
        await using var server = await DockerRegistryServer.StartAsync(extra: tokens.Configuration);
        using var registry = await ConnectAsync(server, "admin");
        Assert.Equal("Bearer", registry.AuthenticationScheme);
        await Images.PushAsync(registry, "a", "keep", "one");
        await Images.PushWithSkopeoAsync(server.Host, "a", "gone", "two", "admin:admin-secret");
        using var fresh = await ConnectAsync(server, "admin");
        tokens.Requests.Clear();
        Assert.Equal(["gone", "keep"], (await ListAsync(fresh.ListTagsAsync("a"))).Order());
        Assert.All(tokens.Requests, request => Assert.Equal(["repository:a:pull"], request.Scopes));
        Assert.Equal(["a"], await ListAsync(fresh.ListRepositoriesAsync()));
        Assert.Contains(tokens.Requests, request => request.Scopes.SequenceEqual(["registry:catalog:*"]));
        using var remover = new TagRemover(fresh, new RemovalJournal(_directory));
        Assert.Equal(RemovalState.Removed, Assert.Single(await remover.RemoveAsync("a", [new TagRemovalRequest("gone")])).State);
        Assert.Equal(["keep"], await ListAsync(fresh.ListTagsAsync("a")));
        Assert.Contains(tokens.Requests, request => request.Scopes.Any(scope => scope.StartsWith("repository:a:", StringComparison.Ordinal) && scope.Contains("delete", StringComparison.Ordinal)));
        Assert.All(tokens.Requests, request => Assert.Equal("admin", request.Account));
    }

    [SkippableFact]
    public async Task Who_may_only_pull_is_told_so_and_nothing_changes()
    {
        await using var tokens = await TokenServer.StartAsync();
        await using var server = await DockerRegistryServer.StartAsync(extra: tokens.Configuration);
        using var admin = await ConnectAsync(server, "admin");
        var digest = await Images.PushAsync(admin, "a", "x", "one");
        using var reader = await ConnectAsync(server, "reader");
        Assert.Equal(["x"], await ListAsync(reader.ListTagsAsync("a")));
        var catalog = await Assert.ThrowsAnyAsync<RegistryRequestException>(() => ListAsync(reader.ListRepositoriesAsync()));
        Assert.True(catalog is RegistryDeniedException or RegistryUnauthorizedException, catalog.ToString());
        using var remover = new TagRemover(reader, new RemovalJournal(_directory));
        var removal = Assert.Single(await remover.RemoveAsync("a", [new TagRemovalRequest("x", digest)]));
        Assert.Equal(RemovalState.Unchanged, removal.State);
        Assert.NotNull(removal.Error);
        Assert.DoesNotContain("secret", removal.Error.ToString(), StringComparison.Ordinal);
        Assert.Equal(digest, (await admin.FindManifestAsync("a", "x"))!.Digest);
    }

    [SkippableFact]
    public async Task An_identity_token_is_exchanged_by_POST()
    {
        await using var tokens = await TokenServer.StartAsync();
        await using var server = await DockerRegistryServer.StartAsync(extra: tokens.Configuration);
        using var registry = await HttpRegistry.ConnectAsync(RegistryAddress.Parse("http://" + server.Host), new HttpRegistryOptions { IdentityToken = "admin-refresh" });
        await Images.PushAsync(registry, "a", "x", "one");
        Assert.Equal(["x"], await ListAsync(registry.ListTagsAsync("a")));
        Assert.All(tokens.Requests, request => Assert.Equal("POST", request.Method));
        var error = await Assert.ThrowsAsync<RegistryUnauthorizedException>(() => HttpRegistry.ConnectAsync(RegistryAddress.Parse("http://" + server.Host), new HttpRegistryOptions { IdentityToken = "nobody-refresh" }));
        Assert.DoesNotContain("nobody-refresh", error.ToString(), StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Wrong_credentials_are_refused_when_connecting()
    {
        await using var tokens = await TokenServer.StartAsync();
        await using var server = await DockerRegistryServer.StartAsync(extra: tokens.Configuration);
        var error = await Assert.ThrowsAsync<RegistryUnauthorizedException>(() => HttpRegistry.ConnectAsync(RegistryAddress.Parse("http://" + server.Host), new HttpRegistryOptions { UserName = "admin", Password = "wr0ng" }));
        Assert.DoesNotContain("wr0ng", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("not you", error.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task Tokens_that_run_out_in_the_middle_are_renewed_once_for_all_who_wait()
    {
        await using var tokens = await TokenServer.StartAsync();
        await using var server = await DockerRegistryServer.StartAsync(extra: tokens.Configuration);
        using (var admin = await ConnectAsync(server, "admin")) await Images.PushAsync(admin, "a", "x", "one");

        tokens.Lifetime = TimeSpan.FromSeconds(2);
        using var registry = await ConnectAsync(server, "admin");
        tokens.Requests.Clear();
        var until = DateTime.UtcNow.AddSeconds(5);
        var asked = 0;
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (DateTime.UtcNow < until)
            {
                Assert.NotNull(await registry.FindManifestAsync("a", "x"));
                Interlocked.Increment(ref asked);
            }
        })));

        // A token of two seconds is used for one and a half: about four in five seconds, and never one for each of those that wait.
        Assert.InRange(tokens.Requests.Count, 2, 6);
        Assert.True(asked > 20 * tokens.Requests.Count, FormattableString.Invariant($"{asked} requests, {tokens.Requests.Count} tokens"));
    }

    private static Task<HttpRegistry> ConnectAsync(DockerRegistryServer server, string user) =>
        HttpRegistry.ConnectAsync(RegistryAddress.Parse("http://" + server.Host), new HttpRegistryOptions { UserName = user, Password = user + "-secret" });

    private static async Task<List<string>> ListAsync(IAsyncEnumerable<string> items)
    {
        var list = new List<string>();
        await foreach (var item in items) list.Add(item);
        return list;
    }
}
