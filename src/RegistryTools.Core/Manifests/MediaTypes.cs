namespace RegistryTools.Manifests;

/// <summary>The media types of manifests, configurations and layers that registries hold.</summary>
public static class MediaTypes
{
    /// <summary>OCI image manifest.</summary>
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";

    /// <summary>OCI image index: a multi-platform image, among others.</summary>
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";

    /// <summary>The artifact manifest of OCI 1.1's release candidates; still met.</summary>
    public const string OciArtifactManifest = "application/vnd.oci.artifact.manifest.v1+json";

    /// <summary>OCI image configuration.</summary>
    public const string OciConfig = "application/vnd.oci.image.config.v1+json";

    /// <summary>The empty descriptor, whose content is <c>{}</c>.</summary>
    public const string OciEmpty = "application/vnd.oci.empty.v1+json";

    /// <summary>Docker image manifest, schema 2.</summary>
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

    /// <summary>Docker manifest list: a multi-platform image.</summary>
    public const string DockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// <summary>Docker image configuration.</summary>
    public const string DockerConfig = "application/vnd.docker.container.image.v1+json";

    /// <summary>Docker image manifest, schema 1, unsigned.</summary>
    public const string DockerSchema1 = "application/vnd.docker.distribution.manifest.v1+json";

    /// <summary>Docker image manifest, schema 1, signed.</summary>
    public const string DockerSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";

    /// <summary>
    /// What is asked for whenever a manifest is: everything, the lists and indexes foremost. A registry that is asked for less may answer
    /// with one platform's manifest, whose digest is not the tag's (distribution issue 1755).
    /// </summary>
    public static IReadOnlyList<string> ManifestAccept { get; } =
    [
        OciIndex, DockerManifestList, OciManifest, DockerManifest, OciArtifactManifest, DockerSchema1Signed, DockerSchema1,
    ];

    /// <summary>Whether manifests of this type list other manifests.</summary>
    public static bool IsIndex(string? mediaType) => mediaType is OciIndex or DockerManifestList;

    /// <summary>Whether this is an image manifest of schema 1.</summary>
    public static bool IsSchema1(string? mediaType) => mediaType is DockerSchema1 or DockerSchema1Signed;

    /// <summary>Whether this type names a manifest of any known kind.</summary>
    public static bool IsManifest(string? mediaType) =>
        IsIndex(mediaType) || IsSchema1(mediaType) || mediaType is OciManifest or DockerManifest or OciArtifactManifest;

    /// <summary>Whether this type names an image configuration, which tells platform, history and labels.</summary>
    public static bool IsImageConfig(string? mediaType) => mediaType is OciConfig or DockerConfig;

    /// <summary>The type without its parameters, lower case; null for none.</summary>
    public static string? Essence(string? contentType)
    {
        if (contentType is null) return null;
        var semicolon = contentType.IndexOf(';');
        var essence = (semicolon < 0 ? contentType : contentType.Substring(0, semicolon)).Trim().ToLowerInvariant();
        return essence.Length == 0 ? null : essence;
    }
}
