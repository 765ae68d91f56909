using RegistryTools.Errors;
using RegistryTools.GarbageCollection;
using RegistryTools.Host.Embedded;
using RegistryTools.References;
using Xunit;

namespace RegistryTools.Tests.GarbageCollection;

public sealed class GarbageRestorerTests : IDisposable
{
    private readonly StorageTree _tree = new();

    private DistributionStore Store => _tree.Store;

    public void Dispose() => _tree.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_run_comes_back_byte_for_byte(bool elsewhere)
    {
        SampleData.Seed(Store);
        foreach (var (repository, tag) in new[] { ("i1", "T11"), ("i4", "T41"), ("i3", "T31"), ("i3", "T32") }) _tree.DeleteTag(repository, tag);
        Store.BeginUpload("i1");
        _tree.Age();
        var before = _tree.Files();
        var quarantine = elsewhere ? Path.Combine(_tree.Root, "elsewhere") : null;
        var result = await _tree.CollectAsync(StorageTree.Options(upload: true, quarantine: quarantine));
        Assert.NotEqual(before, _tree.Files());
        if (elsewhere) Assert.NotEmpty(Directory.GetFiles(quarantine!, "*", SearchOption.AllDirectories));
        var run = Assert.Single(await GarbageRun.ReadAsync(_tree.Location, default));
        Assert.Equal(result.RunId, run.Id);
        Assert.Equal(result.BytesQuarantined, run.Size);
        var restored = await new GarbageRestorer(_tree.Location).RestoreAsync(result.RunId, null, null, null, default);
        Assert.Equal((run.Items.Count, run.Size, 0), (restored.Restored, restored.Bytes, restored.Left));
        Assert.Equal(before, _tree.Files());
        Assert.Empty(await GarbageRun.ReadAsync(_tree.Location, default));
        Assert.False(Directory.Exists(Path.Combine(_tree.Location.Own, "quarantine")));
        if (elsewhere) Assert.Empty(Directory.GetDirectories(quarantine!));
    }

    [Fact]
    public async Task A_digest_comes_back_with_what_it_needs_and_nothing_else()
    {
        var child = Store.AddImage("a", null, "child");
        var index = _tree.AddIndex("a", null, child);
        var other = Store.AddImage("a", null, "other");
        _tree.Age();
        await _tree.CollectAsync(StorageTree.Options());
        Assert.Empty(Store.Repositories());
        await new GarbageRestorer(_tree.Location).RestoreAsync(null, Digest.Parse(index), null, null, default);
        _tree.Whole("a", index, "restored");
        Assert.False(Store.HasManifest("a", other));
        await Assert.ThrowsAsync<GarbageException>(() => new GarbageRestorer(_tree.Location).RestoreAsync(null, Digest.Parse(index), null, null, default));
        await Assert.ThrowsAsync<GarbageException>(() => new GarbageRestorer(_tree.Location).RestoreAsync("nothing", null, null, null, default));
        await new GarbageRestorer(_tree.Location).RestoreAsync(null, null, null, null, default);
        _tree.Whole("a", other, "restored later");
    }

    [Fact]
    public async Task What_is_there_is_never_overwritten()
    {
        var image = Store.AddImage("a", null, "image");
        var blob = _tree.Blobs("a", image)[0];
        _tree.Age();
        var result = await _tree.CollectAsync(StorageTree.Options());
        Store.AddImage("a", null, "image");
        File.WriteAllText(Store.BlobPath(blob), "newer");
        var states = new List<GarbageRestoreState>();
        var restored = await new GarbageRestorer(_tree.Location).RestoreAsync(result.RunId, null, null, (_, state) => states.Add(state), default);
        Assert.Equal((0, 5, 1), (restored.Restored, restored.AlreadyThere, restored.Left));
        Assert.Equal("newer", File.ReadAllText(Store.BlobPath(blob)));
        var left = Assert.Single(Assert.Single(await GarbageRun.ReadAsync(_tree.Location, default)).Items);
        Assert.Equal(blob, left.Digest!.ToString());
    }

    [Fact]
    public async Task Only_what_is_old_enough_is_freed()
    {
        Store.AddImage("a", null, "image");
        _tree.Age();
        var result = await _tree.CollectAsync(StorageTree.Options());
        var clearer = new GarbageClearer(_tree.Location);
        Assert.Equal(0, await clearer.ClearAsync(null, TimeSpan.FromHours(1), null, default));
        await Assert.ThrowsAsync<GarbageException>(() => clearer.ClearAsync("nothing", TimeSpan.Zero, null, default));

        // A link that somebody laid into the quarantine is deleted, not followed.
        var outside = Path.Combine(_tree.Root, "outside");
        Directory.CreateDirectory(outside);
        File.WriteAllText(Path.Combine(outside, "file"), "stays");
        Directory.CreateSymbolicLink(Path.Combine(_tree.Location.Own, "quarantine", result.RunId!, "v2", "blobs", "link"), outside);
        Assert.Equal(result.BytesQuarantined, await clearer.ClearAsync(result.RunId, TimeSpan.Zero, null, default));
        Assert.True(File.Exists(Path.Combine(outside, "file")));
        Assert.Empty(await GarbageRun.ReadAsync(_tree.Location, default));
    }
}
