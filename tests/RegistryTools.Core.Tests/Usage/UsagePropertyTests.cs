using RegistryTools.GarbageCollection;
using RegistryTools.Tests.GarbageCollection;
using RegistryTools.Usage;
using Xunit;
using Xunit.Abstractions;

namespace RegistryTools.Tests.Usage;

/// <summary>Random registries: what the meter says is what the collector then does.</summary>
public sealed class UsagePropertyTests(ITestOutputHelper output)
{
    private const int Count = 150;

    [Fact]
    public async Task What_it_says_would_be_freed_is_freed()
    {
        var first = Environment.GetEnvironmentVariable("RT_SEED") is { Length: > 0 } text ? int.Parse(text) : Random.Shared.Next();
        output.WriteLine($"Seeds {first} to {first + Count - 1}; RT_SEED={first} repeats them.");
        var blocked = 0;
        for (var seed = first; seed < first + Count; seed++)
        {
            using var tree = new StorageTree();
            var random = new Random(seed);
            GarbagePropertyTests.Fill(tree, random);
            var before = tree.Files();
            var measured = await new StorageMeter(tree.Location, new StorageMeterOptions { ThrottleLimit = random.Next(1, 5) }).MeasureAsync(default);
            Assert.Equal(before, tree.Files());
            AddsUp(measured, before, seed);
            var now = await PlannedAsync(tree, []);
            Assert.True(measured.Registry.Freed == now.Bytes && measured.Without([]).AlreadyFree == now.Bytes && measured.Without([]).Freed == 0, $"seed {seed}, as it is: {measured.Registry.Freed}, not {now.Bytes}");
            if (measured.Problems.Any(problem => problem.IsBlocking)) blocked++;

            var all = measured.Repositories.SelectMany(repository => measured.TagNames(repository.Repository!).Select(tag => new TagSelection(repository.Repository!, tag))).ToList();
            var some = all.Where(_ => random.Next(3) == 0).ToList();
            await SameAsync(tree, measured.Without(some), some, $"seed {seed}, some tags", collect: true);
            if (all.Count == 0) continue;

            // One tag and one repository, by what is said of each.
            var one = all[random.Next(all.Count)];
            var savings = measured.Without([one]);
            await SameAsync(tree, savings, [one], $"seed {seed}, {one}");
            var usage = measured.Tags(one.Repository).Single(tag => tag.Tag == one.Tag);
            Assert.True(usage.Freed == savings.Freed && usage.Size == savings.Size, $"seed {seed}, {one}: {usage.Freed} of {usage.Size}, not {savings.Freed} of {savings.Size}");
            var repository = measured.Repositories[random.Next(measured.Repositories.Count)];
            var whole = measured.Without([new TagSelection(repository.Repository!, null)]);
            await SameAsync(tree, whole, [.. all.Where(tag => tag.Repository == repository.Repository)], $"seed {seed}, {repository}");

            // What its untagged manifests hold goes anyway: it is said to be freed, and is not more than before.
            var gone = (await PlannedAsync(tree, [repository.Repository + "/_manifests", repository.Repository + "/_layers"])).Bytes - now.Bytes;
            Assert.True(repository.Freed - repository.Untagged <= gone && gone <= repository.Freed, $"seed {seed}, without the directory of {repository}: {repository.Freed}, {repository.Untagged} of it untagged, not {gone}");
        }

        output.WriteLine($"{blocked} of {Count} had something that could not be read.");
    }

    private static void AddsUp(StorageMeasurement measured, SortedDictionary<string, string> files, int seed)
    {
        var registry = measured.Registry;
        var bytes = files.Where(file => file.Key.StartsWith("blobs", StringComparison.Ordinal)).Sum(file => (long)Convert.FromBase64String(file.Value.Split(' ')[1]).Length);
        Assert.True(registry.Size + registry.Garbage == bytes, $"seed {seed}: {registry.Size} and {registry.Garbage}, not {bytes}");
        Assert.True(registry.Freed == registry.Untagged + registry.Garbage, $"seed {seed}: freed");
        Assert.True(registry.Unique == measured.Repositories.Sum(repository => repository.Unique), $"seed {seed}: unique");
        Assert.True(registry.LogicalSize == measured.Repositories.Sum(repository => repository.Size) && registry.Size <= registry.LogicalSize, $"seed {seed}: logical");
        foreach (var repository in measured.Repositories)
        {
            var tags = measured.Tags(repository.Repository!).ToList();
            Assert.True(repository.LogicalSize == (tags.All(tag => tag.IsComplete) ? tags.Sum(tag => tag.Size) : null), $"seed {seed}: logical of {repository}");
            Assert.True(repository.Unique + repository.Shared == repository.Size && repository.Unique <= repository.Size, $"seed {seed}: {repository}");
            foreach (var tag in tags.Where(tag => tag.IsComplete)) Assert.True(tag.Freed <= tag.Size && tag.Unique <= tag.Size && tag.Unique + tag.Shared == tag.Size && tag.Size <= repository.Size, $"seed {seed}: {tag}");
        }
    }

    private static async Task SameAsync(StorageTree tree, StorageSavings savings, IReadOnlyList<TagSelection> tags, string why, bool collect = false)
    {
        var directories = tags.Select(tag => $"{tag.Repository}/_manifests/tags/{tag.Tag}").ToList();
        var (bytes, blobs, manifests) = collect ? await CollectedAsync(tree, directories) : await PlannedAsync(tree, directories);
        Assert.True(savings.Freed + savings.AlreadyFree == bytes, $"{why}: {savings.Freed} and {savings.AlreadyFree}, not {bytes}");
        Assert.True(savings.FreedBlobs + savings.AlreadyFreeBlobs == blobs, $"{why}: {savings.FreedBlobs} and {savings.AlreadyFreeBlobs} blobs, not {blobs}");
        Assert.True(savings.FreedManifests + savings.AlreadyFreeManifests == manifests, $"{why}: {savings.FreedManifests} and {savings.AlreadyFreeManifests} manifests, not {manifests}");
        Assert.True(savings.Tags == tags.Count && savings.NotFound.Count == 0, why);
        if (savings.Size is not null && tags.Count > 0) Assert.True(savings.Freed + savings.Shared >= savings.Size, why);
    }

    /// <summary>Removes directories from a copy, and collects.</summary>
    private static async Task<(long Bytes, int Blobs, int Manifests)> CollectedAsync(StorageTree tree, List<string> directories)
    {
        using var copy = tree.Copy();
        foreach (var directory in directories) Directory.Delete(Path.Combine(copy.V2, "repositories", directory), recursive: true);
        long bytes = 0;
        void Count(GarbageItem item) => bytes += item.Kind == GarbageKind.Blob ? item.Size : 0;
        var result = await new GarbageCollector(copy.Location, StorageTree.Options(age: TimeSpan.Zero)).CollectAsync(Count, default);
        return (bytes, result.BlobsRemoved, result.ManifestsRemoved);
    }

    /// <summary>Has a collection planned while directories are away.</summary>
    private static async Task<(long Bytes, int Blobs, int Manifests)> PlannedAsync(StorageTree tree, List<string> directories)
    {
        var aside = Path.Combine(tree.Root, "aside");
        Directory.CreateDirectory(aside);
        var moved = directories.Select((directory, i) => (From: Path.Combine(tree.V2, "repositories", directory), To: Path.Combine(aside, i.ToString()))).Where(move => Directory.Exists(move.From)).ToList();
        foreach (var (from, to) in moved) Directory.Move(from, to);
        var plan = await new GarbageCollector(tree.Location, StorageTree.Options(age: TimeSpan.Zero)).PlanAsync(default);
        foreach (var (from, to) in moved) Directory.Move(to, from);
        return (plan.Items.Where(item => item.Kind == GarbageKind.Blob).Sum(item => item.Size), plan.Result.BlobsRemoved, plan.Result.ManifestsRemoved);
    }
}
