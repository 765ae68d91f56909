using System.Management.Automation;
using System.Text;
using System.Text.Json.Nodes;
using RegistryTools.Host.Embedded;
using RegistryTools.Tests.Servers;

namespace RegistryTools.Cmdlets.Tests.Commands;

/// <summary>Retention through the cmdlets: over HTTP, on the real docker-registry, and on storage.</summary>
public sealed class RetentionTests : IDisposable
{
    private readonly ModuleSession _session = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-retention-").FullName;

    public void Dispose()
    {
        _session.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [SkippableTheory]
    [InlineData("Distribution2")]
    [InlineData("Distribution3")]
    [InlineData("docker-registry")]
    public async Task What_is_chosen_is_removed_and_what_shares_its_manifest_stays(string kind)
    {
        await using var registry = await RegistryUnderTest.StartAsync(kind);
        _session.Invoke($"Connect-Registry http://{registry.Host}").Succeed();

        // T12 and T13 are one manifest, and T11 is older than it.
        Assert.Equal("T11", _session.Invoke("Get-RegistryTag i1 | Select-RegistryTag -KeepLast 1 -Protect T12").Succeed().Texts("Name"));
        Assert.Equal("T11 T12 T13", string.Join(' ', _session.Invoke("Get-RegistryTag i1 | Select-RegistryTag -KeepLast 2 -Explain").Succeed().Values("TagName").Cast<string>().Order(StringComparer.Ordinal)));
        _session.Invoke("Get-RegistryTag i1 | Select-RegistryTag -OlderThan 30d -KeepLast 1 | Remove-RegistryTag").Succeed();
        Assert.Equal("T13", _session.Invoke("Get-RegistryTag i1").Succeed().Texts("Name"));
        if (kind == "docker-registry") await Skopeo.PullAsync(registry.Host, "i1", "T13", Path.Combine(_directory, "pulled"));
    }

    [Fact]
    public async Task What_it_says_of_each_tag_can_not_be_taken_for_the_tag()
    {
        await using var registry = await RegistryUnderTest.StartAsync("Distribution3");
        _session.Invoke($"Connect-Registry http://{registry.Host}").Succeed();
        var explained = _session.Invoke("Get-RegistryTag i1 -Detailed | Select-RegistryTag -Match T11 -Explain").Succeed();
        Assert.Equal("Remove Keep Keep", explained.Texts("Action"));
        Assert.NotEmpty(_session.Invoke("Get-RegistryTag i1 -Detailed | Select-RegistryTag -Match T11 -Explain | Remove-RegistryTag").Errors);
        Assert.NotEmpty(_session.Invoke("Get-RegistryTag i1 -Detailed | Select-RegistryTag -Match T11 -Explain | Remove-RegistryManifest -Force -Confirm:$false").Errors);
        Assert.Equal("T11 T12 T13", _session.Invoke("Get-RegistryTag i1 -Sort Name").Succeed().Texts("Name"));
    }

    [Fact]
    public async Task A_tag_that_moves_after_it_was_chosen_is_not_removed()
    {
        await using var registry = await RegistryUnderTest.StartAsync("Distribution3");
        _session.Invoke($"Connect-Registry http://{registry.Host}").Succeed();
        _session.Invoke("$chosen = Get-RegistryTag i1 T11 | Select-RegistryTag -OlderThan 1d").Succeed();
        var store = registry.Embedded!.Store;
        var other = store.FindTag("i1", "T12")!;
        store.WriteManifest("i1", "T11", store.ReadManifest("i1", other)!, other);
        _session.Invoke("$chosen | Remove-RegistryTag").Fail("TagMoved");
        Assert.NotNull(store.FindTag("i1", "T11"));
    }

    [Fact]
    public async Task Tags_whose_date_can_not_be_told_stay_and_are_named()
    {
        await using var registry = await RegistryUnderTest.StartAsync("Distribution3");
        _session.Invoke($"Connect-Registry http://{registry.Host}").Succeed();
        var result = _session.Invoke("Get-RegistryTag i1 | Select-RegistryTag -OlderThan 1d -By Tagged").Succeed();
        Assert.Empty(result.Output);
        Assert.Contains("T11, T12, T13", Assert.Single(result.Warnings), StringComparison.Ordinal);
        Assert.Contains("-By Created", result.Warnings[0], StringComparison.Ordinal);
    }

    [Fact]
    public void On_storage_the_tag_s_own_time_counts()
    {
        var store = new DistributionStore(Path.Combine(_directory, "registry"));
        SampleData.Seed(store);
        var link = Path.Combine(store.StoragePath, "docker", "registry", "v2", "repositories", "i1", "_manifests", "tags", "T12", "current", "link");
        File.SetLastWriteTimeUtc(link, DateTime.UtcNow.AddDays(-40));
        Assert.Equal("T12", _session.Invoke($"Get-RegistryTag i1 -Registry '{store.StoragePath}' | Select-RegistryTag -OlderThan 30d -By Tagged").Succeed().Texts("Name"));
        var policy = Write("""{"policies":[{"name":"old","repositories":["i*"],"olderThan":"30d","by":"Tagged"}]}""");
        var result = _session.Invoke($"Invoke-RegistryRetention '{policy}' -Registry '{store.StoragePath}'").Succeed();
        Assert.Equal("Removed", result.Texts("Action"));
        Assert.Equal("T12", result.Texts("TagName"));
        Assert.Equal(["T11", "T13"], store.Tags("i1"));
    }

    [Theory]
    [InlineData("", "RetentionInvalid")]
    [InlineData("-Protect x", "RetentionInvalid")]
    [InlineData("-Match '('", "RetentionInvalid")]
    [InlineData("-SemVer nonsense", "RetentionInvalid")]
    [InlineData("-Match a -GroupBy b", "RetentionInvalid")]
    public async Task Rules_that_are_none_end_the_pipeline(string rules, string id)
    {
        await using var registry = await RegistryUnderTest.StartAsync("Distribution3");
        _session.Invoke($"Connect-Registry http://{registry.Host}").Succeed();
        var result = _session.Invoke($"Get-RegistryTag i1 | Select-RegistryTag {rules} | Remove-RegistryTag");
        Assert.StartsWith(id, Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(3, _session.Invoke("Get-RegistryTag i1").Succeed().Output.Count);
    }

    [Theory]
    [InlineData("-OlderThan $nothing -Match .", "RetentionInvalid")]
    [InlineData("-KeepLast '' -Match .", "ParameterArgumentValidationError")]
    [InlineData("-KeepLast 0", "ParameterArgumentValidationError")]
    [InlineData("-OlderThan 6m", "ParameterArgumentTransformationError")]
    [InlineData("-OlderThan 6M", "ParameterArgumentTransformationError")]
    [InlineData("-Match . -Protect 'T1[12]'", "RetentionInvalid")]
    public async Task A_rule_that_is_lost_does_not_leave_the_others_to_choose(string rules, string id)
    {
        await using var registry = await RegistryUnderTest.StartAsync("Distribution3");
        _session.Invoke($"Connect-Registry http://{registry.Host}").Succeed();
        var result = _session.Invoke($"Get-RegistryTag i1 | Select-RegistryTag {rules} | Remove-RegistryTag");
        Assert.StartsWith(id, Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(3, _session.Invoke("Get-RegistryTag i1").Succeed().Output.Count);
    }

    [Fact]
    public async Task A_placeholder_is_not_the_last_version_that_stays()
    {
        await using var registry = await RegistryUnderTest.StartAsync("Distribution2");
        _session.Invoke($"Connect-Registry http://{registry.Host}").Succeed();
        var store = registry.Embedded!.Store;
        var image = store.ReadManifest("i1", store.FindTag("i1", "T11")!)!;
        foreach (var tag in new[] { "1.0.0", "1.0.1" }) store.WriteManifest("i1", tag, image);
        var config = Encoding.UTF8.GetBytes("""{"architecture":"amd64","config":{},"history":[],"os":"linux","rootfs":{"diff_ids":[],"type":"layers"}}""");
        var empty = JsonNode.Parse(image)!.AsObject();
        empty["config"]!["digest"] = store.WriteBlob("i1", config);
        empty["config"]!["size"] = config.Length;
        empty["layers"] = new JsonArray();
        empty["annotations"] = new JsonObject { ["io.github.registrytools.placeholder"] = "run" };
        store.WriteManifest("i1", "1.0.2", Encoding.UTF8.GetBytes(empty.ToJsonString()));
        Assert.Equal("1.0.0", _session.Invoke("Get-RegistryTag i1 | Select-RegistryTag -KeepSemVer Latest").Succeed().Texts("Name"));
    }

    [Fact]
    public void What_is_no_tag_is_told() => _session.Invoke("'x' | Select-RegistryTag -Match a").Fail("InvalidArgument");

    [Fact]
    public async Task A_policy_is_planned_first_and_then_carried_out()
    {
        await using var registry = await RegistryUnderTest.StartAsync("Distribution3");
        _session.Invoke($"Connect-Registry http://{registry.Host}").Succeed();
        var policy = Write("""{"policies":[{"name":"i1","repositories":"i1","keepLast":1},{"name":"rest","repositories":["i*"],"exclude":["i4"],"match":"^T.2$"}]}""");
        var plan = _session.Invoke($"Invoke-RegistryRetention '{policy}' -WhatIf").Succeed();
        Assert.Equal("T11 T12 T22 T32 T52", string.Join(' ', plan.Values("TagName").Cast<string>().Order(StringComparer.Ordinal)));
        Assert.All(plan.Values("Action"), action => Assert.Equal("Remove", action));
        Assert.Equal("T11 T12 T13", _session.Invoke("Get-RegistryTag i1 -Sort Name").Succeed().Texts("Name"));
        Assert.Contains(_session.Invoke($"Invoke-RegistryRetention '{policy}' -WhatIf -Explain").Succeed().Output, item => "Keep".Equals(item.Properties["Action"].Value));
        var done = _session.Invoke($"Invoke-RegistryRetention '{policy}'").Succeed();
        Assert.All(done.Values("Action"), action => Assert.Equal("Removed", action));
        Assert.Equal(plan.Texts("TagName"), done.Texts("TagName"));
        Assert.Equal("T13", _session.Invoke("Get-RegistryTag i1").Succeed().Texts("Name"));
        Assert.Contains("T42", _session.Invoke("Get-RegistryTag i4").Succeed().Texts("Name"), StringComparison.Ordinal);

        // It can be undone, and a second run finds nothing more.
        Assert.Empty(_session.Invoke($"Invoke-RegistryRetention '{policy}'").Succeed().Output);
        _session.Invoke("Restore-RegistryTag i1 T12").Succeed();
    }

    [Theory]
    [InlineData("""{"policies":[{"repositories":["*"],"match":"."}]}""", "")]
    [InlineData("""{"maximumRemoval":1,"policies":[{"repositories":["i1"],"keepLast":1}]}""", "")]
    [InlineData("""{"maximumRemoval":100,"policies":[{"repositories":["i1"],"keepLast":1}]}""", "-MaximumRemoval 1")]
    [InlineData("""{"maximumPercent":50,"policies":[{"repositories":["i1"],"keepLast":1}]}""", "")]
    [InlineData("""{"policies":[{"repositories":["i1"],"keepLast":1}]}""", "-MaximumPercent 10")]
    public async Task A_policy_gone_wrong_is_stopped_before_its_first_deletion(string text, string options)
    {
        await using var registry = await RegistryUnderTest.StartAsync("Distribution3");
        _session.Invoke($"Connect-Registry http://{registry.Host}").Succeed();
        var requests = registry.Embedded!.Requests.Count(request => request.Method is not ("GET" or "HEAD"));
        var policy = Write(text);
        var result = _session.Invoke($"Invoke-RegistryRetention '{policy}' {options}");
        result.Fail("RetentionLimit");
        Assert.Empty(result.Output);
        Assert.Equal(requests, registry.Embedded.Requests.Count(request => request.Method is not ("GET" or "HEAD")));
        Assert.NotEmpty(_session.Invoke($"Invoke-RegistryRetention '{policy}' {options} -WhatIf").Output);
    }

    [Fact]
    public async Task Where_a_repository_can_not_be_listed_nothing_is_removed()
    {
        await using var registry = await RegistryUnderTest.StartAsync("Distribution3");
        _session.Invoke($"Connect-Registry http://{registry.Host}").Succeed();
        var policy = Write("""{"policies":[{"repositories":["i1","nowhere"],"match":"T11"}]}""");
        _session.Invoke($"Invoke-RegistryRetention '{policy}'").Fail("RepositoryNotFound");
        Assert.Equal(3, _session.Invoke("Get-RegistryTag i1").Succeed().Output.Count);
    }

    [Fact]
    public async Task Everything_wrong_with_a_policy_is_told_and_nothing_is_done()
    {
        await using var registry = await RegistryUnderTest.StartAsync("Distribution3");
        _session.Invoke($"Connect-Registry http://{registry.Host}").Succeed();
        var result = _session.Invoke($"Invoke-RegistryRetention '{Write("""{"policies":[{"repositories":["*"],"olderThen":"30d"},{"repositories":["*"],"olderThan":30}]}""")}'");
        Assert.Equal(2, result.Errors.Count(error => error.FullyQualifiedErrorId.StartsWith("PolicyInvalid", StringComparison.Ordinal)));
        Assert.Contains("olderThen", result.Errors[0].Exception.Message, StringComparison.Ordinal);
        _session.Invoke($"Invoke-RegistryRetention '{_directory}/nowhere.json'").Fail("PolicyNotFound");
    }

    private string Write(string policy)
    {
        var file = Path.Combine(_directory, "policy.json");
        File.WriteAllText(file, policy);
        return file;
    }
}
