using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Storage;

namespace RegistryTools.GarbageCollection;

/// <summary>What reading a manifest came to.</summary>
internal sealed class ManifestReading
{
    public static readonly ManifestReading Missing = new() { Reason = "it is missing: the storage does not have its bytes", IsMissing = true };

    /// <summary>What it needs; null where that can't be told.</summary>
    public ManifestReferences? References { get; init; }

    /// <summary>Why it can't be told.</summary>
    public string Reason { get; init; } = string.Empty;

    /// <summary>Whether the bytes are not there.</summary>
    public bool IsMissing { get; init; }

    /// <summary>Whether the bytes do not match the digest.</summary>
    public bool IsCorrupt { get; init; }

    /// <summary>Whether the bytes are there and could not be read: another time they may be.</summary>
    public bool IsUnreadable { get; init; }
}

/// <summary>The manifests of a storage, each read once, whatever number of repositories has it; where <c>elsewhere</c> is another directory of blobs, also what is only there.</summary>
internal sealed class ManifestStore(StorageLocation location, DigestTable digests, string? elsewhere = null)
{
    // Registries take 4 MiB; what is larger is no manifest that any of them would serve.
    private const int MaximumSize = 16 * 1024 * 1024;

    private readonly ConcurrentDictionary<Sha256Key, ManifestReading> _readings = new();
    private int _count;

    /// <summary>How many were read.</summary>
    public int Count => _count;

    public ManifestReading Get(Sha256Key key)
    {
        if (_readings.TryGetValue(key, out var known)) return known;
        var path = digests.BlobPath(key);
        var reading = Read(key, Path.Combine(location.Blobs, path));
        if (reading.IsMissing && elsewhere is not null) reading = Read(key, Path.Combine(elsewhere, path));
        Interlocked.Increment(ref _count);
        return _readings.GetOrAdd(key, reading);
    }

    private ManifestReading Read(Sha256Key key, string path)
    {
        var rented = Array.Empty<byte>();
        try
        {
            var length = StorageFile.ReadWhole(path, MaximumSize, out rented);
            if (length < 0) return new ManifestReading { Reason = "it is too large for a manifest" };
            if (!Matches(key, rented, length)) return new ManifestReading { Reason = length == 0 ? "it is corrupt: its file is empty" : "it is corrupt: its bytes do not match its digest", IsCorrupt = true };
            return new ManifestReading { References = ManifestReferences.Parse(rented.AsSpan(0, length), digests) };
        }
        catch (ManifestFormatException exception)
        {
            return new ManifestReading { Reason = exception.Message };
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return ManifestReading.Missing;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new ManifestReading { Reason = "it can't be read: " + exception.Message, IsUnreadable = true };
        }
        finally
        {
            if (rented.Length > 0) ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private bool Matches(Sha256Key key, byte[] bytes, int length)
    {
        if (!digests.IsOther(key) && Hash(bytes, length) == key) return true;
        var digest = digests.ToDigest(key);
        if (!digest.CanVerify) return true;
        var raw = new ReadOnlyMemory<byte>(bytes, 0, length);
        if (digest.Matches(raw)) return true;
        if (raw.Span.IndexOf("\"signatures\""u8) < 0) return false;
        try
        {
            // The digest of a signed manifest of schema 1 is that of its payload.
            Manifest.Parse(raw, MediaTypes.DockerSchema1Signed, digest);
            return true;
        }
        catch (RegistryToolsException)
        {
            return false;
        }
    }

    private static Sha256Key Hash(byte[] bytes, int length)
    {
#if NET
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(bytes.AsSpan(0, length), hash);
        return Sha256Key.FromHash(hash);
#else
        using var hash = SHA256.Create();
        return Sha256Key.FromHash(hash.ComputeHash(bytes, 0, length));
#endif
    }
}
