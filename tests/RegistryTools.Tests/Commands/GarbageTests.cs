using RegistryTools.Host.Embedded;

namespace RegistryTools.Cmdlets.Tests.Commands;

/// <summary>Garbage, through the cmdlets.</summary>
public sealed class GarbageTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("rt-garbage-").FullName;
    private readonly ModuleSession _session = new();
    private readonly DistributionStore _store;

    public GarbageTests()
    {
        _store = new DistributionStore(_root);
        SampleData.Seed(_store);
        _store.DeleteTag("i1", "T11");
        _store.DeleteTag("i3", "T31");
        _store.DeleteTag("i3", "T32");
        var time = DateTime.UtcNow.AddDays(-2);
        foreach (var file in Directory.EnumerateFileSystemEntries(_root, "*", SearchOption.AllDirectories).ToList())
        {
            if (Directory.Exists(file)) Directory.SetLastWriteTimeUtc(file, time);
            else File.SetLastWriteTimeUtc(file, time);
        }
    }

    public void Dispose()
    {
        _session.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    [Fact]
    public void WhatIf_says_what_would_go_and_changes_nothing()
    {
        var before = Files();
        var result = _session.Invoke($"Invoke-RegistryGarbageCollect -StoragePath '{_root}' -RemoveUntagged -WhatIf -PassThru").Succeed();
        Assert.Equal(before, Files());
        Assert.Equal(3 + 6 + 9 + 1, result.Output.Count);
        Assert.Equal(true, result.Output[^1].Properties["IsPlan"].Value);
        Assert.Equal(3, result.Output[^1].Properties["ManifestsRemoved"].Value);
        Assert.Contains("move to quarantine 3 manifests, 9 blobs", _session.Show($"Invoke-RegistryGarbageCollect '{_root}' -RemoveUntagged -WhatIf").ReplaceLineEndings(" "), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Collected_listed_restored_and_freed()
    {
        var before = Files();
        var result = _session.Invoke($"Invoke-RegistryGarbageCollect -StoragePath '{_root}/docker/registry/v2' -RemoveUntagged -Repository I3, x* -MinimumAge 1d").Succeed();
        Assert.Equal(2, Assert.Single(result.Output).Properties["ManifestsRemoved"].Value);
        Assert.Equal("Complete", _session.Invoke($"Get-RegistryGarbage '{_root}'").Succeed().Texts("State"));
        Assert.Equal(12, _session.Invoke($"Get-RegistryGarbage '{_root}' -Detailed").Succeed().Output.Count);
        Assert.Empty(_session.Invoke($"Clear-RegistryGarbage '{_root}' -OlderThan 7d -Confirm:$false -PassThru").Succeed().Output);
        foreach (var age in new[] { "7d", "'7d'", "2w", "12h", "90m", "1.02:03:04", "([timespan]::FromDays(2))" }) _session.Invoke($"Clear-RegistryGarbage '{_root}' -OlderThan {age} -Confirm:$false").Succeed();
        var restored = _session.Invoke($"Get-RegistryGarbage '{_root}' | Restore-RegistryGarbage").Succeed();
        Assert.Equal("12", restored.Texts("Restored"));
        Assert.Equal(before, Files());
        _session.Invoke($"Invoke-RegistryGarbageCollect '{_root}' -RemoveUntagged; Get-RegistryGarbage '{_root}' -Detailed | ? Kind -eq Manifest | Restore-RegistryGarbage").Succeed();
        Assert.Equal(before, Files());
        _session.Invoke($"Invoke-RegistryGarbageCollect '{_root}' -RemoveUntagged; Get-RegistryGarbage '{_root}' | Clear-RegistryGarbage -Confirm:$false").Succeed();
        Assert.Empty(_session.Invoke($"Get-RegistryGarbage '{_root}'").Succeed().Output);
        Assert.Empty(_store.Manifests("i3"));
    }

    [Fact]
    public void Clear_and_Purge_ask()
    {
        var before = Files();
        _session.Host.Answers.Enqueue("No");
        Assert.Empty(_session.Invoke($"Invoke-RegistryGarbageCollect '{_root}' -RemoveUntagged -Purge").Succeed().Output);
        Assert.Contains("for good", Assert.Single(_session.Host.Questions), StringComparison.Ordinal);
        Assert.Equal(before, Files());
        _session.Invoke($"Invoke-RegistryGarbageCollect '{_root}' -RemoveUntagged").Succeed();
        _session.Host.Answers.Enqueue("No");
        _session.Invoke($"Clear-RegistryGarbage '{_root}'").Succeed();
        Assert.Equal(2, _session.Host.Questions.Count);
        Assert.Single(_session.Invoke($"Get-RegistryGarbage '{_root}'").Succeed().Output);
        _session.Invoke($"Restore-RegistryGarbage '{_root}'").Succeed();
        var purged = _session.Invoke($"Invoke-RegistryGarbageCollect '{_root}' -RemoveUntagged -Purge -Confirm:$false").Succeed();
        Assert.True((long)purged.Output[0].Properties["BytesFreed"].Value > 0);
        Assert.Equal(2, _session.Host.Questions.Count);
    }

    [Fact]
    public void What_is_wrong_is_told()
    {
        _session.Invoke("Invoke-RegistryGarbageCollect /nowhere/at/all").Fail("StorageNotFound");
        _session.Invoke($"Invoke-RegistryGarbageCollect '{Path.GetTempPath()}'").Fail("StorageNotFound");
        _session.Invoke($"Restore-RegistryGarbage '{_root}' nothing").Fail("GarbageFailed");
        _session.Invoke($"Clear-RegistryGarbage '{_root}' nothing -Confirm:$false").Fail("GarbageFailed");
        _session.Invoke($"Restore-RegistryGarbage '{_root}' -Digest latest").Fail("InvalidReference");
        _session.Invoke($"Invoke-RegistryGarbageCollect '{_root}' -PurgeOlderThan 7").Fail("ParameterArgumentTransformationError");
        _session.Invoke($"Invoke-RegistryGarbageCollect '{_root}' -MinimumAge '7 moons'").Fail("ParameterArgumentTransformationError");
        File.WriteAllText(_store.BlobPath(_store.FindTag("i2", "T21")!), string.Empty);
        var error = _session.Invoke($"Invoke-RegistryGarbageCollect '{_root}'").Fail("GarbageKept");
        Assert.Contains("'T21'", error.Exception.Message, StringComparison.Ordinal);
        Assert.Single(_session.Invoke($"Invoke-RegistryGarbageCollect '{_root}' -Force").Succeed().Warnings);
    }

    [Fact]
    public void Views_show_it()
    {
        var lines = _session.Show($"Invoke-RegistryGarbageCollect '{_root}' -RemoveUntagged -PassThru; Get-RegistryGarbage '{_root}'; Restore-RegistryGarbage '{_root}'").Split('\n');
        Assert.All(lines, line => Assert.True(line.Length <= 80, line));
        Assert.Contains(lines, line => line.StartsWith("Removed", StringComparison.Ordinal));
    }

    private SortedDictionary<string, string> Files() => new(Directory.EnumerateFiles(Path.Combine(_root, "docker/registry/v2"), "*", SearchOption.AllDirectories).ToDictionary(path => path, path => Convert.ToBase64String(File.ReadAllBytes(path))), StringComparer.Ordinal);
}
