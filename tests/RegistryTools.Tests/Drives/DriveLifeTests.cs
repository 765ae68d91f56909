using System.Management.Automation;
using Microsoft.AspNetCore.Http;
using RegistryTools.Host.Embedded;

namespace RegistryTools.Cmdlets.Tests.Drives;

/// <summary>How drives come, what they hold on to, and how they go.</summary>
public sealed class DriveLifeTests : DriveTestBase
{
    private const string Password = "pass-word-0815";

    [Theory]
    [InlineData("http://ADDRESS", "reg")]
    [InlineData("ADDRESS", "reg")]
    [InlineData("REG", "reg")]
    [InlineData("", "reg")]
    public void A_connection_that_there_is_is_used(string root, string connection)
    {
        var result = Session.Invoke($"New-PSDrive -PSProvider ContainerRegistry -Name r2 -Root '{root.Replace("ADDRESS", Registry.Address)}'").Succeed();
        Assert.Equal("RegistryTools.PowerShell.Drives.RegistryDriveInfo", result.Output[0].TypeNames[0]);
        Assert.Equal($"http://{Registry.Address}", result.Texts("DisplayRoot"));
        Assert.Equal(connection, result.Texts("Connection"));
        Assert.Single(Session.Invoke("Get-RegistryConnection").Succeed().Output);
        Assert.Equal("T11 T12 T13", Session.Invoke("Get-ChildItem r2:/i1").Succeed().Texts("Name"));
        Session.Invoke("Remove-PSDrive r2").Succeed();
        Assert.Equal("reg", Session.Invoke("Get-RegistryConnection").Succeed().Texts("Name"));
    }

    [Fact]
    public void A_connection_that_there_is_not_is_made_and_goes_with_the_drive()
    {
        using var session = new ModuleSession().WithItems();
        session.Invoke($"$null = New-PSDrive -PSProvider ContainerRegistry -Name a -Root http://{Registry.Address}; $null = New-PSDrive -PSProvider ContainerRegistry -Name b -Root {Registry.Address}").Succeed();
        var connection = Assert.Single(session.Invoke("Get-RegistryConnection").Succeed().Output);
        Assert.Equal(false, connection.Properties["IsCurrent"].Value);
        Assert.Equal("T12", session.Invoke("Get-ChildItem a:/i1 | ? Name -eq T12 | Get-RegistryManifest").Succeed().Texts("Tag"));
        session.Invoke("Remove-PSDrive a").Succeed();
        Assert.Equal("T11", session.Invoke("Get-Item b:/i1/T11").Succeed().Texts("Name"));
        session.Invoke("Remove-PSDrive b").Succeed();
        Assert.Equal(["True", null], session.Invoke("Get-RegistryConnection | % { 'True' }; $null").Succeed().Output.Select(item => item?.ToString()));
        session.Invoke($"$null = New-PSDrive -PSProvider ContainerRegistry -Name a -Root http://{Registry.Address}; Remove-PSDrive a").Succeed();
        session.Invoke("Get-RegistryTag i1").Fail("NotConnected");
    }

    [Fact]
    public void What_somebody_relies_on_stays()
    {
        using var session = new ModuleSession().WithItems();
        session.Invoke($"$null = New-PSDrive -PSProvider ContainerRegistry -Name a -Root http://{Registry.Address}; $null = Connect-Registry {Registry.Address}; Remove-PSDrive a").Succeed();
        Assert.Equal("T11 T12 T13", session.Invoke("Get-RegistryTag i1").Succeed().Texts("Name"));
    }

    [Fact]
    public async Task A_storage_that_is_connected_stays_so()
    {
        await using var registry = await EmbeddedFixture.StartAsync(EmbeddedRegistryOptions.Full());
        Session.Invoke("$null = Connect-Registry -StoragePath $path -Name disk; $null = Connect-Registry reg; $null = New-PSDrive -PSProvider ContainerRegistry -Name d -Root $path", ("path", registry.StoragePath)).Succeed();
        Assert.Equal("disk", Session.Invoke("(Get-PSDrive d).Connection").Succeed().Texts("Name"));
        Session.Invoke("Remove-PSDrive d").Succeed();
        Assert.Equal("reg disk", Session.Invoke("Get-RegistryConnection").Succeed().Texts("Name"));
        Session.Invoke("$null = Disconnect-Registry disk; $null = New-PSDrive -PSProvider ContainerRegistry -Name d -Root $path; $null = Get-Item d:/i1/T11; Remove-PSDrive d").Succeed();
        Assert.Equal("reg", Session.Invoke("Get-RegistryConnection").Succeed().Texts("Name"));
    }

    [Theory]
    [InlineData("http://127.0.0.1:1", "RegistryUnreachable")]
    [InlineData("nothing", "NotConnected")]
    [InlineData("http://user:pass-word-0815@host.example", "InvalidReference")]
    [InlineData("ftp://host.example", "InvalidReference")]
    [InlineData("/no/such/directory", "StorageNotFound")]
    public void What_can_be_no_drive_is_none(string root, string id)
    {
        var error = Session.Invoke($"New-PSDrive -PSProvider ContainerRegistry -Name r2 -Root '{root}'").Fail(id);
        Assert.DoesNotContain(Password, error.ToString() + error.Exception + error.TargetObject, StringComparison.Ordinal);
        Session.Invoke("Get-ChildItem r2:/").Fail("DriveNotFound");
    }

    [Theory]
    [InlineData(RegistryAuthentication.Basic)]
    [InlineData(RegistryAuthentication.Bearer)]
    public async Task Credentials_are_the_connections_and_nobody_elses(RegistryAuthentication authentication)
    {
        await using var registry = await EmbeddedFixture.StartAsync(EmbeddedRegistryOptions.Full() with { Authentication = authentication, Password = Password });
        var secret = new System.Security.SecureString();
        foreach (var c in Password) secret.AppendChar(c);
        using var session = new ModuleSession().WithItems();
        if (authentication == RegistryAuthentication.Basic)
        {
            session.Invoke("New-PSDrive -PSProvider ContainerRegistry -Name nobody -Root $root", ("root", "http://" + registry.Host)).Fail("RegistryUnauthorized");
        }

        var result = session.Invoke("New-PSDrive -PSProvider ContainerRegistry -Name mine -Root $root -Credential $c", ("root", "http://" + registry.Host), ("c", new PSCredential("user", secret))).Succeed();
        Assert.Equal("T11 T12 T13", session.Invoke("Get-ChildItem mine:/i1 | % Name").Succeed().Output.Select(item => item.ToString()!).Order(StringComparer.Ordinal).Aggregate((one, other) => one + " " + other));
        Assert.Equal("user", session.Invoke("(Get-PSDrive mine).Connection").Succeed().Texts("UserName"));
        Assert.Equal("True", session.Invoke("$null -eq (Get-PSDrive mine).Credential.UserName").Succeed().Output[0].ToString());
        Assert.DoesNotContain(Password, session.Show("Get-PSDrive mine; Get-RegistryConnection"), StringComparison.Ordinal);
        session.Invoke("Get-Item mine:/i1 -Credential $c").Fail("InvalidArgument");
        session.Invoke("Remove-Item mine:/i1/T12").Succeed();
        Assert.Equal(["T11", "T13"], registry.Store.Tags("i1"));

        // Another's credentials for the same registry make another connection, and close none.
        result = session.Invoke("New-PSDrive -PSProvider ContainerRegistry -Name second -Root $root -Credential $c").Succeed();
        Assert.Equal("second", result.Texts("Connection"));
        Assert.Equal(registry.Host + " second", session.Invoke("Get-RegistryConnection").Succeed().Texts("Name"));
        Assert.Equal(registry.Host + "/i1:T11 second/i1:T11", string.Join(" ", session.Invoke("Get-Item mine:/i1/T11, second:/i1/T11").Succeed().Output.Select(item => item.ToString())));
        session.Invoke("Remove-PSDrive second").Succeed();
        session.Invoke("Get-Item mine:/i1/T11").Succeed();
        session.Invoke("Remove-PSDrive mine").Succeed();
        session.Invoke("Get-RegistryTag i1").Fail("NotConnected");
        session.Invoke($"New-PSDrive -PSProvider ContainerRegistry -Name disk -Root '{registry.StoragePath}' -Credential $c").Fail("InvalidArgument");
        session.Invoke("New-PSDrive -PSProvider ContainerRegistry -Name far -Root http://registry.example.com -Credential $c").Fail("UnencryptedAuthentication");
    }

    [Fact]
    public async Task A_closed_connection_is_told_and_taken_up_again_only_where_it_was()
    {
        await using var other = await EmbeddedFixture.StartAsync(EmbeddedRegistryOptions.Full());
        Session.Invoke("Disconnect-Registry reg").Succeed();
        var error = Session.Invoke("Get-Item reg:/i1/T11").Fail("ConnectionClosed");
        Assert.Contains("Connect-Registry http://" + Registry.Address, error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Session.Invoke("Remove-Item reg:/i1/T11").Fail("ConnectionClosed");
        Session.Invoke($"$null = Connect-Registry http://{other.Host} -Name reg").Succeed();
        Session.Invoke("Get-Item reg:/i1/T11").Fail("ConnectionClosed");
        Session.Invoke("Remove-Item reg:/i1/T11").Fail("ConnectionClosed");
        Assert.Equal(["T11", "T12", "T13"], other.Store.Tags("i1"));

        // Two drives whose connections have, or had, one name have paths of their own.
        Session.Invoke("$null = New-PSDrive -PSProvider ContainerRegistry -Name new -Root reg").Succeed();
        Assert.Equal("@reg @reg+2", string.Join(" ", Session.Invoke("Get-PSDrive reg, new").Succeed().Values("Root")));
        Session.Invoke("Get-Item ContainerRegistry::@reg/i1/T11").Fail("ConnectionClosed");
        Session.Invoke("Get-Item ContainerRegistry::@reg+2/i1/T11").Succeed();
        Session.Invoke($"$null = Connect-Registry http://{Registry.Address} -Name reg").Succeed();
        Assert.Equal("T11", Session.Invoke("Get-Item reg:/i1/T11").Succeed().Texts("Name"));
        Session.Invoke("Get-Item new:/i1/T11").Fail("ConnectionClosed");
    }

    [Fact]
    public void Names_with_anything_in_them_make_roots_that_are_one_part()
    {
        Session.Invoke($"$null = Connect-Registry http://{Registry.Address} -Name 'a/b [*]::c'; $null = New-PSDrive -PSProvider ContainerRegistry -Name odd -Root 'a/b [*]::c'").Succeed();
        var item = Assert.Single(Session.Invoke("Get-ChildItem odd:/i1/T1* | ? Name -eq T12").Succeed().Output);
        Assert.Equal("a/b [*]::c", item.Properties["Registry"].Value);
        Assert.Equal("T12", Session.Invoke("Get-ChildItem odd:/i1 | ? Name -eq T12 | Get-Item").Succeed().Texts("Name"));
        Assert.Equal("T12", Session.Invoke("Set-Location odd:/i1; Get-Item T12").Succeed().Texts("Name"));
    }

    [Fact]
    public void The_module_takes_its_drives_along()
    {
        Session.Invoke($"Import-Module '{ModuleSession.Manifest}' -Force -ErrorAction Stop").Succeed();
        Session.Invoke("Get-Item reg:/i1").Fail("DriveNotFound");
        Assert.Equal("ContainerRegistry", Session.Invoke("Get-PSProvider ContainerRegistry").Succeed().Texts("Name"));
        Session.Invoke($"$null = New-PSDrive -PSProvider ContainerRegistry -Name reg -Root http://{Registry.Address}; $null = Get-Item reg:/i1/T11").Succeed();
        Session.Invoke("Remove-Module RegistryTools").Succeed();
        Session.Invoke("Get-Item reg:/i1").Fail("DriveNotFound");
        Session.Invoke("Get-PSProvider ContainerRegistry").Fail("ProviderNotFound");
        Session.Invoke($"Import-Module '{ModuleSession.Manifest}' -ErrorAction Stop; $null = New-PSDrive -PSProvider ContainerRegistry -Name reg -Root http://{Registry.Address}").Succeed();
        Assert.Equal("T11", Session.Invoke("Get-Item reg:/i1/T11").Succeed().Texts("Name"));
        Session.Invoke("Set-Location reg:/i1").Succeed();
        Session.Invoke("Remove-Module RegistryTools").Fail("InvalidOperation");
    }

    [Fact]
    public void The_provider_has_help()
    {
        var help = Assert.Single(Session.Invoke("Get-Help ContainerRegistry").Succeed().Output);
        Assert.Contains("a drive", help.Properties["Synopsis"].Value.ToString(), StringComparison.Ordinal);
        var text = Session.Show("Get-Help ContainerRegistry");
        foreach (var part in new[] { "New-PSDrive -PSProvider ContainerRegistry", "Remove-Item reg:/i1/T12 -WhatIf", "-AsByteStream", "reg:/team:app" }) Assert.Contains(part, text, StringComparison.Ordinal);

        // Every parameter that the provider adds is in it.
        var parameters = AppDomain.CurrentDomain.GetAssemblies().Single(assembly => assembly.GetName().Name == "RegistryTools").GetExportedTypes()
            .Where(type => type.Namespace == "RegistryTools.PowerShell.Drives")
            .SelectMany(type => type.GetProperties())
            .Where(property => property.IsDefined(typeof(ParameterAttribute), false))
            .Select(property => property.Name)
            .ToList();
        Assert.Equal(3, parameters.Count);
        Assert.All(parameters, name => Assert.Contains("-" + name, text, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Listing_streams_and_stops_and_shows_how_far_it_is()
    {
        var digest = Registry.AddImage("many", null);
        for (var i = 0; i < 1000; i++) Registry.Tag("many", $"t{i:0000}", digest);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Registry.Before = async context =>
        {
            if (context.Request.Path.Value!.EndsWith("/tags/list", StringComparison.Ordinal) && context.Request.QueryString.Value!.Contains("last=", StringComparison.Ordinal)) await gate.Task.WaitAsync(context.RequestAborted);
            return false;
        };
        using (var running = Session.Start("Get-ChildItem reg:/many"))
        {
            Assert.True(running.WaitForOutput(TimeSpan.FromSeconds(10)));
            WaitFor(() => Registry.Count("GET", "/many/tags/list?n=100&last=") == 1);
            Assert.InRange(running.Output.Count, 1, 100);
            Assert.True(running.Stop() < TimeSpan.FromSeconds(2), "Stopping took too long.");
            Assert.Equal(PSInvocationState.Stopped, running.Finish().State);
            WaitFor(() => Registry.Aborted == 1);
        }

        using (var running = Session.Start("Get-ChildItem reg:/many; Get-ChildItem reg:/many -Name"))
        {
            await Task.Delay(1500);
            gate.SetResult();
            var result = running.Finish().Succeed();
            Assert.Equal(2000, result.Output.Count);
            Assert.Contains(result.Progress, record => record.RecordType == ProgressRecordType.Processing && record.Activity.Contains("many", StringComparison.Ordinal));
        }

        Registry.Requests.Clear();
        Session.Invoke("foreach ($once in 1) { Get-ChildItem reg:/many -Detailed | % { break } }").Succeed();
        Assert.InRange(Registry.Count("HEAD", "/many/"), 1, 100);
    }

    [Fact]
    public void Tags_do_not_wait_for_a_slow_list_of_repositories()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Registry.Before = async context =>
        {
            if (context.Request.Path == "/v2/_catalog") await gate.Task.WaitAsync(context.RequestAborted);
            return false;
        };
        using var running = Session.Start("Get-ChildItem reg:/team");
        Assert.True(running.WaitForOutput(TimeSpan.FromSeconds(20)));
        gate.SetResult();
        var result = running.Finish().Succeed();
        Assert.Equal("app web app", result.Texts("PSChildName"));
        Assert.EndsWith("/team/:app", (string)result.Output[0].Properties["PSPath"].Value, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Get-ChildItem reg:/")]
    [InlineData("Get-ChildItem reg:/i1")]
    [InlineData("Get-ChildItem reg:/i1/T*")]
    [InlineData("Get-ChildItem reg:/i1 -Detailed")]
    [InlineData("Get-Item reg:/i1/T11")]
    [InlineData("Get-Content reg:/i1/T11")]
    [InlineData("Test-Path reg:/i1/T11")]
    [InlineData("Set-Location reg:/i1")]
    [InlineData("New-PSDrive -PSProvider ContainerRegistry -Name r2 -Root http://ADDRESS")]
    public void Everything_stops_at_once(string script)
    {
        // The same server by another name: there is no connection to that.
        script = script.Replace("ADDRESS", "localhost:" + Registry.Address.Split(':')[1]);
        Registry.Before = async context =>
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
            return true;
        };
        using var running = Session.Start(script);
        WaitFor(() => !Registry.Requests.IsEmpty);
        Assert.True(running.Stop() < TimeSpan.FromSeconds(2), script);
        Assert.Equal(PSInvocationState.Stopped, running.Finish().State);
        WaitFor(() => Registry.Aborted >= 1);
        Registry.Before = null;
        Assert.Equal("T11", Session.Invoke("Get-Item reg:/i1/T11").Succeed().Texts("Name"));
    }
}
