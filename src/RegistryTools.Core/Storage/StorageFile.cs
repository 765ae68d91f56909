using System.Buffers;

namespace RegistryTools.Storage;

/// <summary>What reading a link file came to.</summary>
internal enum LinkState
{
    /// <summary>It names a digest.</summary>
    Read,

    /// <summary>It is not there.</summary>
    Missing,

    /// <summary>It names none, or is no file.</summary>
    Bad,

    /// <summary>It could not be read.</summary>
    Unreadable,
}

/// <summary>Reading the files of a storage: links in a single read, manifests whole. Symbolic links are not followed.</summary>
internal static class StorageFile
{
    private const int LinkLength = 640;

    /// <summary>Reads a link file.</summary>
    public static LinkState ReadLink(string path, DigestTable digests, out Sha256Key key, out string reason)
    {
        key = default;
        reason = string.Empty;
        try
        {
            var attributes = File.GetAttributes(path);
            if ((attributes & FileAttributes.ReparsePoint) != 0)
            {
                reason = "it is a symbolic link";
                return LinkState.Bad;
            }

            Span<byte> buffer = stackalloc byte[LinkLength];
            var length = ReadStart(path, buffer);
            if (TryLink(buffer.Slice(0, length), digests, out key)) return LinkState.Read;
            reason = length == 0 ? "it is empty" : "it holds no digest";
            return LinkState.Bad;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            reason = "it is missing";
            return LinkState.Missing;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            reason = exception.Message;
            return LinkState.Unreadable;
        }
    }

    /// <summary>The digest that a link file's content is, with space around it or not; false where it is none.</summary>
    public static bool TryLink(ReadOnlySpan<byte> content, DigestTable digests, out Sha256Key key)
    {
        key = default;
        return content.Length < LinkLength && digests.TryKey(Trim(content), out key);
    }

    /// <summary>
    /// Reads a file of at most <paramref name="maximum"/> bytes into a rented buffer, which the caller gives back; -1 where it is longer. Throws what reading throws.
    /// </summary>
    public static int ReadWhole(string path, int maximum, out byte[] rented)
    {
        rented = [];
        if ((File.GetAttributes(path) & FileAttributes.ReparsePoint) != 0) throw new IOException("It is a symbolic link.");
#if NET
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var length = RandomAccess.GetLength(handle);
        if (length > maximum) return -1;
        rented = ArrayPool<byte>.Shared.Rent((int)length + 1);
        var read = 0;
        while (read < rented.Length)
        {
            var count = RandomAccess.Read(handle, rented.AsSpan(read), read);
            if (count == 0) break;
            read += count;
        }
#else
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        var length = stream.Length;
        if (length > maximum) return -1;
        rented = ArrayPool<byte>.Shared.Rent((int)length + 1);
        var read = 0;
        while (read < rented.Length)
        {
            var count = stream.Read(rented, read, rented.Length - read);
            if (count == 0) break;
            read += count;
        }
#endif
        return read;
    }

    private static int ReadStart(string path, Span<byte> buffer)
    {
#if NET
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return RandomAccess.Read(handle, buffer, 0);
#else
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
        var bytes = new byte[buffer.Length];
        var length = stream.Read(bytes, 0, bytes.Length);
        bytes.AsSpan(0, length).CopyTo(buffer);
        return length;
#endif
    }

    private static ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text)
    {
        while (text.Length > 0 && text[0] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') text = text.Slice(1);
        while (text.Length > 0 && text[text.Length - 1] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') text = text.Slice(0, text.Length - 1);
        return text;
    }
}
