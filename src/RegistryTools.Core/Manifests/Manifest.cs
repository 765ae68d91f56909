using System.Text.Json;
using RegistryTools.Errors;
using RegistryTools.References;

namespace RegistryTools.Manifests;

/// <summary>What kind of manifest it is.</summary>
public enum ManifestKind
{
    /// <summary>A media type that this library does not know: carried raw, with nothing read out of it.</summary>
    Unknown,

    /// <summary>An image or artifact manifest: a config and layers (Docker schema 2, OCI), or blobs (OCI artifact manifest).</summary>
    Image,

    /// <summary>An index (OCI) or manifest list (Docker): it lists other manifests.</summary>
    Index,

    /// <summary>A Docker image manifest of schema 1.</summary>
    Schema1,
}

/// <summary>A manifest: its bytes as they came, their digest, and what was read out of them. The bytes are never written anew.</summary>
public sealed class Manifest
{
    /// <summary>The largest manifest that registries must take, and the most that is read by default: 4 MiB.</summary>
    public const int DefaultMaximumSize = 4 * 1024 * 1024;

    private Manifest(ReadOnlyMemory<byte> raw, string mediaType, Digest digest, ManifestKind kind)
    {
        Raw = raw;
        MediaType = mediaType;
        Digest = digest;
        Kind = kind;
    }

    /// <summary>The bytes as they came.</summary>
    public ReadOnlyMemory<byte> Raw { get; }

    /// <summary>The media type under which it is served and must be pushed.</summary>
    public string MediaType { get; }

    /// <summary>The digest of the bytes.</summary>
    public Digest Digest { get; }

    /// <summary>What kind of manifest it is.</summary>
    public ManifestKind Kind { get; }

    /// <summary>1 or 2; 0 where it says nothing.</summary>
    public int SchemaVersion { get; private set; }

    /// <summary>The kind of artifact: its own artifactType, else its config's media type where that is not an image's; or null.</summary>
    public string? ArtifactType { get; private set; }

    /// <summary>The configuration of an image manifest.</summary>
    public Descriptor? Config { get; private set; }

    /// <summary>The layers of an image manifest, base first; the blobs of an artifact manifest; for schema 1, those in its order reversed, sizes unknown.</summary>
    public IReadOnlyList<Descriptor> Layers { get; private set; } = [];

    /// <summary>The manifests that an index lists.</summary>
    public IReadOnlyList<Descriptor> Manifests { get; private set; } = [];

    /// <summary>The manifest that this one refers to (a signature, an SBOM), or null.</summary>
    public Descriptor? Subject { get; private set; }

    /// <summary>Free annotations.</summary>
    public IReadOnlyDictionary<string, string> Annotations { get; private set; } = new Dictionary<string, string>();

    /// <summary>Bytes of config and layers as the manifest tells them, each digest once; null where a size is not told or there is nothing to count.</summary>
    public long? ContentSize
    {
        get
        {
            if (Kind != ManifestKind.Image) return null;
            long sum = 0;
            var seen = new HashSet<Digest>();
            foreach (var blob in Blobs())
            {
                if (blob.Size < 0) return null;
                if (!seen.Add(blob.Digest)) continue;

                // No content is this large: what it says is not true, so that the sum can't be told.
                if (blob.Size > long.MaxValue - sum) return null;
                sum += blob.Size;
            }

            return sum;
        }
    }

    /// <summary>The config, where there is one, and the layers.</summary>
    public IEnumerable<Descriptor> Blobs()
    {
        if (Config is not null) yield return Config;
        foreach (var layer in Layers) yield return layer;
    }

    /// <summary>
    /// Reads a manifest. The media type is the one it was served under where that names a manifest, else the one in the document, else
    /// the one its shape tells. An unknown media type is carried raw.
    /// </summary>
    /// <param name="raw">The bytes; kept, not copied.</param>
    /// <param name="contentType">The media type it was served under, or null.</param>
    /// <param name="expected">The digest it must have, or null.</param>
    /// <exception cref="DigestMismatchException">The bytes do not hash to <paramref name="expected"/>.</exception>
    /// <exception cref="ManifestFormatException">
    /// The bytes are not what the media type says, or are two kinds at once (image-spec GHSA-77vh-xpmg-72qh): what such a manifest needs
    /// can't be told.
    /// </exception>
    public static Manifest Parse(ReadOnlyMemory<byte> raw, string? contentType, Digest? expected = null)
    {
        var algorithm = expected is { CanVerify: true } ? expected.Algorithm : Digest.Sha256;
        var served = MediaTypes.Essence(contentType);
        var generic = served is null or "application/json" or "text/plain" or "application/octet-stream" or "text/json";
        var digest = Digest.Compute(algorithm, raw);
        var signed = false;
        var content = raw;
        if ((generic || served == MediaTypes.DockerSchema1Signed) && digest != expected && Schema1Payload(raw) is { } payload)
        {
            // What is read is what the digest is of: beside it, anything could be put.
            signed = true;
            content = payload;
            digest = Digest.Compute(algorithm, payload);
        }

        if (expected is not null && expected.CanVerify && expected != digest) throw new DigestMismatchException("the manifest", expected.ToString(), digest.ToString());
        if (!generic && !MediaTypes.IsManifest(served)) return new Manifest(raw, served!, digest, ManifestKind.Unknown);

        using var document = JsonReading.ParseObject(content, "The manifest");
        var root = document.RootElement;
        var stated = MediaTypes.Essence(root.Text("mediaType", "The manifest"));
        var version = root.Number("schemaVersion", "The manifest") ?? 0;
        string mediaType;
        if (!generic) mediaType = served!;
        else if (signed) mediaType = MediaTypes.DockerSchema1Signed;
        else if (MediaTypes.IsManifest(stated)) mediaType = stated!;
        else if (stated is not null) return new Manifest(raw, stated, digest, ManifestKind.Unknown);
        else if (Shape(root, version) is { } shape) mediaType = shape;
        else return new Manifest(raw, served ?? "application/json", digest, ManifestKind.Unknown);

        if (stated is not null && MediaTypes.IsManifest(stated) && MediaTypes.IsIndex(stated) != MediaTypes.IsIndex(mediaType))
        {
            throw new ManifestFormatException($"The manifest {digest} says that it is {stated} but was served as {mediaType}.");
        }

        var isIndex = MediaTypes.IsIndex(mediaType);
        var isSchema1 = MediaTypes.IsSchema1(mediaType);
        var hasManifests = root.Has("manifests", out var manifests) && (isIndex || manifests.ValueKind != JsonValueKind.Null);
        var hasImage = root.Find("config", out _) || root.Find("layers", out _) || root.Find("blobs", out _);
        if (isIndex ? hasImage || root.Find("fsLayers", out _) : hasManifests)
        {
            throw new ManifestFormatException($"The manifest {digest}, served as {mediaType}, is an image and an index at once. What it needs can't be told.");
        }

        var manifest = new Manifest(raw, mediaType, digest, isIndex ? ManifestKind.Index : isSchema1 ? ManifestKind.Schema1 : ManifestKind.Image)
        {
            SchemaVersion = version is 1 or 2 ? (int)version : 0,
            ArtifactType = root.Text("artifactType", "The manifest"),
            Annotations = root.Map("annotations", "The manifest"),
        };
        if (root.Find("subject", out var subject)) manifest.Subject = JsonReading.DescriptorOf(subject, "The manifest's subject");
        if (isIndex)
        {
            if (!hasManifests) throw new ManifestFormatException($"The index {digest} has no list of manifests.");
            manifest.Manifests = Descriptors(root, "manifests");
        }
        else if (isSchema1)
        {
            manifest.Layers = Schema1Layers(root);
        }
        else
        {
            if (root.Find("config", out var config)) manifest.Config = JsonReading.DescriptorOf(config, "The manifest's config");
            else if (mediaType != MediaTypes.OciArtifactManifest) throw new ManifestFormatException($"The manifest {digest} has no config.");
            manifest.Layers = Descriptors(root, mediaType == MediaTypes.OciArtifactManifest ? "blobs" : "layers");
            manifest.ArtifactType ??= manifest.Config is { } c && c.MediaType.Length > 0 && !MediaTypes.IsImageConfig(c.MediaType) ? c.MediaType : null;
        }

        return manifest;
    }

    /// <summary>The descriptor of this manifest.</summary>
    public Descriptor ToDescriptor() => new(MediaType, Digest, Raw.Length) { ArtifactType = ArtifactType, Annotations = Annotations };

    /// <inheritdoc/>
    public override string ToString() => $"{Digest} ({MediaType}, {Raw.Length} bytes)";

    /// <summary>
    /// What the digest of a signed schema 1 manifest is of: the document without its signatures, which each signature's protected header tells how to
    /// regain (distribution, manifest-v2-1, "Signed Manifests"). Null where it is no such manifest, or that can't be told.
    /// </summary>
    private static ReadOnlyMemory<byte>? Schema1Payload(ReadOnlyMemory<byte> raw)
    {
        try
        {
            using var document = JsonReading.ParseObject(raw, "The manifest");
            if (document.RootElement.Number("schemaVersion", "The manifest") != 1 || !document.RootElement.Find("fsLayers", out _)) return null;
            var header = document.RootElement.Items("signatures", "The manifest").Select(signature => signature.Text("protected", "A signature")).FirstOrDefault();
            if (header is null) return null;
            using var parsed = JsonReading.ParseObject(FromBase64Url(header), "A signature's protected header");
            if (parsed.RootElement.Number("formatLength", "A signature") is not { } length || length < 0 || length > raw.Length) return null;
            if (parsed.RootElement.Text("formatTail", "A signature") is not { } tail) return null;
            return new ReadOnlyMemory<byte>([.. raw.Slice(0, (int)length).ToArray(), .. FromBase64Url(tail)]);
        }
        catch (Exception exception) when (exception is ManifestFormatException or FormatException)
        {
            return null;
        }
    }

    private static byte[] FromBase64Url(string text)
    {
        var plain = text.Replace('-', '+').Replace('_', '/');
        return Convert.FromBase64String(plain + new string('=', (4 - (plain.Length % 4)) % 4));
    }

    private static string? Shape(JsonElement root, long version)
    {
        if (version == 1 && root.Find("fsLayers", out _)) return root.Find("signatures", out _) ? MediaTypes.DockerSchema1Signed : MediaTypes.DockerSchema1;
        if (root.Find("manifests", out _)) return MediaTypes.OciIndex;
        if (root.Find("config", out var config)) return config.Text("mediaType", "The manifest's config") == MediaTypes.DockerConfig ? MediaTypes.DockerManifest : MediaTypes.OciManifest;
        return null;
    }

    private static List<Descriptor> Descriptors(JsonElement root, string name)
    {
        var descriptors = new List<Descriptor>();
        foreach (var item in root.Items(name, "The manifest")) descriptors.Add(JsonReading.DescriptorOf(item, $"Item {descriptors.Count} of the manifest's {name}"));
        return descriptors;
    }

    private static List<Descriptor> Schema1Layers(JsonElement root)
    {
        var layers = new List<Descriptor>();
        foreach (var item in root.Items("fsLayers", "The manifest"))
        {
            var what = $"Layer {layers.Count} of the manifest";
            layers.Add(new Descriptor(string.Empty, JsonReading.DigestOf(item.Text("blobSum", what), what), -1));
        }

        layers.Reverse();
        return layers;
    }
}
