using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Tests.Servers;
using RegistryTools.Transport.Tls;
using Xunit;

namespace RegistryTools.Tests.Transport;

/// <summary>TLS over real sockets, with certificates made for each test.</summary>
public sealed class TlsTests : IDisposable
{
    private const string Secret = "s3cret-p4ss";
    private readonly string _directory = Path.Combine(Path.GetTempPath(), "rt-tls-" + Guid.NewGuid().ToString("N"));
    private readonly TestAuthority _authority = new();
    private readonly CollectingLog _log = new();

    public TlsTests() => Directory.CreateDirectory(_directory);

    public void Dispose()
    {
        _authority.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_registry_of_an_own_authority_is_reached_over_http2_with_the_authority_in_a_file()
    {
        await using var server = await SocketRegistry.StartAsync(_authority.Server());
        using var registry = await ConnectAsync(server, new() { CertificateAuthorityFiles = [Write("ca.pem", "A comment before it.\n" + _authority.Pem)] });
        Assert.True(registry.IsEncrypted);
        Assert.Equal("HTTP/2", Assert.Single(server.Requests).Protocol);
        Assert.DoesNotContain(_log.Lines, line => line.StartsWith("WARNING", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_authority_may_be_loaded_already_or_stand_in_a_file_as_DER_or_among_others()
    {
        await using var server = await SocketRegistry.StartAsync(_authority.Server());
        using var other = new TestAuthority("CN=Other");
        using (await ConnectAsync(server, new() { CertificateAuthorities = [other.Certificate, _authority.Certificate] }))
        {
        }

        var der = Path.Combine(_directory, "ca.der");
        await File.WriteAllBytesAsync(der, _authority.Certificate.RawData);
        using (await ConnectAsync(server, new() { CertificateAuthorityFiles = [der] }))
        {
        }

        using (await ConnectAsync(server, new() { CertificateAuthorityFiles = [Write("bundle.pem", other.Pem + "\r\n" + _authority.Pem)] }))
        {
        }
    }

    [Fact]
    public async Task An_unknown_authority_is_told_with_its_name_and_what_to_do_and_is_not_tried_again()
    {
        await using var server = await SocketRegistry.StartAsync(_authority.Server());
        using var other = new TestAuthority("CN=Another");
        foreach (var options in new[] { new HttpRegistryOptions(), new HttpRegistryOptions { CertificateAuthorities = [other.Certificate] } })
        {
            var before = server.Connections;
            var error = await FailsAsync(server, options, TlsFailure.UntrustedIssuer);
            Assert.Contains($"The certificate of localhost is not trusted: its issuer, CN=Test Authority,", error.Message);
            Assert.Contains($"-CertificateAuthority ca.pem, or put it in /etc/docker/certs.d/localhost:{server.Port}/ca.crt", error.Remedy);
            Assert.Equal(before + 1, server.Connections);
        }

        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task Another_authority_of_the_same_name_does_not_vouch_for_it()
    {
        await using var server = await SocketRegistry.StartAsync(_authority.Server());
        using var impostor = new TestAuthority();
        var error = await FailsAsync(server, new() { CertificateAuthorities = [impostor.Certificate] }, null);
        Assert.NotEqual(TlsFailure.NameMismatch, error.Failure);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_certificate_that_is_no_authority_s_does_not_vouch_for_another()
    {
        // What a server shows is vouched for by a certificate that is trusted as it is, and is no authority.
        using var leaf = _authority.Server();
        using var key = leaf.GetECDsaPrivateKey()!;
        var request = new CertificateRequest("CN=forged", ECDsa.Create(ECCurve.NamedCurves.nistP256) is var own ? own : null!, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(leaf.SubjectName, X509SignatureGenerator.CreateForECDsa(key), DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1), [1, 2, 3]);
        using var forged = issued.CopyWithPrivateKey(own);
        await using var server = await SocketRegistry.StartAsync(X509CertificateLoader.LoadPkcs12(forged.Export(X509ContentType.Pfx), null));
        await FailsAsync(server, new() { CertificateAuthorities = [leaf] }, null);
        await FailsAsync(server, new() { CertificateAuthorities = [_authority.Certificate, leaf] }, null);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_self_signed_certificate_is_trusted_where_it_is_given_and_named_where_not()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=own", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var own = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using var server = await SocketRegistry.StartAsync(own);
        using (await ConnectAsync(server, new() { CertificateAuthorityFiles = [Write("ca.crt", own.ExportCertificatePem())] }))
        {
        }

        var error = await FailsAsync(server, new(), TlsFailure.UntrustedIssuer);
        Assert.Contains("it is self-signed (CN=own)", error.Message);
    }

    [Fact]
    public async Task What_is_issued_by_an_intermediate_is_trusted_by_the_root_or_by_the_intermediate()
    {
        using var middle = new TestAuthority("CN=Middle", _authority);
        var chain = new X509Certificate2Collection { middle.Certificate };
        await using var server = await SocketRegistry.StartAsync(middle.Server(), chain);
        foreach (var authorities in new X509Certificate2[][] { [_authority.Certificate], [middle.Certificate], [middle.Certificate, _authority.Certificate] })
        {
            using var registry = await ConnectAsync(server, new() { CertificateAuthorities = authorities });
        }

        // One that does not send it along, as many do.
        await using var silent = await SocketRegistry.StartAsync(middle.Server());
        using (await ConnectAsync(silent, new() { CertificateAuthorities = [middle.Certificate, _authority.Certificate] }))
        {
        }

        var error = await FailsAsync(silent, new() { CertificateAuthorities = [_authority.Certificate] }, TlsFailure.UntrustedIssuer);
        Assert.Contains("its issuer, CN=Middle, is not known here", error.Message);
    }

    [Fact]
    public async Task A_name_that_the_certificate_does_not_have_is_told_with_those_that_it_has()
    {
        await using var server = await SocketRegistry.StartAsync(_authority.Server(["registry.example.com", "*.example.org", "10.1.2.3"]));
        var error = await FailsAsync(server, Trusting(), TlsFailure.NameMismatch);
        Assert.Contains("The certificate of localhost is made out to registry.example.com, *.example.org, 10.1.2.3, not to localhost.", error.Message);
        error = await FailsAsync(server, new(), TlsFailure.UntrustedIssuer);
        Assert.Contains("is not trusted", error.Message);
        Assert.Contains("made out to registry.example.com", error.Message);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task An_address_must_be_in_the_certificate_as_well()
    {
        await using var server = await SocketRegistry.StartAsync(_authority.Server(["localhost"]));
        var error = await FailsAsync(server, Trusting(), TlsFailure.NameMismatch, "127.0.0.1");
        Assert.Contains("not to 127.0.0.1", error.Message);
    }

    [Fact]
    public async Task An_expired_certificate_and_one_of_the_future_are_told_with_their_dates()
    {
        var then = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        using var old = new TestAuthority("CN=Old", from: then.AddYears(-2), until: DateTimeOffset.UtcNow.AddYears(2));
        await using (var server = await SocketRegistry.StartAsync(old.Server(from: then.AddDays(-1), until: then)))
        {
            var error = await FailsAsync(server, new() { CertificateAuthorities = [old.Certificate] }, TlsFailure.Expired);
            Assert.Contains("The certificate of localhost expired on 2026-01-02 03:04:05Z.", error.Message);
            error = await FailsAsync(server, new(), TlsFailure.UntrustedIssuer);
            Assert.Contains("expired on 2026-01-02 03:04:05Z", error.Message);
        }

        await using (var server = await SocketRegistry.StartAsync(old.Server(from: DateTimeOffset.UtcNow.AddDays(10), until: DateTimeOffset.UtcNow.AddDays(20))))
        {
            var error = await FailsAsync(server, new() { CertificateAuthorities = [old.Certificate] }, TlsFailure.Expired);
            Assert.Contains("is valid only from ", error.Message);
        }
    }

    [Fact]
    public async Task An_authority_that_has_expired_is_named()
    {
        var then = DateTimeOffset.UtcNow.AddDays(-2);
        using var old = new TestAuthority("CN=Old", from: then.AddYears(-2), until: then);
        await using var server = await SocketRegistry.StartAsync(old.Server(from: then.AddDays(-1), until: then));
        var error = await FailsAsync(server, new() { CertificateAuthorities = [old.Certificate] }, TlsFailure.Expired);
        Assert.Contains("expired on", error.Message);
    }

    [Fact]
    public async Task A_certificate_that_is_not_for_servers_is_refused()
    {
        // Kestrel does not begin with such a one.
        using var certificate = _authority.Server(use: TestAuthority.ClientUse);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var serving = Task.Run(async () =>
        {
            using var client = await listener.AcceptTcpClientAsync();
            using var stream = new SslStream(client.GetStream());
            await stream.AuthenticateAsServerAsync(certificate);
            await stream.CopyToAsync(Stream.Null);
        });
        var error = await Assert.ThrowsAsync<RegistryTlsException>(() => HttpRegistry.ConnectAsync(RegistryAddress.Parse($"localhost:{((IPEndPoint)listener.LocalEndpoint).Port}"), With(Trusting())));
        Assert.Equal(TlsFailure.BadCertificate, error.Failure);
        Assert.Contains("not made out for servers", error.Message);
        await Task.WhenAny(serving);
    }

    [Fact]
    public async Task The_check_can_be_left_out_and_that_is_said_once()
    {
        await using var server = await SocketRegistry.StartAsync(_authority.Server(["elsewhere.example.com"], until: DateTimeOffset.UtcNow.AddHours(-1)));
        using var registry = await ConnectAsync(server, new() { SkipCertificateCheck = true });
        await Assert.ThrowsAsync<RegistryNotFoundException>(() => registry.GetManifestAsync("a", "t"));
        Assert.Contains("accepted since that was asked for", Assert.Single(_log.Lines, line => line.StartsWith("WARNING", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_registry_that_wants_a_client_certificate_says_so_where_there_is_none(SslProtocols protocol)
    {
        await using var server = await SocketRegistry.StartAsync(_authority.Server(), clients: ClientCertificateMode.RequireCertificate, protocols: protocol);
        var error = await FailsAsync(server, Trusting(), TlsFailure.ClientCertificateRequired);
        Assert.Contains("-Certificate", error.Remedy);
        Assert.Empty(server.Requests);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_client_certificate_is_shown_from_files_of_every_kind(SslProtocols protocol)
    {
        using var client = _authority.Client();
        await using var server = await SocketRegistry.StartAsync(_authority.Server(), clients: ClientCertificateMode.RequireCertificate, protocols: protocol, acceptClient: shown => shown.Thumbprint == client.Thumbprint);
        using var key = client.GetECDsaPrivateKey()!;
        var certificate = Write("client.cert", client.ExportCertificatePem());
        var pfx = Path.Combine(_directory, "client.pfx");
        await File.WriteAllBytesAsync(pfx, client.Export(X509ContentType.Pfx, Secret));
        var encrypted = Write("locked.key", key.ExportEncryptedPkcs8PrivateKeyPem(Secret, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)));
        foreach (var given in new[]
        {
            ClientCertificate.FromPem(certificate, Write("client.key", key.ExportPkcs8PrivateKeyPem())),
            ClientCertificate.FromPem(certificate, Write("sec1.key", key.ExportECPrivateKeyPem())),
            ClientCertificate.FromPem(Write("both.pem", client.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem())),
            ClientCertificate.FromPem(certificate, encrypted, Secret),
            ClientCertificate.FromPfx(pfx, Secret),
            ClientCertificate.From(client),
        })
        {
            using var registry = await ConnectAsync(server, Trusting(given));
            Assert.DoesNotContain(Secret, given.ToString());
        }

        Assert.All(server.Requests, request => Assert.Equal("CN=client", request.ClientCertificate));
        Assert.DoesNotContain(_log.Lines, line => line.Contains(Secret));
    }

    [Fact]
    public void What_is_wrong_with_a_client_certificate_s_files_is_told_without_what_is_in_them()
    {
        using var client = _authority.Client();
        using var other = _authority.Client("CN=other");
        using var key = client.GetECDsaPrivateKey()!;
        using var otherKey = other.GetECDsaPrivateKey()!;
        var certificate = Write("client.cert", client.ExportCertificatePem());
        var plain = Write("client.key", key.ExportPkcs8PrivateKeyPem());
        var locked = Write("locked.key", key.ExportEncryptedPkcs8PrivateKeyPem(Secret, new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)));
        var pfx = Path.Combine(_directory, "client.pfx");
        File.WriteAllBytes(pfx, client.Export(X509ContentType.Pfx, Secret));
        var bare = Path.Combine(_directory, "bare.pfx");
        File.WriteAllBytes(bare, X509CertificateLoader.LoadCertificate(client.RawData).Export(X509ContentType.Pfx)!);
        var cases = new (string Said, Action Act)[]
        {
            ("There is no file", () => ClientCertificate.FromPem(Path.Combine(_directory, "missing"), plain)),
            ("There is no file", () => ClientCertificate.FromPem(certificate, Path.Combine(_directory, "missing"))),
            ("no private key", () => ClientCertificate.FromPem(certificate)),
            ("no certificate in", () => ClientCertificate.FromPem(plain, plain)),
            ("does not belong", () => ClientCertificate.FromPem(certificate, Write("other.key", otherKey.ExportPkcs8PrivateKeyPem()))),
            ("by a password", () => ClientCertificate.FromPem(certificate, locked)),
            ("password given", () => ClientCertificate.FromPem(certificate, locked, Secret + "x")),
            ("OpenSSL's old way", () => ClientCertificate.FromPem(certificate, Write("old.key", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n"))),
            ("can't be read", () => ClientCertificate.FromPem(certificate, Write("junk.key", "-----BEGIN PRIVATE KEY-----\n" + Secret + "\n-----END PRIVATE KEY-----\n"))),
            ("cut short", () => ClientCertificate.FromPem(Write("cut.cert", client.ExportCertificatePem()[..200]), plain)),
            ("is no certificate", () => ClientCertificate.FromPem(Write("junk.cert", "-----BEGIN CERTIFICATE-----\n" + Secret + "\n-----END CERTIFICATE-----"), plain)),
            ("is not the right one", () => ClientCertificate.FromPfx(pfx, Secret + "x")),
            ("is not empty", () => ClientCertificate.FromPfx(pfx)),
            ("no certificate with a private key", () => ClientCertificate.FromPfx(bare)),
            ("no private key", () => ClientCertificate.From(X509CertificateLoader.LoadCertificate(client.RawData))),
        };
        foreach (var (said, act) in cases)
        {
            var error = Assert.Throws<CertificateFileException>(act);
            Assert.Contains(said, error.Message);
            Assert.DoesNotContain(Secret, error.ToString());
        }
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task A_client_certificate_that_has_expired_is_said_before_it_is_shown(SslProtocols protocol)
    {
        using var client = _authority.Client(from: DateTimeOffset.UtcNow.AddDays(-3), until: DateTimeOffset.UtcNow.AddDays(-2));
        await using var server = await SocketRegistry.StartAsync(_authority.Server(), clients: ClientCertificateMode.RequireCertificate, acceptClient: _ => false, protocols: protocol);
        await Assert.ThrowsAnyAsync<RegistryUnreachableException>(() => ConnectAsync(server, Trusting(ClientCertificate.From(client))));
        Assert.Contains(_log.Lines, line => line.StartsWith("WARNING The client certificate CN=client", StringComparison.Ordinal) && line.Contains("expired on"));
    }

    [Fact]
    public async Task A_client_certificate_goes_to_the_registry_and_to_no_server_that_it_redirects_to()
    {
        var content = "content"u8.ToArray();
        var digest = Digest.Compute(content);
        await using var storage = await SocketRegistry.StartAsync(_authority.Server(), clients: ClientCertificateMode.AllowCertificate, answer: async context => await context.Response.Body.WriteAsync(content));
        await using var server = await SocketRegistry.StartAsync(_authority.Server(), clients: ClientCertificateMode.AllowCertificate, answer: context =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = $"https://127.0.0.1:{storage.Port}/blob";
            return Task.CompletedTask;
        });
        using var client = _authority.Client();
        using var registry = await ConnectAsync(server, Trusting(ClientCertificate.From(client)));
        Assert.Equal(content, await registry.ReadBlobAsync("a", digest, 100));
        Assert.All(server.Requests, request => Assert.Equal("CN=client", request.ClientCertificate));
        Assert.Null(Assert.Single(storage.Requests).ClientCertificate);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_directories_of_docker_are_read_by_host_and_port(bool withPort)
    {
        using var client = _authority.Client();
        using var key = client.GetECDsaPrivateKey()!;
        await using var server = await SocketRegistry.StartAsync(_authority.Server(), clients: ClientCertificateMode.RequireCertificate, acceptClient: shown => shown.Thumbprint == client.Thumbprint);
        var host = withPort ? $"localhost:{server.Port}" : "localhost";
        Write($"certs.d/{host}/ca.crt", _authority.Pem);
        Write($"certs.d/{host}/client.cert", client.ExportCertificatePem());
        Write($"certs.d/{host}/client.key", key.ExportPkcs8PrivateKeyPem());
        Write($"certs.d/{host}/notes.txt", "other files are let be");
        var options = new HttpRegistryOptions { CertificateDirectories = [Path.Combine(_directory, "none"), Path.Combine(_directory, "certs.d")] };
        if (withPort)
        {
            using var registry = await ConnectAsync(server, options);
            Assert.Equal("CN=client", Assert.Single(server.Requests).ClientCertificate);
        }
        else
        {
            // That is the directory of port 443.
            await FailsAsync(server, options, TlsFailure.UntrustedIssuer);
        }
    }

    [Theory]
    [InlineData("client.cert", "lacks its key: there is no client.key beside it")]
    [InlineData("client.key", "lacks its certificate: there is no client.cert beside it")]
    public async Task One_of_a_pair_without_the_other_is_an_error(string file, string said)
    {
        using var client = _authority.Client();
        await using var server = await SocketRegistry.StartAsync(_authority.Server());
        Write($"certs.d/localhost:{server.Port}/ca.crt", _authority.Pem);
        Write($"certs.d/localhost:{server.Port}/{file}", client.ExportCertificatePem());
        var error = await Assert.ThrowsAsync<CertificateFileException>(() => ConnectAsync(server, new() { CertificateDirectories = [Path.Combine(_directory, "certs.d")] }));
        Assert.Contains(said, error.Message);
        Assert.Empty(server.Requests);
        using var registry = await ConnectAsync(server, new() { CertificateDirectories = [Path.Combine(_directory, "certs.d")], ClientCertificate = ClientCertificate.From(client) });
    }

    [Fact]
    public async Task An_authority_in_a_directory_that_can_not_be_read_is_told_and_the_rest_is_used()
    {
        await using var server = await SocketRegistry.StartAsync(_authority.Server());
        Write($"certs.d/localhost:{server.Port}/a.crt", "no certificate");
        var root = Path.Combine(_directory, "certs.d");
        var error = await FailsAsync(server, new() { CertificateDirectories = [root] }, TlsFailure.UntrustedIssuer);
        Assert.Contains("could not be read", error.Message);
        Assert.Contains("a.crt", error.Message);
        Write($"certs.d/localhost:{server.Port}/b.crt", _authority.Pem);
        using var registry = await ConnectAsync(server, new() { CertificateDirectories = [root] });
        Assert.Contains(_log.Lines, line => line.StartsWith("WARNING", StringComparison.Ordinal) && line.Contains("a.crt"));
    }

    [Fact]
    public async Task An_authority_s_file_that_is_named_and_can_not_be_used_is_an_error()
    {
        await using var server = await SocketRegistry.StartAsync(_authority.Server());
        foreach (var file in new[] { Path.Combine(_directory, "missing.pem"), Write("junk.pem", "junk"), Write("key.pem", _authority.KeyPem), _directory })
        {
            var error = await Assert.ThrowsAsync<CertificateFileException>(() => ConnectAsync(server, new() { CertificateAuthorityFiles = [file] }));
            Assert.Contains(file, error.Message);
        }
    }

    [Theory]
    [InlineData("400 No required SSL certificate was sent", TlsFailure.ClientCertificateRequired)]
    [InlineData("400 The SSL certificate error", TlsFailure.ClientCertificateRefused)]
    public async Task The_pages_with_which_nginx_asks_for_a_client_certificate_are_understood(string title, TlsFailure failure)
    {
        var handler = new ScriptedHandler().On("GET https://localhost/v2/", Answer.Text(400, $"<html><head><title>{title}</title></head><body><center><h1>400 Bad Request</h1></center></body></html>", "text/html"));
        var error = await Assert.ThrowsAsync<RegistryTlsException>(() => handler.ConnectAsync("localhost"));
        Assert.Equal(failure, error.Failure);
        Assert.DoesNotContain(handler.AllRequests, request => request.Uri.Scheme == "http");
    }

    [Fact]
    public async Task A_server_of_http_1_1_that_wants_a_client_certificate_does_not_lead_to_http_either()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var plain = 0;
        using var certificate = _authority.Server();
        var serving = Task.Run(async () =>
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync();
                var first = new byte[1];
                await client.Client.ReceiveAsync(first, SocketFlags.Peek);
                if (first[0] == 'G') plain++;
                try
                {
                    // What the client shows is looked at when it believes to be connected.
                    using var stream = new SslStream(client.GetStream());
                    await stream.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate, ClientCertificateRequired = true, RemoteCertificateValidationCallback = (_, shown, _, _) => shown is null });
                }
                catch (Exception exception) when (exception is IOException or AuthenticationException)
                {
                }
            }
        });
        var error = await Assert.ThrowsAnyAsync<RegistryUnreachableException>(() => HttpRegistry.ConnectAsync(RegistryAddress.Parse($"localhost:{((IPEndPoint)listener.LocalEndpoint).Port}"), With(Trusting())));
        Assert.Contains("client certificate", error.Message + error.Remedy);
        Assert.Equal(0, plain);
        listener.Stop();
        await Assert.ThrowsAnyAsync<Exception>(() => serving);
    }

    // The bytes that servers of other kinds answer a ClientHello with.
    [Theory]
    [InlineData("15 03 01 00 02 02 46", TlsFailure.OldProtocol)] // the alert protocol_version
    [InlineData("16 03 01 00 2a 02 00 00 26 03 01 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f 00 00 2f 00", TlsFailure.OldProtocol)] // a ServerHello of TLS 1.0
    [InlineData("15 03 03 00 02 02 28", TlsFailure.OldProtocol)] // the alert handshake_failure
    [InlineData("48 54 54 50 2f 31 2e 31 20 34 30 30 20 42 61 64 0d 0a 0d 0a", TlsFailure.PlainHttp)] // HTTP/1.1 400 Bad
    [InlineData("53 53 48 2d 32 2e 30 2d 4f 70 65 6e 53 53 48 0d 0a", TlsFailure.PlainHttp)] // SSH-2.0-OpenSSH
    public async Task What_is_no_TLS_of_today_is_told_as_what_it_is(string bytes, TlsFailure failure)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var connections = 0;
        var serving = Task.Run(async () =>
        {
            while (true)
            {
                using var client = await listener.AcceptTcpClientAsync();
                connections++;
                var hello = new byte[4096];
                _ = await client.GetStream().ReadAsync(hello);
                await client.GetStream().WriteAsync(Convert.FromHexString(bytes.Replace(" ", string.Empty)));
                client.Client.Shutdown(SocketShutdown.Send);
                while (await client.GetStream().ReadAsync(hello) > 0)
                {
                }
            }
        });
        var error = await Assert.ThrowsAsync<RegistryTlsException>(() => HttpRegistry.ConnectAsync(RegistryAddress.Parse($"https://127.0.0.1:{port}"), With(new())));
        Assert.Equal(failure, error.Failure);
        Assert.Equal(1, connections);
        listener.Stop();
        await Assert.ThrowsAnyAsync<Exception>(() => serving);
    }

    [Theory]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public async Task Both_versions_of_TLS_are_spoken(SslProtocols protocol)
    {
        await using var server = await SocketRegistry.StartAsync(_authority.Server(), protocols: protocol);
        using var registry = await ConnectAsync(server, Trusting());
        Assert.Equal("HTTP/2", Assert.Single(server.Requests).Protocol);
    }

    [SkippableFact]
    public async Task The_real_registry_behind_its_own_TLS()
    {
        Requirement.Program("docker-registry");
        using var serverCertificate = _authority.Server();
        using var key = serverCertificate.GetECDsaPrivateKey()!;
        await using var server = await DockerRegistryServer.StartAsync(
            http: $"  tls:\n    certificate: {Write("server.crt", serverCertificate.ExportCertificatePem())}\n    key: {Write("server.key", key.ExportPkcs8PrivateKeyPem())}",
            scheme: "https");
        var address = RegistryAddress.Parse(server.Host);
        var error = await Assert.ThrowsAsync<RegistryTlsException>(() => HttpRegistry.ConnectAsync(address, With(new())));
        Assert.Equal(TlsFailure.UntrustedIssuer, error.Failure);
        using var registry = await HttpRegistry.ConnectAsync(address, With(Trusting()));
        await PushAndPullAsync(registry);
    }

    [SkippableFact]
    public async Task The_real_registry_with_clients_by_certificate()
    {
        Requirement.Program("docker-registry");
        using var clients = new TestAuthority("CN=Clients");
        using var client = clients.Client();
        using var stranger = _authority.Client("CN=stranger");
        using var serverCertificate = _authority.Server();
        using var key = serverCertificate.GetECDsaPrivateKey()!;
        await using var server = await DockerRegistryServer.StartAsync(
            http: $"  tls:\n    certificate: {Write("server.crt", serverCertificate.ExportCertificatePem())}\n    key: {Write("server.key", key.ExportPkcs8PrivateKeyPem())}\n    clientcas:\n      - {Write("clients.crt", clients.Pem)}",
            scheme: "https");
        var address = RegistryAddress.Parse(server.Host);
        var error = await Assert.ThrowsAsync<RegistryTlsException>(() => HttpRegistry.ConnectAsync(address, With(Trusting())));
        Assert.Equal(TlsFailure.ClientCertificateRequired, error.Failure);
        error = await Assert.ThrowsAsync<RegistryTlsException>(() => HttpRegistry.ConnectAsync(address, With(Trusting(ClientCertificate.From(stranger)))));
        Assert.Equal(TlsFailure.ClientCertificateRefused, error.Failure);
        Assert.Contains("CN=stranger", error.Message);
        Assert.Contains("CN=Test Authority", error.Message);
        using var registry = await HttpRegistry.ConnectAsync(address, With(Trusting(ClientCertificate.From(client))));
        await PushAndPullAsync(registry);
    }

    private static async Task PushAndPullAsync(HttpRegistry registry)
    {
        var content = RandomNumberGenerator.GetBytes(300_000);
        var digest = Digest.Compute(content);
        await registry.PushBlobAsync("a", digest, new MemoryStream(content));
        Assert.Equal(content, await registry.ReadBlobAsync("a", digest, content.Length));
    }

    private HttpRegistryOptions Trusting(ClientCertificate? client = null) => new() { CertificateAuthorities = [_authority.Certificate], ClientCertificate = client };

    private HttpRegistryOptions With(HttpRegistryOptions options) => new()
    {
        CertificateAuthorities = options.CertificateAuthorities,
        CertificateAuthorityFiles = options.CertificateAuthorityFiles,
        CertificateDirectories = options.CertificateDirectories ?? [],
        ClientCertificate = options.ClientCertificate,
        SkipCertificateCheck = options.SkipCertificateCheck,
        ChunkSize = 100_000,
        RetryDelay = TimeSpan.FromMilliseconds(1),
        Timeout = TimeSpan.FromSeconds(60),
        Log = _log,
    };

    private Task<HttpRegistry> ConnectAsync(SocketRegistry server, HttpRegistryOptions options, string host = "localhost") =>
        HttpRegistry.ConnectAsync(RegistryAddress.Parse($"https://{host}:{server.Port}"), With(options));

    private async Task<RegistryTlsException> FailsAsync(SocketRegistry server, HttpRegistryOptions options, TlsFailure? failure, string host = "localhost")
    {
        var error = await Assert.ThrowsAsync<RegistryTlsException>(() => ConnectAsync(server, options, host));
        if (failure is not null) Assert.True(failure == error.Failure, $"{error.Failure}: {error.Message}");
        return error;
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_directory, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }
}
