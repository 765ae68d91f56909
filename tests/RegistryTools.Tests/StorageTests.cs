using RegistryTools.Host.Embedded;

namespace RegistryTools.Cmdlets.Tests;

/// <summary>The cmdlets on a storage, with no server.</summary>
public sealed class StorageTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-storage-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void The_main_job_without_a_server()
    {
        var store = new DistributionStore(Path.Combine(_directory, "registry"));
        SampleData.Seed(store);
        using var session = new ModuleSession();
        Assert.Equal("Storage", session.Invoke($"Connect-Registry -StoragePath '{store.StoragePath}' -Name disk").Succeed().Texts("Kind"));
        Assert.Equal("i1 i2 i3 i4 i5", session.Invoke("Get-RegistryRepository").Succeed().Texts("Repository"));
        Assert.All(session.Invoke("Get-RegistryTag i1 -Detailed").Succeed().Values("Tagged"), tagged => Assert.IsType<DateTimeOffset>(tagged));
        session.Invoke("Get-RegistryTag I1, I2, I5 | ? Name -in T12, T22, T52 | Remove-RegistryTag -WhatIf").Succeed();
        Assert.NotNull(store.FindTag("i1", "T12"));
        session.Invoke("Get-RegistryTag I1, I2, I5 | ? Name -in T12, T22, T52 | Remove-RegistryTag").Succeed();
        Assert.Equal(["T11", "T13"], store.Tags("i1"));
        Assert.Equal(["T21", "T23", "T24"], store.Tags("i2"));
        Assert.Contains("T51", store.Tags("i5"));
        Assert.DoesNotContain("T52", store.Tags("i5"));
        session.Invoke("Restore-RegistryTag i1 T12").Succeed();
        session.Invoke("Get-RegistryRemoval -Registry disk -State Removed | ? Tag -eq T22 | Restore-RegistryTag").Succeed();
        Assert.Contains("T22", store.Tags("i2"));
        Assert.Equal(store.FindTag("i1", "T13"), store.FindTag("i1", "T12"));
        session.Invoke("Remove-RegistryManifest i1 T12 -Confirm:$false").Fail("ManifestInUse");
        session.Invoke("Get-RegistryImage i4 T41").Succeed();
    }

    [Fact]
    public void A_path_names_a_storage_wherever_a_registry_can_be_named()
    {
        var store = new DistributionStore(Path.Combine(_directory, "registry"));
        SampleData.Seed(store);
        using var session = new ModuleSession();
        Assert.Equal(3, session.Invoke($"Get-RegistryTag i1 -Registry '{store.StoragePath}'").Succeed().Values("Name").Count);
        session.Invoke($"Get-RegistryTag i1 T12 -Registry '{store.StoragePath}/docker/registry/v2' | Remove-RegistryTag").Succeed();
        Assert.Equal(["T11", "T13"], store.Tags("i1"));
        Assert.Single(session.Invoke("Get-RegistryConnection").Succeed().Values("Kind"));
        session.Invoke($"Get-RegistryTag i1 -Registry '{_directory}'").Fail("StorageNotFound");
    }

    [Fact]
    public void What_a_collection_leaves_in_the_quarantine_is_told_with_how_to_free_it()
    {
        var store = new DistributionStore(Path.Combine(_directory, "registry"));
        SampleData.Seed(store);
        store.DeleteTag("i1", "T11");
        using var session = new ModuleSession();
        var told = session.Invoke($"$null = Invoke-RegistryGarbageCollect '{store.StoragePath}' -RemoveUntagged -MinimumAge 0s -InformationVariable told; \"$told\"").Succeed().Output.Single()!.ToString()!;
        Assert.Contains("are in the quarantine", told, StringComparison.Ordinal);
        Assert.Contains("Clear-RegistryGarbage frees them", told, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_that_is_no_storage()
    {
        using var session = new ModuleSession();
        session.Invoke($"Connect-Registry -StoragePath '{_directory}'").Fail("StorageNotFound");
    }
}
