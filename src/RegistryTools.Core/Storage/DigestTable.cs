using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using RegistryTools.References;

namespace RegistryTools.Storage;

/// <summary>
/// Keys for digests. A sha256 digest is its own key; the few others get the hash of their text and are remembered beside. That hash is salted: nobody can push content whose
/// sha256 is the key of another digest.
/// </summary>
internal sealed class DigestTable
{
    private readonly byte[] _salt = new byte[32];
    private readonly ConcurrentDictionary<Sha256Key, Digest> _others = new();

    public DigestTable()
    {
        using var random = RandomNumberGenerator.Create();
        random.GetBytes(_salt);
    }

    /// <summary>Whether this is the key of a digest that is no sha256.</summary>
    public bool IsOther(Sha256Key key) => !_others.IsEmpty && _others.ContainsKey(key);

    /// <summary>The key of a digest.</summary>
    public Sha256Key Key(Digest digest)
    {
        if (digest.Algorithm == Digest.Sha256 && Sha256Key.TryParse(digest.Encoded.AsSpan(), out var key)) return key;
        var text = Encoding.ASCII.GetBytes(digest.ToString());
        var salted = new byte[_salt.Length + text.Length];
        _salt.CopyTo(salted, 0);
        text.CopyTo(salted, _salt.Length);
        using (var hash = SHA256.Create()) key = Sha256Key.FromHash(hash.ComputeHash(salted));
        _others.TryAdd(key, digest);
        return key;
    }

    /// <summary>The digest that a key stands for.</summary>
    public Digest ToDigest(Sha256Key key) => !_others.IsEmpty && _others.TryGetValue(key, out var digest) ? digest : Digest.Parse("sha256:" + key);

    /// <summary>The key of what two path segments name.</summary>
    public bool TryKey(string algorithm, ReadOnlySpan<char> encoded, out Sha256Key key)
    {
        if (algorithm == Digest.Sha256) return Sha256Key.TryParse(encoded, out key);
        key = default;
        if (!Digest.TryParse(algorithm + ":" + encoded.ToString(), out var digest)) return false;
        key = Key(digest);
        return true;
    }

    /// <summary>The key of a digest's text.</summary>
    public bool TryKey(ReadOnlySpan<byte> text, out Sha256Key key)
    {
        if (text.Length == 71 && text.Slice(0, 7).SequenceEqual("sha256:"u8)) return Sha256Key.TryParse(text.Slice(7), out key);
        key = default;
        if (text.Length is 0 or > 512 || !Digest.TryParse(Encoding.UTF8.GetString(text.ToArray()), out var digest)) return false;
        key = Key(digest);
        return true;
    }

    /// <summary><c>algorithm/encoded</c>, as paths have it.</summary>
    public string Segments(Sha256Key key)
    {
        if (!_others.IsEmpty && _others.TryGetValue(key, out var digest)) return digest.Algorithm + "/" + digest.Encoded;
        return "sha256/" + key;
    }

    /// <summary>Where below <c>blobs</c> the bytes are.</summary>
    public string BlobPath(Sha256Key key)
    {
        if (!_others.IsEmpty && _others.TryGetValue(key, out var digest)) return digest.Algorithm + "/" + digest.Encoded.Substring(0, Math.Min(2, digest.Encoded.Length)) + "/" + digest.Encoded + "/data";
        var hex = key.ToString();
        return "sha256/" + hex.Substring(0, 2) + "/" + hex + "/data";
    }
}
