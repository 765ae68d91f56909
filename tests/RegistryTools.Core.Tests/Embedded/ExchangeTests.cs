using System.Text.Json;
using RegistryTools.Host.Embedded;
using RegistryTools.Tests.Servers;
using Xunit;

namespace RegistryTools.Tests.Embedded;

/// <summary>The embedded registry and the real one serve each other's directories, and skopeo takes both for what they are.</summary>
public sealed class ExchangeTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-exchange-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [SkippableFact]
    public async Task The_real_registry_serves_the_samples_and_every_tag_pulls_whole()
    {
        Requirement.Program("skopeo");
        var storage = Path.Combine(_directory, "storage");
        SampleData.Seed(new DistributionStore(storage));
        await using var server = await DockerRegistryServer.StartAsync(storagePath: storage);
        await PullAllAsync(server.Host);
    }

    [SkippableFact]
    public async Task The_embedded_registry_serves_what_skopeo_pushed_to_it_and_so_does_the_real_one()
    {
        Requirement.Program("skopeo");
        var storage = Path.Combine(_directory, "storage");
        await using (var source = await EmbeddedRegistry.StartAsync())
        {
            SampleData.Seed(source.Store);
            await using var target = await EmbeddedRegistry.StartAsync(new EmbeddedRegistryOptions { StoragePath = storage });
            foreach (var (repository, tags) in SampleData.Tags)
            {
                foreach (var tag in tags) await Skopeo.RunAsync("copy", "--all", "--preserve-digests", $"docker://{source.Host}/{repository}:{tag}", $"docker://{target.Host}/{repository}:{tag}");
            }

            await PullAllAsync(target.Host);
            Assert.All(SampleData.Tags, repository => Assert.All(repository.Value, tag => Assert.Equal(source.Store.FindTag(repository.Key, tag), target.Store.FindTag(repository.Key, tag))));
        }

        await using var server = await DockerRegistryServer.StartAsync(storagePath: storage);
        await PullAllAsync(server.Host);
    }

    [SkippableFact]
    public async Task The_embedded_registry_lists_and_answers_as_the_real_one_does()
    {
        var storage = Path.Combine(_directory, "storage");
        SampleData.Seed(new DistributionStore(storage));
        await using var real = await DockerRegistryServer.StartAsync(storagePath: storage);
        await using var embedded = await EmbeddedRegistry.StartAsync(EmbeddedRegistryOptions.Distribution2() with { StoragePath = storage });
        using var client = new HttpClient();
        var digest = embedded.Store.FindTag("i1", "T12");
        string[] everything = ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
        foreach (var (method, path, accept) in new (string, string, string[])[]
        {
            ("GET", "v2/", []),
            ("GET", "v2/_catalog", []),
            ("GET", "v2/i1/tags/list", []),
            ("GET", "v2/nowhere/tags/list", []),
            ("GET", "v2/i1/manifests/T12", everything),
            ("HEAD", "v2/i1/manifests/T12", everything),
            ("HEAD", "v2/i1/manifests/" + digest, everything),
            ("GET", "v2/i1/manifests/T12", []),
            ("GET", "v2/i1/manifests/T12", ["*/*"]),
            ("GET", "v2/_catalog?n=0", []),
            ("GET", "v2/_catalog?n=2", []),
            ("GET", "v2/_catalog?n=1001", []),
            ("HEAD", "v2/i4/manifests/T41", ["application/vnd.oci.image.manifest.v1+json"]),
            ("HEAD", "v2/i1/blobs/sha256:" + new string('a', 64), []),
            ("DELETE", "v2/i1/blobs/sha256:" + new string('a', 64), []),
            ("GET", "v2/i4/manifests/T41", everything),
            ("HEAD", "v2/i4/manifests/T42", ["application/vnd.docker.distribution.manifest.v2+json"]),
            ("GET", "v2/i1/manifests/nothing", everything),
            ("DELETE", "v2/i1/manifests/T12", []),
            ("DELETE", "v2/i1/manifests/sha256:" + new string('a', 64), []),
            ("GET", "v2/i1/blobs/sha256:" + new string('a', 64), []),
            ("GET", "v2/i1/referrers/" + digest, []),
        })
        {
            Assert.Equal(await AskAsync(client, real.BaseAddress, method, path, accept), await AskAsync(client, embedded.BaseAddress, method, path, accept));
        }
    }

    [SkippableFact]
    public async Task The_embedded_registry_serves_what_skopeo_pushed_to_the_real_one()
    {
        Requirement.Program("skopeo");
        var storage = Path.Combine(_directory, "storage");
        await using var source = await EmbeddedRegistry.StartAsync();
        SampleData.Seed(source.Store);
        await using (var target = await DockerRegistryServer.StartAsync(storagePath: storage))
        {
            foreach (var tag in SampleData.Tags["i4"]) await Skopeo.RunAsync("copy", "--all", "--preserve-digests", $"docker://{source.Host}/i4:{tag}", $"docker://{target.Host}/i4:{tag}");
        }

        await using var registry = await EmbeddedRegistry.StartAsync(new EmbeddedRegistryOptions { StoragePath = storage });
        Assert.Equal(SampleData.Tags["i4"], registry.Store.Tags("i4"));
        foreach (var tag in SampleData.Tags["i4"])
        {
            Assert.Equal(source.Store.FindTag("i4", tag), registry.Store.FindTag("i4", tag));
            await Skopeo.PullAsync(registry.Host, "i4", tag, Path.Combine(_directory, tag));
        }
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Both_serve_one_directory_and_a_deletion_leaves_the_same_in_it(bool deleteEnabled)
    {
        var (ours, theirs) = (new DistributionStore(Path.Combine(_directory, "ours")), new DistributionStore(Path.Combine(_directory, "theirs")));
        SampleData.Seed(ours);
        SampleData.Seed(theirs);
        await using var embedded = await EmbeddedRegistry.StartAsync(EmbeddedRegistryOptions.Distribution2() with { StoragePath = ours.StoragePath, DeleteEnabled = deleteEnabled });
        await using var real = await DockerRegistryServer.StartAsync(deleteEnabled, theirs.StoragePath);
        using var client = new HttpClient();
        var nowhere = "sha256:" + new string('1', 64);
        var fallback = ours.FindTag("i5", "T51")!.Replace(':', '-');
        foreach (var (repository, digest) in new[]
        {
            ("i1", ours.FindTag("i1", "T12")!),
            ("i1", nowhere),
            ("i3", ours.Layers("i3")[0]),
            ("i4", ours.FindTag("i4", "T41")!),
            ("i5", ours.FindTag("i5", fallback)!),
            ("i5", ours.FindTag("i5", "T52")!),
        })
        {
            using var one = await client.DeleteAsync(new Uri(embedded.BaseAddress, $"v2/{repository}/manifests/{digest}"));
            using var two = await client.DeleteAsync(new Uri(real.BaseAddress, $"v2/{repository}/manifests/{digest}"));
            Assert.Equal(two.StatusCode, one.StatusCode);
        }

        foreach (var repository in theirs.Repositories())
        {
            Assert.Equal(theirs.Tags(repository), ours.Tags(repository));
            Assert.Equal(theirs.Manifests(repository).Order(StringComparer.Ordinal), ours.Manifests(repository).Order(StringComparer.Ordinal));
            Assert.Equal(theirs.Layers(repository), ours.Layers(repository));
        }

        Assert.Equal(theirs.Blobs(), ours.Blobs());
    }

    [SkippableFact]
    public async Task Both_list_the_same_repositories_in_the_same_order()
    {
        var storage = Path.Combine(_directory, "storage");
        var repositories = Path.Combine(storage, "docker", "registry", "v2", "repositories");
        foreach (var part in new[] { "layers/_layers", "tags/_manifests/tags", "revisions/_manifests/revisions", "both/_layers", "both/_manifests/tags", "a/_layers", "a-b/_layers", "a/b/_layers", "a.c/_layers", "a0/_layers" })
            Directory.CreateDirectory(Path.Combine(repositories, part));
        await using var real = await DockerRegistryServer.StartAsync(storagePath: storage);
        await using var embedded = await EmbeddedRegistry.StartAsync(EmbeddedRegistryOptions.Distribution2() with { StoragePath = storage });
        using var client = new HttpClient();
        foreach (var path in new[] { "v2/_catalog", "v2/_catalog?n=2", "v2/_catalog?n=3&last=a", "v2/layers/tags/list", "v2/tags/tags/list", "v2/revisions/tags/list", "v2/both/tags/list" })
        {
            using var one = await client.GetAsync(new Uri(real.BaseAddress, path));
            using var two = await client.GetAsync(new Uri(embedded.BaseAddress, path));
            Assert.Equal(one.StatusCode, two.StatusCode);
            Assert.Equal(one.Headers.TryGetValues("Link", out var theirs) ? theirs : [], two.Headers.TryGetValues("Link", out var ours) ? ours : []);
            Assert.Equal((await one.Content.ReadAsStringAsync()).Trim(), (await two.Content.ReadAsStringAsync()).Trim());
        }
    }

    [SkippableFact]
    public async Task Skopeo_pushes_and_deletes_with_tokens()
    {
        Requirement.Program("skopeo");
        await using var source = await EmbeddedRegistry.StartAsync();
        SampleData.Seed(source.Store);
        await using var target = await EmbeddedRegistry.StartAsync(EmbeddedRegistryOptions.Distribution3() with { Authentication = RegistryAuthentication.Bearer, UserName = "ann", Password = "pass" });
        await Skopeo.RunAsync("copy", "--all", "--dest-creds", "ann:pass", $"docker://{source.Host}/i4:T41", $"docker://{target.Host}/copies/i4:T41");
        Assert.Equal(source.Store.FindTag("i4", "T41"), target.Store.FindTag("copies/i4", "T41"));
        Assert.True(target.TokenRequests > 0);

        // It asks for the scope "*", for some registries know no "delete".
        var (exitCode, output) = await Processes.RunAsync(Requirement.Program("skopeo"), ["delete", "--tls-verify=false", "--creds", "ann:pass", $"docker://{target.Host}/copies/i4:T41"]);
        Assert.True(exitCode == 0, output);
        Assert.Empty(target.Store.Tags("copies/i4"));
    }

    private static async Task<string> AskAsync(HttpClient client, Uri server, string method, string path, string[] accept)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(server, path));
        foreach (var type in accept) request.Headers.TryAddWithoutValidation("Accept", type);
        using var response = await client.SendAsync(request);
        var body = await response.Content.ReadAsStringAsync();
        var seen = body;
        if (response.Content.Headers.ContentType?.MediaType == "application/json")
        {
            using var json = JsonDocument.Parse(body.Length == 0 ? "{}" : body);
            if (json.RootElement.TryGetProperty("errors", out var errors)) seen = string.Join(',', errors.EnumerateArray().Select(error => error.GetProperty("code").GetString()));
            else if (json.RootElement.TryGetProperty("tags", out var tags)) seen = string.Join(',', tags.EnumerateArray().Select(tag => tag.GetString()).Order(StringComparer.Ordinal));
            else seen = body.Trim();
        }

        var digest = response.Headers.TryGetValues("Docker-Content-Digest", out var values) ? string.Join(',', values) : "-";
        return $"{method} {path}: {(int)response.StatusCode} {digest} {(method == "HEAD" ? string.Empty : seen)}";
    }

    private async Task PullAllAsync(string host)
    {
        foreach (var (repository, tags) in SampleData.Tags)
        {
            foreach (var tag in tags) await Skopeo.PullAsync(host, repository, tag, Path.Combine(_directory, Guid.NewGuid().ToString("N")));
        }
    }
}
