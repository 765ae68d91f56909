using System.Net.Http.Json;
using System.Text.Json.Nodes;
using RegistryTools.GarbageCollection;
using RegistryTools.Host.Embedded;
using RegistryTools.Tests.Servers;
using Xunit;

namespace RegistryTools.Tests.GarbageCollection;

/// <summary>Trees that the real registry wrote, with what the real client pushed; the real registry serves what is left.</summary>
public sealed class GarbageOnDockerRegistryTests
{
    [SkippableFact]
    public async Task What_is_left_is_served_and_what_is_gone_can_be_pushed_again()
    {
        Requirement.Program("docker-registry");
        Requirement.Program("skopeo");
        using var source = new StorageTree();
        SampleData.Seed(source.Store);
        source.Store.AddImage("i1", "shared", "i1/T11");
        var tags = source.Store.Repositories().SelectMany(repository => source.Store.Tags(repository).Select(tag => (Repository: repository, Tag: tag))).ToList();
        var scratch = Directory.CreateTempSubdirectory("rt-gc-pull-").FullName;
        await using var from = await DockerRegistryServer.StartAsync(storagePath: source.Root);
        using var tree = new StorageTree();
        try
        {
            await using (var to = await DockerRegistryServer.StartAsync(storagePath: tree.Root))
            {
                foreach (var (repository, tag) in tags) await PushAsync(from, to, repository, tag);
                foreach (var name in new[] { "a", "a/b", "a/b/c" }) await Skopeo.RunAsync("copy", "--all", $"docker://{from.Host}/i4:T41", $"docker://{to.Host}/{name}:t");

                // A second push over a tag leaves the first one untagged.
                await Skopeo.RunAsync("copy", "--all", $"docker://{from.Host}/i4:T42", $"docker://{to.Host}/a/b:t");
                using var client = new HttpClient();

                // skopeo does not push an index of indexes; the registry takes one.
                using var nested = new StringContent("{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"size\":1,\"digest\":\"" + tree.Store.FindTag("i4", "T41") + "\"}]}");
                nested.Headers.ContentType = new("application/vnd.oci.image.index.v1+json");
                using var put = await client.PutAsync(new Uri(to.BaseAddress, "v2/i4/manifests/nested"), nested);
                put.EnsureSuccessStatusCode();
                using var begun = await client.PostAsync(new Uri(to.BaseAddress, "v2/a/b/blobs/uploads/"), null);
                begun.EnsureSuccessStatusCode();
            }

            // What a client notes of a referrer, it notes without a tag on the referrer itself.
            var referrer = tree.Store.AddReferrer("i5", tree.Store.FindTag("i5", "T52")!, "application/spdx+json", "{}", fallbackTag: false);
            foreach (var (repository, tag) in new[] { ("i1", "T11"), ("i2", "T23"), ("i3", "T31"), ("i3", "T32"), ("i4", "T43"), ("i4", "T42"), ("i4", "T41"), ("a", "t") }) tree.DeleteTag(repository, tag);
            tree.Age();
            var before = tree.Files();
            var result = await tree.CollectAsync(StorageTree.Options(upload: true));
            Assert.Empty(result.Problems);
            Assert.True(result.ManifestsRemoved >= 10, $"{result.ManifestsRemoved} manifests");
            Assert.Equal(1, result.UploadsRemoved);
            Assert.Empty(tree.EmptyDirectories());
            Assert.True(tree.Store.HasManifest("i5", referrer));

            await using (var to = await DockerRegistryServer.StartAsync(storagePath: tree.Root))
            {
                Assert.Equal(["a/b", "a/b/c", "i1", "i2", "i4", "i5"], (await CatalogAsync(to)).Order(StringComparer.Ordinal));
                await PullAllAsync(tree, to, scratch);
                tree.EveryTagIsWhole();
                foreach (var (repository, tag) in tags) await PushAsync(from, to, repository, tag);
                await PullAllAsync(tree, to, scratch);
            }

            // And restored over what was pushed again, everything is there once more.
            var restored = await new GarbageRestorer(tree.Location).RestoreAsync(null, null, null, null, default);
            Assert.Equal(0, restored.Left);
            Assert.Empty(before.Keys.Except(tree.Files().Keys));
            tree.EveryTagIsWhole();
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    [SkippableFact]
    public async Task Every_push_that_succeeds_while_it_collects_can_be_pulled()
    {
        Requirement.Program("docker-registry");
        Requirement.Program("skopeo");
        using var source = new StorageTree();
        for (var i = 0; i < 4; i++) source.Store.AddImage("live", "t" + i, "live " + i);
        await using var from = await DockerRegistryServer.StartAsync(storagePath: source.Root);
        using var tree = new StorageTree();
        await using var to = await DockerRegistryServer.StartAsync(storagePath: tree.Root);
        var scratch = Directory.CreateTempSubdirectory("rt-gc-live-").FullName;
        using var stop = new CancellationTokenSource();
        var runs = 0;
        var collecting = Task.Run(async () =>
        {
            // No minimum age: the worst that a user can ask for.
            while (!stop.IsCancellationRequested)
            {
                await tree.CollectAsync(new GarbageCollectorOptions { RemoveUntagged = true, MinimumAge = TimeSpan.Zero, SettleTime = TimeSpan.FromMilliseconds(200) });
                runs++;
            }
        });
        try
        {
            var pushed = 0;
            for (var round = 0; round < 6; round++)
            {
                var succeeded = new List<string>();
                for (var i = 0; i < 4; i++)
                {
                    var (exitCode, _) = await Processes.RunAsync(Requirement.Program("skopeo"), ["--insecure-policy", "copy", "--src-tls-verify=false", "--dest-tls-verify=false", $"docker://{from.Host}/live:t{i}", $"docker://{to.Host}/live:t{i}"]);
                    if (exitCode == 0) succeeded.Add("t" + i);
                }

                foreach (var tag in succeeded)
                {
                    var exitCode = -1;
                    var output = string.Empty;
                    for (var attempt = 0; attempt < 20 && exitCode != 0; attempt++)
                    {
                        // What a run has just taken it gives back before it ends.
                        if (attempt > 0) await Task.Delay(250);
                        var directory = Path.Combine(scratch, Guid.NewGuid().ToString("N"));
                        (exitCode, output) = await Processes.RunAsync(Requirement.Program("skopeo"), ["--insecure-policy", "copy", "--src-tls-verify=false", $"docker://{to.Host}/live:{tag}", "dir:" + directory]);
                    }

                    Assert.True(exitCode == 0, $"{tag} was pushed and can't be pulled after {runs} runs: {output}");
                    pushed++;
                    tree.Store.DeleteTag("live", tag);
                }
            }

            Assert.True(pushed > 0 && runs > 1, $"{pushed} pushes, {runs} runs");
        }
        finally
        {
            await stop.CancelAsync();
            await collecting;
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static Task PushAsync(DockerRegistryServer from, DockerRegistryServer to, string repository, string tag) =>
        Skopeo.RunAsync("copy", "--all", $"docker://{from.Host}/{repository}:{tag}", $"docker://{to.Host}/{repository}:{tag}");

    private static async Task PullAllAsync(StorageTree tree, DockerRegistryServer registry, string scratch)
    {
        foreach (var repository in tree.Store.Repositories())
        {
            // An index of indexes can't be pulled by skopeo either: by its index it can.
            foreach (var tag in tree.Store.Tags(repository).Where(tag => tag != "nested")) await Skopeo.PullAsync(registry.Host, repository, tag, Path.Combine(scratch, Guid.NewGuid().ToString("N")));
        }
    }

    private static async Task<string[]> CatalogAsync(DockerRegistryServer registry)
    {
        using var client = new HttpClient();
        var catalog = await client.GetFromJsonAsync<JsonObject>(new Uri(registry.BaseAddress, "v2/_catalog"));
        return [.. catalog!["repositories"]!.AsArray().Select(name => (string)name!)];
    }
}
