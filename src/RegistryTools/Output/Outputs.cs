using System.Runtime.InteropServices;
using RegistryTools.Inspection;
using RegistryTools.Manifests;
using RegistryTools.Registries;

namespace RegistryTools.PowerShell.Output;

/// <summary>Makes this assembly's objects, which users see, of the core's, which they don't.</summary>
internal static class Outputs
{
    public static RegistryManifestKind KindOf(ManifestKind kind, string? artifactType) => kind switch
    {
        ManifestKind.Image => artifactType is null ? RegistryManifestKind.Image : RegistryManifestKind.Artifact,
        ManifestKind.Index => RegistryManifestKind.Index,
        ManifestKind.Schema1 => RegistryManifestKind.Schema1,
        _ => RegistryManifestKind.Unknown,
    };

    public static RegistryTagDetail Tag(string registry, string repository, TagDetail detail) =>
        new(registry, repository, detail.Tag, detail.Digest?.ToString() ?? string.Empty)
        {
            MediaType = detail.MediaType,
            Kind = KindOf(detail.Kind, detail.ArtifactType),
            Size = detail.Size,
            Created = detail.Created,
            Platform = [.. detail.Platforms.Select(platform => platform.ToString())],
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
            Annotations = descriptor.Annotations,
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
            Layers = [.. manifest.Layers.Select(layer => Descriptor(registry, repository, layer))],
            Manifests = [.. manifest.Manifests.Select(child => Descriptor(registry, repository, child))],
            Subject = manifest.Subject is null ? null : Descriptor(registry, repository, manifest.Subject),
            Annotations = manifest.Annotations,
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
            Environment = [.. config.Environment],
            Entrypoint = [.. config.Entrypoint],
            Command = [.. config.Command],
            WorkingDirectory = config.WorkingDirectory,
            ExposedPorts = [.. config.ExposedPorts],
            Volumes = [.. config.Volumes],
            Labels = config.Labels,
            History = [.. history],
            Layers = layers,
        };
    }

    public static RegistryTestResult Test(string registry, string location, RegistryCapabilities capabilities) =>
        new(registry, location)
        {
            Product = capabilities.Product,
            Authentication = capabilities.Authentication,
            Catalog = SupportOf(capabilities.Catalog),
            Referrers = SupportOf(capabilities.Referrers),
            TagDelete = SupportOf(capabilities.TagDelete),
            ManifestDelete = SupportOf(capabilities.ManifestDelete),
            Notes = [.. capabilities.Notes],
        };

    private static RegistrySupport SupportOf(Support support) => support switch
    {
        Support.Supported => RegistrySupport.Supported,
        Support.NotSupported => RegistrySupport.NotSupported,
        _ => RegistrySupport.Unknown,
    };

    private static byte[] Bytes(ReadOnlyMemory<byte> raw) =>
        MemoryMarshal.TryGetArray(raw, out var segment) && segment.Array is { } array && segment.Offset == 0 && segment.Count == array.Length ? array : raw.ToArray();
}
