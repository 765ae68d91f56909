using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;

namespace RegistryTools.Host.Tour;

/// <summary>What a registry holds is not what it should hold.</summary>
/// <param name="message">What is wrong, and where.</param>
public sealed class WitnessException(string message) : Exception(message);

/// <summary>What one reference pulls: everything that a client would download, each part verified.</summary>
/// <param name="Digest">The digest of the manifest.</param>
/// <param name="Manifests">How many manifests: itself, and of an index its children and theirs.</param>
/// <param name="Blobs">How many blobs.</param>
/// <param name="Bytes">How many bytes in all.</param>
public sealed record Pulled(string Digest, int Manifests, int Blobs, long Bytes);

/// <summary>One tag and what it pulls.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Tag">The tag.</param>
/// <param name="Content">What it pulls.</param>
public sealed record WitnessedTag(string Repository, string Tag, Pulled Content)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Repository}:{Tag}";
}

/// <summary>
/// Looks into a registry with nothing but HTTP, and without the module that is to be judged: every tag, and everything below it, downloaded
/// and hashed. It knows no more of the protocol than it needs for that, on purpose.
/// </summary>
public sealed class RegistryWitness : IDisposable
{
    private const int MostDepth = 8;

    private static readonly string[] ManifestTypes =
    [
        "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json", "application/vnd.docker.distribution.manifest.v2+json",
    ];

    private readonly HttpClient client;

    /// <summary>A witness of the registry at an address.</summary>
    /// <param name="address">Its address.</param>
    public RegistryWitness(Uri address) => client = new HttpClient { BaseAddress = address };

    /// <summary>Every tag of every repository, pulled whole.</summary>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="WitnessException">One can't be pulled whole.</exception>
    public async Task<IReadOnlyList<WitnessedTag>> PullEverythingAsync(CancellationToken cancellation)
    {
        var tags = new List<WitnessedTag>();
        foreach (string repository in await RepositoriesAsync(cancellation))
        {
            foreach (string tag in await TagsAsync(repository, cancellation))
                tags.Add(new WitnessedTag(repository, tag, await PullAsync(repository, tag, cancellation)));
        }
        return tags;
    }

    /// <summary>The names of the repositories.</summary>
    /// <param name="cancellation">Stops it.</param>
    public async Task<IReadOnlyList<string>> RepositoriesAsync(CancellationToken cancellation) =>
        await ListAsync("v2/_catalog", "repositories", cancellation) ?? throw new WitnessException("The registry has no catalog.");

    /// <summary>The tags of a repository, in order; none where the registry says that it has no such repository.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task<IReadOnlyList<string>> TagsAsync(string repository, CancellationToken cancellation) =>
        await ListAsync($"v2/{repository}/tags/list", "tags", cancellation) ?? [];

    /// <summary>Downloads what a reference stands for, and everything below it, and verifies each digest and size.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="reference">A tag or a digest.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="WitnessException">Something is missing or is not what its digest says.</exception>
    public async Task<Pulled> PullAsync(string repository, string reference, CancellationToken cancellation)
    {
        try
        {
            return await PullAsync(repository, reference, size: null, depth: 0, cancellation);
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new WitnessException($"{Named(repository, reference)}: a manifest without what a manifest needs ({e.Message})");
        }
    }

    /// <summary>Whether the registry answers 404 to a manifest; anything but 200 and 404 is an error.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="reference">A tag or a digest.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task<bool> IsGoneAsync(string repository, string reference, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await GetManifestAsync(repository, reference, cancellation);
        return response.StatusCode switch
        {
            HttpStatusCode.NotFound => true,
            HttpStatusCode.OK => false,
            _ => throw new WitnessException($"{Named(repository, reference)}: the registry answers {(int)response.StatusCode}."),
        };
    }

    /// <summary>Closes its connections.</summary>
    public void Dispose() => client.Dispose();

    private static string Named(string repository, string reference) => repository + (reference.Contains(':', StringComparison.Ordinal) ? "@" : ":") + reference;

    private async Task<Pulled> PullAsync(string repository, string reference, long? size, int depth, CancellationToken cancellation)
    {
        if (depth > MostDepth)
            throw new WitnessException($"{Named(repository, reference)}: indexes in indexes, {MostDepth} deep.");
        using HttpResponseMessage response = await GetManifestAsync(repository, reference, cancellation);
        if (response.StatusCode != HttpStatusCode.OK)
            throw new WitnessException($"{Named(repository, reference)}: the registry answers {(int)response.StatusCode} for the manifest.");
        byte[] bytes = await response.Content.ReadAsByteArrayAsync(cancellation);
        string digest = "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));
        string? expected = reference.Contains(':', StringComparison.Ordinal) ? reference
            : response.Headers.TryGetValues("Docker-Content-Digest", out IEnumerable<string>? values) ? values.First() : null;
        if (expected is not null && expected != digest)
            throw new WitnessException($"{Named(repository, reference)}: the manifest's digest is {digest}, not {expected}.");
        if (size is long promised && promised != bytes.Length)
            throw new WitnessException($"{Named(repository, reference)}: the manifest has {bytes.Length} bytes, not {promised}.");

        int manifests = 1;
        int blobs = 0;
        long total = bytes.Length;
        using JsonDocument document = Parse(bytes, Named(repository, reference));
        foreach (JsonElement child in Elements(document.RootElement, "manifests"))
        {
            Pulled below = await PullAsync(repository, Text(child, "digest"), child.GetProperty("size").GetInt64(), depth + 1, cancellation);
            manifests += below.Manifests;
            blobs += below.Blobs;
            total += below.Bytes;
        }
        IEnumerable<JsonElement> descriptors = Elements(document.RootElement, "layers");
        if (document.RootElement.TryGetProperty("config", out JsonElement config))
            descriptors = descriptors.Prepend(config);
        foreach (JsonElement descriptor in descriptors)
        {
            long length = descriptor.GetProperty("size").GetInt64();
            await VerifyBlobAsync(repository, reference, Text(descriptor, "digest"), length, cancellation);
            blobs++;
            total += length;
        }
        return new Pulled(digest, manifests, blobs, total);
    }

    private async Task VerifyBlobAsync(string repository, string reference, string digest, long size, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await client.GetAsync($"v2/{repository}/blobs/{digest}", HttpCompletionOption.ResponseHeadersRead, cancellation);
        if (response.StatusCode != HttpStatusCode.OK)
            throw new WitnessException($"{Named(repository, reference)}: the registry answers {(int)response.StatusCode} for its blob {digest}.");
        using Stream content = await response.Content.ReadAsStreamAsync(cancellation);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[81920];
        long length = 0;
        for (int read; (read = await content.ReadAsync(buffer, cancellation)) > 0; length += read)
            hash.AppendData(buffer, 0, read);
        string found = "sha256:" + Convert.ToHexStringLower(hash.GetHashAndReset());
        if (found != digest || length != size)
            throw new WitnessException($"{Named(repository, reference)}: its blob {digest} of {size} bytes comes as {found} of {length}.");
    }

    private async Task<HttpResponseMessage> GetManifestAsync(string repository, string reference, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"v2/{repository}/manifests/{reference}");
        foreach (string type in ManifestTypes)
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(type));
        return await client.SendAsync(request, cancellation);
    }

    /// <summary>All pages of a list; null where there is none (404).</summary>
    private async Task<IReadOnlyList<string>?> ListAsync(string path, string property, CancellationToken cancellation)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        var next = new Uri(client.BaseAddress!, path);
        var seen = new HashSet<Uri>();
        while (next is not null && seen.Add(next))
        {
            using HttpResponseMessage response = await client.GetAsync(next, cancellation);
            if (response.StatusCode == HttpStatusCode.NotFound)
                return null;
            if (response.StatusCode != HttpStatusCode.OK)
                throw new WitnessException($"The registry answers {(int)response.StatusCode} for {next.AbsolutePath}.");
            using JsonDocument page = Parse(await response.Content.ReadAsByteArrayAsync(cancellation), next.AbsolutePath);
            foreach (JsonElement name in Elements(page.RootElement, property))
                names.Add(name.GetString() ?? "");
            next = NextPage(response, next);
        }
        return [.. names];
    }

    private static Uri? NextPage(HttpResponseMessage response, Uri current)
    {
        if (!response.Headers.TryGetValues("Link", out IEnumerable<string>? links))
            return null;
        string link = links.First();
        int start = link.IndexOf('<', StringComparison.Ordinal);
        int end = link.IndexOf('>', StringComparison.Ordinal);
        return start >= 0 && end > start ? new Uri(current, link[(start + 1)..end]) : null;
    }

    private static JsonDocument Parse(byte[] bytes, string what)
    {
        try
        {
            return JsonDocument.Parse(bytes);
        }
        catch (JsonException)
        {
            throw new WitnessException($"{what}: what the registry answers is no JSON.");
        }
    }

    private static IEnumerable<JsonElement> Elements(JsonElement element, string property) =>
        element.TryGetProperty(property, out JsonElement array) && array.ValueKind == JsonValueKind.Array ? array.EnumerateArray() : [];

    private static string Text(JsonElement element, string property) => element.GetProperty(property).GetString() ?? "";
}
