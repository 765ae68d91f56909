using System.Management.Automation;
using RegistryTools.Errors;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.Storage;

namespace RegistryTools.PowerShell;

/// <summary>What every cmdlet needs that takes the path of a storage.</summary>
public abstract partial class RegistryCmdlet
{
    /// <summary>Finds the storage at a path; where there is none, that is written as an error and the answer is false.</summary>
    private protected bool TryFindStorage(string path, out StorageLocation storage)
    {
        storage = null!;
        try
        {
            storage = StorageLocation.Find(FileSystemPath(path));
            return true;
        }
        catch (StorageNotFoundException error)
        {
            WriteFailure(error, new ErrorSubject(path));
            return false;
        }
    }

    /// <summary>A path as the file system has it, whatever drive the user named it on.</summary>
    private protected string FileSystemPath(string path) => RegistryConnector.FileSystemPath(SessionState, path);

    /// <summary>Tells the user what to do next, as Write-Host does: shown in a console and in the log of a pipeline, and not among the objects.</summary>
    private protected void Tell(string text) => WriteInformation(new HostInformationMessage { Message = text }, ["PSHOST"]);

    /// <summary>Whether a repository is like one of some patterns; null where there are none, and all are meant.</summary>
    private protected static Func<string, bool>? Filter(string[]? patterns)
    {
        if (patterns is null) return null;
        var wildcards = Array.ConvertAll(patterns, text => WildcardPattern.Get(text, WildcardOptions.IgnoreCase));
        return name => Array.Exists(wildcards, pattern => pattern.IsMatch(name));
    }
}
