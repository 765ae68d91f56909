using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.References;

namespace RegistryTools.Registries;

/// <summary>
/// The list of a manifest's referrers that clients keep under a tag where a registry has no referrers API (distribution-spec, "Referrers Tag Schema"). What others
/// wrote in it stays as it is; only the entry in question comes or goes.
/// </summary>
internal static class ReferrersFallback
{
    /// <summary>Media types keep their plus sign, as everybody writes them.</summary>
    private static readonly JsonSerializerOptions Written = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Adds a manifest to the list of its subject.</summary>
    public static Task AddAsync(IRegistry registry, string repository, Manifest referrer, CancellationToken cancellationToken) =>
        ChangeAsync(
            registry,
            repository,
            referrer,
            entries =>
            {
                if (entries.Any(entry => Is(entry, referrer.Digest))) return false;
                var entry = new JsonObject { ["mediaType"] = referrer.MediaType, ["digest"] = referrer.Digest.ToString(), ["size"] = referrer.Raw.Length };
                if (referrer.ArtifactType is not null) entry["artifactType"] = referrer.ArtifactType;
                if (referrer.Annotations.Count > 0)
                {
                    var annotations = new JsonObject();
                    foreach (var annotation in referrer.Annotations) annotations[annotation.Key] = annotation.Value;
                    entry["annotations"] = annotations;
                }

                entries.Add(entry);
                return true;
            },
            create: true,
            cancellationToken);

    /// <summary>Takes a manifest out of the list of its subject.</summary>
    public static Task RemoveAsync(IRegistry registry, string repository, Manifest referrer, CancellationToken cancellationToken) =>
        ChangeAsync(
            registry,
            repository,
            referrer,
            entries =>
            {
                var changed = false;
                for (var i = entries.Count - 1; i >= 0; i--)
                {
                    if (!Is(entries[i], referrer.Digest)) continue;
                    entries.RemoveAt(i);
                    changed = true;
                }

                return changed;
            },
            create: false,
            cancellationToken);

    private static JsonObject? Read(Manifest index)
    {
        try
        {
            return index.Kind == ManifestKind.Index && JsonNode.Parse(index.Raw.ToArray()) is JsonObject root && root["manifests"] is JsonArray ? root : null;
        }
        catch (Exception exception) when (exception is ArgumentException or JsonException or InvalidOperationException)
        {
            // A name twice over, for one, which a document may have and a node may not.
            return null;
        }
    }

    private static bool Is(JsonNode? entry, Digest digest) => entry is JsonObject && entry["digest"] is JsonValue value && value.TryGetValue<string>(out var text) && text == digest.ToString();

    private static async Task ChangeAsync(IRegistry registry, string repository, Manifest referrer, Func<JsonArray, bool> change, bool create, CancellationToken cancellationToken)
    {
        if (referrer.Subject is null) return;
        var tag = TagName.ForReferrersOf(referrer.Subject.Digest);
        JsonObject root;
        var mediaType = MediaTypes.OciIndex;
        if (await registry.FindManifestAsync(repository, tag, cancellationToken).ConfigureAwait(false) is not null)
        {
            var index = await registry.GetManifestAsync(repository, tag, cancellationToken).ConfigureAwait(false);
            root = Read(index) ?? throw new ManifestFormatException($"The tag '{tag}' of '{repository}' is no list of referrers; it was not changed.");
            mediaType = index.MediaType;
        }
        else
        {
            if (!create) return;
            root = new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciIndex, ["manifests"] = new JsonArray() };
        }

        if (!change(root["manifests"]!.AsArray())) return;
        await registry.PutManifestAsync(repository, tag, Encoding.UTF8.GetBytes(root.ToJsonString(Written)), mediaType, cancellationToken).ConfigureAwait(false);
    }
}
