namespace RegistryTools.Host.Shell;

/// <summary>Finds the staged module: what the build has laid out, imported by its manifest as a user imports it.</summary>
public static class ModuleStage
{
    private const string Manifest = "RegistryTools.psd1";

    /// <summary>The manifest to import.</summary>
    /// <param name="modulePath">A manifest or a directory that holds one; null looks for the checkout's own stage.</param>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    public static string Find(string? modulePath = null)
    {
        if (modulePath is not null)
        {
            string path = Path.GetFullPath(modulePath);
            if (Directory.Exists(path))
                path = Path.Combine(path, Manifest);
            return File.Exists(path) ? path : throw new FileNotFoundException($"There is no module at {path}.", path);
        }
        for (DirectoryInfo? directory = new(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            string staged = Path.Combine(directory.FullName, "out", "RegistryTools", Manifest);
            if (File.Exists(staged))
                return staged;
        }
        throw new FileNotFoundException(
            $"No staged module: neither {AppContext.BaseDirectory} nor a directory above it has out/RegistryTools/{Manifest}. Run dotnet build, or give -ModulePath.", Manifest);
    }
}
