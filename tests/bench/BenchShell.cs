using System.Collections.ObjectModel;
using System.Diagnostics;
using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace RegistryTools.Bench;

/// <summary>A runspace of the real engine with the staged module, as a user has it.</summary>
internal sealed class BenchShell : IDisposable
{
    private readonly Runspace _runspace;

    public BenchShell(bool import = true)
    {
        _runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
        _runspace.Open();
        if (import) Invoke($"Import-Module '{Module}'");
    }

    /// <summary>The staged module's manifest, found from where this program lies.</summary>
    public static string Module
    {
        get
        {
            for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
            {
                var manifest = Path.Combine(directory.FullName, "out", "RegistryTools", "RegistryTools.psd1");
                if (File.Exists(manifest)) return manifest;
            }

            throw new FileNotFoundException("The module is not staged: dotnet build stages it.");
        }
    }

    public Collection<PSObject> Invoke(string script)
    {
        using var shell = System.Management.Automation.PowerShell.Create(_runspace);
        var output = shell.AddScript(script).Invoke();
        if (shell.HadErrors) throw new InvalidOperationException(script + ": " + string.Join("; ", shell.Streams.Error));
        return output;
    }

    public (Collection<PSObject> Output, TimeSpan Time) Time(string script)
    {
        var watch = Stopwatch.StartNew();
        var output = Invoke(script);
        return (output, watch.Elapsed);
    }

    /// <summary>Runs a script whose output is taken one by one and dropped.</summary>
    public void Stream(string script, Action<PSObject> take)
    {
        using var shell = System.Management.Automation.PowerShell.Create(_runspace);
        using var output = new PSDataCollection<PSObject>();
        output.DataAdded += (_, added) =>
        {
            var item = output[added.Index];
            take(item);
        };
        shell.AddScript(script).Invoke<PSObject>(null, output, new PSInvocationSettings());
        if (shell.HadErrors) throw new InvalidOperationException(script + ": " + string.Join("; ", shell.Streams.Error));
    }

    public void Dispose() => _runspace.Dispose();
}
