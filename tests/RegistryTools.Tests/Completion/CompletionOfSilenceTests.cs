using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace RegistryTools.Cmdlets.Tests.Completion;

/// <summary>What Tab does where the registry does not answer as it should: it returns, without a word and with what there is.</summary>
public sealed class CompletionOfSilenceTests : RegistryTestBase
{
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public void A_registry_that_hangs_is_not_waited_for_and_its_answer_is_there_the_next_time()
    {
        Hold();
        Assert.Empty(Session.Complete("Remove-RegistryTag i1 "));
        Assert.Empty(Session.Complete("Remove-RegistryTag i1 "));
        Assert.False(_release.Task.IsCompleted);
        Assert.Equal(1, Registry.Count("GET", "/tags/list"));
        _release.SetResult();
        Session.AssertCompletes("T11 T12 T13", "Remove-RegistryTag i1 ");
        Assert.Equal(1, Registry.Count("GET", "/tags/list"));
    }

    [Theory]
    [InlineData("Disconnect-Registry reg")]
    [InlineData("Connect-Registry http://{0} -Name reg -RetryCount 0")]
    [InlineData("Remove-Module RegistryTools")]
    public void What_is_being_looked_for_is_given_up_when_the_connection_is_closed(string script)
    {
        Hold();
        Assert.Empty(Session.Complete("Remove-RegistryTag i1 "));
        Session.Invoke(script.Replace("{0}", Registry.Address, StringComparison.Ordinal)).Succeed();
        Until(() => Registry.Aborted == 1);
    }

    [Fact]
    public void What_is_being_looked_for_is_given_up_after_some_seconds()
    {
        Hold();
        Assert.Empty(Session.Complete("Remove-RegistryTag i1 "));
        Until(() => Registry.Aborted == 1);
        Session.Invoke("Get-RegistryConnection reg").Succeed();
    }

    [Fact]
    public void A_list_whose_end_hangs_gives_what_has_come_of_it()
    {
        Registry.PageSize = 2;
        Registry.Before = async context =>
        {
            if (context.Request.Query.ContainsKey("last")) await _release.Task.WaitAsync(context.RequestAborted);
            return false;
        };
        Session.AssertCompletes("T11 T12", "Remove-RegistryTag i1 ");
        _release.SetResult();
        Session.AssertCompletes("T11 T12 T13", "Remove-RegistryTag i1 ");
    }

    [Fact]
    public async Task What_is_older_is_shown_where_the_registry_is_too_slow_to_tell_what_is_new()
    {
        Session.AssertCompletes("T11 T12 T13", "Remove-RegistryTag i1 ");
        await Task.Delay(TimeSpan.FromSeconds(5.5));
        Hold();
        Assert.Equal("T11 T12 T13", Session.Completions("Remove-RegistryTag i1 "));
        Assert.Equal(2, Registry.Count("GET", "/tags/list"));

        // But not where it may have been changed.
        Session.Invoke("Remove-RegistryTag i1 T12 -WhatIf").Succeed();
        Assert.Empty(Session.Complete("Remove-RegistryTag i1 "));
    }

    [Theory]
    [InlineData(401, "{\"errors\":[{\"code\":\"UNAUTHORIZED\"}]}")]
    [InlineData(403, "")]
    [InlineData(404, "not here")]
    [InlineData(429, "")]
    [InlineData(500, "<html>")]
    [InlineData(503, "{}")]
    [InlineData(200, "<html><body>login</body></html>")]
    [InlineData(200, "{\"tags\":5,\"repositories\":{}}")]
    [InlineData(200, "\0\u00ff{{{")]
    public void An_answer_that_is_none_gives_nothing_is_asked_for_once_and_is_not_held_against_the_registry(int status, string body)
    {
        var challenge = $"Bearer realm=\"http://{Registry.Address}/token\",service=\"x\"";
        Registry.Before = async context =>
        {
            context.Response.StatusCode = status;
            if (status == 401) context.Response.Headers.WWWAuthenticate = challenge;
            await context.Response.WriteAsync(body);
            return true;
        };
        for (var i = 0; i < 8; i++)
        {
            Assert.Empty(Session.Complete($"Remove-RegistryTag r{i} "));
            Assert.Empty(Session.Complete($"Get-RegistryManifest r{i}@"));
            Assert.Equal(string.Empty, Session.Completions($"Get-RegistryImage r{i} T11 -Platform linux/none"));
            Assert.Empty(Session.Complete("Get-RegistryTag i"));
        }

        if (status is not (401 or 429)) Assert.True(Registry.Requests.Count <= 8 * 4 + 1, string.Join("\n", Registry.Requests));

        // As soon as it is well again, it is asked as if nothing had been.
        Registry.Before = async context =>
        {
            if (context.Request.Path != "/token") return false;
            await context.Response.WriteAsync("""{"token":"x"}""");
            return true;
        };
        Session.Invoke("Get-RegistryTag i1").Succeed();
        Session.AssertCompletes("T11 T12 T13", "Remove-RegistryTag i1 ");
    }

    [Fact]
    public void A_name_that_is_none_is_left_out()
    {
        Registry.Before = async context =>
        {
            if (!context.Request.Path.Value!.Contains("list", StringComparison.Ordinal) && !context.Request.Path.Value.Contains("catalog", StringComparison.Ordinal)) return false;
            await context.Response.WriteAsync("""{"tags":["T1","$(Remove-Item x)","T2;x","'","T3"],"repositories":["good","$(bad)","UPPER","a b","../x"]}""");
            return true;
        };
        Session.AssertCompletes("T1 T2 T3".Replace(" T2", string.Empty, StringComparison.Ordinal), "Remove-RegistryTag i1 ");
        Session.AssertCompletes("good", "Get-RegistryTag ");
    }

    [Fact]
    public async Task A_registry_that_is_gone_gives_nothing()
    {
        Session.AssertCompletes("i1 i2 i3", "Get-RegistryTag i");
        await Registry.DisposeAsync();
        Assert.Empty(Session.Complete("Remove-RegistryTag i1 "));
        Assert.Empty(Session.Complete("Remove-RegistryManifest i1 -Digest "));
    }

    [Fact]
    public void A_warning_that_only_a_completion_has_seen_is_still_told()
    {
        Registry.Before = context =>
        {
            context.Response.Headers.Append("Warning", "299 - \"this registry moves\"");
            return Task.FromResult(false);
        };
        Session.AssertCompletes("T11 T12 T13", "Remove-RegistryTag i1 ");
        var warning = Assert.Single(Session.Invoke("Get-RegistryTag i1").Succeed().Warnings);
        Assert.Contains("this registry moves", warning, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_that_fails_is_left_unobserved()
    {
        var unobserved = new ConcurrentQueue<string>();

        void Note(object? sender, UnobservedTaskExceptionEventArgs arguments)
        {
            if (arguments.Exception.ToString().Contains("RegistryTools.", StringComparison.Ordinal)) unobserved.Enqueue(arguments.Exception.ToString());
        }

        TaskScheduler.UnobservedTaskException += Note;
        try
        {
            // A token service that keeps one waiting, given up with the connection.
            Registry.Before = async context =>
            {
                if (context.Request.Path == "/token") await _release.Task.WaitAsync(context.RequestAborted);
                context.Response.StatusCode = 401;
                context.Response.Headers.WWWAuthenticate = $"Bearer realm=\"http://{Registry.Address}/token\",service=\"x\"";
                return true;
            };
            Assert.Empty(Session.Complete("Remove-RegistryTag i1 "));
            Assert.Empty(Session.Complete("Get-RegistryManifest i2 -Digest "));
            Assert.Empty(Session.Complete("Get-RegistryManifest i2 T21 -Platform none"));
            Until(() => Registry.Count("GET", "/token") >= 1);
            Session.Invoke("Disconnect-Registry reg").Succeed();
            Until(() => Registry.Aborted >= 1);
            for (var i = 0; i < 5; i++)
            {
                await Task.Delay(100);
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Note;
        }

        Assert.True(unobserved.IsEmpty, string.Join("\n\n", unobserved));
    }

    private static void Until(Func<bool> condition)
    {
        var clock = Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), "It never came to that.");
            Thread.Sleep(20);
        }
    }

    private void Hold() => Registry.Before = async context =>
    {
        // Connecting is answered.
        if (context.Request.Path != "/v2/") await _release.Task.WaitAsync(context.RequestAborted);
        return false;
    };
}
