using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;
using Xunit;

namespace RegistryTools.Tests.Servers;

/// <summary>Makes small images, and has them pushed and pulled.</summary>
public static class Images
{
    private const string Layer = "application/vnd.oci.image.layer.v1.tar";

    /// <summary>Pushes an image with a config and one layer, both its own, and gives its digest.</summary>
    public static async Task<Digest> PushAsync(IRegistry registry, string repository, string? tag, string content, string architecture = "amd64", Descriptor? subject = null, string? artifactType = null)
    {
        var (manifest, blobs) = Make(content, architecture, subject, artifactType);
        foreach (var blob in blobs) await registry.PushBlobAsync(repository, Digest.Compute(blob), new MemoryStream(blob));
        return await registry.PutManifestAsync(repository, tag ?? Digest.Compute(manifest).ToString(), manifest, MediaTypes.OciManifest);
    }

    /// <summary>Pushes an index of manifests that are there.</summary>
    public static async Task<Digest> PushIndexAsync(IRegistry registry, string repository, string? tag, params Digest[] children)
    {
        var entries = new JsonArray();
        foreach (var child in children)
        {
            var manifest = await registry.GetManifestAsync(repository, child.ToString());
            entries.Add(new JsonObject { ["mediaType"] = manifest.MediaType, ["digest"] = child.ToString(), ["size"] = manifest.Raw.Length, ["platform"] = new JsonObject { ["os"] = "linux", ["architecture"] = "a" + entries.Count } });
        }

        var raw = Encoding.UTF8.GetBytes(new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciIndex, ["manifests"] = entries }.ToJsonString());
        return await registry.PutManifestAsync(repository, tag ?? Digest.Compute(raw).ToString(), raw, MediaTypes.OciIndex);
    }

    /// <summary>Writes an OCI layout with one image and pushes it with skopeo.</summary>
    public static async Task PushWithSkopeoAsync(string host, string repository, string tag, string content, string? credentials = null)
    {
        var skopeo = Requirement.Program("skopeo");
        var directory = Path.Combine(Path.GetTempPath(), "rt-layout-" + Guid.NewGuid().ToString("N"));
        try
        {
            var (manifest, blobs) = Make(content, "amd64", null, null);
            Directory.CreateDirectory(Path.Combine(directory, "blobs", "sha256"));
            foreach (var blob in blobs.Append(manifest)) await File.WriteAllBytesAsync(Path.Combine(directory, "blobs", "sha256", Digest.Compute(blob).Encoded), blob);
            await File.WriteAllTextAsync(Path.Combine(directory, "oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}");
            await File.WriteAllTextAsync(
                Path.Combine(directory, "index.json"),
                JsonSerializer.Serialize(new { schemaVersion = 2, manifests = new[] { new { mediaType = MediaTypes.OciManifest, digest = Digest.Compute(manifest).ToString(), size = manifest.Length, annotations = new Dictionary<string, string> { ["org.opencontainers.image.ref.name"] = tag } } } }));
            string[] arguments = ["copy", "--insecure-policy", "--dest-tls-verify=false", .. credentials is null ? Array.Empty<string>() : ["--dest-creds", credentials], $"oci:{directory}:{tag}", $"docker://{host}/{repository}:{tag}"];
            var (code, output) = await Processes.RunAsync(skopeo, arguments);
            Assert.True(code == 0, output);
        }
        finally
        {
            if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Pulls a tag whole, every platform of it, with skopeo, which verifies what it gets.</summary>
    public static async Task PullWithSkopeoAsync(string host, string repository, string tag)
    {
        var skopeo = Requirement.Program("skopeo");
        var directory = Path.Combine(Path.GetTempPath(), "rt-pull-" + Guid.NewGuid().ToString("N"));
        try
        {
            var (code, output) = await Processes.RunAsync(skopeo, ["copy", "--all", "--insecure-policy", "--src-tls-verify=false", $"docker://{host}/{repository}:{tag}", "dir:" + directory]);
            Assert.True(code == 0, $"{repository}:{tag}: {output}");
        }
        finally
        {
            if (Directory.Exists(directory)) Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Every tag of every repository and the digest that it points to, as <c>repository:tag</c>.</summary>
    public static async Task<SortedDictionary<string, Digest>> SnapshotAsync(IRegistry registry)
    {
        var tags = new SortedDictionary<string, Digest>(StringComparer.Ordinal);
        await foreach (var repository in registry.ListRepositoriesAsync())
        {
            await foreach (var tag in registry.ListTagsAsync(repository)) tags[repository + ":" + tag] = (await registry.FindManifestAsync(repository, tag))!.Digest;
        }

        return tags;
    }

    public static async Task<HttpRegistry> ConnectAsync(DockerRegistryServer server, string? user = null, string? password = null, int chunkSize = 16 * 1024 * 1024, int pageSize = 1000) =>
        await HttpRegistry.ConnectAsync(RegistryAddress.Parse(server.BaseAddress.AbsoluteUri), new HttpRegistryOptions { RetryDelay = TimeSpan.FromMilliseconds(10), UserName = user, Password = password, ChunkSize = chunkSize, PageSize = pageSize });

    private static (byte[] Manifest, byte[][] Blobs) Make(string content, string architecture, Descriptor? subject, string? artifactType)
    {
        var layer = Encoding.UTF8.GetBytes("layer of " + content);
        var config = JsonSerializer.SerializeToUtf8Bytes(new { architecture, os = "linux", created = "2024-01-01T00:00:00Z", config = new { Labels = new { content } }, rootfs = new { type = "layers", diff_ids = new[] { Digest.Compute(layer).ToString() } } });
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = new JsonObject { ["mediaType"] = MediaTypes.OciConfig, ["digest"] = Digest.Compute(config).ToString(), ["size"] = config.Length },
            ["layers"] = new JsonArray(new JsonObject { ["mediaType"] = Layer, ["digest"] = Digest.Compute(layer).ToString(), ["size"] = layer.Length }),
        };
        if (artifactType is not null) manifest["artifactType"] = artifactType;
        if (subject is not null) manifest["subject"] = new JsonObject { ["mediaType"] = subject.MediaType, ["digest"] = subject.Digest.ToString(), ["size"] = subject.Size };
        return (Encoding.UTF8.GetBytes(manifest.ToJsonString()), [config, layer]);
    }
}
