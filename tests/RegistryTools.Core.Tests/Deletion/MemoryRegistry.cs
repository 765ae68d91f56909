using System.Runtime.CompilerServices;
using System.Text;
using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;

namespace RegistryTools.Tests.Deletion;

/// <summary>When, relative to what it does, an operation of <see cref="MemoryRegistry"/> fails.</summary>
public enum FaultPlace
{
    /// <summary>It is not done.</summary>
    Before,

    /// <summary>It is done, and the answer does not arrive.</summary>
    After,
}

/// <summary>One repository in memory, whose operations can fail at every step and be counted. It stands for registries that no server here shows.</summary>
public sealed class MemoryRegistry : IRegistry
{
    private readonly object _gate = new();

    public Dictionary<string, Digest> Tags { get; } = new(StringComparer.Ordinal);

    public Dictionary<Digest, Manifest> Manifests { get; } = [];

    public HashSet<Digest> Blobs { get; } = [];

    /// <summary>What it lists, where that is not what it has.</summary>
    public Func<string, IEnumerable<string>>? Listing { get; set; }

    /// <summary>The repositories that it lists.</summary>
    public List<string> Repositories { get; } = ["r"];

    private readonly Dictionary<Digest, byte[]> _contents = new() { [PlaceholderManifest.ConfigDigest] = PlaceholderManifest.Config.ToArray() };

    public bool HasTagDelete { get; set; }

    /// <summary>Whether deleting a tag takes the manifest and its other tags along, as some registries do.</summary>
    public bool TagDeleteTakesManifest { get; set; }

    public bool DeletionEnabled { get; set; } = true;

    public int Operations { get; private set; }

    public List<string> Log { get; } = [];

    /// <summary>Called before and after each operation with its number (from 1) and name; what it throws is the operation's failure.</summary>
    public Action<int, string, FaultPlace>? OnOperation { get; set; }

    public string Name => "memory";

    public string Location { get; init; } = "http://memory.test/";

    public RegistryKind Kind => RegistryKind.Http;

    public Digest Push(string tag, string content, string mediaType = MediaTypes.OciManifest)
    {
        var raw = Encoding.UTF8.GetBytes($"{{\"schemaVersion\":2,\"mediaType\":\"{mediaType}\",\"config\":{{\"mediaType\":\"{MediaTypes.OciConfig}\",\"digest\":\"{Digest.Compute(Encoding.UTF8.GetBytes(content))}\",\"size\":{content.Length}}},\"layers\":[]}}");
        Blobs.Add(Digest.Compute(Encoding.UTF8.GetBytes(content)));
        _contents[Digest.Compute(Encoding.UTF8.GetBytes(content))] = Encoding.UTF8.GetBytes(content);
        var manifest = Manifest.Parse(raw, mediaType);
        Manifests[manifest.Digest] = manifest;
        Tags[tag] = manifest.Digest;
        return manifest.Digest;
    }

    public Digest PushRaw(string? tag, string json, string mediaType)
    {
        var manifest = Manifest.Parse(Encoding.UTF8.GetBytes(json), mediaType);
        Manifests[manifest.Digest] = manifest;
        if (tag is not null) Tags[tag] = manifest.Digest;
        return manifest.Digest;
    }

    public async IAsyncEnumerable<string> ListRepositoriesAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await Task.Yield();
        foreach (var repository in Repositories) yield return repository;
    }

    public async IAsyncEnumerable<string> ListTagsAsync(string repository, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var tags = await Do("LIST", () => (Listing?.Invoke(repository) ?? Tags.Keys).ToList(), cancellationToken);
        foreach (var tag in tags) yield return tag;
    }

    public Task<Descriptor?> FindManifestAsync(string repository, string reference, CancellationToken cancellationToken = default) =>
        Do("HEAD " + reference, () => Look(reference)?.ToDescriptor(), cancellationToken);

    public Task<Manifest> GetManifestAsync(string repository, string reference, CancellationToken cancellationToken = default) =>
        Do("GET " + reference, () => Look(reference) ?? throw NotFound("GET", reference), cancellationToken);

    public Task<Digest> PutManifestAsync(string repository, string reference, ReadOnlyMemory<byte> raw, string mediaType, CancellationToken cancellationToken = default) =>
        Do("PUT " + reference, () =>
        {
            var manifest = Manifest.Parse(raw.ToArray(), mediaType);
            if (manifest.Config is { } config && !Blobs.Contains(config.Digest)) throw new RegistryRequestException("blob unknown", "PUT", At(reference), 400, [new("MANIFEST_BLOB_UNKNOWN", "", null)]);
            Manifests[manifest.Digest] = manifest;
            if (!Digest.TryParse(reference, out _)) Tags[reference] = manifest.Digest;
            return manifest.Digest;
        }, cancellationToken);

    public Task DeleteManifestAsync(string repository, Digest digest, CancellationToken cancellationToken = default) =>
        Do("DELETE " + digest, () =>
        {
            if (!DeletionEnabled) throw new RegistryUnsupportedException("deletion is off", "DELETE", At(digest.ToString()), 405, [new("UNSUPPORTED", "", null)]);
            if (!Manifests.Remove(digest)) throw NotFound("DELETE", digest.ToString());
            foreach (var tag in Tags.Where(tag => tag.Value == digest).Select(tag => tag.Key).ToList()) Tags.Remove(tag);
            return true;
        }, cancellationToken);

    public Task<TagDeletion> DeleteTagAsync(string repository, string tag, CancellationToken cancellationToken = default) =>
        Do("DELETE " + tag, () =>
        {
            if (!HasTagDelete) return TagDeletion.NotSupported;
            if (!Tags.Remove(tag, out var digest)) return TagDeletion.NotFound;
            if (TagDeleteTakesManifest)
            {
                Manifests.Remove(digest);
                foreach (var other in Tags.Where(other => other.Value == digest).Select(other => other.Key).ToList()) Tags.Remove(other);
            }

            return TagDeletion.Accepted;
        }, cancellationToken);

    public Task<Support> FindManifestDeletionAsync(string repository, CancellationToken cancellationToken = default) =>
        Do("PROBE", () => DeletionEnabled ? Support.Supported : Support.NotSupported, cancellationToken);

    public async IAsyncEnumerable<Descriptor> ListReferrersAsync(string repository, Digest subject, string? artifactType = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var referrers = await Do("REFERRERS", () => Manifests.Values.Where(manifest => manifest.Subject?.Digest == subject).Select(manifest => manifest.ToDescriptor()).ToList(), cancellationToken);
        foreach (var referrer in referrers) yield return referrer;
    }

    public Task<long?> FindBlobAsync(string repository, Digest digest, CancellationToken cancellationToken = default) =>
        Do("HEADBLOB", () => Blobs.Contains(digest) ? -1L : (long?)null, cancellationToken);

    public Task<byte[]> ReadBlobAsync(string repository, Digest digest, int maximumSize, CancellationToken cancellationToken = default) => Do("GETBLOB", () => _contents[digest], cancellationToken);

    public Task CopyBlobAsync(string repository, Digest digest, Stream destination, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<bool> MountBlobAsync(string repository, Digest digest, string fromRepository, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task PushBlobAsync(string repository, Digest digest, Stream content, CancellationToken cancellationToken = default) =>
        Do("PUSHBLOB", () => Blobs.Add(digest), cancellationToken);

    public Task DeleteBlobAsync(string repository, Digest digest, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public Task<RegistryCapabilities> ProbeAsync(string? repository = null, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    public static RegistryUnreachableException Dead() => new("the connection was reset", "?", new Uri("http://memory.test/"));

    public static RegistryRequestException ServerError() => new("500", "?", new Uri("http://memory.test/"), 500);

    private static Uri At(string reference) => new("http://memory.test/v2/r/manifests/" + reference);

    private static RegistryNotFoundException NotFound(string method, string reference) => new("not found", method, At(reference), 404, [new("MANIFEST_UNKNOWN", "", null)]);

    private Manifest? Look(string reference) =>
        Digest.TryParse(reference, out var digest) ? Manifests.GetValueOrDefault(digest) : Tags.TryGetValue(reference, out var tagged) ? Manifests.GetValueOrDefault(tagged) : null;

    private async Task<T> Do<T>(string name, Func<T> act, CancellationToken cancellationToken)
    {
        await Task.Yield();
        cancellationToken.ThrowIfCancellationRequested();
        int number;
        lock (_gate)
        {
            number = ++Operations;
            Log.Add(name);
            OnOperation?.Invoke(number, name, FaultPlace.Before);
        }

        T result;
        lock (_gate) result = act();
        lock (_gate) OnOperation?.Invoke(number, name, FaultPlace.After);
        return result;
    }
}
