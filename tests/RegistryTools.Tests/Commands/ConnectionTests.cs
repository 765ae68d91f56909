using System.Management.Automation;

namespace RegistryTools.Cmdlets.Tests.Commands;

public sealed class ConnectionTests : RegistryTestBase
{
    private string Address => Registry.Address;

    [Fact]
    public void A_connection_describes_itself()
    {
        var connection = Assert.Single(Session.Invoke("Get-RegistryConnection").Succeed().Output);
        Assert.Equal("RegistryTools.PowerShell.RegistryConnection", connection.TypeNames[0]);
        Assert.Equal("reg", connection.Properties["Name"].Value);
        Assert.Equal("reg", connection.ToString());
        Assert.Equal(true, connection.Properties["IsCurrent"].Value);
        Assert.Equal(false, connection.Properties["IsEncrypted"].Value);
        Assert.Equal("None", connection.Properties["Authentication"].Value);
        Assert.Equal("Http", connection.Properties["Kind"].Value);
        Assert.StartsWith("http://" + Address, (string)connection.Properties["Location"].Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Its_name_is_host_and_port_where_none_is_given() =>
        Assert.Equal(Address, Session.Invoke($"Connect-Registry http://{Address}/v2/").Succeed().Texts("Name"));

    [Fact]
    public void The_last_one_made_is_current_and_its_name_makes_another_current_again()
    {
        Session.Invoke($"Connect-Registry http://{Address} -Name second").Succeed();
        Assert.Equal("second", Session.Invoke("Get-RegistryConnection -Current").Succeed().Texts("Name"));
        Assert.Equal("reg", Session.Invoke("Connect-Registry reg").Succeed().Texts("Name"));
        Assert.Equal("reg", Session.Invoke("Get-RegistryConnection -Current").Succeed().Texts("Name"));
        Assert.Equal("reg second", Session.Invoke("Get-RegistryConnection").Succeed().Texts("Name"));
        Session.Invoke("Disconnect-Registry").Succeed();
        Assert.Equal("second", Session.Invoke("Get-RegistryConnection -Current").Succeed().Texts("Name"));
    }

    [Fact]
    public void The_same_name_again_replaces_the_connection()
    {
        var result = Session.Invoke($"$old = Get-RegistryConnection reg; $null = Connect-Registry http://{Address} -Name reg; Get-RegistryTag i1 -Registry $old");
        result.Fail("ConnectionClosed");
        Assert.Equal("reg", Session.Invoke("Get-RegistryConnection").Succeed().Texts("Name"));
    }

    [Fact]
    public void Names_complete()
    {
        Session.Invoke($"Connect-Registry http://{Address} -Name 'with space'").Succeed();
        var names = Session.Invoke("(TabExpansion2 'Get-RegistryTag i1 -Registry ' 29).CompletionMatches | % CompletionText").Succeed();
        Assert.Equal(["reg", "'with space'"], names.Output.Select(name => name.ToString()));
    }

    [Theory]
    [InlineData("-Registry reg")]
    [InlineData("-Registry REG")]
    [InlineData("-Registry (Get-RegistryConnection reg)")]
    [InlineData("-Registry http://ADDRESS")]
    [InlineData("-Registry ([uri]'http://ADDRESS')")]
    [InlineData("-Registry ADDRESS")]
    public void A_registry_is_named_in_any_way(string argument)
    {
        Session.Invoke("Connect-Registry http://ADDRESS -Name other".Replace("ADDRESS", Address)).Succeed();
        var result = Session.Invoke("Get-RegistryTag i1 T11 " + argument.Replace("ADDRESS", Address)).Succeed();
        Assert.Equal("reg", result.Texts("Registry"));
        Assert.Equal(2, Session.Invoke("Get-RegistryConnection").Output.Count);
    }

    [Fact]
    public void An_address_without_a_connection_is_connected_once_and_does_not_become_current()
    {
        using var session = new ModuleSession();
        session.Invoke($"Get-RegistryTag i1 T11 -Registry http://{Address}; Get-RegistryTag i1 T12 -Registry http://{Address}").Succeed();
        Assert.Equal(1, Registry.Requests.Count(request => request == "GET /v2/"));
        Assert.Equal("False", session.Invoke("Get-RegistryConnection").Succeed().Texts("IsCurrent"));
        session.Invoke("Get-RegistryTag i1").Fail("NotConnected");
    }

    [Fact]
    public void Without_a_connection_one_error_tells_what_to_type()
    {
        using var session = new ModuleSession();
        var result = session.Invoke("'i1', 'i2' | Get-RegistryTag");
        var error = result.Fail("NotConnected");
        Assert.Contains("Connect-Registry https://", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("Connect-Registry https://", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal("RegistryTools.PowerShell.RegistryCmdletException", error.Exception.GetType().FullName);
    }

    [Fact]
    public void A_name_that_nothing_has_is_told_with_those_that_there_are()
    {
        var error = Session.Invoke("Get-RegistryTag i1 -Registry prod").Fail("NotConnected");
        Assert.Contains("'prod'", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("reg", error.Exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_listens_there()
    {
        var error = Session.Invoke("Connect-Registry http://127.0.0.1:1 -RetryCount 0").Fail("RegistryUnreachable");
        Assert.Equal(ErrorCategory.ConnectionError, error.CategoryInfo.Category);
        Assert.Equal("reg", Session.Invoke("Get-RegistryConnection -Current").Texts("Name"));
    }

    [Theory]
    [InlineData("http://user:secret@host.example", "InvalidReference")]
    [InlineData("ftp://host.example", "InvalidReference")]
    [InlineData("a b", "InvalidReference")]
    public void What_is_no_address(string address, string id)
    {
        var error = Session.Invoke($"Connect-Registry '{address}'").Fail(id);
        Assert.DoesNotContain("secret", error.Exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.TargetObject?.ToString() ?? string.Empty, StringComparison.Ordinal);
    }

    [Fact]
    public void Credentials_do_not_go_over_http_to_another_machine()
    {
        const string credential = "$secret = [securestring]::new(); 'pass'.ToCharArray() | % { $secret.AppendChar($_) }; $credential = [pscredential]::new('me', $secret); ";
        var error = Session.Invoke(credential + "Connect-Registry http://registry.invalid -Credential $credential").Fail("UnencryptedAuthentication");
        Assert.Equal(ErrorCategory.SecurityError, error.CategoryInfo.Category);
        Session.Invoke("Connect-Registry http://registry.invalid -Token $secret").Fail("UnencryptedAuthentication");
        Session.Invoke("Connect-Registry http://registry.invalid -IdentityToken $secret").Fail("UnencryptedAuthentication");
        var allowed = Session.Invoke("Connect-Registry http://registry.invalid -Credential $credential -AllowUnencryptedAuthentication -RetryCount 0");
        allowed.Fail("RegistryUnreachable");
        Assert.Single(allowed.Warnings);
        Assert.Equal("me", Session.Invoke($"Connect-Registry http://{Address} -Credential $credential").Succeed().Texts("UserName"));
    }

    [Fact]
    public void Disconnecting()
    {
        Session.Invoke("Disconnect-Registry nobody").Fail("ConnectionNotFound");
        Session.Invoke("Get-RegistryConnection nobody").Fail("ConnectionNotFound");
        Session.Invoke("Get-RegistryConnection n*").Succeed();
        Session.Invoke("Get-RegistryConnection | Disconnect-Registry").Succeed();
        Assert.Empty(Session.Invoke("Get-RegistryConnection").Succeed().Output);
        Session.Invoke("Disconnect-Registry").Fail("NotConnected");
        Session.Invoke("Get-RegistryTag i1").Fail("NotConnected");
    }

    [Fact]
    public void Removing_the_module_closes_what_is_open()
    {
        var open = Session.Invoke("$c = Get-RegistryConnection; Remove-Module RegistryTools; $c").Succeed().Output[0];
        Assert.Equal(false, open.Properties["IsOpen"].Value);
        Session.Invoke($"Import-Module '{ModuleSession.Manifest}'; Get-RegistryConnection").Succeed();
    }

    [Fact]
    public void A_runspace_has_connections_of_its_own()
    {
        using var other = new ModuleSession();
        Assert.Empty(other.Invoke("Get-RegistryConnection").Succeed().Output);
        var connection = Session.Invoke("Get-RegistryConnection").Output[0];
        Assert.Equal("T11 T12 T13", other.Invoke("Get-RegistryTag i1 -Registry $reg", ("reg", connection)).Succeed().Texts("Name"));
    }

    [Fact]
    public void Testing_a_registry_changes_nothing()
    {
        var result = Session.Invoke("Test-Registry").Succeed();
        Assert.Equal("RegistryTools.PowerShell.RegistryTestResult", result.Output[0].TypeNames[0]);
        Assert.Equal("reg", result.Texts("Registry"));
        Assert.Equal("Supported", result.Texts("Catalog"));
        Assert.Equal("NotSupported", result.Texts("ManifestDelete"));
        Assert.Equal("reg", Session.Invoke("Get-RegistryConnection | Test-Registry").Succeed().Texts("Registry"));
        Assert.DoesNotContain(Registry.Requests, request => request.StartsWith("PUT", StringComparison.Ordinal) || request.StartsWith("POST", StringComparison.Ordinal));
    }
}
