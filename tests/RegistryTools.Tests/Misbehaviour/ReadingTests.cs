using System.Management.Automation;
using System.Text;
using RegistryTools.Tests.Servers;

namespace RegistryTools.Cmdlets.Tests.Misbehaviour;

/// <summary>Manifests, configurations and redirections of a server that misbehaves.</summary>
public sealed class ReadingTests(SharedSession shared) : MisbehaviourTestBase(shared)
{
    private const string Type = "Content-Type: " + MisbehavingServer.ManifestType;
    private const string OtherDigest = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    private static readonly Dictionary<string, (Func<MisbehavingServer, Reply> Sends, string Id)> Bad = new()
    {
        ["cut"] = (server => Reply.Raw($"HTTP/1.1 200 OK\n{Type}\nContent-Length: 400\n\n", server.Manifest("i1", "T11")[..60]), "RegistryUnreachable"),
        ["cut, with no length"] = (server => Reply.Raw($"HTTP/1.0 200 OK\n{Type}\n\n", server.Manifest("i1", "T11")[..60]), "ManifestInvalid"),
        ["cut, with no length and its digest told"] = (server => Reply.Raw($"HTTP/1.0 200 OK\n{Type}\nDocker-Content-Digest: {server["i1", "T11"]}\n\n", server.Manifest("i1", "T11")[..60]), "DigestMismatch"),
        ["cut before the last chunk"] = (server => Reply.Raw($"HTTP/1.1 200 OK\n{Type}\nTransfer-Encoding: chunked\n\n{server.Manifest("i1", "T11").Length:x}\n", [.. server.Manifest("i1", "T11"), 13, 10]), "RegistryUnreachable"),
        ["a length too short"] = (server => Reply.Raw($"HTTP/1.1 200 OK\n{Type}\nContent-Length: 60\n\n", server.Manifest("i1", "T11")), "ManifestInvalid"),
        ["other bytes than its digest says"] = (server => Reply.Whole("200 OK", server.Manifest("i1", "T12"), Type, "Docker-Content-Digest: " + server["i1", "T11"]), "DigestMismatch"),
        ["one byte more than its digest says"] = (server => Reply.Whole("200 OK", (byte[])[.. server.Manifest("i1", "T11"), 32], Type, "Docker-Content-Digest: " + server["i1", "T11"]), "DigestMismatch"),
        ["a page that asks to sign in"] = (_ => Reply.Whole("200 OK", "<html>sign in</html>", "Content-Type: text/html"), "RegistryProtocolError"),
        ["the same, said to be a manifest"] = (_ => Reply.Whole("200 OK", "<html>sign in</html>", Type), "ManifestInvalid"),
        ["a page that says it is not there"] = (_ => Reply.Whole("404 Not Found", "<html>nginx</html>", "Content-Type: text/html"), "TagNotFound"),
        ["an empty manifest"] = (_ => Reply.Whole("200 OK", string.Empty, Type), "ManifestInvalid"),
        ["no content"] = (_ => Reply.Raw("HTTP/1.1 204 No Content\n\n"), "ManifestInvalid"),
        ["not modified"] = (_ => Reply.Raw("HTTP/1.1 304 Not Modified\n\n"), "ManifestInvalid"),
        ["a list"] = (_ => Reply.Whole("200 OK", "[]", Type), "ManifestInvalid"),
        ["an error with 200"] = (_ => Reply.Error("200 OK", "DENIED"), "RegistryProtocolError"),
        ["100 000 lists deep"] = (_ => Reply.Whole("200 OK", "{\"schemaVersion\":2,\"layers\":" + new string('[', 100_000) + new string(']', 100_000) + "}", Type), "ManifestInvalid"),
        ["invalid UTF-8"] = (_ => Reply.Whole("200 OK", (byte[])[.. "{\"schemaVersion\":2,\"mediaType\":\""u8, 0xC0, 0xAF, .. "\",\"layers\":[]}"u8], Type), "ManifestInvalid"),
        ["layers that are numbers"] = (_ => Reply.Whole("200 OK", """{"schemaVersion":2,"config":{"digest":5},"layers":[1,2,3]}""", Type), "ManifestInvalid"),
        ["a layer of a negative size"] = (_ => Reply.Whole("200 OK", $$$"""{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"{{{OtherDigest}}}","size":2},"layers":[{"mediaType":"a/b","digest":"{{{OtherDigest}}}","size":-1}]}""", Type), "ManifestInvalid"),
        ["a config whose digest is a path"] = (_ => Reply.Whole("200 OK", """{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"sha256:../../../../etc/passwd","size":2},"layers":[]}""", Type), "ManifestInvalid"),
        ["50 MB"] = (_ => Reply.Whole("200 OK", "{\"schemaVersion\":2," + new string(' ', 50 * 1024 * 1024) + "}", Type), "RegistryProtocolError"),
        ["50 MB, with no length"] = (_ => Reply.Raw($"HTTP/1.0 200 OK\n{Type}\n\n{{\"schemaVersion\":2," + new string(' ', 50 * 1024 * 1024) + "}"), "RegistryProtocolError"),
        ["a circle"] = (_ => Reply.Whole("307 Temporary Redirect", string.Empty, "Location: /v2/i1/manifests/T11"), "RegistryProtocolError"),
        ["a redirection to a file"] = (_ => Reply.Whole("307 Temporary Redirect", string.Empty, "Location: file:///etc/passwd"), "RegistryProtocolError"),
        ["a redirection to nowhere"] = (_ => Reply.Whole("307 Temporary Redirect"), "RegistryProtocolError"),
        ["a redirection to what is no address"] = (_ => Reply.Whole("307 Temporary Redirect", string.Empty, "Location: http://[["), "RegistryProtocolError"),
        ["300"] = (_ => Reply.Whole("300 Multiple Choices", "[]"), "RegistryProtocolError"),
        ["403"] = (_ => Reply.Error("403 Forbidden", "DENIED"), "RegistryDenied"),
    };

    public static TheoryData<string> BadNames() => [.. Bad.Keys];

    [Theory]
    [MemberData(nameof(BadNames))]
    public async Task A_manifest_that_can_not_be_relied_on_is_one_clear_error(string name)
    {
        var (sends, id) = Bad[name];
        await ConnectAsync(options: "-RetryCount 0 -TimeoutSec 20");
        Server.On("GET /v2/i1/manifests/T11", sends(Server));
        AssertClear(Run("Get-RegistryManifest i1:T11").Fail(id), "T11");
        AssertClear(Assert.Single(Run("Get-RegistryImage i1:T11").Errors), "T11");
        Unchanged(() =>
        {
            AssertClear(Assert.Single(Run("Remove-RegistryTag i1 T11").Errors));
            AssertClear(Assert.Single(Run("Remove-RegistryManifest i1 T11 -Force").Errors));
        });
        Assert.Equal(0, Count("DELETE"));
        Assert.Empty(Foreign.Requests);
    }

    [Fact]
    public async Task Bytes_that_are_not_those_of_the_digest_that_was_asked_for_are_refused()
    {
        await ConnectAsync(options: "-RetryCount 0 -TimeoutSec 2");
        var digest = Server["i1", "T11"];
        foreach (var headers in (string[][])[[Type], [Type, "Docker-Content-Digest: " + digest], [Type, "Docker-Content-Digest: " + Server["i1", "T12"]]])
        {
            Server.Behave();
            Server.On("GET /v2/i1/manifests/" + digest, Reply.Whole("200 OK", Server.Manifest("i1", "T12"), headers));
            Fails($"Get-RegistryManifest i1@{digest}", "DigestMismatch", ErrorCategory.InvalidData, digest, Server["i1", "T12"]);
            Unchanged(() => Run($"Remove-RegistryManifest i1 {digest} -Force").Fail("DigestMismatch"));
        }
    }

    [Theory]
    [InlineData("Docker-Content-Digest: nonsense")]
    [InlineData("Docker-Content-Digest: sha256:")]
    [InlineData("Docker-Content-Digest: ")]
    [InlineData("Docker-Content-Digest: md5:d41d8cd98f00b204e9800998ecf8427e")]
    [InlineData("X-None: 1")]
    public async Task Where_the_digest_is_missing_or_nonsense_it_is_computed(string header)
    {
        await ConnectAsync(options: "-RetryCount 0 -TimeoutSec 2");
        Server.On("GET /v2/i1/manifests/T11", Reply.Whole("200 OK", Server.Manifest("i1", "T11"), Type, header));
        Server.On("HEAD /v2/i1/manifests/T11", Reply.Whole("200 OK", Server.Manifest("i1", "T11"), Type, header));
        Assert.Equal(Server["i1", "T11"], Run("Get-RegistryManifest i1:T11").Succeed().Texts("Digest"));
        Assert.Equal(Server["i1", "T11"], Run("Get-RegistryTag i1 T11 -Detailed").Succeed().Texts("Digest"));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\nContent-Type: application/vnd.oci.image.manifest.v1+json\nDocker-Content-Digest: DIGEST\n\n")]
    [InlineData("HTTP/1.0 200 OK\nDocker-Content-Digest: DIGEST\n\n")]
    [InlineData("HTTP/1.1 200 OK\nDocker-Content-Digest: DIGEST\nContent-Length: 99999999999999\n\n")]
    [InlineData("HTTP/1.1 200 OK\nDocker-Content-Digest: DIGEST\nContent-Length: -5\n\n")]
    [InlineData("HTTP/1.1 405 Method Not Allowed\nContent-Length: 0\n\n")]
    public async Task A_head_that_tells_little_is_enough(string head)
    {
        await ConnectAsync(options: "-RetryCount 0 -TimeoutSec 2");
        Server.On("HEAD /v2/i1/manifests/T11", Reply.Raw(head.Replace("DIGEST", Server["i1", "T11"])));
        Assert.Equal(Server["i1", "T11"], Run("Get-RegistryTag i1 T11").Succeed().Texts("Digest"));
        Run("Remove-RegistryTag i1 T12").Succeed();
    }

    [Theory]
    [InlineData("config", "bytes")]
    [InlineData("config", "cut")]
    [InlineData("config", "page")]
    [InlineData("config", "large")]
    [InlineData("config", "nested")]
    public async Task A_configuration_that_can_not_be_relied_on_is_one_clear_error(string what, string how)
    {
        Assert.Equal("config", what);
        await ConnectAsync(options: "-RetryCount 0 -TimeoutSec 2");
        var digest = Server.ConfigOf("i1", "T11");
        Server.On("GET /v2/i1/blobs/" + digest, how switch
        {
            "bytes" => Reply.Whole("200 OK", Server.Blob(Server.ConfigOf("i1", "T12"))),
            "cut" => Reply.Raw("HTTP/1.1 200 OK\nContent-Length: 400\n\n", Server.Blob(digest)[..30]),
            "page" => Reply.Whole("200 OK", "<html>sign in</html>", "Content-Type: text/html"),
            "large" => Reply.Raw("HTTP/1.1 200 OK\n\n" + new string(' ', 40 * 1024 * 1024)),
            _ => Reply.Whole("200 OK", new string('[', 100_000)),
        });
        var error = Assert.Single(Run("Get-RegistryImage i1:T11").Errors);
        AssertClear(error, digest);
        Assert.Contains(error.FullyQualifiedErrorId.Split(',')[0], (string[])["DigestMismatch", "RegistryUnreachable", "RegistryProtocolError"]);
    }

    [Theory]
    [InlineData(Doorkeeper.Basic)]
    [InlineData(Doorkeeper.Bearer)]
    public async Task A_blob_on_a_foreign_host_is_read_there_and_the_foreign_host_learns_nothing(Doorkeeper doorkeeper)
    {
        await ConnectAsync(doorkeeper);
        var digest = Server.ConfigOf("i1", "T11");
        var blob = Server.Blob(digest);
        Foreign.On("GET /signed", Reply.Whole("200 OK", blob));
        Server.On("GET /v2/i1/blobs/", Reply.Whole("307 Temporary Redirect", string.Empty, $"Location: http://{Foreign.Address}/signed?X-Amz-Signature=s1gn3d-s3cr3t"));
        Keep("s1gn3d-s3cr3t");
        Assert.Equal("amd64", Run("Get-RegistryImage i1:T11").Succeed().Texts("Architecture"));
        var sent = Assert.Single(Foreign.Requests);
        Assert.Null(sent.Authorization);

        // What goes wrong there shows nothing of what the address allows, and asking who it is gets no answer.
        foreach (var reply in (Reply[])
        [
            Reply.Whole("403 Forbidden", "<Error><Code>AccessDenied</Code></Error>", "Content-Type: application/xml"),
            Reply.Error("401 Unauthorized", "UNAUTHORIZED", "WWW-Authenticate: Basic realm=\"x\""),
            Reply.Error("401 Unauthorized", "UNAUTHORIZED", $"WWW-Authenticate: Bearer realm=\"http://{Foreign.Address}/token\""),
            Reply.Whole("200 OK", "other bytes"),
            Reply.Whole("307 Temporary Redirect", string.Empty, $"Location: http://{Foreign.Address}/signed?X-Amz-Signature=s1gn3d-s3cr3t"),
        ])
        {
            Foreign.Behave();
            Foreign.On("GET /signed", reply);
            var error = Assert.Single(Run("Get-RegistryImage i1:T11").Errors);
            Assert.True(error.Exception.Message.Contains(Foreign.Address, StringComparison.Ordinal) || error.Exception.Message.Contains(Server.Address, StringComparison.Ordinal), error.Exception.Message);
        }

        Assert.DoesNotContain(Foreign.Requests, request => request.Target.StartsWith("/token", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_foreign_host_that_sends_back_gets_the_registry_no_farther_than_its_bounds()
    {
        await ConnectAsync();
        Foreign.On("GET /", Reply.Whole("302 Found", string.Empty, $"Location: http://{Server.Address}/v2/i1/manifests/T11"));
        Server.On("GET /v2/i1/manifests/T11", Reply.Whole("302 Found", string.Empty, $"Location: http://{Foreign.Address}/back"));
        Fails("Get-RegistryManifest i1:T11", "RegistryProtocolError", ErrorCategory.ProtocolError, "circle", "/v2/i1/manifests/T11");
        Assert.Single(Foreign.Requests);

        var hop = 0;
        Server.On("GET /v2/i1/manifests/T12", (_, _) => Reply.Whole("302 Found", string.Empty, $"Location: /v2/i1/manifests/T12?hop={++hop}"));
        Fails("Get-RegistryManifest i1:T12", "RegistryProtocolError", ErrorCategory.ProtocolError, "more than", "/v2/i1/manifests/T12");
        Assert.InRange(hop, 2, 10);
    }

    [Theory]
    [InlineData("301 Moved Permanently")]
    [InlineData("302 Found")]
    [InlineData("303 See Other")]
    [InlineData("307 Temporary Redirect")]
    [InlineData("308 Permanent Redirect")]
    public async Task A_removal_is_not_carried_to_another_server(string status)
    {
        await ConnectAsync(options: "-RetryCount 1 -MaximumRetryDelaySec 1 -TimeoutSec 2");
        Server.On("DELETE", Reply.Whole(status, string.Empty, $"Location: http://{Foreign.Address}/v2/i1/manifests/T21"));
        Unchanged(() =>
        {
            Fails("Remove-RegistryTag i1 T11", "RegistryProtocolError", ErrorCategory.ProtocolError, Foreign.Address);
            Fails("Remove-RegistryManifest i1 T11", "RegistryProtocolError", ErrorCategory.ProtocolError, Foreign.Address);
        });
        Assert.Empty(Foreign.Requests);
    }

    [Fact]
    public async Task What_the_server_tells_back_of_the_credentials_is_not_shown()
    {
        await ConnectAsync(options: "-RetryCount 1 -MaximumRetryDelaySec 0 -TimeoutSec 2");
        var json = $$"""{"errors":[{"code":"{{MisbehavingServer.BasicValue}}","message":"bad credentials {{MisbehavingServer.User}}:{{MisbehavingServer.Password}} (Basic {{MisbehavingServer.BasicValue}})","detail":"{{MisbehavingServer.Password}}"}]}""";
        foreach (var status in (string[])["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found", "405 Method Not Allowed", "429 Too Many Requests", "500 Internal Server Error", "503 Service Unavailable", "418 " + MisbehavingServer.Password])
        {
            foreach (var reply in (Reply[])[Reply.Whole(status, json), Reply.Whole(status, $"you sent {MisbehavingServer.Password} as {MisbehavingServer.BasicValue}", "Content-Type: text/plain")])
            {
                Server.Behave();
                Server.On("GET /v2/i1/", reply);
                Server.On("DELETE", reply);
                AssertClear(Assert.Single(Run("Get-RegistryManifest i1:T11").Errors));
                Assert.NotEmpty(Run("Get-RegistryTag i1").Errors);
                Assert.NotEmpty(Run("Remove-RegistryManifest i1 T12 -Force").Errors);
            }
        }

        Server.Behave();
        Server.On("GET /v2/i1/manifests", Reply.Whole("200 OK", $"{MisbehavingServer.Password} {MisbehavingServer.BasicValue}", $"Content-Type: text/{MisbehavingServer.Password}", $"Warning: 299 - \"you are {MisbehavingServer.BasicValue}\"", $"Docker-Content-Digest: {MisbehavingServer.Password}"));
        Server.On("GET /v2/i1/tags/list", Reply.Whole("200 OK", $$"""{"tags":["{{MisbehavingServer.BasicValue}}=","T11",{"a":"{{MisbehavingServer.Password}}"}]}""", $"Link: <http://[{MisbehavingServer.Password}>; rel=next"));
        Server.On("HEAD /v2/i1/manifests", Reply.Whole("307 Temporary Redirect", string.Empty, $"Location: http://{MisbehavingServer.Password}.invalid/{MisbehavingServer.BasicValue}"));
        Server.On("GET /v2/_catalog", Reply.Raw($"HTTP/1.1 200 OK\nyou sent {MisbehavingServer.Password}\n\n"));
        foreach (var script in (string[])["Get-RegistryManifest i1:T11", "Get-RegistryTag i1", "Get-RegistryTag i1 T11", "Get-RegistryRepository"]) Assert.NotEmpty(Run(script).Errors);
        Server.Behave();
        Server.On("GET /v2/i1/tags/list", Reply.Raw($"{MisbehavingServer.Password} {MisbehavingServer.BasicValue}\n\n"));
        Assert.NotEmpty(Run("Get-RegistryTag i1").Errors);
    }
}
