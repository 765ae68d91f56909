using System.Text;
using System.Text.Json.Nodes;
using RegistryTools.GarbageCollection;
using RegistryTools.Host.Embedded;
using RegistryTools.Storage;
using Xunit;

namespace RegistryTools.Tests.GarbageCollection;

/// <summary>A storage in a directory of its own, with what tests ask of it.</summary>
public sealed class StorageTree : IDisposable
{
    public StorageTree(string? root = null)
    {
        Root = root ?? Directory.CreateTempSubdirectory("rt-gc-").FullName;
        Store = new DistributionStore(Root);
        Directory.CreateDirectory(Path.Combine(V2, "repositories"));
    }

    public string Root { get; }

    public string V2 => Path.Combine(Root, "docker", "registry", "v2");

    public DistributionStore Store { get; }

    internal StorageLocation Location => StorageLocation.Find(Root);

    public void Dispose() => Directory.Delete(Root, recursive: true);

    /// <summary>Another with the same files, times and links.</summary>
    public StorageTree Copy()
    {
        var copy = new StorageTree();
        CopyDirectory(Root, copy.Root);
        return copy;

        static void CopyDirectory(string from, string to)
        {
            Directory.CreateDirectory(to);
            foreach (var directory in Directory.GetDirectories(from)) CopyDirectory(directory, Path.Combine(to, Path.GetFileName(directory)));
            foreach (var file in Directory.GetFiles(from)) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
            Directory.SetLastWriteTimeUtc(to, Directory.GetLastWriteTimeUtc(from));
        }
    }

    /// <summary>Makes everything that is there two days old.</summary>
    public StorageTree Age()
    {
        var time = DateTime.UtcNow.AddDays(-2);
        foreach (var file in Directory.EnumerateFiles(V2, "*", SearchOption.AllDirectories)) File.SetLastWriteTimeUtc(file, time);
        foreach (var directory in Directory.EnumerateDirectories(V2, "*", SearchOption.AllDirectories)) Directory.SetLastWriteTimeUtc(directory, time);
        return this;
    }

    public string Link(string repository, string kind, string digest) => Path.Combine(V2, "repositories", repository, kind, digest.Replace(':', '/'), "link");

    public string Revision(string repository, string digest) => Link(repository, "_manifests/revisions", digest);

    public string Layer(string repository, string digest) => Link(repository, "_layers", digest);

    /// <summary>Removes a tag as an administrator would.</summary>
    public void DeleteTag(string repository, string tag) => Assert.True(Store.DeleteTag(repository, tag));

    /// <summary>Adds a manifest of any text.</summary>
    public string AddManifest(string repository, string? tag, JsonObject manifest) => Store.WriteManifest(repository, tag, Encoding.UTF8.GetBytes(manifest.ToJsonString()));

    public string AddIndex(string repository, string? tag, params string[] children) => AddManifest(
        repository,
        tag,
        new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = "application/vnd.oci.image.index.v1+json",
            ["manifests"] = new JsonArray([.. children.Select(child => (JsonNode)new JsonObject { ["mediaType"] = "application/vnd.oci.image.manifest.v1+json", ["digest"] = child, ["size"] = 1 })]),
        });

    public string AddSchema1(string repository, string? tag, params string[] layers) => AddManifest(
        repository,
        tag,
        new JsonObject
        {
            ["schemaVersion"] = 1,
            ["name"] = repository,
            ["tag"] = tag ?? "none",
            ["architecture"] = "amd64",
            ["fsLayers"] = new JsonArray([.. layers.Select(layer => (JsonNode)new JsonObject { ["blobSum"] = layer })]),
            ["history"] = new JsonArray(),
        });

    /// <summary>The layers and the configuration of an image.</summary>
    public string[] Blobs(string repository, string digest)
    {
        var manifest = JsonNode.Parse(File.ReadAllBytes(Store.BlobPath(digest)))!;
        return [.. new[] { (string?)manifest["config"]?["digest"] }.Concat((manifest["layers"]?.AsArray() ?? []).Select(layer => (string?)layer!["digest"])).OfType<string>().Where(_ => repository.Length > 0)];
    }

    /// <summary>Every file below v2: path to content and time.</summary>
    public SortedDictionary<string, string> Files()
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in Directory.EnumerateFiles(V2, "*", SearchOption.AllDirectories))
        {
            files[Path.GetRelativePath(V2, file)] = File.GetLastWriteTimeUtc(file).Ticks + " " + Convert.ToBase64String(File.ReadAllBytes(file));
        }

        return files;
    }

    public IReadOnlyList<string> EmptyDirectories() => [.. Directory.EnumerateDirectories(V2, "*", SearchOption.AllDirectories).Where(path => !Directory.EnumerateFileSystemEntries(path).Any()).Select(path => Path.GetRelativePath(V2, path))];

    /// <summary>Fails unless every tag is whole: its manifest, children at any depth, configuration and layers are linked and there.</summary>
    public void EveryTagIsWhole(string? why = null)
    {
        foreach (var repository in Store.Repositories())
        {
            foreach (var tag in Store.Tags(repository)) Whole(repository, Store.FindTag(repository, tag)!, $"{why} {repository}:{tag}");
        }
    }

    public void Whole(string repository, string digest, string what)
    {
        Assert.True(Store.HasManifest(repository, digest), $"{what}: {digest} is away.");
        var manifest = JsonNode.Parse(Store.ReadManifest(repository, digest)!)!;
        foreach (var child in manifest["manifests"]?.AsArray() ?? []) Whole(repository, (string)child!["digest"]!, what);
        var blobs = new[] { manifest["config"] }.Concat(manifest["layers"]?.AsArray() ?? []).Where(node => node is not null).Select(node => (string)node!["digest"]!)
            .Concat((manifest["fsLayers"]?.AsArray() ?? []).Select(node => (string)node!["blobSum"]!));
        foreach (var blob in blobs) Assert.True(Store.HasLayer(repository, blob), $"{what}: the layer {blob} is away.");
    }

    public Task<GarbageCollectionResult> CollectAsync(Func<GarbageCollectorOptions, GarbageCollectorOptions>? with = null) => new GarbageCollector(Location, (with ?? (options => options))(Options())).CollectAsync(null, CancellationToken.None);

    public static GarbageCollectorOptions Options(bool removeUntagged = true, Action<string>? beforeAct = null, Action? beforeSweep = null, Action? afterSweep = null, bool force = false, int throttle = 2, bool upload = false, Func<string, bool>? filter = null, bool purge = false, TimeSpan? age = null, string? quarantine = null) => new()
    {
        RemoveUntagged = removeUntagged,
        SettleTime = TimeSpan.Zero,
        BeforeAct = beforeAct,
        BeforeSweep = beforeSweep,
        AfterSweep = afterSweep,
        Force = force,
        ThrottleLimit = throttle,
        IncludeUpload = upload,
        RepositoryFilter = filter,
        Purge = purge,
        MinimumAge = age ?? TimeSpan.FromHours(1),
        QuarantinePath = quarantine,
    };

    public Task<GarbageCollectionResult> CollectAsync(GarbageCollectorOptions options) => new GarbageCollector(Location, options).CollectAsync(null, CancellationToken.None);
}
