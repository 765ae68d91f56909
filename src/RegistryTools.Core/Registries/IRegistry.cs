using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.References;

namespace RegistryTools.Registries;

/// <summary>What kind of registry it is.</summary>
public enum RegistryKind
{
    /// <summary>A server that speaks the distribution protocol.</summary>
    Http,

    /// <summary>The storage of a distribution registry, with no server.</summary>
    Storage,

    /// <summary>An OCI image layout.</summary>
    OciLayout,
}

/// <summary>How a request to delete a tag alone ended.</summary>
public enum TagDeletion
{
    /// <summary>The registry accepted it.</summary>
    Accepted,

    /// <summary>There is no such tag.</summary>
    NotFound,

    /// <summary>The registry says, in so many words, that it does not delete a tag by name.</summary>
    NotSupported,
}

/// <summary>Whether a registry has something.</summary>
public enum Support
{
    /// <summary>It could not be told.</summary>
    Unknown,

    /// <summary>It has it.</summary>
    Supported,

    /// <summary>It does not have it, or it is switched off.</summary>
    NotSupported,
}

/// <summary>What a registry can do, found without changing anything.</summary>
public sealed class RegistryCapabilities
{
    /// <summary>The product, where it shows itself (Docker-Distribution-Api-Version and other headers); or null.</summary>
    public string? Product { get; init; }

    /// <summary>How it asks who one is: None, Basic, Bearer; or null where it could not be told.</summary>
    public string? Authentication { get; init; }

    /// <summary>Whether it lists its repositories.</summary>
    public Support Catalog { get; init; }

    /// <summary>Whether it has the referrers API.</summary>
    public Support Referrers { get; init; }

    /// <summary>Whether it deletes a tag alone.</summary>
    public Support TagDelete { get; init; }

    /// <summary>Whether it deletes manifests: NotSupported where deletion is switched off.</summary>
    public Support ManifestDelete { get; init; }

    /// <summary>What was seen and could not be judged: a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>
/// A registry, of whatever kind. Every method that finds that something is not there throws <see cref="RegistryNotFoundException"/> unless
/// it says otherwise; content is verified against its digest before it is handed out; lists come as they are read and hold no more than
/// a page. Repository names are lower case already; what is no name, tag or digest throws <see cref="ReferenceFormatException"/>.
/// Thread-safe.
/// </summary>
public interface IRegistry : IDisposable
{
    /// <summary>What the registry is called in a pull reference: host, port and prefix; or a path. Holds no secret.</summary>
    string Name { get; }

    /// <summary>Where it is: a URI without user information, or a path.</summary>
    string Location { get; }

    /// <summary>What kind it is.</summary>
    RegistryKind Kind { get; }

    /// <summary>Lists the repositories, empty ones included, in the registry's order.</summary>
    /// <exception cref="RegistryUnsupportedException">It has no catalog.</exception>
    IAsyncEnumerable<string> ListRepositoriesAsync(CancellationToken cancellationToken = default);

    /// <summary>Lists a repository's tags in the registry's order; none where the repository is there and has none.</summary>
    /// <exception cref="RegistryNotFoundException">The registry does not know the repository (some say so, too, when its last tag is gone).</exception>
    IAsyncEnumerable<string> ListTagsAsync(string repository, CancellationToken cancellationToken = default);

    /// <summary>
    /// Looks a manifest up by tag or digest without fetching it where the registry allows that; null where there is none. A tag's digest is always the one that the
    /// tag itself names, never a platform's. Size is -1 where the registry does not tell it.
    /// </summary>
    Task<Descriptor?> FindManifestAsync(string repository, string reference, CancellationToken cancellationToken = default);

    /// <summary>Fetches a manifest by tag or digest.</summary>
    Task<Manifest> GetManifestAsync(string repository, string reference, CancellationToken cancellationToken = default);

    /// <summary>
    /// Pushes a manifest's bytes under a tag or digest. Under a tag it is sent once: what moves a tag is not repeated blind, except after
    /// a 429 or where no connection came about. Returns the digest of the bytes, which the registry's answer must agree with where it tells one.
    /// </summary>
    Task<Digest> PutManifestAsync(string repository, string reference, ReadOnlyMemory<byte> raw, string mediaType, CancellationToken cancellationToken = default);

    /// <summary>Deletes a manifest, and with it every tag that points to it.</summary>
    /// <exception cref="RegistryUnsupportedException">Deletion is switched off or not supported.</exception>
    Task DeleteManifestAsync(string repository, Digest digest, CancellationToken cancellationToken = default);

    /// <summary>
    /// Asks for a tag alone to be deleted (distribution-spec, "Deleting tags"). Sent once, as <see cref="PutManifestAsync"/> is. Only the registry's own word, 405 or 400 with
    /// UNSUPPORTED, DIGEST_INVALID or TAG_INVALID, gives <see cref="TagDeletion.NotSupported"/>; everything else that is not an acceptance throws.
    /// </summary>
    Task<TagDeletion> DeleteTagAsync(string repository, string tag, CancellationToken cancellationToken = default);

    /// <summary>Whether manifests can be deleted in this repository, asked by deleting a digest that no content has: 404 is yes, 405 is no.</summary>
    Task<Support> FindManifestDeletionAsync(string repository, CancellationToken cancellationToken = default);

    /// <summary>
    /// Lists the manifests whose subject is this one: by the referrers API, else by the fallback tag (distribution-spec, "Listing Referrers"). A filter that the
    /// registry does not apply is applied here.
    /// </summary>
    IAsyncEnumerable<Descriptor> ListReferrersAsync(string repository, Digest subject, string? artifactType = null, CancellationToken cancellationToken = default);

    /// <summary>The size of a blob, or null where it is not in the repository; -1 where it is and the registry does not tell its size.</summary>
    Task<long?> FindBlobAsync(string repository, Digest digest, CancellationToken cancellationToken = default);

    /// <summary>Reads a small blob whole.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="digest">The blob's digest.</param>
    /// <param name="maximumSize">The most bytes that are taken.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="RegistryProtocolException">It is larger.</exception>
    Task<byte[]> ReadBlobAsync(string repository, Digest digest, int maximumSize, CancellationToken cancellationToken = default);

    /// <summary>Copies a blob to a stream. The bytes are verified as they pass: the error, if any, comes after the last of them.</summary>
    Task CopyBlobAsync(string repository, Digest digest, Stream destination, CancellationToken cancellationToken = default);

    /// <summary>Makes a blob of another repository of this registry available in this one without sending it. False where the registry will not: push it then.</summary>
    Task<bool> MountBlobAsync(string repository, Digest digest, string fromRepository, CancellationToken cancellationToken = default);

    /// <summary>Pushes a blob. A seekable stream is resumed where the connection broke; a large one goes in chunks.</summary>
    Task PushBlobAsync(string repository, Digest digest, Stream content, CancellationToken cancellationToken = default);

    /// <summary>Unlinks a blob from the repository.</summary>
    /// <exception cref="RegistryUnsupportedException">Deletion is switched off or not supported.</exception>
    Task DeleteBlobAsync(string repository, Digest digest, CancellationToken cancellationToken = default);

    /// <summary>Finds out what the registry can do, changing nothing.</summary>
    /// <param name="repository">A repository to ask in; null to take one from the catalog, or a made-up name.</param>
    /// <param name="cancellationToken">Stops it.</param>
    Task<RegistryCapabilities> ProbeAsync(string? repository = null, CancellationToken cancellationToken = default);
}
