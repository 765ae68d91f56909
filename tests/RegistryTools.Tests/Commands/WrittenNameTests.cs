namespace RegistryTools.Cmdlets.Tests.Commands;

/// <summary>Names that look like numbers: PowerShell gives a list of 1.10 and 1.20 as 1.1 and 1.2, and those are other tags.</summary>
public sealed class WrittenNameTests : RegistryTestBase
{
    [Theory]
    [InlineData("Remove-RegistryTag i1 1.10,1.20 -WhatIf")]
    [InlineData("Remove-RegistryTag i1 1.10,latest -WhatIf")]
    [InlineData("Remove-RegistryTag i1 (1.10) -WhatIf")]
    [InlineData("$tag = 1.10; Remove-RegistryTag i1 $tag -WhatIf")]
    [InlineData("1.10 | ForEach-Object { Remove-RegistryTag i1 $_ -WhatIf }")]
    [InlineData("$parameters = @{ Repository = 'i1'; Tag = 1.10 }; Remove-RegistryTag @parameters -WhatIf")]
    [InlineData("[pscustomobject]@{ Repository = 'i1'; Tag = 1.10 } | Remove-RegistryTag -WhatIf")]
    [InlineData("Remove-RegistryManifest i1 1.10,1.20 -WhatIf -Force")]
    [InlineData("Remove-RegistryRepository 1.10,1.20 -WhatIf")]
    [InlineData("Get-RegistryTag i1 1.10,1.20")]
    [InlineData("Get-RegistryTag i1 | Select-RegistryTag -KeepLast 1 -Protect 1.10,1.20")]
    public void A_number_whose_text_is_lost_is_refused(string script)
    {
        Fill("1.1", "1.2", "1.10", "1.20");
        var result = Session.Invoke(script);
        var error = result.Fail("ParameterArgumentTransformationError");
        Assert.Matches("'1.10?'", error.Exception.Message);
        Assert.Empty(result.Output);
        Assert.DoesNotContain("What if", Session.Host.Text.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Remove-RegistryTag i1 010,011 -WhatIf", "'010'")]
    [InlineData("Remove-RegistryTag i1 @(9, 0x10) -WhatIf", "'0x10'")]
    [InlineData("if ($true) { Remove-RegistryTag -Repository i1 -Tag 9,10kb -WhatIf }", "'10kb'")]
    [InlineData("Remove-RegistryTag i1 -Tag:010,011 -WhatIf", "'010'")]
    public void A_whole_number_in_a_list_that_was_written_otherwise_is_refused(string script, string written)
    {
        Fill("010", "10", "9");
        Assert.Contains(written, Session.Invoke(script).Fail("ParameterArgumentTransformationError").Exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("What if", Session.Host.Text.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Get-RegistryTag i1 1.10", "1.10")]
    [InlineData("Get-RegistryTag i1 1.1", "1.1")]
    [InlineData("Get-RegistryTag i1 -Name:010", "010")]
    [InlineData("Get-RegistryTag i1 '1.10','010'", "1.10 010")]
    [InlineData("Get-RegistryTag i1 9,10", "9 10")]
    [InlineData("Get-RegistryTag i1 1.1,1.2", "1.1 1.2")]
    [InlineData("Get-RegistryTag i1 (9..10)", "9 10")]
    [InlineData("9..10 | ForEach-Object { Get-RegistryTag i1 $_ }", "9 10")]
    [InlineData("$x = 0x0a,010; Get-RegistryTag i1 9,10", "9 10")]
    [InlineData("'1.10' | ForEach-Object { Get-RegistryTag i1 $_ }", "1.10")]
    public void What_is_sure_is_taken(string script, string tags)
    {
        Fill("1.1", "1.2", "1.10", "010", "9", "10");
        Assert.Equal(tags, Session.Invoke(script).Succeed().Texts("Name"));
    }

    private void Fill(params string[] tags)
    {
        foreach (var tag in tags) Registry.AddImage("i1", tag, seed: tag);
    }
}
