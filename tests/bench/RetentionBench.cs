using System.Diagnostics;
using RegistryTools.Host.Embedded;

namespace RegistryTools.Bench;

/// <summary>Selecting tags of a storage by their age, against listing the same tags with the same details.</summary>
internal static class RetentionBench
{
    public static async Task RunAsync()
    {
        var root = Directory.CreateTempSubdirectory("rt-bench-retention-").FullName;
        try
        {
            foreach (var tags in new[] { 12_500, 50_000 })
            {
                var path = Path.Combine(root, tags.ToString(System.Globalization.CultureInfo.InvariantCulture));
                new DistributionStore(path).AddManyTags("app", tags, sharedEvery: 10);
                using var shell = new BenchShell();
                shell.Invoke($"$null = Connect-Registry -StoragePath '{path}'");
                var warm = shell.Time("$n = 0; Get-RegistryTag app -Detailed | % { $n++ }").Time;
                var list = shell.Time("$n = 0; Get-RegistryTag app -Detailed | % { $n++ }").Time;
                GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                long highest = 0;
                using var stop = new CancellationTokenSource();
                var watch = Task.Run(async () =>
                {
                    using var self = Process.GetCurrentProcess();
                    while (!stop.IsCancellationRequested)
                    {
                        self.Refresh();
                        highest = Math.Max(highest, self.WorkingSet64);
                        await Task.Delay(20);
                    }
                });
                var select = shell.Time("$n = 0; Get-RegistryTag app | Select-RegistryTag -OlderThan 30d -KeepLast 10 | % { $n++ }").Time;
                var names = shell.Time("$n = 0; Get-RegistryTag app | Select-RegistryTag -Match '7$' | % { $n++ }").Time;
                await stop.CancelAsync();
                await watch;
                Console.WriteLine(FormattableString.Invariant($"Selecting from {tags:N0} tags of a storage by age: {select.TotalSeconds:0.00} s, {select / list:0.00} times as long as listing them with details ({list.TotalSeconds:0.00} s, the first time {warm.TotalSeconds:0.00} s), {select.TotalMilliseconds * 1000 / tags:0} µs a tag; by name {names.TotalSeconds:0.00} s; {highest / 1e6:0} MB of working set at most, PowerShell's engine included."));
            }
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
