namespace RegistryTools.Host.Tour;

/// <summary>
/// A data directory for the module that isn't the user's: what is done to a registry of samples has no place in the user's journal. The
/// environment variable that names it is put back, and the directory deleted, when this is disposed of.
/// </summary>
public sealed class ScratchData : IDisposable
{
    /// <summary>The variable that the module looks at.</summary>
    public const string Variable = "REGISTRYTOOLS_DATA";

    private readonly DirectoryInfo directory = System.IO.Directory.CreateTempSubdirectory("registrytools-");
    private readonly string? before = Environment.GetEnvironmentVariable(Variable);

    /// <summary>Makes the directory and sets the variable.</summary>
    public ScratchData() => Environment.SetEnvironmentVariable(Variable, directory.FullName);

    /// <summary>The directory.</summary>
    public string Directory => directory.FullName;

    /// <summary>Puts everything back.</summary>
    public void Dispose()
    {
        Environment.SetEnvironmentVariable(Variable, before);
        try
        {
            directory.Delete(recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is left is in the system's own directory for what is temporary.
        }
    }
}
