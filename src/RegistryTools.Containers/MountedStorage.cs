using System.Text;
using RegistryTools.Errors;

namespace RegistryTools.Containers;

/// <summary>Where on this machine the storage of a registry in a container is.</summary>
public static class MountedStorage
{
    private const string BootId = "/proc/sys/kernel/random/boot_id";

    /// <summary>Finds the directory by the container's mounts and the registry's configuration.</summary>
    /// <exception cref="RegistryRuntimeException">It is not a directory, or none that can be reached from here.</exception>
    public static async Task<string> FindAsync(IRegistryRuntime runtime, string? configPath, CancellationToken cancellationToken)
    {
        var state = await runtime.InspectAsync(cancellationToken).ConfigureAwait(false);
        var root = await RootAsync(runtime, state, configPath, cancellationToken).ConfigureAwait(false);
        var mount = state.Mounts.Where(candidate => candidate.Source is not null && IsBelow(root, candidate.Destination)).OrderByDescending(static candidate => candidate.Destination.Length).FirstOrDefault();
        if (mount?.Source is null) throw new RegistryRuntimeException($"The storage of the {runtime.Name} ({root}) is on no volume and no bind mount: it can't be reached from here.", "Leave out -Native.");
        var path = mount.Source + root.Substring(mount.Destination.TrimEnd('/').Length);
        if (!Directory.Exists(path) || !await IsHereAsync(runtime, state, cancellationToken).ConfigureAwait(false)) throw new RegistryRuntimeException($"The storage of the {runtime.Name} is at {path} on the engine's machine, and not to be reached from here.", "Run this on that machine, with the rights to read and write there; or leave out -Native.");
        return path;
    }

    // A directory of that name here may be another registry's: a container has its machine's kernel, and a kernel names itself.
    private static async Task<bool> IsHereAsync(IRegistryRuntime runtime, RuntimeState state, CancellationToken cancellationToken)
    {
        if (state.IsRunning && !state.IsPaused && File.Exists(BootId))
        {
            var there = new StringBuilder();
            var ended = await runtime.RunAsync(["cat", BootId], line => there.Append(line), cancellationToken).ConfigureAwait(false);
            if (ended.ExitCode == 0) return there.ToString().Trim() == File.ReadAllText(BootId).Trim();
        }

        return !state.IsElsewhere;
    }

    internal static bool IsBelow(string path, string directory) => path == directory || path.StartsWith(directory.TrimEnd('/') + "/", StringComparison.Ordinal);

    private static async Task<string> RootAsync(IRegistryRuntime runtime, RuntimeState state, string? configPath, CancellationToken cancellationToken)
    {
        if (state.Environment.TryGetValue("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", out var set)) return set;
        if (!state.IsRunning || state.IsPaused) return "/var/lib/registry";
        foreach (var candidate in new[] { configPath, state.Command.LastOrDefault(static argument => argument.EndsWith(".yml", StringComparison.OrdinalIgnoreCase)), "/etc/docker/registry/config.yml", "/etc/distribution/config.yml" })
        {
            if (candidate is null) continue;
            var text = new StringBuilder();
            var ended = await runtime.RunAsync(["cat", candidate], line => text.Append(line).Append('\n'), cancellationToken).ConfigureAwait(false);
            if (ended.ExitCode == 0 && RegistryCollector.RootOf(text.ToString(), state) is { } root) return root;
        }

        throw new RegistryRuntimeException($"The registry in {runtime.Name} keeps its storage in no directory that its configuration tells of.", "Leave out -Native.");
    }
}
