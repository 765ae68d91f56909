using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using RegistryTools.Host.Embedded;

namespace RegistryTools.Bench;

/// <summary>
/// What Import-Module adds to an engine that is warm, and what the first things take that one does after it: each time in a process of its own, since an assembly is loaded once, with the registry in another one.
/// </summary>
internal static class ImportBench
{
    private const int Runs = 11;
    private const string Variable = "REGISTRYTOOLS_BENCH_IMPORT";

    public static async Task RunAsync()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } address)
        {
            Measure(address);
            return;
        }

        await using var registry = await EmbeddedRegistry.StartAsync(EmbeddedRegistryOptions.Full());
        SampleData.Seed(registry.Store);
        var figures = new SortedDictionary<string, List<double>>(StringComparer.Ordinal);
        for (var i = 0; i <= Runs; i++)
        {
            var info = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
            if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") info.ArgumentList.Add(typeof(ImportBench).Assembly.Location);
            info.ArgumentList.Add("import");
            info.Environment[Variable] = registry.Host;
            using var process = Process.Start(info)!;
            var lines = (await process.StandardOutput.ReadToEndAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            await process.WaitForExitAsync();

            // The first fills the disk's cache.
            if (i == 0) continue;
            foreach (var line in lines)
            {
                var colon = line.LastIndexOf(':');
                if (!figures.TryGetValue(line[..colon], out var list)) figures.Add(line[..colon], list = []);
                list.Add(double.Parse(line[(colon + 1)..], CultureInfo.InvariantCulture));
            }
        }

        foreach (var (what, list) in figures)
        {
            list.Sort();
            Console.WriteLine(what.Contains("assemblies", StringComparison.Ordinal) ? $"{what}: {list[0]:0} to {list[^1]:0}." : $"{what}: {list[list.Count / 2]:0} ms (median of {list.Count}; {list[0]:0} to {list[^1]:0}).");
        }
    }

    private static void Measure(string address)
    {
        using var shell = new BenchShell(import: false);

        // Warm: a module has been imported, a binary cmdlet has run, and Tab was pressed.
        shell.Invoke("$m = New-Module { function x { } }; $m | Import-Module; Get-Module | ForEach-Object { $_.Name } | Where-Object { $_ }; Get-Command x; $null = TabExpansion2 'Get-Module -Name x' 18");
        var probe = Path.Combine(Path.GetTempPath(), "rt-warm-" + Guid.NewGuid().ToString("N") + ".psd1");
        File.WriteAllText(probe, "@{ ModuleVersion = '1.0'; GUID = '1c9f4f1e-1111-4d0e-9d6a-6f6d2f0f7a12'; FunctionsToExport = @(); CmdletsToExport = @(); AliasesToExport = @() }");
        shell.Invoke($"Import-Module '{probe}'");
        File.Delete(probe);
        Tell("1 Import-Module in a warm engine", shell.Time($"Import-Module '{BenchShell.Module}'").Time);
        var stage = Path.GetDirectoryName(BenchShell.Module)!;
        Console.WriteLine("2 assemblies of ours that it loads:" + AppDomain.CurrentDomain.GetAssemblies().Count(assembly => !assembly.IsDynamic && assembly.Location.StartsWith(stage, StringComparison.Ordinal)).ToString(CultureInfo.InvariantCulture));
        Tell("3 the first Get-RegistryTag, connecting included", shell.Time($"Get-RegistryTag i1 -Registry http://{address}").Time);
        Tell("4 the second", shell.Time($"Get-RegistryTag i1 -Registry http://{address}").Time);
        shell.Invoke($"Connect-Registry http://{address}");
        Tell("5 the first completion of a tag", Complete(shell, "Remove-RegistryTag i1 T", found: true));
        Tell("6 the second", Complete(shell, "Remove-RegistryTag i1 T", found: true));
        Tell("7 completion of a digest", Complete(shell, "Remove-RegistryManifest i1 -Digest sha", found: true));

        using var gate = new SilentRegistry(address);
        shell.Invoke($"Connect-Registry http://{gate.Address} -Name silent");
        gate.FallSilent();
        Tell("8 completion where the registry is silent", Complete(shell, "Remove-RegistryTag i2 T", found: false));
    }

    private static TimeSpan Complete(BenchShell shell, string line, bool found)
    {
        var (output, time) = shell.Time($"(TabExpansion2 '{line}' {line.Length}).CompletionMatches.Count");
        if (found != (int)output[0].BaseObject > 0) Console.Error.WriteLine($"{line}: {output[0]} found.");
        return time;
    }

    private static void Tell(string what, TimeSpan time) => Console.WriteLine(what + ":" + time.TotalMilliseconds.ToString(CultureInfo.InvariantCulture));

    /// <summary>Passes everything on to a registry until it falls silent.</summary>
    private sealed class SilentRegistry : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private volatile bool _isSilent;

        public SilentRegistry(string address)
        {
            _listener.Start();
            _ = AcceptAsync(address);
        }

        public string Address => "127.0.0.1:" + ((IPEndPoint)_listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);

        public void FallSilent() => _isSilent = true;

        public void Dispose() => _listener.Stop();

        private async Task AcceptAsync(string address)
        {
            try
            {
                while (true) _ = PassAsync(await _listener.AcceptTcpClientAsync(), address);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // The end.
            }
        }

        private async Task PassAsync(TcpClient client, string address)
        {
            using var there = new TcpClient();
            await there.ConnectAsync(IPEndPoint.Parse(address));
            await Task.WhenAny(CopyAsync(client.GetStream(), there.GetStream()), there.GetStream().CopyToAsync(client.GetStream()));
        }

        private async Task CopyAsync(NetworkStream from, NetworkStream to)
        {
            var buffer = new byte[8192];
            int count;
            while ((count = await from.ReadAsync(buffer)) > 0)
            {
                if (!_isSilent) await to.WriteAsync(buffer.AsMemory(0, count));
            }
        }
    }
}
