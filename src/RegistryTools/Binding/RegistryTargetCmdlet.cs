using System.Management.Automation;

namespace RegistryTools.PowerShell;

/// <summary>The base of the cmdlets that work on a registry.</summary>
public abstract class RegistryTargetCmdlet : RegistryCmdlet
{
    /// <summary>
    /// The registry: a connection, its name, or an address. An address that this session has no connection to is connected without credentials; over
    /// http only where the address says so, or on this machine. Without it, the current connection is used.
    /// </summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [RegistryTransformation]
    [ArgumentCompleter(typeof(RegistryNameCompleter))]
    public RegistryConnection? Registry { get; set; }
}
