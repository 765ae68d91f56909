using System.Text;

namespace RegistryTools.Fuzz;

/// <summary>Makes inputs out of others. The same seed makes the same ones.</summary>
public sealed class Mutator(int seed)
{
    private static readonly string[] Numbers = ["0", "-1", "1", "9", "255", "256", "65536", "2147483647", "2147483648", "4294967296", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1e9", "1e400", "0x10", "00", "1.5", "NaN"];
    private static readonly byte[][] Bytes = [[0], [0xFF], [0x80], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xEF, 0xBB, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0x7F], [0x0D, 0x0A], [0x09], "\u202E"u8.ToArray(), "İ"u8.ToArray(), "\\ud800"u8.ToArray(), "\\u0000"u8.ToArray()];
    private readonly Random _random = new(seed);

    /// <summary>An input out of the corpus, changed in a few places.</summary>
    public byte[] Next(IReadOnlyList<byte[]> corpus, string[] words)
    {
        var input = new List<byte>(corpus[_random.Next(corpus.Count)]);
        for (var times = 1 + _random.Next(_random.Next(4) == 0 ? 12 : 4); times > 0; times--) Change(input, corpus, words);
        if (input.Count > 64 * 1024) input.RemoveRange(64 * 1024, input.Count - (64 * 1024));
        return [.. input];
    }

    private void Change(List<byte> input, IReadOnlyList<byte[]> corpus, string[] words)
    {
        var at = _random.Next(input.Count + 1);
        switch (_random.Next(12))
        {
            case 0 when input.Count > 0:
                input[_random.Next(input.Count)] ^= (byte)(1 << _random.Next(8));
                break;
            case 1 when input.Count > 0:
                input[_random.Next(input.Count)] = (byte)_random.Next(256);
                break;
            case 2 when input.Count > 0:
                var from = _random.Next(input.Count);
                input.RemoveRange(from, Math.Min(input.Count - from, 1 + _random.Next(_random.Next(3) == 0 ? 64 : 4)));
                break;
            case 3 when input.Count > 0:
                // A piece again, perhaps many times: nesting and repetition.
                var start = _random.Next(input.Count);
                var piece = input.GetRange(start, Math.Min(input.Count - start, 1 + _random.Next(24)));
                for (var times = _random.Next(20) == 0 ? _random.Next(2000) : 1 + _random.Next(3); times > 0; times--) input.InsertRange(at, piece);
                break;
            case 4:
                input.InsertRange(at, Bytes[_random.Next(Bytes.Length)]);
                break;
            case 5:
                Replace(input, "0123456789", Encoding.ASCII.GetBytes(Numbers[_random.Next(Numbers.Length)]));
                break;
            case 6 when corpus.Count > 1:
                // The end of another.
                var other = corpus[_random.Next(corpus.Count)];
                input.RemoveRange(at, input.Count - at);
                if (other.Length > 0) input.AddRange(other.AsSpan(_random.Next(other.Length)));
                break;
            case 7 when input.Count > 0:
                input.RemoveRange(at, input.Count - at);
                break;
            case 8:
                // All of one kind of character in a row exchanged for a word: keeps the rest of the grammar whole.
                Replace(input, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", Encoding.UTF8.GetBytes(words[_random.Next(words.Length)]));
                break;
            default:
                input.InsertRange(at, Encoding.UTF8.GetBytes(words[_random.Next(words.Length)]));
                break;
        }
    }

    private void Replace(List<byte> input, string characters, byte[] with)
    {
        if (input.Count == 0) return;
        var at = _random.Next(input.Count);
        while (at < input.Count && !characters.Contains((char)input[at])) at++;
        var end = at;
        while (end < input.Count && characters.Contains((char)input[end])) end++;
        input.RemoveRange(at, end - at);
        input.InsertRange(at, with);
    }
}
