namespace RegistryTools.Cmdlets.Tests.Support;

/// <summary>
/// The shell's own cmdlets for drives and items (New-PSDrive, Get-ChildItem, Remove-Item, …), which the bare engine lacks, under the name that the engine's completion of paths calls them by.
/// </summary>
internal static class ManagementModule
{
    private static readonly string Manifest = Write();

    /// <summary>Makes them available in a session.</summary>
    public static ModuleSession WithItems(this ModuleSession session)
    {
        session.Invoke($"Import-Module '{Manifest}' -ErrorAction Stop").Succeed();
        return session;
    }

    private static string Write()
    {
        var directory = Directory.CreateTempSubdirectory("registrytools-management-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(directory, recursive: true);
        var path = Path.Combine(directory, "Microsoft.PowerShell.Management.psd1");
        File.WriteAllText(path, $"@{{ ModuleVersion = '7.0.0.0'; NestedModules = @('{typeof(Microsoft.PowerShell.Commands.GetContentCommand).Assembly.Location}'); CmdletsToExport = '*' }}");
        return path;
    }
}
