using System.Management.Automation.Language;
using System.Text.RegularExpressions;
using RegistryTools.Host.Embedded;

namespace RegistryTools.Cmdlets.Tests;

/// <summary>What automation relies on: the script of samples/, its exit codes, and that -ErrorAction Stop stops.</summary>
public sealed class AutomationTests : IDisposable
{
    private static readonly string Samples = Path.Combine(ModuleSession.Root, "samples");
    private readonly ChildShell _shell = new();

    public void Dispose() => _shell.Dispose();

    [Fact]
    public async Task The_nightly_script_removes_collects_and_ends_with_0()
    {
        var store = new DistributionStore(Path.Combine(_shell.Directory, "registry"));
        SampleData.Seed(store);
        var (code, output, error) = await RunAsync(store.StoragePath, Write("""{"policies":[{"repositories":["i1"],"keepLast":1}]}"""), "-PurgeAfter 7d");
        Assert.True(code == 0, error);
        Assert.Contains("Removed", output, StringComparison.Ordinal);
        Assert.Equal(["T13"], store.Tags("i1"));

        // A second night has nothing to do, and that is no failure.
        Assert.Equal(0, (await RunAsync(store.StoragePath, Write("""{"policies":[{"repositories":["i1"],"keepLast":1}]}"""))).Code);
    }

    [Fact]
    public async Task It_ends_with_2_where_the_policy_goes_too_far_and_with_1_where_anything_fails()
    {
        var store = new DistributionStore(Path.Combine(_shell.Directory, "registry"));
        SampleData.Seed(store);
        var (code, _, error) = await RunAsync(store.StoragePath, Write("""{"policies":[{"repositories":["*"],"match":"."}]}"""));
        Assert.Equal(2, code);
        Assert.Contains("Nothing was removed", error, StringComparison.Ordinal);
        Assert.Equal(3, store.Tags("i1").Count);
        (code, _, error) = await RunAsync(store.StoragePath, Write("""{"policies":[{"repositories":["*"],"olderThen":"1d"}]}"""));
        Assert.Equal(1, code);
        Assert.Contains("PolicyInvalid", error, StringComparison.Ordinal);
        (code, _, error) = await RunAsync("http://127.0.0.1:9", Write("""{"policies":[{"repositories":["i1"],"match":"x"}]}"""));
        Assert.Equal(1, code);
        Assert.Contains("RegistryUnreachable", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_script_in_the_samples_parses_and_uses_what_there_is()
    {
        using var session = new ModuleSession();
        var scripts = new List<string> { File.ReadAllText(Path.Combine(Samples, "Invoke-NightlyCleanup.ps1")) };
        foreach (Match block in Regex.Matches(File.ReadAllText(Path.Combine(Samples, "azure-devops", "azure-pipelines.yml")), @"script: \|\n((?: {12}.*\n)+)")) scripts.Add(block.Groups[1].Value);
        Assert.Equal(2, scripts.Count);
        foreach (var script in scripts)
        {
            var tree = Parser.ParseInput(script, out _, out var errors);
            Assert.Empty(errors);
            foreach (var command in tree.FindAll(node => node is CommandAst, true).Cast<CommandAst>())
            {
                var name = command.GetCommandName();
                if (name?.Contains("-Registry", StringComparison.Ordinal) != true) continue;
                foreach (var parameter in command.CommandElements.OfType<CommandParameterAst>())
                {
                    Assert.True((bool)session.Invoke($"(Get-Command {name}).Parameters.ContainsKey('{parameter.ParameterName}')").Succeed().Output.Single().BaseObject, $"{name} -{parameter.ParameterName}");
                }
            }
        }
    }

    [Theory]
    [InlineData("Get-RegistryTag nowhere")]
    [InlineData("Remove-RegistryTag i1 nowhere")]
    [InlineData("Remove-RegistryManifest i1 T12 -Confirm:$false")]
    [InlineData("Invoke-RegistryRetention /nowhere.json")]
    [InlineData("Invoke-RegistryGarbageCollect /nowhere")]
    [InlineData("Invoke-RegistryGarbageCollect -DockerHost unix:///nowhere.sock -Container x")]
    public async Task With_ErrorAction_Stop_the_first_error_ends_the_script(string script)
    {
        await using var registry = await RegistryUnderTest.StartAsync("Distribution3");
        using var session = new ModuleSession();
        var result = session.Invoke($"$ErrorActionPreference = 'Stop'; $null = Connect-Registry http://{registry.Host}; {script}; 'went on'");
        Assert.NotEmpty(result.Errors);
        Assert.DoesNotContain(result.Output, item => "went on".Equals(item.BaseObject));
        result = session.Invoke($"{script} -ErrorAction Stop; 'went on'");
        Assert.DoesNotContain(result.Output, item => "went on".Equals(item.BaseObject));
        Assert.Equal("went on", session.Invoke($"{script} -ErrorAction SilentlyContinue; 'went on'").Output[^1].BaseObject);
    }

    [Theory]
    [InlineData("-Container x -RemoveUntagged -Repository team/*")]
    [InlineData("-Container x -RemoveUntagged -MinimumAge 7d")]
    [InlineData("-Container x -IncludeUpload")]
    [InlineData("-Container x -PurgeOlderThan 7d")]
    [InlineData("-Container x -QuarantinePath /q")]
    [InlineData("-Container x -Native -Quiesce Stop")]
    [InlineData("-Container x -Native -Restart")]
    [InlineData("-Container x -Native -BinaryPath /bin/registry")]
    public void What_a_collector_does_not_heed_is_not_taken_from_the_user_in_silence(string options)
    {
        // The registry's own collector would take from every repository what only one was named for.
        using var session = new ModuleSession();
        var error = session.Invoke($"Invoke-RegistryGarbageCollect -DockerHost unix:///nowhere.sock {options}").Fail("InvalidArgument");
        Assert.Contains(options.Split(' ').Last(word => word[0] == '-'), error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("-Native", error.Exception.Message, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(string registry, string policy, string more = "")
    {
        using var process = _shell.Start($"& '{Path.Combine(Samples, "Invoke-NightlyCleanup.ps1")}' -Registry '{registry}' -Policy '{policy}' -ModulePath '{ModuleSession.Manifest}' {more}; exit $LASTEXITCODE");
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, output, await error);
    }

    private string Write(string policy)
    {
        var file = Path.Combine(_shell.Directory, "policy.json");
        File.WriteAllText(file, policy);
        return file;
    }
}
