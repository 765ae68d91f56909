using System.Text;
using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Host.Embedded;
using RegistryTools.Journal;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Tests.Servers;
using RegistryTools.Transport;
using Xunit;

namespace RegistryTools.Tests.Transport;

/// <summary>A registry that is down is found out a few times, and not once for every tag.</summary>
public sealed class CircuitBreakerTests
{
    private static readonly TimeSpan Long = TimeSpan.FromHours(1);
    private static readonly byte[] Image = Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{Digest.Compute(Array.Empty<byte>())}}","size":0},"layers":[]}""");
    private static readonly Func<SeenRequest, HttpResponseMessage> Good = Answer.Bytes(200, Image, MediaTypes.OciManifest);
    private readonly CollectingLog _log = new();

    public static TheoryData<string> Downs => new() { "refused", "dead", "500", "502", "503", "504", "521", "stalls" };

    [Theory]
    [MemberData(nameof(Downs))]
    public async Task After_so_many_failures_in_a_row_it_is_not_asked_any_more(string how)
    {
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/*", Down(how));
        using var registry = await ConnectAsync(handler, retries: 1);
        for (var i = 0; i < 5; i++) Assert.IsNotType<RegistryDownException>(await Assert.ThrowsAnyAsync<RegistryRequestException>(() => registry.GetManifestAsync("a", "t" + i)));
        var asked = handler.Lines.Count;
        for (var i = 5; i < 1000; i++)
        {
            var error = await Assert.ThrowsAsync<RegistryDownException>(() => registry.GetManifestAsync("a", "t" + i));
            Assert.Contains("registry.test is taken to be down", error.Message);
            Assert.Contains("5 requests in a row failed", error.Message);
            Assert.Contains("/v2/a/manifests/t4", error.Message);
            Assert.InRange(error.RetryIn, TimeSpan.FromMinutes(50), Long);
        }

        await Assert.ThrowsAsync<RegistryDownException>(() => registry.DeleteTagAsync("b", "t"));
        await Assert.ThrowsAsync<RegistryDownException>(() => registry.DeleteManifestAsync("b", Digest.Random()));
        Assert.Equal(asked, handler.Lines.Count);
        Assert.Single(_log.Lines, line => line.StartsWith("WARNING registry.test is taken to be down", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(200)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(429)]
    [InlineData(501)]
    public async Task An_answer_in_between_shows_that_it_is_there(int status)
    {
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/bad", Answer.Refused).On("GET /v2/a/manifests/good", status == 200 ? Good : Answer.Status(status));
        using var registry = await ConnectAsync(handler, retries: 0);
        for (var round = 0; round < 4; round++)
        {
            for (var i = 0; i < 4; i++) Assert.IsNotType<RegistryDownException>(await Assert.ThrowsAsync<RegistryUnreachableException>(() => registry.GetManifestAsync("a", "bad")));
            if (status == 200) await registry.GetManifestAsync("a", "good");
            else Assert.Equal(status, (await Assert.ThrowsAnyAsync<RegistryRequestException>(() => registry.GetManifestAsync("a", "good"))).StatusCode);
        }
    }

    [Fact]
    public async Task A_registry_that_asks_for_patience_is_not_down()
    {
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", Answer.Status(429));
        using var registry = await ConnectAsync(handler, retries: 1);
        for (var i = 0; i < 12; i++) Assert.Equal(429, (await Assert.ThrowsAsync<RegistryRequestException>(() => registry.GetManifestAsync("a", "t"))).StatusCode);
    }

    [Fact]
    public async Task A_change_that_is_not_repeated_says_nothing_of_the_registry()
    {
        var handler = new ScriptedHandler().On("DELETE /v2/a/manifests/t", Answer.Dead).On("GET /v2/a/manifests/t", Good);
        using var registry = await ConnectAsync(handler, retries: 2);
        for (var i = 0; i < 12; i++) await Assert.ThrowsAsync<RegistryUnreachableException>(() => registry.DeleteTagAsync("a", "t"));
        await registry.GetManifestAsync("a", "t");
    }

    [Fact]
    public async Task What_fails_on_another_server_is_no_fault_of_the_registry()
    {
        var handler = new ScriptedHandler().On("GET /v2/a/blobs/*", Answer.Status(307, ("Location", "http://cdn.test/x"))).On("GET http://cdn.test/x", Answer.Refused).On("GET /v2/a/manifests/t", Good);
        using var registry = await ConnectAsync(handler, retries: 0);
        for (var i = 0; i < 12; i++) Assert.IsNotType<RegistryDownException>(await Assert.ThrowsAsync<RegistryUnreachableException>(() => registry.ReadBlobAsync("a", Digest.Random(), 10)));
        await registry.GetManifestAsync("a", "t");
    }

    [Fact]
    public async Task When_the_time_is_up_one_is_tried_and_its_success_lets_all_through()
    {
        var back = new TaskCompletionSource();
        var asked = new TaskCompletionSource();
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", Answer.Refused);
        using var registry = await ConnectAsync(handler, retries: 0, duration: TimeSpan.FromMilliseconds(300));
        await FailAsync(registry, 5);
        await Assert.ThrowsAsync<RegistryDownException>(() => registry.GetManifestAsync("a", "t"));
        handler.OnAsync("GET /v2/a/manifests/t", async (request, _) =>
        {
            asked.SetResult();
            await back.Task;
            return Good(request);
        }, (request, _) => Task.FromResult(Good(request)));
        await Task.Delay(400);
        var before = handler.Lines.Count;
        var trial = registry.GetManifestAsync("a", "t");
        await asked.Task;
        await Assert.ThrowsAsync<RegistryDownException>(() => registry.GetManifestAsync("a", "t"));
        Assert.Equal(before + 1, handler.Lines.Count);
        back.SetResult();
        await trial;
        await registry.GetManifestAsync("a", "t");
    }

    [Fact]
    public async Task A_trial_that_fails_is_one_request_and_begins_the_time_anew()
    {
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", Answer.Refused);
        using var registry = await ConnectAsync(handler, retries: 3, duration: TimeSpan.FromMilliseconds(1500));
        await FailAsync(registry, 5);
        await Task.Delay(1600);
        var before = handler.Lines.Count;
        Assert.IsNotType<RegistryDownException>(await Assert.ThrowsAsync<RegistryUnreachableException>(() => registry.GetManifestAsync("a", "t")));
        Assert.Equal(before + 1, handler.Lines.Count);
        await Assert.ThrowsAsync<RegistryDownException>(() => registry.GetManifestAsync("a", "t"));
        Assert.Equal(before + 1, handler.Lines.Count);
    }

    [Fact]
    public async Task A_trial_that_is_cancelled_leaves_the_next_one_to_try()
    {
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", Answer.Refused);
        using var registry = await ConnectAsync(handler, retries: 0, duration: TimeSpan.FromMilliseconds(50));
        await FailAsync(registry, 5);
        await Task.Delay(100);
        handler.OnAsync("GET /v2/a/manifests/t", Answer.Never, (request, _) => Task.FromResult(Good(request)));
        using var stop = new CancellationTokenSource(100);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => registry.GetManifestAsync("a", "t", stop.Token));
        await registry.GetManifestAsync("a", "t");
    }

    [Fact]
    public async Task Those_that_wait_to_be_repeated_give_up_as_well()
    {
        // The one that waits would wait for an hour.
        var waits = new TaskCompletionSource();
        var handler = new ScriptedHandler()
            .On("GET /v2/a/manifests/t", Answer.Refused)
            .On("GET /v2/a/manifests/waits", request =>
            {
                waits.TrySetResult();
                return Answer.Status(503, ("Retry-After", "1"))(request);
            });
        using var registry = await ConnectAsync(handler, retries: 3);
        var waiting = registry.GetManifestAsync("a", "waits");
        await waits.Task;
        await FailAsync(registry, 5);
        Assert.Equal(503, (await Assert.ThrowsAsync<RegistryRequestException>(() => waiting)).StatusCode);
        Assert.Single(handler.Lines, line => line.EndsWith("/waits", StringComparison.Ordinal));
    }

    [Fact]
    public async Task It_can_be_left_out()
    {
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", Answer.Refused);
        using var registry = await ConnectAsync(handler, retries: 0, after: 0);
        await FailAsync(registry, 50);
        Assert.Equal(50, handler.Lines.Count);
    }

    [Theory]
    [InlineData("refused")]
    [InlineData("503")]
    [InlineData("521")]
    public async Task Casual_requests_are_sent_once_and_do_not_count(string how)
    {
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", Down(how));
        using var registry = await ConnectAsync(handler, retries: 3);
        for (var i = 0; i < 20; i++) await Assert.ThrowsAnyAsync<RegistryRequestException>(() => CasuallyAsync(registry));
        Assert.Equal(20, handler.Lines.Count(line => line.EndsWith("/t", StringComparison.Ordinal)));
        Assert.DoesNotContain(_log.Lines, line => line.StartsWith("WARNING", StringComparison.Ordinal));

        // The flow that began it has ended: what follows is as serious as ever.
        await Assert.ThrowsAnyAsync<RegistryRequestException>(() => registry.GetManifestAsync("a", "t"));
        Assert.True(how == "521" || handler.Lines.Count(line => line.EndsWith("/t", StringComparison.Ordinal)) == 24);
    }

    [Fact]
    public async Task A_casual_request_is_not_sent_to_a_registry_that_is_down_and_one_that_fails_does_not_keep_it_down()
    {
        var handler = new ScriptedHandler().On("GET /v2/a/manifests/t", Answer.Refused).On("GET /v2/a/manifests/good", Good);
        using var registry = await ConnectAsync(handler, retries: 0, duration: TimeSpan.FromMilliseconds(300));
        await FailAsync(registry, 5);
        var asked = handler.Lines.Count;
        await Assert.ThrowsAsync<RegistryDownException>(() => CasuallyAsync(registry));
        Assert.Equal(asked, handler.Lines.Count);
        await Task.Delay(400);
        await Assert.ThrowsAsync<RegistryUnreachableException>(() => CasuallyAsync(registry));
        await registry.GetManifestAsync("a", "good");
        await CasuallyAsync(registry, "good");
    }

    [Fact]
    public async Task A_removal_is_taken_back_although_the_registry_is_taken_to_be_down()
    {
        await using var server = await EmbeddedRegistry.StartAsync(EmbeddedRegistryOptions.Distribution2());
        SampleData.Seed(server.Store);
        var directory = Directory.CreateTempSubdirectory("rt-breaker-").FullName;
        using var registry = await ConnectAsync(server);
        var before = await TagsAsync(registry);

        // The placeholder stands over the tags; its deletion fails, and the look after it, which opens the breaker; then the registry is back.
        var covered = 0;
        var failed = 0;
        server.Fault = (request, phase) =>
        {
            if (phase != FaultPhase.Before) return null;
            if (request.Method == "PUT" && request.PathAndQuery.StartsWith("/v2/i4/manifests/", StringComparison.Ordinal) && !request.PathAndQuery.Contains("sha256:", StringComparison.Ordinal)) covered++;
            if (covered == 0 || failed == 2 || (failed == 0 && request.Method != "DELETE")) return null;
            failed++;
            return FaultAction.Status(500);
        };
        using (var remover = new TagRemover(registry, new RemovalJournal(directory), new TagRemoverOptions { RetryDelay = TimeSpan.FromMilliseconds(1) }))
        {
            var removals = await remover.RemoveAsync("i4", [new TagRemovalRequest("T41"), new TagRemovalRequest("T42")]);
            Assert.Equal(2, failed);
            Assert.All(removals, removal => Assert.Equal(RemovalState.Restored, removal.State));
        }

        Assert.Contains(_log.Lines, line => line.Contains("is taken to be down"));
        Assert.Equal(before, await TagsAsync(registry));
        Assert.DoesNotContain(new RemovalJournal(directory).Read(), entry => entry.State == RemovalState.Pending);
        Directory.Delete(directory, recursive: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Tags_that_nothing_was_sent_for_are_unchanged_and_not_in_doubt(bool byName)
    {
        await using var server = await EmbeddedRegistry.StartAsync(byName ? EmbeddedRegistryOptions.Full() : EmbeddedRegistryOptions.Distribution2());
        SampleData.Seed(server.Store);
        var directory = Directory.CreateTempSubdirectory("rt-breaker-").FullName;
        using var registry = await ConnectAsync(server);
        var before = await TagsAsync(registry);
        var down = false;
        server.Fault = (request, phase) =>
        {
            if (phase != FaultPhase.Before) return null;
            if (request.Method == (byName ? "DELETE" : "PUT") && request.PathAndQuery.StartsWith("/v2/i4/manifests/", StringComparison.Ordinal) && !request.PathAndQuery.Contains("sha256:", StringComparison.Ordinal)) down = true;
            return down ? FaultAction.Abort() : null;
        };
        IReadOnlyList<TagRemoval> removals;
        using (var remover = new TagRemover(registry, new RemovalJournal(directory), new TagRemoverOptions { RetryDelay = TimeSpan.FromMilliseconds(1), ThrottleLimit = 1, RollbackTimeout = TimeSpan.FromSeconds(1) }))
        {
            removals = await remover.RemoveAsync("i4", new[] { "T41", "T42", "T43", "vT44" }.Select(tag => new TagRemovalRequest(tag)).ToList());
        }

        server.Fault = null;
        Assert.Equal(before, await TagsAsync(server));
        Assert.All(removals.Skip(1), removal =>
        {
            Assert.Equal(RemovalState.Unchanged, removal.State);
            Assert.True(removal.Error is RegistryDownException, $"{removal.Tag}: {removal.Error}");
        });
        Assert.DoesNotContain(new RemovalJournal(directory).Read(), entry => entry.State == RemovalState.Pending && entry.Tag != removals[0].Tag);
        Directory.Delete(directory, recursive: true);
    }

    private static Func<SeenRequest, HttpResponseMessage> Down(string how) => how switch
    {
        "refused" => Answer.Refused,
        "dead" => Answer.Dead,
        "stalls" => Answer.Partial(Image[..10], Image.Length, BodyEnd.Breaks, MediaTypes.OciManifest),
        _ => Answer.Status(int.Parse(how, System.Globalization.CultureInfo.InvariantCulture)),
    };

    private static async Task CasuallyAsync(HttpRegistry registry, string tag = "t")
    {
        CasualRequests.Begin();
        await registry.GetManifestAsync("a", tag);
    }

    private static async Task FailAsync(HttpRegistry registry, int times)
    {
        for (var i = 0; i < times; i++) Assert.IsNotType<RegistryDownException>(await Assert.ThrowsAsync<RegistryUnreachableException>(() => registry.GetManifestAsync("a", "t")));
    }

    private static async Task<Dictionary<string, string>> TagsAsync(HttpRegistry registry)
    {
        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        await foreach (var tag in registry.ListTagsAsync("i4")) tags[tag] = (await registry.FindManifestAsync("i4", tag))!.Digest.ToString();
        return tags;
    }

    private async Task<Dictionary<string, string>> TagsAsync(EmbeddedRegistry server)
    {
        using var registry = await ConnectAsync(server);
        return await TagsAsync(registry);
    }

    private Task<HttpRegistry> ConnectAsync(EmbeddedRegistry server) => HttpRegistry.ConnectAsync(
        RegistryAddress.Parse(server.BaseAddress.AbsoluteUri),
        new HttpRegistryOptions { RetryCount = 0, BreakAfter = 2, BreakDuration = Long, Timeout = TimeSpan.FromSeconds(30), Log = _log });

    private Task<HttpRegistry> ConnectAsync(ScriptedHandler handler, int retries, TimeSpan? duration = null, int after = 5) => HttpRegistry.ConnectAsync(
        RegistryAddress.Parse("http://" + ScriptedHandler.Host),
        new HttpRegistryOptions { Handler = handler, RetryCount = retries, RetryDelay = TimeSpan.FromMilliseconds(1), BreakAfter = after, BreakDuration = duration ?? Long, Timeout = TimeSpan.FromSeconds(30), Log = _log });
}
