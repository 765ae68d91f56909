namespace RegistryTools.Cmdlets.Tests.Views;

public sealed class ViewTests : RegistryTestBase
{
    [Fact]
    public void Tags_are_grouped_by_repository()
    {
        var lines = Lines("Get-RegistryTag i1, i2 -Detailed");
        Assert.Contains("   Repository: reg/i1", lines);
        Assert.Contains("   Repository: reg/i2", lines);
        Assert.Matches(@"^Digest +Size Created +Platform +Name$", lines.First(line => line.StartsWith("Digest", StringComparison.Ordinal)));
        var row = lines.Single(line => line.EndsWith("T21", StringComparison.Ordinal));
        Assert.Matches(@"^[0-9a-f]{12} +[0-9.]+ k?B \d+ years? ago +linux/amd64, arm64 +T21$", row);
    }

    [Fact]
    public void Nothing_is_wider_than_the_window()
    {
        Registry.AddImage("a-repository/with-quite-a-long-name/indeed", "a-tag-with-quite-a-long-name-that-does-not-fit-into-a-column-of-eighty");
        foreach (var script in Scripts())
        {
            var lines = Lines(script);
            Assert.NotEmpty(lines);
            Assert.All(lines, line => Assert.True(line.Length <= 80, $"{script}: {line}"));
        }
    }

    [Fact]
    public void Every_view_shows_without_an_error()
    {
        Session.Invoke("$Error.Clear()");
        foreach (var script in Scripts()) Lines(script);
        Assert.Equal("0", Session.Invoke("$Error.Count").Output[0].ToString());
    }

    [Fact]
    public void Reproducible_builds_show_their_date()
    {
        Registry.AddImage("old", "T", created: "1970-01-01T00:00:00Z");
        Assert.Contains(Lines("Get-RegistryTag old -Detailed"), line => line.Contains("1970-01-01", StringComparison.Ordinal));
    }

    private static string[] Scripts() =>
    [
        "Get-RegistryConnection",
        "Get-RegistryRepository",
        "Get-RegistryTag *",
        "Get-RegistryTag * -Detailed",
        "Get-RegistryManifest *",
        "(Get-RegistryManifest i2 T21).Manifests",
        "Get-RegistryImage i1, i2",
        "(Get-RegistryImage i1:T12).History",
        "Test-Registry",
    ];

    private string[] Lines(string script) => Session.Show(script).Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0).ToArray();
}
