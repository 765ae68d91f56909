using System.Management.Automation;

namespace RegistryTools.PowerShell;

/// <summary>
/// Lets <c>-Registry</c> take a connection's name or a registry's address where a connection is wanted. It only notes the text: what the
/// text means is found when the cmdlet runs, where it can be waited for, stopped, and told as a proper error.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class RegistryTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData) =>
        (inputData is PSObject wrapped ? wrapped.BaseObject : inputData) switch
        {
            string text => RegistryConnection.FromText(text.Trim()),
            Uri uri => RegistryConnection.FromText(uri.OriginalString),
            _ => inputData,
        };
}
