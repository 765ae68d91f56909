using System.Diagnostics;
using RegistryTools.Host.Embedded;
using RegistryTools.Tests.Servers;

namespace RegistryTools.Bench;

/// <summary>
/// Collecting garbage, against <c>find -type f</c> and <c>docker-registry garbage-collect -m --dry-run</c> on the same files, caches warm.
/// </summary>
internal static class GarbageCollectBench
{
    private const int Rounds = 7;

    /// <summary>One repository of 2,000 tags, 400 of its manifests untagged, 20 indexes.</summary>
    public static Task SmallAsync() => CompareAsync(withDockerRegistry: false);

    /// <summary>The same, and docker-registry, which takes some four minutes for it.</summary>
    public static Task DockerRegistryAsync() => CompareAsync(withDockerRegistry: true);

    /// <summary>50 repositories of 1,000 tags.</summary>
    public static async Task LargeAsync()
    {
        var root = Directory.CreateTempSubdirectory("rt-bench-gc-").FullName;
        try
        {
            var small = Path.Combine(root, "small");
            Seed(small, 1, 2_000, 400, 20);
            var (smallFind, smallFiles) = await FindAsync(small);
            using var shell = new BenchShell();
            shell.Invoke(Plan(small));
            var smallPlan = await Rounded(shell, small, Rounds);
            var large = Path.Combine(root, "large");
            Seed(large, 50, 1_000, 200, 10);
            var (find, files) = await FindAsync(large);
            GC.Collect();
            var (plan, highest) = await WithMemoryAsync(() => Rounded(shell, large, 3));
            Console.WriteLine(
                $"Marking 50 repositories of 1,000 tags ({files:N0} files): {plan.TotalSeconds:0.00} s, {plan / find:0.00} times as long as find; {plan.TotalMicroseconds / files:0.0} µs a file where one repository of 2,000 tags ({smallFiles:N0} files) takes {smallPlan.TotalMicroseconds / smallFiles:0.0} (find: {find.TotalMicroseconds / files:0.0} and {smallFind.TotalMicroseconds / smallFiles:0.0}); {highest / 1024.0 / 1024.0:0} MB of working set at most, PowerShell's engine included.");
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static async Task CompareAsync(bool withDockerRegistry)
    {
        var root = Directory.CreateTempSubdirectory("rt-bench-gc-").FullName;
        try
        {
            var storage = Path.Combine(root, "data");
            Seed(storage, 1, 2_000, 400, 20);
            var (find, files) = await FindAsync(storage);
            using var shell = new BenchShell();
            var (_, first) = shell.Time(Plan(storage));
            var (plan, highest) = await WithMemoryAsync(() => Rounded(shell, storage, Rounds));
            Console.WriteLine($"Marking 1 repository of 2,000 tags, 400 manifests untagged, 20 indexes ({files:N0} files): {plan.TotalMilliseconds:0} ms, find -type f {find.TotalMilliseconds:0} ms: {plan / find:0.00} times as long; {highest / 1024.0 / 1024.0:0} MB of working set at most, PowerShell's engine included.");
            Console.WriteLine($"  The first time in its session: {first.TotalMilliseconds:0} ms.");
            if (withDockerRegistry && File.Exists("/usr/bin/docker-registry"))
            {
                var configuration = Path.Combine(root, "config.yml");
                await File.WriteAllTextAsync(configuration, $"version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {storage}}}, delete: {{enabled: true}}}}\n");
                var watch = Stopwatch.StartNew();
                var (exitCode, output) = await Processes.RunAsync("/usr/bin/docker-registry", ["garbage-collect", "-m", "--dry-run", configuration], TimeSpan.FromMinutes(20));
                var theirs = watch.Elapsed;
                Console.WriteLine($"  docker-registry garbage-collect -m --dry-run: {theirs.TotalSeconds:0.0} s (exit code {exitCode}, {output.Split('\n').Length:N0} lines): {theirs / plan:0} times as long, {theirs / first:0} times as long as the first time in a session.");
            }

            var (collected, whole) = shell.Time($"Invoke-RegistryGarbageCollect '{storage}' -RemoveUntagged -MinimumAge 0s");
            object Of(string property) => collected[0].Properties[property].Value;
            Console.WriteLine($"  The whole run, moving {Of("ManifestsRemoved"):N0} manifests, {Of("LayersRemoved"):N0} layer links and {Of("BlobsRemoved"):N0} blobs and looking for pushes: {whole.TotalMilliseconds:0} ms, 1000 of them waiting for pushes under way.");
            var (restored, back) = shell.Time($"Restore-RegistryGarbage '{storage}'");
            Console.WriteLine($"  Restoring its {restored[0].Properties["Restored"].Value:N0} items: {back.TotalMilliseconds:0} ms.");
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static string Plan(string root) => $"$null = Invoke-RegistryGarbageCollect '{root}' -RemoveUntagged -MinimumAge 0s -WhatIf";

    internal static void Seed(string root, int repositories, int tags, int untagged, int indexes)
    {
        var store = new DistributionStore(root);
        for (var r = 0; r < repositories; r++)
        {
            var repository = $"team{r % 7}/app{r}";
            store.AddManyTags(repository, tags + untagged, sharedEvery: 0);

            // The last ones lose their tags; a few of those are platforms of indexes, which keep them.
            var names = store.Tags(repository);
            var digests = names.Skip(tags).Select(name => store.FindTag(repository, name)!).ToList();
            foreach (var name in names.Skip(tags)) store.DeleteTag(repository, name);
            for (var i = 0; i < indexes; i++)
            {
                store.AddIndex(repository, $"index{i}", [(digests[i], new ImageOptions()), (store.FindTag(repository, names[i])!, new ImageOptions { Architecture = "arm64" })]);
            }
        }
    }

    private static async Task<(TimeSpan Time, int Files)> FindAsync(string root)
    {
        var times = new List<TimeSpan>();
        var files = 0;
        for (var i = 0; i < Rounds; i++)
        {
            // What is measured is the walk, not the reading of its output here.
            var watch = Stopwatch.StartNew();
            var (_, output) = await Processes.RunAsync("/bin/sh", ["-c", $"find '{root}' -type f | wc -l"]);
            times.Add(watch.Elapsed);
            files = int.Parse(output.Trim(), System.Globalization.CultureInfo.InvariantCulture);
        }

        times.Sort();
        return (times[Rounds / 2], files);
    }

    private static Task<TimeSpan> Rounded(BenchShell shell, string root, int rounds) => Task.Run(() =>
    {
        var times = new List<TimeSpan>();
        for (var i = 0; i < rounds; i++) times.Add(shell.Time(Plan(root)).Time);
        times.Sort();
        return times[times.Count / 2];
    });

    private static async Task<(TimeSpan Time, long Highest)> WithMemoryAsync(Func<Task<TimeSpan>> work)
    {
        long highest = 0;
        using var stop = new CancellationTokenSource();
        var watching = Task.Run(async () =>
        {
            using var process = Process.GetCurrentProcess();
            while (!stop.IsCancellationRequested)
            {
                process.Refresh();
                highest = Math.Max(highest, process.WorkingSet64);
                await Task.Delay(20);
            }
        });
        var time = await work();
        await stop.CancelAsync();
        await watching;
        return (time, highest);
    }
}
