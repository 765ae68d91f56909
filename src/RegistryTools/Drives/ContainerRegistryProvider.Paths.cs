namespace RegistryTools.PowerShell.Drives;

/// <summary>
/// Paths, taken apart and put together by their words alone. The engine's own ways ask whether things exist, which here are requests, and compare beginnings of names where they mean parts of paths.
/// </summary>
public sealed partial class ContainerRegistryProvider
{
    private static readonly string Separator = System.IO.Path.DirectorySeparatorChar.ToString();

    /// <inheritdoc/>
    protected override string MakePath(string parent, string child)
    {
        var left = Trimmed(parent ?? string.Empty);
        var right = string.Join(Separator, DrivePath.Parts(child ?? string.Empty));
        if (right.Length == 0) return left.Length == 0 || left.EndsWith(Separator, StringComparison.Ordinal) ? left : left + Separator;
        return left.Length == 0 ? right : left.EndsWith(Separator, StringComparison.Ordinal) ? left + right : left + Separator + right;
    }

    /// <inheritdoc/>
    protected override string GetParentPath(string path, string? root)
    {
        path = Trimmed(path);
        if (!string.IsNullOrEmpty(root) && string.Equals(path, Trimmed(root!), StringComparison.OrdinalIgnoreCase)) return string.Empty;
        var cut = path.LastIndexOf(Separator, StringComparison.Ordinal);
        return cut < 0 ? string.Empty : path.Substring(0, Math.Max(1, cut));
    }

    /// <inheritdoc/>
    protected override string GetChildName(string path)
    {
        path = Trimmed(path);
        if (_written is { } written && string.Equals(written.Path, path, StringComparison.Ordinal)) return written.Name;
        return path.Substring(path.LastIndexOf(Separator, StringComparison.Ordinal) + 1);
    }

    /// <inheritdoc/>
    protected override string NormalizeRelativePath(string path, string? basePath)
    {
        var parts = Resolved(path);
        var from = Resolved(basePath ?? string.Empty);
        var common = 0;
        while (common < parts.Count && common < from.Count && string.Equals(parts[common], from[common], StringComparison.OrdinalIgnoreCase)) common++;

        // As the engine does it: a path relative to itself or to what is in it is told by its own name, the root by none; one that has nothing in common with it as it is.
        if (common == 0) return string.Join(Separator, parts);
        if (common == parts.Count && common > 1) common--;
        return string.Join(Separator, Enumerable.Repeat("..", from.Count - common).Concat(parts.Skip(common)));
    }

    private static List<string> Resolved(string path)
    {
        var parts = new List<string>();
        foreach (var part in DrivePath.Parts(path))
        {
            if (part == "..")
            {
                if (parts.Count > 0) parts.RemoveAt(parts.Count - 1);
            }
            else if (part != ".")
            {
                parts.Add(part);
            }
        }

        return parts;
    }

    /// <summary>A path with one kind of separators and none at its end.</summary>
    private static string Trimmed(string path)
    {
        var uniform = path.Replace("/", Separator).Replace("\\", Separator);
        var trimmed = uniform.TrimEnd(Separator[0]);
        return trimmed.Length == 0 && uniform.Length > 0 ? Separator : trimmed;
    }
}
