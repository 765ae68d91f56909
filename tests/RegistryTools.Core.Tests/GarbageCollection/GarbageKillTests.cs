using RegistryTools.GarbageCollection;
using RegistryTools.Host.Embedded;
using Xunit;

namespace RegistryTools.Tests.GarbageCollection;

/// <summary>Runs that end at any moment: what the next run finds, and what a registry serves in between.</summary>
public sealed class GarbageKillTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Killed_before_any_of_its_acts_nothing_is_lost_and_the_next_run_completes(bool purge)
    {
        using var template = Template();
        using var whole = template.Copy();
        var acts = 0;
        await whole.CollectAsync(StorageTree.Options(throttle: 1, upload: true, purge: purge, beforeAct: _ => acts++));
        Assert.True(acts > 100, $"{acts} acts");
        var expected = whole.Files();

        // Another part of them each time; with RT_THOROUGH set, all of them.
        var step = Environment.GetEnvironmentVariable("RT_THOROUGH") is null ? acts / 50 : 1;
        for (var at = Random.Shared.Next(step); at < acts; at += step)
        {
            using var tree = template.Copy();
            await KillAsync(tree, at, purge);
            tree.EveryTagIsWhole($"killed before act {at} of {acts}");
            var result = await tree.CollectAsync(StorageTree.Options(throttle: 1, upload: true, purge: purge));
            Assert.Empty(result.Problems);
            Assert.True(expected.Keys.SequenceEqual(tree.Files().Keys), $"killed before act {at} of {acts}: {string.Join(", ", tree.Files().Keys.Except(expected.Keys))} left, {string.Join(", ", expected.Keys.Except(tree.Files().Keys))} lost");
            Assert.Empty(tree.EmptyDirectories());
            tree.EveryTagIsWhole($"after the run that follows one killed before act {at}");
            Assert.All(await GarbageRun.ReadAsync(tree.Location, default), run => Assert.True(run.IsConcluded));
        }
    }

    [Fact]
    public async Task Killed_twice_and_restored_everything_is_what_it_was()
    {
        using var template = Template();
        var before = template.Files();
        for (var seed = 0; seed < 20; seed++)
        {
            using var tree = template.Copy();
            var random = new Random(seed);
            await KillAsync(tree, random.Next(5, 200), purge: false);
            await KillAsync(tree, random.Next(5, 200), purge: false);
            var restored = await new GarbageRestorer(tree.Location).RestoreAsync(null, null, null, null, default);
            Assert.Empty(restored.Problems);
            Assert.Equal(before, tree.Files());
        }
    }

    [Fact]
    public async Task A_push_between_a_killed_run_and_the_next_gets_back_what_it_needs()
    {
        using var tree = new StorageTree();
        var image = tree.Store.AddImage("a", null, "soon to be pushed again");
        tree.Store.AddImage("a", "t", "tagged");
        tree.Age();
        var bytes = tree.Store.ReadManifest("a", image)!;
        await KillAsync(tree, int.MaxValue, purge: false, atEnd: true);

        // The registry knew its blobs when it was asked, and writes the manifest now.
        tree.Store.WriteManifest("a", "late", bytes);
        var result = await tree.CollectAsync(StorageTree.Options());
        tree.EveryTagIsWhole();
        Assert.Equal(0, result.BlobsRemoved);
    }

    private static async Task KillAsync(StorageTree tree, int at, bool purge, bool atEnd = false)
    {
        var act = 0;
        var options = StorageTree.Options(
            throttle: 1,
            upload: true,
            purge: purge,
            beforeAct: _ =>
            {
                if (act++ == at) throw new KilledException();
            },
            afterSweep: atEnd ? () => throw new KilledException() : null);
        try
        {
            await tree.CollectAsync(options);
        }
        catch (KilledException)
        {
        }
    }

    private static StorageTree Template()
    {
        var tree = new StorageTree();
        SampleData.Seed(tree.Store);
        tree.Store.AddImage("a/b/c", null, "nobody's");
        var child = tree.Store.AddImage("a", null, "child");
        tree.AddIndex("a", null, tree.AddIndex("a", null, child));
        tree.Store.AddReferrer("a", child, "application/signature", "signed", fallbackTag: false);
        tree.Store.AddImage("a", "moved", "first");
        tree.Store.AddImage("a", "moved", "second");
        tree.Store.BeginUpload("a");
        foreach (var (repository, tag) in new[] { ("i1", "T11"), ("i4", "T41"), ("i3", "T31"), ("i3", "T32") }) tree.DeleteTag(repository, tag);
        return tree.Age();
    }

    private sealed class KilledException : Exception;
}
