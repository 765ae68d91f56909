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
        var expected = SampleData.Tags.SelectMany(pair => pair.Value.Select(tag => "sample/" + pair.Key + ":" + tag)).Order(StringComparer.Ordinal);
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
