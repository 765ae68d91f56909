using System.Text.Json;
using System.Text.Json.Nodes;

namespace RegistryTools.Host.Embedded;

/// <summary>What a registry must know of a manifest.</summary>
internal sealed class StoredManifest
{
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json";

    public required string MediaType { get; init; }

    public string? Subject { get; init; }

    public string? ArtifactType { get; init; }

    public JsonNode? Annotations { get; init; }

    /// <summary>Configuration and layers that must be in the repository; those that lie elsewhere by design are left out.</summary>
    public IReadOnlyList<string> Blobs { get; init; } = [];

    public IReadOnlyList<(string Digest, string? Os, string? Architecture)> Children { get; init; } = [];

    public bool IsOci => MediaType is OciManifest or OciIndex;

    public bool IsIndex => MediaType is OciIndex or DockerList;

    /// <summary>Reads a manifest; null where it is none.</summary>
    public static StoredManifest? Read(byte[] bytes, string? contentType = null)
    {
        try
        {
            if (JsonNode.Parse(bytes) is not JsonObject root || (int?)root["schemaVersion"] != 2) return null;
            var blobs = new List<string>();
            if (root["config"] is JsonObject config) blobs.Add((string)config["digest"]!);
            foreach (var layer in root["layers"]?.AsArray() ?? [])
            {
                var type = (string?)layer!["mediaType"] ?? string.Empty;
                if (!type.Contains(".foreign.", StringComparison.Ordinal) && !type.Contains(".nondistributable.", StringComparison.Ordinal)) blobs.Add((string)layer["digest"]!);
            }

            var children = (root["manifests"]?.AsArray() ?? [])
                .Select(child => ((string)child!["digest"]!, (string?)child["platform"]?["os"], (string?)child["platform"]?["architecture"]))
                .ToList();
            var mediaType = (string?)root["mediaType"] ?? (string.IsNullOrEmpty(contentType) ? null : contentType) ?? (root["manifests"] is null ? OciManifest : OciIndex);
            return new StoredManifest
            {
                MediaType = mediaType,
                Subject = (string?)root["subject"]?["digest"],
                ArtifactType = (string?)root["artifactType"] ?? (string?)root["config"]?["mediaType"],
                Annotations = root["annotations"],
                Blobs = blobs,
                Children = children,
            };
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException or ArgumentException)
        {
            return null;
        }
    }
}
