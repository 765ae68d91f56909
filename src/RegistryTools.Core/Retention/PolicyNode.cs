using System.Text;
using System.Text.Json;

namespace RegistryTools.Retention;

/// <summary>A piece of JSON that knows its line, which a document of the library does not: what is wrong is to be found in the file.</summary>
internal sealed class PolicyNode(JsonValueKind kind, int line, string text)
{
    public JsonValueKind Kind { get; } = kind;

    public int Line { get; } = line;

    /// <summary>A text's characters, a number's digits.</summary>
    public string Text { get; } = text;

    public List<PolicyNode> Items { get; } = [];

    public List<(string Name, PolicyNode Value)> Members { get; } = [];

    public PolicyNode? Find(string name) => Members.Find(member => member.Name == name).Value;

    /// <summary>Reads it.</summary>
    /// <exception cref="JsonException">It is no JSON.</exception>
    public static PolicyNode Parse(ReadOnlySpan<byte> json)
    {
        if (json.StartsWith("\uFEFF"u8)) json = json.Slice(3);

        // As Windows PowerShell writes a file where it is not told otherwise.
        else if (json.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE])) json = Encoding.UTF8.GetBytes(Encoding.Unicode.GetString(json.Slice(2).ToArray()));
        else if (json.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF])) json = Encoding.UTF8.GetBytes(Encoding.BigEndianUnicode.GetString(json.Slice(2).ToArray()));
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 16 });
        try
        {
            if (!reader.Read()) throw new JsonException("It is empty.");
            var place = new Place();
            var root = Read(ref reader, json, place);
            if (reader.Read()) throw new JsonException("There is more after its end.");
            return root;
        }
        catch (InvalidOperationException exception)
        {
            throw new JsonException("A text in it is not valid Unicode.", exception);
        }
    }

    private static PolicyNode Read(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, Place place)
    {
        var start = (int)reader.TokenStartIndex;
        foreach (var b in json.Slice(place.Position, start - place.Position))
        {
            if (b == '\n') place.Line++;
        }

        place.Position = start;
        var line = place.Line;
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var members = new PolicyNode(JsonValueKind.Object, line, string.Empty);
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    var name = reader.GetString()!;
                    reader.Read();
                    members.Members.Add((name, Read(ref reader, json, place)));
                }

                return members;
            case JsonTokenType.StartArray:
                var items = new PolicyNode(JsonValueKind.Array, line, string.Empty);
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) items.Items.Add(Read(ref reader, json, place));
                return items;
            case JsonTokenType.String:
                return new PolicyNode(JsonValueKind.String, line, reader.GetString()!);
            case JsonTokenType.Number:
                return new PolicyNode(JsonValueKind.Number, line, Encoding.UTF8.GetString(reader.ValueSpan.ToArray()));
            default:
                return new PolicyNode(reader.TokenType == JsonTokenType.True ? JsonValueKind.True : reader.TokenType == JsonTokenType.False ? JsonValueKind.False : JsonValueKind.Null, line, string.Empty);
        }
    }

    /// <summary>How far its lines are counted.</summary>
    private sealed class Place
    {
        public int Position { get; set; }

        public int Line { get; set; } = 1;
    }
}
