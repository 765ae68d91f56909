using System.Diagnostics;
using RegistryTools.Deletion;
using RegistryTools.GarbageCollection;
using RegistryTools.Storage;

namespace RegistryTools.Tests.Servers;

/// <summary>This assembly as a program: it does something to a storage, a little slower than it could, so that a test can kill it in the middle.</summary>
public static class Victim
{
    /// <summary>Starts it on a storage; it has begun when this returns.</summary>
    public static async Task<Process> StartAsync(string act, string root)
    {
        var process = new Process { StartInfo = Processes.Info(Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet", ["exec", typeof(Victim).Assembly.Location, act, root]) };
        process.Start();
        if (await process.StandardOutput.ReadLineAsync() != "begun") throw new InvalidOperationException(await process.StandardError.ReadToEndAsync());
        return process;
    }

    public static async Task<int> Main(string[] args)
    {
        var location = StorageLocation.Find(args[1]);
        var acts = 0;
        Action<string> beforeAct = _ =>
        {
            if (Interlocked.Increment(ref acts) == 1) Console.WriteLine("begun");
            if (acts % 2 == 0) Thread.Sleep(1);
        };
        switch (args[0])
        {
            case "collect" or "purge":
                await new GarbageCollector(location, GarbageCollection.StorageTree.Options(upload: true, purge: args[0] == "purge", beforeAct: beforeAct)).CollectAsync(null, CancellationToken.None);
                return 0;
            case "restore":
                await new GarbageRestorer(location, null, beforeAct).RestoreAsync(null, null, null, null, CancellationToken.None);
                return 0;
            case "remove":
                new StoredRepositoryRemover(location, TimeSpan.Zero, Text.NoActivityLog.Instance, beforeAct).Remove(args[2..], CancellationToken.None);
                return 0;
            default:
                return 2;
        }
    }
}
