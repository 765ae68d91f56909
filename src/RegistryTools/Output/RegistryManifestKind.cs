namespace RegistryTools.PowerShell;

/// <summary>What kind of manifest it is.</summary>
public enum RegistryManifestKind
{
    /// <summary>Of a media type that is not known.</summary>
    Unknown,

    /// <summary>An image.</summary>
    Image,

    /// <summary>An index: an image for several platforms, or another list of manifests.</summary>
    Index,

    /// <summary>Something else that is kept in the registry: a chart, a signature, a bill of materials.</summary>
    Artifact,

    /// <summary>A Docker image of schema 1.</summary>
    Schema1,
}
