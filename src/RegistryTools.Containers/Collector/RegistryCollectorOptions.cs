using RegistryTools.Registries;
using RegistryTools.Text;

namespace RegistryTools.Containers;

/// <summary>How the registry's own collector is run.</summary>
public sealed class RegistryCollectorOptions
{
    /// <summary>The registry's program in the container; null to look for it.</summary>
    public string? BinaryPath { get; init; }

    /// <summary>The registry's configuration in the container; null to look for it.</summary>
    public string? ConfigPath { get; init; }

    /// <summary>Deletes manifests that have no tag (<c>-m</c>), which is looked at first.</summary>
    public bool RemoveUntagged { get; init; }

    /// <summary>Goes on although it would delete what is needed.</summary>
    public bool Force { get; init; }

    /// <summary>How pushes are kept away.</summary>
    public Quiescence Quiesce { get; init; }

    /// <summary>Restarts the registry afterwards where it was not stopped.</summary>
    public bool Restart { get; init; }

    /// <summary>The registry over HTTP, where there is a connection: manifests that can't be read in the container are asked for there. May be null.</summary>
    public IRegistry? Registry { get; init; }

    /// <summary>How long is waited for the registry to serve again.</summary>
    public TimeSpan ResumeTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Takes what it does.</summary>
    public IActivityLog Log { get; init; } = NoActivityLog.Instance;
}
