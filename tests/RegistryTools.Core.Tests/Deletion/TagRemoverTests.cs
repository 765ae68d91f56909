using System.Text;
using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Journal;
using RegistryTools.Manifests;
using RegistryTools.References;
using Xunit;

namespace RegistryTools.Tests.Deletion;

public sealed class TagRemoverTests : IDisposable
{
    private readonly string _directory = Path.Combine(Path.GetTempPath(), "rt-journal-" + Guid.NewGuid().ToString("N"));
    private readonly RemovalJournal _journal;

    public TagRemoverTests() => _journal = new RemovalJournal(_directory);

    public void Dispose()
    {
        if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Without_tag_delete_the_asked_tags_go_and_their_siblings_stay()
    {
        using var registry = Sample();
        var before = new Dictionary<string, Digest>(registry.Tags);
        var removals = await RemoveAsync(registry, "T12", "T22");
        Assert.All(removals, removal => Assert.Equal((RemovalState.Removed, RemovalMethod.Placeholder, null), (removal.State, removal.Method, removal.Error)));
        AssertOnlyGone(registry, before, "T12", "T22");
        Assert.Equal([before["T12"], before["T22"]], removals.Select(removal => removal.Digest));
        Assert.Contains(before["T12"], registry.Manifests.Keys);
    }

    [Fact]
    public async Task Twenty_tags_share_one_placeholder_and_one_delete()
    {
        using var registry = new MemoryRegistry();
        for (var i = 0; i < 40; i++) registry.Push("t" + i, "image " + i);
        await RemoveAsync(registry, Enumerable.Range(0, 20).Select(i => "t" + i).ToArray());
        Assert.Equal(20, registry.Tags.Count);
        Assert.Equal(20, registry.Log.Count(line => line.StartsWith("PUT t", StringComparison.Ordinal)));
        Assert.Single(registry.Log, line => line.StartsWith("DELETE sha256:", StringComparison.Ordinal));
        Assert.Equal(20, registry.Log.Count(line => line.StartsWith("GET t", StringComparison.Ordinal)));
        Assert.True(registry.Log.Count <= 2.5 * 20, $"{registry.Log.Count} requests for 20 tags");
    }

    [Fact]
    public async Task With_tag_delete_nothing_is_pushed()
    {
        using var registry = Sample(hasTagDelete: true);
        var before = new Dictionary<string, Digest>(registry.Tags);
        var removals = await RemoveAsync(registry, "T12", "T22", "T13");
        Assert.All(removals, removal => Assert.Equal((RemovalState.Removed, RemovalMethod.TagApi), (removal.State, removal.Method)));
        AssertOnlyGone(registry, before, "T12", "T22", "T13");
        Assert.DoesNotContain(registry.Log, line => line.StartsWith("PUT", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Trusting_the_listing_costs_one_request_a_tag()
    {
        using var registry = new MemoryRegistry { HasTagDelete = true };
        for (var i = 0; i < 100; i++) registry.Push("t" + i, "image " + i);
        using var remover = Remover(registry, new TagRemoverOptions { TrustListing = true });
        var removals = await remover.RemoveAsync("r", registry.Tags.Select(tag => new TagRemovalRequest(tag.Key, tag.Value)).ToList());
        Assert.All(removals, removal => Assert.Equal(RemovalState.Removed, removal.State));
        Assert.Empty(registry.Tags);
        Assert.InRange(registry.Log.Count, 100, 106);
    }

    [Fact]
    public async Task A_tag_that_has_moved_since_it_was_listed_is_not_removed()
    {
        foreach (var hasTagDelete in new[] { false, true })
        {
            using var registry = Sample(hasTagDelete);
            var listed = registry.Tags["T12"];
            registry.Push("T12", "something newer");
            var before = new Dictionary<string, Digest>(registry.Tags);
            using var remover = Remover(registry);
            var removal = Assert.Single(await remover.RemoveAsync("r", [new TagRemovalRequest("T12", listed)]));
            var error = Assert.IsType<TagMovedException>(removal.Error);
            Assert.Equal(listed, error.Listed);
            Assert.Equal(before["T12"], error.Actual);
            Assert.Equal(before, registry.Tags);
        }
    }

    [Fact]
    public async Task A_tag_that_is_not_there_is_told_and_the_others_go()
    {
        foreach (var hasTagDelete in new[] { false, true })
        {
            using var registry = Sample(hasTagDelete);
            var removals = await RemoveAsync(registry, "nowhere", "T12");
            Assert.IsType<TagNotFoundException>(removals[0].Error);
            Assert.Equal(RemovalState.Removed, removals[1].State);
        }
    }

    [Fact]
    public async Task With_deletion_off_nothing_is_overwritten()
    {
        using var registry = Sample();
        registry.DeletionEnabled = false;
        var before = new Dictionary<string, Digest>(registry.Tags);
        var removals = await RemoveAsync(registry, "T12", "T22");
        Assert.All(removals, removal => Assert.IsType<DeletionDisabledException>(removal.Error));
        Assert.Equal(before, registry.Tags);
        Assert.DoesNotContain(registry.Log, line => line.StartsWith("PUT", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Deletion_that_is_enabled_later_is_found_out_anew()
    {
        using var registry = Sample();
        registry.DeletionEnabled = false;
        Assert.IsType<DeletionDisabledException>(Assert.Single(await RemoveAsync(registry, "T12")).Error);
        registry.DeletionEnabled = true;
        registry.HasTagDelete = true;
        var removal = Assert.Single(await RemoveAsync(registry, "T12"));
        Assert.Equal((RemovalState.Removed, RemovalMethod.TagApi), (removal.State, removal.Method));
    }

    [Theory]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(null)]
    public async Task Only_the_registrys_own_word_leads_to_a_placeholder(int? status)
    {
        using var registry = Sample(hasTagDelete: true);
        registry.OnOperation = (_, name, place) =>
        {
            if (place != FaultPlace.Before || !name.StartsWith("DELETE T", StringComparison.Ordinal)) return;
            var uri = new Uri("http://memory.test/");
            throw status switch
            {
                null => MemoryRegistry.Dead(),
                401 => new RegistryUnauthorizedException("401", "DELETE", uri, 401),
                403 => new RegistryDeniedException("403", "DELETE", uri, 403),
                404 => new RegistryNotFoundException("404", "DELETE", uri, 404),
                _ => new RegistryRequestException("5xx", "DELETE", uri, status),
            };
        };
        var before = new Dictionary<string, Digest>(registry.Tags);
        var removals = await RemoveAsync(registry, "T12", "T22");
        Assert.All(removals, removal => Assert.NotNull(removal.Error));
        Assert.Equal(before, registry.Tags);
        Assert.DoesNotContain(registry.Log, line => line.StartsWith("PUT", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Another_manifest_takes_the_tag_while_the_answer_is_awaited_and_is_not_deleted()
    {
        using var registry = Sample(hasTagDelete: true);
        Digest? pushed = null;
        registry.OnOperation = (_, name, place) =>
        {
            if (place != FaultPlace.Before || name != "DELETE T12" || pushed is not null) return;
            pushed = registry.Push("T12", "pushed in between");
            throw MemoryRegistry.ServerError();
        };
        var removal = Assert.Single(await RemoveAsync(registry, "T12"));
        Assert.IsType<TagMovedException>(removal.Error);
        Assert.Equal(pushed, registry.Tags["T12"]);
    }

    [Fact]
    public async Task A_registry_whose_tag_delete_takes_the_manifest_is_found_out_and_stopped()
    {
        using var registry = Sample(hasTagDelete: true);
        registry.TagDeleteTakesManifest = true;
        var before = new Dictionary<string, Digest>(registry.Tags);
        var removals = await RemoveAsync(registry, "T12", "T22");
        Assert.Equal(RemovalState.Removed, removals[0].State);
        Assert.IsType<RemovalFailedException>(removals[1].Error);
        AssertOnlyGone(registry, before, "T12");
    }

    [Fact]
    public async Task The_journal_has_it_before_it_is_done_and_the_tag_comes_back_from_it()
    {
        using var registry = Sample();
        var digest = registry.Tags["T12"];
        registry.OnOperation = (_, name, place) =>
        {
            if (place == FaultPlace.Before && name == "PUT T12") Assert.Contains(_journal.Read(), entry => entry.Tag == "T12" && entry.Digest == digest && entry.State == RemovalState.Pending && entry.IsLive);
        };
        await RemoveAsync(registry, "T12");
        var entry = Assert.Single(_journal.Read(registry.Location));
        Assert.Equal(RemovalState.Removed, entry.State);
        Assert.Equal(digest, entry.Digest);
        registry.OnOperation = null;

        Assert.Equal(TagRestoration.Restored, await new TagRestorer(registry, _journal).RestoreAsync("r", "T12", digest));
        Assert.Equal(digest, registry.Tags["T12"]);
        Assert.Equal(RemovalState.Restored, Assert.Single(_journal.Read()).State);
    }

    [Fact]
    public async Task A_manifest_that_is_gone_comes_back_from_the_journals_bytes_while_its_blobs_are_there()
    {
        using var registry = Sample();
        var digest = registry.Tags["T22"];
        await RemoveAsync(registry, "T22");
        registry.Manifests.Remove(digest);
        Assert.Equal(TagRestoration.Restored, await new TagRestorer(registry, _journal).RestoreAsync("r", "T22", digest));
        Assert.Equal(digest, registry.Tags["T22"]);

        await RemoveAsync(registry, "T22");
        registry.Manifests.Remove(digest);
        registry.Blobs.Clear();
        await Assert.ThrowsAsync<RestoreFailedException>(() => new TagRestorer(registry, _journal).RestoreAsync("r", "T22", digest));
    }

    [Fact]
    public async Task A_tag_that_was_pushed_anew_is_moved_back_only_by_force()
    {
        using var registry = Sample();
        var digest = registry.Tags["T12"];
        await RemoveAsync(registry, "T12");
        var newer = registry.Push("T12", "newer");
        await Assert.ThrowsAsync<RestoreFailedException>(() => new TagRestorer(registry, _journal).RestoreAsync("r", "T12", digest));
        Assert.Equal(newer, registry.Tags["T12"]);
        await new TagRestorer(registry, _journal).RestoreAsync("r", "T12", digest, overwrite: true);
        Assert.Equal(digest, registry.Tags["T12"]);
    }

    [Fact]
    public async Task A_journal_that_cannot_be_written_stops_everything()
    {
        using var registry = Sample();
        var before = new Dictionary<string, Digest>(registry.Tags);
        File.WriteAllText(_directory, "a file where the directory should be");
        try
        {
            using var remover = new TagRemover(registry, _journal, Fast());
            var removals = await remover.RemoveAsync("r", [new TagRemovalRequest("T12")]);
            Assert.IsType<JournalException>(Assert.Single(removals).Error);
            Assert.Equal(before, registry.Tags);
            Assert.DoesNotContain(registry.Log, line => line.StartsWith("PUT", StringComparison.Ordinal) || line.StartsWith("DELETE", StringComparison.Ordinal));
        }
        finally
        {
            File.Delete(_directory);
        }
    }

    public static TheoryData<string, bool> Faults => new()
    {
        { "dead", false }, { "dead", true }, { "500", false }, { "500", true }, { "cancel", false }, { "cancel", true }, { "dead for good", false }, { "dead for good", true },
    };

    /// <summary>
    /// The heart of it: whatever single step fails, in whatever way, each tag is gone or points to its old digest, no other has changed, and what is said of it is true;
    /// where the network died for good, that holds after the next run.
    /// </summary>
    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_fault_at_any_step_leaves_each_tag_gone_or_as_it_was(string kind, bool hasTagDelete)
    {
        using var counted = Sample(hasTagDelete);
        await RemoveAsync(counted, "T12", "T22");
        var steps = counted.Operations;
        Directory.Delete(_directory, recursive: true);
        Assert.InRange(steps, 5, 40);
        for (var step = 1; step <= steps; step++)
        {
            foreach (var place in new[] { FaultPlace.Before, FaultPlace.After })
            {
                using var registry = Sample(hasTagDelete);
                var before = new Dictionary<string, Digest>(registry.Tags);
                using var cancel = new CancellationTokenSource();
                registry.OnOperation = (number, _, at) =>
                {
                    var hit = kind == "dead for good" ? number > step || (number == step && at == place) : number == step && at == place;
                    if (!hit) return;
                    if (kind == "cancel")
                    {
                        cancel.Cancel();
                        cancel.Token.ThrowIfCancellationRequested();
                    }

                    throw kind == "500" ? MemoryRegistry.ServerError() : MemoryRegistry.Dead();
                };
                var where = $"{kind} {place} step {step} of {steps}";
                IReadOnlyList<TagRemoval>? removals = null;
                try
                {
                    using var remover = Remover(registry);
                    removals = await remover.RemoveAsync("r", [new TagRemovalRequest("T12"), new TagRemovalRequest("T22")], cancel.Token);
                }
                catch (Exception exception) when (exception is OperationCanceledException || (exception is RegistryToolsException && kind.StartsWith("dead for", StringComparison.Ordinal)))
                {
                    // What is left is looked at below.
                }

                registry.OnOperation = null;
                if (kind == "dead for good")
                {
                    // The next run, for another tag: it mends what it finds.
                    Assert.Equal(RemovalState.Removed, Assert.Single(await RemoveAsync(registry, "T11")).State);
                    before.Remove("T11");
                }

                foreach (var tag in before.Keys)
                {
                    var now = registry.Tags.TryGetValue(tag, out var digest) && registry.Manifests.ContainsKey(digest) ? digest : null;
                    var asked = tag is "T12" or "T22";
                    Assert.True(now == before[tag] || (asked && now is null), $"{tag} points to {now} after {where}; {string.Join("; ", registry.Log)}");
                    var entry = _journal.Read(registry.Location).LastOrDefault(entry => entry.Tag == tag);
                    if (asked && entry is { State: RemovalState.Removed }) Assert.True(now is null, $"the journal says that {tag} is removed after {where}");
                    if (asked && entry is { State: RemovalState.Restored or RemovalState.Unchanged }) Assert.True(now is not null, $"the journal says that {tag} is there after {where}");
                    var told = removals?.FirstOrDefault(removal => removal.Tag == tag);
                    if (told is { State: RemovalState.Removed }) Assert.True(now is null, $"{tag} is said to be removed after {where}");
                    if (kind != "dead for good" && told is { State: RemovalState.Unchanged or RemovalState.Restored }) Assert.True(now is not null, $"{tag} is said to be there after {where}");
                }

                Assert.Equal(before.Keys.Except(["T12", "T22"]).Order(), registry.Tags.Keys.Except(["T12", "T22"]).Order());
                if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
            }
        }
    }

    [Fact]
    public async Task An_interrupted_run_is_finished_when_its_tags_are_asked_for_again_and_undone_where_they_are_not()
    {
        using var registry = Sample();
        var before = new Dictionary<string, Digest>(registry.Tags);
        await KillBeforeDeleteAsync(registry, "T12", "T22");
        Assert.NotEqual(before["T12"], registry.Tags["T12"]);
        Assert.Equal(registry.Tags["T12"], registry.Tags["T22"]);

        var removal = Assert.Single(await RemoveAsync(registry, "T12"));
        Assert.Equal(RemovalState.Removed, removal.State);
        Assert.Equal(before["T12"], removal.Digest);
        AssertOnlyGone(registry, before, "T12");
        Assert.Empty(_journal.Read(pendingOnly: true));
    }

    [Fact]
    public async Task Another_machine_finishes_or_undoes_by_what_the_placeholder_says_of_itself()
    {
        using var registry = Sample();
        var before = new Dictionary<string, Digest>(registry.Tags);
        await KillBeforeDeleteAsync(registry, "T12", "T22");
        Age(registry);
        Directory.Delete(_directory, recursive: true);

        var removal = Assert.Single(await RemoveAsync(registry, "T12"));
        Assert.Equal(before["T12"], removal.Digest);
        AssertOnlyGone(registry, before, "T12");
    }

    [Fact]
    public async Task Restoring_takes_a_placeholder_away()
    {
        using var registry = Sample();
        var before = new Dictionary<string, Digest>(registry.Tags);
        await KillBeforeDeleteAsync(registry, "T12", "T22");
        var restorer = new TagRestorer(registry, _journal);
        Assert.Equal(TagRestoration.Restored, await restorer.RestoreAsync("r", "T12", before["T12"]));
        Assert.Equal(TagRestoration.Restored, await restorer.RestoreAsync("r", "T22", before["T22"]));
        Assert.Equal(before, registry.Tags);
    }

    [Fact]
    public void A_placeholder_is_unique_and_knows_its_tags()
    {
        var tags = new[] { new OriginalTag("T12", Digest.Random(), MediaTypes.OciManifest), new OriginalTag("v1.0_x", Digest.Random(), MediaTypes.DockerManifestList) };
        var one = PlaceholderManifest.Create("0123", tags);
        var other = PlaceholderManifest.Create("0123", tags);
        Assert.NotEqual(one.Digest, other.Digest);
        var read = PlaceholderManifest.Recognize(Manifest.Parse(one.Manifest.Raw, one.Manifest.MediaType, one.Digest));
        Assert.NotNull(read);
        Assert.Equal("0123", read.RunId);
        Assert.Equal(tags, read.Tags);
        Assert.Equal(MediaTypes.DockerManifest, PlaceholderManifest.Create("1", [new OriginalTag("a", Digest.Random(), MediaTypes.DockerManifest)]).Manifest.MediaType);
    }

    [Fact]
    public void An_image_that_only_bears_the_annotation_is_no_placeholder()
    {
        var raw = Encoding.UTF8.GetBytes($"{{\"schemaVersion\":2,\"mediaType\":\"{MediaTypes.OciManifest}\",\"config\":{{\"mediaType\":\"{MediaTypes.OciConfig}\",\"digest\":\"{Digest.Random()}\",\"size\":2}},\"layers\":[],\"annotations\":{{\"{PlaceholderManifest.AnnotationKey}\":\"x\"}}}}");
        Assert.Null(PlaceholderManifest.Recognize(Manifest.Parse(raw, MediaTypes.OciManifest)));
    }

    private static MemoryRegistry Sample(bool hasTagDelete = false)
    {
        var registry = new MemoryRegistry { HasTagDelete = hasTagDelete };
        registry.Push("T11", "eleven");
        registry.Push("T12", "twelve");
        registry.Push("T13", "twelve");
        registry.Push("T22", "twenty-two", MediaTypes.DockerManifest);
        registry.Push("T23", "twenty-three");
        return registry;
    }

    private static TagRemoverOptions Fast() => new() { RetryDelay = TimeSpan.FromMilliseconds(1), RollbackTimeout = TimeSpan.FromSeconds(5), ThrottleLimit = 1 };

    private static void Age(MemoryRegistry registry)
    {
        // As if the placeholder had been there for an hour: its time is in its bytes, so it is pushed anew.
        var digest = registry.Tags["T12"];
        var old = registry.Manifests[digest];
        var text = Encoding.UTF8.GetString(old.Raw.ToArray());
        var year = DateTime.UtcNow.Year.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var aged = registry.PushRaw(null, text.Replace("\"org.opencontainers.image.created\":\"" + year, "\"org.opencontainers.image.created\":\"2001", StringComparison.Ordinal), old.MediaType);
        Assert.NotEqual(digest, aged);
        foreach (var tag in registry.Tags.Where(tag => tag.Value == digest).Select(tag => tag.Key).ToList()) registry.Tags[tag] = aged;
    }

    private static void AssertOnlyGone(MemoryRegistry registry, Dictionary<string, Digest> before, params string[] gone) =>
        Assert.Equal(before.Where(tag => !gone.Contains(tag.Key)).OrderBy(tag => tag.Key), registry.Tags.OrderBy(tag => tag.Key));

    private async Task KillBeforeDeleteAsync(MemoryRegistry registry, params string[] tags)
    {
        registry.OnOperation = (_, name, place) =>
        {
            if (registry.Log.Exists(line => line.StartsWith("DELETE sha256:", StringComparison.Ordinal))) throw MemoryRegistry.Dead();
        };
        var removals = await RemoveAsync(registry, tags);
        Assert.All(removals, removal => Assert.Equal(RemovalState.Pending, removal.State));
        registry.OnOperation = null;
        registry.Log.Clear();
    }

    private TagRemover Remover(MemoryRegistry registry, TagRemoverOptions? options = null) =>
        new(registry, _journal, options is null ? Fast() : new TagRemoverOptions { RetryDelay = TimeSpan.FromMilliseconds(1), TrustListing = options.TrustListing, Method = options.Method });

    private async Task<IReadOnlyList<TagRemoval>> RemoveAsync(MemoryRegistry registry, params string[] tags)
    {
        using var remover = Remover(registry);
        return await remover.RemoveAsync("r", tags.Select(tag => new TagRemovalRequest(tag)).ToList());
    }
}
