using System.Management.Automation;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace RegistryTools.Cmdlets.Tests.Drives;

/// <summary>Looking at a registry through a drive.</summary>
public sealed class DriveReadingTests : DriveTestBase
{
    [Fact]
    public void The_root_has_repositories_and_then_namespaces()
    {
        var result = Session.Invoke("Get-ChildItem reg:/").Succeed();
        Assert.Equal("i1 i2 i3 team deep", string.Join(" ", result.Output.Select(item => item.ToString())));
        Assert.Equal("RegistryTools.PowerShell.RegistryRepository", result.Output[0].TypeNames[0]);
        Assert.Equal("RegistryTools.PowerShell.RegistryNamespace", result.Output[4].BaseObject.GetType().FullName);
        Assert.All(result.Output, item => Assert.Equal(true, item.Properties["PSIsContainer"].Value));
        Assert.Equal("i1 i2 i3 team deep", result.Texts("PSChildName"));
        Assert.Equal("i1 i2 i3 team deep", Texts("Get-ChildItem reg: -Name"));
        Assert.Equal(["er"], Session.Invoke("Get-ChildItem reg:/deep").Succeed().Values("PSChildName"));
        Assert.Equal("still", Texts("Get-ChildItem reg:/deep/er -Name"));
        Assert.Equal("water", Session.Invoke("Get-ChildItem reg:/deep/er/still").Succeed().Texts("Name"));
    }

    [Fact]
    public void A_repository_has_tags_and_what_is_below_it()
    {
        var result = Session.Invoke("Get-ChildItem reg:/i1").Succeed();
        Assert.Equal("T11 T12 T13", result.Texts("Name"));
        Assert.All(result.Output, item => Assert.Equal("RegistryTools.PowerShell.RegistryTag", item.TypeNames[0]));
        Assert.Equal("reg reg reg", result.Texts("Registry"));
        Assert.Equal("i1 i1 i1", result.Texts("Repository"));
        Assert.Equal("T11 T12 T13", result.Texts("PSChildName"));
        Assert.Equal("reg reg reg", result.Texts("PSDrive"));
        Assert.All(result.Values("PSParentPath"), path => Assert.EndsWith("::@reg/i1", (string)path!, StringComparison.Ordinal));

        result = Session.Invoke("Get-ChildItem reg:/team").Succeed();
        Assert.Equal("RegistryTag RegistryTag RegistryRepository", string.Join(" ", result.Output.Select(item => item.BaseObject.GetType().Name)));
        Assert.Equal(":app web app", result.Texts("PSChildName"));
        Assert.Equal(":app web app", Texts("Get-ChildItem reg:/team -Name"));
        Assert.Empty(Session.Invoke("Get-ChildItem reg:/i3").Succeed().Output);
    }

    [Fact]
    public void An_item_is_what_the_cmdlets_give()
    {
        var digest = Session.Invoke("(Get-RegistryTag i1:T12 -Detailed).Digest").Output[0].ToString();
        var tag = Assert.Single(Session.Invoke("Get-Item reg:/i1/T12").Succeed().Output);
        Assert.Equal("RegistryTools.PowerShell.RegistryTag", tag.TypeNames[0]);
        Assert.Equal(digest, tag.Properties["Digest"].Value);
        Assert.Equal("T12", tag.Properties["PSChildName"].Value);
        Assert.Equal("RegistryTools.PowerShell.RegistryRepository", Session.Invoke("Get-Item reg:/I1").Succeed().Output[0].TypeNames[0]);
        Assert.Equal("RegistryTools.PowerShell.RegistryNamespace", Session.Invoke("Get-Item reg:/deep/er").Succeed().Output[0].TypeNames[0]);
        Assert.Equal("RegistryTools.PowerShell.RegistryConnection", Session.Invoke("Get-Item reg:/").Succeed().Output[0].TypeNames[0]);
        var manifest = Assert.Single(Session.Invoke($"Get-Item reg:/i1@{digest}").Succeed().Output);
        Assert.Equal("RegistryTools.PowerShell.RegistryManifest", manifest.TypeNames[0]);
        Assert.Equal(digest, manifest.Properties["Digest"].Value);
        var detail = Assert.Single(Session.Invoke("Get-Item reg:/i1/T12 -Detailed").Succeed().Output);
        Assert.Equal("RegistryTools.PowerShell.RegistryTagDetail", detail.TypeNames[0]);
        Assert.Equal("linux/amd64", detail.Properties["Platform"].Value.ToString());
    }

    [Fact]
    public void What_a_list_with_details_gives_has_the_digest_in_its_path()
    {
        var result = Session.Invoke("Get-ChildItem reg:/i1 -Detailed").Succeed();
        Assert.Equal("T11 T12 T13", result.Texts("PSChildName"));
        Assert.All(result.Output, item => Assert.EndsWith("/i1/:" + item.Properties["Name"].Value + "@" + item.Properties["Digest"].Value, (string)item.Properties["PSPath"].Value, StringComparison.Ordinal));
        Assert.Equal("T12", Session.Invoke("Get-ChildItem reg:/i1 -Detailed | ? Name -eq T12 | Get-Item").Succeed().Texts("Name"));
        Registry.Requests.Clear();
        result = Session.Invoke("Get-ChildItem reg:/i1/T1[23] -Detailed").Succeed();
        Assert.Equal("T12 T13", result.Texts("Name"));
        Assert.Equal(1, Registry.Requests.Count(request => request.StartsWith("GET /v2/i1/manifests/", StringComparison.Ordinal)));
        Assert.All(result.Output, item => Assert.Contains("@sha256:", (string)item.Properties["PSPath"].Value, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("reg:/team/app", "RegistryRepository")]
    [InlineData("reg:/team/APP", "RegistryRepository")]
    [InlineData("reg:/team/app/", "RegistryRepository")]
    [InlineData("reg:/team:app", "RegistryTag")]
    [InlineData("reg:/team/:app", "RegistryTag")]
    [InlineData("reg:\\team\\:app", "RegistryTag")]
    [InlineData("reg:/TEAM:app", "RegistryTag")]
    public void A_path_that_is_both_is_the_repository_and_a_colon_says_that_it_is_the_tag(string path, string type) =>
        Assert.Equal(type, Assert.Single(Session.Invoke($"Get-Item {path}").Succeed().Output).BaseObject.GetType().Name);

    [Theory]
    [InlineData("Get-Item reg:/i1/T99", "TagNotFound")]
    [InlineData("Get-Item reg:/i1/t12", "TagNotFound")]
    [InlineData("Get-Item reg:/i1:t12", "TagNotFound")]
    [InlineData("Get-Item reg:/nothing", "RepositoryNotFound")]
    [InlineData("Get-Item reg:/nothing/at/all", "TagNotFound")]
    [InlineData("Get-Item reg:/i1@sha256:0000000000000000000000000000000000000000000000000000000000000000", "ManifestNotFound")]
    [InlineData("Get-Item reg:/i1@sha256:00", "InvalidReference")]
    [InlineData("Get-Item 'reg:/i1/!'", "InvalidReference")]
    [InlineData("Get-Item reg:/:T11", "InvalidReference")]
    [InlineData("Get-ChildItem reg:/nothing", "PathNotFound")]
    [InlineData("Get-ChildItem reg:/nothing/*", "RepositoryNotFound")]
    [InlineData("Get-Content reg:/i1/T99", "TagNotFound")]
    [InlineData("Get-Content reg:/i1:T99", "TagNotFound")]
    [InlineData("Get-Content reg:/i1", "InvalidArgument")]
    [InlineData("Get-Content reg:/team/app", "InvalidArgument")]
    [InlineData("Get-Content reg:/", "InvalidArgument")]
    [InlineData("Get-Item ContainerRegistry::@other/i1", "DriveNotFound")]
    public void Errors_have_the_ids_of_the_cmdlets(string script, string id) => Session.Invoke(script).Fail(id);

    [Fact]
    public void An_error_says_what_to_do()
    {
        var error = Session.Invoke("Get-Item reg:/i1/T99").Fail("TagNotFound");
        Assert.Equal("RegistryTools.PowerShell.RegistryCmdletException", error.Exception.GetType().FullName);
        Assert.Contains("neither a tag 'T99' in 'i1'", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("reg:/team:app", Session.Invoke("Get-Content reg:/team/app").Fail("InvalidArgument").Exception.Message, StringComparison.Ordinal);
        Assert.Contains("reg:/team:app", Assert.Single(Session.Invoke("Get-Item reg:/team/app -Verbose").Succeed().Verbose), StringComparison.Ordinal);
        Assert.Contains("'i1'", Assert.Single(Session.Invoke("Get-Item reg:/I1/T12 -Verbose").Succeed().Verbose), StringComparison.Ordinal);
        Assert.Empty(Session.Invoke("Get-Item reg:/i1/T12 -Verbose").Succeed().Verbose);
    }

    [Fact]
    public void Whether_something_is_there_is_found_without_listing_what_there_is()
    {
        Registry.PageSize = 1;
        Assert.Equal("True True True True False False False", Texts("Test-Path reg:/, reg:/i1, reg:/i1/T11, reg:/deep, reg:/i1/t11, reg:/zero, 'reg:/i1/!'"));
        Assert.Equal(0, Registry.Count("GET", "/v2/i1/tags/list?n=1000&last="));
        Assert.Equal(0, Registry.Count("GET", "/v2/i1/tags/list?n=1&last="));
        Assert.Equal("False True", Texts("Test-Path reg:/i1/T11 -PathType Container; Test-Path reg:/i1/T11 -PathType Leaf"));
        Registry.Before = context =>
        {
            context.Response.StatusCode = 500;
            return Task.FromResult(true);
        };
        Assert.Equal("RegistryRequestFailed", Assert.Single(Session.Invoke("Test-Path reg:/i1/T11").ErrorIds));
    }

    [Fact]
    public void Wildcards_match_tags_letter_for_letter_and_repositories_in_any_case()
    {
        Registry.AddImage("i1", "t12");
        Assert.Equal("T11 T12 T13", Session.Invoke("Get-Item reg:/i1/T1*").Succeed().Texts("Name"));
        Assert.Equal("t12", Session.Invoke("Get-Item reg:/i1/t1*").Succeed().Texts("Name"));
        Assert.Equal("T12 t12", Session.Invoke("Get-Item reg:/I1/[Tt]12").Succeed().Texts("Name"));
        Assert.Equal("i1 i2 i3", Texts("Get-Item reg:/I*"));
        Assert.Equal("reg/i1:T12", Texts("Get-Item reg:/*/T12"));
        Assert.Equal("reg/i2:T21 reg/team/app:T1", Texts("Get-Item reg:/i2/T*, reg:/*/app/T*"));
        Assert.Equal("reg/team:app", Texts("Get-Item reg:/team:a*"));
        Assert.Equal("reg/team:app team/app", Texts("Get-Item reg:/team/a*"));
        Assert.Equal("reg/team:app team/app", Texts("Get-Item reg:/t*/app"));
        Assert.Equal("T11 T12 T13 t12", Texts("Get-ChildItem reg:/i1/* -Name"));
        Assert.Empty(Session.Invoke("Get-Item reg:/i1/Z*").Succeed().Output);
    }

    [Fact]
    public void What_the_engine_includes_without_regard_to_case_is_looked_at_again()
    {
        Registry.AddImage("i1", "t12");
        Assert.Equal("t12", Session.Invoke("Get-ChildItem reg:/i1 -Include t12").Succeed().Texts("Name"));
        Assert.Equal("T12", Session.Invoke("Get-ChildItem reg:/i1/* -Include T12").Succeed().Texts("Name"));
        Assert.Equal("T11 T13", Session.Invoke("Get-ChildItem reg:/i1 -Exclude T12").Succeed().Texts("Name"));
        Assert.Equal("T12", Session.Invoke("Get-ChildItem reg:/ -Recurse -Include T12").Succeed().Texts("Name"));
        Registry.Requests.Clear();
        Assert.Equal("T11 T12 T13", Session.Invoke("Get-ChildItem reg:/i1 -Include T1*").Succeed().Texts("Name"));
        Assert.Equal(0, Registry.Count("HEAD", "/i1/"));
        Assert.Equal("RegistryTools", Session.Invoke("Get-ChildItem reg:/i1 -Filter T*").Errors[0].Exception is NotSupportedException ? "RegistryTools" : "no error");
    }

    [Fact]
    public void It_goes_down_as_far_as_it_is_told()
    {
        var all = Session.Invoke("Get-ChildItem reg:/ -Recurse").Succeed();
        Assert.Equal(
            "i1 i2 i3 team deep reg/i1:T11 reg/i1:T12 reg/i1:T13 reg/i2:T21 reg/team:app reg/team:web team/app reg/team/app:T1 deep/er deep/er/still reg/deep/er/still:water",
            string.Join(" ", all.Output.Select(item => item.ToString())));
        Assert.Equal("i1 i2 i3 team deep reg/i1:T11 reg/i1:T12 reg/i1:T13 reg/i2:T21 reg/team:app reg/team:web team/app deep/er", Texts("Get-ChildItem reg:/ -Depth 1"));
        Assert.Equal("still still/water", Texts("Get-ChildItem reg:/deep/er -Recurse -Name"));
    }

    [Fact]
    public void A_registry_that_does_not_list_its_repositories_says_so_and_what_is_named_is_found()
    {
        Registry.Before = async context =>
        {
            if (context.Request.Path != "/v2/_catalog") return false;
            context.Response.StatusCode = 403;
            await context.Response.WriteAsync("""{"errors":[{"code":"DENIED","message":"not for you"}]}""");
            return true;
        };
        Session.Invoke("Get-ChildItem reg:/").Fail("RegistryDenied");
        Session.Invoke("Get-ChildItem reg:/i*").Fail("RegistryDenied");
        Assert.Contains("not known", Assert.Single(Session.Invoke("Get-ChildItem reg:/i1 -Verbose").Succeed().Verbose), StringComparison.Ordinal);
        Assert.Equal("T11 T12 T13", Session.Invoke("Get-ChildItem reg:/i1").Succeed().Texts("Name"));
        Assert.Equal("T11 T12 T13", Session.Invoke("Get-ChildItem reg:/i1/T*").Succeed().Texts("Name"));
        Assert.Empty(Session.Invoke("Get-ChildItem reg:/i1/Z*").Succeed().Output);
        Assert.Equal("T12", Session.Invoke("Get-Item reg:/i1/T12").Succeed().Texts("Name"));
        Assert.Equal("reg:/i1/T11 reg:/i1/T12 reg:/i1/T13", Complete("Get-Item reg:/i1/T"));
        Assert.Equal("False", Texts("Test-Path reg:/deep"));
    }

    [Fact]
    public void What_one_may_not_see_is_told_as_that()
    {
        Registry.Before = async context =>
        {
            if (!context.Request.Path.Value!.StartsWith("/v2/hidden/", StringComparison.Ordinal)) return false;
            context.Response.StatusCode = 403;
            await context.Response.WriteAsync("""{"errors":[{"code":"DENIED","message":"not for you"}]}""");
            return true;
        };
        Session.Invoke("Get-Item reg:/hidden/T1").Fail("RegistryDenied");
        Session.Invoke("Get-Item reg:/hidden/T1 -ErrorAction SilentlyContinue; Get-Item reg:/hidden:T1").Errors.ToList().ForEach(error => Assert.StartsWith("RegistryDenied", error.FullyQualifiedErrorId, StringComparison.Ordinal));
    }

    [Fact]
    public void The_content_of_a_tag_is_its_manifest_byte_for_byte()
    {
        var bytes = Encoding.UTF8.GetBytes("{\n  \"schemaVersion\": 2,\r\n  \"manifests\": [], \"annotations\": { \"é\": \"\u2713\" }\n}\n");
        Registry.AddManifest("odd", "T", ScriptedRegistry.OciIndex, bytes);
        Assert.Equal(4, Session.Invoke("Get-Content reg:/odd/T").Succeed().Output.Count);
        Assert.Equal("  \"schemaVersion\": 2,", Session.Invoke("(Get-Content reg:/odd/T)[1]").Succeed().Output[0].ToString());
        Assert.Equal(Encoding.UTF8.GetString(bytes), Session.Invoke("Get-Content reg:/odd/T -Raw").Succeed().Output[0].ToString());
        Assert.Equal(bytes, Session.Invoke("Get-Content reg:/odd/T -AsByteStream").Succeed().Output.Select(item => (byte)item.BaseObject));
        Assert.Equal(bytes, (byte[])Session.Invoke(", (Get-Content reg:/odd/T -AsByteStream -Raw)").Succeed().Output[0].BaseObject);
        Assert.Equal(2, Session.Invoke("Get-Content reg:/odd/T -TotalCount 2").Succeed().Output.Count);
        Assert.Equal(2, Session.Invoke("Get-Content reg:/odd/T -ReadCount 3").Succeed().Output.Count);
        Assert.Equal(4, Session.Invoke("Get-ChildItem reg:/odd | Get-Content").Succeed().Output.Count);
        Assert.Equal(4, Session.Invoke("$item = Get-Item reg:/odd/T; Get-Content reg:/odd@$($item.Digest)").Succeed().Output.Count);
        Assert.Equal("T11", Texts("Get-Content reg:/i1/T1* | % { $found = $_ -match '\"seed\":\"(T..)\"'; if ($found) { $Matches[1] } }"));
    }

    [Theory]
    [InlineData("New-Item reg:/new")]
    [InlineData("New-Item reg:/new -WhatIf")]
    [InlineData("Set-Item reg:/i1/T11 x")]
    [InlineData("Set-Content reg:/i1/T11 x")]
    [InlineData("Add-Content reg:/i1/T11 x")]
    [InlineData("Clear-Content reg:/i1/T11")]
    [InlineData("Clear-Item reg:/i1/T11")]
    [InlineData("Copy-Item reg:/i1/T11 reg:/i1/T99")]
    [InlineData("Move-Item reg:/i1/T11 reg:/i1/T99")]
    [InlineData("Rename-Item reg:/i1/T11 T99")]
    [InlineData("Invoke-Item reg:/i1/T11")]
    public void What_a_drive_does_not_do_it_says_and_what_does_it(string script)
    {
        var error = Session.Invoke(script).Fail("RegistryUnsupported");
        Assert.Equal(ErrorCategory.NotImplemented, error.CategoryInfo.Category);
        Assert.NotEmpty(error.ErrorDetails.RecommendedAction);
        Assert.DoesNotContain(Registry.Requests, request => !request.StartsWith("GET ", StringComparison.Ordinal) && !request.StartsWith("HEAD ", StringComparison.Ordinal));
    }

    [Fact]
    public void Locations()
    {
        Assert.Equal("reg:/i1", Texts("Set-Location reg:/i1; (Get-Location).Path"));
        Assert.Equal("T11 T12 T13", Session.Invoke("Get-ChildItem").Succeed().Texts("Name"));
        Assert.Equal("reg/i1:T12 reg/i1:T12 reg/i1:T12 reg/i2:T21 reg/i2:T21 reg/team:app", Texts("Get-Item T12, ./T12, :T12, ../i2/T21, reg:/i2/T21, ./../team/:app"));
        Assert.Equal("./T12", Texts("Resolve-Path T12 -Relative"));
        Assert.Equal("../team", Texts("Resolve-Path reg:/team -Relative"));
        Assert.Equal("reg:/", Texts("Set-Location ..; (Get-Location).Path"));
        Assert.Equal("reg:/team", Texts("Set-Location reg:/team; (Get-Location).Path"));

        // A name that begins like another is not below it.
        Assert.Equal("../team2/T1", Texts("Resolve-Path reg:/team2/T1 -Relative"));
        Assert.Equal("./:app", Texts("Resolve-Path reg:/team:app -Relative"));
        Assert.Equal("./web", Complete("Get-Item ./w"));
        Session.Invoke("Set-Location reg:/i1/T11").Fail("PathNotFound");
        Session.Invoke("Set-Location Temp:/").Succeed();
        Assert.Equal("reg:/i1/T1", Texts("Join-Path reg:/i1 T1"));
        Assert.Equal("reg:/i1 T1", Texts("Split-Path reg:/i1/T1; Split-Path reg:/i1/T1 -Leaf"));
    }

    [Fact]
    public void Names_that_begin_as_the_root_does_are_not_the_root()
    {
        Registry.AddImage("reg", "reg");
        Registry.AddImage("reg/reg", "T1");
        Registry.AddImage("registry", "T1");
        Assert.Equal("reg/registry:T1", Texts("Get-Item reg:/registry/T1"));
        Assert.Equal("reg/reg:reg", Texts("Get-Item reg:/reg:reg"));
        Assert.Equal("reg/reg/reg:T1", Texts("Get-Item reg:/reg/reg/T1"));
        Assert.Equal("reg/registry:T1", Texts("Set-Location reg:/registry; Get-Item T1"));
        Assert.Equal("reg/reg:reg", Texts("Set-Location reg:/reg; Get-Item :reg"));
        Assert.Equal("reg/reg/reg:T1", Texts("Get-Item reg/T1"));
    }

    [Fact]
    public void Views()
    {
        string[] Lines(string script) => [.. Session.Show(script).Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0)];

        Assert.Equal(["   Registry: reg", "Repository", "----------", "i1", "i2", "i3", "team", "deep/"], Lines("Get-ChildItem reg:/"));
        Assert.Equal(["   Repository: reg/i1", "Name", "----", "T11", "T12", "T13"], Lines("Get-ChildItem reg:/i1"));
        Assert.Equal(["   Repository: reg/team", "Name", "----", "app", "web", "team/app"], Lines("Get-ChildItem reg:/team"));
        Assert.Equal(["   Registry: reg", "Namespace", "---------", "deep/er"], Lines("Get-ChildItem reg:/deep"));
        Assert.Contains("reg/i1:T11", Lines("Get-ChildItem reg:/ -Recurse"));
        Assert.Equal(["   Repository: reg/i1", "team/app"], Lines("Get-ChildItem reg:/i1, reg:/team -Detailed").Where(line => line.StartsWith("   Repository: reg/i1", StringComparison.Ordinal) || line == "team/app"));
    }

    [Theory]
    [InlineData("Get-Item reg:/i1/T", "reg:/i1/T11 reg:/i1/T12 reg:/i1/T13")]
    [InlineData("Get-Item reg:/i1/t", "reg:/i1/T11 reg:/i1/T12 reg:/i1/T13")]
    [InlineData("Get-Item reg:\\i1\\T", "reg:/i1/T11 reg:/i1/T12 reg:/i1/T13")]
    [InlineData("Get-Item reg:/i", "reg:/i1 reg:/i2 reg:/i3")]
    [InlineData("Get-Item reg:/te", "reg:/team")]
    [InlineData("Get-Item reg:/team/", "reg:/team/:app reg:/team/app reg:/team/web")]
    [InlineData("Get-Item reg:/deep/e", "reg:/deep/er")]
    [InlineData("Get-Item reg:/nothing/T", "")]
    [InlineData("Get-Item reg:/i1/T11/", "")]
    [InlineData("Get-Item 'reg:/!/T", "")]
    [InlineData("Set-Location reg:/i", "reg:/i1 reg:/i2 reg:/i3")]
    [InlineData("Remove-Item reg:/i2/", "reg:/i2/T21")]
    public void Paths_complete(string text, string expected) => Assert.Equal(expected, Complete(text));

    [Fact]
    public void Completing_on_a_registry_that_fails_gives_nothing()
    {
        Registry.Before = context =>
        {
            context.Abort();
            return Task.FromResult(true);
        };
        Assert.Equal(string.Empty, Complete("Get-Item reg:/i1/T"));
        Assert.Equal(string.Empty, Complete("Get-Item reg:/i"));
    }

    [Fact]
    public void What_is_listed_is_piped_to_the_cmdlets()
    {
        Assert.Equal("T12", Session.Invoke("Get-ChildItem reg:/i1 | ? Name -eq T12 | Get-RegistryManifest").Succeed().Texts("Tag"));
        Assert.Equal("T21", Session.Invoke("Get-ChildItem reg:/ | ? Repository -eq i2 | Get-RegistryTag").Succeed().Texts("Name"));
        Assert.Equal("i1 i2 i3 team", Session.Invoke("Get-RegistryRepository i1, i2, i3, team -Registry (Get-PSDrive reg).Connection").Succeed().Texts("Repository"));
        Session.Invoke("Get-ChildItem reg:/ | ? Namespace -eq deep | Remove-RegistryRepository -Confirm:$false").Fail("RepositoryNotFound");
    }
}
