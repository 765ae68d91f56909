using System.Text.Json.Nodes;
using RegistryTools.GarbageCollection;
using RegistryTools.Tests.GarbageCollection;
using RegistryTools.Usage;
using Xunit;

namespace RegistryTools.Tests.Usage;

/// <summary>Storages whose numbers were worked out by hand.</summary>
public sealed class StorageMeterTests : IDisposable
{
    private readonly StorageTree _tree = new();

    public void Dispose() => _tree.Dispose();

    [Fact]
    public async Task What_is_shared_and_what_is_not()
    {
        var first = Bytes(_tree.Image("a", "t1", ('c', 10), ('b', 1000), ('x', 100)));
        var second = Bytes(_tree.Image("a", "t2", ('d', 20), ('b', 1000), ('y', 200)));
        _tree.Image("a", "again", ('d', 20), ('b', 1000), ('y', 200));
        var third = Bytes(_tree.Image("b/c", "t3", ('e', 30), ('b', 1000), ('z', 300)));
        var untagged = Bytes(_tree.Image("b/c", null, ('f', 40), ('z', 300), ('u', 400)));
        _tree.Blob("b/c", 'g', 7);
        var unlinked = _tree.Blob("b/c", 'h', 9);
        _tree.Store.DeleteLayer("b/c", unlinked);

        var measured = await MeasureAsync();
        Assert.Empty(measured.Problems);
        var total = first + second + third + untagged + 10 + 20 + 30 + 40 + 1000 + 100 + 200 + 300 + 400;
        Same(measured.Registry, size: total, logical: total + 1000, unique: total - 1000, freed: untagged + 440 + 16, untagged: untagged + 440, garbage: 16);
        Assert.Equal((2, 4, 4, 13, 0L), (measured.Registry.Repositories, measured.Registry.Tags, measured.Registry.Manifests, measured.Registry.Blobs, measured.Registry.Quarantined));
        var (a, b) = (measured.Repositories[0], measured.Repositories[1]);
        Same(a, size: first + second + 1330, logical: first + second + second + 1110 + 2440, unique: first + second + 330, freed: first + second + 330, untagged: 0, garbage: 0);
        Same(b, size: third + untagged + 1770, logical: third + 1330, unique: third + untagged + 770, freed: third + untagged + 770, untagged: untagged + 440, garbage: 7);
        Assert.Equal(("a", 3, 2, 7), (a.Repository, a.Tags, a.Manifests, a.Blobs));

        var tags = measured.Tags("a").ToList();
        Assert.Equal(["again", "t1", "t2"], tags.Select(tag => tag.Tag));
        Same(tags[0], size: second + 1220, logical: second + 1220, unique: 0, freed: 0, untagged: null, garbage: null);
        Same(tags[1], size: first + 1110, logical: first + 1110, unique: first + 110, freed: first + 110, untagged: null, garbage: null);
        Assert.Equal((tags[0].Size, 1, 4), (tags[2].Size, tags[2].Manifests, tags[2].Blobs));
        var t3 = Assert.Single(measured.Tags("b/c"));
        Same(t3, size: third + 1330, logical: third + 1330, unique: third + 330, freed: third + 330, untagged: null, garbage: null);
        Assert.Empty(measured.Tags("none"));

        // What two tags share goes with both, and not with one.
        Assert.Equal(0, Without(measured, "a:t2").Freed);
        var both = Without(measured, "a:t2", "a:again", "a:t2");
        Assert.Equal((second + 220, 1000L, second + 1220, untagged + 440 + 16), (both.Freed, both.Shared, both.Size, both.AlreadyFree));
        Assert.Equal((2, 3, 1, 5, 1), (both.Tags, both.FreedBlobs, both.FreedManifests, both.AlreadyFreeBlobs, both.AlreadyFreeManifests));
        var all = Without(measured, "a", "b/c");
        Assert.Equal((total - untagged - 440, 0L), (all.Freed, all.Shared));
        var missing = Without(measured, "a:none", "none", "none:t1", "b/c:t3", "a:T1");
        Assert.Equal("a:none none none:t1 a:T1", string.Join(" ", missing.NotFound));
        Assert.Equal((1, third + 330), (missing.Tags, missing.Freed));
        Assert.Equal(third + 330, (await new StorageMeter(_tree.Location).WithoutAsync([new TagSelection("b/c", "t3")], default)).Freed);
    }

    [Fact]
    public async Task Platforms_nested_indexes_and_referrers()
    {
        var amd64 = _tree.Image("i", "amd64", ('c', 10), ('b', 1000), ('x', 100));
        var arm64 = _tree.Image("i", null, ('d', 20), ('b', 1000), ('y', 200));
        var index = _tree.AddIndex("i", "multi", amd64, arm64);
        var outer = _tree.AddIndex("i", "outer", index);
        var report = _tree.Image("i", null, arm64, ('e', 2), ('r', 5000));
        var signature = _tree.Image("i", null, report, ('e', 2), ('s', 70));
        var measured = await MeasureAsync();
        Assert.Empty(measured.Problems);
        var inside = Bytes(amd64) + Bytes(arm64) + Bytes(index) + Bytes(report) + Bytes(signature) + 10 + 20 + 1000 + 100 + 200 + 2 + 5000 + 70;
        var tags = measured.Tags("i").ToDictionary(tag => tag.Tag!);
        Same(tags["amd64"], size: Bytes(amd64) + 1110, logical: Bytes(amd64) + 1110, unique: 0, freed: 0, untagged: null, garbage: null);
        Same(tags["multi"], size: inside, logical: inside, unique: 0, freed: 0, untagged: null, garbage: null);
        Same(tags["outer"], size: inside + Bytes(outer), logical: inside + Bytes(outer), unique: Bytes(outer), freed: Bytes(outer), untagged: null, garbage: null);
        Assert.Equal((5, 6), (tags["multi"].Manifests, tags["outer"].Manifests));
        Assert.Equal(0, measured.Registry.Untagged);
        Assert.Equal(inside + Bytes(outer) - Bytes(amd64) - 1110, Without(measured, "i:multi", "i:outer").Freed);

        // A fallback tag is a tag: it keeps what it lists although the subject is gone.
        var list = _tree.AddIndex("i", arm64.Replace(':', '-'), report);
        measured = await MeasureAsync();
        var freed = Without(measured, "i:multi", "i:outer");
        Assert.Equal(Bytes(index) + Bytes(outer) + Bytes(arm64) + 20 + 200, freed.Freed);
        Assert.Equal(Bytes(list), measured.Tags("i").Single(tag => tag.Tag!.StartsWith("sha256-", StringComparison.Ordinal)).Freed);
    }

    [Fact]
    public async Task A_referrer_whose_subject_is_gone_is_untagged()
    {
        var subject = _tree.Image("i", "t", ('c', 10), ('b', 1000));
        var report = _tree.Image("i", null, subject, ('e', 2), ('r', 5000));
        Assert.Equal(0, (await MeasureAsync()).Registry.Untagged);
        Assert.Equal(Bytes(subject) + Bytes(report) + 6012, (await MeasureAsync()).Tags("i").Single().Freed);
        _tree.Store.DeleteManifest("i", subject);
        var measured = await MeasureAsync();
        Assert.Equal((Bytes(report) + 5002, Bytes(subject) + 1010), (measured.Registry.Untagged, measured.Registry.Garbage));
        Assert.Equal(1010, measured.Repositories[0].Garbage);
    }

    [Fact]
    public async Task Untagged_manifests_of_two_repositories_are_nobodys_alone()
    {
        var one = _tree.Image("a", null, ('c', 10), ('b', 1000));
        _tree.Image("b", null, ('c', 10), ('b', 1000));
        var tagged = _tree.Image("b", "t", ('d', 20));
        var measured = await MeasureAsync();
        Same(measured.Repositories[0], size: Bytes(one) + 1010, logical: 0, unique: 0, freed: 0, untagged: Bytes(one) + 1010, garbage: 0);
        Same(measured.Repositories[1], size: Bytes(one) + Bytes(tagged) + 1030, logical: Bytes(tagged) + 20, unique: Bytes(tagged) + 20, freed: Bytes(tagged) + 20, untagged: Bytes(one) + 1010, garbage: 0);
        Assert.Equal(Bytes(one) + 1010, measured.Registry.Freed);
    }

    [Fact]
    public async Task What_is_not_there_has_no_bytes()
    {
        var image = _tree.Image("a", "t", ('c', 10), ('b', 1000), ('x', 100));
        var lost = _tree.Blob("a", 'b', 1000);
        var foreign = _tree.Image("a", null, ('f', 5));
        var manifest = JsonNode.Parse(File.ReadAllBytes(_tree.Store.BlobPath(foreign)))!.AsObject();
        manifest["layers"]!.AsArray().Add((JsonNode)new JsonObject { ["mediaType"] = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", ["digest"] = "sha256:" + new string('7', 64), ["size"] = 9999 });
        var windows = _tree.AddManifest("a", "windows", manifest);
        _tree.Store.DeleteManifest("a", foreign);
        Directory.Delete(Path.GetDirectoryName(_tree.Store.BlobPath(lost))!, recursive: true);
        var measured = await MeasureAsync();
        Assert.Empty(measured.Problems);
        var tags = measured.Tags("a").ToList();
        Assert.Equal((Bytes(image) + 110, 1, true), (tags[0].Size, tags[0].Missing, tags[0].IsComplete));
        Assert.Equal((Bytes(windows) + 5, 0), (tags[1].Size, tags[1].Missing));
        Assert.Equal((1, 1), (measured.Repositories[0].Missing, measured.Registry.Missing));
        Assert.Equal(Bytes(foreign), measured.Registry.Garbage);
    }

    [Fact]
    public async Task What_cant_be_read_is_told_and_counts_as_needed()
    {
        var bad = _tree.Image("a", "bad", ('c', 10), ('b', 1000));
        var good = _tree.Image("a", "good", ('d', 20), ('y', 200));
        var untagged = _tree.Image("a", null, ('e', 30), ('z', 300));
        var other = _tree.Image("other", "t", ('b', 1000), ('q', 1));
        File.AppendAllText(_tree.Store.BlobPath(bad), " ");
        var measured = await MeasureAsync();
        var problem = Assert.Single(measured.Problems);
        Assert.Equal(("a", "bad", bad, true), (problem.Repository, problem.Tag, problem.Digest!.ToString(), problem.IsBlocking));
        var tags = measured.Tags("a").ToDictionary(tag => tag.Tag!);
        Assert.Equal((null, null, null, false), (tags["bad"].Size, tags["bad"].Unique, tags["bad"].Shared, tags["bad"].IsComplete));

        // With it goes the reason to keep anything for it.
        Assert.Equal(Bytes(bad) + 10 + Bytes(untagged) + 330, tags["bad"].Freed);
        Assert.Equal((Bytes(good) + 220, 0L, 0L), (tags["good"].Size, tags["good"].Unique, tags["good"].Freed));
        Assert.Equal((null, false, 0L, 0L), (measured.Repositories[0].LogicalSize, measured.Repositories[0].IsComplete, measured.Repositories[0].Untagged, measured.Repositories[0].Garbage));
        Assert.Equal(Bytes(other) + 1, measured.Tags("other").Single().Unique);
        Assert.Equal((0L, false), (measured.Registry.Freed, measured.Registry.IsComplete));
        Assert.Equal(Bytes(good) + 220 + Bytes(bad) + 10 + Bytes(untagged) + 330, Without(measured, "a:good", "a:bad").Freed);
        Assert.False(Without(measured, "a:bad").IsComplete);
        Assert.Null(Without(measured, "a:bad").Size);

        // A tag whose link says nothing is as bad, and as easily gone.
        File.WriteAllText(Path.Combine(_tree.V2, "repositories/a/_manifests/tags/bad/current/link"), "nothing");
        measured = await MeasureAsync();
        Assert.Equal(Bytes(bad) + 10 + Bytes(untagged) + 330, measured.Tags("a").First().Freed);
        Assert.Equal(measured.Tags("a").First().Freed, Without(measured, "a:bad").Freed);
    }

    [Fact]
    public async Task Where_a_part_can_not_be_looked_into_nothing_is_promised()
    {
        var image = _tree.Image("a", "t", ('c', 10), ('b', 1000));
        _tree.Blob("a", 'g', 7);
        Directory.CreateSymbolicLink(Path.Combine(_tree.V2, "repositories", "linked"), _tree.Root);
        var measured = await MeasureAsync();
        Assert.Single(measured.Problems);
        Assert.Equal((Bytes(image) + 1010, null, 0L, null, false), (measured.Registry.Size, measured.Registry.Unique, measured.Registry.Freed, measured.Registry.Garbage, measured.Registry.IsComplete));
        Assert.Equal((Bytes(image) + 1010, null, 0L), (measured.Tags("a").Single().Size, measured.Tags("a").Single().Unique, measured.Tags("a").Single().Freed));
        var without = Without(measured, "a:t");
        Assert.Equal((0L, 0L, Bytes(image) + 1010), (without.Freed, without.AlreadyFree, without.Shared));
    }

    [Fact]
    public async Task The_quarantine_is_counted_apart()
    {
        _tree.Image("a", "t", ('c', 10), ('b', 1000));
        _tree.Blob("a", 'g', 7);
        var result = await _tree.CollectAsync(StorageTree.Options(age: TimeSpan.Zero));
        var measured = await MeasureAsync();
        Assert.Equal((result.BytesQuarantined, 0L), (measured.Registry.Quarantined, measured.Registry.Garbage));
        Assert.True(measured.Registry.Quarantined > 7);
    }

    [Fact]
    public async Task An_empty_storage_and_one_without_repositories()
    {
        var measured = await MeasureAsync();
        Same(measured.Registry, size: 0, logical: 0, unique: 0, freed: 0, untagged: 0, garbage: 0);
        Assert.Empty(measured.Repositories);
        Assert.Equal(0, Without(measured).Freed);
        Directory.Delete(Path.Combine(_tree.V2, "repositories"));
        Assert.Single((await MeasureAsync()).Problems);
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new StorageMeter(_tree.Location).MeasureAsync(cancelled.Token));
    }

    private static StorageSavings Without(StorageMeasurement measured, params string[] tags) => measured.Without(tags.Select(text => text.Split(':')).Select(parts => new TagSelection(parts[0], parts.Length > 1 ? parts[1] : null)));

    private static void Same(StorageUsage usage, long? size, long? logical, long? unique, long? freed, long? untagged, long? garbage)
    {
        Assert.Equal((size, logical, unique, freed, untagged, garbage), (usage.Size, usage.LogicalSize, usage.Unique, usage.Freed, usage.Untagged, usage.Garbage));
        Assert.Equal(usage.Size - usage.Unique, usage.Shared);
        Assert.True(usage.IsComplete);
    }

    private long Bytes(string digest) => _tree.Length(digest);

    private Task<StorageMeasurement> MeasureAsync() => new StorageMeter(_tree.Location).MeasureAsync(default);
}
