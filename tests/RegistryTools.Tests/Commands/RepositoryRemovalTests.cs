using RegistryTools.Host.Embedded;

namespace RegistryTools.Cmdlets.Tests.Commands;

/// <summary>Whole repositories, through the cmdlets.</summary>
public sealed class RepositoryRemovalTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("rt-repositories-").FullName;
    private readonly ModuleSession _session = new();
    private readonly DistributionStore _store;

    public RepositoryRemovalTests()
    {
        _store = new DistributionStore(_root);
        SampleData.Seed(_store);
    }

    public void Dispose()
    {
        _session.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void Of_a_storage_it_goes_and_comes_back()
    {
        _session.Invoke($"Connect-Registry -StoragePath '{_root}' -Name disk").Succeed();
        _session.Invoke("Remove-RegistryRepository I4 -WhatIf").Succeed();
        Assert.Equal(["i1", "i2", "i3", "i4", "i5"], _store.Repositories());
        _session.Host.Answers.Enqueue("No");
        _session.Invoke("Remove-RegistryRepository i4").Succeed();
        Assert.Contains("4 tag(s) T41, T42, T43, vT44", Assert.Single(_session.Host.Questions), StringComparison.Ordinal);
        Assert.Equal(["i1", "i2", "i3", "i4", "i5"], _store.Repositories());
        var result = _session.Invoke("$removed = Get-RegistryRepository i4, i3 | Remove-RegistryRepository -Confirm:$false -PassThru; $removed").Succeed();
        Assert.Equal("i4 i3", result.Texts("Repository"));
        Assert.Equal("disk disk", result.Texts("Registry"));
        Assert.Equal(["i1", "i2", "i5"], _store.Repositories());
        Assert.Equal("RepositoryRemoval", _session.Invoke($"Get-RegistryGarbage '{_root}'").Succeed().Texts("Cause"));
        _session.Invoke("$removed[0] | Restore-RegistryGarbage").Succeed();
        Assert.Equal(["i1", "i2", "i4", "i5"], _store.Repositories());
        Assert.Equal(SampleData.Tags["i4"], _store.Tags("i4"));
        _session.Invoke("Get-RegistryImage i4 T41").Succeed();
        Assert.Equal(["RepositoryNotFound", "RepositoryNotFound"], _session.Invoke("'nothing', 'I3' | Remove-RegistryRepository -Confirm:$false").ErrorIds);
        _session.Invoke("$removed[1] | Restore-RegistryGarbage").Succeed();
        Assert.Equal(["T31", "T32"], _store.Tags("i3"));
    }

    [Theory]
    [InlineData("Get-RegistryTag i1 | ? Name -eq T12")]
    [InlineData("Get-RegistryTag i1 -Detailed | ? Name -eq T12")]
    [InlineData("Get-RegistryManifest i1:T12")]
    [InlineData("Get-RegistryImage i1:T12")]
    public void A_tag_or_a_manifest_that_is_piped_does_not_cost_its_repository(string what)
    {
        _session.Invoke($"Connect-Registry -StoragePath '{_root}' -Name disk").Succeed();
        var error = _session.Invoke(what + " | Remove-RegistryRepository -Confirm:$false").Fail("InvalidArgument");
        Assert.Contains("Remove-RegistryTag", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(SampleData.Tags["i1"], _store.Tags("i1"));
        _session.Invoke(what + " | % Repository | Remove-RegistryRepository -Confirm:$false").Succeed();
        Assert.DoesNotContain("i1", _store.Repositories());
        _session.Invoke($"Measure-RegistryStorage '{_root}' -By Repository | ? Repository -eq i2 | Remove-RegistryRepository -Confirm:$false").Succeed();
        Assert.Equal(["i3", "i4", "i5"], _store.Repositories());
    }

    [Fact]
    public async Task Over_http_every_tag_goes_and_comes_back()
    {
        await using var registry = await EmbeddedRegistry.StartAsync(EmbeddedRegistryOptions.Distribution2() with { StoragePath = _root });
        _session.Invoke($"Connect-Registry {registry.Host}").Succeed();
        _session.Invoke("Remove-RegistryRepository i4 -WhatIf").Succeed();
        Assert.DoesNotContain(registry.Requests, request => request.Method is not ("GET" or "HEAD"));
        var result = _session.Invoke("$removed = Remove-RegistryRepository I4 -Confirm:$false -PassThru; $removed").Succeed();
        Assert.Equal(4, result.Output[0].Properties["Manifests"].Value);
        Assert.Null(result.Output[0].Properties["StoragePath"].Value);
        Assert.Empty(_store.Tags("i4"));
        Assert.Equal(["T51", "T52"], _store.Tags("i5").Where(tag => tag.StartsWith('T')));
        _session.Invoke("Get-RegistryRemoval -RunId $removed.RunId | Restore-RegistryTag").Succeed();
        Assert.Equal(SampleData.Tags["i4"], _store.Tags("i4"));
        _session.Invoke("$null = Get-RegistryTag i4 -Detailed; Get-RegistryImage i4 T41").Succeed();
    }
}
