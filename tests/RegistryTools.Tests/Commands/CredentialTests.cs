using System.Text;
using RegistryTools.Host.Embedded;
using RegistryTools.Tests.Servers;

namespace RegistryTools.Cmdlets.Tests.Commands;

/// <summary>Whoever can docker pull from a registry can administer it, and types no password again.</summary>
public sealed class CredentialTests : IDisposable
{
    private const string Password = "pass-word-0815";
    private const string Shown = "-Verbose -Debug 4>&1 5>&1";
    private readonly ChildShell _shell = new();

    public void Dispose() => _shell.Dispose();

    [Theory]
    [InlineData(RegistryAuthentication.Basic)]
    [InlineData(RegistryAuthentication.Bearer)]
    public async Task The_environment_has_them(RegistryAuthentication authentication)
    {
        await using var registry = await StartAsync(authentication);
        _shell.Variables["REGISTRYTOOLS_USERNAME"] = "user";
        _shell.Variables["REGISTRYTOOLS_PASSWORD"] = Password;
        Assert.Equal(["REGISTRYTOOLS_USERNAME", "user", authentication.ToString(), "3"], await RunAsync($"$c = Connect-Registry {registry.Host}; $c.CredentialSource; $c.UserName; $c.Authentication; @(Get-RegistryTag i1).Count"));
    }

    [Fact]
    public async Task One_variable_without_the_other_is_a_mistake_and_is_told()
    {
        await using var registry = await StartAsync(RegistryAuthentication.None);
        _shell.Variables["REGISTRYTOOLS_PASSWORD"] = Password;
        var lines = await RunAsync($"Connect-Registry {registry.Host} -ErrorVariable e -ErrorAction SilentlyContinue; $e[0].FullyQualifiedErrorId; $e[0].Exception.Message; (Connect-Registry {registry.Host} -Anonymous).CredentialSource");
        Assert.StartsWith("CredentialUnavailable", lines[0], StringComparison.Ordinal);
        Assert.Contains("REGISTRYTOOLS_USERNAME is not", lines[1], StringComparison.Ordinal);
        Assert.Equal("None", lines[2]);
    }

    [Theory]
    [InlineData(RegistryAuthentication.Basic)]
    [InlineData(RegistryAuthentication.Bearer)]
    public async Task Dockers_file_has_them_for_a_connection_and_for_a_cmdlet_that_names_the_registry(RegistryAuthentication authentication)
    {
        await using var registry = await StartAsync(authentication);
        Write("config.json", $$"""{ "auths": { "{{registry.Host}}": { "auth": "{{Basic("user", Password)}}" } } }""");
        var lines = await RunAsync($"(Connect-Registry {registry.Host}).CredentialSource; Get-RegistryTag i1 -Registry {registry.Host} | Measure-Tags; Remove-RegistryTag i3 T31; Disconnect-Registry; Get-RegistryTag i1 -Registry http://{registry.Host} {Shown} | Measure-Tags");
        Assert.Contains("config.json", lines[0], StringComparison.Ordinal);
        Assert.Equal(["3", "3"], lines.Skip(1).Where(line => line.All(char.IsDigit)));
    }

    [SkippableFact]
    public async Task A_helper_has_them()
    {
        Skip.If(OperatingSystem.IsWindows(), "The helper of this test is a shell script.");
        await using var registry = await StartAsync(RegistryAuthentication.Basic);
        Helper("good", $$"""echo '{"ServerURL":"{{registry.Host}}","Username":"user","Secret":"{{Password}}"}'""");
        Helper("bad", $"echo 'the vault is locked, not {Password}'; exit 1");
        Write("config.json", $$"""{ "credHelpers": { "{{registry.Host}}": "good" } }""");
        Assert.Equal("3", (await RunAsync($"$null = Connect-Registry {registry.Host} {Shown}; Get-RegistryTag i1 | Measure-Tags"))[^1]);
        Write("config.json", $$"""{ "credsStore": "absent" }""");
        const string fails = "$e[0].FullyQualifiedErrorId; $e[0].ErrorDetails.RecommendedAction";
        var absent = await RunAsync($"Connect-Registry {registry.Host} -ErrorVariable e -ErrorAction SilentlyContinue; {fails}");
        Assert.StartsWith("CredentialUnavailable", absent[0], StringComparison.Ordinal);
        Assert.Contains("-Anonymous", absent[1], StringComparison.Ordinal);
        Write("config.json", $$"""{ "credsStore": "bad" }""");
        var bad = await RunAsync($"Connect-Registry {registry.Host} -ErrorVariable e -ErrorAction SilentlyContinue; $e[0].FullyQualifiedErrorId", secretMayBeToldByHelper: true);
        Assert.StartsWith("CredentialUnavailable", bad[0], StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("htpasswd")]
    [InlineData("token")]
    public async Task The_real_registry_lets_in_whom_Dockers_file_has(string kind)
    {
        Requirement.Program("docker-registry");
        Requirement.Program("skopeo");
        await using var tokens = kind == "token" ? await TokenServer.StartAsync() : null;
        if (tokens is null)
        {
            var (code, line) = await Processes.RunAsync(Requirement.Program("htpasswd"), ["-Bbn", "admin", "admin-secret"]);
            Assert.Equal(0, code);
            Write("htpasswd", line.Trim() + "\n");
        }

        await using var server = await DockerRegistryServer.StartAsync(extra: tokens?.Configuration ?? $"auth:\n  htpasswd:\n    realm: test\n    path: {Path.Combine(_shell.Directory, "htpasswd")}");
        await using (var source = await EmbeddedFixture.StartAsync(EmbeddedRegistryOptions.Distribution2()))
        {
            foreach (var tag in new[] { "T11", "T12" }) await Skopeo.RunAsync("copy", "--all", "--dest-creds", "admin:admin-secret", $"docker://{source.Host}/i1:T12", $"docker://{server.Host}/i1:{tag}");
        }

        Write("config.json", $$"""{ "auths": { "{{server.Host}}": { "auth": "{{Basic("admin", "admin-secret")}}" } } }""");
        var lines = await RunAsync($"$c = Connect-Registry {server.Host}; $c.Authentication; Get-RegistryRepository | % Repository; Get-RegistryTag i1 | ? Name -eq T12 | Remove-RegistryTag {Shown}; Get-RegistryTag i1 | % Name; (Get-RegistryImage i1:T11).Os; Remove-RegistryManifest i1 T11 -Confirm:$false {Shown}; Get-RegistryTag i1 | % Name; $Error.Count");
        Assert.All(lines, line => Assert.DoesNotContain("admin-secret", line, StringComparison.Ordinal));
        Assert.All(lines, line => Assert.DoesNotContain(Basic("admin", "admin-secret"), line, StringComparison.Ordinal));
        Assert.Equal([kind == "token" ? "Bearer" : "Basic", "i1", "T11", "linux", "0"], lines.Where(line => !line.Contains(' ')));

        // Who has no right is told so, and nothing changes.
        Write("config.json", $$"""{ "auths": { "{{server.Host}}": { "auth": "{{Basic("admin", "wr0ng-secret")}}" } } }""");
        lines = await RunAsync($"Remove-RegistryTag i1 T11 -Registry {server.Host} -ErrorVariable e -ErrorAction SilentlyContinue {Shown}; $e | % FullyQualifiedErrorId | % {{ ($_ -split ',')[0] }}; $e | % {{ \"$_\" }}");
        Assert.Contains("RegistryUnauthorized", lines);
        Assert.All(lines, line => Assert.DoesNotContain("wr0ng", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Podmans_file_has_them_for_each_namespace()
    {
        await using var registry = await StartAsync(RegistryAuthentication.Bearer);
        Write("auth.json", $$"""{ "auths": { "{{registry.Host}}/i1": { "auth": "{{Basic("user", Password)}}" }, "{{registry.Host}}/i2": { "auth": "{{Basic("user", "old-and-wrong")}}" } } }""");
        var lines = await RunAsync($"(Connect-Registry {registry.Host}).CredentialSource; Get-RegistryTag i1 | Measure-Tags; Get-RegistryTag i2, i3 -ErrorVariable e -ErrorAction SilentlyContinue; @($e | % FullyQualifiedErrorId | % {{ ($_ -split ',')[0] }} | ? {{ $_ -eq 'RegistryUnauthorized' }}).Count");
        Assert.Contains("auth.json", lines[0], StringComparison.Ordinal);
        Assert.Equal(["3", "2"], lines.Skip(1));
    }

    [Fact]
    public async Task Those_that_are_refused_are_told_with_where_they_are_from()
    {
        await using var registry = await StartAsync(RegistryAuthentication.Basic);
        Write("config.json", $$"""{ "auths": { "{{registry.Host}}": { "auth": "{{Basic("user", "old-and-wrong")}}" } } }""");
        var lines = await RunAsync($"Connect-Registry {registry.Host} -ErrorVariable e -ErrorAction SilentlyContinue {Shown}; $e[0].FullyQualifiedErrorId; $e[0].ErrorDetails.RecommendedAction");
        Assert.StartsWith("RegistryUnauthorized", lines[^2], StringComparison.Ordinal);
        Assert.Contains("config.json", lines[^1], StringComparison.Ordinal);
        Assert.DoesNotContain(lines, line => line.Contains("old-and-wrong", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Those_that_are_configured_do_not_go_over_http_to_another_machine()
    {
        Write("config.json", $$"""{ "auths": { "registry.invalid": { "auth": "{{Basic("user", Password)}}" } } }""");
        var lines = await RunAsync("try { Connect-Registry http://registry.invalid -RetryCount 0 } catch { $_.FullyQualifiedErrorId }; Connect-Registry http://registry.invalid -Anonymous -RetryCount 0 -ErrorVariable e -ErrorAction SilentlyContinue; $e[0].FullyQualifiedErrorId; Get-RegistryTag a -Registry http://registry.invalid -ErrorVariable f -ErrorAction SilentlyContinue; $f[0].FullyQualifiedErrorId");
        Assert.Equal(["UnencryptedAuthentication", "RegistryUnreachable", "UnencryptedAuthentication"], lines.Select(line => line.Split(',')[0]));
    }

    [Fact]
    public async Task Saving_them_in_clear_text_is_asked_first_and_the_next_session_has_them()
    {
        await using var registry = await StartAsync(RegistryAuthentication.Basic);
        var credential = $"$s = [securestring]::new(); '{Password}'.ToCharArray() | % {{ $s.AppendChar($_) }}; $c = [pscredential]::new('user', $s); ";
        using (var session = new ModuleSession())
        {
            session.Host.Answers.Enqueue("No");
            Assert.Empty(session.Invoke(credential + $"Connect-Registry {registry.Host} -Credential $c -SaveCredential").Succeed().Output);
            Assert.Contains("clear text", Assert.Single(session.Host.Questions), StringComparison.Ordinal);
            Assert.Empty(registry.Requests);
        }

        // Where nobody can be asked, nothing is written.
        var silent = await RunAsync(credential + $"try {{ Connect-Registry {registry.Host} -Credential $c -SaveCredential -ErrorAction Stop; 'saved' }} catch {{ 'refused' }}");
        Assert.Equal("refused", silent[^1]);
        Assert.False(File.Exists(Path.Combine(_shell.Directory, "config.json")));
        Assert.Equal("3", (await RunAsync(credential + $"$null = Connect-Registry {registry.Host} -Credential $c -SaveCredential -Force -WarningAction SilentlyContinue; Get-RegistryTag i1 | Measure-Tags"))[^1]);
        Assert.Contains(Basic("user", Password), await File.ReadAllTextAsync(Path.Combine(_shell.Directory, "config.json")), StringComparison.Ordinal);
        Assert.Equal(["3"], await RunAsync($"Get-RegistryTag i1 -Registry {registry.Host} | Measure-Tags"));
    }

    [SkippableFact]
    public async Task A_helper_keeps_them_without_a_question()
    {
        Skip.If(OperatingSystem.IsWindows(), "The helper of this test is a shell script.");
        await using var registry = await StartAsync(RegistryAuthentication.Basic);
        Helper("kept", $$"""case $1 in store) cat > "{{_shell.Directory}}/kept" ;; get) if [ -f "{{_shell.Directory}}/kept" ]; then cat "{{_shell.Directory}}/kept"; else echo 'credentials not found in native keychain'; exit 1; fi ;; esac""");
        Write("config.json", """{ "credsStore": "kept" }""");
        var credential = $"$s = [securestring]::new(); '{Password}'.ToCharArray() | % {{ $s.AppendChar($_) }}; $c = [pscredential]::new('user', $s); ";
        Assert.Equal("Credential", (await RunAsync(credential + $"(Connect-Registry {registry.Host} -Credential $c -SaveCredential).CredentialSource"))[^1]);
        Assert.DoesNotContain(Password, await File.ReadAllTextAsync(Path.Combine(_shell.Directory, "config.json")), StringComparison.Ordinal);
        var lines = await RunAsync($"(Connect-Registry {registry.Host}).CredentialSource; Get-RegistryTag i1 | Measure-Tags");
        Assert.Contains("kept", lines[0], StringComparison.Ordinal);
        Assert.Equal("3", lines[1]);
    }

    [Fact]
    public async Task Those_the_registry_does_not_take_are_not_saved()
    {
        await using var registry = await StartAsync(RegistryAuthentication.Basic);
        var lines = await RunAsync($"$s = [securestring]::new(); $s.AppendChar('x'); Connect-Registry {registry.Host} -Credential ([pscredential]::new('user', $s)) -SaveCredential -Force -ErrorVariable e -ErrorAction SilentlyContinue; $e[0].FullyQualifiedErrorId");
        Assert.StartsWith("RegistryUnauthorized", lines[0], StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_shell.Directory, "config.json")));
    }

    private static async Task<EmbeddedRegistry> StartAsync(RegistryAuthentication authentication) =>
        await EmbeddedFixture.StartAsync(EmbeddedRegistryOptions.Distribution2() with { Authentication = authentication, Password = Password });

    private static string Basic(string user, string password) => Convert.ToBase64String(Encoding.UTF8.GetBytes(user + ":" + password));

    /// <summary>Runs a script, and sees to it that the password is nowhere in what it shows.</summary>
    private async Task<string[]> RunAsync(string script, bool secretMayBeToldByHelper = false)
    {
        var (output, error) = await _shell.RunAsync("function Measure-Tags { begin { $n = 0 } process { if ($_.Name) { $n++ } else { $_ } } end { $n } }; " + script);
        Assert.Equal(string.Empty, error);
        foreach (var journal in Directory.GetFiles(_shell.Directory, "*.jsonl", SearchOption.AllDirectories)) Assert.DoesNotContain(Password, await File.ReadAllTextAsync(journal), StringComparison.Ordinal);
        foreach (var line in output) Assert.True(secretMayBeToldByHelper || (!line.Contains(Password, StringComparison.Ordinal) && !line.Contains(Basic("user", Password), StringComparison.Ordinal)), line);
        return output;
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_shell.Directory, name), text);

    private void Helper(string name, string script)
    {
        var path = Path.Combine(_shell.Directory, "docker-credential-" + name);
        File.WriteAllText(path, "#!/bin/sh\n" + script + "\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _shell.Variables["PATH"] = _shell.Directory + Path.PathSeparator + Environment.GetEnvironmentVariable("PATH");
    }
}
