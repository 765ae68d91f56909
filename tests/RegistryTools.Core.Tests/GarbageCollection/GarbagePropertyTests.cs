using System.Text;
using System.Text.Json.Nodes;
using RegistryTools.GarbageCollection;
using Xunit;
using Xunit.Abstractions;

namespace RegistryTools.Tests.GarbageCollection;

/// <summary>Random registries, against the model.</summary>
public sealed class GarbagePropertyTests(ITestOutputHelper output)
{
    private const int Count = 150;

    [Fact]
    public async Task What_is_left_is_what_the_model_says()
    {
        var first = Environment.GetEnvironmentVariable("RT_SEED") is { Length: > 0 } text ? int.Parse(text) : Random.Shared.Next();
        output.WriteLine($"Seeds {first} to {first + Count - 1}; RT_SEED={first} repeats them.");
        for (var seed = first; seed < first + Count; seed++)
        {
            using var tree = new StorageTree();
            var random = new Random(seed);
            Fill(tree, random);
            var removeUntagged = random.Next(4) > 0;
            var force = random.Next(4) == 0;
            Func<string, bool> filter = random.Next(3) == 0 ? name => name.StartsWith('a') : _ => true;
            var model = new ReachabilityModel(tree.V2, DateTime.UtcNow.AddHours(-1), removeUntagged, filter, force);
            var before = tree.Files();

            var options = StorageTree.Options(removeUntagged: removeUntagged, force: force, filter: filter, throttle: random.Next(1, 5));
            var plan = await new GarbageCollector(tree.Location, options).PlanAsync(default);
            Assert.Equal(before, tree.Files());
            var result = await tree.CollectAsync(options);
            var (revisions, layers, indexes, blobs) = ReachabilityModel.Actual(tree.V2);
            var why = $"seed {seed}";
            Same(model.Revisions, revisions, why + ", revisions");
            Same(model.Layers, layers, why + ", layers");
            Same(model.TagIndexes, indexes, why + ", tag indexes");
            Same(model.Blobs, blobs, why + ", blobs");
            Assert.True(model.Revisions.Count == result.ManifestsMarked && model.Blobs.Count == result.BlobsMarked, $"{why}, marked: {model.Revisions.Count} and {model.Blobs.Count}, not {result.ManifestsMarked} and {result.BlobsMarked}");
            Assert.True(plan.Items.Count == result.ManifestsRemoved + result.LayersRemoved + result.TagIndexesRemoved + result.BlobsRemoved && result.GivenBack == 0, why + ", counts");
            Assert.Null((await tree.CollectAsync(options)).RunId);
            await new GarbageRestorer(tree.Location).RestoreAsync(null, null, null, null, default);
            Assert.Equal(before, tree.Files());
        }
    }

    private static void Same(SortedSet<string> expected, SortedSet<string> actual, string why)
    {
        Assert.True(expected.SetEquals(actual), $"{why}: lost {string.Join(", ", expected.Except(actual))}; left {string.Join(", ", actual.Except(expected))}.");
    }

    internal static void Fill(StorageTree tree, Random random)
    {
        string[] repositories = ["a", "a/b", "a/b/c", "other/one"];
        var manifests = repositories.ToDictionary(name => name, _ => new List<string>());
        var steps = random.Next(5, 40);
        var agedAt = random.Next(steps / 2, steps + 1);
        for (var step = 0; step < steps; step++)
        {
            if (step == agedAt) tree.Age();
            var repository = repositories[random.Next(random.Next(1, repositories.Length + 1))];
            var own = manifests[repository];
            var tag = random.Next(3) == 0 ? null : "t" + random.Next(8);
            switch (random.Next(12))
            {
                case 0 or 1 or 2 or 3:
                    own.Add(Image(tree, random, repository, tag, own.Count > 0 && random.Next(5) == 0 ? own[random.Next(own.Count)] : null));
                    break;
                case 4 or 5 when own.Count > 0:
                    own.Add(tree.AddIndex(repository, tag, [.. Enumerable.Range(0, random.Next(4)).Select(_ => own[random.Next(own.Count)]).Distinct()]));
                    break;
                case 6 when own.Count > 0:
                    tree.AddIndex(repository, own[random.Next(own.Count)].Replace(':', '-'), own[random.Next(own.Count)]);
                    break;
                case 7:
                    own.Add(tree.AddSchema1(repository, tag, tree.Store.WriteBlob(repository, Blob(random)), tree.Store.WriteBlob(repository, Blob(random))));
                    break;
                case 8:
                    // What another repository has, with or without its blobs.
                    var from = manifests[repositories[random.Next(repositories.Length)]];
                    if (from.Count == 0) break;
                    var digest = from[random.Next(from.Count)];
                    if (!File.Exists(tree.Store.BlobPath(digest))) break;
                    tree.Store.WriteManifest(repository, tag, File.ReadAllBytes(tree.Store.BlobPath(digest)), digest);
                    if (random.Next(2) == 0) foreach (var blob in tree.Blobs(repository, digest)) tree.Store.LinkBlob(repository, blob);
                    own.Add(digest);
                    break;
                case 9:
                    tree.Store.WriteBlob(repository, Blob(random));
                    break;
                case 10:
                    tree.Store.DeleteTag(repository, "t" + random.Next(8));
                    break;
                case 11 when own.Count > 0 && random.Next(4) == 0:
                    Damage(tree, random, repository, own[random.Next(own.Count)]);
                    break;
            }
        }
    }

    private static byte[] Blob(Random random) => Encoding.ASCII.GetBytes("blob " + random.Next(12));

    private static string Image(StorageTree tree, Random random, string repository, string? tag, string? subject)
    {
        var layers = new JsonArray();
        for (var i = random.Next(4); i > 0; i--) layers.Add((JsonNode)new JsonObject { ["mediaType"] = "application/vnd.oci.image.layer.v1.tar", ["digest"] = tree.Store.WriteBlob(repository, Blob(random)), ["size"] = 6 });
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["config"] = new JsonObject { ["mediaType"] = "application/vnd.oci.image.config.v1+json", ["digest"] = tree.Store.WriteBlob(repository, Blob(random)), ["size"] = 6 },
            ["layers"] = layers,
            ["annotations"] = new JsonObject { ["number"] = random.Next(100).ToString() },
        };
        if (random.Next(2) == 0) manifest["mediaType"] = "application/vnd.oci.image.manifest.v1+json";
        if (subject is not null) manifest["subject"] = new JsonObject { ["mediaType"] = "application/vnd.oci.image.manifest.v1+json", ["digest"] = subject, ["size"] = 1 };
        return tree.AddManifest(repository, tag, manifest);
    }

    private static void Damage(StorageTree tree, Random random, string repository, string digest)
    {
        var blob = tree.Store.BlobPath(digest);
        var link = tree.Revision(repository, digest);
        switch (random.Next(4))
        {
            case 0:
                if (File.Exists(blob)) Directory.Delete(Path.GetDirectoryName(blob)!, recursive: true);
                break;
            case 1 when File.Exists(blob):
                File.AppendAllText(blob, " ");
                break;
            case 2:
                File.Delete(link);
                break;
            case 3 when File.Exists(link):
                File.WriteAllText(link, string.Empty);
                break;
        }
    }
}
