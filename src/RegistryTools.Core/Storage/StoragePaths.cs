using System.Collections.Concurrent;

namespace RegistryTools.Storage;

/// <summary>Whether paths stay where they seem to be.</summary>
internal static class StoragePaths
{
    /// <summary>Whether no directory on the way from a base to a directory below it is a symbolic link. What is not there yet is none.</summary>
    /// <param name="root">The base, which is taken as it is.</param>
    /// <param name="directory">The directory.</param>
    /// <param name="known">Directories that were looked at before.</param>
    public static bool IsOwn(string root, string directory, ConcurrentDictionary<string, bool>? known = null)
    {
        if (directory.Length <= root.Length) return string.Equals(directory, root, StringComparison.Ordinal);
        if (known is not null && known.TryGetValue(directory, out var answer)) return answer;
        var parent = Path.GetDirectoryName(directory);
        answer = parent is not null && IsOwn(root, parent, known) && !IsLink(directory);
        known?.TryAdd(directory, answer);
        return answer;
    }

    private static bool IsLink(string path)
    {
        try
        {
            return (File.GetAttributes(path) & FileAttributes.ReparsePoint) != 0;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }
}
