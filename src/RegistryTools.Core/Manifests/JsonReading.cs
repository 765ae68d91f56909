using System.Globalization;
using System.Text.Json;
using RegistryTools.Errors;
using RegistryTools.References;

namespace RegistryTools.Manifests;

/// <summary>
/// Reading JSON that strangers wrote: by hand over a document, not by a serializer, so that each thing wrong is named and nothing but
/// <see cref="ManifestFormatException"/> leaves.
/// </summary>
internal static class JsonReading
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 64, CommentHandling = JsonCommentHandling.Disallow };

    public static JsonDocument ParseObject(ReadOnlyMemory<byte> raw, string what)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(raw, Options);
        }
        catch (JsonException exception)
        {
            throw new ManifestFormatException($"{what} is not JSON: {RegistryTools.Text.Shown.Short(exception.Message, 200)}", exception);
        }

        if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
        var kind = document.RootElement.ValueKind;
        document.Dispose();
        throw new ManifestFormatException($"{what} is not a JSON object but {kind}.");
    }

    public static bool Find(this JsonElement element, string name, out JsonElement value)
    {
        if (element.Has(name, out value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined)) return true;
        value = default;
        return false;
    }

    /// <summary>Whether the property is there, be it null.</summary>
    public static bool Has(this JsonElement element, string name, out JsonElement value)
    {
        value = default;
        try
        {
            return element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out value);
        }
        catch (InvalidOperationException exception)
        {
            // Names are compared unescaped, and an escape can be half a character.
            throw new ManifestFormatException($"The name of a property beside '{name}' is not valid Unicode.", exception);
        }
    }

    public static string? Text(this JsonElement element, string name, string what)
    {
        if (!element.Find(name, out var value)) return null;
        return TextOf(value, what + "'s " + name);
    }

    public static string TextOf(JsonElement value, string what)
    {
        if (value.ValueKind != JsonValueKind.String) throw new ManifestFormatException($"{what} is not a string but {value.ValueKind}.");
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException exception)
        {
            throw new ManifestFormatException($"{what} is not valid Unicode.", exception);
        }
    }

    public static long? Number(this JsonElement element, string name, string what)
    {
        if (!element.Find(name, out var value)) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number)) return number;
        throw new ManifestFormatException($"{what}'s {name} is not a whole number.");
    }

    public static IEnumerable<JsonElement> Items(this JsonElement element, string name, string what)
    {
        if (!element.Find(name, out var value)) return [];
        if (value.ValueKind != JsonValueKind.Array) throw new ManifestFormatException($"{what}'s {name} is not a list but {value.ValueKind}.");
        return value.EnumerateArray();
    }

    public static List<string> Texts(this JsonElement element, string name, string what)
    {
        var texts = new List<string>();
        foreach (var item in element.Items(name, what)) texts.Add(TextOf(item, $"An item of {what}'s {name}"));
        return texts;
    }

    public static Dictionary<string, string> Map(this JsonElement element, string name, string what)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!element.Find(name, out var value)) return map;
        if (value.ValueKind != JsonValueKind.Object) throw new ManifestFormatException($"{what}'s {name} is not an object but {value.ValueKind}.");
        try
        {
            foreach (var property in value.EnumerateObject())
            {
                map[property.Name] = property.Value.ValueKind == JsonValueKind.Null ? string.Empty : TextOf(property.Value, $"{what}'s {name} '{Shorten(property.Name)}'");
            }
        }
        catch (InvalidOperationException exception)
        {
            throw new ManifestFormatException($"{what}'s {name} has a name that is not valid Unicode.", exception);
        }

        return map;
    }

    public static DateTimeOffset? Time(this JsonElement element, string name, string what)
    {
        var text = element.Text(name, what);
        if (string.IsNullOrEmpty(text)) return null;
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : null;
    }

    public static Digest DigestOf(string? text, string what)
    {
        if (text is null) throw new ManifestFormatException($"{what} has no digest.");
        return Digest.TryParse(text, out var digest) ? digest : throw new ManifestFormatException($"{what}'s digest '{Shorten(text)}' is not a digest.");
    }

    public static Descriptor DescriptorOf(JsonElement element, string what)
    {
        if (element.ValueKind != JsonValueKind.Object) throw new ManifestFormatException($"{what} is not an object but {element.ValueKind}.");
        var told = element.Number("size", what);
        if (told < 0) throw new ManifestFormatException($"{what}'s size is negative.");
        Platform? platform = null;
        if (element.Find("platform", out var p))
        {
            platform = new Platform(
                p.Text("os", what + "'s platform") ?? string.Empty,
                p.Text("architecture", what + "'s platform") ?? string.Empty,
                p.Text("variant", what + "'s platform"),
                p.Text("os.version", what + "'s platform"));
        }

        return new Descriptor(element.Text("mediaType", what) ?? string.Empty, DigestOf(element.Text("digest", what), what), told ?? -1)
        {
            Platform = platform,
            ArtifactType = element.Text("artifactType", what),
            Urls = element.Texts("urls", what),
            Annotations = element.Map("annotations", what),
        };
    }

    private static string Shorten(string text) => RegistryTools.Text.Shown.Short(text);
}
