using System.Security.Cryptography;
using RegistryTools.Errors;

namespace RegistryTools.References;

/// <summary>
/// A content digest, <c>algorithm:encoded</c> (OCI image-spec, descriptor.md, "Digests"). Immutable; equal by value. The registered
/// algorithms sha256 and sha512 are checked for length and lower case; another algorithm is carried, but can't be verified.
/// </summary>
public sealed class Digest : IEquatable<Digest>
{
    /// <summary>The algorithm nearly everything uses.</summary>
    public const string Sha256 = "sha256";

    /// <summary>The other registered algorithm.</summary>
    public const string Sha512 = "sha512";

    private const int MaximumLength = 512;
    private readonly string _value;

    private Digest(string value, int colon)
    {
        _value = value;
        Algorithm = value.Substring(0, colon);
        Encoded = value.Substring(colon + 1);
    }

    /// <summary>The algorithm, such as <c>sha256</c>.</summary>
    public string Algorithm { get; }

    /// <summary>What follows the colon: lower-case hexadecimal for the registered algorithms.</summary>
    public string Encoded { get; }

    /// <summary>Whether content can be verified against it here (sha256 and sha512).</summary>
    public bool CanVerify => Algorithm is Sha256 or Sha512;

    /// <summary>Parses a digest.</summary>
    /// <exception cref="ReferenceFormatException">The text is not a digest.</exception>
    public static Digest Parse(string text) =>
        TryParse(text, out var digest)
            ? digest
            : throw new ReferenceFormatException(text, $"'{Text.Shown.Short(text)}' is not a digest: expected sha256: followed by 64 lower-case hexadecimal digits.");

    /// <summary>Parses a digest; false, and null, where the text is none.</summary>
    public static bool TryParse(string? text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Digest? digest)
    {
        digest = null;
        if (text is null || text.Length is 0 or > MaximumLength) return false;
        var colon = text.IndexOf(':');
        if (colon <= 0 || colon == text.Length - 1) return false;

        var separator = true;
        for (var i = 0; i < colon; i++)
        {
            var c = text[i];
            if (c is (>= 'a' and <= 'z') or (>= '0' and <= '9')) separator = false;
            else if (c is '+' or '.' or '_' or '-' && !separator) separator = true;
            else return false;
        }

        if (separator) return false;
        for (var i = colon + 1; i < text.Length; i++)
        {
            if (text[i] is not ((>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '=' or '_' or '-')) return false;
        }

        var candidate = new Digest(text, colon);
        var hexLength = candidate.Algorithm switch { Sha256 => 64, Sha512 => 128, _ => 0 };
        if (hexLength != 0 && (candidate.Encoded.Length != hexLength || !IsLowerHex(candidate.Encoded))) return false;
        digest = candidate;
        return true;
    }

    /// <summary>The sha256 digest of these bytes.</summary>
    public static Digest Compute(ReadOnlyMemory<byte> content) => Compute(Sha256, content);

    /// <summary>The digest of these bytes by a registered algorithm.</summary>
    /// <exception cref="NotSupportedException">The algorithm is neither sha256 nor sha512.</exception>
    public static Digest Compute(string algorithm, ReadOnlyMemory<byte> content)
    {
        using var hash = new DigestHash(algorithm);
        hash.Append(content);
        return hash.Finish();
    }

    /// <summary>Whether these bytes hash to this digest.</summary>
    /// <exception cref="NotSupportedException">The algorithm is neither sha256 nor sha512.</exception>
    public bool Matches(ReadOnlyMemory<byte> content) => Compute(Algorithm, content).Equals(this);

    /// <summary>A digest that no content has, for asking what a registry answers where there is nothing.</summary>
    public static Digest Random()
    {
        var bytes = new byte[32];
        using (var random = RandomNumberGenerator.Create()) random.GetBytes(bytes);
        return FromHash(Sha256, bytes);
    }

    /// <summary>The first characters of the encoded part, as people write digests.</summary>
    public string ToShortString() => Encoded.Length > 12 ? Encoded.Substring(0, 12) : Encoded;

    /// <inheritdoc/>
    public override string ToString() => _value;

    /// <inheritdoc/>
    public bool Equals(Digest? other) => other is not null && string.Equals(_value, other._value, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Digest);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(_value);

    /// <summary>Equality by value.</summary>
    public static bool operator ==(Digest? left, Digest? right) => left is null ? right is null : left.Equals(right);

    /// <summary>Inequality by value.</summary>
    public static bool operator !=(Digest? left, Digest? right) => !(left == right);

    internal static Digest FromHash(string algorithm, byte[] hash)
    {
        const string digits = "0123456789abcdef";
        var text = new char[algorithm.Length + 1 + (hash.Length * 2)];
        algorithm.CopyTo(0, text, 0, algorithm.Length);
        text[algorithm.Length] = ':';
        for (var i = 0; i < hash.Length; i++)
        {
            text[algorithm.Length + 1 + (i * 2)] = digits[hash[i] >> 4];
            text[algorithm.Length + 2 + (i * 2)] = digits[hash[i] & 15];
        }

        return new Digest(new string(text), algorithm.Length);
    }

    private static bool IsLowerHex(string text)
    {
        foreach (var c in text)
        {
            if (c is not ((>= '0' and <= '9') or (>= 'a' and <= 'f'))) return false;
        }

        return true;
    }
}

/// <summary>A digest in the making, for content that is not held in memory.</summary>
public sealed class DigestHash : IDisposable
{
    private readonly IncrementalHash _hash;
    private readonly string _algorithm;

    /// <summary>Begins a digest.</summary>
    /// <exception cref="NotSupportedException">The algorithm is neither sha256 nor sha512.</exception>
    public DigestHash(string algorithm)
    {
        _algorithm = algorithm;
        _hash = IncrementalHash.CreateHash(algorithm switch
        {
            Digest.Sha256 => HashAlgorithmName.SHA256,
            Digest.Sha512 => HashAlgorithmName.SHA512,
            _ => throw new NotSupportedException($"The digest algorithm '{algorithm}' can't be verified: only sha256 and sha512 can."),
        });
    }

    /// <summary>Adds bytes.</summary>
    public void Append(byte[] buffer, int offset, int count) => _hash.AppendData(buffer, offset, count);

    /// <summary>Adds bytes.</summary>
    public void Append(ReadOnlyMemory<byte> content)
    {
#if NET
        _hash.AppendData(content.Span);
#else
        if (System.Runtime.InteropServices.MemoryMarshal.TryGetArray(content, out var segment)) _hash.AppendData(segment.Array!, segment.Offset, segment.Count);
        else _hash.AppendData(content.ToArray());
#endif
    }

    /// <summary>Ends the digest.</summary>
    public Digest Finish() => Digest.FromHash(_algorithm, _hash.GetHashAndReset());

    /// <inheritdoc/>
    public void Dispose() => _hash.Dispose();
}
