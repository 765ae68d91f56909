#if NET
using System.IO.Enumeration;
#endif

namespace RegistryTools.Storage;

/// <summary>What a directory has under a name.</summary>
internal enum EntryKind
{
    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A file.</summary>
    File,

    /// <summary>A symbolic link, whatever it points to: it is never followed.</summary>
    Link,
}

/// <summary>Makes something of an entry of a directory.</summary>
internal delegate T EntryReader<T>(ReadOnlySpan<char> name, EntryKind kind);

/// <summary>Reading directories, an entry at a time and without a string each.</summary>
internal static class StorageDirectory
{
#if NET
    private static readonly EnumerationOptions Options = new() { AttributesToSkip = 0, RecurseSubdirectories = false, IgnoreInaccessible = false };

    public static IEnumerable<T> Read<T>(string path, EntryReader<T> reader) =>
        new FileSystemEnumerable<T>(path, (ref FileSystemEntry entry) => reader(entry.FileName, KindOf(ref entry)), Options);

    private static EntryKind KindOf(ref FileSystemEntry entry) =>
        (entry.Attributes & FileAttributes.ReparsePoint) != 0 ? EntryKind.Link : entry.IsDirectory ? EntryKind.Directory : EntryKind.File;
#else
    public static IEnumerable<T> Read<T>(string path, EntryReader<T> reader)
    {
        foreach (var entry in new DirectoryInfo(path).EnumerateFileSystemInfos())
        {
            var attributes = entry.Attributes;
            var kind = (attributes & FileAttributes.ReparsePoint) != 0 ? EntryKind.Link : (attributes & FileAttributes.Directory) != 0 ? EntryKind.Directory : EntryKind.File;
            yield return reader(entry.Name.AsSpan(), kind);
        }
    }
#endif

    /// <summary>The names in a directory, with their kinds.</summary>
    public static IEnumerable<(string Name, EntryKind Kind)> Read(string path) => Read(path, static (name, kind) => (name.ToString(), kind));

    /// <summary>Whether a directory has nothing in it.</summary>
    public static bool IsEmpty(string path)
    {
        foreach (var _ in Directory.EnumerateFileSystemEntries(path)) return false;
        return true;
    }
}
