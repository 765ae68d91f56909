using RegistryTools.Host.Embedded;

namespace RegistryTools.Cmdlets.Tests.Drives;

/// <summary>Removing through a drive: what Remove-RegistryTag and Remove-RegistryRepository do, and nothing that was not named.</summary>
public sealed class DriveRemovalTests : IAsyncLifetime
{
    private EmbeddedRegistry _registry = null!;
    private ModuleSession _session = null!;

    public static TheoryData<string> Kinds() => ["Distribution2", "Distribution3"];

    public Task InitializeAsync() => StartAsync("Distribution2");

    public async Task DisposeAsync()
    {
        _session.Dispose();
        await _registry.DisposeAsync();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_tag_goes_alone_and_comes_back(string kind)
    {
        await StartAsync(kind);
        var before = Tags();
        _session.Invoke("Remove-Item reg:/i1/T12 -WhatIf").Succeed();
        Assert.DoesNotContain(_registry.Requests, request => request.Method is not ("GET" or "HEAD"));
        var result = _session.Invoke("Remove-Item reg:/I1/T12 -Verbose").Succeed();
        Assert.Empty(result.Output);
        Assert.Contains(result.Verbose, message => message.Contains("Removed the tag", StringComparison.Ordinal) && message.Contains("i1:T12", StringComparison.Ordinal));
        Assert.Equal(before.Except(["i1:T12"]), Tags());
        Assert.Equal("False True", Texts("Test-Path reg:/i1/T12, reg:/i1/T13"));
        _session.Invoke($"Get-RegistryRemoval -Registry {_registry.Host} | ? Tag -eq T12 | Restore-RegistryTag").Succeed();
        Assert.Equal(before, Tags());
    }

    [SkippableFact]
    public async Task On_the_real_registry_it_is_the_same()
    {
        await using var registry = await RegistryUnderTest.StartAsync("docker-registry");
        using var session = new ModuleSession().WithItems();
        session.Invoke($"$null = New-PSDrive -PSProvider ContainerRegistry -Name real -Root http://{registry.Host}; $null = Connect-Registry {registry.Host}").Succeed();
        List<string> Others() => session.Invoke("Get-ChildItem real:/ -Recurse -Detailed | ? Tag | ? Name -notin T12, T22, T52 | % { $_.Repository + ':' + $_.Name + ' ' + $_.Digest + ' ' + $_.Size }").Succeed().Output.Select(line => line.ToString()).Order(StringComparer.Ordinal).ToList();

        var before = Others();
        Assert.Equal(SampleData.Tags.Values.Sum(tags => tags.Length) - 3, before.Count(line => !line.Contains(":sha256-", StringComparison.Ordinal)));
        session.Invoke("Remove-Item real:/I1/T12, real:/i2:T22; Get-ChildItem real:/i5 | ? Name -eq T52 | Remove-Item").Succeed();
        Assert.Equal(before, Others());
        Assert.Equal("False False False", string.Join(" ", session.Invoke("Test-Path real:/i1/T12, real:/i2/T22, real:/i5/T52").Succeed().Output.Select(item => item.ToString())));
        session.Invoke($"Get-RegistryRemoval -Registry {registry.Host} | Restore-RegistryTag").Succeed();
        Assert.Equal("T12 T22 T52", session.Invoke("Get-Item real:/i1/T12, real:/i2/T22, real:/i5/T52").Succeed().Texts("Name"));
    }

    [Fact]
    public void Only_the_tag_of_that_very_name_goes()
    {
        Alias("i1", "T12", "t12");
        Alias("i1", "T12", "t13");
        var before = Tags();
        _session.Invoke("Remove-Item reg:/i1/t11").Fail("TagNotFound");
        _session.Invoke("Remove-Item reg:/i1/T1").Fail("TagNotFound");
        _session.Invoke("Remove-Item -LiteralPath 'reg:/i1/T1*'").Fail("PathNotFound");
        _session.Invoke("Remove-Item reg:/i1:t11").Fail("TagNotFound");
        Assert.Equal(before, Tags());
        _session.Invoke("Remove-Item reg:/i1/t12").Succeed();
        Assert.Equal(before.Except(["i1:t12"]), Tags());
        _session.Invoke("Remove-Item reg:/i1/t1*").Succeed();
        Assert.Equal(before.Except(["i1:t12", "i1:t13"]), Tags());
        Alias("i1", "T12", "t12");
        _session.Invoke("Remove-Item reg:/i1/* -Include T1[23]").Succeed();
        Assert.Equal(before.Except(["i1:t13", "i1:T12", "i1:T13"]), Tags());
        _session.Invoke("Remove-Item reg:/i1 -Recurse -Include T12").Succeed();
        Assert.Equal(before.Except(["i1:t13", "i1:T12", "i1:T13"]), Tags());

        // The engine excludes without regard to case: too much stays, never too little.
        _session.Invoke("Remove-Item reg:/i1/* -Exclude T12").Succeed();
        Assert.Equal(["i1:t12"], Tags().Where(tag => tag.StartsWith("i1:", StringComparison.Ordinal)));
    }

    [Fact]
    public void Wildcards_remove_what_they_match()
    {
        var before = Tags();
        _session.Invoke("Remove-Item reg:/i2/T2[12]").Succeed();
        Assert.Equal(before.Except(["i2:T21", "i2:T22"]), Tags());
        _session.Invoke("Remove-Item reg:/*/T12").Succeed();
        Assert.Equal(before.Except(["i2:T21", "i2:T22", "i1:T12"]), Tags());
        _session.Invoke("Remove-Item reg:/i3/*").Succeed();
        Assert.Equal(before.Except(["i2:T21", "i2:T22", "i1:T12", "i3:T31", "i3:T32"]), Tags());
        _session.Invoke("Remove-Item reg:/i5/T9*").Succeed();
        Assert.Equal(before.Except(["i2:T21", "i2:T22", "i1:T12", "i3:T31", "i3:T32"]), Tags());
    }

    [Fact]
    public void What_is_listed_is_removed_and_what_has_moved_since_is_not()
    {
        var before = Tags();
        _session.Invoke("Get-ChildItem reg:/i1 | ? Name -eq T12 | Remove-Item").Succeed();
        _session.Invoke("Get-ChildItem reg:/i1 | ? Name -eq T11 | Remove-RegistryTag").Succeed();
        Assert.Equal(before.Except(["i1:T11", "i1:T12"]), Tags());
        _session.Invoke("$listed = Get-ChildItem reg:/i2 -Detailed | ? Name -in T21, T22").Succeed();
        Alias("i2", "T23", "T21");
        _session.Invoke("$listed | Remove-Item").Fail("TagMoved");
        Assert.Equal(before.Except(["i1:T11", "i1:T12", "i2:T22"]), Tags());
        Assert.Equal("TagMoved", Assert.Single(_session.Invoke("$listed | ? Name -eq T21 | Get-Item").ErrorIds));
    }

    [Fact]
    public void A_path_that_could_be_either_is_refused_with_both_named()
    {
        Both();
        var before = Tags();
        foreach (var script in new[] { "Remove-Item reg:/team/app", "Remove-Item reg:/team/app -Recurse", "Remove-Item reg:/team/app/ -Recurse -Force -Confirm:$false", "Get-Item reg:/team/app | Remove-Item -Recurse -Force", "Remove-Item reg:/team/app -Recurse -WhatIf" })
        {
            var error = _session.Invoke(script).Fail("PathAmbiguous");
            Assert.Contains("the tag 'app' of 'team'", error.Exception.Message, StringComparison.Ordinal);
            Assert.Contains("the repository 'team/app'", error.Exception.Message, StringComparison.Ordinal);
            Assert.Contains("reg:/team:app", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
            Assert.Contains("Remove-RegistryRepository team/app", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        }

        Assert.Empty(_session.Host.Questions);
        Assert.Equal(before, Tags());
        _session.Invoke("Remove-Item reg:/team:app").Succeed();
        Assert.Equal(before.Except(["team:app"]), Tags());

        // The tag is gone: the path is the repository's alone now.
        _session.Invoke("Remove-Item reg:/team/app -Recurse -Force").Succeed();
        Assert.Equal(before.Except(["team:app", "team/app:T1"]), Tags());
    }

    [Fact]
    public void Of_both_a_pipeline_removes_the_tag()
    {
        Both();
        var before = Tags();
        _session.Invoke("Get-ChildItem reg:/team | ? Name -eq app | Remove-Item").Succeed();
        Assert.Equal(before.Except(["team:app"]), Tags());
        Alias("team", "web", "app");

        // A pattern matches both: the tag goes, and about the repository there is a question.
        _session.Host.Answers.Enqueue("No");
        _session.Invoke("Remove-Item reg:/team/a*").Succeed();
        Assert.Contains("has children", Assert.Single(_session.Host.Questions), StringComparison.Ordinal);
        Assert.Equal(before.Except(["team:app"]), Tags());
    }

    [Fact]
    public void A_repository_goes_only_with_recurse_and_is_asked_about()
    {
        var before = Tags();
        _session.Host.Answers.Enqueue("No");
        _session.Invoke("Remove-Item reg:/i4").Succeed();
        Assert.Contains("has children", Assert.Single(_session.Host.Questions), StringComparison.Ordinal);
        _session.Host.Questions.Clear();
        _session.Host.Answers.Enqueue("No");
        _session.Invoke("Remove-Item reg:/i4 -Recurse").Succeed();
        Assert.Contains("4 tag(s) T41, T42, T43, vT44", Assert.Single(_session.Host.Questions), StringComparison.Ordinal);
        _session.Invoke("Remove-Item reg:/i4 -Recurse -WhatIf").Succeed();
        _session.Invoke("Remove-Item reg:/i4 -Recurse -Force -WhatIf").Succeed();
        Assert.Equal(before, Tags());
        Assert.DoesNotContain(_registry.Requests, request => request.Method is not ("GET" or "HEAD"));
        _session.Host.Questions.Clear();
        _session.Host.Answers.Enqueue("Yes");
        var result = _session.Invoke("Remove-Item reg:/I4 -Recurse -Verbose").Succeed();
        Assert.Contains(result.Verbose, message => message.Contains("Restore-RegistryTag", StringComparison.Ordinal));
        Assert.Equal(before.Where(tag => !tag.StartsWith("i4:", StringComparison.Ordinal)), Tags());
        _session.Invoke("Remove-Item reg:/i3 -Recurse -Force").Succeed();
        Assert.Single(_session.Host.Questions);
        Assert.Equal(before.Where(tag => !tag.StartsWith("i4:", StringComparison.Ordinal) && !tag.StartsWith("i3:", StringComparison.Ordinal)), Tags());
    }

    [Fact]
    public void An_item_is_removed_only_where_the_question_is_answered_so()
    {
        var before = Tags();
        _session.Host.Answers.Enqueue("No");
        _session.Invoke("Remove-Item reg:/i1/T12 -Confirm").Succeed();
        Assert.Contains("i1:T12", Assert.Single(_session.Host.Questions), StringComparison.Ordinal);
        Assert.Equal(before, Tags());
        _session.Host.Answers.Enqueue("Yes");
        _session.Invoke("Remove-Item reg:/i1/T12 -Confirm").Succeed();
        Assert.Equal(before.Except(["i1:T12"]), Tags());
    }

    [Theory]
    [InlineData("Remove-Item reg:/ -Recurse -Force")]
    [InlineData("Remove-Item reg:/team -Recurse -Force")]
    [InlineData("Remove-Item reg:/empty")]
    public void What_is_not_removed_is_told(string script)
    {
        _registry.Store.AddImage("team/app", "T1", "team/app/T1", new ImageOptions());
        _registry.Store.AddImage("empty", "T1", "empty/T1", new ImageOptions());
        _registry.Store.DeleteTag("empty", "T1");
        var before = Tags();
        _session.Host.Answers.Enqueue("Yes");
        _session.Host.Answers.Enqueue("Yes");
        _session.Invoke(script).Fail("InvalidArgument");
        Assert.Equal(before, Tags());
        Assert.DoesNotContain(_registry.Requests, request => request.Method is not ("GET" or "HEAD"));
    }

    [Fact]
    public void An_empty_repository_gives_way_to_a_tag_of_its_name_unless_it_is_meant()
    {
        _registry.Store.AddImage("i1/t12", "T", "i1/t12/T", new ImageOptions());
        _registry.Store.DeleteTag("i1/t12", "T");
        var before = Tags();
        Assert.Equal(_registry.Host + "/i1:T12", Texts("Get-Item reg:/i1/T12"));
        _session.Invoke("Remove-Item reg:/i1/T12 -Recurse -Force").Fail("PathAmbiguous");
        Assert.Equal(before, Tags());
        _session.Invoke("Remove-Item reg:/i1/T12").Succeed();
        Assert.Equal(before.Except(["i1:T12"]), Tags());
    }

    [Fact]
    public void A_manifest_is_for_the_cmdlet_that_tells_what_hangs_on_it()
    {
        var digest = _registry.Store.FindTag("i1", "T12");
        var error = _session.Invoke($"Remove-Item reg:/i1@{digest}").Fail("InvalidArgument");
        Assert.Contains("Remove-RegistryManifest i1 -Digest " + digest, error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.DoesNotContain(_registry.Requests, request => request.Method is not ("GET" or "HEAD"));
    }

    [Fact]
    public void A_registry_that_cannot_tell_whether_there_are_two_removes_neither()
    {
        var before = Tags();
        _registry.Fault = (request, phase) => phase == FaultPhase.Before && request.PathAndQuery.StartsWith("/v2/i1/t12/", StringComparison.Ordinal) ? FaultAction.Status(500) : null;
        Assert.Contains("RegistryRequestFailed", _session.Invoke("Remove-Item reg:/i1/T12").ErrorIds);
        _registry.Fault = null;
        Assert.Equal(before, Tags());

        // One that says that this user may not know it: there is nothing that the user could remove, unless -Recurse says that it was meant.
        _registry.Fault = (request, phase) => phase == FaultPhase.Before && request.PathAndQuery.StartsWith("/v2/i1/t12/", StringComparison.Ordinal) ? FaultAction.Status(403) : null;
        Assert.Contains("may be the repository", _session.Invoke("Remove-Item reg:/i1/T12 -Recurse -Force").Fail("PathAmbiguous").Exception.Message, StringComparison.Ordinal);
        Assert.Equal(before, Tags());
        _session.Invoke("Remove-Item reg:/i1/T12").Succeed();
        Assert.Equal(before.Except(["i1:T12"]), Tags());
    }

    [Fact]
    public async Task Deletion_that_is_disabled_changes_nothing()
    {
        await StartAsync("DeletionDisabled");
        var before = Tags();
        Assert.Contains("REGISTRY_STORAGE_DELETE_ENABLED", _session.Invoke("Remove-Item reg:/i1/T12").Fail("DeletionDisabled").ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(before, Tags());
        Assert.DoesNotContain(_registry.Requests, request => request.Method is "PUT" or "POST" or "PATCH");
    }

    [Fact]
    public void On_a_storage_a_tag_and_a_repository_go_and_come_back()
    {
        var before = Tags();
        _session.Invoke($"$null = New-PSDrive -PSProvider ContainerRegistry -Name disk -Root '{_registry.StoragePath}'").Succeed();
        Assert.Equal("i1 i2 i3 i4 i5", Texts("Get-ChildItem disk:/"));
        _session.Invoke("Remove-Item disk:/i1/T12; Remove-Item disk:/i3 -Recurse -Force").Succeed();
        Assert.Equal(before.Except(["i1:T12", "i3:T31", "i3:T32"]), Tags());
        _session.Invoke($"Get-RegistryRemoval | ? Tag -eq T12 | ? Registry -eq '{_registry.StoragePath}' | Restore-RegistryTag; Get-RegistryGarbage '{_registry.StoragePath}' | Restore-RegistryGarbage").Succeed();
        Assert.Equal(before, Tags());
    }

    [Fact]
    public async Task Paths_of_two_drives_in_one_command_are_each_their_own()
    {
        await using var other = await EmbeddedFixture.StartAsync(EmbeddedRegistryOptions.Distribution3());
        _session.Invoke($"$null = New-PSDrive -PSProvider ContainerRegistry -Name other -Root http://{other.Host}").Succeed();
        _session.Invoke("$paths = (Get-ChildItem other:/i1).PSPath; Remove-Item -LiteralPath (@('reg:/i1/T12') + ($paths -like '*T11*') + 'reg:/i1/T13')").Succeed();
        Assert.Equal(["T11"], _registry.Store.Tags("i1"));
        Assert.Equal(["T12", "T13"], other.Store.Tags("i1"));
    }

    [Fact]
    public void A_removal_can_be_stopped()
    {
        using var hangs = new ManualResetEventSlim();
        _registry.Fault = (request, phase) =>
        {
            if (phase != FaultPhase.Before || request.Method is "GET" or "HEAD") return null;
            hangs.Set();
            return FaultAction.Hang();
        };
        using var running = _session.Start("Remove-Item reg:/i1/T12");
        Assert.True(hangs.Wait(TimeSpan.FromSeconds(20)));
        Assert.True(running.Stop() < TimeSpan.FromSeconds(2.5), "Stopping took too long.");
        Assert.Equal(System.Management.Automation.PSInvocationState.Stopped, running.Finish().State);
        _registry.Fault = null;
    }

    private async Task StartAsync(string kind)
    {
        if (_registry is not null) await DisposeAsync();
        _registry = await EmbeddedFixture.StartAsync(kind switch
        {
            "Distribution2" => EmbeddedRegistryOptions.Distribution2(),
            "Distribution3" => EmbeddedRegistryOptions.Distribution3(),
            _ => EmbeddedRegistryOptions.DeletionDisabled(),
        });
        _session = new ModuleSession().WithItems();
        _session.Invoke($"$null = New-PSDrive -PSProvider ContainerRegistry -Name reg -Root http://{_registry.Host}").Succeed();
        _registry.ClearRequests();
    }

    /// <summary>team has a tag app, and there is a repository team/app.</summary>
    private void Both()
    {
        _registry.Store.AddImage("team", "app", "team/app", new ImageOptions());
        _registry.Store.AddImage("team", "web", "team/web", new ImageOptions());
        _registry.Store.AddImage("team/app", "T1", "team/app/T1", new ImageOptions());
    }

    private void Alias(string repository, string tag, string alias)
    {
        var digest = _registry.Store.FindTag(repository, tag)!;
        _registry.Store.WriteManifest(repository, alias, _registry.Store.ReadManifest(repository, digest)!, digest);
    }

    private List<string> Tags() =>
        [.. _registry.Store.Repositories().SelectMany(repository => _registry.Store.Tags(repository).Select(tag => repository + ":" + tag)).Order(StringComparer.Ordinal)];

    private string Texts(string script) => string.Join(" ", _session.Invoke(script).Succeed().Output.Select(item => item.ToString()));
}
