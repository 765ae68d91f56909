using RegistryTools.Host.Embedded;

namespace RegistryTools.Cmdlets.Tests.Commands;

/// <summary>Looking a storage through, and mending it, through the cmdlets.</summary>
public sealed class StorageVerificationTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("rt-verify-").FullName;
    private readonly ModuleSession _session = new();
    private readonly DistributionStore _store;

    public StorageVerificationTests()
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
    public void A_sound_storage_gives_nothing()
    {
        Assert.Empty(_session.Invoke($"Test-RegistryStorage '{_root}' -Content").Succeed().Output);
        Assert.Equal(true, Assert.Single(_session.Invoke($"Test-RegistryStorage '{_root}' -Content -Quiet").Succeed().Output).BaseObject);
        _session.Invoke($"Repair-RegistryStorage '{_root}' -Content").Succeed();
        _session.Invoke("Test-RegistryStorage /nowhere/at/all").Fail("StorageNotFound");
        _session.Invoke("Repair-RegistryStorage env:").Fail("StorageNotFound");
    }

    [Fact]
    public void Found_shown_and_repaired_what_was_piped()
    {
        var link = Path.Combine(_root, "docker/registry/v2/repositories/i1/_manifests/tags/T11/current/link");
        File.WriteAllText(link, string.Empty);
        var layer = _store.Layers("i2")[0];
        File.Delete(Path.Combine(_root, "docker/registry/v2/repositories/i2/_layers", layer.Replace(':', '/'), "link"));
        var found = _session.Invoke($"$found = Test-RegistryStorage '{_root}'; $found").Succeed();
        Assert.Equal("TagLinkInvalid LayerNotLinked", string.Join(" ", found.Texts("Kind").Split(' ').OrderDescending()));
        Assert.Equal("Error Error", found.Texts("Severity"));
        Assert.Equal(false, Assert.Single(_session.Invoke($"Test-RegistryStorage '{_root}' -Quiet").Succeed().Output).BaseObject);
        Assert.Contains("i1:T11", _session.Show($"Test-RegistryStorage '{_root}'"), StringComparison.Ordinal);
        Assert.Empty(_session.Invoke($"Test-RegistryStorage '{_root}' -Repository i4, i5").Succeed().Output);

        _session.Invoke($"Repair-RegistryStorage '{_root}' -WhatIf").Succeed();
        Assert.Equal(string.Empty, File.ReadAllText(link));
        var repaired = _session.Invoke("$found | ? Kind -eq TagLinkInvalid | Repair-RegistryStorage -PassThru").Succeed();
        Assert.Equal("Repaired", repaired.Texts("State"));
        Assert.Equal(_store.Manifests("i1").Order(), new[] { _store.FindTag("i1", "T11")!, _store.FindTag("i1", "T12")! }.Order());
        Assert.Equal("LayerNotLinked", _session.Invoke($"Test-RegistryStorage '{_root}'").Succeed().Texts("Kind"));
        _session.Invoke($"Repair-RegistryStorage '{_root}'").Succeed();
        Assert.Equal(true, Assert.Single(_session.Invoke($"Test-RegistryStorage '{_root}' -Content -Quiet").Succeed().Output).BaseObject);
    }

    [Fact]
    public void What_can_not_be_mended_is_told_with_what_to_do()
    {
        var layer = _store.Layers("i3")[0];
        var path = _store.BlobPath(layer);
        var bytes = File.ReadAllBytes(path);
        bytes[^1] ^= 1;
        File.WriteAllBytes(path, bytes);
        Directory.Delete(Path.GetDirectoryName(_store.BlobPath(_store.FindTag("i3", "T32")!))!, recursive: true);
        var error = _session.Invoke($"Repair-RegistryStorage '{_root}'").Fail("StorageDamaged");
        Assert.Contains("Push the image again", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);

        // Young: not moved away, which is said.
        var result = _session.Invoke($"Repair-RegistryStorage '{_root}' -Content -PassThru -ErrorAction SilentlyContinue -WarningVariable told; $told.Count");
        Assert.Contains(result.Output, item => item.Properties["State"]?.Value as string == "Skipped");
        Assert.True(File.Exists(path));
        result = _session.Invoke($"Repair-RegistryStorage '{_root}' -Content -PassThru -MinimumAge 0s -ErrorAction SilentlyContinue");
        Assert.Contains(result.Output, item => item.Properties["Kind"].Value as string == "BlobCorrupt" && item.Properties["State"].Value as string == "Repaired");
        Assert.False(File.Exists(path));
        Assert.Equal("Repair", _session.Invoke($"Get-RegistryGarbage '{_root}'").Succeed().Texts("Cause"));
        _session.Invoke($"Get-RegistryGarbage '{_root}' | Restore-RegistryGarbage").Succeed();
        Assert.True(File.Exists(path));
    }
}
