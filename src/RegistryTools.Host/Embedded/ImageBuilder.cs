using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RegistryTools.Host.Embedded;

/// <summary>What goes into a made-up image.</summary>
public sealed record ImageOptions
{
    /// <summary>Whether it is an OCI image; else Docker, schema 2.</summary>
    public bool Oci { get; init; } = true;

    /// <summary>When it was built, as it says itself.</summary>
    public DateTimeOffset Created { get; init; } = new(2025, 1, 2, 3, 4, 5, TimeSpan.Zero);

    /// <summary>Its operating system.</summary>
    public string Os { get; init; } = "linux";

    /// <summary>Its architecture.</summary>
    public string Architecture { get; init; } = "amd64";

    /// <summary>Its architecture's variant, or null.</summary>
    public string? Variant { get; init; }

    /// <summary>The version its operating system must have, or null.</summary>
    public string? OsVersion { get; init; }
}

/// <summary>
/// Makes small, whole images and writes them into a store: a gzipped tar layer with a file in it, a configuration, a manifest. The same seed and options make the same bytes.
/// </summary>
public static class ImageBuilder
{
    private static readonly JsonSerializerOptions Compact = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Adds an image and gives its digest.</summary>
    public static string AddImage(this DistributionStore store, string repository, string? tag, string seed, ImageOptions? options = null)
    {
        options ??= new ImageOptions();
        var (layer, diffId) = Layer(seed);
        var config = Config(seed, diffId, options);
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = options.Oci ? StoredManifest.OciManifest : StoredManifest.DockerManifest,
            ["config"] = Descriptor(options.Oci ? "application/vnd.oci.image.config.v1+json" : "application/vnd.docker.container.image.v1+json", store.WriteBlob(repository, config), config.Length),
            ["layers"] = new JsonArray(Descriptor(options.Oci ? "application/vnd.oci.image.layer.v1.tar+gzip" : "application/vnd.docker.image.rootfs.diff.tar.gzip", store.WriteBlob(repository, layer), layer.Length)),
        };
        return store.WriteManifest(repository, tag, Bytes(manifest));
    }

    /// <summary>Adds an image of several platforms over manifests that are in the repository, and gives its digest.</summary>
    public static string AddIndex(this DistributionStore store, string repository, string? tag, IEnumerable<(string Digest, ImageOptions Platform)> children, bool oci = true)
    {
        var manifests = new JsonArray();
        foreach (var (digest, options) in children)
        {
            var bytes = store.ReadManifest(repository, digest) ?? throw new ArgumentException($"{digest} is not in {repository}.", nameof(children));
            var platform = new JsonObject { ["architecture"] = options.Architecture, ["os"] = options.Os };
            if (options.Variant is not null) platform["variant"] = options.Variant;
            if (options.OsVersion is not null) platform["os.version"] = options.OsVersion;
            var child = Descriptor(StoredManifest.Read(bytes)!.MediaType, digest, bytes.Length);
            child["platform"] = platform;
            manifests.Add(child);
        }

        return store.WriteManifest(repository, tag, Bytes(new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = oci ? StoredManifest.OciIndex : StoredManifest.DockerList, ["manifests"] = manifests }));
    }

    /// <summary>
    /// Adds an artifact that refers to a manifest, and gives its digest. With <paramref name="fallbackTag"/> it is noted under the subject's fallback tag too, as a client does where there is no
    /// referrers API.
    /// </summary>
    public static string AddReferrer(this DistributionStore store, string repository, string subject, string artifactType, string content, bool fallbackTag)
    {
        var subjectBytes = store.ReadManifest(repository, subject) ?? throw new ArgumentException($"{subject} is not in {repository}.", nameof(subject));
        var empty = "{}"u8.ToArray();
        var blob = Encoding.UTF8.GetBytes(content);
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = StoredManifest.OciManifest,
            ["artifactType"] = artifactType,
            ["config"] = Descriptor("application/vnd.oci.empty.v1+json", store.WriteBlob(repository, empty), empty.Length),
            ["layers"] = new JsonArray(Descriptor(artifactType, store.WriteBlob(repository, blob), blob.Length)),
            ["subject"] = Descriptor(StoredManifest.Read(subjectBytes)!.MediaType, subject, subjectBytes.Length),
        };
        var bytes = Bytes(manifest);
        var digest = store.WriteManifest(repository, null, bytes);
        if (!fallbackTag) return digest;

        var tag = subject.Replace(':', '-');
        var list = store.FindTag(repository, tag) is { } known ? JsonNode.Parse(store.ReadManifest(repository, known)!)!.AsObject() : new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = StoredManifest.OciIndex, ["manifests"] = new JsonArray() };
        var entry = Descriptor(StoredManifest.OciManifest, digest, bytes.Length);
        entry["artifactType"] = artifactType;
        list["manifests"]!.AsArray().Add((JsonNode)entry);
        store.WriteManifest(repository, tag, Bytes(list));
        return digest;
    }

    /// <summary>Adds many tags, quickly: each its own manifest over one shared layer, but for every <paramref name="sharedEvery"/>-th, which shares the manifest of the tag before it.</summary>
    public static void AddManyTags(this DistributionStore store, string repository, int count, int sharedEvery = 10, string prefix = "t")
    {
        var (layer, diffId) = Layer(repository);
        var layerDescriptor = Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", store.WriteBlob(repository, layer), layer.Length);
        byte[] last = [];
        for (var i = 0; i < count; i++)
        {
            if (last.Length == 0 || sharedEvery < 1 || i % sharedEvery != sharedEvery - 1)
            {
                var config = Config(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{repository}/{prefix}{i}"), diffId, new ImageOptions());
                last = Bytes(new JsonObject
                {
                    ["schemaVersion"] = 2,
                    ["mediaType"] = StoredManifest.OciManifest,
                    ["config"] = Descriptor("application/vnd.oci.image.config.v1+json", store.WriteBlob(repository, config), config.Length),
                    ["layers"] = new JsonArray(layerDescriptor.DeepClone()),
                });
            }

            store.WriteManifest(repository, string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{prefix}{i:00000}"), last);
        }
    }

    private static JsonObject Descriptor(string mediaType, string digest, int size) => new() { ["mediaType"] = mediaType, ["digest"] = digest, ["size"] = size };

    private static byte[] Bytes(JsonObject json) => Encoding.UTF8.GetBytes(json.ToJsonString(Compact));

    private static byte[] Config(string seed, string diffId, ImageOptions options)
    {
        var created = options.Created.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
        var config = new JsonObject { ["architecture"] = options.Architecture, ["os"] = options.Os, ["created"] = created };
        if (options.Variant is not null) config["variant"] = options.Variant;
        if (options.OsVersion is not null) config["os.version"] = options.OsVersion;
        config["config"] = new JsonObject
        {
            ["Env"] = new JsonArray("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "IMAGE=" + seed),
            ["Cmd"] = new JsonArray("/bin/show", "/image.txt"),
            ["WorkingDir"] = "/",
            ["Labels"] = new JsonObject { ["org.opencontainers.image.title"] = seed },
        };
        config["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray(diffId) };
        config["history"] = new JsonArray(
            new JsonObject { ["created"] = created, ["created_by"] = "COPY image.txt /image.txt" },
            new JsonObject { ["created"] = created, ["created_by"] = "CMD [\"/bin/show\" \"/image.txt\"]", ["empty_layer"] = true });
        return Bytes(config);
    }

    private static (byte[] Layer, string DiffId) Layer(string seed)
    {
        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Ustar, leaveOpen: true))
        {
            var text = Encoding.UTF8.GetBytes($"This is the image {seed}.\n");
            writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "image.txt") { DataStream = new MemoryStream(text), ModificationTime = DateTimeOffset.UnixEpoch });
        }

        using var zipped = new MemoryStream();
        using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest, leaveOpen: true)) gzip.Write(tar.GetBuffer(), 0, (int)tar.Length);
        return (zipped.ToArray(), RegistryNames.DigestOf(tar.GetBuffer().AsSpan(0, (int)tar.Length)));
    }
}
