using System.Management.Automation;
using RegistryTools.Storage;

namespace RegistryTools.PowerShell.Binding;

/// <summary>A cmdlet that works on a registry's storage, not on a registry.</summary>
public abstract class StorageCmdlet : RegistryCmdlet
{
    /// <summary>
    /// The storage of a registry: the root that its configuration names (storage: filesystem: rootdirectory), the <c>docker/registry/v2</c> below it, or the directory of the container volume that it is on.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string StoragePath { get; set; } = string.Empty;

    /// <summary>Finds the storage; where there is none, that is written as an error and the answer is false.</summary>
    private protected bool TryFindStorage(out StorageLocation storage) => TryFindStorage(StoragePath, out storage);
}
