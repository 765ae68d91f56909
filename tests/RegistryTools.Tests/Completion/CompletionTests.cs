namespace RegistryTools.Cmdlets.Tests.Completion;

/// <summary>What Tab gives where the registry answers: on every parameter that asks for a registry, a repository, a tag, a digest or a platform.</summary>
public sealed class CompletionTests : RegistryTestBase
{
    private const string First = "sha256:";
    private string _shared = string.Empty;
    private string _amd64 = string.Empty;
    private string _index = string.Empty;

    [Theory]
    [InlineData("Get-RegistryTag ", "i1 i2 i3 team/app team/web")]
    [InlineData("Get-RegistryTag I", "i1 i2 i3")]
    [InlineData("Get-RegistryTag TEAM/a", "team/app")]
    [InlineData("Get-RegistryTag t*web", "team/web")]
    [InlineData("Get-RegistryTag '", "'i1' 'i2' 'i3' 'team/app' 'team/web'")]
    [InlineData("Get-RegistryTag \"i1", "\"i1\"")]
    [InlineData("Get-RegistryTag i1,t", "team/app team/web")]
    [InlineData("Get-RegistryTag -Reference team/w", "team/web")]
    [InlineData("Remove-RegistryTag i", "i1 i2 i3")]
    [InlineData("Remove-RegistryTag -Reference i", "i1 i2 i3")]
    [InlineData("Remove-RegistryManifest i", "i1 i2 i3")]
    [InlineData("Remove-RegistryRepository i", "i1 i2 i3")]
    [InlineData("Get-RegistryRepository i", "i1 i2 i3")]
    [InlineData("Get-RegistryManifest i", "i1 i2 i3")]
    [InlineData("Get-RegistryImage -Repository i", "i1 i2 i3")]
    [InlineData("Test-Registry -Repository i", "i1 i2 i3")]
    [InlineData("Measure-RegistryStorage -Repository i", "i1 i2 i3")]
    [InlineData("Get-RegistryTag -Registry reg -Repository i", "i1 i2 i3")]
    [InlineData("Get-RegistryTag -Registry $connection -Repository i", "i1 i2 i3")]
    [InlineData("Get-RegistryTag -Registry other.example.com -Repository i", "")]
    public void Repositories(string line, string expected)
    {
        Session.Invoke("$connection = Get-RegistryConnection reg").Succeed();
        Session.AssertCompletes(expected, line);
    }

    [Theory]
    [InlineData("Remove-RegistryTag i1 ", "T11 T12 T13")]
    [InlineData("Remove-RegistryTag I1 t1", "T11 T12 T13")]
    [InlineData("Remove-RegistryTag i1 T*3", "T13")]
    [InlineData("Remove-RegistryTag i1 T[12", "")]
    [InlineData("Remove-RegistryTag i1 T1[12]", "T11 T12")]
    [InlineData("Remove-RegistryTag i1 'T", "'T11' 'T12' 'T13'")]
    [InlineData("Remove-RegistryTag i1 \"T11\"", "\"T11\"")]
    [InlineData("Remove-RegistryTag i1 T12,", "T11 T12 T13")]
    [InlineData("Remove-RegistryTag i1 T12,T13,T1", "T11")]
    [InlineData("Remove-RegistryTag -Tag T1 -Repository i1", "i1")]
    [InlineData("Remove-RegistryTag -Repository i1 -Name T", "T11 T12 T13")]
    [InlineData("Remove-RegistryTag -Repository i1 -Tag:T11", "T11")]
    [InlineData("Remove-RegistryManifest i1 T", "T11 T12 T13")]
    [InlineData("Get-RegistryTag i1 ", "T11 T12 T13")]
    [InlineData("Get-RegistryTag i1,i2 -Name T", "T11 T12 T13 T21")]
    [InlineData("Get-RegistryTag i1:T11 -Name T", "T11 T12 T13")]
    [InlineData("Get-RegistryManifest i2 ", "T21")]
    [InlineData("Get-RegistryImage i1 -Tag T11", "T11")]
    [InlineData("Get-RegistryTag i1:", "i1:T11 i1:T12 i1:T13")]
    [InlineData("Get-RegistryTag I1:t12", "i1:T12")]
    [InlineData("Get-RegistryTag 'i1:T*2", "'i1:T12'")]
    [InlineData("Remove-RegistryTag -Reference i1:T11,i1:T1", "i1:T11 i1:T12 i1:T13")]
    [InlineData("Measure-RegistryStorage -Without i1:T", "i1:T11 i1:T12 i1:T13")]
    [InlineData("Remove-RegistryTag none ", "")]
    [InlineData("Remove-RegistryTag (Get-RegistryRepository) T", "")]
    [InlineData("Remove-RegistryTag -Tag T", "")]
    [InlineData("Remove-RegistryTag i1/../i1 ", "")]
    [InlineData("Remove-RegistryTag team/web ", "'1.9' '1.10' '1e3' '010' 10-rc v1.2.0")]
    [InlineData("Get-RegistryTag team/web:1", "team/web:1.9 team/web:1.10 team/web:1e3 team/web:10-rc")]
    public void Tags(string line, string expected) => Session.AssertCompletes(expected, line);

    [Fact]
    public void Tags_are_in_natural_order_and_no_more_than_two_hundred()
    {
        for (var i = 1; i <= 320; i++) Registry.Tag("i3", "v" + i.ToString(System.Globalization.CultureInfo.InvariantCulture), _shared);
        Session.AssertCompletes(string.Join(" ", Enumerable.Range(1, 200).Select(i => $"v{i}")), "Remove-RegistryTag i3 ");
        Session.AssertCompletes("v31 v310 v311 v312 v313 v314 v315 v316 v317 v318 v319", "Remove-RegistryTag i3 v31");
    }

    [Theory]
    [InlineData("Remove-RegistryTag i1 T12 -Digest ", "{shared}")]
    [InlineData("Get-RegistryManifest i1 -Digest {shared:12}", "{shared}")]
    [InlineData("Get-RegistryManifest i1 -Digest {hex:6}", "{shared}")]
    [InlineData("Remove-RegistryManifest i1 -Digest sha256:zz", "")]
    [InlineData("Get-RegistryManifest i2 T21 -Digest {amd64:14}", "{amd64}")]
    [InlineData("Remove-RegistryManifest i2 T21 -Digest sha256:", "{index}")]
    [InlineData("Get-RegistryManifest i1@{shared:14}", "i1@{shared}")]
    [InlineData("Get-RegistryManifest I1:T13@", "i1:T13@{shared}")]
    [InlineData("Remove-RegistryManifest -Reference i1@{shared:12}", "i1@{shared}")]
    public void Digests(string line, string expected) => Session.AssertCompletes(Filled(expected), Filled(line));

    [Fact]
    public void A_digest_is_shown_with_its_tags()
    {
        var own = Session.Invoke("(Get-RegistryManifest i1 T11).Digest").Succeed().Output[0].ToString();
        Session.AssertCompletes(_shared + " " + own, "Get-RegistryManifest i1 -Digest ");
        var found = Session.Complete("Get-RegistryManifest i1 -Digest ");
        var shared = found.Single(match => match.CompletionText == _shared);
        Assert.Equal(_shared + " (T13, T12)", shared.ToolTip);
        Assert.Equal(_shared[7..19] + " T13, T12", shared.ListItemText);
    }

    [Theory]
    [InlineData("Get-RegistryManifest i2 T21 -Platform ", "linux/amd64 linux/arm64")]
    [InlineData("Get-RegistryManifest i2:T21 -Platform linux/ar", "linux/arm64")]
    [InlineData("Get-RegistryImage i2@{index} -Platform ", "linux/amd64 linux/arm64")]
    [InlineData("Get-RegistryImage i1 T11 -Platform ", "linux/amd64")]
    [InlineData("Get-RegistryImage i2 -Platform windows", "windows/amd64 windows/arm64")]
    [InlineData("Get-RegistryImage -Platform LINUX/s", "linux/s390x")]
    [InlineData("Get-RegistryImage i5 T51 -Platform windows", "windows/amd64 windows/arm64")]
    public void Platforms(string line, string expected) => Session.AssertCompletes(expected, Filled(line));

    [Fact]
    public void Versions_of_Windows_are_told_apart()
    {
        Registry.AddManifest("i3", "T31", ScriptedRegistry.OciIndex, System.Text.Encoding.UTF8.GetBytes(
            "{\"schemaVersion\":2,\"manifests\":[" + string.Join(",", new[] { "10.0.17763.1", "10.0.20348.2" }.Select(version =>
                $$$"""{"mediaType":"{{{ScriptedRegistry.OciManifest}}}","digest":"{{{_amd64}}}","size":10,"platform":{"os":"windows","architecture":"amd64","os.version":"{{{version}}}"}}""")) + "]}"));
        Session.AssertCompletes("windows:10.0.17763.1/amd64 windows:10.0.20348.2/amd64", "Get-RegistryManifest i3:T31 -Platform ");
    }

    [Theory]
    [InlineData("Get-RegistryTag i1 -Registry ", "reg 'the other' {address2}")]
    [InlineData("Get-RegistryTag i1 -Registry THE", "'the other'")]
    [InlineData("Disconnect-Registry ", "reg 'the other' {address2}")]
    [InlineData("Get-RegistryConnection r", "reg")]
    [InlineData("Test-Registry -Registry r", "reg")]
    [InlineData("Measure-RegistryStorage -Registry r", "reg")]
    [InlineData("Invoke-RegistryGarbageCollect -Container x -Registry r", "reg")]
    [InlineData("Connect-Registry ", "reg 'the other' {address2}")]
    [InlineData("Get-RegistryTag {address2}/i", "{address2}/i1 {address2}/i2 {address2}/i3")]
    [InlineData("Get-RegistryTag {address2}/i1:T", "{address2}/i1:T11 {address2}/i1:T12 {address2}/i1:T13")]
    [InlineData("Get-RegistryTag -Registry 'the other' -Repository {address}/i2:T", "{address}/i2:T21")]
    [InlineData("Get-RegistryTag 127.", "{address}/ {address2}/")]
    [InlineData("Remove-RegistryTag -Reference {address2}/i2", "{address2}/i2")]
    [InlineData("Get-RegistryTag nowhere.example.com/", "")]
    public async Task Registries(string line, string expected)
    {
        await using var second = await ScriptedRegistry.StartAsync();
        foreach (var (repository, tag) in new[] { ("i1", "T11"), ("i1", "T12"), ("i1", "T13"), ("i2", "T21"), ("i3", "T31") }) second.AddImage(repository, tag);
        Session.Invoke($"Connect-Registry http://{Registry.Address} -Name 'the other'; Connect-Registry http://{second.Address}; Connect-Registry reg").Succeed();

        string Fill(string text) => text.Replace("{address}", Registry.Address, StringComparison.Ordinal).Replace("{address2}", second.Address, StringComparison.Ordinal);

        Session.AssertCompletes(Fill(expected), Fill(line));
    }

    [Fact]
    public void What_is_asked_is_read_and_never_written_and_nothing_is_told()
    {
        var result = Session.Invoke("""
            $VerbosePreference = $DebugPreference = $WarningPreference = 'Continue'
            foreach ($line in 'Get-RegistryTag ', 'Remove-RegistryTag i1 ', 'Remove-RegistryManifest i1 -Digest ', 'Get-RegistryImage i2 T21 -Platform ', 'Remove-RegistryRepository i', 'Get-RegistryTag nothing:', 'Connect-Registry ') { TabExpansion2 $line $line.Length }
            """).Succeed();
        Assert.Equal(7, result.Output.Count);
        Session.AssertCompletes("T11 T12 T13", "Remove-RegistryTag i1 ");
        Assert.Empty(result.Verbose);
        Assert.Empty(result.Debug);
        Assert.Empty(result.Warnings);
        Assert.Empty(result.Progress);
        Assert.Equal(string.Empty, Session.Host.Text.ToString());
        Assert.All(Registry.Requests, request => Assert.Matches("^(GET|HEAD) ", request));
    }

    [Fact]
    public void A_registry_is_asked_once_within_some_seconds()
    {
        for (var i = 0; i < 4; i++) Session.AssertCompletes("T12", "Remove-RegistryTag i1 T12");
        Session.AssertCompletes("i1:T11", "Get-RegistryTag i1:T11");
        Assert.Equal(1, Registry.Count("GET", "/v2/i1/tags/list"));
    }

    [Fact]
    public void What_a_command_changes_is_asked_for_anew()
    {
        Session.AssertCompletes("T11 T12 T13", "Remove-RegistryTag i1 ");
        Session.Invoke("Get-RegistryTag i1").Succeed();
        Session.AssertCompletes("T11 T12 T13", "Remove-RegistryTag i1 ");
        Assert.Equal(2, Registry.Count("GET", "/v2/i1/tags/list"));
        Session.Invoke("Remove-RegistryTag i1 T12 -WhatIf").Succeed();
        Registry.Tag("i1", "T14", _shared);
        Session.AssertCompletes("T11 T12 T13 T14", "Remove-RegistryTag i1 ");
    }

    [Fact]
    public void A_connection_that_is_closed_has_nothing_to_offer()
    {
        Session.AssertCompletes("i1 i2 i3", "Get-RegistryTag i");
        Session.Invoke("$connection = Get-RegistryConnection reg; Disconnect-Registry reg").Succeed();
        Session.AssertCompletes(string.Empty, "Get-RegistryTag i");
        Session.AssertCompletes(string.Empty, "Get-RegistryTag -Registry $connection -Repository i");
        Session.AssertCompletes(string.Empty, "Get-RegistryTag i1 -Registry r");
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("'")]
    [InlineData("\"'\u201c")]
    [InlineData("@")]
    [InlineData("i1@@")]
    [InlineData("::::")]
    [InlineData("i1:")]
    [InlineData("//")]
    [InlineData("[")]
    [InlineData("$(throw 'evaluated')")]
    [InlineData("\0\uD800")]
    public void Without_a_runspace_and_with_any_word_nothing_is_thrown(string? word)
    {
        var completers = AppDomain.CurrentDomain.GetAssemblies().Single(assembly => assembly.GetName().Name == "RegistryTools").GetTypes()
            .Where(type => !type.IsAbstract && typeof(System.Management.Automation.IArgumentCompleter).IsAssignableFrom(type)).ToList();
        Assert.True(completers.Count >= 8);
        foreach (var type in completers)
        {
            Assert.True(type.IsPublic);
            var completer = (System.Management.Automation.IArgumentCompleter)Activator.CreateInstance(type)!;
            System.Management.Automation.Runspaces.Runspace.DefaultRunspace = null;
            Assert.Empty(completer.CompleteArgument(null!, null!, word!, null!, null!));
            System.Management.Automation.Runspaces.Runspace.DefaultRunspace = Session.Runspace;
            try
            {
                foreach (var bound in new System.Collections.Hashtable?[] { null, new() { ["Repository"] = word, ["StoragePath"] = word }, new() { ["Repository"] = new object?[] { null, 1, word }, ["Registry"] = word }, new() { ["Registry"] = 5 } })
                {
                    Assert.NotNull(completer.CompleteArgument("Get-RegistryTag", "Name", word!, null!, bound!));
                }
            }
            finally
            {
                System.Management.Automation.Runspaces.Runspace.DefaultRunspace = null;
            }
        }
    }

    private protected override void Fill()
    {
        base.Fill();
        _shared = Registry.AddImage("i1", "T12");
        _amd64 = Registry.AddImage("i2", null, created: "2023-01-01T00:00:00Z", layers: 2);
        _index = System.Text.RegularExpressions.Regex.Match(Session.Invoke("(Get-RegistryManifest i2 T21).Digest").Succeed().Output[0].ToString(), First + "[0-9a-f]{64}").Value;
        foreach (var tag in new[] { "1.9", "1.10", "010", "10-rc", "v1.2.0", "1e3" }) Registry.Tag("team/web", tag, _shared);
        Registry.AddImage("team/app", "latest");
    }

    private string Filled(string text) => System.Text.RegularExpressions.Regex.Replace(text, @"\{(shared|amd64|index|hex)(?::(\d+))?\}", match =>
    {
        var value = match.Groups[1].Value switch { "shared" => _shared, "amd64" => _amd64, "index" => _index, _ => _shared[First.Length..] };
        return match.Groups[2].Success ? value[..int.Parse(match.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture)] : value;
    });
}
