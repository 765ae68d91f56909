using System.Text.Json;
using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.Storage;
using RegistryTools.Text;

namespace RegistryTools.GarbageCollection;

/// <summary>What a manifest says of something that it needs.</summary>
/// <param name="Key">Its digest.</param>
/// <param name="Size">Its bytes; -1 where it is not told.</param>
/// <param name="IsForeign">Whether it is fetched from elsewhere, so that the registry need not have it.</param>
internal readonly record struct ManifestReference(Sha256Key Key, long Size, bool IsForeign);

/// <summary>
/// What a manifest needs, read without building it. A manifest that is two kinds at once needs what both would: here too much is right and too little is not.
/// </summary>
internal sealed class ManifestReferences
{
    private static readonly string[] Names = ["mediaType", "config", "layers", "manifests", "subject", "annotations", "digest", "blobs", "fsLayers", "blobSum", "size"];

    private ManifestReferences()
    {
    }

    /// <summary>Configuration and layers.</summary>
    public ManifestReference[] Blobs { get; private set; } = [];

    /// <summary>What an index lists.</summary>
    public ManifestReference[] Manifests { get; private set; } = [];

    /// <summary>What an index lists under a media type that is no manifest's: build caches list layers so.</summary>
    public ManifestReference[] Others { get; private set; } = [];

    /// <summary>The manifest that this one belongs to.</summary>
    public Sha256Key? Subject { get; private set; }

    /// <summary>Whether it lists manifests.</summary>
    public bool IsIndex { get; private set; }

    /// <summary>Whether it is of schema 1.</summary>
    public bool IsSchema1 { get; private set; }

    /// <summary>Whether it is of no known kind, so that what it needs can't be told.</summary>
    public bool IsUnknown { get; private set; }

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="ManifestFormatException">The bytes are no manifest.</exception>
    public static ManifestReferences Parse(ReadOnlySpan<byte> json, DigestTable digests)
    {
        try
        {
            return Read(json, digests);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new ManifestFormatException($"it is not JSON: {Shown.Short(exception.Message, 200)}", exception);
        }
    }

    private static ManifestReferences Read(ReadOnlySpan<byte> json, DigestTable digests)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 64 });
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw new ManifestFormatException("it is not a JSON object");
        string? mediaType = null;
        List<ManifestReference>? blobs = null;
        List<ManifestReference>? manifests = null;
        List<ManifestReference>? others = null;
        Sha256Key? subject = null;
        var known = false;
        var schema1 = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = Name(ref reader);
            if (name == "mediaType")
            {
                reader.Read();
                mediaType = reader.TokenType == JsonTokenType.String ? MediaTypes.Essence(reader.GetString()) : null;
                if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray) reader.Skip();
            }
            else if (name == "config")
            {
                reader.Read();
                if (Descriptor(ref reader, digests, "digest", out var reference, out _))
                {
                    (blobs ??= []).Add(reference);
                    known = true;
                }
            }
            else if (name == "subject")
            {
                reader.Read();
                if (Descriptor(ref reader, digests, "digest", out var reference, out _)) subject = reference.Key;
            }
            else if (name is "layers" or "blobs")
            {
                reader.Read();
                if (Array(ref reader, digests, "digest", blobs ??= [], null)) known = true;
            }
            else if (name == "fsLayers")
            {
                reader.Read();
                if (Array(ref reader, digests, "blobSum", blobs ??= [], null)) known = schema1 = true;
            }
            else if (name == "manifests")
            {
                reader.Read();
                if (Array(ref reader, digests, "digest", manifests ??= [], others ??= [])) known = true;
                else manifests = null;
            }
            else if (name == "annotations")
            {
                reader.Read();
                Annotations(ref reader, digests, ref others);
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        if (reader.TokenType != JsonTokenType.EndObject) throw new ManifestFormatException("it is cut short");
        while (reader.Read())
        {
        }

        return new ManifestReferences
        {
            Blobs = blobs is null ? [] : [.. blobs],
            Manifests = manifests is null ? [] : [.. manifests],
            Others = others is null ? [] : [.. others],
            Subject = subject,
            IsIndex = manifests is not null,
            IsSchema1 = schema1,
            IsUnknown = !known || (mediaType is not null && !MediaTypes.IsManifest(mediaType)),
        };
    }

    /// <summary>Reads a list of descriptors; false where there is none.</summary>
    private static bool Array(ref Utf8JsonReader reader, DigestTable digests, string name, List<ManifestReference> into, List<ManifestReference>? others)
    {
        if (reader.TokenType == JsonTokenType.Null) return false;
        if (reader.TokenType != JsonTokenType.StartArray) throw new ManifestFormatException("a list in it is not a list");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (!Descriptor(ref reader, digests, name, out var reference, out var isOther)) throw new ManifestFormatException("a list in it has an empty item");
            if (isOther && others is not null) others.Add(reference);
            else into.Add(reference);
        }

        return true;
    }

    /// <summary>Reads a descriptor; false for null.</summary>
    private static bool Descriptor(ref Utf8JsonReader reader, DigestTable digests, string name, out ManifestReference reference, out bool isOther)
    {
        reference = default;
        isOther = false;
        Sha256Key key = default;
        long size = -1;
        var isForeign = false;
        if (reader.TokenType == JsonTokenType.Null) return false;
        if (reader.TokenType != JsonTokenType.StartObject) throw new ManifestFormatException("a descriptor in it is not an object");
        var found = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var property = Name(ref reader);
            if (property == name)
            {
                reader.Read();
                if (reader.TokenType != JsonTokenType.String) throw new ManifestFormatException("a digest in it is not a string");
                if (found) throw new ManifestFormatException("a descriptor in it has two digests");
                found = reader.ValueIsEscaped
                    ? digests.TryKey(System.Text.Encoding.UTF8.GetBytes(reader.GetString()!), out key)
                    : digests.TryKey(reader.ValueSpan, out key);
                if (!found) throw new ManifestFormatException($"'{Shown.Short(reader.GetString())}' in it is not a digest");
            }
            else if (property == "mediaType")
            {
                reader.Read();
                if (reader.TokenType == JsonTokenType.String)
                {
                    isOther = reader.ValueSpan.Length > 0 && !IsManifest(ref reader);
                    isForeign = isOther && (reader.ValueSpan.IndexOf(".foreign."u8) >= 0 || reader.ValueSpan.IndexOf(".nondistributable."u8) >= 0);
                }
                else
                {
                    reader.Skip();
                }
            }
            else if (property == "size")
            {
                reader.Read();
                if (reader.TokenType != JsonTokenType.Number) reader.Skip();
                else if (reader.TryGetInt64(out var number) && number >= 0) size = number;
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }

        if (!found) throw new ManifestFormatException("a descriptor in it has no digest");
        reference = new ManifestReference(key, size, isForeign);
        return true;
    }

    /// <summary>
    /// Reads annotations. A placeholder, which an interrupted removal of tags leaves over them, tells what they are put back to; that it is gone is no harm.
    /// </summary>
    private static void Annotations(ref Utf8JsonReader reader, DigestTable digests, ref List<ManifestReference>? others)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isTags = reader.ValueTextEquals(PlaceholderManifest.TagsKey);
            reader.Read();
            if (!isTags || reader.TokenType != JsonTokenType.String) reader.Skip();
            else foreach (var tag in PlaceholderManifest.ReadTags(reader.GetString())) (others ??= []).Add(new ManifestReference(digests.Key(tag.Digest), -1, false));
        }
    }

    /// <summary>
    /// A property's name, where it is one that means something here. Registries and clients that are written in Go take names without regard to case, and two letters beyond ASCII for their likes.
    /// </summary>
    private static string? Name(ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("digest"u8)) return "digest";
        if (reader.ValueTextEquals("mediaType"u8)) return "mediaType";
        if (reader.ValueTextEquals("size"u8)) return "size";
        var length = reader.ValueSpan.Length;

        // The two letters take two and three bytes, and an escaped one six.
        if (length is < 4 or > 128) return null;
        if (length > 11 && !reader.ValueIsEscaped && reader.ValueSpan.IndexOf((byte)0xC5) < 0 && reader.ValueSpan.IndexOf((byte)0xE2) < 0) return null;
        var text = reader.GetString()!.Replace('\u017F', 's').Replace('\u212A', 'k');
        return System.Array.Find(Names, name => string.Equals(name, text, StringComparison.OrdinalIgnoreCase));
    }

    private static bool IsManifest(ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("application/vnd.oci.image.manifest.v1+json"u8)
        || reader.ValueTextEquals("application/vnd.docker.distribution.manifest.v2+json"u8)
        || MediaTypes.IsManifest(MediaTypes.Essence(reader.GetString()));
}
