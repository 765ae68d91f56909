using System.Management.Automation;
using RegistryTools.PowerShell.Binding;

namespace RegistryTools.PowerShell.Loading;

/// <summary>What PowerShell calls when the module is imported and removed.</summary>
public sealed class ModuleInitializer : IModuleAssemblyInitializer, IModuleAssemblyCleanup
{
    /// <summary>Makes the module's dependencies resolvable.</summary>
    public void OnImport() => Dependencies.Attach();

    /// <summary>Closes the runspace's connections and takes the hook out again.</summary>
    public void OnRemove(PSModuleInfo psModuleInfo)
    {
        RegistrySession.CloseCurrent();
        Dependencies.Detach();
    }
}
