using System.Text.Json.Nodes;
using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.GarbageCollection;
using RegistryTools.Host.Embedded;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Tests.GarbageCollection;
using Xunit;

namespace RegistryTools.Tests.Review;

/// <summary>Ways in which a collection could lose what a tag needs.</summary>
public sealed class GarbageSafetyTests : IDisposable
{
    private readonly StorageTree _tree = new();

    private DistributionStore Store => _tree.Store;

    public void Dispose() => _tree.Dispose();

    [Fact]
    public async Task What_an_interrupted_tag_removal_left_under_a_placeholder_stays_whole()
    {
        var image = Store.AddImage("a", "t", "under the placeholder");
        var index = _tree.AddIndex("a", "u", image);
        var placeholder = PlaceholderManifest.Create("0123", [new OriginalTag("t", Digest.Parse(image), MediaTypes.OciManifest), new OriginalTag("u", Digest.Parse(index), MediaTypes.OciIndex), new OriginalTag("gone", Digest.Random(), MediaTypes.OciManifest)]);
        Store.WriteBlob("a", PlaceholderManifest.Config.ToArray());
        foreach (var tag in new[] { "t", "u" }) Store.WriteManifest("a", tag, placeholder.Manifest.Raw.ToArray());
        var garbage = Store.AddImage("a", null, "nobody's");
        _tree.Age();
        var result = await _tree.CollectAsync(StorageTree.Options());
        Assert.DoesNotContain(result.Problems, problem => problem.IsBlocking);
        _tree.Whole("a", index, "what the tag is put back to");
        Assert.False(Store.HasManifest("a", garbage));
    }

    [Fact]
    public async Task Clearing_a_run_that_was_killed_keeps_what_was_pushed_over_it()
    {
        var bytes = await KillAsync(null);
        Store.WriteManifest("a", "late", bytes);
        await new GarbageClearer(_tree.Location).ClearAsync(null, TimeSpan.Zero, null, default);
        _tree.EveryTagIsWhole("after the quarantine was cleared");
        Assert.Empty(await GarbageRun.ReadAsync(_tree.Location, default));
    }

    [Fact]
    public async Task A_quarantine_elsewhere_that_is_out_of_reach_is_not_forgotten()
    {
        var elsewhere = Path.Combine(_tree.Root, "elsewhere");
        var bytes = await KillAsync(elsewhere);
        Store.WriteManifest("a", "late", bytes);
        Directory.Move(elsewhere, elsewhere + ".away");
        var error = await Assert.ThrowsAsync<GarbageException>(() => _tree.CollectAsync(StorageTree.Options()));
        Assert.Contains(elsewhere, error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<GarbageException>(() => new GarbageRestorer(_tree.Location).RestoreAsync(null, null, null, null, default));
        Assert.Equal(0, await new GarbageClearer(_tree.Location).ClearAsync(null, TimeSpan.Zero, null, default));
        Directory.Move(elsewhere + ".away", elsewhere);
        await _tree.CollectAsync(StorageTree.Options());
        _tree.EveryTagIsWhole("after the quarantine was there again");
    }

    [Fact]
    public async Task A_run_whose_quarantine_is_gone_for_good_can_be_forgotten()
    {
        var elsewhere = Path.Combine(_tree.Root, "elsewhere");
        await KillAsync(elsewhere);
        Directory.Delete(elsewhere, recursive: true);
        var run = Assert.Single(await GarbageRun.ReadAsync(_tree.Location, default));
        await new GarbageClearer(_tree.Location).ClearAsync(run.Id, TimeSpan.Zero, null, default);
        Assert.Empty(await GarbageRun.ReadAsync(_tree.Location, default));
        await _tree.CollectAsync(StorageTree.Options());
    }

    [Fact]
    public async Task An_untagged_manifest_pushed_meanwhile_into_a_repository_that_keeps_everything_is_whole()
    {
        Store.AddImage("a", "t", "tagged");
        var broken = Store.AddImage("a", "broken", "broken");
        File.Delete(Store.BlobPath(broken));
        var condemned = Store.AddImage("b", null, "condemned");
        var blobs = _tree.Blobs("b", condemned);
        _tree.Age();

        // The registry found the bytes where they were, and has now written its links.
        await _tree.CollectAsync(StorageTree.Options(afterSweep: () =>
        {
            foreach (var blob in blobs) Store.LinkBlob("a", blob);
            WriteLink(_tree.Revision("a", condemned), condemned);
        }));
        _tree.Whole("a", condemned, "pushed meanwhile");
    }

    [Fact]
    public async Task A_manifest_that_was_missing_and_is_pushed_again_during_a_forced_run_is_whole()
    {
        var image = Store.AddImage("a", "t", "missing");
        var bytes = Store.ReadManifest("a", image)!;
        File.Delete(Store.BlobPath(image));
        _tree.Age();
        await _tree.CollectAsync(StorageTree.Options(force: true, beforeSweep: () => Store.WriteManifest("a", "t", bytes)));
        _tree.EveryTagIsWhole();
    }

    [Theory]
    [InlineData("late")]
    [InlineData(null)]
    public async Task A_manifest_of_an_unknown_kind_pushed_meanwhile_keeps_what_its_repository_has(string? tag)
    {
        Store.AddImage("a", "t", "tagged");
        var blob = Store.WriteBlob("a", "who knows"u8.ToArray());
        var untagged = Store.AddImage("a", null, "who knows");
        _tree.Age();
        await _tree.CollectAsync(StorageTree.Options(beforeSweep: () => _tree.AddManifest("a", tag, new JsonObject { ["schemaVersion"] = 7, ["mediaType"] = "application/vnd.example+json", ["parts"] = new JsonArray(blob) })));
        Assert.True(Store.HasLayer("a", blob));
        _tree.Whole("a", untagged, "untagged");
    }

    [Fact]
    public async Task A_manifest_pushed_meanwhile_by_an_alias_of_its_digest_is_whole()
    {
        var image = Store.AddImage("a", null, "condemned");
        var bytes = Store.ReadManifest("a", image)!;
        var blobs = _tree.Blobs("a", image);
        var alias = Digest.Compute("sha512", bytes).ToString();
        _tree.Age();
        await _tree.CollectAsync(StorageTree.Options(afterSweep: () => WriteLink(_tree.Revision("a", alias), image)));
        Assert.True(File.Exists(Store.BlobPath(image)), "its bytes are away");
        Assert.All(blobs, blob => Assert.True(Store.HasLayer("a", blob), blob + " is away"));
    }

    [Fact]
    public async Task A_run_that_is_cancelled_waits_for_pushes_under_way_as_well()
    {
        var image = Store.AddImage("a", null, "condemned");
        var bytes = Store.ReadManifest("a", image)!;
        _tree.Age();
        using var cancel = new CancellationTokenSource();
        Thread? push = null;
        var options = new GarbageCollectorOptions
        {
            RemoveUntagged = true,
            SettleTime = TimeSpan.FromSeconds(1),
            ThrottleLimit = 1,
            BeforeAct = act =>
            {
                if (act.StartsWith("move ", StringComparison.Ordinal) && act.Contains("/blobs/", StringComparison.Ordinal) && act.EndsWith("/data", StringComparison.Ordinal)) cancel.Cancel();
            },
            AfterSweep = () =>
            {
                // A thread of its own: where many tests run, the pool's are late.
                push = new Thread(() =>
                {
                    Thread.Sleep(200);
                    Store.WriteManifest("a", "late", bytes);
                });
                push.Start();
            },
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new GarbageCollector(_tree.Location, options).CollectAsync(null, cancel.Token));
        push!.Join();
        _tree.EveryTagIsWhole();
    }

    [Theory]
    [InlineData("Layers")]
    [InlineData("LAYERS")]
    [InlineData("layer\u017f")]
    public async Task What_a_registry_reads_without_regard_to_case_is_read_so(string name)
    {
        // Go's encoding/json takes these for "layers", in the registry as in the clients.
        var layer = Store.WriteBlob("a", "a layer"u8.ToArray());
        var config = Store.WriteBlob("a", "{}"u8.ToArray());
        _tree.AddManifest("a", "t", new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = "application/vnd.oci.image.manifest.v1+json",
            ["config"] = new JsonObject { ["digest"] = config },
            [name] = new JsonArray(new JsonObject { ["digest"] = layer }),
        });
        _tree.Age();
        await _tree.CollectAsync(StorageTree.Options());
        Assert.True(Store.HasLayer("a", layer));
    }

    [Fact]
    public async Task A_digest_comes_back_with_what_it_needs_although_several_runs_took_it()
    {
        var shared = "a layer of both"u8.ToArray();
        var child = WithLayer("a", null, shared, "of a");
        var index = _tree.AddIndex("a", null, child);
        WithLayer("b", "t", shared, "of b");
        _tree.Age();
        await _tree.CollectAsync(StorageTree.Options());
        _tree.DeleteTag("b", "t");
        _tree.Age();
        await _tree.CollectAsync(StorageTree.Options());
        Assert.Equal(2, (await GarbageRun.ReadAsync(_tree.Location, default)).Count);
        await new GarbageRestorer(_tree.Location).RestoreAsync(null, Digest.Parse(index), null, null, default);
        _tree.Whole("a", index, "restored");
    }

    /// <summary>Collects an image of 'a' and is killed before it has looked for what was pushed meanwhile. Gives the manifest's bytes.</summary>
    private async Task<byte[]> KillAsync(string? quarantine)
    {
        var image = Store.AddImage("a", null, "soon to be pushed again");
        Store.AddImage("a", "t", "tagged");
        _tree.Age();
        var bytes = Store.ReadManifest("a", image)!;
        await Assert.ThrowsAsync<InvalidTimeZoneException>(() => _tree.CollectAsync(StorageTree.Options(quarantine: quarantine, afterSweep: () => throw new InvalidTimeZoneException("killed"))));
        return bytes;
    }

    private string WithLayer(string repository, string? tag, byte[] layer, string note) => _tree.AddManifest(repository, tag, new JsonObject
    {
        ["schemaVersion"] = 2,
        ["mediaType"] = "application/vnd.oci.image.manifest.v1+json",
        ["config"] = new JsonObject { ["digest"] = Store.WriteBlob(repository, "{}"u8.ToArray()) },
        ["layers"] = new JsonArray(new JsonObject { ["digest"] = Store.WriteBlob(repository, layer) }),
        ["annotations"] = new JsonObject { ["note"] = note },
    });

    private static void WriteLink(string path, string digest)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, digest);
    }
}
