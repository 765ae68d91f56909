using RegistryTools.Deletion;
using RegistryTools.Host.Embedded;
using RegistryTools.Journal;
using RegistryTools.References;
using RegistryTools.Registries;
using Xunit;

namespace RegistryTools.Tests.Deletion;

/// <summary>Ten thousand removals over real connections, of which one request in twenty fails at random.</summary>
public sealed class ManyRemovalsTests : IDisposable
{
    private const int Repositories = 10;
    private const int Asked = 1000;
    private const int Kept = 200;
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-many-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(false, 20261123)]
    [InlineData(true, 20261124)]
    public async Task Every_tag_that_was_asked_for_is_gone_no_other_changed_and_the_journal_agrees(bool deletesByName, int seed)
    {
        await using var server = await EmbeddedRegistry.StartAsync(deletesByName ? EmbeddedRegistryOptions.Distribution3() : EmbeddedRegistryOptions.Distribution2());
        var random = new Random(seed);
        var before = Seed(server.Store, random);
        var failed = 0;
        server.Fault = (_, phase) =>
        {
            lock (random)
            {
                // One in twenty, half of them when the registry has done already what was asked.
                if (random.Next(40) != 0) return null;
                failed++;
                return (random.Next(5), phase) switch
                {
                    (0, _) => FaultAction.Abort(),
                    (1, _) => FaultAction.Status(500),
                    (2, _) => FaultAction.Status(502, "<html>bad gateway</html>", contentType: "text/html"),
                    (3, FaultPhase.Before) => FaultAction.Status(429, headers: new Dictionary<string, string> { ["Retry-After"] = "0" }),
                    (3, _) => FaultAction.Abort(),
                    _ => FaultAction.Status(503),
                };
            }
        };

        var options = new HttpRegistryOptions { RetryDelay = TimeSpan.FromMilliseconds(1), MaximumRetryDelay = TimeSpan.FromMilliseconds(20) };
        using var registry = await RepeatAsync(() => HttpRegistry.ConnectAsync(RegistryAddress.Parse("http://" + server.Host), options));
        var journal = new RemovalJournal(_directory);
        var results = new Dictionary<(string Repository, string Tag), RemovalState?>();
        for (var i = 0; i < Repositories; i++)
        {
            var repository = Name(i);
            var open = Enumerable.Range(0, Asked).Select(number => "t" + number).ToList();
            for (var round = 1; open.Count > 0; round++)
            {
                Assert.True(round <= 20, $"{open.Count} tags of {repository} are still there.");
                using var remover = new TagRemover(registry, journal, new TagRemoverOptions { RetryDelay = TimeSpan.FromMilliseconds(1) });
                foreach (var batch in open.Chunk(TagRemover.MaximumBatch))
                {
                    foreach (var removal in await remover.RemoveAsync(repository, [.. batch.Select(tag => new TagRemovalRequest(tag))])) results[(repository, removal.Tag)] = removal.State;
                }

                // What was not removed is asked for again, as a user would; what is gone was removed, whatever was said of it.
                open = open.FindAll(tag => results[(repository, tag)] != RemovalState.Removed && server.Store.FindTag(repository, tag) is not null);
            }
        }

        Assert.True(failed > Repositories * Asked / 20, $"Only {failed} requests failed.");
        server.Fault = null;
        var after = Tags(server.Store);
        Assert.Equal(before.Where(pair => !pair.Key.Tag.StartsWith('t')).OrderBy(pair => pair.Key), after.OrderBy(pair => pair.Key));

        // Every manifest is still there for who pulls by digest.
        foreach (var (repository, digest) in before.Select(pair => (pair.Key.Repository, pair.Value)).Distinct()) Assert.NotNull(server.Store.ReadManifest(repository, digest));

        var last = journal.Read(registry.Location).Where(entry => entry.Tag is not null).GroupBy(entry => (entry.Repository, Tag: entry.Tag!)).ToDictionary(group => group.Key, group => group.OrderBy(entry => entry.Time).Last());
        Assert.Equal(Repositories * Asked, last.Count);
        Assert.Empty(journal.Read(pendingOnly: true));
        Assert.All(last, pair =>
        {
            Assert.StartsWith("t", pair.Key.Tag, StringComparison.Ordinal);
            Assert.True(pair.Value.State == RemovalState.Removed || results[pair.Key] != RemovalState.Removed, $"{pair.Key}: {pair.Value.State}, and reported was {results[pair.Key]}");
            Assert.Equal(before[pair.Key], pair.Value.Digest.ToString());
        });
    }

    private static string Name(int i) => "team/app" + i;

    private static Dictionary<(string Repository, string Tag), string> Seed(DistributionStore store, Random random)
    {
        for (var i = 0; i < Repositories; i++)
        {
            var images = Enumerable.Range(0, 60).Select(number => store.AddImage(Name(i), null, $"{i}/{number}")).ToList();
            var bytes = images.ConvertAll(digest => store.ReadManifest(Name(i), digest)!);
            for (var number = 0; number < Asked + Kept; number++)
            {
                // Tags that go and tags that stay share manifests.
                var image = random.Next(images.Count);
                store.WriteManifest(Name(i), number < Asked ? "t" + number : "k" + number, bytes[image], images[image]);
            }
        }

        return Tags(store);
    }

    private static Dictionary<(string Repository, string Tag), string> Tags(DistributionStore store) =>
        Enumerable.Range(0, Repositories).SelectMany(i => store.Tags(Name(i)).Select(tag => (Key: (Name(i), tag), Digest: store.FindTag(Name(i), tag)!))).ToDictionary(pair => pair.Key, pair => pair.Digest);

    private static async Task<T> RepeatAsync<T>(Func<Task<T>> act)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await act();
            }
            catch (RegistryTools.Errors.RegistryToolsException) when (attempt < 10)
            {
            }
        }
    }
}
