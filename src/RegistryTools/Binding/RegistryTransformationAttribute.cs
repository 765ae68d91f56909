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
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        var value = Base(inputData);
        return value is object[] list ? Array.ConvertAll(list, One) : One(value);
    }

    private static object One(object value) => Base(value) switch
    {
        string text => RegistryConnection.FromText(text.Trim()),
        Uri uri => RegistryConnection.FromText(uri.OriginalString),
        var other => other,
    };

    private static object Base(object value) => value is PSObject wrapped ? wrapped.BaseObject : value;
}
