namespace RegistryTools.Cmdlets.Tests.Editions;

/// <summary>The module beside another one that has other versions of the same libraries, each in a process that has loaded neither before.</summary>
public sealed class IsolationTests
{
    private const string Other = "3 tries, Polly.Core 8.1, System.Text.Json 9.0";

    private const string Loaded = """
        [AppDomain]::CurrentDomain.GetAssemblies() | ? { $_.GetName().Name -eq 'Polly.Core' } | % { [System.Runtime.Loader.AssemblyLoadContext]::GetLoadContext($_).Name + ' ' + [Diagnostics.FileVersionInfo]::GetVersionInfo($_.Location).FileVersion }
        """;

    public static string OtherModule { get; } = Path.Combine(ModuleSession.Root, "tests", "assets", "OtherVersions", "bin", new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)).Parent!.Name, "net8.0", "OtherVersions.psd1");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Another_Polly_and_another_Json_are_no_matter_whichever_comes_first(bool otherFirst)
    {
        await using var registry = await ScriptedRegistry.StartAsync();
        registry.AddImage("i1", "T11");
        var failed = 0;
        registry.Before = context =>
        {
            // The first answer to a question for tags is bad, so that Polly has something to do.
            if (!context.Request.Path.Value!.EndsWith("/tags/list", StringComparison.Ordinal) || Interlocked.Increment(ref failed) % 2 == 0) return Task.FromResult(false);
            context.Response.StatusCode = 503;
            return Task.FromResult(true);
        };
        const string others = "Get-OtherVersion";
        var ours = $"$null = Connect-Registry http://{registry.Address} -MaximumRetryDelaySec 0; (Get-RegistryTag i1).Name; (Get-RegistryManifest i1 T11).Kind";
        using var shell = new ChildShell { ModulePath = otherFirst ? OtherModule : ModuleSession.Manifest };
        var script = otherFirst
            ? $"{others}; Import-Module '{ModuleSession.Manifest}' -ErrorAction Stop; {ours}; {others}; {ours}; {Loaded}"
            : $"{ours}; Import-Module '{OtherModule}' -ErrorAction Stop; {others}; {ours}; {others}; {Loaded}";
        var (output, error) = await shell.RunAsync(script);
        Assert.Equal(string.Empty, error);
        Assert.Equal(otherFirst ? [Other, "T11", "Image", Other, "T11", "Image"] : ["T11", "Image", Other, "T11", "Image", Other], output[..6]);
        Assert.Collection(output[6..].Order(StringComparer.Ordinal), line => Assert.StartsWith("Default 8.1.", line, StringComparison.Ordinal), line => Assert.StartsWith("RegistryTools 8.9.", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Importing_loads_the_cmdlets_and_at_most_one_more_of_ours()
    {
        using var shell = new ChildShell();
        var (output, error) = await shell.RunAsync($"[AppDomain]::CurrentDomain.GetAssemblies() | ? {{ -not $_.IsDynamic -and $_.Location.StartsWith('{Path.GetDirectoryName(ModuleSession.Manifest)}') }} | % {{ $_.GetName().Name }}");
        Assert.Equal(string.Empty, error);
        Assert.Contains("RegistryTools", output);
        Assert.True(output.Length <= 2, string.Join(" ", output));
    }
}
