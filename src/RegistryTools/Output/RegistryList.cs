using System.Collections.ObjectModel;

namespace RegistryTools.PowerShell;

/// <summary>
/// Several values of a property. To scripts it is what an array is, that nobody can write to; as text it is its values, a comma between them, where an array's text is the name of its type: <c>Export-Csv</c>,
/// <c>Sort-Object</c>, <c>Group-Object</c> and <c>Compare-Object</c> go by that.
/// </summary>
/// <typeparam name="T">What it holds.</typeparam>
public sealed class RegistryList<T> : ReadOnlyCollection<T>
{
    internal static readonly RegistryList<T> None = new([]);

    internal RegistryList(IEnumerable<T> values)
        : base([.. values])
    {
    }

    /// <summary>How many values there are, as an array tells it.</summary>
    public int Length => Count;

    /// <summary>The values, a comma and a space between them.</summary>
    public override string ToString() => string.Join(", ", this);
}
