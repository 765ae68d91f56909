using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using RegistryTools.Tests.Servers;

namespace RegistryTools.Cmdlets.Tests.Misbehaviour;

/// <summary>Bursts of 5xx and storms of 429: waited out where they pass, and one error where they do not.</summary>
public sealed class BusyTests(SharedSession shared) : MisbehaviourTestBase(shared)
{
    private const string Patient = "-RetryCount 4 -MaximumRetryDelaySec 1 -TimeoutSec 5";

    [Theory]
    [InlineData("500 Internal Server Error")]
    [InlineData("502 Bad Gateway")]
    [InlineData("503 Service Unavailable")]
    [InlineData("504 Gateway Timeout")]
    [InlineData("408 Request Timeout")]
    [InlineData("429 Too Many Requests")]
    public async Task A_burst_passes_and_the_work_is_done(string status)
    {
        await ConnectAsync(options: Patient);
        Server.On("GET", Reply.Whole(status, "<html>later</html>", "Content-Type: text/html"), times: 2);
        Server.On("HEAD", Reply.Whole(status), times: 2);
        Assert.Equal("T11 T12 T13", Run("Get-RegistryTag i1").Succeed().Texts("Name"));
        Assert.Equal(Server["i1", "T11"], Run("Get-RegistryTag i1 T11").Succeed().Texts("Digest"));
        Server.On("GET", Reply.Whole(status), times: 2);
        Run("Remove-RegistryTag i1 T12").Succeed();
        Assert.Equal(["DELETE i1:T12"], Server.Changes);
        Assert.Equal(Server["i1", "T13"], MisbehavingServer.DigestOf(Server.Manifest("i1", "T13")));
    }

    [Theory]
    [InlineData("500 Internal Server Error", "RegistryRequestFailed", ErrorCategory.ResourceUnavailable)]
    [InlineData("501 Not Implemented", "RegistryRequestFailed", ErrorCategory.ResourceUnavailable)]
    [InlineData("502 Bad Gateway", "RegistryRequestFailed", ErrorCategory.ResourceUnavailable)]
    [InlineData("503 Service Unavailable", "RegistryBusy", ErrorCategory.ResourceBusy)]
    [InlineData("520 Unknown", "RegistryRequestFailed", ErrorCategory.ResourceUnavailable)]
    [InlineData("429 Too Many Requests", "RegistryBusy", ErrorCategory.ResourceBusy)]
    public async Task What_does_not_pass_is_one_clear_error(string status, string id, ErrorCategory category)
    {
        await ConnectAsync(options: "-RetryCount 2 -MaximumRetryDelaySec 1 -TimeoutSec 5");
        Server.On("GET /v2/", Reply.Whole(status, "<html>later</html>", "Content-Type: text/html"));
        Server.On("HEAD /v2/", Reply.Whole(status));
        var before = Server.Requests.Count;
        Fails("Get-RegistryTag i1", id, category, status[..3], "/v2/i1/tags/list");
        Assert.InRange(Server.Requests.Count - before, 1, 3);
        Fails("Get-RegistryManifest i1:T11", id, category, status[..3], "/v2/i1/manifests/T11");
        Unchanged(() => Assert.Single(Run("Remove-RegistryTag i1 T11").Errors));
        Assert.Equal(0, Count("DELETE"));
    }

    [Theory]
    [InlineData("-5")]
    [InlineData("0")]
    [InlineData("soon")]
    [InlineData("1.5")]
    [InlineData("")]
    [InlineData("Mon, 01 Jan 1990 00:00:00 GMT")]
    [InlineData("Sun, 99 Foo 2099 99:99:99 GMT")]
    [InlineData("1")]
    public async Task A_wait_that_is_asked_for_is_kept_or_where_it_is_nonsense_the_usual_one(string wait)
    {
        await ConnectAsync(options: Patient);
        Server.On("GET /v2/i1/tags/list", Reply.Whole("429 Too Many Requests", "{}", "Retry-After: " + wait), times: 2);
        var clock = Stopwatch.StartNew();
        Assert.Equal("T11 T12 T13", Run("Get-RegistryTag i1").Succeed().Texts("Name"));
        Assert.Equal(3, Count("GET /v2/i1/tags/list"));
        if (wait == "1") Assert.True(clock.Elapsed > TimeSpan.FromSeconds(1.9), clock.Elapsed.ToString());
    }

    [Theory]
    [InlineData("3600")]
    [InlineData("1000000000000")]
    [InlineData("99999999999999999999999999999999999999")]
    [InlineData("Fri, 31 Dec 9999 23:59:59 GMT")]
    public async Task A_wait_beyond_the_users_patience_is_told_at_once(string wait)
    {
        await ConnectAsync(options: Patient);
        Server.On("GET /v2/i1/tags/list", Reply.Whole("429 Too Many Requests", "{}", "Retry-After: " + wait));
        Fails("Get-RegistryTag i1", "RegistryBusy", ErrorCategory.ResourceBusy, "asks to wait", "/v2/i1/tags/list");
        Assert.Equal(1, Count("GET /v2/i1/tags/list"));
    }

    [Fact]
    public async Task A_wait_given_as_a_date_is_kept()
    {
        await ConnectAsync(options: "-RetryCount 2 -MaximumRetryDelaySec 20 -TimeoutSec 5");
        Server.On("GET /v2/i1/tags/list", (_, _) => Reply.Whole("503 Service Unavailable", "{}", "Retry-After: " + DateTimeOffset.UtcNow.AddSeconds(2).ToString("r", CultureInfo.InvariantCulture)), times: 1);
        var clock = Stopwatch.StartNew();
        Run("Get-RegistryTag i1").Succeed();
        Assert.True(clock.Elapsed > TimeSpan.FromSeconds(0.9), clock.Elapsed.ToString());
    }

    [Fact]
    public async Task A_storm_over_many_at_once_is_waited_out_by_all()
    {
        await ConnectAsync(options: "-RetryCount 20 -MaximumRetryDelaySec 1 -TimeoutSec 5");
        for (var i = 0; i < 30; i++) Server.AddImage("i2", "S" + i, "storm " + i);
        var asked = 0;
        Server.On("HEAD /v2/i2/", (_, _) => Interlocked.Increment(ref asked) % 3 == 0 ? null : Reply.Whole("429 Too Many Requests", string.Empty, "Retry-After: 0"));
        Server.On("GET /v2/i2/", (_, _) => Interlocked.Increment(ref asked) % 3 == 0 ? null : Reply.Whole("429 Too Many Requests", "{}"));
        Assert.Equal(31, Run("Get-RegistryTag i2 -Detailed").Succeed().Output.Count);
    }

    [Fact]
    public async Task A_refusal_to_delete_for_now_is_waited_out_and_done_once()
    {
        await ConnectAsync(options: Patient);
        Server.On("DELETE", Reply.Whole("429 Too Many Requests", "{}", "Retry-After: 0"), times: 3);
        Run("Remove-RegistryTag i1 T12").Succeed();
        Server.On("DELETE", Reply.Whole("429 Too Many Requests", "{}", "Retry-After: 0"), times: 3);
        Run("Remove-RegistryManifest i1 T11").Succeed();
        Assert.Equal(2, Server.Changes.Count);
        Assert.Equal("DELETE i1:T12", Server.Changes[0]);
    }
}
