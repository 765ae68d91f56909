using RegistryTools.Inspection;

namespace RegistryTools.PowerShell.Output;

/// <summary>
/// What makes two objects the same one, and which comes first: registry, repository, and tag with its numbers by their value. PowerShell compares what can't compare itself by its text, in which letter case does not count;
/// tags that differ in case only are two.
/// </summary>
internal static class Identity
{
    public static int Compare(string leftRegistry, string leftRepository, string leftName, string rightRegistry, string rightRepository, string rightName)
    {
        var order = TagOrder.Natural.Compare(leftRegistry, rightRegistry);
        if (order == 0) order = TagOrder.Natural.Compare(leftRepository, rightRepository);
        return order != 0 ? order : TagOrder.Natural.Compare(leftName, rightName);
    }

    public static int Hash(string registry, string repository, string name) => unchecked((((StringComparer.Ordinal.GetHashCode(registry) * 31) + StringComparer.Ordinal.GetHashCode(repository)) * 31) + StringComparer.Ordinal.GetHashCode(name));

    public static ArgumentException NotComparable(object other) => new($"It can't be compared with a {other.GetType().Name}.", nameof(other));
}
