using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;

namespace RegistryTools.PowerShell.Binding;

/// <summary>
/// Takes names as they were written. A bare <c>1.10</c> is a number to PowerShell, and only where it stands alone is its text kept: in a list, in a variable or out of a pipeline <c>1.10</c> is <c>1.1</c>, and <c>010</c>
/// is <c>10</c>, which are other tags. A number is taken where the statement that runs shows how it was written, or where it is whole and the statement shows nothing else; what is left is refused.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class NameTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        List<ConstantExpressionAst>? literals = null;
        var value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        foreach (var item in value as object?[] ?? [inputData]) Check(item, ref literals);
        return inputData;
    }

    private static void Check(object? item, ref List<ConstantExpressionAst>? literals)
    {
        var value = item is PSObject wrapped ? wrapped.BaseObject : item;
        var isFraction = value is double or float or decimal;
        if (!isFraction && value is not (int or long or uint or ulong or short or ushort or byte or sbyte or System.Numerics.BigInteger)) return;

        // A literal that stands alone has its text with it, unless the text is what the number would be shown as.
        var shown = Convert.ToString(value, CultureInfo.InvariantCulture)!;
        if (item is PSObject && item.ToString() != shown) return;
        literals ??= NumbersOfStatement();
        var same = literals.FindAll(literal => Equal(literal.Value, value!));
        var other = same.Find(literal => literal.Extent.Text != shown);
        if (other is null && (!isFraction || same.Count > 0)) return;
        throw new ArgumentTransformationMetadataException(other is null
            ? $"{shown} is a number here, and PowerShell does not keep how a number was written: {shown}0 would be the same to it. Put names that look like numbers in quotes: '{shown}'."
            : $"PowerShell reads {other.Extent.Text} as the number {shown} here, which is another name. Put names that look like numbers in quotes: '{other.Extent.Text}'.");
    }

    private static List<ConstantExpressionAst> NumbersOfStatement()
    {
        var statement = Runspace.DefaultRunspace?.Debugger?.GetCallStack().FirstOrDefault()?.Position?.Text;
        if (string.IsNullOrEmpty(statement)) return [];
        return [.. Parser.ParseInput(statement, out _, out _).FindAll(static ast => ast is ConstantExpressionAst and not StringConstantExpressionAst, searchNestedScriptBlocks: true).Cast<ConstantExpressionAst>()];
    }

    private static bool Equal(object one, object other)
    {
        try
        {
            return one.Equals(other) || Convert.ToDouble(one, CultureInfo.InvariantCulture) == Convert.ToDouble(other, CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is InvalidCastException or OverflowException)
        {
            return false;
        }
    }
}
