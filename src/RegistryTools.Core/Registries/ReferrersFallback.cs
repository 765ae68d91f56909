using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Encodings.Web;
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
    private static readonly ConditionalWeakTable<IRegistry, SemaphoreSlim> Gates = new();

    /// <summary>It is no HTML: what others wrote plainly stays plain.</summary>
    private static readonly JsonSerializerOptions Unescaped = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

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

        // Read, changed and written, with nothing in the protocol to guard it: at least here, one at a time.
        var gate = Gates.GetValue(registry, static _ => new SemaphoreSlim(1));
        await gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await ChangeAsync(registry, repository, tag, change, create, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is ArgumentException or JsonException or InvalidOperationException and not ObjectDisposedException)
        {
            // A property that is there twice, say: writing it anew would lose one.
            throw new ManifestFormatException($"The tag '{tag}' of '{repository}', a list of referrers, has JSON that can't be kept as it is; it was not changed.", exception);
        }
        finally
        {
            gate.Release();
        }
    }

    private static async Task ChangeAsync(IRegistry registry, string repository, string tag, Func<JsonArray, bool> change, bool create, CancellationToken cancellationToken)
    {
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
        await registry.PutManifestAsync(repository, tag, Encoding.UTF8.GetBytes(root.ToJsonString(Unescaped)), mediaType, cancellationToken).ConfigureAwait(false);
    }
}
