using System.Diagnostics;
using RegistryTools.Authentication;
using RegistryTools.Errors;
using RegistryTools.References;
using Xunit;

namespace RegistryTools.Tests.Authentication;

/// <summary>Helpers that are real programs: shell scripts that answer, fail, dawdle and lie.</summary>
[Collection("Credentials")]
public sealed class CredentialHelperTests : IDisposable
{
    private const string Secret = CredentialPlace.Secret;
    private const string Host = "registry.example.com";
    private readonly CredentialPlace _place = new();

    public CredentialHelperTests() => Skip.If(OperatingSystem.IsWindows(), "The helpers of these tests are shell scripts.");

    public void Dispose()
    {
        Assert.DoesNotContain(_place.Said, line => line.Contains(Secret));
        _place.Dispose();
    }

    [SkippableFact]
    public async Task A_good_helper_answers()
    {
        Good("good");
        _place.Docker("""{"credHelpers":{"registry.example.com":"good"},"credsStore":"absent"}""");
        var credential = await _place.FindAsync(Host, "team/app");
        Assert.Equal(("ann", Secret, null, "~/.docker/config.json: credHelpers (good)"), (credential!.UserName, credential.Password, credential.IdentityToken, credential.Source));
        Assert.Equal(Host, _place.Read("good.input"));
        Assert.Equal("get", _place.Verbs("good"));
        Assert.DoesNotContain(Secret, credential.ToString());
    }

    [SkippableTheory]
    [InlineData("""{"credsStore":"good"}""", "registry.example.com:5000", "registry.example.com:5000")]
    [InlineData("""{"credsStore":"good"}""", "docker.io", "https://index.docker.io/v1/")]
    [InlineData("""{"credHelpers":{"https://index.docker.io/v1/":"good"},"credsStore":"absent"}""", "registry-1.docker.io", "https://index.docker.io/v1/")]
    [InlineData("""{"credHelpers":{"docker.io":"good"}}""", "docker.io", "https://index.docker.io/v1/")]
    [InlineData("""{"credHelpers":{"other.example.com":"absent"},"credsStore":"good"}""", "https://registry.example.com/prefix", "registry.example.com")]
    public async Task The_helper_is_asked_for_what_docker_asks(string json, string address, string asked)
    {
        _place.Helper("good", $$$$"""cat > {{{{_place.Bin}}}}/good.input; echo '{"Username":"ann","Secret":"{{{{Secret}}}}"}'""");
        _place.Docker(json);
        Assert.Equal("ann", (await _place.FindAsync(address))!.UserName);
        Assert.Equal(asked, _place.Read("good.input"));
    }

    [SkippableFact]
    public async Task Podman_names_helpers_too()
    {
        Good("good");
        _place.Write("home/.config/containers/auth.json", """{"auths":{"registry.example.com/team":{}},"credHelpers":{"registry.example.com":"good"},"credsStore":"absent"}""");
        Assert.Equal("~/.config/containers/auth.json: credHelpers (good)", (await _place.FindAsync(Host, "team/app"))!.Source);
        Assert.Null(await _place.FindAsync("other.example.com"));
    }

    [SkippableFact]
    public async Task The_user_token_means_an_identity_token()
    {
        _place.Helper("good", $$$$"""echo '{"ServerURL":"https://{{{{Host}}}}/","username":"<token>","secret":"{{{{Secret}}}}"}'""");
        _place.Docker("""{"credsStore":"good"}""");
        var credential = await _place.FindAsync(Host);
        Assert.Equal((null, null, Secret), (credential!.UserName, credential.Password, credential.IdentityToken));
    }

    [SkippableTheory]
    [InlineData("echo 'credentials not found in native keychain'; exit 1")]
    [InlineData("echo 'credentials not found in native keychain' >&2; exit 1")]
    [InlineData("echo 'Credentials not found in native keychain.'; exit 255")]
    [InlineData("echo 'loading'; echo 'The specified item could not be found in the keychain.'; exit 1")]
    [InlineData("""echo '{"ServerURL":"registry.example.com","Username":"","Secret":""}'""")]
    [InlineData("""echo '{"ServerURL":"registry.example.com","Username":"ann","Secret":""}'""")]
    [InlineData("echo '{}'")]
    public async Task A_helper_that_has_nothing_leaves_it_to_the_file(string body)
    {
        _place.Helper("none", body);
        _place.Docker("""{"credsStore":"none"}""");
        Assert.Null(await _place.FindAsync(Host));
        _place.Docker($$$$"""{"credsStore":"none","auths":{"registry.example.com":{"auth":"{{{{CredentialPlace.Auth("file", "x")}}}}"}}}""");
        Assert.Equal("file", (await _place.FindAsync(Host))!.UserName);
    }

    [SkippableFact]
    public async Task An_empty_helper_switches_the_store_off()
    {
        _place.Docker($$$$"""{"credsStore":"absent","credHelpers":{"registry.example.com":""},"auths":{"registry.example.com":{"auth":"{{{{CredentialPlace.Auth("file", "x")}}}}"}}}""");
        Assert.Equal("file", (await _place.FindAsync(Host))!.UserName);
    }

    [SkippableTheory]
    [InlineData("echo 'the keyring is locked'; exit 3", "exit code 3: the keyring is locked")]
    [InlineData("printf 'one\\n\\033[31mtwo\\n' >&2; exit 1", "exit code 1: one  [31mtwo")]
    [InlineData("exit 7", "exit code 7: it said nothing")]
    [InlineData("kill -9 $$", "it said nothing")]
    [InlineData("""echo '{"Username":"ann","Secret":"s3cr3t-Pa55word-of-the-test"}'; exit 1""", "not shown")]
    [InlineData("echo s3cr3t-Pa55word-of-the-test", "not a JSON object")]
    [InlineData("echo '\"s3cr3t-Pa55word-of-the-test\"'", "not a JSON object")]
    [InlineData("""echo '{"Username":"ann","Secret":"s3cr3t-Pa55word-of-the-test"'""", "not a JSON object")]
    [InlineData("""echo '{"Username":"\\ud800","Secret":"s3cr3t-Pa55word-of-the-test"}'""", "not a JSON object")]
    [InlineData("true", "not a JSON object")]
    [InlineData("""echo '{"ServerURL":"evil.example.com","Username":"ann","Secret":"s3cr3t-Pa55word-of-the-test"}'""", "another server")]
    [InlineData("""echo '{"Secret":"s3cr3t-Pa55word-of-the-test"}'""", "without a user name")]
    [InlineData("yes s3cr3t-Pa55word-of-the-test", "more than 1048576 bytes")]
    public async Task A_helper_that_fails_or_lies(string body, string what)
    {
        _place.Helper("bad", body);
        _place.Docker("""{"credsStore":"bad","auths":{"registry.example.com":{"auth":"YTpi"}}}""");
        var error = await Assert.ThrowsAsync<CredentialException>(() => _place.FindAsync(Host));
        Assert.Contains("docker-credential-bad", error.Message);
        Assert.Contains(what, error.Message);
        Assert.DoesNotContain(Secret, error.ToString());
        Assert.DoesNotContain('\n', error.Message);
        Assert.True(error.Message.Length < 700);
    }

    [SkippableFact]
    public async Task An_absent_program_is_named_with_the_path_searched()
    {
        _place.Docker("""{"credHelpers":{"registry.example.com":"ecr-login"}}""");
        _place.Write(Path.Combine(_place.Bin, "docker-credential-ecr-login"), "not executable");
        var error = await Assert.ThrowsAsync<CredentialException>(() => _place.FindAsync(Host));
        Assert.Contains("docker-credential-ecr-login", error.Message);
        Assert.Contains(_place.Bin, error.Message);
        Assert.Contains("credHelpers", error.Message);
        Assert.Contains("Install", error.Remedy);
    }

    [SkippableFact]
    public async Task A_program_that_is_none()
    {
        _place.Helper("bad", string.Empty);
        _place.Docker("""{"credsStore":"bad"}""");
        File.WriteAllText(Path.Combine(_place.Bin, "docker-credential-bad"), "#!/nowhere/at/all\n");
        Assert.Contains("can't be started", (await Assert.ThrowsAsync<CredentialException>(() => _place.FindAsync(Host))).Message);
    }

    [SkippableTheory]
    [InlineData("../../bin/sh")]
    [InlineData("a/b")]
    [InlineData("a\\\\b")]
    [InlineData("a b")]
    [InlineData("a;b")]
    [InlineData("ä")]
    public async Task A_name_that_is_none_is_not_run(string name)
    {
        _place.Docker($$$$"""{"credsStore":"{{{{name}}}}"}""");
        Assert.Contains("can't be a credential helper", (await Assert.ThrowsAsync<CredentialException>(() => _place.FindAsync(Host))).Message);
    }

    [SkippableFact]
    public async Task Relative_directories_are_not_searched()
    {
        Good("good");
        var options = new CredentialOptions { EnvironmentVariable = _ => null, SearchPath = ".:" + Path.GetRelativePath(Environment.CurrentDirectory, _place.Bin) + "::" };
        await Assert.ThrowsAsync<CredentialException>(() => new CredentialHelper("good", "here", options).GetAsync(Host, default));
        options = new CredentialOptions { EnvironmentVariable = name => name == "PATH" ? "/nowhere/at/all:" + _place.Bin : null };
        Assert.NotNull(await new CredentialHelper("good", "here", options).GetAsync(Host, default));
    }

    [SkippableFact]
    public async Task A_slow_helper_is_ended_with_its_children()
    {
        _place.TimeLimit = TimeSpan.FromSeconds(1);
        _place.Helper("slow", $"echo $$ > {_place.Bin}/pids\nsleep 300 &\necho $! >> {_place.Bin}/pids\nwait");
        _place.Docker("""{"credsStore":"slow"}""");
        var watch = Stopwatch.StartNew();
        var error = await Assert.ThrowsAsync<CredentialException>(() => _place.FindAsync(Host));
        Assert.Contains("did not finish within 1 s", error.Message);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20));
        await GoneAsync();
    }

    [SkippableFact]
    public async Task Cancelling_ends_the_helper()
    {
        _place.Helper("slow", $"echo $$ > {_place.Bin}/pids\nexec sleep 300");
        _place.Docker("""{"credsStore":"slow"}""");
        using var source = new CancellationTokenSource();
        var finding = _place.FindAsync(Host, null, source.Token);
        while (_place.Read("pids").Length == 0) await Task.Delay(20);
        source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => finding);
        await GoneAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _place.FindAsync(Host, null, source.Token));
    }

    [SkippableFact]
    public async Task A_child_that_outlives_the_helper_is_not_waited_for()
    {
        _place.Helper("daemon", $$$$"""echo '{"Username":"ann","Secret":"{{{{Secret}}}}"}'; (sleep 25; true) & exit 0""");
        _place.Docker("""{"credsStore":"daemon"}""");
        var watch = Stopwatch.StartNew();
        Assert.Equal("ann", (await _place.FindAsync(Host))!.UserName);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(15), watch.Elapsed.ToString());
    }

    [SkippableFact]
    public async Task Much_on_the_error_stream_does_not_stop_it()
    {
        _place.Helper("noisy", $$$$"""head -c 3000000 /dev/zero | tr '\0' x >&2; echo '{"Username":"ann","Secret":"{{{{Secret}}}}"}'""");
        _place.Docker("""{"credsStore":"noisy"}""");
        Assert.Equal("ann", (await _place.FindAsync(Host))!.UserName);
    }

    [SkippableFact]
    public async Task A_helper_need_not_read_what_it_is_told()
    {
        _place.Helper("deaf", "exit 0");
        await Helper("deaf").StoreAsync(Host, new RegistryCredential { UserName = "ann", Password = new string('x', 300_000) }, default);
        Assert.Equal("store", _place.Verbs("deaf"));
    }

    [SkippableFact]
    public async Task Store_erase_and_list()
    {
        _place.Helper("good", $$$$"""
            cat > {{{{_place.Bin}}}}/good.$1
            case "$1" in list) echo '{"https://index.docker.io/v1/":"ann","registry.example.com":"bob"}';; esac
            """);
        await Helper("good").StoreAsync(Host, new RegistryCredential { UserName = "ann", Password = "a\"b<ü>" }, default);
        Assert.Equal("""{"ServerURL":"registry.example.com","Username":"ann","Secret":"a\"b<ü>"}""", _place.Read("good.store"));
        await Helper("good").StoreAsync(Host, new RegistryCredential { UserName = "ann", Password = "", IdentityToken = "idt" }, default);
        Assert.Equal("""{"ServerURL":"registry.example.com","Username":"<token>","Secret":"idt"}""", _place.Read("good.store"));
        Assert.True(await Helper("good").EraseAsync(Host, default));
        Assert.Equal(Host, _place.Read("good.erase"));
        var servers = await Helper("good").ListAsync(default);
        Assert.Equal(("ann", "bob"), (servers["https://index.docker.io/v1/"], servers[Host]));
        await Assert.ThrowsAsync<CredentialException>(() => Helper("good").StoreAsync(Host, new RegistryCredential { RegistryToken = Secret }, default));

        _place.Helper("none", "echo 'credentials not found in native keychain'; exit 1");
        Assert.False(await Helper("none").EraseAsync(Host, default));
        await Assert.ThrowsAsync<CredentialException>(() => Helper("none").ListAsync(default));
    }

    [SkippableTheory]
    [InlineData("echo \"no: $(cat)\"; exit 1")]
    [InlineData("cat >&2; exit 1")]
    [InlineData("cut -c 1-85; exit 1")]
    [InlineData("cat | sed 's/.*Secret\":\"//; s/\"}//' | base64; exit 1")]
    [InlineData("cat | sed 's/.*Secret\":\"//; s/...$//' | sed 's/^..//'; exit 1")]
    public async Task A_helper_that_repeats_the_secret_is_not_quoted(string body)
    {
        _place.Helper("loud", body);
        var error = await Assert.ThrowsAsync<CredentialException>(() => Helper("loud").StoreAsync(Host, new RegistryCredential { UserName = "ann", Password = Secret }, default));
        Assert.Contains("not shown", error.Message);
        Assert.DoesNotContain("s3cr3t", error.ToString());
        Assert.DoesNotContain("word-of-the", error.ToString());
    }

    [SkippableFact]
    public async Task The_modules_own_variables_are_not_handed_on()
    {
        const string Name = "REGISTRYTOOLS_TOKEN";
        var before = Environment.GetEnvironmentVariable(Name);
        _place.Helper("good", $$$$"""echo "{\"Username\":\"ann$REGISTRYTOOLS_TOKEN\",\"Secret\":\"x\"}" """);
        try
        {
            Environment.SetEnvironmentVariable(Name, Secret);
            Assert.Equal("ann", (await Helper("good").GetAsync(Host, default))!.UserName);
        }
        finally
        {
            Environment.SetEnvironmentVariable(Name, before);
        }
    }

    private CredentialHelper Helper(string name) => new(name, "here", _place.Options);

    private void Good(string name) => _place.Helper(name, $$$$"""cat > {{{{_place.Bin}}}}/{{{{name}}}}.input; echo '{"ServerURL":"{{{{Host}}}}","Username":"ann","Secret":"{{{{Secret}}}}"}'""");

    private async Task GoneAsync()
    {
        foreach (var pid in _place.Read("pids").Split('\n').Select(int.Parse))
        {
            for (var i = 0; IsRunning(pid); i++)
            {
                Assert.True(i < 100, $"{pid} is still there.");
                await Task.Delay(50);
            }
        }
    }

    private static bool IsRunning(int pid)
    {
        try
        {
            // One that nobody has asked for the exit code of (its parent is gone, too) is a zombie, and does nothing any more.
            return !File.ReadAllText($"/proc/{pid}/stat").Contains(") Z");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
