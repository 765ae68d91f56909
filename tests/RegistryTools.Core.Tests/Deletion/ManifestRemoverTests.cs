using System.Text;
using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Journal;
using RegistryTools.Manifests;
using RegistryTools.References;
using Xunit;

namespace RegistryTools.Tests.Deletion;

public sealed class ManifestRemoverTests : IDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), "rt-journal-" + Guid.NewGuid().ToString("N"));
    private readonly RemovalJournal _journal;

    public ManifestRemoverTests() => _journal = new RemovalJournal(_directory);

    public void Dispose()
    {
        if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_manifest_with_other_tags_goes_only_by_force()
    {
        using var registry = new MemoryRegistry();
        var digest = registry.Push("one", "x");
        registry.Push("two", "x");
        registry.Push("three", "y");
        using var remover = new ManifestRemover(registry, _journal);
        var plan = Assert.Single(await remover.PlanAsync("r", [new ManifestRemovalRequest("one")]));
        Assert.Equal((["one", "two"], ["two"], true), (plan.Tags.ToArray(), plan.OtherTags.ToArray(), plan.IsInUse), new PlanComparer());
        var error = await Assert.ThrowsAsync<ManifestInUseException>(() => remover.RemoveAsync("r", plan, force: false));
        Assert.Contains("two", error.Message);
        Assert.Contains(digest.ToString(), error.Message);
        Assert.Contains("-Force", error.Remedy);
        Assert.Equal(3, registry.Tags.Count);
        Assert.DoesNotContain(registry.Log, line => line.StartsWith("DELETE", StringComparison.Ordinal));
        Assert.Empty(_journal.Read());

        await remover.RemoveAsync("r", plan, force: true);
        Assert.Equal(["three"], registry.Tags.Keys);
        Assert.True(plan.IsRemoved);
    }

    [Fact]
    public async Task Both_tags_named_are_one_removal()
    {
        using var registry = new MemoryRegistry();
        var digest = registry.Push("one", "x");
        registry.Push("two", "x");
        using var remover = new ManifestRemover(registry, _journal);
        var plan = Assert.Single(await remover.PlanAsync("r", [new ManifestRemovalRequest("one"), new ManifestRemovalRequest("two", digest), new ManifestRemovalRequest(digest.ToString())]));
        Assert.False(plan.IsInUse);
        await remover.RemoveAsync("r", plan, force: false);
        Assert.Empty(registry.Tags);
        Assert.Single(registry.Log, line => line.StartsWith("DELETE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_tagged_index_lists_at_any_depth_is_kept()
    {
        using var registry = new MemoryRegistry();
        var (child, inner, outer) = Nested(registry, "multi");
        using var remover = new ManifestRemover(registry, _journal);
        foreach (var digest in new[] { child, inner })
        {
            var plan = Assert.Single(await remover.PlanAsync("r", [new ManifestRemovalRequest(digest.ToString())]));
            Assert.Contains("multi", Assert.Single(plan.Indexes));
            Assert.Contains("multi", (await Assert.ThrowsAsync<ManifestInUseException>(() => remover.RemoveAsync("r", plan, force: false))).Message);
        }

        var top = Assert.Single(await remover.PlanAsync("r", [new ManifestRemovalRequest("multi")]));
        Assert.Equal((outer, false), (top.Manifest!.Digest, top.IsInUse));
        await remover.RemoveAsync("r", top, force: false);
        Assert.Contains(child, registry.Manifests.Keys);
    }

    [Fact]
    public async Task An_index_that_lists_itself_in_a_circle_or_a_child_that_is_gone_does_no_harm()
    {
        using var registry = new MemoryRegistry();
        var missing = Digest.Random();
        var index = registry.PushRaw("broken", IndexOf(MediaTypes.OciIndex, missing), MediaTypes.OciIndex);
        registry.PushRaw("twice", IndexOf(MediaTypes.OciIndex, index, index), MediaTypes.OciIndex);
        using var remover = new ManifestRemover(registry, _journal);
        var plan = Assert.Single(await remover.PlanAsync("r", [new ManifestRemovalRequest("broken")]));
        Assert.Single(plan.Indexes);
        Assert.Contains("twice", plan.Indexes[0]);
    }

    [Theory]
    [InlineData(0, 1, 2)]
    [InlineData(2, 1, 0)]
    [InlineData(1, 0, 2)]
    [InlineData(1, 2, 0)]
    public async Task What_goes_together_goes_in_an_order_in_which_nothing_is_needed(int first, int second, int third)
    {
        using var registry = new MemoryRegistry();
        var (child, inner, outer) = Nested(registry, "multi");
        var requests = new[] { new ManifestRemovalRequest(child.ToString()), new ManifestRemovalRequest(inner.ToString()), new ManifestRemovalRequest("multi") };
        using var remover = new ManifestRemover(registry, _journal);
        var plans = await remover.PlanAsync("r", [requests[first], requests[second], requests[third]]);
        Assert.Equal([outer, inner, child], plans.Select(plan => plan.Manifest!.Digest));

        // Each waits for the one before it.
        Assert.Contains("is still there", (await Assert.ThrowsAsync<ManifestInUseException>(() => remover.RemoveAsync("r", plans[2], force: false))).Message);
        foreach (var plan in plans) await remover.RemoveAsync("r", plan, force: false);
        Assert.Empty(registry.Tags);
        Assert.DoesNotContain(child, registry.Manifests.Keys);
    }

    [Fact]
    public async Task A_manifest_with_referrers_goes_only_with_them_or_by_force()
    {
        using var registry = new MemoryRegistry();
        var image = registry.Push("image", "x");
        var signature = registry.PushRaw(null, Referrer(image), MediaTypes.OciManifest);
        using var remover = new ManifestRemover(registry, _journal);
        var plan = Assert.Single(await remover.PlanAsync("r", [new ManifestRemovalRequest("image")]));
        Assert.Equal(signature, Assert.Single(plan.Referrers).Digest);
        var error = await Assert.ThrowsAsync<ManifestInUseException>(() => remover.RemoveAsync("r", plan, force: false));
        Assert.Contains("application/x.sig", error.Message);

        var both = await remover.PlanAsync("r", [new ManifestRemovalRequest("image"), new ManifestRemovalRequest(signature.ToString())]);
        Assert.Equal([signature, image], both.Select(one => one.Manifest!.Digest));
        foreach (var one in both) await remover.RemoveAsync("r", one, force: false);
        Assert.Empty(registry.Manifests);
    }

    [Fact]
    public async Task The_fallback_tag_of_the_subject_is_brought_up_to_date_and_keeps_what_others_wrote()
    {
        using var registry = new MemoryRegistry();
        var image = registry.Push("image", "x");
        var signature = registry.PushRaw(null, Referrer(image), MediaTypes.OciManifest);
        var other = Digest.Random();
        var tag = TagName.ForReferrersOf(image);
        registry.PushRaw(tag, IndexOf(MediaTypes.OciManifest, signature, other).Replace("{\"schemaVersion\"", "{\"x-own\":[1.0],\"schemaVersion\""), MediaTypes.OciIndex);
        using var remover = new ManifestRemover(registry, _journal);
        var plan = Assert.Single(await remover.PlanAsync("r", [new ManifestRemovalRequest(signature.ToString())]));
        Assert.False(plan.IsInUse);
        await remover.RemoveAsync("r", plan, force: false);
        var list = registry.Manifests[registry.Tags[tag]];
        Assert.Equal(other, Assert.Single(list.Manifests).Digest);
        Assert.Contains("\"x-own\":[1.0]", Encoding.UTF8.GetString(list.Raw.Span));
    }

    [Fact]
    public async Task A_layer_is_not_deleted_as_a_manifest()
    {
        using var registry = new MemoryRegistry();
        registry.Push("image", "x");
        var layer = registry.Blobs.Single();
        using var remover = new ManifestRemover(registry, _journal);
        var plans = await remover.PlanAsync("r", [new ManifestRemovalRequest(layer.ToString()), new ManifestRemovalRequest(Digest.Random().ToString()), new ManifestRemovalRequest("none"), new ManifestRemovalRequest("not a tag"), new ManifestRemovalRequest("image", Digest.Random())]);
        Assert.Equal(
            [typeof(RemovalFailedException), typeof(RegistryNotFoundException), typeof(TagNotFoundException), typeof(ReferenceFormatException), typeof(TagMovedException)],
            plans.Select(plan => plan.Error!.GetType()));
        foreach (var plan in plans) Assert.Same(plan.Error, await Record.ExceptionAsync(() => remover.RemoveAsync("r", plan, force: true)));
        Assert.DoesNotContain(registry.Log, line => line.StartsWith("DELETE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_cannot_be_told_is_not_taken_for_none()
    {
        using var registry = new MemoryRegistry();
        registry.Push("image", "x");
        registry.OnOperation = (_, name, place) =>
        {
            if (name == "REFERRERS" && place == FaultPlace.Before) throw MemoryRegistry.ServerError();
        };
        using var remover = new ManifestRemover(registry, _journal);
        var plan = Assert.Single(await remover.PlanAsync("r", [new ManifestRemovalRequest("image")]));
        Assert.Equal(500, ((RegistryRequestException)plan.Error!).StatusCode);
        await Assert.ThrowsAsync<RegistryRequestException>(() => remover.RemoveAsync("r", plan, force: true));
        Assert.Single(registry.Tags);
        registry.OnOperation = (_, name, place) =>
        {
            if (name == "HEAD image" && place == FaultPlace.Before) throw MemoryRegistry.Dead();
        };
        await Assert.ThrowsAsync<RegistryUnreachableException>(() => remover.PlanAsync("r", [new ManifestRemovalRequest("image")]));
    }

    [Fact]
    public async Task Every_tag_that_goes_along_is_in_the_journal_with_the_manifest()
    {
        using var registry = new MemoryRegistry();
        var digest = registry.Push("one", "x");
        registry.Push("two", "x");
        var untagged = registry.Push("gone", "y");
        registry.Tags.Remove("gone");
        var raw = registry.Manifests[digest].Raw.ToArray();
        registry.OnOperation = (_, name, place) =>
        {
            if (name.StartsWith("DELETE", StringComparison.Ordinal) && place == FaultPlace.Before) Assert.NotEmpty(_journal.Read("http://memory.test/"));
        };
        using (var remover = new ManifestRemover(registry, _journal))
        {
            foreach (var plan in await remover.PlanAsync("r", [new ManifestRemovalRequest("one"), new ManifestRemovalRequest(untagged.ToString())])) await remover.RemoveAsync("r", plan, force: true);
        }

        var entries = _journal.Read("http://memory.test/").ToList();
        Assert.Equal([null, "one", "two"], entries.Select(entry => entry.Tag).Order());
        Assert.All(entries, entry => Assert.Equal((RemovalState.Removed, RemovalMethod.Manifest), (entry.State, entry.Method)));
        Assert.Equal(raw, RemovalJournal.FindManifest(entries.First(entry => entry.Tag == "one")));

        // And from there it can be put back.
        registry.OnOperation = null;
        Assert.Equal(TagRestoration.Restored, await new TagRestorer(registry, _journal).RestoreAsync("r", "one", digest));
        Assert.Equal(digest, registry.Tags["one"]);
    }

    [Fact]
    public async Task What_was_refused_is_concluded_and_what_is_in_doubt_stays_open()
    {
        using var registry = new MemoryRegistry();
        registry.Push("one", "x");
        registry.DeletionEnabled = false;
        using (var remover = new ManifestRemover(registry, _journal))
        {
            var plan = Assert.Single(await remover.PlanAsync("r", [new ManifestRemovalRequest("one")]));
            await Assert.ThrowsAsync<DeletionDisabledException>(() => remover.RemoveAsync("r", plan, force: false));
        }

        Assert.Equal(RemovalState.Unchanged, Assert.Single(_journal.Read()).State);
        Assert.Single(registry.Tags);

        registry.DeletionEnabled = true;
        registry.OnOperation = (_, name, place) =>
        {
            if (name.StartsWith("DELETE", StringComparison.Ordinal) && place == FaultPlace.After) throw MemoryRegistry.Dead();
        };
        using (var remover = new ManifestRemover(registry, _journal))
        {
            var plan = Assert.Single(await remover.PlanAsync("r", [new ManifestRemovalRequest("one")]));
            await Assert.ThrowsAsync<RegistryUnreachableException>(() => remover.RemoveAsync("r", plan, force: false));
        }

        Assert.Contains(_journal.Read(), entry => entry.State == RemovalState.Pending);
    }

    [Fact]
    public async Task A_manifest_that_was_gone_by_then_is_told()
    {
        using var registry = new MemoryRegistry();
        var digest = registry.Push("one", "x");
        using var remover = new ManifestRemover(registry, _journal);
        var plan = Assert.Single(await remover.PlanAsync("r", [new ManifestRemovalRequest("one")]));
        registry.Manifests.Remove(digest);
        registry.Tags.Clear();
        await Assert.ThrowsAsync<RegistryNotFoundException>(() => remover.RemoveAsync("r", plan, force: false));
        Assert.False(plan.IsRemoved);
    }

    [Fact]
    public async Task A_tag_that_came_since_the_plan_was_made_is_not_taken_along()
    {
        using var registry = new MemoryRegistry();
        registry.Push("one", "x");
        using var remover = new ManifestRemover(registry, _journal);
        var plan = Assert.Single(await remover.PlanAsync("r", [new ManifestRemovalRequest("one")]));
        registry.Push("one", "newer");
        await remover.RemoveAsync("r", plan, force: false);

        // The manifest that was looked at goes; the tag that has moved on stays.
        Assert.Equal(["one"], registry.Tags.Keys);
    }

    private static (Digest Child, Digest Inner, Digest Outer) Nested(MemoryRegistry registry, string tag)
    {
        var child = registry.Push("temporary", "child");
        registry.Tags.Remove("temporary");
        var inner = registry.PushRaw(null, IndexOf(MediaTypes.OciManifest, child), MediaTypes.OciIndex);
        var outer = registry.PushRaw(tag, IndexOf(MediaTypes.OciIndex, inner), MediaTypes.OciIndex);
        return (child, inner, outer);
    }

    private static string IndexOf(string mediaType, params Digest[] children) =>
        $"{{\"schemaVersion\":2,\"mediaType\":\"{MediaTypes.OciIndex}\",\"manifests\":[{string.Join(",", children.Select(child => $"{{\"mediaType\":\"{mediaType}\",\"digest\":\"{child}\",\"size\":1}}"))}]}}";

    private static string Referrer(Digest subject) =>
        $"{{\"schemaVersion\":2,\"mediaType\":\"{MediaTypes.OciManifest}\",\"artifactType\":\"application/x.sig\",\"config\":{{\"mediaType\":\"{MediaTypes.OciEmpty}\",\"digest\":\"{Digest.Compute(Encoding.UTF8.GetBytes("{}"))}\",\"size\":2}},\"layers\":[],\"subject\":{{\"mediaType\":\"{MediaTypes.OciManifest}\",\"digest\":\"{subject}\",\"size\":1}}}}";

    private sealed class PlanComparer : IEqualityComparer<(string[], string[], bool)>
    {
        public bool Equals((string[], string[], bool) x, (string[], string[], bool) y) => x.Item1.SequenceEqual(y.Item1) && x.Item2.SequenceEqual(y.Item2) && x.Item3 == y.Item3;

        public int GetHashCode((string[], string[], bool) one) => 0;
    }
}
