using RegistryTools.Authentication;
using RegistryTools.Errors;
using Xunit;

namespace RegistryTools.Tests.Authentication;

/// <summary>Variables, Docker's file and Podman's files: what is found, and which comes first.</summary>
[Collection("Credentials")]
public sealed class CredentialFinderTests : IDisposable
{
    private const string Secret = CredentialPlace.Secret;
    private readonly CredentialPlace _place = new();

    public void Dispose()
    {
        Assert.DoesNotContain(_place.Said, line => line.Contains(Secret) || line.Contains(CredentialPlace.Auth("ann", Secret)));
        _place.Dispose();
    }

    [Fact]
    public async Task Nothing_anywhere_is_nothing() => Assert.Null(await _place.FindAsync("registry.example.com"));

    [Fact]
    public async Task The_variables_come_first()
    {
        _place.Docker($$$$"""{"auths":{"registry.example.com":{"auth":"{{{{CredentialPlace.Auth("file", "x")}}}}"}}}""");
        _place.Variables["REGISTRYTOOLS_TOKEN"] = " " + Secret + "\n";
        var token = await _place.FindAsync("registry.example.com");
        Assert.Equal((Secret, null, "REGISTRYTOOLS_TOKEN"), (token!.RegistryToken, token.UserName, token.Source));

        _place.Variables["REGISTRYTOOLS_USERNAME"] = "ann";
        _place.Variables["REGISTRYTOOLS_PASSWORD"] = Secret;
        var user = await _place.FindAsync("registry.example.com");
        Assert.Equal(("ann", Secret, null, "REGISTRYTOOLS_USERNAME"), (user!.UserName, user.Password, user.RegistryToken, user.Source));
        Assert.Equal("REGISTRYTOOLS_USERNAME", user.ToString());
    }

    [Theory]
    [InlineData("REGISTRYTOOLS_USERNAME", Secret)]
    [InlineData("REGISTRYTOOLS_PASSWORD", Secret)]
    [InlineData("REGISTRYTOOLS_TOKEN", Secret + "\n" + Secret)]
    public async Task A_variable_that_can_not_be_meant_is_an_error(string name, string value)
    {
        _place.Variables[name] = value;
        var error = await Assert.ThrowsAsync<CredentialException>(() => _place.FindAsync("registry.example.com"));
        Assert.Contains(name, error.Message);
        Assert.DoesNotContain(Secret, error.ToString());
    }

    [Fact]
    public async Task An_empty_variable_is_not_set()
    {
        foreach (var name in new[] { "REGISTRYTOOLS_USERNAME", "REGISTRYTOOLS_PASSWORD", "REGISTRYTOOLS_TOKEN", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME" }) _place.Variables[name] = string.Empty;
        _place.Docker($$$$"""{"auths":{"registry.example.com":{"auth":"{{{{CredentialPlace.Auth("ann", Secret)}}}}"}}}""");
        Assert.Equal("ann", (await _place.FindAsync("registry.example.com"))!.UserName);
    }

    [Theory]
    [InlineData("registry.example.com", "registry.example.com", true)]
    [InlineData("registry.example.com", "https://registry.example.com", true)]
    [InlineData("registry.example.com", "http://registry.example.com", true)]
    [InlineData("registry.example.com", "https://registry.example.com/v1/", true)]
    [InlineData("registry.example.com", "https://registry.example.com/v2/", true)]
    [InlineData("registry.example.com", "registry.example.com/v2", true)]
    [InlineData("registry.example.com", "https://registry.example.com/api/docker", true)]
    [InlineData("registry.example.com", "Registry.Example.Com", true)]
    [InlineData("https://registry.example.com/prefix", "registry.example.com", true)]
    [InlineData("registry.example.com:5000", "registry.example.com:5000", true)]
    [InlineData("registry.example.com:5000", "http://registry.example.com:5000/v2/", true)]
    [InlineData("[::1]:5000", "https://[::1]:5000/v1/", true)]
    [InlineData("registry.example.com:5000", "registry.example.com", false)]
    [InlineData("registry.example.com", "registry.example.com:5000", false)]
    [InlineData("registry.example.com", "registry.example.com/team", false)]
    [InlineData("registry.example.com", "https://user@registry.example.com", false)]
    [InlineData("registry.example.com", "registry.example.com.evil.example", false)]
    [InlineData("example.com", "registry.example.com", false)]
    [InlineData("docker.io", "https://index.docker.io/v1/", true)]
    [InlineData("registry-1.docker.io", "https://index.docker.io/v1/", true)]
    [InlineData("index.docker.io", "https://index.docker.io/v1/", true)]
    [InlineData("docker.io", "docker.io", true)]
    [InlineData("docker.io", "https://registry-1.docker.io/v2/", true)]
    [InlineData("docker.io", "https://index.docker.io/v1/access-token", false)]
    [InlineData("docker.io:5000", "https://index.docker.io/v1/", false)]
    [InlineData("registry.example.com", "https://index.docker.io/v1/", false)]
    public async Task Docker_keys(string address, string key, bool found)
    {
        _place.Docker($$$$"""{"auths":{"{{{{key}}}}":{"auth":"{{{{CredentialPlace.Auth("ann", Secret)}}}}"}}}""");
        var credential = await _place.FindAsync(address, "team/app");
        if (!found)
        {
            Assert.Null(credential);
            return;
        }

        Assert.Equal(("ann", Secret, $"~/.docker/config.json: auths '{key}'"), (credential!.UserName, credential.Password, credential.Source.Replace('\\', '/')));
    }

    [Fact]
    public async Task The_better_key_wins_whatever_the_order()
    {
        _place.Docker($$$$"""
            {"auths":{
                "https://registry.example.com/other":{"auth":"{{{{CredentialPlace.Auth("loose", "x")}}}}"},
                "https://registry.example.com/v1/":{"auth":"{{{{CredentialPlace.Auth("old", "x")}}}}"},
                "registry.example.com":{"auth":"{{{{CredentialPlace.Auth("exact", "x")}}}}"},
                "https://other.example.com/other":{"auth":"{{{{CredentialPlace.Auth("loose", "x")}}}}"},
                "https://other.example.com/v1/":{"auth":"{{{{CredentialPlace.Auth("old", "x")}}}}"}
            }}
            """);
        Assert.Equal("exact", (await _place.FindAsync("registry.example.com"))!.UserName);
        Assert.Equal("old", (await _place.FindAsync("other.example.com"))!.UserName);
    }

    [Theory]
    [InlineData("""{"username":"ann","password":"s3cr3t-Pa55word-of-the-test"}""", "ann", Secret, null, null)]
    [InlineData("""{"username":"ann","password":"s3cr3t-Pa55word-of-the-test","auth":""}""", "ann", Secret, null, null)]
    [InlineData("""{"auth":"YW5uOmE6Yg=="}""", "ann", "a:b", null, null)]
    [InlineData("""{"auth":"YW5uOg==","identitytoken":"idt"}""", "ann", "", "idt", null)]
    [InlineData("""{"identitytoken":"idt","email":7}""", null, null, "idt", null)]
    [InlineData("""{"registrytoken":"rt"}""", null, null, null, "rt")]
    [InlineData("""{"auth":"YW5uOmE6Yg==","username":"other","password":"x"}""", "ann", "a:b", null, null)]
    [InlineData("""{"auth":null,"registrytoken":"rt"}""", null, null, null, "rt")]
    public async Task Forms_of_an_entry(string entry, string? user, string? password, string? identity, string? token)
    {
        _place.Docker($$$$"""{"auths":{"registry.example.com":{{{{entry}}}}}}""");
        var credential = await _place.FindAsync("registry.example.com");
        Assert.Equal((user, password, identity, token), (credential!.UserName, credential.Password, credential.IdentityToken, credential.RegistryToken));
    }

    [Theory]
    [InlineData("""{"auths":{"registry.example.com":{}}}""")]
    [InlineData("""{"auths":{"registry.example.com":null}}""")]
    [InlineData("""{"auths":null,"credHelpers":null,"credsStore":null}""")]
    [InlineData("""{"auths":{"other.example.com":{"auth":"%%%"}, "\ud800": 5}, "\ud800": 7, "credHelpers":{"other.example.com":5}}""")]
    [InlineData("""{"credsStore":""}""")]
    [InlineData("")]
    [InlineData(" \r\n\t")]
    public async Task Files_with_nothing_for_this_registry(string json)
    {
        _place.Docker(json);
        Assert.Null(await _place.FindAsync("registry.example.com"));
    }

    [Theory]
    [InlineData("""{"auths": s3cr3t-Pa55word-of-the-test}""", "is not JSON (line 1, byte")]
    [InlineData("""{"auths":{"registry.example.com":{"auth":"s3cr3t-Pa55word-of-the-test""", "is not JSON")]
    [InlineData("""["s3cr3t-Pa55word-of-the-test"]""", "not a JSON object but Array")]
    [InlineData("""{"auths":"s3cr3t-Pa55word-of-the-test"}""", "auths is not an object")]
    [InlineData("""{"credHelpers":["s3cr3t-Pa55word-of-the-test"]}""", "credHelpers is not an object")]
    [InlineData("""{"credHelpers":{"registry.example.com":["s3cr3t-Pa55word-of-the-test"]}}""", "is not a string but Array")]
    [InlineData("""{"credsStore":{"a":"s3cr3t-Pa55word-of-the-test"}}""", "credsStore is not a string")]
    [InlineData("""{"auths":{"registry.example.com":"s3cr3t-Pa55word-of-the-test"}}""", "auths 'registry.example.com' is not an object")]
    [InlineData("""{"auths":{"registry.example.com":{"auth":"s3cr3t-Pa55word-of-the-test"}}}""", "not the base64")]
    [InlineData("""{"auths":{"registry.example.com":{"auth":"czNjcjN0"}}}""", "user:password")]
    [InlineData("""{"auths":{"registry.example.com":{"auth":"OnBhc3M="}}}""", "user:password")]
    [InlineData("""{"auths":{"registry.example.com":{"auth":"YTr//w=="}}}""", "not the base64 of a text")]
    [InlineData("""{"auths":{"registry.example.com":{"auth":["s3cr3t-Pa55word-of-the-test"]}}}""", "auth is not a string")]
    [InlineData("""{"auths":{"registry.example.com":{"registrytoken":"s3cr3t-Pa55word-of-the-test\n"}}}""", "registrytoken")]
    [InlineData("""{"auths":{"registry.example.com":{"password":"\ud800"}}}""", "not valid Unicode")]
    public async Task A_broken_file_is_named_and_not_quoted(string json, string what)
    {
        _place.Docker(json);
        var error = await Assert.ThrowsAsync<CredentialException>(() => _place.FindAsync("registry.example.com"));
        Assert.Contains("config.json", error.Message);
        Assert.Contains(what, error.Message);
        Assert.DoesNotContain("s3cr3t", error.ToString());
    }

    [Fact]
    public async Task A_byte_order_mark_is_passed_over()
    {
        _place.Docker("\ufeff" + $$$$"""{"auths":{"registry.example.com":{"auth":"{{{{CredentialPlace.Auth("ann", Secret)}}}}"}}}""");
        Assert.Equal("ann", (await _place.FindAsync("registry.example.com"))!.UserName);
    }

    [Fact]
    public async Task A_file_that_is_too_large_or_no_file_is_an_error()
    {
        _place.Docker("{}");
        using (var stream = File.OpenWrite(_place.DockerFile)) stream.SetLength(DockerConfigFile.MaximumSize + 1);
        Assert.Contains("larger than", (await Assert.ThrowsAsync<CredentialException>(() => _place.FindAsync("registry.example.com"))).Message);
        File.Delete(_place.DockerFile);
        Directory.CreateDirectory(_place.DockerFile);
        Assert.Contains("can't be read", (await Assert.ThrowsAsync<CredentialException>(() => _place.FindAsync("registry.example.com"))).Message);
    }

    [Fact]
    public async Task DOCKER_CONFIG_is_a_directory_and_replaces_the_home()
    {
        _place.Docker($$$$"""{"auths":{"registry.example.com":{"auth":"{{{{CredentialPlace.Auth("home", "x")}}}}"}}}""");
        _place.Write("elsewhere/config.json", $$$$"""{"auths":{"registry.example.com":{"auth":"{{{{CredentialPlace.Auth("ann", Secret)}}}}"}}}""");
        _place.Variables["DOCKER_CONFIG"] = Path.Combine(_place.Root, "elsewhere");
        Assert.Equal("ann", (await _place.FindAsync("registry.example.com"))!.UserName);
    }

    [Fact]
    public async Task Podman_the_most_specific_key_wins()
    {
        _place.Write("home/.config/containers/auth.json", $$$$"""
            {"auths":{
                "quay.io":{"auth":"{{{{CredentialPlace.Auth("host", "x")}}}}"},
                "quay.io/team":{"auth":"{{{{CredentialPlace.Auth("team", "x")}}}}"},
                "quay.io/team/app/one":{"auth":"{{{{CredentialPlace.Auth("one", "x")}}}}"},
                "quay.io/v2":{"auth":"{{{{CredentialPlace.Auth("v2", "x")}}}}"}
            }}
            """);
        Assert.Equal("host", (await _place.FindAsync("quay.io"))!.UserName);
        Assert.Equal("host", (await _place.FindAsync("quay.io", "teamwork/app"))!.UserName);
        Assert.Equal("team", (await _place.FindAsync("quay.io", "team"))!.UserName);
        Assert.Equal("team", (await _place.FindAsync("quay.io", "team/app"))!.UserName);
        Assert.Equal("team", (await _place.FindAsync("quay.io/team", "app"))!.UserName);
        Assert.Equal("team", (await _place.FindAsync("quay.io", "team/app/two"))!.UserName);
        var one = await _place.FindAsync("quay.io", "team/app/one/deep");
        Assert.Equal(("one", "~/.config/containers/auth.json: auths 'quay.io/team/app/one'"), (one!.UserName, one.Source));
        Assert.Null(await _place.FindAsync("other.io", "team"));
    }

    [Theory]
    [InlineData("quay.io/v2", "quay.io", null, false)]
    [InlineData("https://quay.io/v2/", "quay.io", null, true)]
    [InlineData("docker.io", "registry-1.docker.io", "library/nginx", true)]
    [InlineData("https://index.docker.io/v1/", "docker.io", "library/nginx", true)]
    [InlineData("docker.io/library", "docker.io", "library/nginx", true)]
    [InlineData("docker.io/library", "registry-1.docker.io", "library/nginx", true)]
    [InlineData("docker.io/library", "docker.io", "other/nginx", false)]
    public async Task Podman_keys(string key, string address, string? repository, bool found)
    {
        _place.Write("home/.config/containers/auth.json", $$$$"""{"auths":{"{{{{key}}}}":{"auth":"{{{{CredentialPlace.Auth("ann", Secret)}}}}"}}}""");
        Assert.Equal(found ? "ann" : null, (await _place.FindAsync(address, repository))?.UserName);
    }

    [Fact]
    public async Task The_files_in_their_order()
    {
        string Json(string user) => $$$$"""{"auths":{"quay.io":{"auth":"{{{{CredentialPlace.Auth(user, Secret)}}}}"}}}""";

        _place.Write("home/.config/containers/auth.json", Json("config"));
        Assert.Equal("config", (await _place.FindAsync("quay.io"))!.UserName);
        _place.Variables["XDG_CONFIG_HOME"] = Path.Combine(_place.Root, "xdg");
        _place.Write("xdg/containers/auth.json", Json("xdg"));
        Assert.Equal("xdg", (await _place.FindAsync("quay.io"))!.UserName);
        if (CredentialPaths.UserId() is { } user)
        {
            _place.Write($"run/containers/{user}/auth.json", Json("uid"));
            Assert.Equal("uid", (await _place.FindAsync("quay.io"))!.UserName);
        }

        _place.Variables["XDG_RUNTIME_DIR"] = Path.Combine(_place.Root, "runtime");
        Assert.Equal("xdg", (await _place.FindAsync("quay.io"))!.UserName);
        _place.Write("runtime/containers/auth.json", Json("runtime"));
        Assert.Equal("runtime", (await _place.FindAsync("quay.io"))!.UserName);
        _place.Variables["REGISTRY_AUTH_FILE"] = Path.Combine(_place.Root, "named.json");
        Assert.Null(await _place.FindAsync("quay.io"));
        _place.Write("named.json", Json("named"));
        Assert.Equal("named", (await _place.FindAsync("quay.io"))!.UserName);
        _place.Docker(Json("docker"));
        Assert.Equal("docker", (await _place.FindAsync("quay.io"))!.UserName);
    }

    [Fact]
    public void The_registries_that_the_files_name_are_listed_without_asking_a_helper()
    {
        _place.Helper("listed", "echo '{}'");
        _place.Docker($$$$"""
            {"auths":{"https://index.docker.io/v1/":{"auth":"{{{{CredentialPlace.Auth("ann", Secret)}}}}"},"https://index.docker.io/v1/refresh-token":{},"registry.example.com:5000":5,"https://old.example.com/v1/":{},"http://plain.example.com/v2/":{},
             "ann:{{{{Secret}}}}@bad.example.com":{},"no host":{},"":{},"\ud800":{}},"credHelpers":{"GCR.io":"listed"},"credsStore":"listed"}
            """);
        _place.Variables["REGISTRY_AUTH_FILE"] = _place.Write("auth.json", """{"auths":{"quay.io/team/app":{},"docker.io":{},"[::1]:5000":{}}}""");
        Assert.Equal(["docker.io", "registry.example.com:5000", "old.example.com", "http://plain.example.com", "gcr.io", "quay.io", "[::1]:5000"], new CredentialFinder(_place.Options).ListRegistries());
        Assert.Equal(string.Empty, _place.Verbs("listed"));

        _place.Docker("{ \"auths\": " + Secret);
        Assert.Equal(["quay.io", "docker.io", "[::1]:5000"], new CredentialFinder(_place.Options).ListRegistries());
        _place.Variables["DOCKER_CONFIG"] = _place.Variables["REGISTRY_AUTH_FILE"] = Path.Combine(_place.Root, "nothing");
        Assert.Empty(new CredentialFinder(_place.Options).ListRegistries());
    }

    [Fact]
    public async Task Without_a_home_there_is_nothing_to_find()
    {
        var options = new CredentialOptions { EnvironmentVariable = _ => null, HomeDirectory = string.Empty, RunDirectory = null };
        Assert.Null(await new CredentialFinder(options).FindAsync(RegistryTools.References.RegistryAddress.Parse("quay.io")));
    }
}
