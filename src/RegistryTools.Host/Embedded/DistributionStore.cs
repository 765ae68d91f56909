using System.Globalization;

namespace RegistryTools.Host.Embedded;

/// <summary>
/// A directory in the storage layout of the distribution registry, read and written so that the real one can serve it too. Nothing is cached: what another process changes is
/// seen.
/// </summary>
public sealed class DistributionStore
{
    private readonly string _root;

    // A tag's directory is not to go while its link is being written.
    private readonly Lock _tags = new();

    /// <summary>A store in a directory, which need not exist yet.</summary>
    /// <param name="storagePath">The root that a registry's configuration names: the parent of <c>docker/registry/v2</c>.</param>
    public DistributionStore(string storagePath)
    {
        StoragePath = Path.GetFullPath(storagePath);
        _root = Path.Combine(StoragePath, "docker", "registry", "v2");
    }

    /// <summary>The storage's root.</summary>
    public string StoragePath { get; }

    /// <summary>The catalog's order: a name comes before the names below it, and they before whatever else begins like it.</summary>
    internal static IComparer<string> CatalogOrder { get; } = Comparer<string>.Create((left, right) => string.CompareOrdinal(left.Replace('/', '\0'), right.Replace('/', '\0')));

    /// <summary>The repositories, as distribution lists them: whatever has had a layer, a name before the names below it.</summary>
    public IReadOnlyList<string> Repositories()
    {
        var repositories = new List<string>();
        var root = Path.Combine(_root, "repositories");
        if (!Directory.Exists(root)) return repositories;
        var open = new Stack<string>();
        open.Push(root);
        while (open.Count > 0)
        {
            foreach (var directory in Directory.EnumerateDirectories(open.Pop()))
            {
                if (Path.GetFileName(directory).StartsWith('_')) continue;
                if (Directory.Exists(Path.Combine(directory, "_layers"))) repositories.Add(Path.GetRelativePath(root, directory).Replace('\\', '/'));
                open.Push(directory);
            }
        }

        repositories.Sort(CatalogOrder);
        return repositories;
    }

    /// <summary>Whether the repository has, or had, tags.</summary>
    public bool HasRepository(string repository) => Directory.Exists(Repository(repository, "_manifests", "tags"));

    /// <summary>The tags, sorted.</summary>
    public IReadOnlyList<string> Tags(string repository)
    {
        var directory = Repository(repository, "_manifests", "tags");
        if (!Directory.Exists(directory)) return [];
        var tags = Directory.EnumerateDirectories(directory).Where(tag => File.Exists(Path.Combine(tag, "current", "link"))).Select(tag => Path.GetFileName(tag)).ToList();
        tags.Sort(StringComparer.Ordinal);
        return tags;
    }

    /// <summary>The digest that a tag points to, or null.</summary>
    public string? FindTag(string repository, string tag) => ReadLink(Repository(repository, "_manifests", "tags", tag, "current", "link"));

    /// <summary>Whether the repository has this manifest.</summary>
    public bool HasManifest(string repository, string digest) => ReadLink(Revision(repository, digest)) is not null && File.Exists(BlobPath(digest));

    /// <summary>The digests of a repository's manifests.</summary>
    public IReadOnlyList<string> Manifests(string repository)
    {
        var directory = Repository(repository, "_manifests", "revisions");
        if (!Directory.Exists(directory)) return [];
        return Directory.EnumerateDirectories(directory)
            .SelectMany(algorithm => Directory.EnumerateDirectories(algorithm).Select(hex => Path.GetFileName(algorithm) + ":" + Path.GetFileName(hex)))
            .Where(digest => HasManifest(repository, digest))
            .ToList();
    }

    /// <summary>The digests of a repository's layers and configurations, sorted.</summary>
    public IReadOnlyList<string> Layers(string repository)
    {
        var directory = Repository(repository, "_layers");
        if (!Directory.Exists(directory)) return [];
        return Directory.EnumerateDirectories(directory)
            .SelectMany(algorithm => Directory.EnumerateDirectories(algorithm).Select(hex => Path.GetFileName(algorithm) + ":" + Path.GetFileName(hex)))
            .Where(digest => HasLayer(repository, digest))
            .Order(StringComparer.Ordinal)
            .ToList();
    }

    /// <summary>The digests of every blob in the storage, whether a repository has it or not, sorted.</summary>
    public IReadOnlyList<string> Blobs()
    {
        var directory = Path.Combine(_root, "blobs");
        if (!Directory.Exists(directory)) return [];
        return Directory.EnumerateDirectories(directory)
            .SelectMany(algorithm => Directory.EnumerateDirectories(algorithm).SelectMany(Directory.EnumerateDirectories).Select(hex => Path.GetFileName(algorithm) + ":" + Path.GetFileName(hex)))
            .Where(digest => File.Exists(BlobPath(digest)))
            .Order(StringComparer.Ordinal)
            .ToList();
    }

    /// <summary>A manifest's bytes, or null.</summary>
    public byte[]? ReadManifest(string repository, string digest)
    {
        if (!HasManifest(repository, digest)) return null;
        try
        {
            return File.ReadAllBytes(BlobPath(digest));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Whether the repository has this layer or configuration.</summary>
    public bool HasLayer(string repository, string digest) => ReadLink(Layer(repository, digest)) is not null && File.Exists(BlobPath(digest));

    /// <summary>Where a blob's bytes are, whatever repository has it.</summary>
    public string BlobPath(string digest)
    {
        var colon = digest.IndexOf(':', StringComparison.Ordinal);
        var hex = digest[(colon + 1)..];
        return Path.Combine(_root, "blobs", digest[..colon], hex[..2], hex, "data");
    }

    /// <summary>Puts a manifest into a repository, and a tag on it where one is given.</summary>
    public string WriteManifest(string repository, string? tag, byte[] bytes, string? digest = null)
    {
        digest ??= RegistryNames.DigestOf(bytes);
        WriteBlobFile(digest, bytes);
        WriteLink(Revision(repository, digest), digest);
        if (tag is not null)
        {
            var colon = digest.IndexOf(':', StringComparison.Ordinal);
            lock (_tags)
            {
                WriteLink(Repository(repository, "_manifests", "tags", tag, "index", digest[..colon], digest[(colon + 1)..], "link"), digest);
                WriteLink(Repository(repository, "_manifests", "tags", tag, "current", "link"), digest);
            }
        }

        return digest;
    }

    /// <summary>Puts a blob into a repository.</summary>
    public string WriteBlob(string repository, byte[] bytes)
    {
        var digest = RegistryNames.DigestOf(bytes);
        WriteBlobFile(digest, bytes);
        WriteLink(Layer(repository, digest), digest);
        return digest;
    }

    /// <summary>Makes a blob that is in the storage known in a repository.</summary>
    public void LinkBlob(string repository, string digest) => WriteLink(Layer(repository, digest), digest);

    /// <summary>Removes a tag alone; false where it is not there.</summary>
    public bool DeleteTag(string repository, string tag)
    {
        var directory = Repository(repository, "_manifests", "tags", tag);
        lock (_tags)
        {
            if (!Directory.Exists(directory)) return false;
            Directory.Delete(directory, recursive: true);
            return true;
        }
    }

    /// <summary>Removes a manifest from a repository and every tag that points to it; false where it is not there.</summary>
    public bool DeleteManifest(string repository, string digest)
    {
        var link = Revision(repository, digest);
        if (!File.Exists(link)) return false;
        File.Delete(link);
        foreach (var tag in Tags(repository))
        {
            lock (_tags)
            {
                if (FindTag(repository, tag) == digest) DeleteTag(repository, tag);
            }
        }

        return true;
    }

    /// <summary>Removes a layer or configuration from a repository; false where it is not there.</summary>
    public bool DeleteLayer(string repository, string digest)
    {
        var link = Layer(repository, digest);
        if (!File.Exists(link)) return false;
        File.Delete(link);
        return true;
    }

    /// <summary>Begins an upload and gives its name.</summary>
    public string BeginUpload(string repository)
    {
        var id = Guid.NewGuid().ToString();
        var directory = Repository(repository, "_uploads", id);
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, "startedat"), DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        File.WriteAllBytes(Path.Combine(directory, "data"), []);
        return id;
    }

    /// <summary>The file that an upload's bytes go to; null where there is no such upload.</summary>
    public string? FindUpload(string repository, string id)
    {
        if (!Guid.TryParseExact(id, "D", out _)) return null;
        var data = Repository(repository, "_uploads", id, "data");
        return File.Exists(data) ? data : null;
    }

    /// <summary>Makes a finished upload a blob of the repository.</summary>
    public void FinishUpload(string repository, string id, string digest)
    {
        var target = BlobPath(digest);
        var data = Repository(repository, "_uploads", id, "data");
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        if (File.Exists(target)) File.Delete(data);
        else File.Move(data, target, overwrite: true);
        WriteLink(Layer(repository, digest), digest);
        CancelUpload(repository, id);
    }

    /// <summary>Forgets an upload.</summary>
    public void CancelUpload(string repository, string id) => Directory.Delete(Repository(repository, "_uploads", id), recursive: true);

    private static string? ReadLink(string path)
    {
        try
        {
            var text = File.ReadAllText(path).Trim();
            return RegistryNames.IsDigest(text) ? text : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static void WriteLink(string path, string digest) => WriteFile(path, System.Text.Encoding.ASCII.GetBytes(digest));

    private static void WriteFile(string path, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = path + "." + Guid.NewGuid().ToString("N");
        File.WriteAllBytes(temporary, bytes);
        File.Move(temporary, path, overwrite: true);
    }

    private void WriteBlobFile(string digest, byte[] bytes)
    {
        var path = BlobPath(digest);
        if (!File.Exists(path)) WriteFile(path, bytes);
    }

    private string Revision(string repository, string digest)
    {
        var colon = digest.IndexOf(':', StringComparison.Ordinal);
        return Repository(repository, "_manifests", "revisions", digest[..colon], digest[(colon + 1)..], "link");
    }

    private string Layer(string repository, string digest)
    {
        var colon = digest.IndexOf(':', StringComparison.Ordinal);
        return Repository(repository, "_layers", digest[..colon], digest[(colon + 1)..], "link");
    }

    private string Repository(string repository, params string[] rest)
    {
        if (!RegistryNames.IsRepository(repository)) throw new ArgumentException("Not a repository name.", nameof(repository));
        return Path.Combine([_root, "repositories", .. repository.Split('/'), .. rest]);
    }
}
