using System.Text.Json;

namespace RegistryTools.Registries;

/// <summary>A page of a list of names.</summary>
internal sealed record ListPage(IReadOnlyList<string> Items, Uri? Next)
{
    /// <summary>
    /// The names of a page: none where the list is null, missing or empty; what is no text in it is left out. Null where the body is no JSON object.
    /// </summary>
    public static IReadOnlyList<string>? Read(byte[] body, string property)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 16 });
            if (document.RootElement.ValueKind != JsonValueKind.Object) return null;
            if (!document.RootElement.TryGetProperty(property, out var list))
            {
                // An object of another kind altogether is not an empty list.
                return document.RootElement.TryGetProperty("name", out _) ? [] : null;
            }

            if (list.ValueKind == JsonValueKind.Null) return [];
            if (list.ValueKind != JsonValueKind.Array) return null;
            var items = new List<string>(list.GetArrayLength());
            foreach (var item in list.EnumerateArray())
            {
                if (item.ValueKind == JsonValueKind.String && item.GetString() is { Length: > 0 } text) items.Add(text);
            }

            return items;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
