using RegistryTools.Containers;
using Xunit;

namespace RegistryTools.Tests.Containers;

/// <summary>What the registry's own collector writes, as each version does.</summary>
public sealed class CollectorOutputTests
{
    private static readonly string A = "sha256:" + new string('a', 64);
    private static readonly string B = "sha256:" + new string('b', 64);
    private static readonly string C = "sha256:" + new string('c', 64);

    [Fact]
    public void Of_2_8_the_children_of_an_index_that_it_deletes_are_seen()
    {
        var report = Read($"""
            team/app
            manifest eligible for deletion: {B}
            team/app: marking manifest {A} 
            team/app: marking blob {B}
            team/app: marking blob {C}
            other
            manifest eligible for deletion: {C}

            3 blobs marked, 2 blobs and 2 manifests eligible for deletion
            blob eligible for deletion: {B}
            time="2026-11-23T20:00:00Z" level=info msg="Deleting blob: /docker/registry/v2/blobs/sha256/bb" go.version=go1.19.8 instance.id=1
            blob eligible for deletion: {C}
            """);
        Assert.True(report.IsWhole);
        Assert.Equal(["team/app", "other"], report.Repositories);
        Assert.Equal([new CollectedManifest("team/app", A)], report.Marked);
        Assert.Equal([new CollectedManifest("team/app", B), new CollectedManifest("other", C)], report.Manifests);
        Assert.Equal([new CollectedManifest("team/app", B)], report.Needed);
        Assert.Equal([B, C], report.Blobs);
        Assert.Equal(3, report.BlobsMarked);
        Assert.Empty(report.Unknown);
        Assert.Empty(report.Warnings);
    }

    [Fact]
    public void Of_3_the_structure_is_read_and_the_layer_links_are_counted()
    {
        var report = Read($$"""
            app
            app: marking manifest {{A}} 
            app: marking blob {{B}}
            manifest eligible for deletion: {team/app {{C}} [1.0 latest]}
            manifest eligible for deletion: {app {{B}} []}
            manifest tags path of repository gone does not exist

            2 blobs marked, 1 blobs and 1 manifests eligible for deletion
            blob eligible for deletion: {{C}}
            app: layer link eligible for deletion: {{C}}
            """);
        Assert.Equal([new CollectedManifest("team/app", C), new CollectedManifest("app", B)], report.Manifests);
        Assert.Equal(1, report.LayersRemoved);
        Assert.Single(report.Warnings);
        Assert.Empty(report.Unknown);
    }

    [Fact]
    public void The_oldest_summary_is_read_and_a_run_that_is_cut_is_not_whole()
    {
        Assert.True(Read("a\n1 blobs marked, 0 blobs eligible for deletion").IsWhole);
        Assert.False(Read($"a\na: marking blob {A}").IsWhole);
        Assert.False(Read(string.Empty).IsWhole);
    }

    [Fact]
    public void What_it_warns_of_and_what_is_not_known_is_kept_and_made_fit_to_be_shown()
    {
        var report = Read("""
            time="2026-11-23T20:00:00Z" level=warning msg="quoted \"text\"" go.version=go1
            {"level":"error","msg":"in JSON","time":"2026-11-23T20:00:00Z"}
            {"level":"info","msg":"nothing","time":"2026-11-23T20:00:00Z"}
            Something Else Altogether
            manifest eligible for deletion: what
            a: marking something sha256:1
            {not json}
            """ + "\n\u001b[2Jcontrol");
        Assert.Equal(["quoted \"text\"", "in JSON"], report.Warnings);
        Assert.Equal(5, report.Unknown.Count);
        Assert.DoesNotContain(report.Unknown, line => line.Any(char.IsControl));
    }

    [Fact]
    public void Whatever_is_written_it_is_read()
    {
        // Of a seed, so that a failure can be repeated.
        var random = new Random(5);
        string[] words = ["time=", "level=error", "msg=\"", "\\", "\"", "{", "}", ": ", "marking blob ", "marking manifest ", "manifest eligible for deletion: ", "blob eligible for deletion: ", A, B, " blobs marked, ", "99999999999999", " [", "]", "a/b", "\u0000", "é", "\ud800"];
        for (var run = 0; run < 20_000; run++)
        {
            var output = new CollectorOutput();
            for (var line = 0; line < 4; line++) output.Add(string.Concat(Enumerable.Range(0, random.Next(9)).Select(_ => words[random.Next(words.Length)])));
            Assert.NotNull(output.Report());
        }
    }

    private static CollectorReport Read(string text)
    {
        var output = new CollectorOutput();
        foreach (var line in text.Split('\n')) output.Add(line);
        return output.Report();
    }
}
