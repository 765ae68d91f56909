using System.Management.Automation;

namespace RegistryTools.PowerShell.Drives;

/// <summary>What <c>Get-Item</c> and <c>Get-ChildItem</c> take besides their own parameters, on a registry's drive.</summary>
public sealed class RegistryItemParameters
{
    /// <summary>Adds to tags what they point to: digest, media type, kind, size, time of creation, platforms and kind of artifact.</summary>
    [Parameter]
    public SwitchParameter Detailed { get; set; }
}
