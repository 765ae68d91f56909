using System.Diagnostics;

namespace RegistryTools.Bench;

/// <summary>What Import-Module adds to an engine that is warm: each time in a process of its own, since an assembly is loaded once.</summary>
internal static class ImportBench
{
    public static async Task RunAsync()
    {
        if (Environment.GetEnvironmentVariable("REGISTRYTOOLS_BENCH_IMPORT") is not null)
        {
            Measure();
            return;
        }

        var times = new List<double>();
        for (var i = 0; i < 6; i++)
        {
            var info = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
            if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") info.ArgumentList.Add(typeof(ImportBench).Assembly.Location);
            info.ArgumentList.Add("import");
            info.Environment["REGISTRYTOOLS_BENCH_IMPORT"] = "1";
            using var process = Process.Start(info)!;
            var text = (await process.StandardOutput.ReadToEndAsync()).Trim();
            await process.WaitForExitAsync();

            // The first fills the disk's cache.
            if (i > 0) times.Add(double.Parse(text, System.Globalization.CultureInfo.InvariantCulture));
        }

        times.Sort();
        Console.WriteLine($"Import-Module in a warm engine: {times[2]:0} ms (median of 5; {times[0]:0} to {times[4]:0}).");
    }

    private static void Measure()
    {
        using var shell = new BenchShell(import: false);

        // Warm: a module has been imported and a binary cmdlet has run.
        shell.Invoke("$m = New-Module { function x { } }; $m | Import-Module; Get-Module | ForEach-Object { $_.Name } | Where-Object { $_ }; Get-Command x");
        var probe = Path.Combine(Path.GetTempPath(), "rt-warm-" + Guid.NewGuid().ToString("N") + ".psd1");
        File.WriteAllText(probe, "@{ ModuleVersion = '1.0'; GUID = '1c9f4f1e-1111-4d0e-9d6a-6f6d2f0f7a12'; FunctionsToExport = @(); CmdletsToExport = @(); AliasesToExport = @() }");
        shell.Invoke($"Import-Module '{probe}'");
        File.Delete(probe);
        var (_, time) = shell.Time($"Import-Module '{BenchShell.Module}'");
        Console.WriteLine(time.TotalMilliseconds.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }
}
