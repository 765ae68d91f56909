using System.Collections.Concurrent;
using RegistryTools.GarbageCollection;
using RegistryTools.Storage;
using RegistryTools.Text;
using RegistryTools.Threading;

namespace RegistryTools.Verification;

/// <summary>Every blob of a storage with its size, looked at once.</summary>
internal sealed class BlobTable(StorageLocation location, DigestTable digests)
{
    private readonly ConcurrentDictionary<Sha256Key, long> _sizes = new();

    public int Count => _sizes.Count;

    public IEnumerable<KeyValuePair<Sha256Key, long>> All => _sizes;

    /// <summary>The size of a blob; -1 where it is not there.</summary>
    public long SizeOf(Sha256Key key) => _sizes.TryGetValue(key, out var size) ? size : -1;

    public bool Has(Sha256Key key) => _sizes.ContainsKey(key);

    /// <summary>Reads the directories of blobs, and tells what is not as it should be there.</summary>
    public void Read(int throttleLimit, Action<StorageFindingKind, string, Sha256Key?, string> tell, IActivityLog log, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(location.Blobs)) return;
        var prefixes = new List<(string Algorithm, string Name, string Path)>();
        Try(location.Blobs, tell, () =>
        {
            foreach (var (algorithm, kind) in StorageDirectory.Read(location.Blobs))
            {
                var path = Path.Combine(location.Blobs, algorithm);
                if (kind == EntryKind.Link) tell(StorageFindingKind.SymbolicLink, path, null, string.Empty);
                if (kind != EntryKind.Directory) continue;
                foreach (var (name, prefix) in StorageDirectory.Read(path))
                {
                    if (prefix == EntryKind.Link) tell(StorageFindingKind.SymbolicLink, Path.Combine(path, name), null, string.Empty);
                    else if (prefix == EntryKind.Directory) prefixes.Add((algorithm, name, Path.Combine(path, name)));
                }
            }
        });
        var looked = 0;
        ParallelWork.For(
            prefixes.Count,
            throttleLimit,
            index =>
            {
                var (algorithm, prefix, path) = prefixes[index];
                Try(path, tell, () =>
                {
                    foreach (var (name, kind) in StorageDirectory.Read(path))
                    {
                        var directory = Path.Combine(path, name);
                        if (kind == EntryKind.Link) tell(StorageFindingKind.SymbolicLink, directory, null, string.Empty);
                        if (kind != EntryKind.Directory) continue;
                        if (!digests.TryKey(algorithm, name.AsSpan(), out var key) || !name.StartsWith(prefix, StringComparison.Ordinal) || prefix.Length != 2)
                        {
                            if (File.Exists(Path.Combine(directory, "data"))) tell(StorageFindingKind.BlobMisplaced, directory, null, string.Empty);
                            continue;
                        }

                        ReadBlob(directory, key, tell);
                    }
                });
                log.Progress("Looking through the blobs", prefix, Interlocked.Increment(ref looked), prefixes.Count, "directory");
            },
            cancellationToken);
    }

    private void ReadBlob(string directory, Sha256Key key, Action<StorageFindingKind, string, Sha256Key?, string> tell)
    {
        var file = new FileInfo(Path.Combine(directory, "data"));
        if (!file.Exists) tell(StorageFindingKind.BlobWithoutData, directory, key, string.Empty);
        else if ((file.Attributes & FileAttributes.ReparsePoint) != 0) tell(StorageFindingKind.SymbolicLink, file.FullName, key, string.Empty);
        else _sizes[key] = file.Length;
    }

    private static void Try(string path, Action<StorageFindingKind, string, Sha256Key?, string> tell, Action act)
    {
        try
        {
            act();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            tell(StorageFindingKind.Unreadable, path, null, exception.Message);
        }
    }
}
