using System.Diagnostics;
using System.Net;
using RegistryTools.Host.Embedded;
using Xunit;
using Server = RegistryTools.Host.Embedded.EmbeddedRegistry;

namespace RegistryTools.Tests.Embedded;

public sealed class FaultTests
{
    [Fact]
    public async Task RequestsAreRemembered()
    {
        await using var registry = await StartAsync();
        using var client = Client(registry);
        (await client.GetAsync(Relative("v2/r/tags/list?n=5"))).Dispose();
        (await client.GetAsync(Relative("v2/none/tags/list"))).Dispose();
        Assert.Equal(["GET /v2/r/tags/list?n=5 200", "GET /v2/none/tags/list 404"], registry.Requests.Select(request => request.ToString()));
        registry.ClearRequests();
        (await client.DeleteAsync(Relative("v2/r/manifests/one"))).Dispose();
        Assert.Equal(["DELETE /v2/r/manifests/one 202"], registry.Requests.Select(request => request.ToString()));
    }

    [Fact]
    public async Task AFaultBeforeLeavesEverythingAsItWas()
    {
        await using var registry = await StartAsync();
        registry.Fault = (request, phase) => phase == FaultPhase.Before && request.Method == "DELETE"
            ? FaultAction.Status(503, "{\"errors\":[{\"code\":\"UNAVAILABLE\"}]}", new Dictionary<string, string> { ["Retry-After"] = "7" })
            : null;
        using var client = Client(registry);
        using var answer = await client.DeleteAsync(Relative("v2/r/manifests/one"));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(7), answer.Headers.RetryAfter!.Delta);
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal(["one"], registry.Store.Tags("r"));
        Assert.Equal(503, registry.Requests[0].StatusCode);
    }

    [Fact]
    public async Task AFaultAfterHidesWhatWasDone()
    {
        await using var registry = await StartAsync();
        registry.Fault = (request, phase) =>
        {
            if (phase == FaultPhase.Before)
                return null;
            Assert.Equal(202, request.StatusCode);
            return FaultAction.Abort();
        };
        using var client = Client(registry);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.DeleteAsync(Relative("v2/r/manifests/one")));
        Assert.Empty(registry.Store.Tags("r"));
        Assert.Equal(0, registry.Requests[0].StatusCode);
    }

    [Theory]
    [InlineData(FaultPhase.Before)]
    [InlineData(FaultPhase.After)]
    public async Task ATruncatedBodyIsNoticed(FaultPhase when)
    {
        await using var registry = await StartAsync();
        registry.Fault = (_, phase) => phase == when ? FaultAction.Truncate(10) : null;
        using var client = Client(registry);
        using var answer = await client.GetAsync(Relative("v2/r/blobs/" + registry.Store.Layers("r")[0]), HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(answer.Content.Headers.ContentLength > 10);
        await Assert.ThrowsAnyAsync<Exception>(() => answer.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task AFaultThatFailsItselfIsAnswered()
    {
        await using var registry = await StartAsync();
        registry.Fault = (_, _) => throw new InvalidOperationException("a mistake in the test");
        using var client = Client(registry);
        using var answer = await client.GetAsync(Relative("v2/"));
        Assert.Equal(HttpStatusCode.InternalServerError, answer.StatusCode);
        Assert.Contains("a mistake in the test", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(500, registry.Requests[0].StatusCode);
    }

    [Fact]
    public async Task ABodyTakesTheAnswersPlace()
    {
        await using var registry = await StartAsync();
        registry.Fault = (_, phase) => phase == FaultPhase.After ? FaultAction.Body([1, 2, 3], "application/x-three") : null;
        using var client = Client(registry);
        using var answer = await client.GetAsync(Relative("v2/r/manifests/none"));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("application/x-three", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal([1, 2, 3], await answer.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task WhoAskedAndWhenIsRemembered()
    {
        await using var registry = await StartAsync();
        using var client = Client(registry);
        using var request = new HttpRequestMessage(HttpMethod.Get, "v2/");
        request.Headers.TryAddWithoutValidation("User-Agent", "somebody/1");
        (await client.SendAsync(request)).Dispose();
        Assert.Equal("somebody/1", registry.Requests[0].Headers["user-agent"]);
        Assert.InRange(registry.Requests[0].Time, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow);
    }

    [Fact]
    public async Task ADelayAndATrickleTakeTheirTime()
    {
        await using var registry = await StartAsync();
        using var client = Client(registry);
        var plain = await client.GetByteArrayAsync(Relative("v2/r/tags/list"));
        registry.Fault = (_, phase) => phase == FaultPhase.Before ? FaultAction.Delay(TimeSpan.FromMilliseconds(200)) : FaultAction.Trickle(TimeSpan.FromMilliseconds(5));
        var watch = Stopwatch.StartNew();
        Assert.Equal(plain, await client.GetByteArrayAsync(Relative("v2/r/tags/list")));
        Assert.InRange(watch.ElapsedMilliseconds, 200 + plain.Length * 4, 60_000);
    }

    [Fact]
    public async Task ARequestThatHangsEndsWithTheClient()
    {
        await using var registry = await StartAsync();
        registry.Fault = (_, phase) => phase == FaultPhase.Before ? FaultAction.Hang() : null;
        using var client = Client(registry);
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.GetAsync(Relative("v2/"), patience.Token));
    }

    [Fact]
    public async Task ARequestThatHangsDoesNotHoldUpTheEnd()
    {
        var registry = await StartAsync();
        registry.Fault = (_, phase) => phase == FaultPhase.Before ? FaultAction.Hang() : null;
        using var client = Client(registry);
        var hanging = client.GetAsync(Relative("v2/"));
        while (registry.Requests.Count == 0)
            await Task.Delay(10);
        await registry.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));
        await Assert.ThrowsAsync<HttpRequestException>(() => hanging);
    }

    [Fact]
    public async Task ADeadRegistryCutsEveryConnection()
    {
        await using var registry = await StartAsync();
        using var client = Client(registry);
        registry.Dead = true;
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(Relative("v2/")));
        registry.Dead = false;
        using var alive = await client.GetAsync(Relative("v2/"));
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
        Assert.Equal([0, 200], registry.Requests.Select(request => request.StatusCode));
    }

    [Fact]
    public async Task ManyAtOnceAreAllServed()
    {
        await using var registry = await StartAsync();
        using var client = Client(registry);
        var layer = registry.Store.Layers("r")[0];
        var statuses = await Task.WhenAll(Enumerable.Range(0, 200).Select(async number =>
        {
            using var answer = await client.GetAsync(Relative(number % 2 == 0 ? "v2/r/blobs/" + layer : "v2/r/tags/list"));
            return answer.StatusCode;
        }));
        Assert.All(statuses, status => Assert.Equal(HttpStatusCode.OK, status));
        Assert.Equal(Enumerable.Range(1, 200), registry.Requests.Select(request => request.Sequence));
    }

    private static async Task<Server> StartAsync()
    {
        var registry = await Server.StartAsync(EmbeddedRegistryOptions.Distribution3());
        registry.Store.AddImage("r", "one", "r");
        return registry;
    }

    private static HttpClient Client(Server registry) => new() { BaseAddress = registry.BaseAddress };

    private static Uri Relative(string path) => new(path, UriKind.Relative);
}
