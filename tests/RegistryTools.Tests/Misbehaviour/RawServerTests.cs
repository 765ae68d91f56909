using System.Text;

namespace RegistryTools.Cmdlets.Tests.Misbehaviour;

/// <summary>What a user sees of a server that misbehaves on purpose, and that nothing of it leaks a secret, passes for less than there is, or deletes.</summary>
public sealed class RawServerTests
{
    private const string List = "Get-RegistryTag i1";
    private const string Get = "Get-RegistryManifest i1:T11";
    private const string Remove = "Remove-RegistryTag i1 T11";
    private const string Tags = """{"name":"i1","tags":["T11"]}""";

    // Script, where it happens, what is sent, what the user is told.
    private static readonly Dictionary<string, (string Run, string At, Func<RawServer, byte[]> Sends, string[] Ids)> Cases = new()
    {
        ["cut inside the headers"] = (List, "tags/list", _ => RawServer.Bytes("HTTP/1.1 200 OK\nContent-Ty"), ["RegistryUnreachable"]),
        ["cut inside the body"] = (List, "tags/list", _ => RawServer.Bytes("HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 100\n\n" + Tags), ["RegistryUnreachable"]),
        ["cut inside a chunk"] = (List, "tags/list", _ => RawServer.Bytes("HTTP/1.1 200 OK\nContent-Type: application/json\nTransfer-Encoding: chunked\n\n40\n{\"name\":\"i1\""), ["RegistryUnreachable"]),
        ["cut before the last chunk, the JSON whole"] = (List, "tags/list", _ => RawServer.Bytes($"HTTP/1.1 200 OK\nContent-Type: application/json\nTransfer-Encoding: chunked\n\n{Tags.Length:x}\n{Tags}\n"), ["RegistryUnreachable"]),
        ["a length that is too short"] = (List, "tags/list", _ => RawServer.Bytes("HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 20\n\n" + Tags), ["RegistryProtocolError"]),
        ["a length that is none"] = (List, "tags/list", _ => RawServer.Bytes("HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: many\n\n"), ["RegistryUnreachable", "RegistryProtocolError"]),
        ["no answer at all"] = (List, "tags/list", _ => [], ["RegistryUnreachable"]),
        ["no HTTP"] = (List, "tags/list", _ => RawServer.Bytes("SSH-2.0-OpenSSH_9.2\n\n"), ["RegistryUnreachable", "RegistryProtocolError"]),
        ["deep nesting"] = (List, "tags/list", _ => RawServer.Answer("200 OK", new string('[', 100_000)), ["RegistryProtocolError"]),
        ["more than anyone has tags"] = (List, "tags/list", _ => RawServer.Answer("200 OK", "{\"tags\":[" + new string(' ', 65 * 1024 * 1024) + "]}"), ["RegistryProtocolError"]),
        ["invalid UTF-8"] = (List, "tags/list", _ => [.. RawServer.Bytes("HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 16\n\n{\"tags\":[\"a"), 0xC0, 0xAF, 0xFF, .. "\"]}"u8], ["RegistryProtocolError"]),
        ["a page for people"] = (List, "tags/list", _ => RawServer.Answer("200 OK", "<!DOCTYPE html><html><body>Please log in</body></html>"), ["RegistryProtocolError"]),
        ["a list that points to itself"] = (List, "tags/list", _ => RawServer.Answer("200 OK", Tags, "Link: </v2/i1/tags/list?n=1000>; rel=\"next\""), ["RegistryProtocolError"]),
        ["a list that goes on elsewhere"] = (List, "tags/list", other => RawServer.Answer("200 OK", Tags, $"Link: <http://{other.Address}/v2/i1/tags/list>; rel=\"next\""), ["RegistryProtocolError"]),
        ["a list that is elsewhere"] = (List, "tags/list", other => RawServer.Answer("307 Temporary Redirect", string.Empty, $"Location: http://{other.Address}/v2/i1/tags/list"), ["RegistryProtocolError"]),
        ["a circle"] = (Get, "manifests/T11", _ => RawServer.Answer("307 Temporary Redirect", string.Empty, "Location: /v2/i1/manifests/T11"), ["RegistryProtocolError"]),
        ["other bytes than the digest says"] = (Get, "manifests/T11", _ => RawServer.Answer("200 OK", RawServer.Manifest + " ", "Docker-Content-Digest: " + RawServer.Digest), ["DigestMismatch"]),
        ["a manifest that is none"] = (Get, "manifests/T11", _ => RawServer.Answer("200 OK", "[]"), ["ManifestInvalid", "RegistryProtocolError"]),
        ["a manifest of 5 MB"] = (Get, "manifests/T11", _ => RawServer.Answer("200 OK", RawServer.Manifest + new string(' ', 5 * 1024 * 1024)), ["RegistryProtocolError"]),
        ["an error without end"] = (Get, "manifests/T11", _ => RawServer.Answer("500 Internal Server Error", new string('x', 3 * 1024 * 1024)), ["RegistryRequestFailed"]),
        ["never more than refusals"] = (List, "tags/list", _ => RawServer.Answer("401 Unauthorized", "{}", "WWW-Authenticate: Basic realm=\"registry\""), ["RegistryUnauthorized"]),
        ["a realm that is a file"] = (List, "tags/list", _ => RawServer.Answer("401 Unauthorized", "{}", "WWW-Authenticate: Bearer realm=\"file:///etc/passwd\",service=\"x\""), ["RegistryProtocolError"]),
        ["a realm with a user in it"] = (List, "tags/list", other => RawServer.Answer("401 Unauthorized", "{}", $"WWW-Authenticate: Bearer realm=\"http://me:secret@{other.Address}/token\",service=\"x\""), ["RegistryProtocolError"]),
        ["a busy registry that is never less so"] = (List, "tags/list", _ => RawServer.Answer("429 Too Many Requests", "{}", "Retry-After: 0"), ["RegistryBusy"]),
        ["patience beyond all measure"] = (List, "tags/list", _ => RawServer.Answer("429 Too Many Requests", "{}", "Retry-After: 99999999999999"), ["RegistryBusy"]),
        ["a removal that finds other bytes than the digest says"] = (Remove, "GET /v2/i1/manifests/T11", _ => RawServer.Answer("200 OK", RawServer.Manifest + " ", "Docker-Content-Digest: " + RawServer.Digest), ["DigestMismatch"]),
        ["a removal that can't list"] = (Remove, "tags/list", _ => RawServer.Bytes("HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 100\n\n" + Tags), ["RegistryUnreachable"]),
        ["a removal that is accepted and not done"] = (Remove, "DELETE", _ => RawServer.Answer("202 Accepted", string.Empty), ["RemovalFailed"]),
        ["a removal that is refused by a page"] = (Remove, "DELETE", _ => RawServer.Answer("403 Forbidden", "<html>WAF</html>"), ["RegistryDenied"]),
    };

    public static TheoryData<string> Names() => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task It_is_one_clear_error_and_nothing_else(string name)
    {
        var (run, at, sends, ids) = Cases[name];
        await using var other = new RawServer();
        await using var server = new RawServer();
        using var session = new ModuleSession();
        Connect(session, server, "-RetryCount 1");
        var connected = server.Requests.Count;
        var began = DateTimeOffset.UtcNow;
        server.Script = (line, _) => line.Contains(at, StringComparison.Ordinal) && !line.StartsWith("anonymous", StringComparison.Ordinal) ? sends(other) : null;
        var result = session.Invoke(run + " -Verbose -Debug");

        var error = Assert.Single(result.Errors);
        Assert.Contains(error.FullyQualifiedErrorId.Split(',')[0], ids);
        Assert.Contains(server.Address, error.Exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", error.Exception.Message, StringComparison.Ordinal);
        Assert.InRange(server.Requests.Count - connected, 1, 25);

        // Nothing goes to another server, and what was removed on a guess would be gone.
        Assert.Empty(other.Requests);
        server.Script = null;
        Assert.Equal("T11", session.Invoke(List).Succeed().Texts("Name"));
        Assert.NotEmpty(result.Debug);
        Assert.DoesNotContain(result.Errors.Select(one => one + one.Exception.ToString() + one.ErrorDetails).Concat(result.Verbose).Concat(result.Debug).Concat(result.Warnings), Secret);
        if (run == Remove) Assert.DoesNotContain(session.Invoke($"Get-RegistryRemoval | ? {{ $_.Time -ge [datetimeoffset]'{began:o}' }} | % {{ [string]$_.Registry + ' ' + $_.State }}").Succeed().Output, line => line.ToString()!.Contains(server.Address) && line.ToString()!.EndsWith(" Removed"));
    }

    [Fact]
    public async Task Bursts_of_5xx_and_storms_of_429_are_waited_out()
    {
        await using var server = new RawServer();
        using var session = new ModuleSession();
        Connect(session, server, "-RetryCount 4 -MaximumRetryDelaySec 1");
        server.Script = (line, times) => line.StartsWith("anonymous", StringComparison.Ordinal) || times >= 3 ? null : (times % 3) switch
        {
            0 => RawServer.Answer("503 Service Unavailable", "<html>"),
            1 => RawServer.Answer("429 Too Many Requests", "{}", "Retry-After: 0"),
            _ => RawServer.Answer("502 Bad Gateway", string.Empty),
        };
        Assert.Equal("T11", session.Invoke(List).Succeed().Texts("Name"));
    }

    [Fact]
    public async Task A_401_after_a_200_is_answered_once_and_the_run_goes_on()
    {
        await using var server = new RawServer();
        using var session = new ModuleSession();
        Connect(session, server, "-RetryCount 0");
        session.Invoke(List).Succeed();

        // Where the credentials are the same as before, asking again would be of no use.
        var before = server.Requests.Count;
        server.Script = (line, times) => line.Contains("tags/list", StringComparison.Ordinal) ? RawServer.Answer("401 Unauthorized", "{}", "WWW-Authenticate: Basic realm=\"registry\"") : null;
        session.Invoke(List).Fail("RegistryUnauthorized");
        Assert.InRange(server.Requests.Count - before, 1, 3);
        server.Script = null;
        session.Invoke(List).Succeed();
    }

    [Theory]
    [InlineData("Negotiate, NTLM, Basic realm=\"a \\\"quoted\\\", b\"")]
    [InlineData("Basic")]
    [InlineData("basic REALM=unquoted")]
    [InlineData("Bearer, Basic realm=x")]
    [InlineData(", ,Digest realm=\"d\", nonce=\"n,n\", Basic realm=\"unterminated")]
    public async Task Odd_challenges_are_understood(string challenge)
    {
        await using var server = new RawServer { Script = (line, _) => line.StartsWith("anonymous", StringComparison.Ordinal) ? RawServer.Answer("401 Unauthorized", "{}", "WWW-Authenticate: " + challenge) : null };
        using var session = new ModuleSession();
        Connect(session, server, "-RetryCount 0");
        Assert.Equal("T11", session.Invoke(List).Succeed().Texts("Name"));
    }

    [Fact]
    public async Task Slowness_beyond_the_time_limit_is_told_as_such()
    {
        await using var server = new RawServer();
        using var session = new ModuleSession();
        Connect(session, server, "-RetryCount 0 -TimeoutSec 1");
        using var gate = new ManualResetEventSlim();
        server.Script = (line, _) =>
        {
            if (line.Contains("tags/list", StringComparison.Ordinal)) gate.Wait(TimeSpan.FromSeconds(20));
            return null;
        };
        var error = session.Invoke(List).Fail("RegistryUnreachable");
        gate.Set();
        Assert.Contains("within 1 s", error.Exception.Message, StringComparison.Ordinal);
    }

    private static void Connect(ModuleSession session, RawServer server, string options) =>
        session.Invoke($"$s = [securestring]::new(); '{RawServer.Password}'.ToCharArray() | % {{ $s.AppendChar($_) }}; $null = Connect-Registry http://{server.Address} -Credential ([pscredential]::new('user', $s)) {options}").Succeed();

    private static bool Secret(string text) =>
        text.Contains(RawServer.Password, StringComparison.Ordinal) || text.Contains(Convert.ToBase64String(Encoding.UTF8.GetBytes("user:" + RawServer.Password)), StringComparison.Ordinal);
}
