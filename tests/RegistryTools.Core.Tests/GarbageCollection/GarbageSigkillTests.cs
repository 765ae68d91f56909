using RegistryTools.GarbageCollection;
using RegistryTools.Host.Embedded;
using RegistryTools.Tests.Servers;
using Xunit;

namespace RegistryTools.Tests.GarbageCollection;

/// <summary>Processes that are killed by the system at random moments, not by their own word: collecting, freeing at once, and restoring.</summary>
public sealed class GarbageSigkillTests
{
    private const int Kills = 100;

    [Fact]
    public async Task Killed_a_hundred_times_nothing_is_lost_and_the_next_run_completes()
    {
        using var template = Template();
        var before = template.Files();
        using var collected = template.Copy();
        await collected.CollectAsync(StorageTree.Options(upload: true));
        var expected = collected.Files();
        var duration = await UndisturbedAsync(template);
        var interrupted = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, Kills), new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (round, _) =>
        {
            var act = new[] { "collect", "purge", "restore" }[round % 3];
            using var tree = (act == "restore" ? collected : template).Copy();
            using (var victim = await Victim.StartAsync(act, tree.Root))
            {
                await Task.Delay(duration * Random.Shared.NextDouble(), CancellationToken.None);
                victim.Kill();
                await victim.WaitForExitAsync(CancellationToken.None);
                if (victim.ExitCode != 0) Interlocked.Increment(ref interrupted);
            }

            tree.EveryTagIsWhole($"round {round}, {act}");
            if (act == "restore")
            {
                await new GarbageRestorer(tree.Location).RestoreAsync(null, null, null, null, CancellationToken.None);
                Assert.Equal(before, tree.Files());
                return;
            }

            var result = await tree.CollectAsync(StorageTree.Options(upload: true, purge: act == "purge"));
            Assert.Empty(result.Problems);
            Assert.Equal(expected.Keys, tree.Files().Keys);
            Assert.Empty(tree.EmptyDirectories());
            tree.EveryTagIsWhole($"after the run that follows round {round}, {act}");
            Assert.All(await GarbageRun.ReadAsync(tree.Location, default), run => Assert.True(run.IsConcluded));
            if (act == "purge") return;
            await new GarbageRestorer(tree.Location).RestoreAsync(null, null, null, null, CancellationToken.None);
            Assert.Equal(before, tree.Files());
        });
        Assert.True(interrupted > Kills / 4, $"{interrupted} of {Kills} were killed before they had ended.");
    }

    private static async Task<TimeSpan> UndisturbedAsync(StorageTree template)
    {
        using var tree = template.Copy();
        using var victim = await Victim.StartAsync("collect", tree.Root);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await victim.WaitForExitAsync();
        Assert.Equal(0, victim.ExitCode);
        return clock.Elapsed;
    }

    private static StorageTree Template()
    {
        var tree = new StorageTree();
        SampleData.Seed(tree.Store);
        for (var i = 0; i < 20; i++)
        {
            tree.Store.AddImage("many", i % 2 == 0 ? "t" + i : null, "many " + i);
            tree.Store.LinkBlob("other/many", tree.Store.WriteBlob("other/many", [(byte)i, 1, 2, 3]));
        }

        tree.AddIndex("many", "index", tree.Store.AddImage("many", null, "child"));
        tree.AddIndex("many", null, tree.Store.AddImage("many", null, "nobody's child"));
        tree.Store.AddReferrer("many", tree.Store.FindTag("many", "t0")!, "application/signature", "signed", fallbackTag: false);
        tree.Store.BeginUpload("many");
        foreach (var (repository, tag) in new[] { ("i1", "T11"), ("i4", "T41"), ("i3", "T31"), ("i3", "T32") }) tree.DeleteTag(repository, tag);
        return tree.Age();
    }
}
