using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Text;

namespace RegistryTools.Storage;

/// <summary>
/// Where a distribution registry keeps its storage on a file system, and where in it each thing lies (distribution, registry/storage/paths). Every path that is made here from a
/// name or digest is below the root: names and digests are checked first, whatever a link file says.
/// </summary>
public sealed class StorageLocation
{
    private const string Below = "docker/registry/v2";

    private StorageLocation(string root)
    {
        Root = root;
        V2 = Path.Combine(root, "docker", "registry", "v2");
        Repositories = Path.Combine(V2, "repositories");
        Blobs = Path.Combine(V2, "blobs");
        Own = Path.Combine(root, "docker", "registry", "registrytools");
    }

    /// <summary>The root that the registry's configuration names (<c>storage.filesystem.rootdirectory</c>), absolute.</summary>
    public string Root { get; }

    /// <summary><c>docker/registry/v2</c> below the root.</summary>
    public string V2 { get; }

    /// <summary>Where the repositories are.</summary>
    public string Repositories { get; }

    /// <summary>Where the blobs are.</summary>
    public string Blobs { get; }

    /// <summary>Where this library keeps what is its own: beside <c>v2</c>, where no registry looks.</summary>
    public string Own { get; }

    /// <summary>
    /// Finds the storage from what the user names: the root itself, <c>docker/registry/v2</c> or anything between, or a container volume's directory whose <c>_data</c> is the root.
    /// </summary>
    /// <exception cref="StorageNotFoundException">There is no registry's storage there.</exception>
    public static StorageLocation Find(string path)
    {
        var full = Path.GetFullPath(path);
        if (full.Length > Path.GetPathRoot(full)!.Length) full = full.TrimEnd(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar);
        if (!Directory.Exists(full)) throw new StorageNotFoundException($"There is no directory '{Shown.Short(full, 300)}'.", "Name the root that the registry's configuration names (storage: filesystem: rootdirectory), as it is seen from this machine.");
        var candidates = new[] { full, Path.Combine(full, "_data"), Parent(full, 1), Parent(full, 2), Parent(full, 3) };
        foreach (var candidate in candidates)
        {
            if (candidate is null) continue;
            var location = new StorageLocation(candidate);

            // Upwards only from within docker/registry/v2: a directory beside it is not taken for it.
            var inside = full.Length == candidate.Length || candidate.Length > full.Length
                || location.V2.StartsWith(full.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal)
                || string.Equals(location.V2, full.TrimEnd(Path.DirectorySeparatorChar), StringComparison.Ordinal);
            if (inside && Directory.Exists(location.V2)) return location;
        }

        throw new StorageNotFoundException(
            $"'{Shown.Short(full, 300)}' is not the storage of a distribution registry: there is no {Below} in it.",
            "Name the root that the registry's configuration names (storage: filesystem: rootdirectory); in the registry's container that is /var/lib/registry, on the host the volume or directory that is mounted there.");
    }

    /// <summary>A repository's directory.</summary>
    /// <exception cref="ReferenceFormatException">It is no repository name.</exception>
    public string Repository(string repository)
    {
        if (!RepositoryName.IsValid(repository)) RepositoryName.Normalize(repository, out _);
        return Path.Combine(Repositories, repository.Replace('/', Path.DirectorySeparatorChar));
    }

    /// <summary>The directory of a repository's tags.</summary>
    public string Tags(string repository) => Path.Combine(Repository(repository), "_manifests", "tags");

    /// <summary>A tag's directory.</summary>
    public string Tag(string repository, string tag) => Path.Combine(Tags(repository), TagName.Validate(tag));

    /// <summary>The file that says what a tag points to.</summary>
    public string TagLink(string repository, string tag) => Path.Combine(Tag(repository, tag), "current", "link");

    /// <summary>The file that says that a tag once pointed to a manifest.</summary>
    public string TagIndexLink(string repository, string tag, Digest digest) => Path.Combine(Tag(repository, tag), "index", digest.Algorithm, digest.Encoded, "link");

    /// <summary>The directory of a repository's revisions: its manifests.</summary>
    public string Revisions(string repository) => Path.Combine(Repository(repository), "_manifests", "revisions");

    /// <summary>The file that says that a repository has a manifest.</summary>
    public string RevisionLink(string repository, Digest digest) => Path.Combine(Revisions(repository), digest.Algorithm, digest.Encoded, "link");

    /// <summary>The directory of a repository's layers and configurations.</summary>
    public string Layers(string repository) => Path.Combine(Repository(repository), "_layers");

    /// <summary>The file that says that a repository has a layer or configuration.</summary>
    public string LayerLink(string repository, Digest digest) => Path.Combine(Layers(repository), digest.Algorithm, digest.Encoded, "link");

    /// <summary>The directory of a repository's uploads under way.</summary>
    public string Uploads(string repository) => Path.Combine(Repository(repository), "_uploads");

    /// <summary>A blob's file.</summary>
    public string Blob(Digest digest) => Path.Combine(BlobDirectory(digest), "data");

    /// <summary>A blob's directory.</summary>
    public string BlobDirectory(Digest digest) => Path.Combine(Blobs, digest.Algorithm, digest.Encoded.Substring(0, 2), digest.Encoded);

    private static string? Parent(string path, int levels)
    {
        var parent = path.TrimEnd(Path.DirectorySeparatorChar);
        for (var i = 0; i < levels && parent is not null; i++) parent = Path.GetDirectoryName(parent);
        return parent;
    }
}
