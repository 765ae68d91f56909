using RegistryTools.Errors;
using RegistryTools.Host.Embedded;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Tests.GarbageCollection;
using RegistryTools.Tests.Servers;
using RegistryTools.Usage;
using Xunit;
using Server = RegistryTools.Host.Embedded.EmbeddedRegistry;

namespace RegistryTools.Tests.Usage;

/// <summary>Measured by asking the registry; and that it comes to the same as measuring its storage.</summary>
public sealed class RegistryMeterTests : IDisposable
{
    private readonly StorageTree _tree = new();

    public void Dispose() => _tree.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_embedded_registry_and_its_storage_agree(bool full)
    {
        SampleData.Seed(_tree.Store, fallbackTag: !full);
        Shared();
        _tree.AddSchema1("old", "t", _tree.Blob("old", 'k', 77), _tree.Blob("old", 'b', 1000));
        await using var server = await Server.StartAsync((full ? EmbeddedRegistryOptions.Full() : EmbeddedRegistryOptions.Distribution2()) with { StoragePath = _tree.Root });
        using var registry = await ConnectAsync(server.BaseAddress);
        await AgreeAsync(registry);
    }

    [SkippableFact]
    public async Task The_real_registry_and_its_storage_agree()
    {
        Requirement.Program("docker-registry");
        SampleData.Seed(_tree.Store);
        Shared();
        await using var server = await DockerRegistryServer.StartAsync(storagePath: _tree.Root);
        using var registry = await Images.ConnectAsync(server);
        await AgreeAsync(registry);
    }

    [Fact]
    public async Task A_storage_connection_is_measured_as_well()
    {
        SampleData.Seed(_tree.Store);
        Shared();
        using var registry = new StorageRegistry(_tree.Location);
        await AgreeAsync(registry);
    }

    [Fact]
    public async Task No_manifest_is_fetched_twice()
    {
        Shared();
        await using var server = await Server.StartAsync(EmbeddedRegistryOptions.Distribution3() with { StoragePath = _tree.Root });
        using var registry = await ConnectAsync(server.BaseAddress);
        server.ClearRequests();
        var measured = await new RegistryMeter(registry, new RegistryMeterOptions { ThrottleLimit = 4 }).MeasureAsync(["s/one", "s/two", "s/one"], default);
        Assert.Empty(measured.Errors);
        var gets = server.Requests.Where(request => request.Method == "GET" && request.PathAndQuery.Contains("/manifests/", StringComparison.Ordinal)).Select(request => request.PathAndQuery.Split('/')[^1]).ToList();
        Assert.Equal(gets.Count, gets.Distinct().Count());
        Assert.Equal(measured.Registry.Tags, server.Requests.Count(request => request.Method == "HEAD" && request.PathAndQuery.Contains("/manifests/", StringComparison.Ordinal)));
        Assert.DoesNotContain(server.Requests, request => request.PathAndQuery.Contains("/referrers/", StringComparison.Ordinal));
        Assert.Equal((null, null, null), (measured.Registry.Garbage, measured.Registry.Untagged, measured.Registry.Quarantined));
        Assert.Equal((null, null), (measured.Registry.Freed, measured.Repositories[0].Garbage));
    }

    [Fact]
    public async Task Sharing_is_seen_among_what_is_measured()
    {
        var one = _tree.Length(_tree.Image("a", "t1", ('c', 10), ('b', 1000), ('x', 100)));
        _tree.Image("b", "t2", ('d', 20), ('b', 1000));
        using var registry = new StorageRegistry(_tree.Location);
        var alone = await new RegistryMeter(registry).MeasureAsync(["a"], default);
        Assert.Equal((one + 1110, one + 1110, 0L), (alone.Registry.Size, alone.Tags("a").Single().Freed, alone.Repositories[0].Shared));
        var both = await new RegistryMeter(registry).MeasureAsync(["b", "a"], default);
        Assert.Equal((one + 110, 1000L), (both.Tags("a").Single().Freed, both.Repositories[0].Shared));
        var without = both.Without([new TagSelection("a", "t1"), new TagSelection("c", null)]);
        Assert.Equal((one + 110, 1000L, null, "c"), (without.Freed, without.Shared, without.AlreadyFree, without.NotFound.Single().Repository));
    }

    [Fact]
    public async Task What_is_missing_or_fails_is_told_and_the_rest_is_measured()
    {
        var child = _tree.Image("a", null, ('c', 10), ('b', 1000));
        var good = _tree.Image("a", "good", ('d', 20), ('b', 1000));
        _tree.AddIndex("a", "sparse", child, good);
        var other = _tree.Image("a", null, ('f', 60));
        _tree.AddIndex("a", "elsewhere", other, good);
        _tree.AddIndex("b", "whole", _tree.Image("b", null, ('f', 60)));
        _tree.Store.DeleteManifest("a", child);
        _tree.Store.DeleteManifest("a", other);
        _tree.Image("a", "failing", ('e', 30));
        await using var server = await Server.StartAsync(EmbeddedRegistryOptions.Distribution3() with { StoragePath = _tree.Root });
        server.Fault = static (request, _) => request.PathAndQuery.EndsWith("/failing", StringComparison.Ordinal) ? FaultAction.Status(400) : null;
        using var registry = await ConnectAsync(server.BaseAddress);
        var measured = await new RegistryMeter(registry).MeasureAsync(["a", "b", "none"], default);
        Assert.Equal(["a failing", "none "], measured.Errors.Select(error => error.Repository + " " + error.Tag).Order());
        Assert.IsType<RegistryNotFoundException>(measured.Errors.Single(error => error.Tag is null).Error);
        var problem = Assert.Single(measured.Problems);
        Assert.Equal(("a", "sparse", child), (problem.Repository, problem.Tag, problem.Digest!.ToString()));
        var tags = measured.Tags("a").ToDictionary(tag => tag.Tag!);
        Assert.Equal((null, null, false), (tags["sparse"].Size, tags["sparse"].Freed, tags["sparse"].IsComplete));
        Assert.Equal((null, false), (tags["failing"].Size, tags["failing"].IsComplete));
        Assert.Equal(_tree.Length(good) + 1020, tags["good"].Size);
        Assert.Equal((null, 4, false), (measured.Repositories[0].LogicalSize, measured.Repositories[0].Tags, measured.Repositories[0].IsComplete));

        // The other repository has what this one has lost, so that it is known what it needs.
        Assert.True(measured.Tags("b").Single().IsComplete);
        var elsewhere = (await new StorageMeter(_tree.Location).MeasureAsync(default)).Tags("a").Single(tag => tag.Tag == "elsewhere");
        Assert.True(elsewhere.IsComplete && tags["elsewhere"].IsComplete);
        Assert.Equal(elsewhere.Size, tags["elsewhere"].Size);
        Assert.Equal(2, measured.Repositories.Count);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new RegistryMeter(registry).MeasureAsync(["a"], cancelled.Token));
    }

    private static Task<HttpRegistry> ConnectAsync(Uri address) =>
        HttpRegistry.ConnectAsync(RegistryAddress.Parse(address.AbsoluteUri), new HttpRegistryOptions { RetryDelay = TimeSpan.FromMilliseconds(5) });

    private void Shared()
    {
        var amd64 = _tree.Image("s/one", "amd64", ('c', 10), ('b', 1000), ('x', 100));
        var arm64 = _tree.Image("s/one", null, ('d', 20), ('b', 1000), ('y', 200));
        var index = _tree.AddIndex("s/one", "multi", amd64, arm64);
        _tree.AddIndex("s/one", "outer", index);
        _tree.Image("s/two", "t", ('c', 10), ('b', 1000), ('x', 100));
        _tree.Image("s/two", "again", ('c', 10), ('b', 1000), ('x', 100));
        _tree.Image("s/two", "more", ('e', 5), ('b', 1000), ('y', 200));
        _tree.Store.BeginUpload("s/two");
    }

    private async Task AgreeAsync(IRegistry registry)
    {
        var storage = await new StorageMeter(_tree.Location).MeasureAsync(default);
        var names = storage.Repositories.Select(repository => repository.Repository!).ToList();
        var asked = await new RegistryMeter(registry, new RegistryMeterOptions { IncludeReferrers = true }).MeasureAsync(names, default);
        Assert.Empty(storage.Problems);
        Assert.Empty(asked.Problems);
        Assert.Empty(asked.Errors);
        static StorageUsage Comparable(StorageUsage usage) => usage with { Untagged = null, Garbage = null, Quarantined = null, Freed = usage.Scope == UsageScope.Registry ? null : usage.Freed };
        Assert.Equal(Comparable(storage.Registry), Comparable(asked.Registry));
        Assert.Equal(storage.Repositories.Select(Comparable), asked.Repositories.Select(Comparable));
        foreach (var name in names) Assert.Equal(storage.Tags(name).Select(Comparable), asked.Tags(name).Select(Comparable));
        var some = names.SelectMany(name => storage.TagNames(name).Where((_, i) => i % 2 == 0).Select(tag => new TagSelection(name, tag))).ToList();
        var (one, other) = (storage.Without(some), asked.Without(some));
        Assert.Equal((one.Tags, one.Size, one.Freed, one.Shared, one.FreedBlobs, one.FreedManifests), (other.Tags, other.Size, other.Freed, other.Shared, other.FreedBlobs, other.FreedManifests));
        Assert.True(one.Freed > 0 && one.Shared > 0);
    }
}
