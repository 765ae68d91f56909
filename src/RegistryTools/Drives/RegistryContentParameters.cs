using System.Management.Automation;

namespace RegistryTools.PowerShell.Drives;

/// <summary>What <c>Get-Content</c> takes besides its own parameters, on a registry's drive.</summary>
public sealed class RegistryContentParameters
{
    /// <summary>Gives the manifest as one string, or with <c>-AsByteStream</c> as one array, exactly as the registry holds it.</summary>
    [Parameter]
    public SwitchParameter Raw { get; set; }

    /// <summary>Gives the manifest's bytes: those that its digest is of.</summary>
    [Parameter]
    public SwitchParameter AsByteStream { get; set; }
}
