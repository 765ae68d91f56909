using System.Text.Json;
using RegistryTools.Authentication;
using RegistryTools.Errors;
using RegistryTools.References;
using Xunit;

namespace RegistryTools.Tests.Authentication;

/// <summary>Keeping credentials with a helper and in the file, and taking them away.</summary>
[Collection("Credentials")]
public sealed class CredentialStoreTests : IDisposable
{
    private const string Secret = CredentialPlace.Secret;
    private const string Host = "registry.example.com";
    private readonly CredentialPlace _place = new();
    private readonly RegistryCredential _ann = new() { UserName = "ann", Password = Secret };

    public void Dispose()
    {
        Assert.DoesNotContain(_place.Said, line => line.Contains(Secret) || line.Contains(CredentialPlace.Auth("ann", Secret)));
        Assert.Empty(Directory.EnumerateFiles(_place.Root, ".config.json.*", SearchOption.AllDirectories));
        _place.Dispose();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("{}")]
    [InlineData("""{"credsStore":"absent","credHelpers":{"registry.example.com":""}}""")]
    public async Task Without_a_helper_clear_text_must_be_asked_for(string? json)
    {
        if (json is not null) _place.Docker(json);
        var error = await Assert.ThrowsAsync<CredentialStoreMissingException>(() => StoreAsync(_ann));
        Assert.Equal("~/.docker/config.json", error.File.Replace('\\', '/'));
        Assert.DoesNotContain(Secret, error.ToString());
        Assert.Equal(json, File.Exists(_place.DockerFile) ? File.ReadAllText(_place.DockerFile) : null);
    }

    [Fact]
    public async Task Clear_text_in_a_new_file_that_only_its_owner_reads()
    {
        Assert.Equal("~/.docker/config.json: auths 'registry.example.com'", (await StoreAsync(_ann, allowClearText: true)).Replace('\\', '/'));
        using var document = JsonDocument.Parse(File.ReadAllText(_place.DockerFile));
        Assert.Equal(CredentialPlace.Auth("ann", Secret), document.RootElement.GetProperty("auths").GetProperty(Host).GetProperty("auth").GetString());
        var found = await _place.FindAsync(Host);
        Assert.Equal(("ann", Secret), (found!.UserName, found.Password));
        Assert.Contains(_place.Said, line => line.Contains("clear text"));
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_place.DockerFile));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Path.GetDirectoryName(_place.DockerFile)!));
    }

    [Theory]
    [InlineData("ann", "p:w ü", null, null)]
    [InlineData("ann", "", "idt", null)]
    [InlineData(null, null, "idt\"<>", null)]
    [InlineData(null, null, null, "rt")]
    public async Task What_is_stored_is_found(string? user, string? password, string? identity, string? token)
    {
        foreach (var address in new[] { Host, "docker.io", "[::1]:5000", "https://registry.example.com:5000/prefix" })
        {
            await StoreAsync(new RegistryCredential { UserName = user, Password = password, IdentityToken = identity, RegistryToken = token }, true, address);
            var found = await _place.FindAsync(address);
            Assert.Equal((user, password, identity, token), (found!.UserName, found.Password, found.IdentityToken, found.RegistryToken));
        }
    }

    [Fact]
    public async Task All_else_in_the_file_stays_as_it_was()
    {
        var raw = """
            {
              "HttpHeaders": { "X": "\u00e4\/<&>", "n": 123456789012345678901234567890.10e+5 },
              "auths": { "\ud800": 1, "other.example.com": { "auth" : "YTpi", "email":"x" }, "https://registry.example.com/v1/": { "auth": "b2xkOm9sZA==" }, "https://registry.example.com/team": {} },
              "psFormat": "table \\t{{.Names}}", "twice": 1, "twice": 2,
              "credHelpers": { "a": "b" }
            }
            """;
        _place.Docker(raw);
        await StoreAsync(_ann, allowClearText: true);
        var text = File.ReadAllText(_place.DockerFile);
        foreach (var piece in new[] { "\"HttpHeaders\": { \"X\": \"\\u00e4\\/<&>\", \"n\": 123456789012345678901234567890.10e+5 }", "\"\\ud800\": 1", "\"other.example.com\": { \"auth\" : \"YTpi\", \"email\":\"x\" }", "\"https://registry.example.com/team\": {}", "\"psFormat\": \"table \\\\t{{.Names}}\"", "\"twice\": 1", "\"twice\": 2", "\"credHelpers\": { \"a\": \"b\" }" })
        {
            Assert.Contains(piece, text);
        }

        Assert.DoesNotContain("b2xkOm9sZA==", text);
        Assert.Equal("ann", (await _place.FindAsync(Host))!.UserName);
        Assert.True(await EraseAsync(Host));
        Assert.DoesNotContain(Host, File.ReadAllText(_place.DockerFile));
        Assert.Contains("other.example.com", File.ReadAllText(_place.DockerFile));
        Assert.False(await EraseAsync(Host));
    }

    [Fact]
    public async Task Of_two_auths_the_last_counts()
    {
        _place.Docker("""{"auths":{"registry.example.com":{"auth":"YTpi"}},"x":1,"auths":{"other.example.com":{"auth":"YTpi"}}}""");
        Assert.Null(await _place.FindAsync(Host));
        await StoreAsync(_ann, allowClearText: true);
        Assert.Equal("ann", (await _place.FindAsync(Host))!.UserName);
        Assert.Equal("a", (await _place.FindAsync("other.example.com"))!.UserName);
    }

    [Fact]
    public async Task What_another_program_writes_meanwhile_is_not_lost()
    {
        _place.Docker("{}");
        var count = 0;
        var store = new CredentialStore(_place.Options)
        {
            BeforeReplace = () =>
            {
                if (count++ == 0) File.WriteAllText(_place.DockerFile, """{"auths":{"other.example.com":{"auth":"YTpi"}}}""");
            },
        };
        await store.StoreAsync(RegistryAddress.Parse(Host), _ann, allowClearText: true);
        Assert.Equal(2, count);
        Assert.Equal(("ann", "a"), ((await _place.FindAsync(Host))!.UserName, (await _place.FindAsync("other.example.com"))!.UserName));

        store = new CredentialStore(_place.Options) { BeforeReplace = () => File.AppendAllText(_place.DockerFile, " ") };
        Assert.Contains("keeps changing", (await Assert.ThrowsAsync<CredentialException>(() => store.StoreAsync(RegistryAddress.Parse("third.example.com"), _ann, allowClearText: true))).Message);
        Assert.Null(await _place.FindAsync("third.example.com"));
    }

    [Fact]
    public async Task A_failure_on_the_way_leaves_the_old_file()
    {
        _place.Docker("""{"a":1}""");
        var store = new CredentialStore(_place.Options) { BeforeReplace = () => throw new IOException("The disk is full.") };
        var error = await Assert.ThrowsAsync<CredentialException>(() => store.StoreAsync(RegistryAddress.Parse(Host), _ann, allowClearText: true));
        Assert.Contains("can't be written", error.Message);
        Assert.Equal("""{"a":1}""", File.ReadAllText(_place.DockerFile));
    }

    [Fact]
    public async Task A_broken_file_is_not_written_over()
    {
        _place.Docker("{\"auths\": oops");
        await Assert.ThrowsAsync<CredentialException>(() => StoreAsync(_ann, allowClearText: true));
        await Assert.ThrowsAsync<CredentialException>(() => EraseAsync(Host));
        Assert.Equal("{\"auths\": oops", File.ReadAllText(_place.DockerFile));
    }

    [Fact]
    public async Task What_the_file_can_not_hold()
    {
        await Assert.ThrowsAsync<CredentialException>(() => StoreAsync(new RegistryCredential { UserName = "a:b", Password = Secret }, allowClearText: true));
        await Assert.ThrowsAsync<CredentialException>(() => StoreAsync(new RegistryCredential(), allowClearText: true));
        Assert.False(File.Exists(_place.DockerFile));
        Assert.False(await EraseAsync(Host));
    }

#if NET
    [SkippableFact]
    public async Task A_link_stays_one_and_a_mode_stays_too()
    {
        Skip.If(OperatingSystem.IsWindows(), "Unix modes and links.");
        if (OperatingSystem.IsWindows()) return;
        var target = _place.Write("dotfiles/docker.json", "{}");
        File.SetUnixFileMode(target, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Directory.CreateDirectory(Path.GetDirectoryName(_place.DockerFile)!);
        File.CreateSymbolicLink(_place.DockerFile, target);
        await StoreAsync(_ann, allowClearText: true);
        Assert.Equal(target, new FileInfo(_place.DockerFile).LinkTarget);
        Assert.Contains(CredentialPlace.Auth("ann", Secret), File.ReadAllText(target));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(target));
        Assert.Contains(_place.Said, line => line.Contains("can be read by others"));
    }
#endif

    [Fact]
    public async Task Many_at_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 12).Select(i => Task.Run(() => StoreAsync(_ann, true, $"r{i}.example.com"))));
        for (var i = 0; i < 12; i++) Assert.NotNull(await _place.FindAsync($"r{i}.example.com"));
    }

    [SkippableFact]
    public async Task With_a_helper_nothing_is_in_the_file()
    {
        Skip.If(OperatingSystem.IsWindows(), "The helper is a shell script.");
        _place.Helper("good", $"cat > {_place.Bin}/good.$1");
        _place.Docker($$$$"""{"credsStore":"good","auths":{"registry.example.com":{"auth":"{{{{CredentialPlace.Auth("ann", "old")}}}}"},"b.example.com":{"auth":"YTpi"}}}""");
        Assert.Equal("~/.docker/config.json: credsStore (good)", await StoreAsync(_ann, allowClearText: true));
        Assert.Contains($"\"Secret\":\"{Secret}\"", _place.Read("good.store"));
        var text = File.ReadAllText(_place.DockerFile);
        Assert.DoesNotContain(Host, text);
        Assert.Contains("b.example.com", text);

        await StoreAsync(_ann, address: "docker.io");
        Assert.Contains("\"ServerURL\":\"https://index.docker.io/v1/\"", _place.Read("good.store"));
        Assert.Equal(text, File.ReadAllText(_place.DockerFile));
        Assert.True(await EraseAsync(Host));
        Assert.Equal(Host, _place.Read("good.erase"));
    }

    [SkippableFact]
    public async Task A_helper_that_fails_leaves_the_file_alone()
    {
        Skip.If(OperatingSystem.IsWindows(), "The helper is a shell script.");
        _place.Helper("bad", "echo 'the keyring is locked'; exit 1");
        const string Json = """{"credsStore":"bad","auths":{"registry.example.com":{"auth":"YTpi"}}}""";
        _place.Docker(Json);
        Assert.Contains("locked", (await Assert.ThrowsAsync<CredentialException>(() => StoreAsync(_ann, allowClearText: true))).Message);
        Assert.Contains("locked", (await Assert.ThrowsAsync<CredentialException>(() => EraseAsync(Host))).Message);
        Assert.Equal(Json, File.ReadAllText(_place.DockerFile));
    }

    private Task<string> StoreAsync(RegistryCredential credential, bool allowClearText = false, string address = Host) =>
        new CredentialStore(_place.Options).StoreAsync(RegistryAddress.Parse(address), credential, allowClearText);

    private Task<bool> EraseAsync(string address) => new CredentialStore(_place.Options).EraseAsync(RegistryAddress.Parse(address));
}
