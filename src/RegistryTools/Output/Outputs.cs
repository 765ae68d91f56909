using System.Runtime.InteropServices;
using RegistryTools.Inspection;
using RegistryTools.Manifests;
using RegistryTools.Registries;

namespace RegistryTools.PowerShell.Output;

/// <summary>Makes this assembly's objects, which users see, of the core's, which they don't.</summary>
internal static class Outputs
{
    // States and kinds are texts on all objects: ConvertTo-Json writes an enumeration as a number.
    private static string KindOf(ManifestKind kind, string? artifactType) => kind == ManifestKind.Image && artifactType is not null ? "Artifact" : kind.ToString();

    public static RegistryTagDetail Tag(string registry, string repository, TagDetail detail) =>
        new(registry, repository, detail.Tag, detail.Digest?.ToString() ?? string.Empty)
        {
            MediaType = detail.MediaType,
            Kind = KindOf(detail.Kind, detail.ArtifactType),
            Size = detail.Size,
            Created = detail.Created,
            Platform = new(detail.Platforms.Select(platform => platform.ToString())),
            ArtifactType = detail.ArtifactType,
            IsPlaceholder = detail.IsPlaceholder,
            Tagged = detail.Tagged,
        };

    public static RegistryDescriptor Descriptor(string registry, string repository, Descriptor descriptor) =>
        new(registry, repository, descriptor.Digest.ToString())
        {
            MediaType = descriptor.MediaType,
            Size = descriptor.Size < 0 ? null : descriptor.Size,
            Platform = descriptor.Platform?.ToString(),
            ArtifactType = descriptor.ArtifactType,
            Annotations = descriptor.Annotations.Count == 0 ? null : RegistryDictionary.Of(descriptor.Annotations),
        };

    public static RegistryManifest Manifest(string registry, string repository, string? tag, Manifest manifest, Platform? platform, string? index) =>
        new(registry, repository, tag, manifest.Digest.ToString(), Bytes(manifest.Raw))
        {
            MediaType = manifest.MediaType,
            Kind = KindOf(manifest.Kind, manifest.ArtifactType),
            SchemaVersion = manifest.SchemaVersion,
            ArtifactType = manifest.ArtifactType,
            Platform = platform?.ToString(),
            IndexDigest = index,
            ContentSize = manifest.ContentSize,
            Config = manifest.Config is null ? null : Descriptor(registry, repository, manifest.Config),
            Layers = new(manifest.Layers.Select(layer => Descriptor(registry, repository, layer))),
            Manifests = new(manifest.Manifests.Select(child => Descriptor(registry, repository, child))),
            Subject = manifest.Subject is null ? null : Descriptor(registry, repository, manifest.Subject),
            Annotations = RegistryDictionary.Of(manifest.Annotations),
        };

    public static RegistryImage Image(string registry, string repository, string? tag, ImageDetail image)
    {
        var config = image.Config;
        var layers = image.Manifest.Layers.Select(layer => Descriptor(registry, repository, layer)).ToArray();
        var history = new List<RegistryImageHistory>();
        var next = 0;
        foreach (var step in config.History)
        {
            var layer = step.EmptyLayer || next >= layers.Length ? null : layers[next++];
            history.Add(new RegistryImageHistory(step.Created, step.CreatedBy, step.Comment, step.EmptyLayer, layer));
        }

        return new RegistryImage(registry, repository, tag, image.Manifest.Digest.ToString())
        {
            IndexDigest = image.Index?.ToString(),
            ConfigDigest = config.Digest.ToString(),
            Platform = image.Platform.ToString(),
            Os = image.Platform.Os,
            Architecture = image.Platform.Architecture,
            Created = config.Created,
            Author = config.Author,
            Size = image.Manifest.ContentSize + image.Manifest.Raw.Length,
            User = config.User,
            Environment = new(config.Environment),
            Entrypoint = new(config.Entrypoint),
            Command = new(config.Command),
            WorkingDirectory = config.WorkingDirectory,
            ExposedPorts = new(config.ExposedPorts),
            Volumes = new(config.Volumes),
            Labels = RegistryDictionary.Of(config.Labels),
            History = new(history),
            Layers = new(layers),
        };
    }

    public static RegistryTestResult Test(string registry, string location, RegistryCapabilities capabilities) =>
        new(registry, location)
        {
            Product = capabilities.Product,
            Authentication = capabilities.Authentication,
            Catalog = capabilities.Catalog.ToString(),
            Referrers = capabilities.Referrers.ToString(),
            TagDelete = capabilities.TagDelete.ToString(),
            ManifestDelete = capabilities.ManifestDelete.ToString(),
            Notes = new(capabilities.Notes),
        };

    private static byte[] Bytes(ReadOnlyMemory<byte> raw) =>
        MemoryMarshal.TryGetArray(raw, out var segment) && segment.Array is { } array && segment.Offset == 0 && segment.Count == array.Length ? array : raw.ToArray();
}
