using System.Text.Json.Nodes;
using RegistryTools.GarbageCollection;
using RegistryTools.Host.Embedded;
using Xunit;

namespace RegistryTools.Tests.GarbageCollection;

/// <summary>Pushes while a run is under way.</summary>
public sealed class GarbageRaceTests : IDisposable
{
    private readonly StorageTree _tree = new();

    private DistributionStore Store => _tree.Store;

    public void Dispose() => _tree.Dispose();

    public static TheoryData<bool, string> Moments()
    {
        var data = new TheoryData<bool, string>();
        foreach (var what in new[] { "a new manifest over condemned blobs", "the condemned manifest again", "a tag alone", "an index over a condemned manifest", "another repository", "a layer link", "the subject of a condemned referrer" })
        {
            data.Add(true, what);
            data.Add(false, what);
        }

        return data;
    }

    [Fact]
    public async Task A_run_that_ends_in_an_error_of_the_disk_gives_back_what_a_push_needs_before_it_ends()
    {
        Store.AddImage("a", "t", "tagged");
        var condemned = Store.AddImage("a", null, "condemned");
        Store.AddImage("a", null, "condemned too");
        var bytes = Store.ReadManifest("a", condemned)!;
        _tree.Age();
        var failed = false;
        var options = StorageTree.Options(
            throttle: 1,
            beforeAct: act =>
            {
                // The journal of the blobs can't be written, when the layer links have been moved that the push needs.
                if (failed || !act.StartsWith("append ", StringComparison.Ordinal) || Directory.GetFiles(Path.Combine(_tree.V2, "repositories/a/_layers"), "link", SearchOption.AllDirectories).Length > 2) return;
                failed = true;
                Store.WriteManifest("a", "late", bytes);
                throw new IOException("The disk says no.");
            });
        var error = await Record.ExceptionAsync(() => _tree.CollectAsync(options));
        Assert.True(failed);
        Assert.NotNull(error);
        _tree.EveryTagIsWhole();
    }

    [Theory]
    [MemberData(nameof(Moments))]
    public async Task What_is_pushed_meanwhile_is_whole_afterwards(bool beforeSweep, string what)
    {
        Store.AddImage("a", "t", "tagged");
        var condemned = Store.AddImage("a", null, "condemned");
        var other = Store.AddImage("a", null, "condemned too");
        var referrer = Store.AddReferrer("a", condemned, "application/signature", "signed", fallbackTag: false);
        var blobs = _tree.Blobs("a", condemned);
        var bytes = Store.ReadManifest("a", condemned)!;
        _tree.Age();

        void Push()
        {
            switch (what)
            {
                case "a new manifest over condemned blobs":
                    var manifest = JsonNode.Parse(bytes)!.AsObject();
                    manifest["annotations"] = new JsonObject { ["pushed"] = "late" };
                    _tree.AddManifest("a", "late", manifest);
                    break;
                case "a tag alone":
                    var link = Path.Combine(_tree.V2, "repositories/a/_manifests/tags/late/current/link");
                    Directory.CreateDirectory(Path.GetDirectoryName(link)!);
                    File.WriteAllText(link, condemned);
                    break;
                case "an index over a condemned manifest":
                    _tree.AddIndex("a", "late", condemned);
                    break;
                case "another repository":
                    foreach (var blob in blobs) Store.LinkBlob("b", blob);
                    Store.WriteManifest("b", "late", bytes);
                    break;
                case "a layer link":
                    Store.LinkBlob("b", blobs[0]);
                    break;
                default:
                    Store.WriteManifest("a", "late", bytes);
                    break;
            }
        }

        var result = await _tree.CollectAsync(beforeSweep ? StorageTree.Options(beforeSweep: Push) : StorageTree.Options(afterSweep: Push));
        _tree.EveryTagIsWhole(what);
        Assert.False(Store.HasManifest("a", other));
        if (what == "a layer link") Assert.True(Store.HasLayer("b", blobs[0]));
        if (what == "the subject of a condemned referrer") _tree.Whole("a", referrer, "the referrer");

        // What is said to be removed is what the quarantine holds.
        var run = Assert.Single(await GarbageRun.ReadAsync(_tree.Location, default));
        Assert.Equal(run.Items.Count, result.ManifestsRemoved + result.LayersRemoved + result.BlobsRemoved + result.TagIndexesRemoved);
        Assert.Equal(run.Size, result.BytesQuarantined);
    }
}
