using System.Text;
using System.Text.Json.Nodes;
using RegistryTools.Errors;
using RegistryTools.GarbageCollection;
using RegistryTools.Host.Embedded;
using RegistryTools.References;
using Xunit;

namespace RegistryTools.Tests.GarbageCollection;

public sealed class GarbageCollectorTests : IDisposable
{
    private readonly StorageTree _tree = new();

    private DistributionStore Store => _tree.Store;

    public void Dispose() => _tree.Dispose();

    [Fact]
    public async Task What_no_tag_needs_goes_and_nothing_else()
    {
        SampleData.Seed(Store);
        Store.AddImage("i1", null, "nobody's");
        foreach (var (repository, tag) in new[] { ("i1", "T11"), ("i4", "T41"), ("i3", "T31"), ("i3", "T32") }) _tree.DeleteTag(repository, tag);
        _tree.Age();
        var before = _tree.Files();

        var plan = await new GarbageCollector(_tree.Location, StorageTree.Options()).PlanAsync(default);
        Assert.Equal(before, _tree.Files());
        Assert.False(Directory.Exists(_tree.Location.Own));

        var result = await _tree.CollectAsync(StorageTree.Options());
        Assert.Empty(result.Problems);
        Assert.Equal(plan.Items.Select(item => item.Path), before.Keys.Except(_tree.Files().Keys).OrderBy(path => plan.Items.ToList().FindIndex(item => item.Path == path)));
        Assert.Equal(1 + 1 + 4 + 2, result.ManifestsRemoved);
        Assert.Equal(2 * (1 + 1 + 3 + 2), result.LayersRemoved);
        Assert.Equal(result.ManifestsRemoved + result.LayersRemoved, result.BlobsRemoved);
        Assert.Equal(result.BytesQuarantined, plan.Result.BytesQuarantined);
        Assert.Equal(["i1", "i2", "i4", "i5"], Store.Repositories());
        Assert.Empty(_tree.EmptyDirectories());
        _tree.EveryTagIsWhole();
        Assert.NotNull(result.RunId);

        var again = await _tree.CollectAsync(StorageTree.Options());
        Assert.Null(again.RunId);
        Assert.Equal(0, again.BytesQuarantined);
    }

    [Fact]
    public async Task Without_RemoveUntagged_every_manifest_stays()
    {
        var image = Store.AddImage("a", null, "untagged");
        Store.AddImage("a", "t", "tagged");
        var left = Store.WriteBlob("a", "left over"u8.ToArray());
        _tree.Age();
        var result = await _tree.CollectAsync(StorageTree.Options(removeUntagged: false));
        Assert.Equal((0, 1, 1), (result.ManifestsRemoved, result.LayersRemoved, result.BlobsRemoved));
        _tree.Whole("a", image, "the untagged one");
        Assert.False(File.Exists(Store.BlobPath(left)));
    }

    [Fact]
    public async Task Indexes_at_any_depth_and_what_refers_to_what_is_kept_stay()
    {
        var leaf = Store.AddImage("a", null, "leaf");
        var inner = _tree.AddIndex("a", null, leaf);
        var outer = _tree.AddIndex("a", null, inner);
        _tree.AddIndex("a", "t", outer);
        var signature = Store.AddReferrer("a", leaf, "application/signature", "signed", fallbackTag: false);
        var signatureOfSignature = Store.AddReferrer("a", signature, "application/signature", "signed again", fallbackTag: false);
        var gone = Store.AddImage("a", null, "gone");
        var goneToo = Store.AddReferrer("a", gone, "application/signature", "of what goes", fallbackTag: false);
        var listed = Store.AddReferrer("a", leaf, "application/sbom", "an SBOM", fallbackTag: true);
        _tree.Age();
        var result = await _tree.CollectAsync(StorageTree.Options());
        Assert.Equal(2, result.ManifestsRemoved);
        foreach (var digest in new[] { leaf, inner, outer, signature, signatureOfSignature, listed }) _tree.Whole("a", digest, "kept");
        Assert.False(Store.HasManifest("a", gone));
        Assert.False(Store.HasManifest("a", goneToo));
        _tree.EveryTagIsWhole();
    }

    [Fact]
    public async Task Schema_1_and_caches_that_list_layers_are_understood()
    {
        var layers = new[] { "one", "two" }.Select(text => Store.WriteBlob("old", Encoding.ASCII.GetBytes(text))).ToArray();
        _tree.AddSchema1("old", "t", layers);
        var cached = Store.WriteBlob("cache", "a cached layer"u8.ToArray());
        _tree.AddManifest("cache", "t", new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = "application/vnd.oci.image.index.v1+json",
            ["manifests"] = new JsonArray(new JsonObject { ["mediaType"] = "application/vnd.oci.image.layer.v1.tar+gzip", ["digest"] = cached, ["size"] = 14 }),
        });
        Store.WriteBlob("old", "garbage"u8.ToArray());
        _tree.Age();
        var result = await _tree.CollectAsync(StorageTree.Options());
        Assert.Empty(result.Problems);
        Assert.Equal((0, 1, 1), (result.ManifestsRemoved, result.LayersRemoved, result.BlobsRemoved));
        Assert.All(layers, layer => Assert.True(Store.HasLayer("old", layer)));
        Assert.True(Store.HasLayer("cache", cached));
    }

    [Fact]
    public async Task Signatures_of_schema_1_go_and_come_with_their_manifest()
    {
        var kept = _tree.AddSchema1("a", "t", Store.WriteBlob("a", [1]));
        var gone = _tree.AddSchema1("a", null, Store.WriteBlob("a", [2]));
        foreach (var manifest in new[] { kept, gone })
        {
            var signature = Store.WriteBlob("signatures-of-others", System.Text.Encoding.UTF8.GetBytes("signature of " + manifest));
            var link = Path.Combine(Path.GetDirectoryName(_tree.Revision("a", manifest))!, "signatures", signature.Replace(':', '/'), "link");
            Directory.CreateDirectory(Path.GetDirectoryName(link)!);
            File.WriteAllText(link, signature);
        }

        Directory.Delete(Path.Combine(_tree.V2, "repositories", "signatures-of-others"), recursive: true);
        _tree.Age();
        var before = _tree.Files();
        var result = await _tree.CollectAsync(StorageTree.Options());
        Assert.Equal((1, 3), (result.ManifestsRemoved, result.BlobsRemoved));
        Assert.Equal(8, _tree.Files().Count);
        Assert.Empty(_tree.EmptyDirectories());
        await new GarbageRestorer(_tree.Location).RestoreAsync(result.RunId, null, null, null, default);
        Assert.Equal(before, _tree.Files());
    }

    [Fact]
    public async Task What_killed_removals_and_writes_left_is_cleared_away_once_it_is_old()
    {
        Store.AddImage("a", "t", "tagged");
        _tree.Age();
        foreach (var name in new[] { "trash", "tmp" })
        {
            var directory = Path.Combine(_tree.Location.Own, name);
            Directory.CreateDirectory(Path.Combine(directory, "old"));
            File.WriteAllText(Path.Combine(directory, "old", "link"), "old");
            File.WriteAllText(Path.Combine(directory, "file"), "old");
            await _tree.CollectAsync(StorageTree.Options());
            Assert.True(File.Exists(Path.Combine(directory, "file")));
            File.SetLastWriteTimeUtc(Path.Combine(directory, "file"), DateTime.UtcNow.AddDays(-1));
            Directory.SetLastWriteTimeUtc(directory, DateTime.UtcNow.AddDays(-1));
            await _tree.CollectAsync(StorageTree.Options());
            Assert.Empty(Directory.GetFileSystemEntries(directory));
        }

        _tree.EveryTagIsWhole();
    }

    [Fact]
    public async Task Of_a_repository_with_a_manifest_of_an_unknown_kind_everything_stays()
    {
        _tree.AddManifest("a", "t", new JsonObject { ["schemaVersion"] = 7, ["mediaType"] = "application/vnd.example+json", ["parts"] = new JsonArray("sha256:" + new string('a', 64)) });
        var blob = Store.WriteBlob("a", "who knows"u8.ToArray());
        var untagged = Store.AddImage("a", null, "who knows");
        Store.AddImage("b", null, "garbage");
        _tree.Age();
        var result = await _tree.CollectAsync(StorageTree.Options(force: true));
        Assert.True(Store.HasLayer("a", blob));
        _tree.Whole("a", untagged, "untagged");
        Assert.Equal(1, result.ManifestsRemoved);
        Assert.Contains(result.Problems, problem => problem.Repository == "a" && !problem.IsBlocking);
    }

    [Fact]
    public async Task What_is_young_is_not_touched()
    {
        var old = Store.AddImage("a", null, "old");
        Store.BeginUpload("a");
        _tree.Age();
        var child = Store.AddImage("a", null, "child");
        var index = _tree.AddIndex("a", null, child);
        var blob = Store.WriteBlob("a", "just uploaded"u8.ToArray());
        var upload = Store.BeginUpload("a");

        // An old blob that was mounted a moment ago.
        Store.LinkBlob("b", _tree.Blobs("a", old)[0]);
        var result = await _tree.CollectAsync(StorageTree.Options(upload: true));
        Assert.Equal((1, 2, 2, 1), (result.ManifestsRemoved, result.LayersRemoved, result.BlobsRemoved, result.UploadsRemoved));
        _tree.Whole("a", index, "young");
        Assert.True(Store.HasLayer("a", blob));
        Assert.True(Store.HasLayer("b", _tree.Blobs("a", child).Length > 0 ? Directory.GetDirectories(Path.Combine(_tree.V2, "repositories/b/_layers/sha256")).Select(path => "sha256:" + Path.GetFileName(path)).Single() : ""));
        Assert.NotNull(Store.FindUpload("a", upload));
    }

    [Fact]
    public async Task Uploads_stay_unless_asked_for()
    {
        Store.AddImage("a", "t", "image");
        var upload = Store.BeginUpload("a");
        _tree.Age();
        await _tree.CollectAsync(StorageTree.Options());
        Assert.NotNull(Store.FindUpload("a", upload));
        var result = await _tree.CollectAsync(StorageTree.Options(upload: true));
        Assert.Equal(1, result.UploadsRemoved);
        Assert.Null(Store.FindUpload("a", upload));
        Assert.Empty(_tree.EmptyDirectories());
    }

    [Fact]
    public async Task Nested_names_and_empty_repositories()
    {
        Store.AddImage("a/b", "t", "image of a/b");
        Store.AddImage("a/b/c", null, "image of a/b/c");
        Store.AddImage("a", null, "image of a");
        Directory.CreateDirectory(Path.Combine(_tree.V2, "repositories/empty/one/_manifests/tags"));
        Directory.CreateDirectory(Path.Combine(_tree.V2, "repositories/empty/one/_layers/sha256"));
        _tree.Age();
        var result = await _tree.CollectAsync(StorageTree.Options());
        Assert.Equal(2, result.ManifestsRemoved);
        Assert.Equal(["a/b"], Store.Repositories());
        Assert.Empty(_tree.EmptyDirectories());
        Assert.False(Directory.Exists(Path.Combine(_tree.V2, "repositories/empty")));
        _tree.EveryTagIsWhole();
    }

    [Fact]
    public async Task Only_the_repositories_that_are_asked_for_lose_untagged_manifests()
    {
        var kept = Store.AddImage("keep/this", null, "one");
        Store.AddImage("drop/this", null, "two");
        _tree.Age();
        var result = await _tree.CollectAsync(StorageTree.Options(filter: name => name.StartsWith("drop/", StringComparison.Ordinal)));
        Assert.Equal(1, result.ManifestsRemoved);
        _tree.Whole("keep/this", kept, "not asked for");
    }

    [Fact]
    public async Task Dangling_notes_of_tags_go()
    {
        var first = Store.AddImage("a", "t", "first");
        var second = Store.AddImage("a", "t", "second");
        Store.AddImage("a", "u", "third");
        File.Delete(Path.Combine(_tree.V2, "repositories/a/_manifests/tags/u/current/link"));
        _tree.Age();
        var result = await _tree.CollectAsync(StorageTree.Options());
        Assert.Equal((2, 2), (result.ManifestsRemoved, result.TagIndexesRemoved));
        var notes = Directory.GetDirectories(Path.Combine(_tree.V2, "repositories/a/_manifests/tags/t/index/sha256")).Select(Path.GetFileName);
        Assert.Equal([second[7..]], notes);
        Assert.False(Store.HasManifest("a", first));
        Assert.False(Directory.Exists(Path.Combine(_tree.V2, "repositories/a/_manifests/tags/u")));
        Assert.Empty(_tree.EmptyDirectories());
    }

    [Fact]
    public async Task A_child_that_one_repository_lacks_costs_another_nothing()
    {
        var child = Store.AddImage("b", null, "child");
        var index = _tree.AddIndex("b", "t", child);
        Store.WriteManifest("a", "t", Store.ReadManifest("b", index)!);
        foreach (var blob in _tree.Blobs("b", child)) Store.LinkBlob("a", blob);
        _tree.Age();
        var result = await _tree.CollectAsync(StorageTree.Options());
        _tree.Whole("b", index, "b");
        Assert.Contains(result.Problems, problem => problem.Repository == "a" && problem.Digest!.ToString() == child && !problem.IsBlocking);
        Assert.All(_tree.Blobs("b", child), blob => Assert.True(Store.HasLayer("a", blob)));
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("corrupt")]
    [InlineData("empty")]
    [InlineData("not JSON")]
    [InlineData("empty tag link")]
    [InlineData("empty revision link")]
    [InlineData("revision link to another")]
    public async Task What_can_not_be_read_stops_the_removal_of_what_it_may_need(string what)
    {
        var broken = Store.AddImage("a", "t", "broken");
        var layers = _tree.Blobs("a", broken);
        var untagged = Store.AddImage("a", null, "untagged");
        var shared = Store.AddImage("b", null, "broken, in b");
        foreach (var layer in layers) Store.LinkBlob("b", layer);
        var otherLayer = Store.WriteBlob("b", "b's own"u8.ToArray());
        switch (what)
        {
            case "missing":
                File.Delete(Store.BlobPath(broken));
                break;
            case "corrupt":
                File.WriteAllText(Store.BlobPath(broken), File.ReadAllText(Store.BlobPath(broken)).Replace("sha256:", "sha256: "));
                break;
            case "empty":
                File.WriteAllText(Store.BlobPath(broken), "");
                break;
            case "not JSON":
                broken = Store.WriteManifest("a", "t", "no JSON"u8.ToArray());
                break;
            case "empty tag link":
                File.WriteAllText(Path.Combine(_tree.V2, "repositories/a/_manifests/tags/t/current/link"), "");
                break;
            case "empty revision link":
                File.WriteAllText(_tree.Revision("a", broken), "");
                break;
            default:
                File.WriteAllText(_tree.Revision("a", broken), "sha256:" + new string('a', 64));
                break;
        }

        _tree.Age();
        var files = _tree.Files();
        var result = await _tree.CollectAsync(StorageTree.Options());
        Assert.Contains(result.Problems, problem => problem.Repository == "a" && problem.IsBlocking);
        Assert.All(layers, layer => Assert.True(Store.HasLayer("a", layer)));
        _tree.Whole("a", untagged, "untagged in a");
        Assert.Equal(files.Keys.Where(path => path.StartsWith("repositories/a/", StringComparison.Ordinal)), _tree.Files().Keys.Where(path => path.StartsWith("repositories/a/", StringComparison.Ordinal)));

        // The other repository is collected all the same.
        Assert.False(Store.HasManifest("b", shared));
        Assert.False(File.Exists(Store.BlobPath(otherLayer)));

        var forced = await _tree.CollectAsync(StorageTree.Options(force: true));
        Assert.False(Store.HasManifest("a", untagged));
        Assert.True(forced.ManifestsRemoved > 0);
    }

    [Fact]
    public async Task What_no_tag_needs_may_be_corrupt()
    {
        var broken = Store.AddImage("a", null, "broken");
        File.WriteAllText(Store.BlobPath(broken), "");
        var missing = Store.AddImage("a", null, "missing");
        File.Delete(Store.BlobPath(missing));
        Store.AddImage("a", "t", "tagged");
        _tree.Age();
        var result = await _tree.CollectAsync(StorageTree.Options());
        Assert.Empty(result.Problems);
        Assert.Equal((2, 4), (result.ManifestsRemoved, result.LayersRemoved));
    }

    [Theory]
    [InlineData("repositories/a/_manifests/tags/t")]
    [InlineData("repositories/a/_manifests/tags/t/current")]
    [InlineData("repositories/a/_layers")]
    [InlineData("repositories/a/_layers/sha256")]
    [InlineData("repositories/a/_manifests")]
    [InlineData("repositories/a/_manifests/revisions")]
    [InlineData("repositories/a")]
    public async Task A_symbolic_link_is_not_followed_and_stops_the_removal_of_blobs(string path)
    {
        Store.AddImage("a", "t", "tagged");
        Store.AddImage("a", null, "untagged");
        Store.AddImage("b", null, "garbage");
        var outside = Path.Combine(_tree.Root, "outside");
        Directory.Move(Path.Combine(_tree.V2, path), outside);
        Directory.CreateSymbolicLink(Path.Combine(_tree.V2, path), outside);
        _tree.Age();
        var before = Directory.GetFiles(outside, "*", SearchOption.AllDirectories);
        var result = await _tree.CollectAsync(StorageTree.Options(force: true));
        Assert.Equal(before, Directory.GetFiles(outside, "*", SearchOption.AllDirectories));
        Assert.Equal(0, result.BlobsRemoved);
        Assert.Equal(1, result.ManifestsRemoved);
        Assert.Contains(result.Problems, problem => problem.IsBlocking);
        _tree.EveryTagIsWhole();
    }

    [Fact]
    public async Task Links_that_are_symbolic_links_and_links_that_lead_elsewhere_lead_nowhere()
    {
        Store.AddImage("a", "t", "tagged");
        var outside = Path.Combine(_tree.Root, "outside");
        Directory.CreateDirectory(outside);
        File.WriteAllText(Path.Combine(outside, "link"), "sha256:" + new string('b', 64));
        foreach (var (tag, text) in new[] { ("up", "sha256:../../../../../../outside"), ("slash", "/etc/passwd"), ("long", "sha256:" + new string('a', 5000)) })
        {
            var link = Path.Combine(_tree.V2, "repositories/bad/_manifests/tags", tag, "current/link");
            Directory.CreateDirectory(Path.GetDirectoryName(link)!);
            File.WriteAllText(link, text);
        }

        Directory.CreateDirectory(Path.Combine(_tree.V2, "repositories/bad/_manifests/tags/symbolic/current"));
        File.CreateSymbolicLink(Path.Combine(_tree.V2, "repositories/bad/_manifests/tags/symbolic/current/link"), Path.Combine(outside, "link"));
        var layer = "sha256:" + new string('c', 64);
        Directory.CreateDirectory(Path.Combine(_tree.V2, "repositories/bad/_layers/sha256"));
        Directory.CreateSymbolicLink(Path.Combine(_tree.V2, "repositories/bad/_layers", layer.Replace(':', '/')), outside);
        Directory.CreateDirectory(Path.Combine(_tree.V2, "blobs/sha256/dd"));
        Directory.CreateSymbolicLink(Path.Combine(_tree.V2, "blobs/sha256/dd", new string('d', 64)), outside);
        File.WriteAllText(Path.Combine(outside, "data"), "outside");
        _tree.Age();
        File.SetLastWriteTimeUtc(Path.Combine(outside, "link"), DateTime.UtcNow.AddDays(-2));
        File.SetLastWriteTimeUtc(Path.Combine(outside, "data"), DateTime.UtcNow.AddDays(-2));
        var result = await _tree.CollectAsync(StorageTree.Options(force: true));
        Assert.Equal(["data", "link"], Directory.GetFiles(outside).Select(Path.GetFileName).Order());
        Assert.True(result.Problems.Count(problem => problem.Repository == "bad") >= 4);
        _tree.Whole("a", Store.FindTag("a", "t")!, "a:t");
    }

    [Fact]
    public async Task Digests_of_other_algorithms_and_their_aliases_stay()
    {
        var bytes = "a layer"u8.ToArray();
        var canonical = Store.WriteBlob("a", bytes);
        var alias = Digest.Compute("sha512", bytes).ToString();
        Directory.CreateDirectory(Path.GetDirectoryName(_tree.Layer("a", alias))!);
        File.WriteAllText(_tree.Layer("a", alias), canonical);
        var config = Store.WriteBlob("a", "{}"u8.ToArray());
        _tree.AddManifest("a", "t", new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = "application/vnd.oci.image.manifest.v1+json",
            ["config"] = new JsonObject { ["digest"] = config },
            ["layers"] = new JsonArray(new JsonObject { ["digest"] = alias }),
        });
        var garbage = Digest.Compute("sha512", "garbage"u8.ToArray()).ToString();
        Directory.CreateDirectory(Path.GetDirectoryName(Store.BlobPath(garbage))!);
        File.WriteAllText(Store.BlobPath(garbage), "garbage");
        _tree.Age();
        var result = await _tree.CollectAsync(StorageTree.Options());
        Assert.Equal((0, 1), (result.LayersRemoved, result.BlobsRemoved));
        Assert.True(Store.HasLayer("a", canonical));
        Assert.True(File.Exists(_tree.Layer("a", alias)));
        Assert.False(File.Exists(Store.BlobPath(garbage)));
    }

    [Fact]
    public async Task A_second_run_at_the_same_time_is_refused()
    {
        Store.AddImage("a", null, "garbage");
        _tree.Age();
        var refused = 0;
        await _tree.CollectAsync(StorageTree.Options(beforeSweep: () =>
        {
            Assert.Throws<GarbageException>(() => _tree.CollectAsync(StorageTree.Options()).GetAwaiter().GetResult());
            refused++;
        }));
        Assert.Equal(1, refused);
    }

    [Fact]
    public async Task A_quarantine_on_another_file_system_or_where_the_registry_looks_is_refused()
    {
        Store.AddImage("a", null, "garbage");
        _tree.Age();
        var before = _tree.Files();
        await Assert.ThrowsAsync<GarbageException>(() => _tree.CollectAsync(StorageTree.Options(quarantine: Path.Combine(_tree.V2, "blobs"))));
        if (Directory.Exists("/dev/shm"))
        {
            var elsewhere = Path.Combine("/dev/shm", "rt-gc-" + Guid.NewGuid().ToString("N"));
            await Assert.ThrowsAsync<GarbageException>(() => _tree.CollectAsync(StorageTree.Options(quarantine: elsewhere)));
            Directory.Delete(elsewhere, recursive: true);
        }

        Assert.Equal(before, _tree.Files());
        Assert.DoesNotContain(Directory.GetDirectories(Path.Combine(_tree.V2, "repositories")), path => path.Contains("_registrytools", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Purge_frees_what_the_run_removed_and_PurgeOlderThan_what_earlier_runs_did()
    {
        Store.AddImage("a", null, "garbage");
        _tree.Age();
        var first = await _tree.CollectAsync(StorageTree.Options());
        Store.AddImage("a", null, "more");
        _tree.Age();
        var options = new GarbageCollectorOptions { RemoveUntagged = true, Purge = true, PurgeOlderThan = TimeSpan.Zero, SettleTime = TimeSpan.Zero };
        var second = await _tree.CollectAsync(options);
        Assert.True(second.BytesFreed > first.BytesQuarantined);
        Assert.Equal(0, second.BytesQuarantined);
        Assert.Empty(await GarbageRun.ReadAsync(_tree.Location, default));
    }
}
