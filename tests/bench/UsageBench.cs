using RegistryTools.Host.Embedded;

namespace RegistryTools.Bench;

/// <summary>Measuring a storage, against planning a garbage collection of it: it reads the same files, and the size of every blob.</summary>
internal static class UsageBench
{
    private const int Rounds = 7;

    public static Task RunAsync()
    {
        var root = Directory.CreateTempSubdirectory("rt-bench-usage-").FullName;
        try
        {
            using var shell = new BenchShell();
            Compare(shell, Path.Combine(root, "small"), 1, 2_000, "1 repository of 2,000 tags");
            Compare(shell, Path.Combine(root, "large"), 10, 2_000, "10 repositories of 2,000 tags");
            return Task.CompletedTask;
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static void Compare(BenchShell shell, string root, int repositories, int tags, string what)
    {
        GarbageCollectBench.Seed(root, repositories, tags, 400, 20);
        var blobs = new DistributionStore(root).Blobs().Count;
        var plans = new List<TimeSpan>();
        var usages = new List<TimeSpan>();
        var savings = new List<TimeSpan>();
        for (var i = 0; i <= Rounds; i++)
        {
            var plan = shell.Time($"$null = Invoke-RegistryGarbageCollect '{root}' -RemoveUntagged -MinimumAge 0s -WhatIf").Time;
            var usage = shell.Time($"$null = Measure-RegistryStorage '{root}' -By Registry, Repository, Tag").Time;
            var without = shell.Time($"$null = Measure-RegistryStorage '{root}' -Without 'team*:t000*'").Time;
            if (i == 0) continue;
            plans.Add(plan);
            usages.Add(usage);
            savings.Add(without);
        }

        var (p, u, w) = (Median(plans), Median(usages), Median(savings));
        Console.WriteLine($"Measuring {what} ({blobs:N0} blobs) by registry, repository and tag: {u.TotalMilliseconds:0} ms, {u / p:0.00} times as long as planning a collection ({p.TotalMilliseconds:0} ms); without 100 tags of each repository: {w.TotalMilliseconds:0} ms, {w / p:0.00} times.");
    }

    private static TimeSpan Median(List<TimeSpan> times)
    {
        times.Sort();
        return times[times.Count / 2];
    }
}
