using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.GarbageCollection;
using RegistryTools.Host.Embedded;
using RegistryTools.Journal;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Tests.GarbageCollection;
using RegistryTools.Tests.Servers;
using RegistryTools.Text;
using Xunit;

namespace RegistryTools.Tests.Deletion;

/// <summary>Whole repositories, of a storage and over the protocol.</summary>
public sealed class RepositoryRemoverTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-repository-").FullName;
    private readonly StorageTree _tree = new();

    public void Dispose()
    {
        _tree.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Of_a_storage_all_of_it_goes_and_comes_back_byte_for_byte_and_its_neighbours_stay()
    {
        foreach (var name in new[] { "a", "a/b", "a/b/c", "ab" }) _tree.Store.AddImage(name, "t", name);
        _tree.AddIndex("a/b", "index", _tree.Store.AddImage("a/b", null, "child"));
        _tree.Store.BeginUpload("a/b");
        Directory.CreateDirectory(Path.Combine(_tree.V2, "repositories/a/b/_layers/sha512"));
        File.WriteAllText(Path.Combine(_tree.V2, "repositories/a/b/_manifests/stray"), "odd");
        _tree.Age();
        var before = _tree.Files();
        var removal = Assert.Single(await RemoveAsync(_tree, "a/b"));
        Assert.Empty(removal.Errors);
        Assert.Equal(["index", "t"], removal.Tags);
        Assert.Equal(3, removal.Manifests);
        Assert.Equal(before.Where(file => !file.Key.StartsWith("repositories/a/b/_", StringComparison.Ordinal)), _tree.Files());
        Assert.Equal(["a", "a/b/c", "ab"], _tree.Store.Repositories());
        var run = Assert.Single(await GarbageRun.ReadAsync(_tree.Location, default));
        Assert.Equal((removal.RunId, GarbageCause.RepositoryRemoval, true), (run.Id, run.Cause, run.IsConcluded));
        Assert.Equal(["index", "t"], run.Items.Where(item => item.Kind == GarbageKind.Tag).Select(item => item.Tag).Order());
        await new GarbageRestorer(_tree.Location).RestoreAsync(run.Id, null, "a/b", null, default);
        Assert.Equal(before, _tree.Files());
        Assert.True(Directory.Exists(Path.Combine(_tree.V2, "repositories/a/b/_layers/sha512")));
        Assert.Empty(await GarbageRun.ReadAsync(_tree.Location, default));
    }

    [Fact]
    public async Task Of_several_one_comes_back_also_after_its_blobs_were_collected()
    {
        foreach (var name in new[] { "x", "y" }) _tree.AddIndex(name, "index", _tree.Store.AddImage(name, "t", name));
        _tree.Store.AddImage("z", "t", "z");
        _tree.Age();
        var before = _tree.Files();
        var removals = await RemoveAsync(_tree, "x", "y");
        Assert.Equal(["z"], _tree.Store.Repositories());
        Assert.Equal(removals[0].RunId, removals[1].RunId);
        var collected = await _tree.CollectAsync(StorageTree.Options());
        Assert.Equal(8, collected.BlobsRemoved);
        var restored = await new GarbageRestorer(_tree.Location).RestoreAsync(null, null, "y", null, default);
        Assert.Empty(restored.Problems);
        Assert.Equal(["y", "z"], _tree.Store.Repositories());
        _tree.EveryTagIsWhole();
        restored = await new GarbageRestorer(_tree.Location).RestoreAsync(removals[0].RunId, null, null, null, default);
        Assert.Empty(restored.Problems);
        Assert.Equal(before, _tree.Files());
    }

    [Fact]
    public async Task What_was_freed_meanwhile_is_named_when_the_repository_comes_back()
    {
        var image = _tree.Store.AddImage("x", "t", "x");
        _tree.Store.AddImage("z", "t", "z");
        _tree.Age();
        var removal = Assert.Single(await RemoveAsync(_tree, "x"));
        await _tree.CollectAsync(StorageTree.Options(purge: true));
        var restored = await new GarbageRestorer(_tree.Location).RestoreAsync(removal.RunId, null, null, null, default);
        Assert.Contains(restored.Problems, problem => problem.Digest?.ToString() == image && problem.Repository == "x");
    }

    [Fact]
    public async Task A_push_at_any_moment_is_whole_afterwards()
    {
        _tree.Store.AddImage("x", "t", "layered");
        _tree.Age();
        var bytes = _tree.Store.ReadManifest("x", _tree.Store.FindTag("x", "t")!)!;
        var acts = 0;
        using (var count = _tree.Copy()) new StoredRepositoryRemover(count.Location, TimeSpan.Zero, NoActivityLog.Instance, _ => acts++).Remove(["x"], default);
        Assert.True(acts > 5, $"{acts} acts");

        // The last act notes that it is done.
        for (var at = 0; at < acts - 1; at++)
        {
            using var tree = _tree.Copy();
            var act = 0;

            // The registry had found its layers, and writes the manifest now: as far as there is a repository to be found.
            var removal = Assert.Single(new StoredRepositoryRemover(tree.Location, TimeSpan.Zero, NoActivityLog.Instance, _ =>
            {
                if (act++ == at) tree.Store.WriteManifest("x", "pushed", bytes);
            }).Remove(["x"], default));
            if (tree.Store.FindTag("x", "pushed") is null) continue;
            tree.Whole("x", tree.Store.FindTag("x", "pushed")!, $"pushed before act {at}");
            Assert.Contains("pushed", removal.PushedMeanwhile);
        }
    }

    [Fact]
    public async Task Killed_at_any_moment_it_is_there_or_gone_and_comes_back()
    {
        foreach (var name in new[] { "x", "y" }) _tree.AddIndex(name, "index", _tree.Store.AddImage(name, "t", name));
        _tree.Store.BeginUpload("x");
        _tree.Age();
        var before = _tree.Files();
        var acts = 0;
        using (var count = _tree.Copy()) new StoredRepositoryRemover(count.Location, TimeSpan.Zero, NoActivityLog.Instance, _ => acts++).Remove(["x", "y"], default);
        for (var at = Random.Shared.Next(2); at < acts; at += 2)
        {
            using var tree = _tree.Copy();
            var act = 0;
            Assert.Throws<InvalidOperationException>(() => new StoredRepositoryRemover(tree.Location, TimeSpan.Zero, NoActivityLog.Instance, _ =>
            {
                if (act++ == at) throw new InvalidOperationException("killed");
            }).Remove(["x", "y"], default));
            tree.EveryTagIsWhole($"killed before act {at}");
            foreach (var name in new[] { "x", "y" }) Assert.Contains(tree.Store.HasRepository(name) ? tree.Store.Tags(name).Count : 0, new[] { 0, 2 });
            using var collected = tree.Copy();
            await collected.CollectAsync(StorageTree.Options());
            collected.EveryTagIsWhole($"killed before act {at}, then collected");
            foreach (var one in new[] { tree, collected })
            {
                await new GarbageRestorer(one.Location).RestoreAsync(null, null, null, null, default);
                Assert.Equal(before, one.Files());
            }
        }
    }

    [Fact]
    public async Task What_is_not_there_or_behind_a_symbolic_link_is_told()
    {
        _tree.Store.AddImage("x", "t", "x");
        Directory.CreateSymbolicLink(Path.Combine(_tree.V2, "repositories", "linked"), Path.Combine(_tree.V2, "repositories", "x"));
        var before = _tree.Files();
        var removals = await RemoveAsync(_tree, "nothing", "linked");
        Assert.IsType<RegistryNotFoundException>(Assert.Single(removals[0].Errors));
        Assert.IsType<RemovalFailedException>(Assert.Single(removals[1].Errors));
        Assert.Equal(before, _tree.Files());
        Assert.Empty(await GarbageRun.ReadAsync(_tree.Location, default));
    }

    [SkippableTheory]
    [InlineData("embedded 2.8")]
    [InlineData("embedded 3")]
    [InlineData("embedded full")]
    [InlineData("docker-registry")]
    public async Task Over_the_protocol_every_tag_goes_with_its_manifest_and_comes_back(string kind)
    {
        SampleData.Seed(_tree.Store);
        await using var real = kind == "docker-registry" ? await StartAsync(_tree.Root) : null;
        await using var embedded = real is null ? await EmbeddedRegistry.StartAsync(EmbeddedRegistryOptions.Named(kind["embedded ".Length..]) with { StoragePath = _tree.Root }) : null;
        using var registry = await HttpRegistry.ConnectAsync(RegistryAddress.Parse("http://" + (real?.Host ?? embedded!.Host)), new HttpRegistryOptions { RetryDelay = TimeSpan.FromMilliseconds(1) });

        // A platform of T41 that has a tag of its own.
        var child = (await registry.GetManifestAsync("i4", "T41")).Manifests[0].Digest;
        var platform = await registry.GetManifestAsync("i4", child.ToString());
        await registry.PutManifestAsync("i4", "amd64", platform.Raw, platform.MediaType);
        var tags = _tree.Store.Repositories().ToDictionary(name => name, name => _tree.Store.Tags(name).ToDictionary(tag => tag, tag => _tree.Store.FindTag(name, tag)!));
        var journal = new RemovalJournal(Path.Combine(_directory, "journal"));
        var removal = Assert.Single(await new RepositoryRemover(registry, journal).RemoveAsync(["i4"]));
        Assert.Empty(removal.Errors);
        Assert.Equal(tags["i4"].Keys.Order(), removal.Tags.Order());
        Assert.Equal(tags["i4"].Values.Distinct().Count(), removal.Manifests);
        Assert.Empty(_tree.Store.Tags("i4"));
        Assert.All(tags["i4"].Values, digest => Assert.False(_tree.Store.HasManifest("i4", digest)));
        foreach (var (name, own) in tags.Where(pair => pair.Key != "i4")) Assert.Equal(own, _tree.Store.Tags(name).ToDictionary(tag => tag, tag => _tree.Store.FindTag(name, tag)!));

        var restorer = new TagRestorer(registry, journal);
        foreach (var (tag, digest) in tags["i4"].OrderByDescending(pair => pair.Key)) await restorer.RestoreAsync("i4", tag, Digest.Parse(digest));
        Assert.Equal(tags["i4"], _tree.Store.Tags("i4").ToDictionary(tag => tag, tag => _tree.Store.FindTag("i4", tag)!));
        _tree.EveryTagIsWhole();
    }

    private static async Task<DockerRegistryServer> StartAsync(string root)
    {
        Requirement.Program("docker-registry");
        return await DockerRegistryServer.StartAsync(storagePath: root);
    }

    private async Task<IReadOnlyList<RepositoryRemoval>> RemoveAsync(StorageTree tree, params string[] repositories)
    {
        using var registry = new StorageRegistry(tree.Location);
        return await new RepositoryRemover(registry, new RemovalJournal(Path.Combine(_directory, "journal"))) { SettleTime = TimeSpan.Zero }.RemoveAsync(repositories);
    }
}
