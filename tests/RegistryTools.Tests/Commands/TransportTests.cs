using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using RegistryTools.Tests.Servers;

namespace RegistryTools.Cmdlets.Tests.Commands;

/// <summary>What a user sees of TLS, of proxies, of limits and of a registry that is down.</summary>
public sealed class TransportTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-transport-").FullName;
    private readonly TestAuthority _authority = new();
    private readonly ModuleSession _session = new();

    public void Dispose()
    {
        _session.Dispose();
        _authority.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task An_authority_of_ones_own_is_named_or_the_check_is_left_out_with_a_warning()
    {
        await using var registry = await SocketRegistry.StartAsync(_authority.Server(), answer: Tags);
        var address = "https://localhost:" + registry.Port.ToString(CultureInfo.InvariantCulture);
        var error = _session.Invoke($"Connect-Registry {address} -RetryCount 0").Fail("CertificateNotTrusted");
        Assert.Contains("-CertificateAuthority", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Empty(registry.Requests);

        _session.Invoke($"Connect-Registry {address} -CertificateAuthority '{Write("ca.pem", _authority.Pem)}' -Name own").Succeed();
        Assert.Equal("T11", _session.Invoke("Get-RegistryTag i1").Succeed().Texts("Name"));
        Assert.All(registry.Requests, request => Assert.Equal("HTTP/2", request.Protocol));

        var blind = _session.Invoke($"Connect-Registry {address} -SkipCertificateCheck -Name blind").Succeed();
        Assert.Contains(blind.Warnings, warning => warning.Contains("not checked", StringComparison.Ordinal));
        Assert.Equal("T11", _session.Invoke("Get-RegistryTag i1 -Registry blind").Succeed().Texts("Name"));

        // An authority that is none is told by its file, and no connection is tried.
        _session.Invoke($"Connect-Registry {address} -CertificateAuthority '{Write("no.pem", "nothing")}'").Fail("CertificateInvalid");
    }

    [Fact]
    public async Task A_client_certificate_from_files_and_as_an_object()
    {
        using var clients = new TestAuthority("CN=Clients");
        using var client = clients.Client();
        await using var registry = await SocketRegistry.StartAsync(_authority.Server(), clients: ClientCertificateMode.RequireCertificate, acceptClient: one => one.Issuer == "CN=Clients", answer: Tags);
        var connect = $"Connect-Registry https://localhost:{registry.Port} -CertificateAuthority '{Write("ca.pem", _authority.Pem)}' -RetryCount 0 ";

        // Depending on who is faster, the handshake fails or the connection is cut after it: either way it is told what is missing.
        Assert.Contains("-Certificate", Assert.Single(_session.Invoke(connect).Errors).Exception.Message, StringComparison.Ordinal);
        using var key = client.GetECDsaPrivateKey()!;
        var certificate = Write("client.cert", client.ExportCertificatePem());
        _session.Invoke(connect + $"-CertificatePath '{certificate}'").Fail("CertificateInvalid");
        _session.Invoke(connect + $"-CertificatePath '{certificate}' -CertificateKeyPath '{Write("client.key", key.ExportPkcs8PrivateKeyPem())}'").Succeed();
        var pfx = Path.Combine(_directory, "client.pfx");
        await File.WriteAllBytesAsync(pfx, client.Export(X509ContentType.Pfx, "pass-word-0815"));
        const string secret = "$s = [securestring]::new(); 'pass-word-0815'.ToCharArray() | % { $s.AppendChar($_) }; ";
        var wrong = _session.Invoke(secret.Replace("0815", "0816") + connect + $"-CertificatePath '{pfx}' -CertificatePassword $s").Fail("CertificateInvalid");
        Assert.DoesNotContain("0816", wrong.Exception.ToString(), StringComparison.Ordinal);
        _session.Invoke(secret + connect + $"-CertificatePath '{pfx}' -CertificatePassword $s").Succeed();
        _session.Invoke(connect + "-Certificate $own", ("own", client)).Succeed();
        Assert.All(registry.Requests, request => Assert.Equal("CN=client", request.ClientCertificate));
    }

    [Fact]
    public async Task A_registry_that_goes_down_gives_one_error_and_not_a_thousand()
    {
        await using var registry = await ScriptedRegistry.StartAsync();
        registry.AddImage("i1", "T11");
        _session.Invoke($"Connect-Registry http://{registry.Address} -RetryCount 0").Succeed();
        registry.Before = context =>
        {
            context.Abort();
            return Task.FromResult(true);
        };
        var asked = registry.Requests.Count;
        var result = _session.Invoke("1..1000 | % { \"i1:t$_\" } | Get-RegistryTag -ErrorVariable e -ErrorAction SilentlyContinue; $e.Count; @($e | ? FullyQualifiedErrorId -like 'RegistryDown*').Count");
        Assert.InRange((int)result.Output[0].BaseObject, 2, 8);
        Assert.Equal(1, result.Output[1].BaseObject);
        Assert.Contains("more were not asked for", result.Warnings[^1], StringComparison.Ordinal);
        Assert.InRange(registry.Requests.Count - asked, 5, 20);
    }

    [Fact]
    public async Task How_much_a_registry_may_be_asked_is_seen_on_the_connection()
    {
        await using var registry = await ScriptedRegistry.StartAsync();
        registry.AddImage("i1", "T11");
        registry.Before = context =>
        {
            context.Response.Headers["ratelimit-limit"] = "100;w=21600";
            context.Response.Headers["ratelimit-remaining"] = "97;w=21600";
            return Task.FromResult(false);
        };
        _session.Invoke($"Connect-Registry http://{registry.Address}; $null = Get-RegistryTag i1").Succeed();
        Assert.Equal("97 of 100 left", _session.Invoke("[string](Get-RegistryConnection).RateLimit").Succeed().Output[0].ToString());
        Assert.Equal("6", _session.Invoke("[string](Get-RegistryConnection).RateLimit.Window.TotalHours").Succeed().Output[0].ToString());
    }

    [Fact]
    public void A_proxy_that_is_not_there_is_named_without_its_password()
    {
        var port = FreePort();
        var error = _session.Invoke($"Connect-Registry https://registry.invalid -Proxy http://someone:pass-word-0815@127.0.0.1:{port} -RetryCount 0 -Verbose -Debug").Fail("ProxyFailed");
        Assert.Contains(port, error.Exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("0815", error.Exception + error.TargetObject?.ToString(), StringComparison.Ordinal);
    }

    private static async Task Tags(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync("""{"name":"i1","tags":["T11"]}""");
    }

    private static string FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_directory, name);
        File.WriteAllText(path, text);
        return path;
    }
}
