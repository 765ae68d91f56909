using System.Text.Json;

namespace RegistryTools.Registries;

/// <summary>A page of a list of names.</summary>
/// <param name="Items">The names, in the registry's order.</param>
/// <param name="Next">The page that follows; null for none.</param>
/// <param name="Wrong">The first entry that is no name, as it may be shown; null where all are.</param>
internal sealed record ListPage(IReadOnlyList<string> Items, Uri? Next, string? Wrong = null)
{
    /// <summary>What tells this page from others, whatever its address is.</summary>
    public ulong Fingerprint
    {
        get
        {
            // FNV-1a, with the end of each name counted.
            var hash = 14695981039346656037UL;
            foreach (var item in Items)
            {
                foreach (var c in item) hash = unchecked((hash ^ c) * 1099511628211UL);
                hash = unchecked((hash ^ 0xFFFF) * 1099511628211UL);
            }

            return hash;
        }
    }

    /// <summary>
    /// The names of a page: none where the list is null, missing or empty; what is no text in it is left out. Null where the body is no JSON object.
    /// </summary>
    public static IReadOnlyList<string>? Read(byte[] body, string property) => Read(body, property, static _ => true, out _);

    /// <summary>The same, with the first entry that is no name: it is left out too, and the list is not whole without it.</summary>
    public static IReadOnlyList<string>? Read(byte[] body, string property, Func<string, bool> isName, out string? wrong)
    {
        wrong = null;
        try
        {
            // Some services write a byte order mark, which may be passed over (RFC 8259, section 8.1).
            ReadOnlyMemory<byte> json = body;
            if (json.Span.StartsWith("\uFEFF"u8)) json = json.Slice(3);
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16 });
            if (document.RootElement.ValueKind != JsonValueKind.Object) return null;
            JsonElement? found = null;
            foreach (var member in document.RootElement.EnumerateObject())
            {
                if (!member.NameEquals(property)) continue;

                // Of two lists neither is known to be the one.
                if (found is not null) return null;
                found = member.Value;
            }

            if (found is not { } list)
            {
                // An object of another kind altogether is not an empty list.
                return document.RootElement.TryGetProperty("name", out _) ? [] : null;
            }

            if (list.ValueKind == JsonValueKind.Null) return [];
            if (list.ValueKind != JsonValueKind.Array) return null;
            var items = new List<string>(list.GetArrayLength());
            foreach (var item in list.EnumerateArray())
            {
                // Nexus lists nulls, and Artifactory manifests by their digest: they are no names, and known to mean nothing.
                if (item.ValueKind == JsonValueKind.Null || (item.ValueKind == JsonValueKind.String && References.Digest.TryParse(item.GetString(), out _))) continue;
                if (item.ValueKind == JsonValueKind.String && item.GetString() is { Length: > 0 } text && isName(text)) items.Add(text);
                else wrong ??= Text.Shown.Short(item.GetRawText());
            }

            return items;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
