using RegistryTools.Host.Embedded;
using RegistryTools.Host.Tour;

namespace RegistryTools.Cmdlets.Tests.Host;

/// <summary>The judge of the tour has to see each way in which a registry can be damaged; so it is damaged.</summary>
public sealed class VerdictTests : IAsyncLifetime, IDisposable
{
    private static readonly (string, string)[] Unwanted = [("i1", "T12"), ("i2", "T22"), ("i5", "T52")];

    private EmbeddedRegistry registry = null!;
    private RegistryWitness witness = null!;
    private IReadOnlyList<WitnessedTag> before = [];

    public async Task InitializeAsync()
    {
        registry = await GuidedTour.StartSamplesAsync(EmbeddedRegistryOptions.Distribution3() with { MaximumPage = 2 }, CancellationToken.None);
        witness = new RegistryWitness(registry.BaseAddress);
        before = await witness.PullEverythingAsync(CancellationToken.None);
    }

    public async Task DisposeAsync() => await registry.DisposeAsync();

    public void Dispose() => witness.Dispose();

    [Fact]
    public void EverythingIsPulledThroughAllPages()
    {
        Assert.Equal(
            SampleData.Tags.SelectMany(r => r.Value.Select(t => $"{r.Key}:{t}")).Order(StringComparer.Ordinal),
            before.Select(t => t.ToString()).Where(t => !t.Contains("sha256-", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Equal((4, 6), before.Where(t => t.Tag == "T41").Select(t => (t.Content.Manifests, t.Content.Blobs)).Single());
    }

    [Fact]
    public async Task WhatIsRightIsRight()
    {
        RemoveUnwanted();
        Verdict verdict = await ReachAsync();
        Assert.True(verdict.IsRight, verdict.Summary);
        Assert.Equal($"the three tags are gone; {before.Count - 3} other tags still pull", verdict.Summary);
    }

    [Fact]
    public async Task NothingGoneIsRightWhereNothingWasToGo()
    {
        Verdict verdict = await Verdict.ReachAsync(witness, before, [], CancellationToken.None);
        Assert.Equal($"nothing is gone; all {before.Count} tags pull", verdict.Summary);
    }

    [Fact]
    public async Task ATagThatStayedIsSeen()
    {
        RemoveUnwanted();
        registry.Store.WriteManifest("i2", "T22", registry.Store.ReadManifest("i2", Digest("i2", "T22"))!);
        await WrongAsync("i2:T22", "still listed");
    }

    [Fact]
    public async Task AnotherTagThatIsGoneIsSeen()
    {
        RemoveUnwanted();
        registry.Store.DeleteTag("i3", "T31");
        await WrongAsync("i3:T31", "missing from the list");
    }

    [Fact]
    public async Task ARepositoryThatIsGoneIsSeen()
    {
        RemoveUnwanted();
        Directory.Delete(Path.Combine(registry.StoragePath, "docker", "registry", "v2", "repositories", "i3"), recursive: true);
        Verdict verdict = await ReachAsync();
        Assert.Equal(["T31", "T32"], verdict.Wrong.Select(f => f.Tag));
    }

    [Fact]
    public async Task ATagThatMovedIsSeen()
    {
        RemoveUnwanted();
        registry.Store.WriteManifest("i3", "T31", registry.Store.ReadManifest("i3", Digest("i3", "T32"))!);
        await WrongAsync("i3:T31", "points to " + Digest("i3", "T32"));
    }

    [Fact]
    public async Task ATagThatAppearedIsSeen()
    {
        RemoveUnwanted();
        registry.Store.WriteManifest("i3", "placeholder", registry.Store.ReadManifest("i3", Digest("i3", "T32"))!);
        await WrongAsync("i3:placeholder", "was not there before");
    }

    [Fact]
    public async Task AManifestThatWentWithItsTagIsSeen()
    {
        RemoveUnwanted();
        registry.Store.DeleteManifest("i5", Digest("i5", "T52"));
        await WrongAsync("i5:T52", "more with it");
    }

    [Fact]
    public async Task APlatformThatIsMissingIsSeen()
    {
        RemoveUnwanted();
        registry.Store.DeleteManifest("i4", Below("i4", "T41", "manifests"));
        await WrongAsync("i4:T41", "404 for the manifest");
    }

    [Fact]
    public async Task ALayerThatIsMissingIsSeen()
    {
        RemoveUnwanted();
        registry.Store.DeleteLayer("i3", Below("i3", "T31", "layers"));
        await WrongAsync("i3:T31", "404 for its blob");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ALayerThatChangedIsSeen(bool shorter)
    {
        RemoveUnwanted();
        string path = registry.Store.BlobPath(Below("i3", "T31", "layers"));
        byte[] bytes = File.ReadAllBytes(path);
        bytes[0] ^= 1;
        File.WriteAllBytes(path, shorter ? bytes[1..] : bytes);
        await WrongAsync("i3:T31", "its blob");
    }

    [Fact]
    public async Task AManifestThatChangedIsSeen()
    {
        RemoveUnwanted();
        File.AppendAllText(registry.Store.BlobPath(Digest("i3", "T31")), " ");
        await WrongAsync("i3:T31", "doesn't pull");
    }

    [Fact]
    public async Task ATagThatNeverWasIsNotGone()
    {
        RemoveUnwanted();
        Verdict verdict = await Verdict.ReachAsync(witness, before, [.. Unwanted, ("i1", "T99")], CancellationToken.None);
        Assert.Equal("wrong: i1:T99 was not there to begin with", verdict.Summary);
    }

    [Fact]
    public async Task ARegistryThatFailsIsNoVerdict()
    {
        registry.Fault = (request, phase) => request.PathAndQuery.StartsWith("/v2/_catalog", StringComparison.Ordinal) ? FaultAction.Status(500) : null;
        WitnessException error = await Assert.ThrowsAsync<WitnessException>(ReachAsync);
        Assert.Contains("500", error.Message, StringComparison.Ordinal);
    }

    private void RemoveUnwanted()
    {
        foreach ((string repository, string tag) in Unwanted)
            Assert.True(registry.Store.DeleteTag(repository, tag));
    }

    private Task<Verdict> ReachAsync() => Verdict.ReachAsync(witness, before, Unwanted, CancellationToken.None);

    private async Task WrongAsync(string name, string finding)
    {
        Verdict verdict = await ReachAsync();
        Finding wrong = Assert.Single(verdict.Wrong);
        Assert.Equal(name, $"{wrong.Repository}:{wrong.Tag}");
        Assert.Contains(finding, wrong.Text, StringComparison.Ordinal);
        Assert.StartsWith($"wrong: {name} ", verdict.Summary, StringComparison.Ordinal);
    }

    private string Digest(string repository, string tag) => before.Single(t => t.Repository == repository && t.Tag == tag).Content.Digest;

    private string Below(string repository, string tag, string property)
    {
        using var manifest = System.Text.Json.JsonDocument.Parse(registry.Store.ReadManifest(repository, Digest(repository, tag))!);
        return manifest.RootElement.GetProperty(property)[0].GetProperty("digest").GetString()!;
    }
}
