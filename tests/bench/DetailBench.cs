using RegistryTools.Host.Embedded;

namespace RegistryTools.Bench;

/// <summary>-Detailed on 500 tags, one digest in ten shared.</summary>
internal static class DetailBench
{
    public static async Task RunAsync()
    {
        await using var registry = await EmbeddedRegistry.StartAsync(EmbeddedRegistryOptions.Distribution3());
        registry.Store.AddManyTags("detail", 500, sharedEvery: 10);
        using var shell = new BenchShell();
        shell.Invoke($"$null = Connect-Registry {registry.BaseAddress}");
        shell.Invoke("$null = Get-RegistryTag detail");
        registry.ClearRequests();
        var (_, time) = shell.Time("$tags = Get-RegistryTag detail -Detailed");
        var fetched = registry.Requests.Where(request => request.Method == "GET" && (request.PathAndQuery.Contains("/manifests/", StringComparison.Ordinal) || request.PathAndQuery.Contains("/blobs/", StringComparison.Ordinal))).Select(request => request.PathAndQuery).ToList();
        Console.WriteLine($"-Detailed on 500 tags, one in ten sharing a digest: {registry.Requests.Count} requests, {fetched.Count} contents fetched, {fetched.Count - fetched.Distinct().Count()} of them twice; {time.TotalMilliseconds:0} ms.");
    }
}
