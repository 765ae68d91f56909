using System.Diagnostics;

namespace RegistryTools.Cmdlets.Tests.Support;

/// <summary>A shell of its own process, for what depends on the environment: a variable set in this process would be every test's.</summary>
public sealed class ChildShell : IDisposable
{
    public ChildShell()
    {
        Variables["REGISTRYTOOLS_DATA"] = Directory;
        Variables["DOCKER_CONFIG"] = Directory;
        Variables["REGISTRY_AUTH_FILE"] = Path.Combine(Directory, "auth.json");
        foreach (var name in new[] { "REGISTRYTOOLS_USERNAME", "REGISTRYTOOLS_PASSWORD", "REGISTRYTOOLS_TOKEN" }) Variables[name] = null;
    }

    /// <summary>Home of the journal, of Docker's config.json and of Podman's auth.json.</summary>
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("registrytools-shell-").FullName;

    /// <summary>What its environment has besides this process's; null for what it has not.</summary>
    public Dictionary<string, string?> Variables { get; } = new(StringComparer.Ordinal);

    /// <summary>The module that is imported; null for the staged one.</summary>
    public string? ModulePath { get; init; }

    /// <summary>Runs a script, and gives the lines of what it wrote.</summary>
    public async Task<(string[] Output, string Error)> RunAsync(string script)
    {
        using var process = Start(script);
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries), await error);
    }

    /// <summary>Starts a script, which may be killed.</summary>
    public Process Start(string script)
    {
        var dotnet = Environment.ProcessPath!.EndsWith("dotnet", StringComparison.Ordinal) ? Environment.ProcessPath : "dotnet";
        var start = new ProcessStartInfo(dotnet) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { typeof(RegistryTools.Host.CommandLine.HostProgram).Assembly.Location, "-ModulePath", ModulePath ?? ModuleSession.Manifest, "-NonInteractive", "-Width", "400", "-Command", script }) start.ArgumentList.Add(argument);
        foreach (var (name, value) in Variables)
        {
            if (value is null) start.Environment.Remove(name);
            else start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    public void Dispose() => System.IO.Directory.Delete(Directory, recursive: true);
}
