using System.Net;
using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Tests.Servers;
using RegistryTools.Transport.Proxies;
using Xunit;

namespace RegistryTools.Tests.Transport;

public sealed class ProxyTests
{
    private const string Password = "p4ss w@rd";
    private const string Escaped = "p4ss%20w%40rd";
    private readonly CollectingLog _log = new();

    // What golang.org/x/net/http/httpproxy makes of it, whose rules Docker follows.
    [Theory]
    [InlineData("example.com", "https://example.com", true)]
    [InlineData("example.com", "https://registry.example.com", true)]
    [InlineData("example.com", "https://badexample.com", false)]
    [InlineData("example.com", "https://example.com.evil.org", false)]
    [InlineData(".example.com", "https://registry.example.com", true)]
    [InlineData(".example.com", "https://example.com", false)]
    [InlineData("*.example.com", "https://registry.example.com", true)]
    [InlineData("*.example.com", "https://example.com", false)]
    [InlineData(" EXAMPLE.com , other.org", "https://Example.COM", true)]
    [InlineData("example.com:443", "https://example.com", true)]
    [InlineData("example.com:443", "https://example.com:5000", false)]
    [InlineData(".example.com:5000", "http://a.example.com:5000", true)]
    [InlineData("*", "https://anything.org", true)]
    [InlineData("a.org,*", "https://anything.org", true)]
    [InlineData("10.0.0.0/8", "https://10.1.2.3", true)]
    [InlineData("10.0.0.0/8", "https://11.1.2.3", false)]
    [InlineData("10.0.0.0/8", "https://registry.example.com", false)]
    [InlineData("192.168.1.128/25", "https://192.168.1.200:5000", true)]
    [InlineData("192.168.1.128/25", "https://192.168.1.100:5000", false)]
    [InlineData("0.0.0.0/0", "https://8.8.8.8", true)]
    [InlineData("fd00::/8", "https://[fd12:3456::1]:5000", true)]
    [InlineData("fd00::/8", "https://[fe80::1]", false)]
    [InlineData("10.1.2.3", "https://10.1.2.3", true)]
    [InlineData("10.1.2.3:5000", "https://10.1.2.3", false)]
    [InlineData("10.1.2.3:5000", "https://10.1.2.3:5000", true)]
    [InlineData("[2001:db8::1]:5000", "https://[2001:db8::1]:5000", true)]
    [InlineData("2001:db8::1", "https://[2001:db8:0::1]", true)]
    [InlineData("", "https://localhost:5000", true)]
    [InlineData("", "https://127.1.2.3", true)]
    [InlineData("", "https://[::1]:5000", true)]
    [InlineData("", "https://registry.localhost", true)]
    [InlineData("", "https://localhost.example.com", false)]
    [InlineData("10.0.0.0/99,example.com:x,:80,,/8,[::1", "https://example.com", false)]
    [InlineData("1", "https://0.0.0.2", false)]
    public void No_proxy_is_read_as_docker_reads_it(string list, string address, bool direct) => Assert.Equal(direct, new NoProxyList(list).Contains(new Uri(address)));

    [Theory]
    [InlineData("https://r.test", "http://one:3128/", "HTTPS_PROXY=http://one:3128", "HTTP_PROXY=http://two:3128")]
    [InlineData("http://r.test", "http://two:3128/", "HTTPS_PROXY=http://one:3128", "HTTP_PROXY=http://two:3128")]
    [InlineData("https://r.test", "http://low:3128/", "https_proxy=low:3128")]
    [InlineData("https://r.test", "http://up:3128/", "https_proxy=http://low:3128", "HTTPS_PROXY=http://up:3128")]
    [InlineData("https://r.test", "http://all:1/", "ALL_PROXY=http://all:1")]
    [InlineData("https://r.test", "http://all:1/", "all_proxy=all:1", "HTTPS_PROXY=")]
    [InlineData("https://r.test", "http://one/", "ALL_PROXY=http://all:1", "HTTPS_PROXY=http://one")]
    [InlineData("https://r.test", "socks5://s:1080/", "ALL_PROXY=socks5://s")]
    [InlineData("https://r.test", null, "HTTP_PROXY=http://two:3128")]
    [InlineData("https://r.test", null, "HTTPS_PROXY=http://one:3128", "no_proxy=r.test")]
    [InlineData("https://r.test", "http://one:3128/", "HTTPS_PROXY=http://one:3128", "NO_PROXY=other", "no_proxy=r.test")]
    [InlineData("https://localhost", null, "HTTPS_PROXY=http://one:3128")]
    [InlineData("http://r.test", null, "HTTP_PROXY=http://evil:1", "REQUEST_METHOD=GET")]
    [InlineData("http://r.test", "http://low:1/", "HTTP_PROXY=http://evil:1", "http_proxy=http://low:1", "REQUEST_METHOD=GET")]
    [InlineData("https://r.test", "http://one:3128/", "HTTPS_PROXY=http://user:secret@one:3128/path?secret")]
    public void The_environment_says_which_proxy(string registry, string? proxy, params string[] environment)
    {
        var choice = ProxyChoice.For(new Uri(registry), new HttpRegistryOptions { Environment = From(environment) });
        Assert.Equal(proxy, choice?.GetProxy(new Uri(registry))?.AbsoluteUri);
        Assert.Equal(proxy is null, choice?.IsBypassed(new Uri(registry)) ?? true);
    }

    [Theory]
    [InlineData("ftp://user:s3cret@x")]
    [InlineData("http://user:s3cret@:x:y")]
    [InlineData("http://")]
    [InlineData("http://us er:s3cret@[")]
    public async Task What_is_no_proxy_s_address_is_an_error_that_does_not_show_it(string value)
    {
        var error = await Assert.ThrowsAnyAsync<RegistryToolsException>(() => ConnectAsync("https://registry.test", "HTTPS_PROXY=" + value));
        Assert.Contains("HTTPS_PROXY", error.Message);
        Assert.DoesNotContain("s3cret", error.ToString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Https_goes_through_a_proxy_to_the_end(bool named)
    {
        using var authority = new TestAuthority();
        await using var server = await SocketRegistry.StartAsync(authority.Server(["registry.test"]));
        await using var proxy = new ProxyServer(server.Port, "user:" + Password);
        using var registry = await HttpRegistry.ConnectAsync(RegistryAddress.Parse("registry.test"), new HttpRegistryOptions
        {
            CertificateAuthorities = [authority.Certificate],
            CertificateDirectories = [],
            Proxy = named ? new Uri($"http://127.0.0.1:{proxy.Port}") : null,
            ProxyCredential = named ? new NetworkCredential("user", Password) : null,
            Environment = named ? From([]) : From([$"HTTPS_PROXY=http://user:{Escaped}@127.0.0.1:{proxy.Port}"]),
            Log = _log,
        });
        Assert.Equal("HTTP/2", Assert.Single(server.Requests).Protocol);
        Assert.DoesNotContain("Proxy-Authorization", server.Requests[0].Headers.Keys, StringComparer.OrdinalIgnoreCase);
        Assert.Contains("CONNECT registry.test:443 HTTP/1.1", proxy.Requests);
        AssertNoSecrets();
    }

    [Fact]
    public async Task Http_goes_through_a_proxy_with_its_user_and_password()
    {
        await using var proxy = new ProxyServer(login: "user:" + Password);
        using var registry = await ConnectAsync("http://registry.test:5000", $"http_proxy=user:{Escaped}@127.0.0.1:{proxy.Port}");
        Assert.Contains("GET http://registry.test:5000/v2/ HTTP/1.1", proxy.Requests);
        AssertNoSecrets();
    }

    [Fact]
    public async Task What_is_on_this_machine_is_reached_without_whatever_the_environment_says()
    {
        await using var server = await SocketRegistry.StartAsync();
        await using var proxy = new ProxyServer();
        using var registry = await ConnectAsync($"http://127.0.0.1:{server.Port}", $"HTTP_PROXY=http://127.0.0.1:{proxy.Port}", $"ALL_PROXY=http://127.0.0.1:{proxy.Port}");
        Assert.Single(server.Requests);
        Assert.Empty(proxy.Requests);
    }

    [Theory]
    [InlineData("https")]
    [InlineData("http")]
    public async Task A_proxy_that_is_not_there_is_named_without_its_password(string scheme)
    {
        var port = Processes.FreePort();
        var error = await Assert.ThrowsAsync<RegistryProxyException>(() => ConnectAsync(scheme + "://registry.test", $"ALL_PROXY=http://user:{Escaped}@127.0.0.1:{port}"));
        Assert.Contains($"The proxy http://127.0.0.1:{port} (from ALL_PROXY) could not be reached, and so not registry.test", error.Message);
        Assert.Contains("refused", error.Message);
        Assert.Equal(new Uri($"http://127.0.0.1:{port}"), error.Proxy);
        AssertNoSecrets(error);
    }

    [Theory]
    [InlineData("https", "", "wants a user and a password")]
    [InlineData("http", "", "wants a user and a password")]
    [InlineData("https", "user:wrong-s3cret@", "does not accept the user and password")]
    [InlineData("http", "user:wrong-s3cret@", "does not accept the user and password")]
    public async Task A_proxy_that_does_not_know_who_asks_is_told_and_is_not_asked_again(string scheme, string login, string said)
    {
        await using var proxy = new ProxyServer(login: "user:" + Password);
        var error = await Assert.ThrowsAsync<RegistryProxyException>(() => ConnectAsync(scheme + "://registry.test", $"ALL_PROXY=http://{login}127.0.0.1:{proxy.Port}"));
        Assert.Contains(said, error.Message);
        Assert.Contains($"http://127.0.0.1:{proxy.Port}", error.Message);
        Assert.DoesNotContain("s3cret", error + error.Remedy);
        AssertNoSecrets(error);
        Assert.InRange(proxy.Requests.Count, 1, 2);
    }

    [Theory]
    [InlineData(403, "does not let anybody through to registry.test")]
    [InlineData(502, "did not make the way to registry.test:443: it answered 502 Bad Gateway")]
    public async Task A_proxy_that_makes_no_way_is_told_with_its_answer(int status, string said)
    {
        await using var proxy = new ProxyServer(status: status);
        var error = await Assert.ThrowsAsync<RegistryProxyException>(() => ConnectAsync("https://registry.test:443", $"HTTPS_PROXY=http://user:{Escaped}@127.0.0.1:{proxy.Port}"));
        Assert.Contains(said.Replace(":443", string.Empty), error.Message);
        AssertNoSecrets(error);
    }

    [Fact]
    public async Task No_proxy_at_all_can_be_said()
    {
        await using var proxy = new ProxyServer();
        var options = new HttpRegistryOptions { NoProxy = true, Environment = From([$"ALL_PROXY=http://127.0.0.1:{proxy.Port}"]), RetryCount = 0 };
        Assert.Null(ProxyChoice.For(new Uri("http://registry.test"), options));
        await Assert.ThrowsAsync<RegistryUnreachableException>(() => HttpRegistry.ConnectAsync(RegistryAddress.Parse("http://registry.invalid"), options));
        Assert.Empty(proxy.Requests);
    }

    private static Func<string, string?> From(string[] environment) => name => environment.Where(line => line.StartsWith(name + "=", StringComparison.Ordinal)).Select(line => line[(name.Length + 1)..]).FirstOrDefault();

    private Task<HttpRegistry> ConnectAsync(string address, params string[] environment) => HttpRegistry.ConnectAsync(
        RegistryAddress.Parse(address),
        new HttpRegistryOptions { Environment = From(environment), CertificateDirectories = [], RetryCount = 1, RetryDelay = TimeSpan.FromMilliseconds(1), Log = _log });

    private void AssertNoSecrets(RegistryRequestException? error = null)
    {
        var told = string.Join('\n', _log.Lines) + error + error?.Remedy;
        Assert.DoesNotContain(Password, told);
        Assert.DoesNotContain(Escaped, told);
        Assert.DoesNotContain(Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes("user:" + Password)), told);
    }
}
