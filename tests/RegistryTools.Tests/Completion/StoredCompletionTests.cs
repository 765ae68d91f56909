using RegistryTools.Host.Embedded;

namespace RegistryTools.Cmdlets.Tests.Completion;

/// <summary>Completion of what is in storages, in quarantines, in the journal of removals and in the files of credentials: none of it asks a registry.</summary>
public sealed class StoredCompletionTests : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("registrytools completion ").FullName;
    private readonly ModuleSession _session = new();

    public StoredCompletionTests() => SampleData.Seed(new DistributionStore(_path));

    public void Dispose()
    {
        _session.Dispose();
        Directory.Delete(_path, recursive: true);
    }

    [Theory]
    [InlineData("Test-RegistryStorage '{0}' -Repository i", "i1 i2 i3 i4 i5")]
    [InlineData("Repair-RegistryStorage -Repository i5 -StoragePath '{0}'", null)]
    [InlineData("Repair-RegistryStorage -StoragePath '{0}' -Repository i5", "i5")]
    [InlineData("Invoke-RegistryGarbageCollect '{0}' -RemoveUntagged -Repository I1", "i1")]
    [InlineData("Measure-RegistryStorage '{0}' -Repository i", "i1 i2 i3 i4 i5")]
    [InlineData("Measure-RegistryStorage '{0}' -Without i1:T1", "i1:T11 i1:T12 i1:T13")]
    [InlineData("Measure-RegistryStorage ./ -Without i1:T11", "i1:T11")]
    [InlineData("Get-RegistryTag -Registry '{0}' -Repository i1:T12", "i1:T12")]
    [InlineData("Invoke-RegistryGarbageCollect -Repository i", "")]
    [InlineData("Test-RegistryStorage '{0}/nothing' -Repository i", "")]
    [InlineData("Test-RegistryStorage function: -Repository i", "")]
    [InlineData("Test-RegistryStorage nodrive:x -Repository i", "")]
    public void Storages_are_read_where_they_are(string line, string? expected)
    {
        _session.Invoke("$ExecutionContext.SessionState.Path.SetLocation($path)", ("path", _path)).Succeed();
        if (expected is not null) _session.AssertCompletes(expected, line.Replace("{0}", _path, StringComparison.Ordinal));
        Assert.Empty(_session.Invoke("Get-RegistryConnection").Succeed().Output);
    }

    [Fact]
    public void A_connected_storage_is_completed_like_a_registry()
    {
        _session.Invoke($"Connect-Registry -StoragePath '{_path}' -Name store").Succeed();
        _session.AssertCompletes("i1 i2 i3 i4 i5", "Remove-RegistryTag i");
        _session.AssertCompletes("T11 T12 T13", "Remove-RegistryTag i1 ");
        _session.AssertCompletes("store", "Connect-Registry s");
    }

    [Fact]
    public void A_quarantine_tells_its_runs_digests_and_repositories()
    {
        new DistributionStore(_path).DeleteTag("i1", "T11");
        _session.Invoke($"Invoke-RegistryGarbageCollect '{_path}' -RemoveUntagged -MinimumAge 0s -Confirm:$false 6>$null | ForEach-Object {{ }}; Connect-Registry -StoragePath '{_path}' -Name store").Succeed();
        var run = _session.Invoke($"(Get-RegistryGarbage '{_path}').RunId").Succeed().Output.Single().ToString();
        var digests = _session.Invoke($"Get-RegistryGarbage '{_path}' -Detailed | ? Digest | % Digest").Succeed().Output.Select(digest => digest.ToString()).Distinct().ToList();
        Assert.NotEmpty(digests);
        foreach (var command in new[] { "Get-RegistryGarbage", "Restore-RegistryGarbage" })
        {
            _session.AssertCompletes(run, $"{command} '{_path}' -RunId ");
            _session.AssertCompletes(digests[0], $"{command} '{_path}' -Digest {digests[0][7..30]}");
        }

        _session.AssertCompletes(run, $"Clear-RegistryGarbage '{_path}' ");
        var repositories = _session.Invoke($"Get-RegistryGarbage '{_path}' -Detailed | ? Repository | % Repository").Succeed().Output.Select(name => name.ToString()).Distinct().Order(StringComparer.Ordinal);
        _session.AssertCompletes(string.Join(" ", repositories), $"Restore-RegistryGarbage '{_path}' -Repository ");
    }

    [Fact]
    public async Task What_was_removed_is_offered_for_putting_back_and_no_longer_for_removing()
    {
        await using var registry = await EmbeddedFixture.StartAsync(EmbeddedRegistryOptions.Distribution2());
        _session.Invoke($"Connect-Registry {registry.Host} -Name embedded").Succeed();
        _session.AssertCompletes("T11 T12 T13", "Remove-RegistryTag i1 ");
        var digest = _session.Invoke("(Get-RegistryManifest i1 T12).Digest").Succeed().Output[0].ToString();
        _session.AssertCompletes(string.Empty, "Restore-RegistryTag i1 ");
        var run = _session.Invoke("(Remove-RegistryTag i1 T12 -PassThru).RunId").Succeed().Output[0].ToString();
        _session.AssertCompletes("T11 T13", "Remove-RegistryTag i1 ");
        _session.AssertCompletes("T12", "Restore-RegistryTag i1 ");
        _session.AssertCompletes("i1:T12", "Restore-RegistryTag -Reference i1:");
        _session.AssertCompletes(digest, "Restore-RegistryTag i1 T12 -Digest sha");
        _session.AssertCompletes("i1", "Get-RegistryRemoval -Registry embedded -Repository ");
        _session.AssertCompletes("T12", "Get-RegistryRemoval -Registry embedded -Repository i1 -Tag ");
        _session.AssertCompletes(run, "Get-RegistryRemoval -Registry embedded -RunId ");
        _session.Invoke("Restore-RegistryTag i1 T12").Succeed();
        _session.AssertCompletes("T11 T12 T13", "Remove-RegistryTag i1 ");
        _session.AssertCompletes(string.Empty, "Restore-RegistryTag i1 ");
    }

    [Fact]
    public async Task Connect_Registry_knows_the_registries_that_the_files_of_credentials_name()
    {
        await using var registry = await ScriptedRegistry.StartAsync();
        using var shell = new ChildShell();
        await File.WriteAllTextAsync(Path.Combine(shell.Directory, "config.json"), """
            {"auths":{"https://index.docker.io/v1/":{"auth":"YTpi"},"registry.example.com":{},"https://old.example.com/v1/":{},"http://plain.example.com:5000/v2/":{},"who:secret@bad.example.com":{},"not a host":{}},
             "credHelpers":{"gcr.io":"gcloud","registry.example.com":"x"},"credsStore":"hangs"}
            """);
        await File.WriteAllTextAsync(Path.Combine(shell.Directory, "auth.json"), """{"auths":{"quay.io/team":{},"docker.io":{}}}""");
        var (output, error) = await shell.RunAsync($$"""
            $null = Connect-Registry http://{{registry.Address}} -Name mine -Anonymous
            function Tab($line) { (1..50 | % { $found = (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText -join ' '; if ($found) { $found } })[0] }
            Tab 'Connect-Registry '; Tab 'Connect-Registry reg'; Tab 'Get-RegistryTag i1 -Registry qu'
            """);
        Assert.Equal(string.Empty, error);
        Assert.Equal(["mine docker.io gcr.io http://plain.example.com:5000 old.example.com quay.io registry.example.com", "registry.example.com", "quay.io"], output);
    }
}
