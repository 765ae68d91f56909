using RegistryTools.Host.Embedded;
using RegistryTools.Tests.Servers;

namespace RegistryTools.Cmdlets.Tests;

/// <summary>The main job through the cmdlets, on each kind of registry that there is, the real one among them.</summary>
public sealed class MainJobTests : IDisposable
{
    private const string Others = "Get-RegistryTag * -Detailed | ? Name -notin T12, T22, T52 | % { $_.Repository + ':' + $_.Name + ' ' + $_.Digest + ' ' + $_.Size }";
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-main-").FullName;

    public static TheoryData<string> Kinds() => ["Distribution2", "Distribution3", "Full", "docker-registry"];

    public static TheoryData<string> Disabled() => ["DeletionDisabled", "docker-registry, deletion off"];

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [SkippableTheory]
    [MemberData(nameof(Kinds))]
    public async Task Three_tags_go_and_nothing_else(string kind)
    {
        await using var registry = await RegistryUnderTest.StartAsync(kind);
        using var session = new ModuleSession();
        session.Invoke($"Connect-Registry {registry.Host}").Succeed();
        var before = Lines(session);

        session.Invoke("Get-RegistryTag I1 | ? Name -eq T12 | Remove-RegistryTag -WhatIf").Succeed();
        Assert.Equal("T12", session.Invoke("Get-RegistryTag i1:T12").Succeed().Texts("Name"));
        Assert.Empty(session.Invoke("Get-RegistryTag I1, I2, I5 | ? Name -in T12, T22, T52 | Remove-RegistryTag").Succeed().Output);

        Assert.Equal(before, Lines(session));
        foreach (var reference in new[] { "i1:T12", "i2:T22", "i5:T52" }) session.Invoke("Get-RegistryTag " + reference).Fail("TagNotFound");
        if (Requirement.Find("skopeo") is not null)
        {
            foreach (var (repository, tags) in SampleData.Tags)
            {
                foreach (var tag in tags.Except(["T12", "T22", "T52"])) await Skopeo.PullAsync(registry.Host, repository, tag, Path.Combine(_directory, Guid.NewGuid().ToString("N")));
            }
        }

        session.Invoke($"Get-RegistryRemoval -Registry {registry.Host} | Restore-RegistryTag").Succeed();
        Assert.Equal("T12 T22 T52", session.Invoke("Get-RegistryTag i1:T12, i2:T22, i5:T52").Succeed().Texts("Name"));
    }

    [SkippableTheory]
    [MemberData(nameof(Kinds))]
    public async Task A_manifest_that_something_needs_goes_only_by_force(string kind)
    {
        await using var registry = await RegistryUnderTest.StartAsync(kind);
        using var session = new ModuleSession();
        session.Invoke($"Connect-Registry {registry.Host}").Succeed();
        Assert.Contains("T13", session.Invoke("Remove-RegistryManifest i1 T12 -Confirm:$false").Fail("ManifestInUse").Exception.Message, StringComparison.Ordinal);
        Assert.Contains("T41", session.Invoke("$child = (Get-RegistryManifest i4 T41 -Platform linux/amd64).Digest; Remove-RegistryManifest i4 -Digest $child -Confirm:$false").Errors[^1].Exception.Message, StringComparison.Ordinal);
        Assert.Equal("T11 T12 T13", session.Invoke("Get-RegistryTag i1 -Sort Natural").Succeed().Texts("Name"));

        session.Invoke("Remove-RegistryManifest i1 T12 -Force -WhatIf").Succeed();
        Assert.Equal("T11 T12 T13", session.Invoke("Get-RegistryTag i1 -Sort Natural").Succeed().Texts("Name"));
        session.Invoke("$d = (Get-RegistryManifest i1:T12).Digest; Remove-RegistryManifest i1 $d -Confirm:$false").Fail("ManifestInUse");
        session.Invoke("Remove-RegistryManifest i1 T12 -Force -Confirm:$false").Succeed();
        Assert.Equal("T11", session.Invoke("Get-RegistryTag i1").Succeed().Texts("Name"));

        // A layer's digest is no manifest's, whatever the registry would say to it.
        session.Invoke("$layer = (Get-RegistryImage i1 T11).Layers[0].Digest; Remove-RegistryManifest i1 -Digest $layer -Confirm:$false").Fail("RemovalFailed");
        session.Invoke("Get-RegistryImage i1 T11").Succeed();
    }

    [SkippableTheory]
    [MemberData(nameof(Disabled))]
    public async Task Deletion_that_is_disabled_changes_nothing(string kind)
    {
        await using var registry = await RegistryUnderTest.StartAsync(kind);
        using var session = new ModuleSession();
        session.Invoke($"Connect-Registry {registry.Host}").Succeed();
        Assert.Equal("NotSupported", session.Invoke("Test-Registry").Succeed().Texts("ManifestDelete"));
        var tags = session.Invoke("Get-RegistryTag *").Succeed().Output.Count;
        var result = session.Invoke("Get-RegistryTag I1, I2, I5 | ? Name -in T12, T22, T52 | Remove-RegistryTag");
        Assert.Equal(["DeletionDisabled", "DeletionDisabled", "DeletionDisabled"], result.ErrorIds);
        if (registry.Embedded is { } embedded) Assert.DoesNotContain(embedded.Requests, request => request.Method is "PUT" or "POST" or "PATCH");
        Assert.Equal(tags, session.Invoke("Get-RegistryTag *").Succeed().Output.Count);
        session.Invoke("Remove-RegistryManifest i1 T11 -Confirm:$false").Fail("DeletionDisabled");
        Assert.Equal(tags, session.Invoke("Get-RegistryTag *").Succeed().Output.Count);
    }

    private static List<string> Lines(ModuleSession session) =>
        session.Invoke(Others).Succeed().Output.Select(line => line.ToString()).Order(StringComparer.Ordinal).ToList();
}
