using System.Management.Automation;
using RegistryTools.Errors;
using RegistryTools.PowerShell.Output;
using RegistryTools.Storage;

namespace RegistryTools.PowerShell.Binding;

/// <summary>A cmdlet that works on a registry's storage, not on a registry.</summary>
public abstract class StorageCmdlet : RegistryCmdlet
{
    /// <summary>
    /// The root that the registry's configuration names (storage: filesystem: rootdirectory), <c>docker/registry/v2</c> below it, or the volume that it is on.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string StoragePath { get; set; } = string.Empty;

    /// <summary>Finds the storage; where there is none, that is written as an error and the answer is false.</summary>
    private protected bool TryFindStorage(out StorageLocation storage)
    {
        storage = null!;
        try
        {
            storage = StorageLocation.Find(FileSystemPath(StoragePath));
            return true;
        }
        catch (StorageNotFoundException error)
        {
            WriteFailure(error, new ErrorSubject(StoragePath));
            return false;
        }
    }

    /// <summary>A path as the file system has it, whatever drive the user named it on.</summary>
    private protected string FileSystemPath(string path) => FileSystemPath(this, path);

    /// <summary>A path as the file system has it, whatever drive the user named it on.</summary>
    internal static string FileSystemPath(PSCmdlet cmdlet, string path)
    {
        try
        {
            var resolved = cmdlet.SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out var provider, out _);
            return provider.Name == "FileSystem" ? resolved : throw new StorageNotFoundException($"'{path}' is not a path of the file system.", null);
        }
        catch (Exception error) when (error is System.Management.Automation.DriveNotFoundException or ProviderNotFoundException or ProviderInvocationException or PSArgumentException)
        {
            throw new StorageNotFoundException($"'{path}' is not a path of the file system: {error.Message}", null);
        }
    }
}
