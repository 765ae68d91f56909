using System.Text;
using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Journal;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Tests.Deletion;
using Xunit;

namespace RegistryTools.Tests.Review;

/// <summary>Ways in which a removal could take or change the wrong tag, or not be undone.</summary>
public sealed class RemovalSafetyTests : IDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), "rt-journal-" + Guid.NewGuid().ToString("N"));
    private readonly RemovalJournal _journal;

    public RemovalSafetyTests() => _journal = new RemovalJournal(_directory);

    public void Dispose()
    {
        if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_tag_that_a_listing_leaves_out_is_not_overwritten()
    {
        using var registry = Sample();
        var before = new Dictionary<string, Digest>(registry.Tags);
        var lists = 0;
        Dictionary<string, Digest> hidden = [];
        registry.OnOperation = (_, name, place) =>
        {
            // A registry that forgets a manifest with its last tag, and whose listing has a hole for a moment.
            if (name == "DELETE T11" && place == FaultPlace.After) registry.Manifests.Remove(before["T11"]);
            if (name != "LIST") return;
            if (place == FaultPlace.Before && ++lists == 2)
            {
                foreach (var tag in new[] { "T12", "T23" })
                {
                    hidden[tag] = registry.Tags[tag];
                    registry.Tags.Remove(tag);
                }
            }

            if (place == FaultPlace.After && lists == 2)
            {
                foreach (var tag in hidden) registry.Tags[tag.Key] = tag.Value;
            }
        };
        await RemoveAsync(registry, "T11");
        AssertOnlyGone(registry, before, "T11");
    }

    [Fact]
    public async Task Where_a_lost_tag_can_not_be_put_back_nothing_further_is_deleted()
    {
        using var registry = Sample();
        registry.TagDeleteTakesManifest = true;
        var before = new Dictionary<string, Digest>(registry.Tags);
        registry.OnOperation = (_, name, place) =>
        {
            if (name == "PUT T13" && place == FaultPlace.Before) throw MemoryRegistry.ServerError();
        };
        var removals = await RemoveAsync(registry, "T12", "T22", "T23");
        AssertOnlyGone(registry, before, "T12", "T13");
        Assert.All(removals.Skip(1), removal => Assert.IsType<RemovalFailedException>(removal.Error));
        Assert.Contains("T13", removals[1].Error!.Message, StringComparison.Ordinal);

        // What was lost can be had back later.
        registry.OnOperation = null;
        await new TagRestorer(registry, _journal).RestoreAsync("r", "T13", before["T13"]);
        AssertOnlyGone(registry, before, "T12");
    }

    [Fact]
    public async Task What_was_removed_before_a_registry_was_found_out_stays_said_to_be_removed()
    {
        using var registry = Sample();
        registry.TagDeleteTakesManifest = true;
        var before = new Dictionary<string, Digest>(registry.Tags);
        var removals = await RemoveAsync(registry, "T11", "T12", "T22");
        AssertOnlyGone(registry, before, "T11", "T12");
        Assert.Equal([RemovalState.Removed, RemovalState.Removed, RemovalState.Unchanged], removals.Select(removal => removal.State));
        Assert.Equal(before["T11"], new TagRestorer(registry, _journal).FindRemoved("r", "T11"));
    }

    [Fact]
    public async Task What_went_along_comes_back_although_the_user_stops_at_that_moment()
    {
        using var registry = Sample();
        registry.TagDeleteTakesManifest = true;
        var before = new Dictionary<string, Digest>(registry.Tags);
        using var cancel = new CancellationTokenSource();
        registry.OnOperation = (_, name, place) =>
        {
            if (name != "DELETE T12" || place != FaultPlace.After) return;
            cancel.Cancel();
            cancel.Token.ThrowIfCancellationRequested();
        };
        using var remover = Remover(registry);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => remover.RemoveAsync("r", [new TagRemovalRequest("T12"), new TagRemovalRequest("T22")], cancel.Token));
        AssertOnlyGone(registry, before, "T12");
    }

    [Fact]
    public async Task A_placeholder_whose_push_failed_is_not_pushed_again_over_a_tag_that_could_not_be_looked_at()
    {
        using var registry = Sample(hasTagDelete: false);
        Digest? pushed = null;
        var looks = 0;
        registry.OnOperation = (_, name, place) =>
        {
            if (place != FaultPlace.Before) return;
            if (name == "PUT T12" && pushed is null)
            {
                pushed = registry.Push("T12", "newer");
                throw MemoryRegistry.ServerError();
            }

            if (name == "HEAD T12" && looks++ == 0) throw MemoryRegistry.ServerError();
        };
        var removal = (await RemoveAsync(registry, "T11", "T12"))[1];
        Assert.IsType<TagMovedException>(removal.Error);
        Assert.Equal(pushed, registry.Tags["T12"]);
    }

    [Theory]
    [InlineData("HEAD sha256:")]
    [InlineData("LIST")]
    public async Task Where_it_can_not_be_told_what_a_deletion_took_along_nothing_further_is_deleted(string operation)
    {
        using var registry = Sample();
        registry.TagDeleteTakesManifest = true;
        var before = new Dictionary<string, Digest>(registry.Tags);
        var deleted = false;
        registry.OnOperation = (_, name, place) =>
        {
            if (name == "DELETE T12" && place == FaultPlace.After) deleted = true;
            if (deleted && name.StartsWith(operation, StringComparison.Ordinal) && place == FaultPlace.Before) throw MemoryRegistry.ServerError();
        };
        var removals = await RemoveAsync(registry, "T12", "T22", "T23");
        Assert.All(removals.Skip(1), removal => Assert.IsType<RemovalFailedException>(removal.Error));
        Assert.Equal(before["T22"], registry.Tags["T22"]);
        Assert.Equal(before["T23"], registry.Tags["T23"]);
    }

    [Fact]
    public async Task A_registry_that_was_found_to_take_the_manifest_along_is_stopped_for_good()
    {
        using var registry = new MemoryRegistry { HasTagDelete = true, TagDeleteTakesManifest = true };
        for (var i = 0; i <= TagRemover.MaximumBatch; i++)
        {
            registry.Push("t" + i, "image " + i);
            registry.Push("s" + i, "image " + i);
        }

        var before = new Dictionary<string, Digest>(registry.Tags);
        await RemoveAsync(registry, Enumerable.Range(0, TagRemover.MaximumBatch + 1).Select(i => "t" + i).ToArray());
        AssertOnlyGone(registry, before, "t0");
        await RemoveAsync(registry, "t1");
        AssertOnlyGone(registry, before, "t0");
    }

    [Fact]
    public async Task A_tag_that_moved_while_others_were_dealt_with_is_not_covered()
    {
        using var registry = Sample(hasTagDelete: false);
        var before = new Dictionary<string, Digest>(registry.Tags);
        Digest? pushed = null;
        registry.OnOperation = (_, name, place) =>
        {
            if (name != "PUT T11" || place != FaultPlace.Before || pushed is not null) return;

            // A slow registry, and a build that is done by then.
            Thread.Sleep(2500);
            pushed = registry.Push("T23", "a newer twenty-three");
        };
        var removals = await RemoveAsync(registry, "T11", "T12", "T23");
        Assert.Equal(pushed, registry.Tags["T23"]);
        Assert.IsType<TagMovedException>(removals[2].Error);
        Assert.False(registry.Tags.ContainsKey("T12"));
    }

    [Fact]
    public async Task A_push_of_the_placeholder_that_lands_after_a_cancellation_does_not_take_the_tag()
    {
        using var registry = Sample(hasTagDelete: false);
        var before = new Dictionary<string, Digest>(registry.Tags);
        using var cancel = new CancellationTokenSource();
        var landed = false;
        registry.OnOperation = (_, name, place) =>
        {
            if (name == "PUT T12" && place == FaultPlace.Before && !cancel.IsCancellationRequested)
            {
                cancel.Cancel();
                cancel.Token.ThrowIfCancellationRequested();
            }

            // The server had the request, and is done with it only after the tag was looked at.
            if (name == "HEAD T12" && place == FaultPlace.After && cancel.IsCancellationRequested && !landed)
            {
                landed = true;
                registry.Tags["T12"] = registry.Manifests.Values.Single(manifest => PlaceholderManifest.Recognize(manifest) is not null).Digest;
            }
        };
        using var remover = Remover(registry);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => remover.RemoveAsync("r", [new TagRemovalRequest("T11"), new TagRemovalRequest("T12")], cancel.Token));
        AssertOnlyGone(registry, before);
    }

    [Fact]
    public async Task A_manifest_whose_deletion_was_accepted_is_not_said_to_be_unchanged()
    {
        using var registry = Sample();
        var digest = registry.Tags["T11"];
        var deleted = false;
        registry.OnOperation = (_, name, place) =>
        {
            if (name.StartsWith("DELETE", StringComparison.Ordinal)) deleted = true;
            if (deleted && name.StartsWith("HEAD", StringComparison.Ordinal) && place == FaultPlace.Before) throw new RegistryRequestException("too many requests", "HEAD", new Uri("http://memory.test/"), 429);
        };
        using (var remover = new ManifestRemover(registry, _journal))
        {
            var plan = Assert.Single(await remover.PlanAsync("r", [new ManifestRemovalRequest("T11")]));
            await Assert.ThrowsAsync<RegistryRequestException>(() => remover.RemoveAsync("r", plan, force: false));
        }

        Assert.False(registry.Tags.ContainsKey("T11"));
        Assert.Equal(RemovalState.Pending, Assert.Single(_journal.Read()).State);
        Assert.Equal(digest, new TagRestorer(registry, _journal).FindRemoved("r", "T11"));
    }

    [Fact]
    public async Task A_tag_that_was_put_on_a_manifest_since_its_plan_was_made_is_not_taken_along()
    {
        using var registry = Sample();
        var digest = registry.Tags["T11"];
        using var remover = new ManifestRemover(registry, _journal) { PlanLifetime = TimeSpan.Zero };
        var plan = Assert.Single(await remover.PlanAsync("r", [new ManifestRemovalRequest("T11")]));
        registry.Tags["stable"] = digest;
        var error = await Assert.ThrowsAsync<ManifestInUseException>(() => remover.RemoveAsync("r", plan, force: false));
        Assert.Contains("stable", error.Message, StringComparison.Ordinal);
        Assert.Equal(digest, registry.Tags["stable"]);

        await remover.RemoveAsync("r", plan, force: true);
        Assert.Equal(["T11", "stable"], _journal.Read().Select(entry => entry.Tag).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_waits_for_a_flush_that_fails_is_not_taken_for_written()
    {
        Directory.CreateDirectory(_directory);
        var file = Path.Combine(_directory, "20200101T000000000Z-x.jsonl");
        using var stream = new FailingStream(file);
        var run = new JournalRun(stream, file, "x", DateTimeOffset.UtcNow, "http://memory.test/");
        stream.Hold.Reset();
        var first = Task.Run(() => run.IntendAsync([Intent("first")]));
        stream.Entered.Wait();
        var waiting = new[] { "second", "third" }.Select(tag => Task.Run(() => run.IntendAsync([Intent(tag)]))).ToArray();
        await Task.Delay(300);
        stream.FailAfter = 1;
        stream.Hold.Set();
        await first;
        foreach (var task in waiting) await Assert.ThrowsAsync<JournalException>(() => task);
        await Assert.ThrowsAsync<JournalException>(() => run.IntendAsync([Intent("fourth")]));
        await Assert.ThrowsAsync<JournalException>(() => run.ConcludeAsync("r", "first", Digest.Compute("x"u8.ToArray()), RemovalState.Removed));
        run.Dispose();

        // It is not passed over as one that left nothing open.
        Assert.Equal("first", Assert.Single(_journal.Read(pendingOnly: true)).Tag);
    }

    [Fact]
    public async Task A_journal_that_another_process_looks_at_is_read_and_concluded_all_the_same()
    {
        using (var run = _journal.Begin("http://memory.test/"))
        {
            await run.IntendAsync([Intent("t")]);
        }

        var file = Assert.Single(Directory.GetFiles(_directory));
        JournalEntry entry;
        using (Alone(file)) entry = Assert.Single(_journal.Read(pendingOnly: true));
        using (Alone(file)) RemovalJournal.Conclude(entry, RemovalState.Restored);
        Assert.Empty(_journal.Read(pendingOnly: true));
    }

    [Fact]
    public async Task Two_storages_whose_paths_differ_by_case_are_two()
    {
        using (var run = _journal.Begin("/data/Registry"))
        {
            await run.IntendAsync([Intent("t")]);
        }

        Assert.Empty(_journal.Read("/data/registry"));
        Assert.Single(_journal.Read("/data/Registry"));
    }

    private static Timer Alone(string file)
    {
        var stream = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        return new Timer(_ => stream.Dispose(), null, 100, Timeout.Infinite);
    }

    private static RemovalIntent Intent(string tag) => new("r", tag, Digest.Compute("x"u8.ToArray()), MediaTypes.OciManifest, RemovalMethod.TagApi);

    private static MemoryRegistry Sample(bool hasTagDelete = true)
    {
        var registry = new MemoryRegistry { HasTagDelete = hasTagDelete };
        registry.Push("T11", "eleven");
        registry.Push("T12", "twelve");
        registry.Push("T13", "twelve");
        registry.Push("T14", "twelve");
        registry.Push("T22", "twenty-two", MediaTypes.DockerManifest);
        registry.Push("T23", "twenty-three");
        return registry;
    }

    private static void AssertOnlyGone(MemoryRegistry registry, Dictionary<string, Digest> before, params string[] gone) =>
        Assert.Equal(before.Where(tag => !gone.Contains(tag.Key)).OrderBy(tag => tag.Key, StringComparer.Ordinal), registry.Tags.OrderBy(tag => tag.Key, StringComparer.Ordinal));

    private TagRemover Remover(MemoryRegistry registry) => new(registry, _journal, new TagRemoverOptions { RetryDelay = TimeSpan.FromMilliseconds(1), RollbackTimeout = TimeSpan.FromSeconds(5), ThrottleLimit = 1 });

    private async Task<IReadOnlyList<TagRemoval>> RemoveAsync(MemoryRegistry registry, params string[] tags)
    {
        using var remover = Remover(registry);
        return await remover.RemoveAsync("r", tags.Select(tag => new TagRemovalRequest(tag)).ToList());
    }

    /// <summary>A disk that fills up.</summary>
    private sealed class FailingStream(string file) : FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.Read)
    {
        public ManualResetEventSlim Hold { get; } = new(true);

        public ManualResetEventSlim Entered { get; } = new();

        public int? FailAfter { get; set; }

        public override void Write(byte[] array, int offset, int count)
        {
            if (!Hold.IsSet) Entered.Set();
            Hold.Wait();
            if (FailAfter is { } left)
            {
                // Once: space is freed right after.
                FailAfter = left == 0 ? null : left - 1;
                if (left == 0) throw new IOException("No space left on device.");
            }

            base.Write(array, offset, count);
        }
    }
}
