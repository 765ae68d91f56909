using RegistryTools.Host.Embedded;

namespace RegistryTools.Bench;

/// <summary>Listing 10,000 tags: when the first object comes, and what memory the list takes.</summary>
internal static class ListBench
{
    public static async Task RunAsync()
    {
        await using var registry = await EmbeddedRegistry.StartAsync(EmbeddedRegistryOptions.Distribution3());
        registry.Store.AddManyTags("long", 10_000);
        using var shell = new BenchShell();
        shell.Invoke($"$null = Connect-Registry {registry.BaseAddress}");
        shell.Invoke("Get-RegistryTag long | ForEach-Object { } ");
        foreach (var (page, what) in new[] { (1_000, "1,000"), (10_000, "10,000") })
        {
            if (page == 1_000) registry.Store.AddManyTags("short", 1_000);
            var name = page == 1_000 ? "short" : "long";
            registry.ClearRequests();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
            var before = GC.GetTotalMemory(forceFullCollection: true);
            long highest = 0;
            var pagesAtFirst = 0;
            shell.Stream(
                $"$n = 0; Get-RegistryTag {name} | ForEach-Object {{ $n++; if ($n -eq 1 -or $n % 500 -eq 0) {{ $n }} }}",
                item =>
                {
                    if ((int)item.BaseObject == 1) pagesAtFirst = registry.Requests.Count;
                    else highest = Math.Max(highest, GC.GetTotalMemory(forceFullCollection: true) - before);
                });
            Console.WriteLine($"Listing {what} tags: {registry.Requests.Count} pages, {pagesAtFirst} of them asked for when the first object left; at most {highest / 1024.0 / 1024.0:0.0} MB more memory in use on the way.");
        }
    }
}
