using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Journal;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Tests.Servers;
using Xunit;

namespace RegistryTools.Tests.Registries;

/// <summary>The real registry behind the real nginx.</summary>
public sealed class NginxRegistryTests : IDisposable
{
    private const string Forward = "proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme; proxy_read_timeout 60s; proxy_http_version 1.1;";
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-nginx-tests-").FullName;
    private readonly TestAuthority _authority = new();

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [SkippableFact]
    public async Task Basic_authentication_by_nginx_over_TLS_and_HTTP_2()
    {
        var (code, line) = await Processes.RunAsync(Requirement.Program("htpasswd"), ["-mbn", "alice", "p4ss"]);
        Assert.Equal(0, code);
        await using var registry = await DockerRegistryServer.StartAsync();
        using var certificate = _authority.Server();
        await using var nginx = await NginxServer.StartAsync(
            $"location /v2/ {{ auth_basic registry; auth_basic_user_file DIRECTORY/htpasswd; proxy_pass http://{registry.Host}; {Forward} }}",
            certificate,
            ("htpasswd", line.Trim() + "\n"));
        var address = RegistryAddress.Parse("https://" + nginx.Host);
        var wrong = await Assert.ThrowsAsync<RegistryUnauthorizedException>(() => HttpRegistry.ConnectAsync(address, Options("alice", "wr0ng")));
        Assert.DoesNotContain("wr0ng", wrong.ToString(), StringComparison.Ordinal);
        await Assert.ThrowsAsync<RegistryUnauthorizedException>(() => HttpRegistry.ConnectAsync(address, Options(null, null)));
        using var connected = await HttpRegistry.ConnectAsync(address, Options("alice", "p4ss"));
        Assert.Equal("Basic", connected.AuthenticationScheme);
        await RemoveOneOfTwoAsync(connected, registry);
        Assert.Contains("HTTP/2.0", nginx.AccessLog, StringComparison.Ordinal);
        Assert.DoesNotContain("HTTP/1.1", nginx.AccessLog, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_registry_under_a_path_of_its_own(bool forwardsHost)
    {
        await using var registry = await DockerRegistryServer.StartAsync(http: "  relativeurls: true");
        using var certificate = _authority.Server();

        // Without the Host header the registry names itself in what it answers; with relative URLs it does not name the prefix either.
        await using var nginx = await NginxServer.StartAsync($"location /registry/v2/ {{ proxy_pass http://{registry.Host}/v2/; proxy_redirect /v2/ /registry/v2/; {(forwardsHost ? Forward : "proxy_http_version 1.1;")} }}", certificate);
        using var connected = await HttpRegistry.ConnectAsync(RegistryAddress.Parse("https://" + nginx.Host + "/registry"), Options(null, null));
        await RemoveOneOfTwoAsync(connected, registry);
    }

    [SkippableFact]
    public async Task Plain_http_with_a_prefix()
    {
        await using var registry = await DockerRegistryServer.StartAsync(http: "  prefix: /inner/");
        await using var nginx = await NginxServer.StartAsync($"location /inner/ {{ proxy_pass http://{registry.Host}; {Forward} }}");
        using var connected = await HttpRegistry.ConnectAsync(RegistryAddress.Parse("http://" + nginx.Host + "/inner"), Options(null, null));
        await RemoveOneOfTwoAsync(connected, registry);
    }

    private async Task RemoveOneOfTwoAsync(HttpRegistry connected, DockerRegistryServer server)
    {
        var kept = await Images.PushAsync(connected, "team/a", "keep", "one");
        var gone = await Images.PushAsync(connected, "team/a", "gone", "two");
        for (var i = 0; i < 5; i++) await Images.PushAsync(connected, "team/a", "more" + i, "more" + i);
        using var remover = new TagRemover(connected, new RemovalJournal(_directory));
        var removal = Assert.Single(await remover.RemoveAsync("team/a", [new TagRemovalRequest("gone", gone)]));
        Assert.Equal((RemovalState?)RemovalState.Removed, removal.State);
        Assert.Null(await connected.FindManifestAsync("team/a", "gone"));
        Assert.Equal(kept, (await connected.FindManifestAsync("team/a", "keep"))!.Digest);
        var tags = new List<string>();
        await foreach (var tag in connected.ListTagsAsync("team/a")) tags.Add(tag);
        Assert.Equal(6, tags.Count);
        Assert.True(Directory.Exists(Path.Combine(server.StoragePath, "docker/registry/v2/repositories/team/a")));
    }

    private HttpRegistryOptions Options(string? user, string? password) => new()
    {
        UserName = user,
        Password = password,
        CertificateAuthorities = [_authority.Certificate],
        CertificateDirectories = [],
        RetryCount = 0,
        PageSize = 2,
    };
}
