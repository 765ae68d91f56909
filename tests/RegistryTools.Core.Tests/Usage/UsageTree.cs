using System.Text;
using System.Text.Json.Nodes;
using RegistryTools.Tests.GarbageCollection;

namespace RegistryTools.Tests.Usage;

/// <summary>Images of blobs whose sizes can be added up by hand.</summary>
internal static class UsageTree
{
    /// <summary>Adds a blob of so many bytes; the same letter and size are the same blob.</summary>
    public static string Blob(this StorageTree tree, string repository, char letter, int size) => tree.Store.WriteBlob(repository, Encoding.ASCII.GetBytes(new string(letter, size)));

    /// <summary>Adds an image; the first blob is its configuration.</summary>
    public static string Image(this StorageTree tree, string repository, string? tag, params (char Letter, int Size)[] blobs) => tree.Image(repository, tag, null, blobs);

    public static string Image(this StorageTree tree, string repository, string? tag, string? subject, params (char Letter, int Size)[] blobs)
    {
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = "application/vnd.oci.image.manifest.v1+json",
            ["config"] = Descriptor(tree.Blob(repository, blobs[0].Letter, blobs[0].Size), blobs[0].Size, "config.v1+json"),
            ["layers"] = new JsonArray([.. blobs.Skip(1).Select(blob => (JsonNode)Descriptor(tree.Blob(repository, blob.Letter, blob.Size), blob.Size, "layer.v1.tar"))]),
        };
        if (subject is not null) manifest["subject"] = new JsonObject { ["mediaType"] = "application/vnd.oci.image.manifest.v1+json", ["digest"] = subject, ["size"] = tree.Length(subject) };
        return tree.AddManifest(repository, tag, manifest);
    }

    /// <summary>The bytes of a blob.</summary>
    public static long Length(this StorageTree tree, string digest) => new FileInfo(tree.Store.BlobPath(digest)).Length;

    public static JsonObject Descriptor(string digest, long size, string kind) => new() { ["mediaType"] = "application/vnd.oci.image." + kind, ["digest"] = digest, ["size"] = size };
}
