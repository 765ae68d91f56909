using System.Diagnostics;
using RegistryTools.Host.Embedded;
using RegistryTools.Tests.Servers;

namespace RegistryTools.Bench;

/// <summary>Removing 20 tags from a repository of 2,000: requests and time a tag.</summary>
internal static class RemovalBench
{
    private const int Tags = 2000;
    private const int Removed = 20;

    public static async Task OnDistribution2Async()
    {
        const string program = "/usr/bin/docker-registry";
        if (!File.Exists(program))
        {
            Console.WriteLine("Removing 20 tags of 2,000 on docker-registry 2.8.2: docker-registry is not here.");
            return;
        }

        var storage = Directory.CreateTempSubdirectory("rt-bench-").FullName;
        new DistributionStore(Path.Combine(storage, "data")).AddManyTags("many", Tags);
        var port = Processes.FreePort();
        var configuration = Path.Combine(storage, "config.yml");
        await File.WriteAllTextAsync(configuration, $"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage: {{filesystem: {{rootdirectory: {Path.Combine(storage, "data")}}}, delete: {{enabled: true}}}}\nhttp: {{addr: 127.0.0.1:{port}, secret: bench}}\n");
        using var server = Process.Start(Processes.Info(program, ["serve", configuration]))!;
        _ = server.StandardError.ReadToEndAsync();
        _ = server.StandardOutput.ReadToEndAsync();
        try
        {
            var address = new Uri($"http://127.0.0.1:{port}/");
            await WaitAsync(address);
            using var proxy = new CountingProxy(address);
            var (requests, time, told) = Measure(proxy.Address, string.Empty, () => proxy.Total, () => proxy.Told, proxy.Clear);
            var single = await DigestDeleteAsync(address);
            Console.WriteLine($"Removing {Removed} tags of {Tags} on docker-registry 2.8.2: {requests / (double)Removed:0.00} requests a tag ({told}), {time.TotalMilliseconds / Removed:0.0} ms a tag.");
            Console.WriteLine($"  One DELETE by digest there takes {single.TotalMilliseconds:0} ms, which a client that deletes tag by tag pays for every tag: {single.TotalMilliseconds / (time.TotalMilliseconds / Removed):0.0} times as much a tag.");
        }
        finally
        {
            server.Kill();
            server.WaitForExit();
            Directory.Delete(storage, recursive: true);
        }
    }

    public static async Task OnDistribution3Async()
    {
        await using var registry = await EmbeddedRegistry.StartAsync(EmbeddedRegistryOptions.Distribution3());
        foreach (var (options, what) in new[] { (string.Empty, "as it comes"), (" -TrustListing", "with -TrustListing") })
        {
            var repository = "many" + (options.Length == 0 ? string.Empty : "-trusted");
            registry.Store.AddManyTags(repository, Tags);
            var (requests, time, told) = Measure(
                registry.BaseAddress,
                options,
                () => registry.Requests.Count,
                () => string.Join(", ", registry.Requests.GroupBy(request => request.Method).OrderByDescending(group => group.Count()).Select(group => $"{group.Count()} {group.Key}")),
                registry.ClearRequests,
                repository,
                200);
            Console.WriteLine($"Removing 200 tags of {Tags} where tags are deleted by name, {what}: {requests / 200.0:0.00} requests a tag ({told}), {time.TotalMilliseconds / 200:0.0} ms a tag.");
        }
    }

    private static (int Requests, TimeSpan Time, string Told) Measure(Uri address, string options, Func<int> count, Func<string> told, Action clear, string repository = "many", int removed = Removed)
    {
        var data = Directory.CreateTempSubdirectory("rt-bench-data-").FullName;
        Environment.SetEnvironmentVariable("REGISTRYTOOLS_DATA", data);
        try
        {
            using var shell = new BenchShell();
            shell.Invoke($"$null = Connect-Registry {address}; $tags = @(Get-RegistryTag {repository} -Detailed)");

            // What is loaded and compiled once is not a tag's cost.
            shell.Invoke($"$tags[{removed}] | Remove-RegistryTag; $null = Test-Registry");
            clear();
            var (_, time) = shell.Time($"$tags[0..{removed - 1}] | Remove-RegistryTag{options}");
            return (count(), time, told());
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    /// <summary>What deleting one manifest by digest costs: what every peer pays for every tag.</summary>
    private static async Task<TimeSpan> DigestDeleteAsync(Uri address)
    {
        using var client = new HttpClient();
        var times = new List<TimeSpan>();
        for (var i = 0; i < 3; i++)
        {
            using var head = new HttpRequestMessage(HttpMethod.Head, new Uri(address, $"v2/many/manifests/t0{1500 + i}"));
            head.Headers.TryAddWithoutValidation("Accept", "application/vnd.oci.image.manifest.v1+json");
            using var found = await client.SendAsync(head);
            var digest = found.Headers.GetValues("Docker-Content-Digest").First();
            var watch = Stopwatch.StartNew();
            using var answer = await client.DeleteAsync(new Uri(address, "v2/many/manifests/" + digest));
            if ((int)answer.StatusCode != 202) throw new InvalidOperationException($"DELETE answered {(int)answer.StatusCode}.");
            times.Add(watch.Elapsed);
        }

        times.Sort();
        return times[1];
    }

    private static async Task WaitAsync(Uri address)
    {
        using var client = new HttpClient();
        for (var i = 0; i < 200; i++)
        {
            try
            {
                using var response = await client.GetAsync(new Uri(address, "v2/"));
                return;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(50);
            }
        }

        throw new TimeoutException("docker-registry does not answer.");
    }
}
