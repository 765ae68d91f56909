using System.Globalization;
using System.Text;
using System.Text.Json;
using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.References;

namespace RegistryTools.Deletion;

/// <summary>A tag as it was before a placeholder was pushed over it.</summary>
/// <param name="Tag">The tag.</param>
/// <param name="Digest">The manifest that it pointed to.</param>
/// <param name="MediaType">That manifest's media type.</param>
public sealed record OriginalTag(string Tag, Digest Digest, string MediaType);

/// <summary>
/// The unique, empty image that is pushed over tags so that deleting it by digest removes those tags and nothing else, on a registry
/// that does not delete a tag by name. It names itself: its annotations tell the run, and for every tag that it was made for the manifest that
/// the tag pointed to, so that whoever finds it after a crash, on whatever machine, can finish or undo the deletion.
/// </summary>
public sealed class PlaceholderManifest
{
    /// <summary>The annotation that tells a placeholder from everything else; its value is the run's id.</summary>
    public const string AnnotationKey = "io.github.registrytools.placeholder";

    /// <summary>The annotation that holds the tags as they were: JSON, a list of objects with tag, digest and mediaType.</summary>
    public const string TagsKey = "io.github.registrytools.placeholder.tags";

    private const string CreatedKey = "org.opencontainers.image.created";
    private const string DescriptionKey = "org.opencontainers.image.description";

    // A whole, valid image configuration, so that no registry that looks at it has cause to refuse it. The same in every run: where it
    // is in a repository already it is not sent again. What makes a placeholder unique is in its annotations.
    private static readonly byte[] ConfigBytes = Encoding.UTF8.GetBytes("{\"architecture\":\"amd64\",\"config\":{},\"history\":[],\"os\":\"linux\",\"rootfs\":{\"diff_ids\":[],\"type\":\"layers\"}}");

    private PlaceholderManifest(Manifest manifest, string runId, DateTimeOffset? created, IReadOnlyList<OriginalTag> tags)
    {
        Manifest = manifest;
        RunId = runId;
        Created = created;
        Tags = tags;
    }

    /// <summary>The configuration that every placeholder refers to and that must be in the repository before it.</summary>
    public static ReadOnlyMemory<byte> Config => ConfigBytes;

    /// <summary>The digest of <see cref="Config"/>.</summary>
    public static Digest ConfigDigest { get; } = Digest.Compute(ConfigBytes);

    /// <summary>The manifest itself.</summary>
    public Manifest Manifest { get; }

    /// <summary>Its digest.</summary>
    public Digest Digest => Manifest.Digest;

    /// <summary>The run that made it.</summary>
    public string RunId { get; }

    /// <summary>When it was made; null where it does not say.</summary>
    public DateTimeOffset? Created { get; }

    /// <summary>The tags that it was made for, as they were.</summary>
    public IReadOnlyList<OriginalTag> Tags { get; }

    /// <summary>Makes a placeholder that no other equals.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="tags">The tags that it is to be pushed over.</param>
    /// <remarks>It is an OCI manifest where any of the tags is one, else a Docker manifest: a kind that this registry is known to take.</remarks>
    public static PlaceholderManifest Create(string runId, IReadOnlyList<OriginalTag> tags)
    {
        var oci = tags.Any(tag => tag.MediaType.StartsWith("application/vnd.oci.", StringComparison.Ordinal));
        var mediaType = oci ? MediaTypes.OciManifest : MediaTypes.DockerManifest;
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("schemaVersion", 2);
            json.WriteString("mediaType", mediaType);
            json.WriteStartObject("config");
            json.WriteString("mediaType", oci ? MediaTypes.OciConfig : MediaTypes.DockerConfig);
            json.WriteNumber("size", ConfigBytes.Length);
            json.WriteString("digest", ConfigDigest.ToString());
            json.WriteEndObject();
            json.WriteStartArray("layers");
            json.WriteEndArray();
            json.WriteStartObject("annotations");
            json.WriteString(AnnotationKey, runId + "-" + Guid.NewGuid().ToString("N"));
            json.WriteString(CreatedKey, DateTimeOffset.UtcNow.UtcDateTime.ToString("o", CultureInfo.InvariantCulture));
            json.WriteString(DescriptionKey, "Stands over tags that RegistryTools is deleting. Left behind by an interrupted run, it is finished or undone by Remove-RegistryTag or Restore-RegistryTag.");
            json.WriteString(TagsKey, WriteTags(tags));
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return Recognize(Manifest.Parse(buffer.ToArray(), mediaType)) ?? throw new InvalidOperationException("A placeholder does not recognise itself.");
    }

    /// <summary>Reads a placeholder; null where the manifest is none. What it says of tags that can't be read is left out.</summary>
    public static PlaceholderManifest? Recognize(Manifest manifest)
    {
        if (manifest.Kind != ManifestKind.Image || manifest.Layers.Count != 0 || manifest.Config?.Digest != ConfigDigest) return null;
        if (!manifest.Annotations.TryGetValue(AnnotationKey, out var id) || id.Length == 0) return null;
        var hyphen = id.IndexOf('-');
        manifest.Annotations.TryGetValue(TagsKey, out var tags);
        DateTimeOffset? created = manifest.Annotations.TryGetValue(CreatedKey, out var text)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
        return new PlaceholderManifest(manifest, hyphen < 0 ? id : id.Substring(0, hyphen), created, ReadTags(tags));
    }

    private static string WriteTags(IReadOnlyList<OriginalTag> tags)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var tag in tags)
            {
                json.WriteStartObject();
                json.WriteString("tag", tag.Tag);
                json.WriteString("digest", tag.Digest.ToString());
                json.WriteString("mediaType", tag.MediaType);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    internal static List<OriginalTag> ReadTags(string? text)
    {
        var tags = new List<OriginalTag>();
        if (text is null) return tags;
        try
        {
            using var document = JsonReading.ParseObject(Encoding.UTF8.GetBytes("{\"tags\":" + text + "}"), "The placeholder's list of tags");
            foreach (var item in document.RootElement.Items("tags", "The placeholder"))
            {
                if (item.ValueKind == JsonValueKind.Object
                    && item.Text("tag", "A tag") is { } tag && TagName.IsValid(tag)
                    && Digest.TryParse(item.Text("digest", "A tag"), out var digest))
                {
                    tags.Add(new OriginalTag(tag, digest, item.Text("mediaType", "A tag") ?? string.Empty));
                }
            }
        }
        catch (ManifestFormatException)
        {
            // Whoever wrote it, it is still a placeholder; it only tells less.
        }

        return tags;
    }
}
