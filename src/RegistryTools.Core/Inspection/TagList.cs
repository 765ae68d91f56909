using System.Runtime.CompilerServices;
using RegistryTools.Registries;

namespace RegistryTools.Inspection;

/// <summary>Lists of tags, filtered and ordered.</summary>
public static class TagList
{
    /// <summary>
    /// A repository's tags that pass the filter. In the registry's order they come as they are read; any other order has to read them all first, and holds their
    /// names only.
    /// </summary>
    public static async IAsyncEnumerable<string> ReadAsync(
        IRegistry registry, string repository, Func<string, bool>? filter = null, IComparer<string>? order = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var sorted = order is null ? null : new List<string>();
        await foreach (var tag in registry.ListTagsAsync(repository, cancellationToken).ConfigureAwait(false))
        {
            if (filter is not null && !filter(tag)) continue;
            if (sorted is null) yield return tag;
            else sorted.Add(tag);
        }

        if (sorted is null) yield break;
        sorted.Sort(order);
        string? last = null;
        foreach (var tag in sorted)
        {
            if (!string.Equals(tag, last, StringComparison.Ordinal)) yield return tag;
            last = tag;
        }
    }

    /// <summary>Names that are known already, as a list of tags.</summary>
    public static async IAsyncEnumerable<string> FromNames(IEnumerable<string> names)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        foreach (var name in names) yield return name;
    }
}
