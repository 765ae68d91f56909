using System.Globalization;
using RegistryTools.Bench;

// What it costs, beside what the best peers cost: run with -c Release. Every figure is of this run and this machine; what is compared is compared within the run.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var wanted = args.Length == 0 ? null : args;
var benches = new (string Name, Func<Task> Run)[]
{
    ("import", ImportBench.RunAsync),
    ("remove-2.8", RemovalBench.OnDistribution2Async),
    ("remove-3", RemovalBench.OnDistribution3Async),
    ("list", ListBench.RunAsync),
    ("detail", DetailBench.RunAsync),
    ("garbage", GarbageCollectBench.SmallAsync),
    ("content", ContentCheckBench.RunAsync),
    ("garbage-large", GarbageCollectBench.LargeAsync),
    ("usage", UsageBench.RunAsync),
    ("retention", RetentionBench.RunAsync),
};

// These take minutes: only by name.
var slow = new (string Name, Func<Task> Run)[] { ("garbage-docker-registry", GarbageCollectBench.DockerRegistryAsync) };
foreach (var (name, run) in wanted is null ? benches : [.. benches, .. slow])
{
    if (wanted is not null && !wanted.Contains(name)) continue;
    Console.WriteLine();
    await run();
}
