using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace RegistryTools.Tests.GarbageCollection;

/// <summary>
/// What must be left of a storage, said as plainly as it can be and with no thought of speed: everything by text, everything read again and again, until nothing changes any more. It shares nothing with
/// the collector.
/// </summary>
internal sealed class ReachabilityModel
{
    private readonly string _v2;
    private readonly DateTime _threshold;

    public ReachabilityModel(string v2, DateTime threshold, bool removeUntagged, Func<string, bool> filter, bool force)
    {
        _v2 = v2;
        _threshold = threshold;
        var neededBlobs = new HashSet<string>();
        foreach (var repository in Repositories())
        {
            var tags = Tags(repository);
            var revisions = Digests(Path.Combine(repository.Path, "_manifests", "revisions"));
            var layers = Digests(Path.Combine(repository.Path, "_layers"));
            var kept = new HashSet<string>(tags.Values.OfType<string>());
            foreach (var revision in revisions)
            {
                if (!removeUntagged || !filter(repository.Name) || IsYoung(LinkIn(repository, "_manifests/revisions", revision))) kept.Add(revision);
            }

            for (var count = -1; count != kept.Count;)
            {
                count = kept.Count;
                foreach (var digest in kept.ToList())
                {
                    foreach (var child in Read(digest)?["manifests"]?.AsArray() ?? []) kept.Add((string)child!["digest"]!);
                    foreach (var revision in revisions)
                    {
                        if ((string?)Read(revision)?["subject"]?["digest"] == digest) kept.Add(revision);
                    }
                }
            }

            var unreadable = tags.Values.Any(target => target is null) || kept.Any(digest => Read(digest) is null) || revisions.Any(revision => File.ReadAllText(LinkIn(repository, "_manifests/revisions", revision)) != revision);
            var keepsAll = unreadable && !force;
            var needed = new HashSet<string>();
            foreach (var digest in kept)
            {
                var manifest = Read(digest);
                if (manifest?["config"] is { } config) needed.Add((string)config["digest"]!);
                foreach (var layer in manifest?["layers"]?.AsArray() ?? []) needed.Add((string)layer!["digest"]!);
                foreach (var layer in manifest?["fsLayers"]?.AsArray() ?? []) needed.Add((string)layer!["blobSum"]!);
            }

            var stays = revisions.Where(revision => keepsAll || kept.Contains(revision)).ToHashSet();
            Revisions.UnionWith(stays.Select(digest => repository.Name + " " + digest));
            neededBlobs.UnionWith(stays);
            neededBlobs.UnionWith(kept);
            neededBlobs.UnionWith(needed);
            foreach (var layer in layers)
            {
                if (!keepsAll && !needed.Contains(layer) && !IsYoung(LinkIn(repository, "_layers", layer))) continue;
                Layers.Add(repository.Name + " " + layer);
                neededBlobs.Add(layer);
            }

            foreach (var (tag, target) in tags)
            {
                var index = Path.Combine(repository.Path, "_manifests/tags", tag, "index");
                foreach (var digest in Digests(index))
                {
                    if (keepsAll || target is null || target == digest || stays.Contains(digest) || IsYoung(Path.Combine(index, digest.Replace(':', '/'), "link"))) TagIndexes.Add(repository.Name + " " + tag + " " + digest);
                }
            }
        }

        foreach (var blob in AllBlobs())
        {
            if (neededBlobs.Contains(blob) || IsYoung(BlobPath(blob))) Blobs.Add(blob);
        }
    }

    public SortedSet<string> Revisions { get; } = new(StringComparer.Ordinal);

    public SortedSet<string> Layers { get; } = new(StringComparer.Ordinal);

    public SortedSet<string> TagIndexes { get; } = new(StringComparer.Ordinal);

    public SortedSet<string> Blobs { get; } = new(StringComparer.Ordinal);

    /// <summary>What there is in a storage, in the same words.</summary>
    public static (SortedSet<string> Revisions, SortedSet<string> Layers, SortedSet<string> TagIndexes, SortedSet<string> Blobs) Actual(string v2)
    {
        // With nothing to be removed the model says what there is.
        var model = new ReachabilityModel(v2, DateTime.MinValue, false, _ => true, false);
        return (model.Revisions, model.Layers, model.TagIndexes, model.Blobs);
    }

    private bool IsYoung(string path) => File.GetLastWriteTimeUtc(path) > _threshold;

    private static string LinkIn((string Name, string Path) repository, string kind, string digest) => Path.Combine(repository.Path, kind, digest.Replace(':', '/'), "link");

    private string BlobPath(string digest) => Path.Combine(_v2, "blobs", digest.Split(':')[0], digest.Split(':')[1][..2], digest.Split(':')[1], "data");

    private IEnumerable<(string Name, string Path)> Repositories() => Directory.EnumerateDirectories(Path.Combine(_v2, "repositories"), "_*", SearchOption.AllDirectories)
        .Select(path => Path.GetDirectoryName(path)!)
        .Distinct()
        .Select(path => (Path.GetRelativePath(Path.Combine(_v2, "repositories"), path), path));

    private static Dictionary<string, string?> Tags((string Name, string Path) repository)
    {
        var tags = new Dictionary<string, string?>();
        var directory = Path.Combine(repository.Path, "_manifests", "tags");
        if (!Directory.Exists(directory)) return tags;
        foreach (var tag in Directory.GetDirectories(directory))
        {
            var link = Path.Combine(tag, "current", "link");
            var text = File.Exists(link) ? File.ReadAllText(link) : null;
            tags[Path.GetFileName(tag)] = string.IsNullOrEmpty(text) ? null : text;
        }

        return tags;
    }

    private static List<string> Digests(string directory) => !Directory.Exists(directory)
        ? []
        : [.. Directory.GetFiles(directory, "link", SearchOption.AllDirectories).Select(link => Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(link)!)!) + ":" + Path.GetFileName(Path.GetDirectoryName(link)!))];

    private IEnumerable<string> AllBlobs() => !Directory.Exists(Path.Combine(_v2, "blobs"))
        ? []
        : Directory.EnumerateFiles(Path.Combine(_v2, "blobs"), "data", SearchOption.AllDirectories).Select(path => "sha256:" + Path.GetFileName(Path.GetDirectoryName(path)!));

    private JsonNode? Read(string digest)
    {
        try
        {
            var bytes = File.ReadAllBytes(BlobPath(digest));
            return "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes)) == digest ? JsonNode.Parse(bytes) : null;
        }
        catch (Exception exception) when (exception is IOException or JsonException)
        {
            return null;
        }
    }
}
