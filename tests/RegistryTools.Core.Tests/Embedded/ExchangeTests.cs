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
