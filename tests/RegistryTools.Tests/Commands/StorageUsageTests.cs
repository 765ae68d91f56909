using RegistryTools.Host.Embedded;

namespace RegistryTools.Cmdlets.Tests.Commands;

/// <summary>What takes the space, through the cmdlet: of a storage, and of a registry over it.</summary>
public sealed class StorageUsageTests : IAsyncLifetime
{
    private EmbeddedRegistry Registry { get; set; } = null!;

    private ModuleSession Session { get; } = new();

    private DistributionStore Store => Registry.Store;

    private string Root => Registry.StoragePath;

    public async Task InitializeAsync()
    {
        Registry = await EmbeddedFixture.StartAsync(EmbeddedRegistryOptions.Full());
        Session.Invoke($"Connect-Registry {Registry.Host} -Name reg -RetryCount 0").Succeed();
    }

    public async Task DisposeAsync()
    {
        Session.Dispose();
        await Registry.DisposeAsync();
    }

    [Fact]
    public void A_storage_by_registry_repository_and_tag()
    {
        var result = Session.Invoke($"Measure-RegistryStorage '{Root}'").Succeed();
        Assert.Equal("Registry Repository Repository Repository Repository Repository", result.Texts("Scope"));
        Assert.Equal(" i1 i2 i3 i4 i5", result.Texts("Repository"));
        Assert.Equal(Root, result.Output[0].Properties["StoragePath"].Value);
        Assert.Null(result.Output[0].Properties["Registry"].Value);
        Assert.Equal(Store.Blobs().Sum(digest => new FileInfo(Store.BlobPath(digest)).Length), (long)result.Output[0].Properties["Size"].Value);
        Assert.Equal(0L, result.Output[0].Properties["Freed"].Value);

        var tags = Session.Invoke($"Measure-RegistryStorage -StoragePath '{Root}/docker/registry/v2' -By Tag -Repository I[12], i3").Succeed();
        Assert.Equal("T11 T12 T13 T21 T22 T23 T24 T31 T32", tags.Texts("Tag"));
        var freed = tags.Values("Freed").Cast<long>().ToList();
        Assert.True(freed[0] > 0 && freed[1] == 0 && freed[2] == 0, "T12 and T13 are one manifest.");
        Assert.Equal("i2", Session.Invoke($"Measure-RegistryStorage '{Root}' -By Repository -Repository i2").Succeed().Texts("Repository"));
        Session.Invoke($"Measure-RegistryStorage '{Root}' -Repository none, x*").Fail("RepositoryNotFound");
    }

    [Theory]
    [InlineData("-Without i1:T12, i1:T13, i3:T3*")]
    [InlineData("-Without i1:T1[23], I3")]
    [InlineData("-Without i1:T1[23], 'i[3]:*'")]
    [InlineData("-Without @{ Repository = 'i1'; Tag = 'T12' }, 'i1:T13', ([pscustomobject]@{ Repository = 'i3'; Name = 'T31' }), 'i3:T32'")]
    public void Without_tags_that_are_named(string arguments)
    {
        var expected = Expected();
        foreach (var target in new[] { $"-StoragePath '{Root}'", string.Empty, "-Registry reg", "-Registry reg -Repository i*" })
        {
            var savings = Assert.Single(Session.Invoke($"Measure-RegistryStorage {target} {arguments}").Succeed().Output);
            Assert.Equal("RegistryTools.PowerShell.RegistrySavings", savings.TypeNames[0]);
            Assert.Equal((4, expected), ((int)savings.Properties["Tags"].Value, (long)savings.Properties["Freed"].Value));
            Assert.Equal(target.Contains("Path", StringComparison.Ordinal) ? 0L : null, savings.Properties["AlreadyFree"].Value);
        }
    }

    [Theory]
    [InlineData("Get-RegistryTag i1, i3 | ? Name -in T12, T13, T31, T32")]
    [InlineData("'i1:T12', 'i1:T13', 'i3'")]
    [InlineData("Get-RegistryTag i1 T12, T13; Get-RegistryTag i3 -Detailed")]
    [InlineData("Get-RegistryTag i1 T12, T13; Get-RegistryRepository i3")]
    public void Without_tags_that_are_piped(string source)
    {
        var expected = Expected();
        foreach (var target in new[] { $"-StoragePath '{Root}'", $"'{Root}'", string.Empty, "-Registry reg", "-Repository i1, i3", "-ThrottleLimit 2 -IncludeReferrer" })
        {
            var result = Session.Invoke($"& {{ {source} }} | Measure-RegistryStorage {target}").Succeed();
            Assert.Equal(expected, Assert.Single(result.Output).Properties["Freed"].Value);
        }

        Assert.Equal(expected, Session.Invoke($"Measure-RegistryStorage '{Root}' -By Tag | ? {{ $_.Tag -in 'T12', 'T13' -or $_.Repository -eq 'i3' }} | Measure-RegistryStorage '{Root}'").Succeed().Output[0].Properties["Freed"].Value);
    }

    [Fact]
    public void It_is_what_the_collection_then_frees()
    {
        Store.DeleteTag("i2", "T21");
        var savings = Session.Invoke($"Get-RegistryTag i3, i4 | ? Name -ne T43 | Measure-RegistryStorage -StoragePath '{Root}'").Succeed().Output[0];
        Session.Invoke("Get-RegistryTag i3, i4 | ? Name -ne T43 | Remove-RegistryTag").Succeed();
        var items = Session.Invoke($"Invoke-RegistryGarbageCollect '{Root}' -RemoveUntagged -MinimumAge 0s -PassThru | ? Kind -eq Blob").Succeed();
        Assert.True((long)savings.Properties["AlreadyFree"].Value > 0);
        Assert.Equal((long)savings.Properties["Freed"].Value + (long)savings.Properties["AlreadyFree"].Value, items.Values("Size").Cast<long>().Sum());
        var measured = Session.Invoke($"Measure-RegistryStorage '{Root}' -By Registry").Succeed().Output[0];
        Assert.Equal(0L, measured.Properties["Freed"].Value);
        Assert.True((long)measured.Properties["Quarantined"].Value > (long)savings.Properties["Freed"].Value);
    }

    [Fact]
    public void A_registry_that_is_asked()
    {
        foreach (var target in new[] { "-Repository i*", "-Registry reg -Repository i*", "-Repository I1, i2, i3, i4, i5" })
        {
            var result = Session.Invoke($"Measure-RegistryStorage {target} -IncludeReferrer -By Registry, Repository, Tag").Succeed();
            Assert.Equal("Registry", result.Output[0].Properties["Scope"].Value);
            Assert.Equal("reg", result.Output[0].Properties["Registry"].Value);
            Assert.Null(result.Output[0].Properties["Garbage"].Value);
            var storage = Session.Invoke($"Measure-RegistryStorage '{Root}' -By Registry, Repository, Tag").Succeed();
            foreach (var property in new[] { "Scope", "Repository", "Tag", "Size", "LogicalSize", "Unique", "Shared" }) Assert.Equal(storage.Values(property), result.Values(property));
        }

        var partly = Session.Invoke("Measure-RegistryStorage -Repository i1, none -By Repository");
        partly.Fail("RepositoryNotFound");
        Assert.Equal("i1", partly.Texts("Repository"));
    }

    [Fact]
    public void What_is_wrong_is_told()
    {
        Session.Invoke("Measure-RegistryStorage /nowhere/at/all").Fail("StorageNotFound");
        Session.Invoke($"Measure-RegistryStorage '{Root}' -By Layer").Fail("ParameterArgumentValidationError");
        Session.Invoke($"Measure-RegistryStorage '{Root}' -Registry reg -Repository i1").Fail("PositionalParameterNotFound");
        Session.Invoke($"Measure-RegistryStorage '{Root}' -Without i1:none").Fail("TagNotFound");
        Session.Invoke($"Measure-RegistryStorage '{Root}' -Without none").Fail("RepositoryNotFound");
        Session.Invoke("Measure-RegistryStorage -Without i1:none").Fail("TagNotFound");
        Session.Invoke($"Measure-RegistryStorage '{Root}' -Without ''").Fail("ParameterArgumentValidationError");
        Session.Invoke($"Measure-RegistryStorage '{Root}' -Without i1@sha256:{new string('0', 64)}").Fail("InvalidReference");
        Session.Invoke($"Measure-RegistryStorage '{Root}' -Without 5").Fail("InvalidReference");
        Assert.Empty(Session.Invoke($"@() | Measure-RegistryStorage '{Root}'").Succeed().Output);
        Assert.Empty(Session.Invoke($"Get-RegistryTag i1 x* | Measure-RegistryStorage '{Root}'").Succeed().Output);
        Assert.Empty(Session.Invoke("Get-RegistryTag i1 x* | Measure-RegistryStorage").Succeed().Output);
        File.WriteAllText(Store.BlobPath(Store.FindTag("i2", "T21")!), string.Empty);
        var result = Session.Invoke($"Measure-RegistryStorage '{Root}' -By Tag").Succeed();
        Assert.Contains("'T21'", Assert.Single(result.Warnings), StringComparison.Ordinal);
        Assert.Null(result.Output.Single(item => (string)item.Properties["Tag"].Value == "T21").Properties["Size"].Value);
        Session.Invoke("Disconnect-Registry").Succeed();
        Session.Invoke("Measure-RegistryStorage -Repository i1").Fail("NotConnected");
    }

    [Fact]
    public void Views_show_it()
    {
        Store.AddManyTags("many", 30);
        Store.AddReferrer("i1", Store.FindTag("i1", "T12")!, "application/spdx+json", "{}", fallbackTag: true);
        var lines = Session.Show($"Measure-RegistryStorage '{Root}' -By Registry, Repository, Tag; 'i1', 'many:t0001*' | Measure-RegistryStorage '{Root}'").Split('\n');
        Assert.All(lines, line => Assert.True(line.Length <= 80, line));
        Assert.Contains(lines, line => line.EndsWith("(all)", StringComparison.Ordinal) && line.Contains(" kB", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.EndsWith("i1:T11", StringComparison.Ordinal));
    }

    [Fact]
    public void It_stops_at_once()
    {
        Store.AddManyTags("many", 200, sharedEvery: 0);
        Registry.Fault = static (request, _) => request.PathAndQuery.Contains("/many/manifests/sha256", StringComparison.Ordinal) ? FaultAction.Delay(TimeSpan.FromSeconds(2)) : null;
        using var running = Session.Start("Measure-RegistryStorage -Repository many");
        Thread.Sleep(500);
        Assert.True(running.Stop() < TimeSpan.FromSeconds(5));
    }

    private long Expected() => new[] { Store.FindTag("i1", "T12")!, Store.FindTag("i3", "T31")!, Store.FindTag("i3", "T32")! }
        .SelectMany(digest => Blobs(digest).Append(digest)).Distinct().Sum(digest => new FileInfo(Store.BlobPath(digest)).Length);

    private IEnumerable<string> Blobs(string digest)
    {
        var manifest = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllBytes(Store.BlobPath(digest)))!;
        return manifest["layers"]!.AsArray().Append(manifest["config"]).Select(node => (string)node!["digest"]!);
    }
}
