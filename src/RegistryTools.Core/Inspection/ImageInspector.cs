using System.Runtime.CompilerServices;
using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;

namespace RegistryTools.Inspection;

/// <summary>A manifest that was chosen for a platform.</summary>
/// <param name="Manifest">The manifest.</param>
/// <param name="Platform">What it runs on; null where that is not known.</param>
/// <param name="Index">The index that lists it; null where it was named itself.</param>
public sealed record PlatformManifest(Manifest Manifest, Platform? Platform, Digest? Index);

/// <summary>An image as its configuration tells it.</summary>
/// <param name="Manifest">Its manifest.</param>
/// <param name="Config">Its configuration.</param>
/// <param name="Platform">What it runs on.</param>
/// <param name="Index">The index that lists it; null where it was named itself.</param>
public sealed record ImageDetail(Manifest Manifest, ImageConfig Config, Platform Platform, Digest? Index);

/// <summary>No platform of an image is the one that was asked for.</summary>
public sealed class PlatformNotFoundException(string registry, string repository, string reference, Platform wanted, IReadOnlyList<string> offered)
    : RegistryToolsException(
        $"'{reference}' of '{repository}' on {registry} has nothing for the platform {wanted}.",
        offered.Count == 0 ? "It does not say what it runs on." : "It has: " + string.Join(", ", offered) + ".");

/// <summary>A manifest that is no image, so that it has no image configuration: an artifact, or one of a kind that is not known.</summary>
public sealed class NotAnImageException(string registry, string repository, string reference, string mediaType, string? artifactType)
    : RegistryToolsException(
        $"'{reference}' of '{repository}' on {registry} is no image but {(artifactType is null ? mediaType : "an artifact of type " + artifactType)}: it has no image configuration.",
        "Get-RegistryManifest shows what it is.");

/// <summary>Reads images: manifest and configuration, platform by platform.</summary>
/// <param name="registry">The registry.</param>
public sealed class ImageInspector(IRegistry registry)
{
    private const int MaximumDepth = 4;

    /// <summary>
    /// The manifests of a reference that run on a platform: those of the index that match it, or the image itself where its configuration does. Nothing is fetched but what
    /// matches.
    /// </summary>
    /// <exception cref="PlatformNotFoundException">None does.</exception>
    public async IAsyncEnumerable<PlatformManifest> SelectAsync(string repository, string reference, Platform platform, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var manifest = await registry.GetManifestAsync(repository, reference, cancellationToken).ConfigureAwait(false);
        var offered = new List<string>();
        var any = false;
        await foreach (var chosen in DescendAsync(repository, manifest, platform, offered, 0, cancellationToken).ConfigureAwait(false))
        {
            var found = chosen;
            if (found.Platform is null)
            {
                var config = await ConfigAsync(repository, found.Manifest, cancellationToken).ConfigureAwait(false);
                if (config is null) continue;
                offered.Add(config.Platform.ToString());
                if (!platform.Accepts(config.Platform)) continue;
                found = found with { Platform = config.Platform };
            }

            any = true;
            yield return found;
        }

        if (!any) throw new PlatformNotFoundException(registry.Name, repository, reference, platform, offered);
    }

    /// <summary>The images of a reference: the one, or of an index one for each platform (what is marked as running on nothing known left out).</summary>
    /// <exception cref="NotAnImageException">It is none.</exception>
    /// <exception cref="PlatformNotFoundException">None is for <paramref name="platform"/>.</exception>
    public async IAsyncEnumerable<ImageDetail> ReadAsync(string repository, string reference, Platform? platform = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var manifest = await registry.GetManifestAsync(repository, reference, cancellationToken).ConfigureAwait(false);
        var offered = new List<string>();
        var any = false;
        await foreach (var found in DescendAsync(repository, manifest, platform, offered, 0, cancellationToken).ConfigureAwait(false))
        {
            var config = await ConfigAsync(repository, found.Manifest, cancellationToken).ConfigureAwait(false);
            if (config is null)
            {
                if (found.Index is null) throw new NotAnImageException(registry.Name, repository, reference, manifest.MediaType, manifest.ArtifactType);
                continue;
            }

            var runsOn = found.Platform ?? config.Platform;
            if (found.Platform is null && platform is not null)
            {
                offered.Add(runsOn.ToString());
                if (!platform.Accepts(runsOn)) continue;
            }

            any = true;
            yield return new ImageDetail(found.Manifest, config, runsOn, found.Index);
        }

        if (any) yield break;
        if (platform is not null) throw new PlatformNotFoundException(registry.Name, repository, reference, platform, offered);
        throw new NotAnImageException(registry.Name, repository, reference, manifest.MediaType, manifest.ArtifactType);
    }

    private async IAsyncEnumerable<PlatformManifest> DescendAsync(
        string repository, Manifest manifest, Platform? wanted, List<string> offered, int depth, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (manifest.Kind != ManifestKind.Index)
        {
            yield return new PlatformManifest(manifest, null, null);
            yield break;
        }

        if (depth >= MaximumDepth) throw new ManifestFormatException($"The index {manifest.Digest} of '{repository}' is nested deeper than {MaximumDepth} levels.");
        foreach (var child in manifest.Manifests)
        {
            if (child.Platform is { Os: "unknown", Architecture: "unknown" }) continue;
            var platform = child.Platform is { IsUnknown: false } told ? told : null;
            if (platform is not null) offered.Add(platform.ToString());
            if (wanted is not null && platform is not null && !wanted.Accepts(platform)) continue;
            var read = await registry.GetManifestAsync(repository, child.Digest.ToString(), cancellationToken).ConfigureAwait(false);
            await foreach (var found in DescendAsync(repository, read, wanted, offered, depth + 1, cancellationToken).ConfigureAwait(false))
            {
                yield return found with { Platform = found.Platform ?? platform, Index = found.Index ?? manifest.Digest };
            }
        }
    }

    private async Task<ImageConfig?> ConfigAsync(string repository, Manifest manifest, CancellationToken cancellationToken)
    {
        if (manifest.Config is not { } config || !MediaTypes.IsImageConfig(config.MediaType)) return null;
        return ImageConfig.Parse(await registry.ReadBlobAsync(repository, config.Digest, ImageConfig.MaximumSize, cancellationToken).ConfigureAwait(false), config.Digest);
    }
}
