using System.Text;
using System.Text.Json.Nodes;
using RegistryTools.GarbageCollection;
using RegistryTools.Host.Embedded;
using RegistryTools.References;
using RegistryTools.Tests.GarbageCollection;
using RegistryTools.Tests.Servers;
using RegistryTools.Verification;
using Xunit;

namespace RegistryTools.Tests.Verification;

/// <summary>Storages with something broken in them: it is found once, judged rightly, and mended where that loses nothing.</summary>
public sealed class StorageVerifierTests : IDisposable
{
    private readonly StorageTree _tree = new();

    public StorageVerifierTests()
    {
        SampleData.Seed(_tree.Store);
        _tree.Store.AddImage("i1", null, "untagged");
        _tree.Age();
    }

    public void Dispose() => _tree.Dispose();

    /// <summary>Something to break; what is found then, and whether that is mended without loss.</summary>
    public static TheoryData<string, StorageFindingKind, StorageFindingSeverity, string, bool> Damages => new()
    {
        { "tag link empty", StorageFindingKind.TagLinkInvalid, StorageFindingSeverity.Error, "T11", true },
        { "tag link garbage, two candidates", StorageFindingKind.TagLinkInvalid, StorageFindingSeverity.Error, "T11", false },
        { "tag without link", StorageFindingKind.TagWithoutLink, StorageFindingSeverity.Warning, "T11", true },
        { "tag without anything", StorageFindingKind.TagWithoutLink, StorageFindingSeverity.Warning, "T11", true },
        { "tag target unlinked", StorageFindingKind.TagTargetMissing, StorageFindingSeverity.Error, "T12 T13", true },
        { "tag target gone", StorageFindingKind.TagTargetMissing, StorageFindingSeverity.Error, "T12 T13", false },
        { "revision link empty", StorageFindingKind.RevisionLinkInvalid, StorageFindingSeverity.Error, "T12 T13", true },
        { "revision link elsewhere", StorageFindingKind.RevisionLinkInvalid, StorageFindingSeverity.Error, "T12 T13", true },
        { "untagged revision link empty", StorageFindingKind.RevisionLinkInvalid, StorageFindingSeverity.Warning, "", true },
        { "manifest bytes gone", StorageFindingKind.ManifestMissing, StorageFindingSeverity.Error, "T12 T13", false },
        { "untagged manifest bytes gone", StorageFindingKind.ManifestMissing, StorageFindingSeverity.Warning, "", true },
        { "manifest bytes changed", StorageFindingKind.ManifestCorrupt, StorageFindingSeverity.Error, "T12 T13", false },
        { "platform unlinked", StorageFindingKind.ChildMissing, StorageFindingSeverity.Error, "T41", true },
        { "platform gone", StorageFindingKind.ChildMissing, StorageFindingSeverity.Error, "T41", false },
        { "subject gone", StorageFindingKind.SubjectMissing, StorageFindingSeverity.Information, "", false },
        { "layer gone", StorageFindingKind.LayerMissing, StorageFindingSeverity.Error, "T12 T13", false },
        { "layer unlinked", StorageFindingKind.LayerNotLinked, StorageFindingSeverity.Error, "T12 T13", true },
        { "layer link away", StorageFindingKind.LayerNotLinked, StorageFindingSeverity.Error, "T12 T13", true },
        { "layer link empty", StorageFindingKind.LayerLinkInvalid, StorageFindingSeverity.Error, "T12 T13", true },
        { "layer link dangling", StorageFindingKind.LayerLinkDangling, StorageFindingSeverity.Warning, "", true },
        { "note dangling", StorageFindingKind.TagIndexDangling, StorageFindingSeverity.Information, "", true },
        { "layer cut short", StorageFindingKind.SizeMismatch, StorageFindingSeverity.Error, "T12 T13", false },
        { "blob without data", StorageFindingKind.BlobWithoutData, StorageFindingSeverity.Information, "", true },
        { "blob misplaced", StorageFindingKind.BlobMisplaced, StorageFindingSeverity.Warning, "", false },
        { "repository linked", StorageFindingKind.SymbolicLink, StorageFindingSeverity.Warning, "", false },
        { "repository of no name", StorageFindingKind.RepositoryNameInvalid, StorageFindingSeverity.Warning, "", false },
        { "unknown kind", StorageFindingKind.ManifestUnknown, StorageFindingSeverity.Warning, "", false },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task What_is_broken_is_found_once_and_mended_where_that_loses_nothing(string damage, StorageFindingKind kind, StorageFindingSeverity severity, string tags, bool isMended)
    {
        Assert.Empty(await FindAsync());
        Break(damage);
        var before = _tree.Files();
        var finding = Assert.Single(await FindAsync());
        Assert.Equal(before, _tree.Files());
        Assert.Equal((kind, severity, tags), (finding.Kind, finding.Severity, kind is StorageFindingKind.TagWithoutLink ? finding.Tags[0] : string.Join(" ", finding.Tags)));
        Assert.Equal(isMended, finding.Repair is not null && kind != StorageFindingKind.ManifestCorrupt);
        Assert.NotEmpty(finding.Message);
        Assert.NotEmpty(finding.Remedy);

        var repair = Assert.Single(await new StorageRepairer(_tree.Location, TimeSpan.FromHours(1)).RepairAsync([finding], default));
        if (!isMended)
        {
            if (kind != StorageFindingKind.ManifestCorrupt) Assert.Equal(StorageRepairState.Skipped, repair.State);
            return;
        }

        Assert.Equal((StorageRepairState.Repaired, string.Empty), (repair.State, repair.Reason));
        Assert.Empty(await FindAsync());
        if (repair.RunId is null) return;
        await new GarbageRestorer(_tree.Location).RestoreAsync(repair.RunId, null, null, null, default);
        Assert.Equal(before, _tree.Files());
    }

    [Fact]
    public async Task What_is_young_is_not_moved_away_and_what_has_changed_is_left()
    {
        Break("layer link dangling");
        var finding = Assert.Single(await FindAsync());
        File.SetLastWriteTimeUtc(Path.Combine(_tree.V2, finding.Path), DateTime.UtcNow);
        var repairer = new StorageRepairer(_tree.Location, TimeSpan.FromHours(1));
        var repair = Assert.Single(await repairer.RepairAsync([finding], default));
        Assert.Equal(StorageRepairState.Skipped, repair.State);
        Assert.Contains("younger", repair.Reason, StringComparison.Ordinal);
        File.Delete(Path.Combine(_tree.V2, finding.Path));
        Assert.Equal(StorageRepairState.Skipped, Assert.Single(await repairer.RepairAsync([finding], default)).State);
        Assert.Empty(await GarbageRun.ReadAsync(_tree.Location, default));
    }

    [Fact]
    public async Task What_the_quarantine_has_is_said_to_be_there()
    {
        _tree.DeleteTag("i1", "T11");
        var digest = _tree.Store.Manifests("i1")[0];
        await _tree.CollectAsync(StorageTree.Options());
        var gone = _tree.Location;
        var run = Assert.Single(await GarbageRun.ReadAsync(gone, default));
        var manifest = run.Items.First(item => item.Kind == GarbageKind.Manifest).Digest!.ToString();
        Write(Path.Combine(_tree.V2, "repositories/i1/_manifests/tags/back/current/link"), manifest);
        var finding = Assert.Single(await FindAsync());
        Assert.Equal(StorageFindingKind.TagTargetMissing, finding.Kind);
        Assert.Contains($"Restore-RegistryGarbage -RunId {run.Id} -Digest {manifest}", finding.Remedy, StringComparison.Ordinal);
        await new GarbageRestorer(gone).RestoreAsync(run.Id, finding.Digest, null, null, default);
        Assert.Empty(await FindAsync());
    }

    [Fact]
    public async Task Content_that_is_not_what_its_digest_says_is_found_taken_away_and_taken_anew()
    {
        var digest = _tree.Store.FindTag("i1", "T12")!;
        var layer = _tree.Blobs("i1", digest)[1];
        var nobodys = _tree.Store.WriteBlob("i1", [7, 7, 7]);
        foreach (var blob in new[] { layer, nobodys })
        {
            var bytes = File.ReadAllBytes(_tree.Store.BlobPath(blob));
            bytes[0] ^= 1;
            File.WriteAllBytes(_tree.Store.BlobPath(blob), bytes);
            File.SetLastWriteTimeUtc(_tree.Store.BlobPath(blob), DateTime.UtcNow.AddDays(-2));
        }

        Assert.Empty(await FindAsync());
        var progress = new List<long>();
        var log = new Text.DelegateActivityLog(progress: (_, _, done, _, _) => { lock (progress) progress.Add(done); });
        var findings = new List<StorageFinding>();
        var result = await new StorageVerifier(_tree.Location, new StorageVerifierOptions { Content = true, Log = log }).VerifyAsync(findings.Add, default);
        Assert.Equal([(nobodys, StorageFindingSeverity.Warning), (layer, StorageFindingSeverity.Error)], findings.Select(finding => (finding.Digest!.ToString(), finding.Severity)).OrderBy(pair => pair.Severity));
        Assert.All(findings, finding => Assert.Equal(StorageFindingKind.BlobCorrupt, finding.Kind));
        Assert.Equal(result.Size, result.SizeHashed);
        Assert.NotEmpty(progress);
        Assert.False(result.IsSound);
        var repairs = await new StorageRepairer(_tree.Location, TimeSpan.FromHours(1)).RepairAsync(findings, default);
        Assert.All(repairs, repair => Assert.Equal(StorageRepairState.Repaired, repair.State));
        Assert.False(File.Exists(_tree.Store.BlobPath(layer)));
        Assert.Contains(await FindAsync(), finding => finding.Kind == StorageFindingKind.LayerMissing && finding.Tags.SequenceEqual(["T12", "T13"]));
    }

    [Fact]
    public async Task Only_the_repositories_that_are_asked_for_are_looked_at()
    {
        Break("layer gone");
        Break("platform gone");
        Assert.Equal("i4", Assert.Single(await FindAsync(new StorageVerifierOptions { RepositoryFilter = name => name == "i4", Content = true })).Repository);
        var result = await new StorageVerifier(_tree.Location, new StorageVerifierOptions { RepositoryFilter = name => name == "i3", Content = true }).VerifyAsync(_ => { }, default);
        Assert.True(result.IsSound);
        Assert.Equal((1, 2), (result.Repositories, result.Tags));
        Assert.True(result.SizeHashed < result.Size);
    }

#if NET
    [SkippableFact]
    public async Task What_the_real_registry_writes_is_sound()
    {
        Requirement.Program("docker-registry");
        Requirement.Program("skopeo");
        using var written = new StorageTree();
        await using (var from = await DockerRegistryServer.StartAsync(storagePath: _tree.Root))
        await using (var to = await DockerRegistryServer.StartAsync(storagePath: written.Root))
        {
            foreach (var (repository, tag) in new[] { ("i1", "T11"), ("i2", "T22"), ("i4", "T41"), ("i4", "T42") }) await Skopeo.RunAsync("copy", "--all", $"docker://{from.Host}/{repository}:{tag}", $"docker://{to.Host}/{repository}:{tag}");
        }

        var findings = new List<StorageFinding>();
        var result = await new StorageVerifier(written.Location, new StorageVerifierOptions { Content = true }).VerifyAsync(findings.Add, default);
        Assert.Empty(findings);
        Assert.Equal((3, 4), (result.Repositories, result.Tags));
    }
#endif

    /// <summary>Whatever happens to files: the verifier ends, changes nothing, and a tag that it says nothing bad of is whole.</summary>
    [Fact]
    public async Task A_tag_that_nothing_is_said_of_is_whole_and_one_that_is_not_whole_is_named()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("RT_SEED"), out var given) ? given : Environment.TickCount;
        for (var round = 0; round < (given == 0 ? 60 : 1); round++)
        {
            var random = new Random(seed + round);
            using var tree = _tree.Copy();
            var files = Directory.GetFiles(tree.V2, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
            for (var i = random.Next(1, 6); i > 0; i--) Damage(files[random.Next(files.Length)], random);
            var before = tree.Files();
            var findings = new List<StorageFinding>();
            await new StorageVerifier(tree.Location, new StorageVerifierOptions { Content = true }).VerifyAsync(findings.Add, default);
            Assert.Equal(before, tree.Files());
            var bad = findings.Where(finding => finding.Severity == StorageFindingSeverity.Error).SelectMany(finding => finding.Tags.Select(tag => finding.Repository + ":" + tag)).ToHashSet();
            foreach (var (repository, names) in SampleData.Tags)
            {
                foreach (var tag in names)
                {
                    if (Directory.Exists(Path.Combine(tree.V2, "repositories", repository, "_manifests", "tags", tag)) && !File.Exists(Path.Combine(tree.V2, "repositories", repository, "_manifests", "tags", tag, "current", "link"))) continue;
                    Assert.True(IsWhole(tree, repository, tag) == !bad.Contains(repository + ":" + tag), $"seed {seed + round}: {repository}:{tag} is {(bad.Contains(repository + ":" + tag) ? "not whole" : "whole")}, it says: {string.Join("; ", findings.Select(finding => finding + " " + finding.Severity + " " + finding.Repository + ":" + string.Join(",", finding.Tags)))}");
                }
            }

            // What can be mended is, and nothing that was whole is not any more.
            await new StorageRepairer(tree.Location, TimeSpan.Zero).RepairAsync(findings, default);
            foreach (var (repository, names) in SampleData.Tags)
            {
                foreach (var tag in names.Where(tag => !bad.Contains(repository + ":" + tag) && tree.Store.FindTag(repository, tag) is not null)) Assert.True(IsWhole(tree, repository, tag), $"seed {seed + round}: {repository}:{tag} after the repair");
            }
        }
    }

    private static bool IsWhole(StorageTree tree, string repository, string tag)
    {
        var digest = tree.Store.FindTag(repository, tag);
        return digest is not null && Digest.TryParse(digest, out _) && IsWholeManifest(tree, repository, digest);
    }

    private static bool IsWholeManifest(StorageTree tree, string repository, string digest)
    {
        if (!LinkSays(tree.Revision(repository, digest), digest) || !IsContent(tree, digest)) return false;
        var manifest = JsonNode.Parse(File.ReadAllBytes(tree.Store.BlobPath(digest)))!;
        return (manifest["manifests"]?.AsArray() ?? []).All(child => IsWholeManifest(tree, repository, (string)child!["digest"]!))
            && tree.Blobs(repository, digest).All(blob => LinkSays(tree.Layer(repository, blob), blob) && IsContent(tree, blob));
    }

    private static bool LinkSays(string path, string digest) => File.Exists(path) && File.ReadAllText(path).Trim() == digest;

    private static bool IsContent(StorageTree tree, string digest) => File.Exists(tree.Store.BlobPath(digest)) && Digest.Compute(File.ReadAllBytes(tree.Store.BlobPath(digest))).ToString() == digest;

    private static void Damage(string file, Random random)
    {
        if (!File.Exists(file)) return;
        var bytes = File.ReadAllBytes(file);
        switch (random.Next(4))
        {
            case 0:
                File.Delete(file);
                return;
            case 1:
                File.WriteAllBytes(file, []);
                return;
            case 2:
                File.WriteAllBytes(file, bytes[..random.Next(bytes.Length)]);
                return;
            default:
                if (bytes.Length == 0) return;
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(7));
                File.WriteAllBytes(file, bytes);
                return;
        }
    }

    private static void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow.AddDays(-2));
    }

    private async Task<List<StorageFinding>> FindAsync(StorageVerifierOptions? options = null)
    {
        var findings = new List<StorageFinding>();
        await new StorageVerifier(_tree.Location, options).VerifyAsync(findings.Add, default);
        return findings;
    }

    private void Break(string damage)
    {
        var store = _tree.Store;
        var t11 = Path.Combine(_tree.V2, "repositories/i1/_manifests/tags/T11");
        var shared = store.FindTag("i1", "T12")!;
        var untagged = store.Manifests("i1").Single(digest => !new[] { "T11", "T12" }.Select(tag => store.FindTag("i1", tag)).Contains(digest));
        var layer = _tree.Blobs("i1", shared)[1];
        var platform = (string)JsonNode.Parse(store.ReadManifest("i4", store.FindTag("i4", "T41")!)!)!["manifests"]![0]!["digest"]!;
        const string Nothing = "sha256:00000000000000000000000000000000000000000000000000000000000000aa";
        switch (damage)
        {
            case "tag link empty":
                Write(t11 + "/current/link", string.Empty);
                break;
            case "tag link garbage, two candidates":
                Write(t11 + "/current/link", "../../../../etc/passwd");
                Write(t11 + "/index/" + shared.Replace(':', '/') + "/link", shared);
                break;
            case "tag without link":
                Directory.Delete(t11 + "/current", recursive: true);
                break;
            case "tag without anything":
                Directory.CreateDirectory(Path.Combine(_tree.V2, "repositories/i1/_manifests/tags/T11"));
                Directory.Delete(t11, recursive: true);
                Directory.CreateDirectory(t11 + "/current");
                Directory.SetLastWriteTimeUtc(t11, DateTime.UtcNow.AddDays(-2));
                break;
            case "tag target unlinked":
                Directory.Delete(Path.GetDirectoryName(_tree.Revision("i1", shared))!, recursive: true);
                break;
            case "tag target gone":
                Directory.Delete(Path.GetDirectoryName(_tree.Revision("i1", shared))!, recursive: true);
                Directory.Delete(Path.GetDirectoryName(store.BlobPath(shared))!, recursive: true);
                break;
            case "revision link empty":
                Write(_tree.Revision("i1", shared), string.Empty);
                break;
            case "revision link elsewhere":
                Write(_tree.Revision("i1", shared), untagged);
                break;
            case "untagged revision link empty":
                Write(_tree.Revision("i1", untagged), "\n");
                break;
            case "manifest bytes gone":
                Directory.Delete(Path.GetDirectoryName(store.BlobPath(shared))!, recursive: true);
                break;
            case "untagged manifest bytes gone":
                foreach (var blob in _tree.Blobs("i1", untagged)) Directory.Delete(Path.GetDirectoryName(_tree.Layer("i1", blob))!, recursive: true);
                Directory.Delete(Path.GetDirectoryName(store.BlobPath(untagged))!, recursive: true);
                break;
            case "manifest bytes changed":
                Write(store.BlobPath(shared), Encoding.UTF8.GetString(store.ReadManifest("i1", shared)!).Replace("\"schemaVersion\":2", "\"schemaVersion\":3", StringComparison.Ordinal));
                break;
            case "platform unlinked":
                Directory.Delete(Path.GetDirectoryName(_tree.Revision("i4", platform))!, recursive: true);
                break;
            case "platform gone":
                Directory.Delete(Path.GetDirectoryName(_tree.Revision("i4", platform))!, recursive: true);
                Directory.Delete(Path.GetDirectoryName(store.BlobPath(platform))!, recursive: true);
                break;
            case "subject gone":
                var subject = store.FindTag("i5", "T51")!;
                store.DeleteTag("i5", "T51");
                Directory.Delete(Path.GetDirectoryName(_tree.Revision("i5", subject))!, recursive: true);
                break;
            case "layer gone":
                Directory.Delete(Path.GetDirectoryName(store.BlobPath(layer))!, recursive: true);
                break;
            case "layer unlinked":
                Directory.Delete(Path.GetDirectoryName(_tree.Layer("i1", layer))!, recursive: true);
                break;
            case "layer link away":
                File.Delete(_tree.Layer("i1", layer));
                break;
            case "layer link empty":
                Write(_tree.Layer("i1", layer), string.Empty);
                break;
            case "layer link dangling":
                Write(_tree.Layer("i1", Nothing), Nothing);
                break;
            case "note dangling":
                Write(t11 + "/index/" + Nothing.Replace(':', '/') + "/link", Nothing);
                break;
            case "layer cut short":
                using (var stream = File.Open(store.BlobPath(layer), FileMode.Open)) stream.SetLength(stream.Length - 1);
                break;
            case "blob without data":
                Directory.CreateDirectory(Path.GetDirectoryName(store.BlobPath(Nothing))!);
                Directory.SetLastWriteTimeUtc(Path.GetDirectoryName(store.BlobPath(Nothing))!, DateTime.UtcNow.AddDays(-2));
                break;
            case "blob misplaced":
                Write(Path.Combine(_tree.V2, "blobs/sha256/ff", Nothing["sha256:".Length..], "data"), "odd");
                break;
            case "repository linked":
                Directory.CreateSymbolicLink(Path.Combine(_tree.V2, "repositories/linked"), Path.Combine(_tree.V2, "repositories/i1"));
                break;
            case "repository of no name":
                Directory.CreateDirectory(Path.Combine(_tree.V2, "repositories/Capital/_manifests/tags"));
                break;
            case "unknown kind":
                _tree.AddManifest("i1", "odd", new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = "application/x-odd" });
                break;
            default:
                throw new ArgumentException(damage);
        }
    }
}
