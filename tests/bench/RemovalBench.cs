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
            proxy.Clear();
            var peer = await TagByTagAsync(proxy.Address);
            Console.WriteLine($"Removing {Removed} tags of {Tags} on docker-registry 2.8.2: {requests / (double)Removed:0.00} requests a tag ({told}), {time.TotalMilliseconds / Removed:0.0} ms a tag.");
            Console.WriteLine($"  Tag by tag, each with a placeholder of its own: {proxy.Total / (double)Removed:0.00} requests a tag, {peer.TotalMilliseconds / Removed:0.0} ms a tag: {peer / time:0.0} times as long.");
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

    /// <summary>
    /// The best way that the known command-line clients have: for each tag, try to delete it by name, look it up, push an empty layer, a configuration and a manifest over it, and delete that by its digest. Eight
    /// requests, sent here by a bare HTTP client that does nothing else.
    /// </summary>
    private static async Task<TimeSpan> TagByTagAsync(Uri address)
    {
        using var client = new HttpClient();
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < Removed; i++)
        {
            var tag = new Uri(address, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"v2/many/manifests/t{1500 + i:00000}"));
            (await client.DeleteAsync(tag)).Dispose();
            using var head = new HttpRequestMessage(HttpMethod.Head, tag);
            head.Headers.TryAddWithoutValidation("Accept", "application/vnd.oci.image.manifest.v1+json");
            (await client.SendAsync(head)).EnsureSuccessStatusCode().Dispose();
            var layer = await PushAsync(client, address, "{}"u8.ToArray());
            var configuration = System.Text.Encoding.UTF8.GetBytes($"{{\"architecture\":\"amd64\",\"os\":\"linux\",\"created_by\":\"{Guid.NewGuid()}\"}}");
            var config = await PushAsync(client, address, configuration);
            var manifest = System.Text.Encoding.UTF8.GetBytes($"{{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"config\":{{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"{config}\",\"size\":{configuration.Length}}},\"layers\":[{{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"{layer}\",\"size\":2}}]}}");
            using var content = new ByteArrayContent(manifest);
            content.Headers.TryAddWithoutValidation("Content-Type", "application/vnd.oci.image.manifest.v1+json");
            (await client.PutAsync(tag, content)).EnsureSuccessStatusCode().Dispose();
            (await client.DeleteAsync(new Uri(address, "v2/many/manifests/" + Digest(manifest)))).EnsureSuccessStatusCode().Dispose();
        }

        return watch.Elapsed;
    }

    private static string Digest(byte[] bytes) => "sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes));

    private static async Task<string> PushAsync(HttpClient client, Uri address, byte[] bytes)
    {
        using var begun = await client.PostAsync(new Uri(address, "v2/many/blobs/uploads/"), new ByteArrayContent([]));
        var upload = new Uri(address, begun.EnsureSuccessStatusCode().Headers.Location!.PathAndQuery);
        (await client.PutAsync(new Uri(upload + "&digest=" + Digest(bytes)), new ByteArrayContent(bytes))).EnsureSuccessStatusCode().Dispose();
        return Digest(bytes);
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
