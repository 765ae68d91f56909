namespace RegistryTools.Host.Tour;

/// <summary>
/// A data directory for the module that isn't the user's, and no credentials: what is done to a registry of samples has no place in the user's journal, and is nothing for the
/// user's credential helpers. The environment variables that name them are put back, and the directory deleted, when this is disposed of.
/// </summary>
public sealed class ScratchData : IDisposable
{
    /// <summary>The variable that names the module's data directory.</summary>
    public const string Variable = "REGISTRYTOOLS_DATA";

    private static readonly string[] Variables = [Variable, "DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "REGISTRYTOOLS_USERNAME", "REGISTRYTOOLS_PASSWORD", "REGISTRYTOOLS_TOKEN"];

    private readonly DirectoryInfo directory = System.IO.Directory.CreateTempSubdirectory("registrytools-");
    private readonly string?[] before = Array.ConvertAll(Variables, Environment.GetEnvironmentVariable);

    /// <summary>Makes the directory and sets the variables.</summary>
    public ScratchData()
    {
        foreach (var variable in Variables.Skip(3)) Environment.SetEnvironmentVariable(variable, null);
        Environment.SetEnvironmentVariable(Variable, directory.FullName);
        Environment.SetEnvironmentVariable("DOCKER_CONFIG", directory.FullName);
        Environment.SetEnvironmentVariable("REGISTRY_AUTH_FILE", Path.Combine(directory.FullName, "auth.json"));
    }

    /// <summary>The directory.</summary>
    public string Directory => directory.FullName;

    /// <summary>Puts everything back.</summary>
    public void Dispose()
    {
        for (var i = 0; i < Variables.Length; i++) Environment.SetEnvironmentVariable(Variables[i], before[i]);
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
