using System.Diagnostics;
using RegistryTools.Host.Embedded;
using RegistryTools.Tests.Servers;

namespace RegistryTools.Bench;

/// <summary>Holding every blob against its digest, against <c>openssl dgst -sha256</c> over the same files by one process, caches warm.</summary>
internal static class ContentCheckBench
{
    private const int Blobs = 96;
    private const int Size = 16 << 20;
    private const int Rounds = 5;

    public static async Task RunAsync()
    {
        var root = Directory.CreateTempSubdirectory("rt-bench-content-").FullName;
        try
        {
            var store = new DistributionStore(root);
            var bytes = new byte[Size];
            var paths = new List<string>();
            for (var i = 0; i < Blobs; i++)
            {
                Random.Shared.NextBytes(bytes);
                paths.Add(store.BlobPath(store.WriteBlob("content", bytes)));
            }

            store.AddImage("content", "t", "small");
            using var shell = new BenchShell();
            shell.Invoke($"$null = Test-RegistryStorage '{root}' -Content");
            var ours = new List<TimeSpan>();
            var one = new List<TimeSpan>();
            var theirs = new List<TimeSpan>();
            for (var round = 0; round < Rounds; round++)
            {
                var watch = Stopwatch.StartNew();
                var (exitCode, _) = await Processes.RunAsync("openssl", ["dgst", "-sha256", .. paths]);
                if (exitCode != 0) throw new InvalidOperationException("openssl failed.");
                theirs.Add(watch.Elapsed);
                ours.Add(shell.Time($"$null = Test-RegistryStorage '{root}' -Content").Time);
                one.Add(shell.Time($"$null = Test-RegistryStorage '{root}' -Content -ThrottleLimit 1").Time);
            }

            TimeSpan Median(List<TimeSpan> times) => times.Order().ElementAt(Rounds / 2);
            double Speed(TimeSpan time) => (double)Blobs * Size / 1e6 / time.TotalSeconds;
            var cores = Environment.ProcessorCount;
            var (all, single, peer) = (Speed(Median(ours)), Speed(Median(one)), Speed(Median(theirs)));
            Console.WriteLine(
                $"Content of {Blobs} blobs of {Size >> 20} MiB: {all:N0} MB/s on {cores} cores, {single:N0} MB/s on one; openssl dgst -sha256 on one core {peer:N0} MB/s: {single / peer:P0} of it on one core, {all / (peer * cores):P0} of it times the cores.");
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
