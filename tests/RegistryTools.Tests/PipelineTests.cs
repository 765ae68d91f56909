using System.Diagnostics;
using System.Management.Automation;

namespace RegistryTools.Cmdlets.Tests;

/// <summary>That lists stream, that stopping stops, and that nothing goes on behind the user's back.</summary>
public sealed class PipelineTests : RegistryTestBase
{
    private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private protected override void Fill()
    {
        base.Fill();
        var digest = Registry.AddImage("many", null);
        for (var i = 0; i < 1000; i++) Registry.Tag("many", $"t{i:0000}", digest);
    }

    [Fact]
    public void The_first_object_leaves_before_the_last_page_has_come()
    {
        HoldAfterFirstPage();
        using var running = Session.Start("Get-RegistryTag many");
        Assert.True(running.WaitForOutput(TimeSpan.FromSeconds(10)));
        Assert.InRange(running.Output.Count, 1, 100);
        _gate.SetResult();
        Assert.Equal(1000, running.Finish().Succeed().Output.Count);
    }

    [Fact]
    public void Stopping_cancels_the_request_that_is_under_way()
    {
        HoldAfterFirstPage();
        using var running = Session.Start("Get-RegistryTag many");
        Assert.True(running.WaitForOutput(TimeSpan.FromSeconds(10)));
        WaitFor(() => Registry.Count("GET", "last=") == 1);
        Assert.True(running.Stop() < TimeSpan.FromSeconds(2), "Stopping took too long.");
        Assert.Equal(PSInvocationState.Stopped, running.Finish().State);
        WaitFor(() => Registry.Aborted == 1);
        Assert.Equal("T11 T12 T13", Session.Invoke("Get-RegistryTag i1").Succeed().Texts("Name"));
    }

    [Fact]
    public void Stopping_before_the_first_answer()
    {
        Registry.Before = async context =>
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
            return true;
        };
        foreach (var script in new[] { "Get-RegistryTag i1", "Get-RegistryTag i1 -Detailed", "Get-RegistryRepository", "Get-RegistryManifest i1:T11", "Get-RegistryImage i1:T11", "Test-Registry", $"Connect-Registry http://{Registry.Address}" })
        {
            var before = Registry.Requests.Count;
            using var running = Session.Start(script);
            WaitFor(() => Registry.Requests.Count > before);
            Assert.True(running.Stop() < TimeSpan.FromSeconds(2), script);
            Assert.Equal(PSInvocationState.Stopped, running.Finish().State);
        }

        WaitFor(() => Registry.Aborted >= 7);
    }

    [Fact]
    public void A_consumer_that_has_had_enough_ends_the_work_and_what_is_under_way()
    {
        Registry.Before = async context =>
        {
            if (!context.Request.Path.Value!.Contains("/manifests/t", StringComparison.Ordinal) || context.Request.Path.Value!.EndsWith("t0000", StringComparison.Ordinal)) return false;
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
            return true;
        };
        // Select-Object is not in the bare engine: leaving a loop from within a pipeline ends it in the same way.
        var clock = Stopwatch.StartNew();
        var result = Session.Invoke("foreach ($once in 1) { Get-RegistryTag many -Detailed | % { $_; break } }").Succeed();
        Assert.Equal("t0000", result.Texts("Name"));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), "The pipeline did not end at once.");
        WaitFor(() => Registry.Aborted >= 7);

        // What had left already may be counted by a busy server a little later; nothing new is sent.
        Thread.Sleep(500);
        var asked = Registry.Requests.Count;
        Thread.Sleep(300);
        Assert.Equal(asked, Registry.Requests.Count);
        Assert.InRange(Registry.Count("HEAD", "/many/"), 1, 12);
    }

    [Fact]
    public void An_error_preference_of_stop_ends_the_work()
    {
        var result = Session.Invoke("Get-RegistryTag nothing, i1 -ErrorAction Stop");
        result.Fail("RepositoryNotFound");
        Assert.Empty(result.Output);
        result = Session.Invoke("try { Get-RegistryTag nothing -ErrorAction Stop } catch { 'caught ' + $_.FullyQualifiedErrorId + ' ' + $_.Exception.StatusCode }").Succeed();
        Assert.Equal("caught RepositoryNotFound,RegistryTools.PowerShell.Commands.GetRegistryTagCommand 404", result.Output[0].ToString());
        Registry.Tag("i1", "T10", "sha256:" + new string('1', 64));
        Session.Invoke("Get-RegistryTag i1 -Detailed -ErrorAction Stop").Fail("TagNotFound");
        Assert.Equal("T11 T12 T13", Session.Invoke("Get-RegistryTag i1 -Detailed -ErrorAction Ignore").Succeed().Texts("Name"));
    }

    [Fact]
    public void Cmdlets_of_one_pipeline_take_turns_and_each_tells_its_own()
    {
        var result = Session.Invoke("Get-RegistryRepository i1, i2 -Debug | Get-RegistryTag -Detailed | Get-RegistryManifest -Verbose").Succeed();
        Assert.Equal("T11 T12 T13 T21", result.Texts("Tag"));
        var debug = Session.Invoke("Get-RegistryTag i1 -Debug 5>&1 | ? { $_ -is [System.Management.Automation.DebugRecord] }").Succeed();
        Assert.Contains(debug.Output, message => message.ToString().Contains("/v2/i1/tags/list", StringComparison.Ordinal));
        Assert.DoesNotContain(Session.Invoke("Get-RegistryTag i1 5>&1").Succeed().Output, message => message.BaseObject is DebugRecord);
        var nested = Session.Invoke("Get-RegistryTag i1 -Detailed | % { Get-RegistryTag i2 } | % { Get-RegistryManifest $_.Repository $_.Name }").Succeed();
        Assert.Equal("T21 T21 T21", nested.Texts("Tag"));
    }

    [Fact]
    public void A_slow_list_shows_progress_and_takes_it_away()
    {
        Registry.Before = async context =>
        {
            if (context.Request.QueryString.Value!.Contains("last=", StringComparison.Ordinal)) await Task.Delay(250);
            return false;
        };
        var progress = Session.Invoke("Get-RegistryTag many").Succeed().Progress;
        Assert.Contains(progress, record => record.RecordType == ProgressRecordType.Processing && record.Activity.Contains("many", StringComparison.Ordinal));
        Assert.Equal(ProgressRecordType.Completed, progress[^1].RecordType);
        Registry.Before = null;
        Assert.Empty(Session.Invoke("Get-RegistryTag i1").Succeed().Progress);
    }

    [Fact]
    public void Many_pipelines_stopped_at_any_moment_never_hang()
    {
        var random = new Random(12345);
        Registry.Before = async context =>
        {
            await Task.Delay(random.Next(3));
            return false;
        };
        for (var i = 0; i < 40; i++)
        {
            using var running = Session.Start("Get-RegistryTag many -Detailed | Get-RegistryManifest");
            Thread.Sleep(random.Next(60));
            Assert.True(running.Stop() < TimeSpan.FromSeconds(5));
            running.Finish();
        }

        Assert.Equal("T11", Session.Invoke("Get-RegistryTag i1 T11").Succeed().Texts("Name"));
    }

    private void HoldAfterFirstPage() => Registry.Before = async context =>
    {
        if (context.Request.QueryString.Value!.Contains("last=", StringComparison.Ordinal)) await _gate.Task.WaitAsync(context.RequestAborted);
        return false;
    };

    private static void WaitFor(Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), "Waited in vain.");
            Thread.Sleep(10);
        }
    }
}
