using RegistryTools.Host.Embedded;

namespace RegistryTools.Cmdlets.Tests;

/// <summary>The README's data through the cmdlets that read.</summary>
[Collection(EmbeddedFixture.Name)]
public sealed class SampleTests(EmbeddedFixture fixture)
{
    private ModuleSession Session => fixture.Session;

    [Fact]
    public void Every_repository_and_tag()
    {
        Assert.Equal("i1 i2 i3 i4 i5", Session.Invoke("Get-RegistryRepository").Succeed().Texts("Repository"));
        var expected = SampleData.Tags.SelectMany(pair => pair.Value.Select(tag => pair.Key + ":" + tag)).Order(StringComparer.Ordinal);
        Assert.Equal(expected, Session.Invoke("Get-RegistryTag *").Succeed().Output.Select(tag => tag.ToString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_detail()
    {
        var result = Session.Invoke("Get-RegistryRepository | Get-RegistryTag -Detailed -Sort Natural").Succeed();
        Assert.Equal("T11 T12 T13 T21 T22 T23 T24 T31 T32 T41 T42 T43 vT44 T51 T52", result.Texts("Name"));
        Assert.All(result.Values("Size"), size => Assert.True(Assert.IsType<long>(size) > 0));
        Assert.All(result.Values("Created"), created => Assert.IsType<DateTimeOffset>(created));
        Assert.Equal("linux/amd64+linux/arm64/v8+windows/amd64", Session.Invoke("Get-RegistryTag i4 T41 -Detailed").Succeed().Texts("Platform"));
        Assert.Equal(["T12", "T13"], Session.Invoke("$d = Get-RegistryTag i1 -Detailed | ? Name -eq T12; Get-RegistryTag i1 -Detailed | ? Digest -eq $d.Digest").Succeed().Values("Name"));
    }

    [Fact]
    public void Every_manifest_and_image()
    {
        Assert.Equal(15, Session.Invoke("Get-RegistryTag * | Get-RegistryManifest").Succeed().Output.Count);
        Assert.Equal(13 + 3 + 2, Session.Invoke("Get-RegistryTag * | Get-RegistryImage").Succeed().Output.Count);
    }

    [Fact]
    public void What_it_can_do()
    {
        var result = Session.Invoke("Test-Registry sample").Succeed();
        Assert.Equal("Supported", result.Texts("TagDelete"));
        Assert.Equal("Supported", result.Texts("ManifestDelete"));
        Assert.Equal("Supported", result.Texts("Referrers"));
    }
}

/// <summary>Who one is.</summary>
public sealed class AuthenticationTests
{
    private const string Credential = "$secret = [securestring]::new(); 'PASSWORD'.ToCharArray() | % { $secret.AppendChar($_) }; $credential = [pscredential]::new('user', $secret); ";

    [Theory]
    [InlineData(RegistryAuthentication.Basic)]
    [InlineData(RegistryAuthentication.Bearer)]
    public async Task Credentials_let_one_in_and_are_never_shown(RegistryAuthentication authentication)
    {
        await using var registry = await EmbeddedFixture.StartAsync(EmbeddedRegistryOptions.Distribution2() with { Authentication = authentication, Password = "pass-word-0815" });
        using var session = new ModuleSession();
        var result = session.Invoke(Credential.Replace("PASSWORD", "pass-word-0815") + $"Connect-Registry {registry.Host} -Credential $credential -Verbose; Get-RegistryTag i1 -Detailed -Verbose -Debug").Succeed();
        Assert.Equal(authentication.ToString(), result.Output[0].Properties["Authentication"].Value);
        Assert.Equal("user", result.Output[0].Properties["UserName"].Value);
        Assert.Equal("Credential", result.Output[0].Properties["CredentialSource"].Value);
        Assert.Equal(4, result.Output.Count);
        Assert.DoesNotContain(result.Verbose, message => message.Contains("0815", StringComparison.Ordinal));
        Assert.DoesNotContain("0815", session.Show("Get-RegistryConnection | % { $_.PSObject.Properties | % { [string]$_.Value } }"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(RegistryAuthentication.Basic)]
    [InlineData(RegistryAuthentication.Bearer)]
    public async Task Wrong_or_no_credentials_are_told_as_such(RegistryAuthentication authentication)
    {
        await using var registry = await EmbeddedFixture.StartAsync(EmbeddedRegistryOptions.Distribution2() with { Authentication = authentication });
        using var session = new ModuleSession();
        var result = session.Invoke(Credential.Replace("PASSWORD", "wrong") + $"Connect-Registry {registry.Host} -Credential $credential -RetryCount 0 -ErrorAction SilentlyContinue; Get-RegistryTag i1 -Registry {registry.Host}");
        Assert.Contains("RegistryUnauthorized", result.ErrorIds);
        var anonymous = session.Invoke($"Get-RegistryTag i1 -Registry {registry.Host}");
        Assert.Equal("AuthenticationError", anonymous.Fail("RegistryUnauthorized").CategoryInfo.Category.ToString());
    }
}

/// <summary>The main job, on each kind of registry that there is.</summary>
public sealed class MainJobTests
{
    public static TheoryData<string> Kinds() => ["Distribution2", "Distribution3", "Full"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Three_tags_go_and_nothing_else(string kind)
    {
        await using var registry = await EmbeddedFixture.StartAsync(Options(kind));
        using var session = new ModuleSession();
        session.Invoke($"Connect-Registry {registry.Host}").Succeed();
        const string others = "Get-RegistryTag * -Detailed | ? Name -notin T12, T22, T52 | % { $_.Repository + ':' + $_.Name + ' ' + $_.Digest + ' ' + $_.Size }";
        var before = session.Invoke(others).Succeed().Output.Select(line => line.ToString()).Order(StringComparer.Ordinal).ToList();

        session.Invoke("Get-RegistryTag I1 | ? Name -eq T12 | Remove-RegistryTag -WhatIf").Succeed();
        Assert.Empty(session.Invoke("Get-RegistryTag I1, I2, I5 | ? Name -in T12, T22, T52 | Remove-RegistryTag").Succeed().Output);

        Assert.Equal(before, session.Invoke(others).Succeed().Output.Select(line => line.ToString()).Order(StringComparer.Ordinal));
        foreach (var reference in new[] { "i1:T12", "i2:T22", "i5:T52" }) session.Invoke("Get-RegistryTag " + reference).Fail("TagNotFound");

        session.Invoke($"Get-RegistryRemoval -Registry {registry.Host} | Restore-RegistryTag").Succeed();
        Assert.Equal("T12 T22 T52", session.Invoke("Get-RegistryTag i1:T12, i2:T22, i5:T52").Succeed().Texts("Name"));
    }

    [Fact]
    public async Task Deletion_that_is_disabled_changes_nothing()
    {
        await using var registry = await EmbeddedFixture.StartAsync(EmbeddedRegistryOptions.DeletionDisabled());
        using var session = new ModuleSession();
        session.Invoke($"Connect-Registry {registry.Host}").Succeed();
        Assert.Equal("NotSupported", session.Invoke("Test-Registry").Succeed().Texts("ManifestDelete"));
        var result = session.Invoke("Get-RegistryTag I1, I2, I5 | ? Name -in T12, T22, T52 | Remove-RegistryTag");
        Assert.Equal(["DeletionDisabled", "DeletionDisabled", "DeletionDisabled"], result.ErrorIds);
        Assert.DoesNotContain(registry.Requests, request => request.Method is "PUT" or "POST" or "PATCH");
        // 15 tags, and the fallback tag of the referrer.
        Assert.Equal(16, session.Invoke("Get-RegistryTag *").Succeed().Output.Count);
    }

    private static EmbeddedRegistryOptions Options(string kind) => kind switch
    {
        "Distribution2" => EmbeddedRegistryOptions.Distribution2(),
        "Distribution3" => EmbeddedRegistryOptions.Distribution3(),
        _ => EmbeddedRegistryOptions.Full(),
    };
}
