using System.Text;

namespace RegistryTools.Containers;

/// <summary>Makes lines of bytes that come in pieces. A line of more than a megabyte is cut.</summary>
internal sealed class LineReader(Action<string> line)
{
    private const int Longest = 1024 * 1024;
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();
    private readonly StringBuilder _rest = new();
    private readonly char[] _characters = new char[16 * 1024 + 8];

    public void Add(byte[] bytes, int offset, int count)
    {
        while (count > 0)
        {
            var some = Math.Min(count, 16 * 1024);
            var length = _decoder.GetChars(bytes, offset, some, _characters, 0);
            offset += some;
            count -= some;
            var from = 0;
            for (var i = 0; i < length; i++)
            {
                if (_characters[i] != '\n') continue;
                _rest.Append(_characters, from, i - from);
                from = i + 1;
                Flush();
            }

            if (_rest.Length < Longest) _rest.Append(_characters, from, length - from);
        }
    }

    public void End()
    {
        if (_rest.Length > 0) Flush();
    }

    private void Flush()
    {
        var text = _rest.ToString().TrimEnd('\r');
        _rest.Clear();
        line(text);
    }
}
