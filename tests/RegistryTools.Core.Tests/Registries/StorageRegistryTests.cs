using System.Text;
using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Host.Embedded;
using RegistryTools.Inspection;
using RegistryTools.Journal;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Storage;
using RegistryTools.Tests.Servers;
using Xunit;

namespace RegistryTools.Tests.Registries;

/// <summary>A storage as a registry, without a server; and what the real one makes of it afterwards.</summary>
public sealed class StorageRegistryTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-storage-").FullName;
    private readonly DistributionStore _store;
    private readonly StorageRegistry _registry;

    public StorageRegistryTests()
    {
        _store = new DistributionStore(Path.Combine(_directory, "registry"));
        SampleData.Seed(_store);
        _registry = new StorageRegistry(StorageLocation.Find(_store.StoragePath));
    }

    public void Dispose()
    {
        _registry.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData("registry")]
    [InlineData("registry/")]
    [InlineData("registry/docker")]
    [InlineData("registry/docker/registry")]
    [InlineData("registry/docker/registry/v2")]
    [InlineData("registry/docker/registry/v2/")]
    public void The_root_is_found_from_wherever_in_it_the_user_points(string path) =>
        Assert.Equal(_store.StoragePath, StorageLocation.Find(Path.Combine(_directory, path)).Root);

    [Fact]
    public void A_directory_that_is_no_storage_is_told_as_such()
    {
        Assert.Contains("docker/registry/v2", Assert.Throws<StorageNotFoundException>(() => StorageLocation.Find(_directory)).Message, StringComparison.Ordinal);
        Assert.Throws<StorageNotFoundException>(() => StorageLocation.Find(Path.Combine(_directory, "nowhere")));
        Directory.CreateDirectory(Path.Combine(_store.StoragePath, "docker", "registry", "elsewhere"));
        Assert.Throws<StorageNotFoundException>(() => StorageLocation.Find(Path.Combine(_store.StoragePath, "docker", "registry", "elsewhere")));
        Directory.CreateDirectory(Path.Combine(_directory, "volume"));
        Directory.Move(_store.StoragePath, Path.Combine(_directory, "volume", "_data"));
        Assert.Equal(Path.Combine(_directory, "volume", "_data"), StorageLocation.Find(Path.Combine(_directory, "volume")).Root);
    }

    [Fact]
    public async Task It_lists_and_reads_what_a_server_would()
    {
        _store.AddImage("a/b/c", "x", "nested");
        _store.AddImage("a", "y", "outer");
        Assert.Equal(_store.Repositories(), await ListAsync(_registry.ListRepositoriesAsync()));
        foreach (var repository in _store.Repositories())
        {
            Assert.Equal(_store.Tags(repository), (await ListAsync(_registry.ListTagsAsync(repository))).Order(StringComparer.Ordinal));
            foreach (var tag in _store.Tags(repository)) Assert.Equal(_store.FindTag(repository, tag), (await _registry.FindManifestAsync(repository, tag))!.Digest.ToString());
        }

        await Assert.ThrowsAsync<RegistryNotFoundException>(() => ListAsync(_registry.ListTagsAsync("nowhere")));
        Assert.Null(await _registry.FindManifestAsync("i1", "nothing"));
        var t41 = await _registry.GetManifestAsync("i4", "T41");
        Assert.Equal(3, t41.Manifests.Count);
        var t51 = await _registry.GetManifestAsync("i5", "T51");
        Assert.Equal("application/spdx+json", Assert.Single(await ListAsync(_registry.ListReferrersAsync("i5", t51.Digest))).ArtifactType);
        using var copy = new MemoryStream();
        await _registry.CopyBlobAsync("i5", t51.Layers[0].Digest, copy);
        Assert.Equal(t51.Layers[0].Size, copy.Length);
    }

    [Fact]
    public async Task Details_have_the_tags_own_time()
    {
        var time = new DateTime(2024, 1, 2, 3, 4, 5, DateTimeKind.Utc);
        File.SetLastWriteTimeUtc(StorageLocation.Find(_store.StoragePath).TagLink("i1", "T11"), time);
        var details = await ListAsync(new TagInspector(_registry).InspectAsync("i1", _registry.ListTagsAsync("i1")));
        Assert.Equal(time, details.Single(detail => detail.Tag == "T11").Tagged!.Value.UtcDateTime);
        Assert.All(details, detail => Assert.Null(detail.Error));
    }

    [SkippableFact]
    public async Task Tags_go_alone_and_the_real_registry_serves_the_rest()
    {
        var journal = new RemovalJournal(Path.Combine(_directory, "journal"));
        using (var remover = new TagRemover(_registry, journal))
        {
            foreach (var (repository, tag) in new[] { ("i1", "T12"), ("i2", "T22"), ("i5", "T52"), ("i4", "T41") })
            {
                var removal = Assert.Single(await remover.RemoveAsync(repository, [new TagRemovalRequest(tag)]));
                Assert.Null(removal.Error);
                Assert.Equal(RemovalMethod.TagApi, removal.Method);
                Assert.Null(_store.FindTag(repository, tag));
            }
        }

        Assert.NotNull(_store.FindTag("i1", "T13"));
        Assert.NotNull(_store.FindTag("i2", "T24"));
        await using (var server = await DockerRegistryServer.StartAsync(storagePath: _store.StoragePath))
        {
            foreach (var repository in _store.Repositories())
            {
                foreach (var tag in _store.Tags(repository)) await Skopeo.PullAsync(server.Host, repository, tag, Path.Combine(_directory, Guid.NewGuid().ToString("N")));
            }
        }

        foreach (var entry in journal.Read().ToList()) await new TagRestorer(_registry, journal).RestoreAsync(entry.Repository, entry.Tag!, entry.Digest);
        await using var again = await DockerRegistryServer.StartAsync(storagePath: _store.StoragePath);
        await Skopeo.PullAsync(again.Host, "i4", "T41", Path.Combine(_directory, "t41"));
        await Skopeo.PullAsync(again.Host, "i1", "T12", Path.Combine(_directory, "t12"));
    }

    [Fact]
    public async Task A_manifest_takes_its_tags_along_and_is_refused_where_it_is_needed()
    {
        using var remover = new ManifestRemover(_registry, new RemovalJournal(Path.Combine(_directory, "journal")));
        var plan = Assert.Single(await remover.PlanAsync("i1", [new ManifestRemovalRequest("T12")]));
        Assert.Equal(["T13"], plan.OtherTags);
        await Assert.ThrowsAsync<ManifestInUseException>(() => remover.RemoveAsync("i1", plan, force: false));
        await remover.RemoveAsync("i1", plan, force: true);
        Assert.Equal(["T11"], _store.Tags("i1"));

        var child = (await _registry.GetManifestAsync("i4", "T41")).Manifests[0].Digest;
        Assert.NotEmpty(Assert.Single(await remover.PlanAsync("i4", [new ManifestRemovalRequest(child.ToString())])).Indexes);
    }

    [SkippableFact]
    public async Task What_is_pushed_here_is_served_by_the_real_registry()
    {
        var layer = Encoding.UTF8.GetBytes("a layer");
        var config = Encoding.UTF8.GetBytes("{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}");
        await _registry.PushBlobAsync("new/one", Digest.Compute(layer), new MemoryStream(layer));
        await Assert.ThrowsAsync<DigestMismatchException>(() => _registry.PushBlobAsync("new/one", Digest.Random(), new MemoryStream(layer)));
        var manifest = Encoding.UTF8.GetBytes($"{{\"schemaVersion\":2,\"mediaType\":\"{MediaTypes.OciManifest}\",\"config\":{{\"mediaType\":\"{MediaTypes.OciConfig}\",\"digest\":\"{Digest.Compute(config)}\",\"size\":{config.Length}}},\"layers\":[]}}");
        var refused = await Assert.ThrowsAsync<RegistryRequestException>(() => _registry.PutManifestAsync("new/one", "t", manifest, MediaTypes.OciManifest));
        Assert.True(refused.HasCode("MANIFEST_BLOB_UNKNOWN"));
        await _registry.PushBlobAsync("new/one", Digest.Compute(config), new MemoryStream(config));
        await _registry.PutManifestAsync("new/one", "t", manifest, MediaTypes.OciManifest);
        await using var server = await DockerRegistryServer.StartAsync(storagePath: _store.StoragePath);
        await Skopeo.PullAsync(server.Host, "new/one", "t", Path.Combine(_directory, "pulled"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("sha256:short")]
    [InlineData("../../../../../etc/passwd")]
    [InlineData("sha256:../../../../../../../../../../../../../../../../../../../../../etc/pa")]
    public async Task A_link_file_with_anything_else_in_it_is_an_error_of_that_tag_alone(string content)
    {
        var location = StorageLocation.Find(_store.StoragePath);
        await File.WriteAllTextAsync(location.TagLink("i1", "T12"), content);
        var error = await Assert.ThrowsAsync<ManifestFormatException>(() => _registry.GetManifestAsync("i1", "T12"));
        Assert.Contains("T12", error.Message, StringComparison.Ordinal);
        Assert.NotNull(await _registry.FindManifestAsync("i1", "T13"));
        var details = await ListAsync(new TagInspector(_registry).InspectAsync("i1", _registry.ListTagsAsync("i1")));
        Assert.Equal("T12", Assert.Single(details, detail => detail.Error is not null).Tag);
    }

    [Fact]
    public async Task Content_that_is_not_what_its_digest_says_is_not_handed_out()
    {
        var manifest = await _registry.GetManifestAsync("i1", "T11");
        await File.AppendAllTextAsync(_store.BlobPath(manifest.Layers[0].Digest.ToString()), "more");
        await Assert.ThrowsAsync<DigestMismatchException>(() => _registry.CopyBlobAsync("i1", manifest.Layers[0].Digest, Stream.Null));
        await File.AppendAllTextAsync(_store.BlobPath(manifest.Digest.ToString()), " ");
        await Assert.ThrowsAsync<DigestMismatchException>(() => _registry.GetManifestAsync("i1", "T11"));
    }

    [SkippableFact]
    public async Task Symbolic_links_are_not_followed()
    {
        Skip.If(OperatingSystem.IsWindows(), "Making a symbolic link takes a right of its own there.");
        var location = StorageLocation.Find(_store.StoragePath);
        var outside = Path.Combine(_directory, "outside");
        Directory.Move(location.Tag("i1", "T12"), outside);
        Directory.CreateSymbolicLink(location.Tag("i1", "T12"), outside);
        Assert.DoesNotContain("T12", await ListAsync(_registry.ListTagsAsync("i1")));
        Assert.Null(await _registry.FindManifestAsync("i1", "T12"));
        Assert.Equal(TagDeletion.NotFound, await _registry.DeleteTagAsync("i1", "T12"));
        Assert.True(File.Exists(Path.Combine(outside, "current", "link")));

        var elsewhere = Path.Combine(_directory, "elsewhere");
        Directory.Move(location.Repository("i3"), elsewhere);
        Directory.CreateSymbolicLink(location.Repository("i3"), elsewhere);
        Assert.DoesNotContain("i3", await ListAsync(_registry.ListRepositoriesAsync()));
        await Assert.ThrowsAsync<RegistryNotFoundException>(() => _registry.DeleteManifestAsync("i3", Digest.Parse(new DistributionStore(_store.StoragePath).FindTag("i3", "T31")!)));
        Assert.True(File.Exists(Path.Combine(elsewhere, "_manifests", "tags", "T31", "current", "link")));
    }

    private static async Task<List<T>> ListAsync<T>(IAsyncEnumerable<T> items)
    {
        var list = new List<T>();
        await foreach (var item in items) list.Add(item);
        return list;
    }
}
