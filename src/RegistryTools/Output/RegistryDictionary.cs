using System.Collections.ObjectModel;

namespace RegistryTools.PowerShell;

/// <summary>Labels or annotations: texts by name, which nobody can write to. As text it is <c>name=value</c> for each, a comma between them.</summary>
public sealed class RegistryDictionary : ReadOnlyDictionary<string, string>
{
    internal static readonly RegistryDictionary None = new([]);

    private RegistryDictionary(IEnumerable<KeyValuePair<string, string>> values)
        : base(Copy(values))
    {
    }

    internal static RegistryDictionary Of(IReadOnlyDictionary<string, string> values) => values.Count == 0 ? None : new(values);

    /// <summary>Each <c>name=value</c>, a comma and a space between them.</summary>
    public override string ToString() => string.Join(", ", this.Select(static pair => pair.Key + "=" + pair.Value));

    private static Dictionary<string, string> Copy(IEnumerable<KeyValuePair<string, string>> values)
    {
        var copy = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in values) copy[pair.Key] = pair.Value;
        return copy;
    }
}
