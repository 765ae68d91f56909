using System.Security.Cryptography;
using System.Text;
using RegistryTools.Containers;
using RegistryTools.Errors;
using Xunit;

namespace RegistryTools.Tests.Containers;

/// <summary>The engine is found where Docker's own client would find it.</summary>
public sealed class DockerEndpointTests : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("rt-docker-").FullName;
    private readonly Dictionary<string, string?> _environment = [];
    private readonly HashSet<string> _sockets = [];

    public void Dispose() => Directory.Delete(_home, recursive: true);

    [SkippableFact]
    public void What_is_given_goes_before_the_environment_and_that_before_the_context()
    {
        Skip.If(OperatingSystem.IsWindows(), "There the usual place is a pipe.");
        _sockets.Add("/run/podman/podman.sock");
        Assert.Equal("unix:///run/podman/podman.sock", Find());
        _sockets.Add("/var/run/docker.sock");
        Assert.Equal("unix:///var/run/docker.sock", Find());
        Context("far", "tcp://far:2376");
        File.WriteAllText(Path.Combine(_home, ".docker", "config.json"), """{"currentContext":"far"}""");
        Assert.Equal("tcp://far:2376/", Find());
        Context("near", "unix:///near.sock");
        _environment["DOCKER_CONTEXT"] = "near";
        Assert.Equal("unix:///near.sock", Find());
        _environment["DOCKER_HOST"] = "tcp://10.0.0.1:2375";
        Assert.Equal("tcp://10.0.0.1:2375/", Find());
        Assert.Equal("tcp://far:2376/", Find("far"));
        Assert.Equal("npipe://./pipe/docker_engine", Find("npipe:////./pipe/docker_engine"));
    }

    [Fact]
    public void Certificates_are_those_of_the_environment_or_of_the_context()
    {
        _environment["DOCKER_TLS_VERIFY"] = "1";
        _environment["DOCKER_CERT_PATH"] = "/certs";
        _environment["DOCKER_HOST"] = "tcp://10.0.0.1:2376";
        Assert.Equal("/certs", Endpoint(null).CertificateDirectory);
        Context("far", "tcp://far:2376");
        var tls = Path.Combine(_home, ".docker", "contexts", "tls", Id("far"), "docker");
        Directory.CreateDirectory(tls);
        Assert.Equal(tls, Endpoint("far").CertificateDirectory);
        Assert.Null(Endpoint("unix:///x").CertificateDirectory);
    }

    [Theory]
    [InlineData("ssh://host", "ssh")]
    [InlineData("ftp://host", "no address")]
    [InlineData("nowhere", "no context")]
    [InlineData("broken", "names no Docker host")]
    public void What_can_not_be_used_is_told(string given, string told)
    {
        Context("broken", null);
        Assert.Contains(told, Assert.Throws<RegistryRuntimeException>(() => Find(given)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tcp://user:s3cret@10.0.0.1:2376")]
    [InlineData("http://s3cret@10.0.0.1:2376")]
    [InlineData("ftp://user:s3cret@10.0.0.1")]
    [InlineData("ssh://user:s3cret@10.0.0.1")]
    public void A_password_in_an_address_is_not_told(string given)
    {
        var error = Record.Exception(() => Assert.DoesNotContain("s3cret", Find(given), StringComparison.Ordinal));
        Assert.DoesNotContain("s3cret", error?.Message ?? string.Empty, StringComparison.Ordinal);
        Assert.True(error is null or RegistryRuntimeException);
    }

    [Fact]
    public void What_is_left_out_is_what_Docker_s_own_client_puts_there()
    {
        Assert.Equal("tcp://10.0.0.1:2375/", Find("tcp://10.0.0.1"));
        _environment["DOCKER_TLS_VERIFY"] = "1";
        Assert.Equal("tcp://10.0.0.1:2376/", Find("tcp://10.0.0.1"));
        _sockets.Add("/var/run/docker.sock");
        Context("far", "tcp://far:2376");
        _environment["DOCKER_CONTEXT"] = "far";
        if (!OperatingSystem.IsWindows()) Assert.Equal("unix:///var/run/docker.sock", Find("default"));
    }

    [SkippableFact]
    public void Where_there_is_none_the_places_are_named()
    {
        Skip.If(OperatingSystem.IsWindows(), "There the usual place is a pipe.");
        Assert.Contains("/run/podman/podman.sock", Assert.Throws<RegistryRuntimeException>(() => Find()).Message, StringComparison.Ordinal);
    }

    private static string Id(string name) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name)));

    private void Context(string name, string? host)
    {
        var directory = Path.Combine(_home, ".docker", "contexts", "meta", Id(name));
        Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(directory, "meta.json"), host is null ? "{}" : "{\"Name\":\"" + name + "\",\"Endpoints\":{\"docker\":{\"Host\":\"" + host + "\"}}}");
    }

    private DockerEndpoint Endpoint(string? given) => DockerEndpoint.Find(given, name => _environment.GetValueOrDefault(name), _home, _sockets.Contains);

    private string Find(string? given = null) => Endpoint(given).Address.ToString();
}
