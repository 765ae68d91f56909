using RegistryTools.Tests.Servers;
using RegistryTools.Transport;
using Xunit;

namespace RegistryTools.Tests.Transport;

public sealed class RateLimitTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(100L, 98L, 21600, null, "RateLimit-Limit: 100;w=21600", "RateLimit-Remaining: 98;w=21600")] // Docker Hub
    [InlineData(5000L, 4999L, null, 3600, "X-RateLimit-Limit: 5000", "X-RateLimit-Remaining: 4999", "X-RateLimit-Reset: 3600")]
    [InlineData(100L, 50L, null, 50, "RateLimit-Limit: 100", "RateLimit-Remaining: 50", "RateLimit-Reset: 50")] // the first drafts
    [InlineData(100L, 0L, 60, 7, "RateLimit-Limit: 100, 100;w=60", "RateLimit-Remaining: 0", "RateLimit-Reset: 7")]
    [InlineData(100L, 50L, null, 30, "RateLimit: limit=100, remaining=50, reset=30")] // draft 07
    [InlineData(100L, 50L, 60, 30, "RateLimit: \"default\";r=50;t=30", "RateLimit-Policy: \"default\";q=100;w=60")] // draft 08 and later
    [InlineData(10L, null, 1, null, "RateLimit-Policy: 10;w=1")]
    public void Every_form_is_read(long? limit, long? remaining, int? window, int? reset, params string[] headers)
    {
        var read = RateLimit.Parse(Header(headers), Now)!;
        Assert.Equal(limit, read.Limit);
        Assert.Equal(remaining, read.Remaining);
        Assert.Equal(window, read.Window is { } span ? (int)span.TotalSeconds : null);
        Assert.Equal(reset, read.Reset is { } when ? (int)(when - Now).TotalSeconds : null);
        Assert.Equal(Now, read.Seen);
    }

    [Fact]
    public void A_reset_that_is_a_Unix_time_is_one()
    {
        var read = RateLimit.Parse(Header(["X-RateLimit-Remaining: 1", "X-RateLimit-Reset: 1795435200"]), Now)!;
        Assert.Equal(DateTimeOffset.FromUnixTimeSeconds(1795435200), read.Reset);
    }

    [Theory]
    [InlineData("RateLimit-Limit: ")]
    [InlineData("RateLimit-Limit: -1")]
    [InlineData("RateLimit-Limit: 99999999999999999999999999;w=1")]
    [InlineData("RateLimit-Limit: ;;;;====,,,w")]
    [InlineData("RateLimit: \"")]
    [InlineData("RateLimit: r=;t=,limit==5;=")]
    [InlineData("RateLimit: remaining=1e9999, reset=NaN")]
    [InlineData("RateLimit-Policy: w=60")]
    [InlineData("Docker-RateLimit-Source: 192.0.2.1")]
    public void What_says_nothing_is_nothing(string header) => Assert.Null(RateLimit.Parse(Header([header]), Now));

    [Fact]
    public void No_value_throws()
    {
        var random = new Random(4711);
        const string Characters = "0123456789;=,w qrt\"limitremaining-+.eE\u0000\u202e9999999999";
        for (var round = 0; round < 20_000; round++)
        {
            var read = RateLimit.Parse(_ => random.Next(3) == 0 ? new string(Enumerable.Range(0, random.Next(40)).Select(_ => Characters[random.Next(Characters.Length)]).ToArray()) : null, random.Next(2) == 0 ? Now : DateTimeOffset.MaxValue.AddDays(-5000));
            Assert.NotNull(read?.ToString() ?? string.Empty);
        }

        Assert.NotNull(RateLimit.Parse(Header(["RateLimit-Limit: 9223372036854775807;w=9223372036854775807", "RateLimit-Reset: 9223372036854775807"]), Now));
        Assert.Null(RateLimit.Parse(Header(["RateLimit-Limit: 1;" + new string('w', 100_000)]), Now));
    }

    [Fact]
    public async Task The_registry_keeps_what_it_was_told_last()
    {
        var handler = new ScriptedHandler()
            .On("GET /v2/a/tags/list*", Answer.Json(200, """{"name":"a","tags":[]}""", ("RateLimit-Limit", "100;w=21600"), ("RateLimit-Remaining", "98;w=21600"), ("Docker-RateLimit-Source", "192.0.2.1")))
            .On("GET /v2/b/tags/list*", Answer.Json(200, """{"name":"b","tags":[]}"""))
            .On("GET /v2/c/tags/list*", Answer.Error(404, "NAME_UNKNOWN", "no", ("RateLimit-Limit", "100;w=21600"), ("RateLimit-Remaining", "97;w=21600")));
        using var registry = await handler.ConnectAsync();
        Assert.Null(registry.RateLimit);
        foreach (var repository in new[] { "a", "b" })
        {
            await foreach (var unused in registry.ListTagsAsync(repository)) Assert.Fail(unused);
        }

        Assert.Equal(98, registry.RateLimit!.Remaining);
        Assert.Equal("192.0.2.1", registry.RateLimit.Source);
        await Assert.ThrowsAnyAsync<Exception>(async () => await registry.ListTagsAsync("c").GetAsyncEnumerator().MoveNextAsync());
        Assert.Equal(97, registry.RateLimit.Remaining);
        Assert.Equal("97 of 100 left", registry.RateLimit.ToString());
    }

    private static Func<string, string?> Header(string[] headers) => name =>
        headers.Where(header => header.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase)).Select(header => header[(name.Length + 2)..]).FirstOrDefault();
}
