using System.Buffers.Binary;

namespace RegistryTools.Storage;

/// <summary>The 32 bytes of a sha256 digest as a value: a storage has hundreds of thousands of them, and as strings they would be ten times as large.</summary>
internal readonly struct Sha256Key : IEquatable<Sha256Key>
{
    private readonly ulong _first;
    private readonly ulong _second;
    private readonly ulong _third;
    private readonly ulong _fourth;

    private Sha256Key(ulong first, ulong second, ulong third, ulong fourth)
    {
        _first = first;
        _second = second;
        _third = third;
        _fourth = fourth;
    }

    public static bool operator ==(Sha256Key left, Sha256Key right) => left.Equals(right);

    public static bool operator !=(Sha256Key left, Sha256Key right) => !left.Equals(right);

    /// <summary>The key of 32 bytes.</summary>
    public static Sha256Key FromHash(ReadOnlySpan<byte> hash) => new(
        BinaryPrimitives.ReadUInt64BigEndian(hash),
        BinaryPrimitives.ReadUInt64BigEndian(hash.Slice(8)),
        BinaryPrimitives.ReadUInt64BigEndian(hash.Slice(16)),
        BinaryPrimitives.ReadUInt64BigEndian(hash.Slice(24)));

    /// <summary>Reads 64 lower-case hexadecimal digits.</summary>
    public static bool TryParse(ReadOnlySpan<byte> hex, out Sha256Key key)
    {
        key = default;
        if (hex.Length != 64 || !Part(hex, 0, out var a) || !Part(hex, 16, out var b) || !Part(hex, 32, out var c) || !Part(hex, 48, out var d)) return false;
        key = new Sha256Key(a, b, c, d);
        return true;
    }

    /// <summary>Reads 64 lower-case hexadecimal digits.</summary>
    public static bool TryParse(ReadOnlySpan<char> hex, out Sha256Key key)
    {
        key = default;
        if (hex.Length != 64) return false;
        Span<byte> bytes = stackalloc byte[64];
        for (var i = 0; i < 64; i++)
        {
            if (hex[i] > 'f') return false;
            bytes[i] = (byte)hex[i];
        }

        return TryParse(bytes, out key);
    }

    public bool Equals(Sha256Key other) => _first == other._first && _second == other._second && _third == other._third && _fourth == other._fourth;

    public override bool Equals(object? obj) => obj is Sha256Key other && Equals(other);

    public override int GetHashCode() => unchecked((int)_first ^ (int)(_fourth >> 32));

    /// <summary>The 64 digits.</summary>
    public override string ToString()
    {
        var text = new char[64];
        Write(_first, text, 0);
        Write(_second, text, 16);
        Write(_third, text, 32);
        Write(_fourth, text, 48);
        return new string(text);
    }

    private static void Write(ulong value, char[] text, int at)
    {
        for (var i = 15; i >= 0; i--)
        {
            text[at + i] = "0123456789abcdef"[(int)(value & 15)];
            value >>= 4;
        }
    }

    private static bool Part(ReadOnlySpan<byte> hex, int at, out ulong value)
    {
        value = 0;
        for (var i = at; i < at + 16; i++)
        {
            int c = hex[i];
            int nibble;
            if ((uint)(c - '0') <= 9) nibble = c - '0';
            else if ((uint)(c - 'a') <= 5) nibble = c - 'a' + 10;
            else return false;
            value = (value << 4) | (uint)nibble;
        }

        return true;
    }
}
