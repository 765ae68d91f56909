namespace RegistryTools.Cmdlets.Tests.Commands;

/// <summary>What the removing cmdlets ask before they do anything, on a registry that takes no writing at all.</summary>
public sealed class RemovalBindingTests : RegistryTestBase
{
    [Theory]
    [InlineData("Get-RegistryTag I1 | ? Name -eq T12 | Remove-RegistryTag -WhatIf")]
    [InlineData("Get-RegistryTag I1 -Detailed | Remove-RegistryTag -WhatIf -Confirm:$false")]
    [InlineData("Get-RegistryTag * | Remove-RegistryTag -WhatIf -Method Placeholder")]
    [InlineData("'i1:T12' | Remove-RegistryTag -WhatIf")]
    [InlineData("Get-RegistryManifest i1:T12 | Remove-RegistryManifest -WhatIf -Force")]
    public void WhatIf_changes_nothing(string script)
    {
        Session.Invoke(script).Succeed();
        Assert.All(Registry.Requests, request => Assert.Matches("^(GET|HEAD) ", request));
    }

    [Theory]
    [InlineData("Get-RegistryTag i1 T12 | Remove-RegistryTag -WhatIf", true)]
    [InlineData("Get-RegistryTag i1 -Detailed | ? Name -eq T12 | Remove-RegistryTag -WhatIf", true)]
    [InlineData("Get-RegistryTag i1 | ? Name -eq T12 | Remove-RegistryTag -WhatIf", false)]
    [InlineData("Remove-RegistryTag i1 T12 -WhatIf", false)]
    [InlineData("Remove-RegistryTag -Reference i1:T12 -WhatIf", false)]
    [InlineData("'i1:T12' | Remove-RegistryTag -WhatIf", false)]
    public void A_piped_object_brings_its_digest_along(string script, bool hasDigest)
    {
        Session.Invoke(script).Succeed();
        var shown = Session.Host.Text.ToString();
        Assert.Contains("/i1:T12", shown, StringComparison.Ordinal);
        Assert.Equal(hasDigest, shown.Contains("(sha256:", StringComparison.Ordinal));
    }

    [Fact]
    public void Who_says_no_is_heard()
    {
        Session.Host.Answers.Enqueue("No");
        Session.Host.Answers.Enqueue("No to All");
        var result = Session.Invoke("Get-RegistryTag i1 | Remove-RegistryTag -Confirm").Succeed();
        Assert.Empty(result.Output);
        Assert.Equal(2, Session.Host.Questions.Count);
        Assert.Contains("i1:T11", Session.Host.Questions[0], StringComparison.Ordinal);
        Assert.All(Registry.Requests, request => Assert.Matches("^(GET|HEAD) ", request));
    }

    [Fact]
    public void A_registry_that_is_named_twice_is_one_and_the_same()
    {
        // The reference's first component is no other registry than the one that is named: it is a repository there, and there is none.
        var result = Session.Invoke("'other.example.com/i1:T12' | Remove-RegistryTag -Registry reg");
        Assert.Single(result.Errors);
        Assert.Contains(Registry.Requests, request => request.Contains("/v2/other.example.com/i1/", StringComparison.Ordinal));
        Assert.DoesNotContain(Registry.Requests, request => request.Contains("/v2/i1/", StringComparison.Ordinal));
    }

    [Fact]
    public void Deletion_that_is_disabled_is_told_and_nothing_is_overwritten()
    {
        var result = Session.Invoke("Get-RegistryTag i1 T12 | Remove-RegistryTag");
        Assert.Equal("NotEnabled", result.Fail("DeletionDisabled").CategoryInfo.Category.ToString());
        Assert.DoesNotContain(Registry.Requests, request => request.StartsWith("PUT ", StringComparison.Ordinal) || request.StartsWith("POST ", StringComparison.Ordinal));
        Assert.Equal("T11 T12 T13", Session.Invoke("Get-RegistryTag i1").Succeed().Texts("Name"));
    }
}
