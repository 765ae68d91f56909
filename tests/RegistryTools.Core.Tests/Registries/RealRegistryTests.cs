using System.Security.Cryptography;
using System.Text;
using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Journal;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Tests.Servers;
using Xunit;

namespace RegistryTools.Tests.Registries;

/// <summary>The client against distribution's own registry, 2.8.</summary>
public sealed class RealRegistryTests : IDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), "rt-journal-" + Guid.NewGuid().ToString("N"));
    private readonly RemovalJournal _journal;

    public RealRegistryTests() => _journal = new RemovalJournal(_directory);

    public void Dispose()
    {
        if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
    }

    [SkippableFact]
    public async Task An_image_is_pushed_listed_and_pulled()
    {
        await using var server = await DockerRegistryServer.StartAsync();
        using var registry = await Images.ConnectAsync(server);
        var digest = await Images.PushAsync(registry, "a/b", "v1", "one");
        await Images.PushAsync(registry, "c", "v2", "two");
        Assert.Equal(["a/b", "c"], await ListAsync(registry.ListRepositoriesAsync()));
        Assert.Equal(["v1"], await ListAsync(registry.ListTagsAsync("a/b")));
        var manifest = await registry.GetManifestAsync("a/b", "v1");
        Assert.Equal((digest, MediaTypes.OciManifest), (manifest.Digest, manifest.MediaType));
        var found = await registry.FindManifestAsync("a/b", "v1");
        Assert.Equal((digest, MediaTypes.OciManifest, (long)manifest.Raw.Length), (found!.Digest, found.MediaType, found.Size));
        var config = ImageConfig.Parse(await registry.ReadBlobAsync("a/b", manifest.Config!.Digest, ImageConfig.MaximumSize), manifest.Config.Digest);
        Assert.Equal("one", config.Labels["content"]);
        using var layer = new MemoryStream();
        await registry.CopyBlobAsync("a/b", manifest.Layers[0].Digest, layer);
        Assert.Equal("layer of one", Encoding.UTF8.GetString(layer.ToArray()));
        Assert.Equal(layer.Length, await registry.FindBlobAsync("a/b", manifest.Layers[0].Digest));
        Assert.Null(await registry.FindBlobAsync("a/b", Digest.Random()));
        Assert.Null(await registry.FindManifestAsync("a/b", "none"));
        Assert.Null(await registry.FindManifestAsync("none", "none"));
        await Assert.ThrowsAsync<RegistryNotFoundException>(() => ListAsync(registry.ListTagsAsync("none")));
        Assert.Equal("registry/2.0", registry.ApiVersion);
    }

    [SkippableFact]
    public async Task The_catalog_is_read_page_by_page()
    {
        await using var server = await DockerRegistryServer.StartAsync();
        using var registry = await Images.ConnectAsync(server, pageSize: 2);
        var names = new[] { "a", "b/c", "d", "e", "f/g/h" };
        foreach (var name in names) await Images.PushAsync(registry, name, "x", "same");
        var before = registry.RequestCount;
        Assert.Equal(names, await ListAsync(registry.ListRepositoriesAsync()));
        Assert.Equal(3, registry.RequestCount - before);
    }

    [SkippableFact]
    public async Task A_blob_is_mounted_from_another_repository()
    {
        await using var server = await DockerRegistryServer.StartAsync();
        using var registry = await Images.ConnectAsync(server);
        var manifest = await registry.GetManifestAsync("a", (await Images.PushAsync(registry, "a", "x", "one")).ToString());
        Assert.Null(await registry.FindBlobAsync("b", manifest.Config!.Digest));
        Assert.True(await registry.MountBlobAsync("b", manifest.Config.Digest, "a"));
        Assert.NotNull(await registry.FindBlobAsync("b", manifest.Config.Digest));
        Assert.False(await registry.MountBlobAsync("b", Digest.Random(), "a"));

        // What was begun in place of the mount is cancelled. (2.8 itself leaves the hash states of an upload that is cancelled.)
        Assert.Empty(Directory.GetFiles(Path.Combine(server.StoragePath, "docker/registry/v2/repositories/b/_uploads"), "startedat", SearchOption.AllDirectories));
    }

    [SkippableFact]
    public async Task A_larger_blob_goes_in_chunks_and_comes_back_whole()
    {
        await using var server = await DockerRegistryServer.StartAsync();
        using var registry = await Images.ConnectAsync(server, chunkSize: 100_000);
        foreach (var seekable in new[] { true, false })
        {
            var content = RandomNumberGenerator.GetBytes(1_234_567);
            var digest = Digest.Compute(content);
            var before = registry.RequestCount;
            await registry.PushBlobAsync("a", digest, seekable ? new MemoryStream(content) : new BrokenStream(content, BodyEnd.Ends));
            Assert.Equal(1 + 1 + 13 + 1, registry.RequestCount - before);
            using var copy = new MemoryStream();
            await registry.CopyBlobAsync("a", digest, copy);
            Assert.Equal(content, copy.ToArray());
        }
    }

    [SkippableFact]
    public async Task With_deletion_on_manifests_and_blobs_go_and_tags_do_not_by_name()
    {
        await using var server = await DockerRegistryServer.StartAsync();
        using var registry = await Images.ConnectAsync(server);
        var digest = await Images.PushAsync(registry, "a", "x", "one");
        var manifest = await registry.GetManifestAsync("a", "x");
        Assert.Equal(Support.Supported, await registry.FindManifestDeletionAsync("a"));
        Assert.Equal(TagDeletion.NotSupported, await registry.DeleteTagAsync("a", "x"));
        await registry.DeleteManifestAsync("a", digest);
        Assert.Null(await registry.FindManifestAsync("a", "x"));
        Assert.Empty(await ListAsync(registry.ListTagsAsync("a")));
        await Assert.ThrowsAsync<RegistryNotFoundException>(() => registry.DeleteManifestAsync("a", digest));
        await registry.DeleteBlobAsync("a", manifest.Layers[0].Digest);
        Assert.Null(await registry.FindBlobAsync("a", manifest.Layers[0].Digest));
        await Assert.ThrowsAsync<RegistryNotFoundException>(() => registry.DeleteBlobAsync("a", Digest.Random()));
    }

    [SkippableFact]
    public async Task With_deletion_off_nothing_goes_and_it_says_so()
    {
        await using var server = await DockerRegistryServer.StartAsync(deleteEnabled: false);
        using var registry = await Images.ConnectAsync(server);
        var digest = await Images.PushAsync(registry, "a", "x", "one");
        Assert.Equal(Support.NotSupported, await registry.FindManifestDeletionAsync("a"));
        Assert.Equal(TagDeletion.NotSupported, await registry.DeleteTagAsync("a", "x"));
        await Assert.ThrowsAsync<RegistryUnsupportedException>(() => registry.DeleteManifestAsync("a", digest));
        using var remover = new TagRemover(registry, _journal);
        var removal = Assert.Single(await remover.RemoveAsync("a", [new TagRemovalRequest("x", digest)]));
        Assert.IsType<DeletionDisabledException>(removal.Error);
        using var manifests = new ManifestRemover(registry, _journal);
        var plan = Assert.Single(await manifests.PlanAsync("a", [new ManifestRemovalRequest("x")]));
        await Assert.ThrowsAsync<DeletionDisabledException>(() => manifests.RemoveAsync("a", plan, force: false));
        Assert.Equal(digest, (await registry.FindManifestAsync("a", "x"))!.Digest);
    }

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_it_can_do_is_found_out_and_nothing_is_changed(bool deleteEnabled)
    {
        await using var server = await DockerRegistryServer.StartAsync(deleteEnabled);
        using var registry = await Images.ConnectAsync(server);
        var empty = await registry.ProbeAsync();
        Assert.Equal(deleteEnabled ? Support.Supported : Support.NotSupported, empty.ManifestDelete);
        await Images.PushAsync(registry, "a", "x", "one");
        var files = Directory.GetFiles(server.StoragePath, "*", SearchOption.AllDirectories);
        var found = await registry.ProbeAsync();
        Assert.Equal(
            (Support.Supported, Support.NotSupported, Support.NotSupported, deleteEnabled ? Support.Supported : Support.NotSupported, "None", (string?)null),
            (found.Catalog, found.Referrers, found.TagDelete, found.ManifestDelete, found.Authentication, found.Product));
        Assert.Equal(deleteEnabled, found.Notes.Count == 0);
        Assert.Equal(files.Order(), Directory.GetFiles(server.StoragePath, "*", SearchOption.AllDirectories).Order());
    }

    [SkippableFact]
    public async Task The_asked_tags_go_every_other_pulls_whole_and_they_can_be_put_back()
    {
        await using var server = await DockerRegistryServer.StartAsync();
        using var registry = await Images.ConnectAsync(server);
        await Images.PushWithSkopeoAsync(server.Host, "i1", "T11", "eleven");
        await Images.PushAsync(registry, "i1", "T12", "twelve");
        await Images.PushAsync(registry, "i1", "T13", "twelve");
        await Images.PushWithSkopeoAsync(server.Host, "i2", "T21", "shared");
        await Images.PushWithSkopeoAsync(server.Host, "i2", "T22", "shared");
        var arm = await Images.PushAsync(registry, "i2", null, "arm", "arm64");
        var amd = await Images.PushAsync(registry, "i2", null, "amd", "amd64");
        await Images.PushIndexAsync(registry, "i2", "T23", arm, amd);
        await Images.PushAsync(registry, "i2", "T24", "amd", "amd64");
        await Images.PushAsync(registry, "i5", "T51", "fifty-one");
        await Images.PushAsync(registry, "i5", "T52", "fifty-two");
        var before = await Images.SnapshotAsync(registry);
        Assert.Equal(9, before.Count);

        var removals = new List<TagRemoval>();
        using (var remover = new TagRemover(registry, _journal))
        {
            removals.AddRange(await remover.RemoveAsync("i1", [new TagRemovalRequest("T12", before["i1:T12"])]));
            removals.AddRange(await remover.RemoveAsync("i2", [new TagRemovalRequest("T22"), new TagRemovalRequest("T24", before["i2:T24"]), new TagRemovalRequest("T21", before["i1:T11"])]));
            removals.AddRange(await remover.RemoveAsync("i5", [new TagRemovalRequest("T52")]));
        }

        // One had moved, as far as the listing goes; it stays.
        Assert.IsType<TagMovedException>(Assert.Single(removals, removal => removal.Error is not null).Error);
        string[] gone = ["i1:T12", "i2:T22", "i2:T24", "i5:T52"];
        Assert.Equal(gone, removals.Where(removal => removal.State == RemovalState.Removed).Select(removal => removal.Repository + ":" + removal.Tag).Order());
        Assert.Equal(before.Where(tag => !gone.Contains(tag.Key)), await Images.SnapshotAsync(registry));
        foreach (var tag in before.Keys.Except(gone)) await Images.PullWithSkopeoAsync(server.Host, tag.Split(':')[0], tag.Split(':')[1]);

        var restorer = new TagRestorer(registry, _journal);
        foreach (var removal in removals.Where(removal => removal.State == RemovalState.Removed)) Assert.Equal(TagRestoration.Restored, await restorer.RestoreAsync(removal.Repository, removal.Tag, removal.Digest!));
        Assert.Equal(before, await Images.SnapshotAsync(registry));
        foreach (var tag in gone) await Images.PullWithSkopeoAsync(server.Host, tag.Split(':')[0], tag.Split(':')[1]);
    }

    [SkippableFact]
    public async Task Twenty_tags_of_two_hundred_cost_less_than_two_and_a_half_requests_each()
    {
        await using var server = await DockerRegistryServer.StartAsync();
        using var registry = await Images.ConnectAsync(server);
        var first = await registry.GetManifestAsync("a", (await Images.PushAsync(registry, "a", "t0", "one")).ToString());
        for (var i = 1; i < 200; i++) await registry.PutManifestAsync("a", "t" + i, first.Raw, first.MediaType);
        var before = await Images.SnapshotAsync(registry);
        using var fresh = await Images.ConnectAsync(server);
        var count = fresh.RequestCount;
        using var remover = new TagRemover(fresh, _journal);
        var removals = await remover.RemoveAsync("a", Enumerable.Range(0, 20).Select(i => new TagRemovalRequest("t" + i, first.Digest)).ToList());
        Assert.All(removals, removal => Assert.Equal((RemovalState.Removed, RemovalMethod.Placeholder), (removal.State, removal.Method)));
        var requests = fresh.RequestCount - count;
        Assert.True(requests < 2.5 * 20, $"{requests} requests for 20 tags");
        Assert.Equal(180, before.Count - 20);
        Assert.Equal(before.Skip(0).Where(tag => !removals.Any(removal => "a:" + removal.Tag == tag.Key)), await Images.SnapshotAsync(registry));
    }

    [SkippableFact]
    public async Task Referrers_are_kept_under_the_fallback_tag_and_taken_out_again()
    {
        await using var server = await DockerRegistryServer.StartAsync();
        using var registry = await Images.ConnectAsync(server);
        var digest = await Images.PushAsync(registry, "a", "x", "one");
        var subject = (await registry.FindManifestAsync("a", "x"))!;
        Assert.Empty(await ListAsync(registry.ListReferrersAsync("a", digest)));
        var pushed = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Images.PushAsync(registry, "a", null, "signature " + i, subject: subject, artifactType: i < 6 ? "application/x.sig" : "application/x.sbom")));
        Assert.Equal(pushed.Select(one => one.ToString()).Order(), (await ListAsync(registry.ListReferrersAsync("a", digest))).Select(referrer => referrer.Digest.ToString()).Order());
        Assert.Equal(2, (await ListAsync(registry.ListReferrersAsync("a", digest, "application/x.sbom"))).Count);

        using var remover = new ManifestRemover(registry, _journal);
        var plan = Assert.Single(await remover.PlanAsync("a", [new ManifestRemovalRequest("x")]));
        Assert.Equal(8, plan.Referrers.Count);
        await Assert.ThrowsAsync<ManifestInUseException>(() => remover.RemoveAsync("a", plan, force: false));
        var signature = Assert.Single(await remover.PlanAsync("a", [new ManifestRemovalRequest(pushed[0].ToString())]));
        Assert.False(signature.IsInUse);
        await remover.RemoveAsync("a", signature, force: false);
        Assert.Equal(pushed.Skip(1).Select(one => one.ToString()).Order(), (await ListAsync(registry.ListReferrersAsync("a", digest))).Select(referrer => referrer.Digest.ToString()).Order());
        Assert.NotNull(await registry.FindManifestAsync("a", "x"));
    }

    [SkippableFact]
    public async Task A_manifest_that_something_needs_is_kept_and_one_that_nothing_needs_goes()
    {
        await using var server = await DockerRegistryServer.StartAsync();
        using var registry = await Images.ConnectAsync(server);
        var child = await Images.PushAsync(registry, "a", null, "child");
        var other = await Images.PushAsync(registry, "a", null, "other");
        var inner = await Images.PushIndexAsync(registry, "a", null, child);
        var outer = await Images.PushIndexAsync(registry, "a", "multi", inner, other);
        var one = await Images.PushAsync(registry, "a", "one", "one");
        await Images.PushAsync(registry, "a", "two", "one");
        var manifest = await registry.GetManifestAsync("a", one.ToString());
        var (layer, config) = (manifest.Layers[0].Digest, manifest.Config!.Digest);
        using var remover = new ManifestRemover(registry, _journal);

        var plans = await remover.PlanAsync("a", [new ManifestRemovalRequest(child.ToString()), new ManifestRemovalRequest("one"), new ManifestRemovalRequest(layer.ToString()), new ManifestRemovalRequest(config.ToString())]);
        var needed = plans.Single(plan => plan.Manifest?.Digest == child);
        Assert.Equal($"multi ({inner})", Assert.Single(needed.Indexes));
        Assert.Equal(["two"], plans.Single(plan => plan.Manifest?.Digest == one).OtherTags);
        Assert.All(plans.Where(plan => plan.Manifest is null), plan => Assert.Contains("a layer or a configuration", Assert.IsType<RemovalFailedException>(plan.Error).Message));
        Assert.Equal(4, plans.Count);
        foreach (var plan in plans) await Assert.ThrowsAnyAsync<RegistryToolsException>(() => remover.RemoveAsync("a", plan, force: false));
        foreach (var blob in new[] { layer, config }) Assert.NotNull(await registry.FindBlobAsync("a", blob));

        // Together, and in whatever order they are named, they go: the outer one first.
        var all = await remover.PlanAsync("a", [new ManifestRemovalRequest(child.ToString()), new ManifestRemovalRequest(inner.ToString()), new ManifestRemovalRequest("multi")]);
        Assert.Equal([outer, inner, child], all.Select(plan => plan.Manifest!.Digest));
        foreach (var plan in all) await remover.RemoveAsync("a", plan, force: false);
        Assert.Equal(["a:one", "a:two"], (await Images.SnapshotAsync(registry)).Keys);
        Assert.NotNull(await registry.FindManifestAsync("a", other.ToString()));
        foreach (var tag in new[] { "one", "two" }) await Images.PullWithSkopeoAsync(server.Host, "a", tag);
    }

    [SkippableFact]
    public async Task Basic_authentication_is_done()
    {
        var (code, line) = await Processes.RunAsync(Requirement.Program("htpasswd"), ["-Bbn", "alice", "p4ss"]);
        Assert.Equal(0, code);
        var file = Path.Combine(Path.GetTempPath(), "rt-htpasswd-" + Guid.NewGuid().ToString("N"));
        try
        {
            await File.WriteAllTextAsync(file, line.Trim() + "\n");
            await using var server = await DockerRegistryServer.StartAsync(extra: $"auth:\n  htpasswd:\n    realm: test\n    path: {file}");
            await Assert.ThrowsAsync<RegistryUnauthorizedException>(() => Images.ConnectAsync(server));
            var error = await Assert.ThrowsAsync<RegistryUnauthorizedException>(() => Images.ConnectAsync(server, "alice", "wr0ng"));
            Assert.DoesNotContain("wr0ng", error.ToString());
            using var registry = await Images.ConnectAsync(server, "alice", "p4ss");
            Assert.Equal("Basic", registry.AuthenticationScheme);
            var digest = await Images.PushAsync(registry, "a", "x", "one");
            await Images.PushWithSkopeoAsync(server.Host, "a", "y", "two", "alice:p4ss");
            using var remover = new TagRemover(registry, _journal);
            Assert.Equal(RemovalState.Removed, Assert.Single(await remover.RemoveAsync("a", [new TagRemovalRequest("x", digest)])).State);
            Assert.Equal(["y"], await ListAsync(registry.ListTagsAsync("a")));
            Assert.Equal("Basic", (await registry.ProbeAsync()).Authentication);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [SkippableFact]
    public async Task A_registry_that_speaks_http_is_told_so_under_https()
    {
        await using var server = await DockerRegistryServer.StartAsync();
        var error = await Assert.ThrowsAsync<RegistryTlsException>(() => HttpRegistry.ConnectAsync(RegistryAddress.Parse("https://" + server.Host), new HttpRegistryOptions()));
        Assert.Contains("http://" + server.Host, error.Remedy);
        using var registry = await HttpRegistry.ConnectAsync(RegistryAddress.Parse(server.Host), new HttpRegistryOptions());
        Assert.Equal("http://" + server.Host, registry.Location);
    }

    [Fact]
    public async Task Where_nothing_listens_it_says_so_at_once()
    {
        var port = Processes.FreePort();
        var error = await Assert.ThrowsAsync<RegistryUnreachableException>(() => HttpRegistry.ConnectAsync(RegistryAddress.Parse("http://127.0.0.1:" + port), new HttpRegistryOptions()));
        Assert.Contains("refused", error.Message);
        Assert.Contains("127.0.0.1:" + port, error.Message);
        await Assert.ThrowsAsync<RegistryUnreachableException>(() => HttpRegistry.ConnectAsync(RegistryAddress.Parse("no-such-host.invalid"), new HttpRegistryOptions()));
    }

    [SkippableFact]
    public async Task After_it_is_disposed_of_nothing_is_asked()
    {
        await using var server = await DockerRegistryServer.StartAsync();
        var registry = await Images.ConnectAsync(server);
        registry.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => registry.FindManifestAsync("a", "x"));
    }

    private static async Task<List<T>> ListAsync<T>(IAsyncEnumerable<T> items)
    {
        var list = new List<T>();
        await foreach (var item in items) list.Add(item);
        return list;
    }
}
