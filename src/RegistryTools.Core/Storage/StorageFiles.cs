using RegistryTools.Errors;
using RegistryTools.References;

namespace RegistryTools.Storage;

/// <summary>
/// Reading and writing a storage with care: no symbolic link below the root is followed, writes are whole or not at all, and what is removed is first renamed away, so that nobody sees half
/// of it.
/// </summary>
internal sealed class StorageFiles(StorageLocation location)
{
    private const int LongestLink = 640;

    /// <summary>Whether there is a file.</summary>
    public bool Exists(string path) => File.Exists(path) && IsPlain(path);

    /// <summary>Whether there is a directory.</summary>
    public bool IsDirectory(string path) => Directory.Exists(path) && IsPlain(path);

    /// <summary>The directories in a directory, links left out; none where it is not there.</summary>
    public IEnumerable<string> Directories(string path)
    {
        if (!IsDirectory(path)) yield break;
        foreach (var directory in Directory.EnumerateDirectories(path))
        {
            if ((File.GetAttributes(directory) & FileAttributes.ReparsePoint) == 0) yield return directory;
        }
    }

    /// <summary>Reads a file of bounded size.</summary>
    /// <exception cref="ManifestFormatException">It is larger.</exception>
    public byte[] Read(string path, int maximum, string what)
    {
        RequirePlain(path);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (stream.Length > maximum) throw new ManifestFormatException($"{what} in {location.Root} is larger than {maximum} bytes; it was not read.");
        var content = new byte[stream.Length];
        var filled = 0;
        while (filled < content.Length)
        {
            var count = stream.Read(content, filled, content.Length - filled);
            if (count == 0) break;
            filled += count;
        }

        return filled == content.Length ? content : content.AsSpan(0, filled).ToArray();
    }

    /// <summary>The digest that a link file holds; null where it holds none, or is not there.</summary>
    public Digest? ReadLink(string path)
    {
        if (!Exists(path) || new FileInfo(path).Length > LongestLink) return null;
        return Digest.TryParse(System.Text.Encoding.ASCII.GetString(Read(path, LongestLink, "A link file")).Trim(), out var digest) ? digest : null;
    }

    /// <summary>Writes a link file.</summary>
    public void WriteLink(string path, Digest digest) => Write(path, System.Text.Encoding.ASCII.GetBytes(digest.ToString()));

    /// <summary>Writes a file whole: it is there with all its content, and on the disk, or it is as it was.</summary>
    public void Write(string path, byte[] content)
    {
        var temporary = NewFile();
        using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
        {
            stream.Write(content, 0, content.Length);
            stream.Flush(flushToDisk: true);
        }

        Place(temporary, path);
    }

    /// <summary>Writes a file from a stream, whole, if its content is what its digest says.</summary>
    public async Task WriteAsync(string path, Stream content, Digest digest, string what, CancellationToken cancellationToken)
    {
        var temporary = NewFile();
        try
        {
            using (var hash = new DigestHash(digest.Algorithm))
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                var buffer = new byte[81920];
                int count;
                while ((count = await content.ReadAsync(buffer, 0, buffer.Length, cancellationToken).ConfigureAwait(false)) > 0)
                {
                    hash.Append(buffer, 0, count);
                    await stream.WriteAsync(buffer, 0, count, cancellationToken).ConfigureAwait(false);
                }

                stream.Flush(flushToDisk: true);
                var actual = hash.Finish();
                if (actual != digest) throw new DigestMismatchException(what, digest.ToString(), actual.ToString());
            }

            Place(temporary, path);
        }
        finally
        {
            if (File.Exists(temporary)) File.Delete(temporary);
        }
    }

    /// <summary>Removes a directory: renamed away first, in one act, and deleted from where no registry looks.</summary>
    public void RemoveDirectory(string path)
    {
        RequirePlain(path);
        var trash = Path.Combine(location.Own, "trash");
        Directory.CreateDirectory(trash);
        var away = Path.Combine(trash, Guid.NewGuid().ToString("N"));
        Directory.Move(path, away);
        try
        {
            Directory.Delete(away, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It is gone from where it was, which is what was asked for; the next garbage collection frees it.
        }
    }

    private string NewFile()
    {
        var directory = Path.Combine(location.Own, "tmp");
        Directory.CreateDirectory(directory);
        return Path.Combine(directory, Guid.NewGuid().ToString("N"));
    }

    private void Place(string temporary, string path)
    {
        RequirePlain(Path.GetDirectoryName(path)!);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
#if NET
        File.Move(temporary, path, overwrite: true);
#else
        if (File.Exists(path)) File.Replace(temporary, path, null);
        else File.Move(temporary, path);
#endif
    }

    private void RequirePlain(string path)
    {
        if (!IsPlain(path)) throw new RemovalFailedException($"'{path}' is, or lies behind, a symbolic link in the storage {location.Root}: it was not followed.", "Links inside a registry's storage are not of the registry's making; look who made it.");
    }

    /// <summary>Whether neither the path nor anything between it and the root is a symbolic link, and the path is below the root.</summary>
    private bool IsPlain(string path)
    {
        for (var at = path; ; at = Path.GetDirectoryName(at)!)
        {
            if (at is null || at.Length < location.Root.Length) return false;
            if (at.Length == location.Root.Length) return string.Equals(at, location.Root, StringComparison.Ordinal);
            try
            {
                if ((File.GetAttributes(at) & FileAttributes.ReparsePoint) != 0) return false;
            }
            catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
            {
                // What is not there yet is no link.
            }
        }
    }
}
