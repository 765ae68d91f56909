using System.Runtime.CompilerServices;
using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Storage;
using RegistryTools.Text;

namespace RegistryTools.Registries;

/// <summary>
/// The storage of a distribution registry as a registry, with no server: listing, looking, deleting tags and manifests, putting them back. A server may run beside it, as it may beside an administrator with a
/// shell; what it has cached it must be told of by a restart. Symbolic links are not followed, and nothing outside of the root is read or written, whatever a link file says.
/// </summary>
public sealed class StorageRegistry : IRegistry, ITagTimes
{
    private readonly StorageLocation _location;
    private readonly StorageFiles _files;

    /// <summary>Opens a storage.</summary>
    /// <param name="location">Where it is.</param>
    public StorageRegistry(StorageLocation location)
    {
        _location = location;
        _files = new StorageFiles(location);
    }

    /// <inheritdoc/>
    public string Name => _location.Root;

    /// <inheritdoc/>
    public string Location => _location.Root;

    /// <summary>Where the storage is.</summary>
    public StorageLocation StorageLocation => _location;

    /// <inheritdoc/>
    public RegistryKind Kind => RegistryKind.Storage;

    /// <inheritdoc/>
    public async IAsyncEnumerable<string> ListRepositoriesAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var open = new Stack<(string Path, string Name)>();
        open.Push((_location.Repositories, string.Empty));
        while (open.Count > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.Yield();
            var (path, name) = open.Pop();
            var below = new List<(string Path, string Name)>();
            var isRepository = false;
            foreach (var directory in _files.Directories(path))
            {
                var part = Path.GetFileName(directory);
                if (part is "_manifests" or "_layers") isRepository = true;
                else if (!part.StartsWith("_", StringComparison.Ordinal)) below.Add((directory, name.Length == 0 ? part : name + "/" + part));
            }

            if (isRepository && RepositoryName.IsValid(name)) yield return name;
            below.Sort(static (one, other) => string.CompareOrdinal(other.Name, one.Name));
            foreach (var one in below) open.Push(one);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<string> ListTagsAsync(string repository, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        RequireRepository(repository);
        await Task.Yield();
        foreach (var directory in _files.Directories(_location.Tags(repository)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var tag = Path.GetFileName(directory);
            if (TagName.IsValid(tag) && _files.Exists(_location.TagLink(repository, tag))) yield return tag;
        }
    }

    /// <inheritdoc/>
    public async Task<Descriptor?> FindManifestAsync(string repository, string reference, CancellationToken cancellationToken = default)
    {
        try
        {
            return (await GetManifestAsync(repository, reference, cancellationToken).ConfigureAwait(false)).ToDescriptor();
        }
        catch (RegistryNotFoundException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public Task<Manifest> GetManifestAsync(string repository, string reference, CancellationToken cancellationToken = default) =>
        DoAsync(
            () =>
            {
                if (!Digest.TryParse(reference, out var digest)) digest = ReadTag(repository, reference);
                if (!_files.Exists(_location.RevisionLink(repository, digest))) throw NotFound("MANIFEST_UNKNOWN", $"There is no manifest {digest} in '{repository}' of {Name}.");
                var path = _location.Blob(digest);
                if (!_files.Exists(path)) throw NotFound("MANIFEST_UNKNOWN", $"The manifest {digest} of '{repository}' in {Name} has a link and no content.");
                var raw = _files.Read(path, Manifest.DefaultMaximumSize, $"the manifest {digest} of '{repository}'");
                try
                {
                    return Manifest.Parse(raw, null, digest);
                }
                catch (DigestMismatchException mismatch)
                {
                    throw new DigestMismatchException($"the manifest '{reference}' of '{repository}' in {Name}", mismatch.Expected, mismatch.Actual);
                }
                catch (ManifestFormatException format)
                {
                    throw new ManifestFormatException($"'{reference}' of '{repository}' in {Name}: {format.Message}", format);
                }
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<Digest> PutManifestAsync(string repository, string reference, ReadOnlyMemory<byte> raw, string mediaType, CancellationToken cancellationToken = default) =>
        DoAsync(
            () =>
            {
                var manifest = Digest.TryParse(reference, out var asked) ? Manifest.Parse(raw, mediaType, asked) : Manifest.Parse(raw, mediaType);
                if (asked is null) TagName.Validate(reference);
                foreach (var blob in manifest.Blobs())
                {
                    if (!blob.IsForeign && !(_files.Exists(_location.LayerLink(repository, blob.Digest)) && _files.Exists(_location.Blob(blob.Digest)))) throw Missing(repository, blob.Digest);
                }

                foreach (var child in manifest.Manifests)
                {
                    // A list of referrers may outlive one of them.
                    if (!reference.StartsWith("sha256-", StringComparison.Ordinal) && !_files.Exists(_location.RevisionLink(repository, child.Digest))) throw Missing(repository, child.Digest);
                }

                var digest = manifest.Digest;
                var blobPath = _location.Blob(digest);
                if (!_files.Exists(blobPath)) _files.Write(blobPath, raw.ToArray());
                _files.WriteLink(_location.RevisionLink(repository, digest), digest);
                if (asked is not null) return digest;
                _files.WriteLink(_location.TagIndexLink(repository, reference, digest), digest);
                _files.WriteLink(_location.TagLink(repository, reference), digest);
                return digest;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task DeleteManifestAsync(string repository, Digest digest, CancellationToken cancellationToken = default) =>
        DoAsync(
            () =>
            {
                RequireRepository(repository);
                var link = _location.RevisionLink(repository, digest);
                if (!_files.Exists(link)) throw NotFound("MANIFEST_UNKNOWN", $"There is no manifest {digest} in '{repository}' of {Name}.");

                // Its tags first: a kill in between leaves an untagged manifest, and no tag that leads nowhere.
                foreach (var directory in _files.Directories(_location.Tags(repository)))
                {
                    var tag = Path.GetFileName(directory);
                    if (TagName.IsValid(tag) && _files.ReadLink(_location.TagLink(repository, tag)) == digest) _files.RemoveDirectory(directory);
                }

                _files.RemoveDirectory(Path.GetDirectoryName(link)!);
                return true;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<TagDeletion> DeleteTagAsync(string repository, string tag, CancellationToken cancellationToken = default) =>
        DoAsync(
            () =>
            {
                var directory = _location.Tag(repository, tag);
                if (!_files.IsDirectory(directory)) return TagDeletion.NotFound;
                _files.RemoveDirectory(directory);
                return TagDeletion.Accepted;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<Support> FindManifestDeletionAsync(string repository, CancellationToken cancellationToken = default) => Task.FromResult(Support.Supported);

    /// <inheritdoc/>
    public async IAsyncEnumerable<Descriptor> ListReferrersAsync(string repository, Digest subject, string? artifactType = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        RequireRepository(repository);
        var seen = new HashSet<Digest>();
        foreach (var algorithm in _files.Directories(_location.Revisions(repository)))
        {
            foreach (var revision in _files.Directories(algorithm))
            {
                if (!Digest.TryParse(Path.GetFileName(algorithm) + ":" + Path.GetFileName(revision), out var digest)) continue;
                Manifest manifest;
                try
                {
                    manifest = await GetManifestAsync(repository, digest.ToString(), cancellationToken).ConfigureAwait(false);
                }
                catch (RegistryNotFoundException)
                {
                    continue;
                }

                if (manifest.Subject?.Digest == subject && seen.Add(digest) && (artifactType is null || manifest.ArtifactType == artifactType)) yield return manifest.ToDescriptor();
            }
        }

        Manifest fallback;
        try
        {
            fallback = await GetManifestAsync(repository, TagName.ForReferrersOf(subject), cancellationToken).ConfigureAwait(false);
        }
        catch (RegistryNotFoundException)
        {
            yield break;
        }

        foreach (var referrer in fallback.Manifests)
        {
            if (seen.Add(referrer.Digest) && (artifactType is null || referrer.ArtifactType == artifactType)) yield return referrer;
        }
    }

    /// <inheritdoc/>
    public Task<long?> FindBlobAsync(string repository, Digest digest, CancellationToken cancellationToken = default) =>
        DoAsync<long?>(() => _files.Exists(_location.LayerLink(repository, digest)) && _files.Exists(_location.Blob(digest)) ? new FileInfo(_location.Blob(digest)).Length : null, cancellationToken);

    /// <inheritdoc/>
    public Task<byte[]> ReadBlobAsync(string repository, Digest digest, int maximumSize, CancellationToken cancellationToken = default) =>
        DoAsync(
            () =>
            {
                var content = _files.Read(RequireBlob(repository, digest), maximumSize, $"the blob {digest} of '{repository}'");
                var actual = Digest.Compute(digest.Algorithm, content);
                return actual == digest ? content : throw new DigestMismatchException($"the blob {digest.ToShortString()} of '{repository}' in {Name}", digest.ToString(), actual.ToString());
            },
            cancellationToken);

    /// <inheritdoc/>
    public async Task CopyBlobAsync(string repository, Digest digest, Stream destination, CancellationToken cancellationToken = default)
    {
        using var source = new FileStream(RequireBlob(repository, digest), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var hash = new DigestHash(digest.Algorithm);
        var buffer = new byte[81920];
        int count;
        while ((count = await source.ReadAsync(buffer, 0, buffer.Length, cancellationToken).ConfigureAwait(false)) > 0)
        {
            hash.Append(buffer, 0, count);
            await destination.WriteAsync(buffer, 0, count, cancellationToken).ConfigureAwait(false);
        }

        var actual = hash.Finish();
        if (actual != digest) throw new DigestMismatchException($"the blob {digest.ToShortString()} of '{repository}' in {Name}", digest.ToString(), actual.ToString());
    }

    /// <inheritdoc/>
    public Task<bool> MountBlobAsync(string repository, Digest digest, string fromRepository, CancellationToken cancellationToken = default) =>
        DoAsync(
            () =>
            {
                if (!_files.Exists(_location.LayerLink(fromRepository, digest)) || !_files.Exists(_location.Blob(digest))) return false;
                _files.WriteLink(_location.LayerLink(repository, digest), digest);
                return true;
            },
            cancellationToken);

    /// <inheritdoc/>
    public async Task PushBlobAsync(string repository, Digest digest, Stream content, CancellationToken cancellationToken = default)
    {
        var path = _location.Blob(digest);
        if (!_files.Exists(path)) await _files.WriteAsync(path, content, digest, $"the blob {digest.ToShortString()} of '{repository}' in {Name}", cancellationToken).ConfigureAwait(false);
        _files.WriteLink(_location.LayerLink(repository, digest), digest);
    }

    /// <inheritdoc/>
    public Task DeleteBlobAsync(string repository, Digest digest, CancellationToken cancellationToken = default) =>
        DoAsync(
            () =>
            {
                RequireBlob(repository, digest);
                _files.RemoveDirectory(Path.GetDirectoryName(_location.LayerLink(repository, digest))!);
                return true;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<RegistryCapabilities> ProbeAsync(string? repository = null, CancellationToken cancellationToken = default) => Task.FromResult(new RegistryCapabilities
    {
        Product = "distribution's storage, without a server",
        Authentication = "None",
        Catalog = Support.Supported,
        Referrers = Support.Supported,
        TagDelete = Support.Supported,
        ManifestDelete = Support.Supported,
        Notes = ["A registry that serves this storage at the same time may have cached what is deleted here: restart it."],
    });

    /// <inheritdoc/>
    public Task<DateTimeOffset?> FindTaggedAsync(string repository, string tag, CancellationToken cancellationToken = default) =>
        DoAsync<DateTimeOffset?>(() => _location.TagLink(repository, tag) is var link && _files.Exists(link) ? new DateTimeOffset(File.GetLastWriteTimeUtc(link), TimeSpan.Zero) : null, cancellationToken);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static async Task<T> DoAsync<T>(Func<T> act, CancellationToken cancellationToken)
    {
        // File systems answer when they please: never on the caller's thread.
        return await Task.Run(act, cancellationToken).ConfigureAwait(false);
    }

    private Digest ReadTag(string repository, string tag)
    {
        var link = _location.TagLink(repository, tag);
        if (!_files.Exists(link))
        {
            RequireRepository(repository);
            throw NotFound("MANIFEST_UNKNOWN", $"There is no tag '{Shown.Short(tag)}' in '{repository}' of {Name}.");
        }

        return _files.ReadLink(link) ?? throw new ManifestFormatException($"The tag '{tag}' of '{repository}' in {Name} has a link file that holds no digest: {link}.");
    }

    private void RequireRepository(string repository)
    {
        var directory = _location.Repository(repository);
        if (!_files.IsDirectory(Path.Combine(directory, "_manifests")) && !_files.IsDirectory(Path.Combine(directory, "_layers"))) throw NotFound("NAME_UNKNOWN", $"There is no repository '{repository}' in {Name}.");
    }

    private string RequireBlob(string repository, Digest digest)
    {
        if (!digest.CanVerify) throw new RegistryUnsupportedException($"The digest algorithm of {digest} can't be verified.", "GET", Uri(), null);
        var path = _location.Blob(digest);
        return _files.Exists(_location.LayerLink(repository, digest)) && _files.Exists(path) ? path : throw NotFound("BLOB_UNKNOWN", $"There is no blob {digest} in '{repository}' of {Name}.");
    }

    private RegistryNotFoundException NotFound(string code, string message) => new(message, "GET", Uri(), null, [new RegistryErrorEntry(code, message, null)]);

    private RegistryRequestException Missing(string repository, Digest digest)
    {
        var message = $"'{repository}' in {Name} does not have {digest}, which the manifest needs.";
        return new RegistryRequestException(message, "PUT", Uri(), 400, [new RegistryErrorEntry("MANIFEST_BLOB_UNKNOWN", message, null)]);
    }

    private Uri Uri() => new(_location.Root);
}
