using System.Management.Automation;
using System.Text;
using RegistryTools.Tests.Servers;

namespace RegistryTools.Cmdlets.Tests.Misbehaviour;

/// <summary>Lists of a server that misbehaves: a part of a list is never taken for the whole.</summary>
public sealed class ListTests(SharedSession shared) : MisbehaviourTestBase(shared)
{
    private const string Tags = """{"name":"i1","tags":["T11","T12","T13"]}""";
    private const string Head = "HTTP/1.1 200 OK\nContent-Type: application/json\n";

    private static readonly Dictionary<string, (Reply Sends, string Id)> Bad = new()
    {
        ["nothing"] = (Reply.Raw(string.Empty), "RegistryUnreachable"),
        ["nothing, and a reset"] = (Reply.Raw(string.Empty).Then(Ending.Reset), "RegistryUnreachable"),
        ["cut inside the status line"] = (Reply.Raw("HTTP/1.1 20"), "RegistryUnreachable"),
        ["cut inside the headers"] = (Reply.Raw("HTTP/1.1 200 OK\nContent-Ty"), "RegistryUnreachable"),
        ["cut inside the body"] = (Reply.Raw(Head + "Content-Length: 40\n\n", Tags[..24]), "RegistryUnreachable"),
        ["cut after the JSON, before the end that was promised"] = (Reply.Raw(Head + "Content-Length: 400\n\n", Tags), "RegistryUnreachable"),
        ["reset inside the body"] = (Reply.Raw(Head + "Content-Length: 400\n\n", Tags[..24]).Then(Ending.Reset), "RegistryUnreachable"),
        ["silent inside the body"] = (Reply.Raw(Head + "Content-Length: 400\n\n", Tags[..24]).Then(Ending.Hold), "RegistryUnreachable"),
        ["silent inside the headers"] = (Reply.Raw(Head).Then(Ending.Hold), "RegistryUnreachable"),
        ["silent"] = (Reply.Raw(string.Empty).Then(Ending.Hold), "RegistryUnreachable"),
        ["cut inside a chunk's size"] = (Reply.Raw(Head + "Transfer-Encoding: chunked\n\n", "2"), "RegistryUnreachable"),
        ["cut inside a chunk"] = (Reply.Raw(Head + "Transfer-Encoding: chunked\n\n40\n", Tags[..24]), "RegistryUnreachable"),
        ["cut before the last chunk"] = (Reply.Raw(Head + $"Transfer-Encoding: chunked\n\n{Tags.Length:x}\n{Tags}\n"), "RegistryUnreachable"),
        ["a chunk's size that is none"] = (Reply.Raw(Head + $"Transfer-Encoding: chunked\n\nxyz\n{Tags}\n0\n\n"), "RegistryUnreachable"),
        ["a chunk of 16 exabytes"] = (Reply.Raw(Head + $"Transfer-Encoding: chunked\n\nffffffffffffffff\n{Tags}\n0\n\n"), "RegistryUnreachable"),
        ["a length too short"] = (Reply.Raw(Head + "Content-Length: 24\n\n", Tags), "RegistryProtocolError"),
        ["a length of nothing"] = (Reply.Raw(Head + "Content-Length: 0\n\n", Tags), "RegistryProtocolError"),
        ["two lengths, the JSON cut at one"] = (Reply.Raw(Head + "Content-Length: 24\nContent-Length: 25\n\n", Tags[..24]), "RegistryProtocolError"),
        ["a length below nothing, the JSON cut"] = (Reply.Raw(Head + "Content-Length: -1\n\n", Tags[..24]), "RegistryProtocolError"),
        ["no length, the JSON cut"] = (Reply.Raw("HTTP/1.0 200 OK\nContent-Type: application/json\n\n", Tags[..24]), "RegistryProtocolError"),
        ["204"] = (Reply.Raw("HTTP/1.1 204 No Content\n\n"), "RegistryProtocolError"),
        ["204 with a body"] = (Reply.Raw("HTTP/1.1 204 No Content\nContent-Length: 40\n\n", Tags), "RegistryUnreachable"),
        ["304"] = (Reply.Raw("HTTP/1.1 304 Not Modified\n\n"), "RegistryProtocolError"),
        ["a part of it"] = (Reply.Whole("206 Partial Content", Tags, "Content-Range: bytes 0-39/400"), "RegistryProtocolError"),
        ["another protocol"] = (Reply.Raw("HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: Upgrade\n\n"), "RegistryRequestFailed"),
        ["no HTTP"] = (Reply.Raw("SSH-2.0-OpenSSH_9.2\n\n"), "RegistryProtocolError"),
        ["a header line of a megabyte"] = (Reply.Raw(Head + "X-Long: " + new string('x', 1024 * 1024) + "\nContent-Length: 40\n\n", Tags), "RegistryProtocolError"),
        ["a header that is none"] = (Reply.Raw("HTTP/1.1 200 OK\n<html>\nContent-Length: 40\n\n", Tags), "RegistryProtocolError"),
        ["a page that asks to sign in"] = (Reply.Whole("200 OK", "<html><form>password</form></html>", "Content-Type: text/html; charset=utf-8"), "RegistryProtocolError"),
        ["the same, said to be JSON"] = (Reply.Whole("200 OK", "<html><form>password</form></html>"), "RegistryProtocolError"),
        ["an error with 200"] = (Reply.Error("200 OK", "UNAUTHORIZED"), "RegistryProtocolError"),
        ["a list for an object"] = (Reply.Whole("200 OK", "[\"T11\"]"), "RegistryProtocolError"),
        ["text for a list"] = (Reply.Whole("200 OK", """{"name":"i1","tags":"T11"}"""), "RegistryProtocolError"),
        ["numbers in the list"] = (Reply.Whole("200 OK", """{"name":"i1","tags":["T11",12]}"""), "RegistryProtocolError"),
        ["an object in the list"] = (Reply.Whole("200 OK", """{"name":"i1","tags":["T11",{"name":"T12"}]}"""), "RegistryProtocolError"),
        ["two lists"] = (Reply.Whole("200 OK", """{"name":"i1","tags":["T11","T12","T13"],"tags":[]}"""), "RegistryProtocolError"),
        ["lists in lists, 100 000 deep"] = (Reply.Whole("200 OK", "{\"name\":\"i1\",\"tags\":" + new string('[', 100_000) + new string(']', 100_000) + "}"), "RegistryProtocolError"),
        ["objects in objects, 100 000 deep"] = (Reply.Whole("200 OK", string.Concat(Enumerable.Repeat("{\"tags\":", 100_000)) + "1" + new string('}', 100_000)), "RegistryProtocolError"),
        ["invalid UTF-8"] = (Reply.Whole("200 OK", (byte[])[.. "{\"name\":\"i1\",\"tags\":[\"T11\",\"a"u8, 0xC0, 0xAF, 0xFF, .. "\"]}"u8]), "RegistryProtocolError"),
        ["half a character"] = (Reply.Whole("200 OK", """{"name":"i1","tags":["T11","\ud800"]}"""), "RegistryProtocolError"),
        ["UTF-16"] = (Reply.Whole("200 OK", Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes(Tags)).ToArray()), "RegistryProtocolError"),
        ["more after the JSON"] = (Reply.Whole("200 OK", Tags + Tags), "RegistryProtocolError"),
        ["compressed, which was not asked for"] = (Reply.Whole("200 OK", (byte[])[0x1f, 0x8b, 8, 0, 1, 2, 3], "Content-Encoding: gzip"), "RegistryProtocolError"),
        ["a tag with control characters"] = (Reply.Whole("200 OK", """{"name":"i1","tags":["T11","\u001b[2J\u001b]0;owned\u0007"]}"""), "RegistryProtocolError"),
        ["a tag that is a path"] = (Reply.Whole("200 OK", """{"name":"i1","tags":["T11","../../i2/manifests/T21"]}"""), "RegistryProtocolError"),
        ["an empty tag"] = (Reply.Whole("200 OK", """{"name":"i1","tags":["T11",""]}"""), "RegistryProtocolError"),
        ["a next page that is no address"] = (Reply.Whole("200 OK", Tags, "Link: <http://[>; rel=\"next\""), "RegistryProtocolError"),
        ["403"] = (Reply.Error("403 Forbidden", "DENIED"), "RegistryDenied"),
        ["403 by a page"] = (Reply.Whole("403 Forbidden", "<html>WAF</html>", "Content-Type: text/html"), "RegistryDenied"),
        ["an unheard-of status"] = (Reply.Raw("HTTP/1.1 799 Whatever\nContent-Length: 0\n\n"), "RegistryRequestFailed"),
        ["an error with a body of 3 MB"] = (Reply.Whole("400 Bad Request", new string('x', 3 * 1024 * 1024), "Content-Type: text/plain"), "RegistryRequestFailed"),
        ["an error whose body is cut"] = (Reply.Raw("HTTP/1.1 400 Bad Request\nContent-Type: application/json\nContent-Length: 500\n\n", "{\"errors\":[{\"code\":"), "RegistryRequestFailed"),
        ["an error full of control characters"] = (Reply.Whole("400 Bad Request", """{"errors":[{"code":"\u001b[31mX\r\n","message":"a\u001b]0;owned\u0007\nb\u202ec"}]}"""), "RegistryRequestFailed"),
        ["errors nested 100 000 deep"] = (Reply.Whole("400 Bad Request", "{\"errors\":" + new string('[', 30_000)), "RegistryRequestFailed"),
    };

    private static readonly Dictionary<string, Reply> Odd = new()
    {
        ["a length and more bytes after it"] = Reply.Raw(Head + $"Content-Length: {Tags.Length}\n\n", Tags + "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
        ["the same length twice"] = Reply.Raw(Head + $"Content-Length: {Tags.Length}\nContent-Length: {Tags.Length}\n\n", Tags),
        ["no length"] = Reply.Raw(Head + "\n", Tags),
        ["HTTP/1.0"] = Reply.Raw("HTTP/1.0 200 OK\nContent-Type: application/json\n\n", Tags),
        ["chunks of one byte, with extensions and a trailer"] = Reply.Raw(Head + "Transfer-Encoding: chunked\nTrailer: X\n\n" + string.Concat(Tags.Select(c => $"1;a=\"b\"\n{c}\n")) + "0\nX: y\n\n"),
        ["interim answers before it"] = Reply.Raw(string.Concat(Enumerable.Repeat("HTTP/1.1 103 Early Hints\nLink: </elsewhere>; rel=\"next\"\n\n", 50)) + Head + $"Content-Length: {Tags.Length}\n\n", Tags),
        ["text for its type"] = Reply.Whole("200 OK", Tags, "Content-Type: text/plain"),
        ["a type that is none"] = Reply.Whole("200 OK", Tags, "Content-Type: ;;;,/"),
        ["space all around it"] = Reply.Whole("200 OK", "\r\n\t " + Tags + new string(' ', 5 * 1024 * 1024)),
        ["a byte order mark before it"] = Reply.Whole("200 OK", (byte[])[0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Tags)]),
        ["everything escaped"] = Reply.Whole("200 OK", "{\"n\\u0061me\":\"i1\",\"t\\u0061gs\":[\"\\u005411\",\"T12\",\"T13\"]}"),
        ["nulls among the tags, as Nexus has them"] = Reply.Whole("200 OK", """{"name":"i1","tags":[null,"T11",null,"T12","T13",null]}"""),
        ["digests among the tags, as Artifactory has them"] = Reply.Whole("200 OK", $$"""{"name":"i1","tags":["T11","sha256:{{new string('a', 64)}}","T12","T13"]}"""),
        ["each tag twice"] = Reply.Whole("200 OK", """{"name":"i1","tags":["T11","T11","T12","T12","T13"]}"""),
        ["links that are not of the next page"] = Reply.Whole("200 OK", Tags, "Link: </v2/i1/tags/list?p=0>; rel=\"prev\", <http://elsewhere.test/>; rel=next-archive", "Link: <>; rel=next", "Link: nonsense \"\\"),
    };

    public static TheoryData<string> BadNames() => [.. Bad.Keys];

    public static TheoryData<string> OddNames() => [.. Odd.Keys];

    [Theory]
    [MemberData(nameof(BadNames))]
    public async Task A_list_that_can_not_be_relied_on_is_one_clear_error(string name)
    {
        var (sends, id) = Bad[name];
        await ConnectAsync(options: "-RetryCount 1 -MaximumRetryDelaySec 0 -TimeoutSec 1");
        Server.On("GET /v2/i1/tags/list", sends);
        var result = Run("Get-RegistryTag i1");
        AssertClear(result.Fail(id), "/v2/i1/tags/list");

        // One repetition; where a connection that was open already breaks off without a word, the client library tries anew by itself each time.
        Assert.InRange(Count("GET /v2/i1/tags/list"), 1, 8);

        // What came before it went wrong may have been written: no more of it than there is.
        Assert.All(result.Values("Name"), tag => Assert.Equal("T11", tag));
        Server.Behave();
        Assert.Equal("T11 T12 T13", Run("Get-RegistryTag i1").Succeed().Texts("Name"));
    }

    [Theory]
    [MemberData(nameof(BadNames))]
    public async Task Nothing_is_removed_on_a_list_that_can_not_be_relied_on(string name)
    {
        var (sends, _) = Bad[name];
        await ConnectAsync(options: "-RetryCount 0 -TimeoutSec 1");
        Server.On("GET /v2/i1/tags/list", sends);
        Unchanged(() =>
        {
            AssertClear(Assert.Single(Run("Remove-RegistryManifest i1 T12 -Force").Errors));
            AssertClear(Assert.Single(Run("Remove-RegistryTag i1 T12").Errors));
        });
        Assert.Equal(0, Count("DELETE"));
    }

    [Theory]
    [MemberData(nameof(OddNames))]
    public async Task A_list_that_is_only_odd_is_read_whole(string name)
    {
        await ConnectAsync(options: "-RetryCount 0 -TimeoutSec 5");
        Server.On("GET /v2/i1/tags/list", Odd[name]);
        Assert.Equal("T11 T12 T13", Run("Get-RegistryTag i1").Succeed().Texts("Name"));

        // Whatever was left on the connection is no answer to what comes next.
        Assert.Equal("i1 i2", Run("Get-RegistryRepository").Succeed().Texts("Repository"));
    }

    [Fact]
    public async Task A_list_of_50_MB_is_read_and_one_beyond_the_bounds_is_not()
    {
        await ConnectAsync(options: "-RetryCount 0 -TimeoutSec 30");
        var tags = Enumerable.Range(0, 20_000).Select(i => $"\"{new string('t', 110)}-{i}\"");
        Server.On("GET /v2/i1/tags/list", Reply.Whole("200 OK", "{\"name\":\"i1\",\"tags\":[" + string.Join(",", tags) + new string(' ', 48 * 1024 * 1024) + "]}"), times: 1);
        Assert.Equal(20_000, Run("$n = 0; Get-RegistryTag i1 | % { $n++ }; $n").Succeed().Output.Single().BaseObject);

        Server.On("GET /v2/i1/tags/list", Reply.Raw("HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 999999999999\n\n{\"tags\":["));
        Fails("Get-RegistryTag i1", "RegistryProtocolError", ErrorCategory.ProtocolError, "larger than");
    }

    [Theory]
    [InlineData("itself", "</v2/i1/tags/list?n=1000>; rel=\"next\"")]
    [InlineData("itself, written otherwise", "</v2/i1/../i1/tags/list?n=1000>; rel=\"next\"")]
    [InlineData("another host", "<http://FOREIGN/v2/i1/tags/list?last=T13>; rel=\"next\"")]
    [InlineData("another host without a scheme", "<//FOREIGN/v2/i1/tags/list?last=T13>; rel=\"next\"")]
    [InlineData("another scheme", "<https://SERVER/v2/i1/tags/list?last=T13>; rel=\"next\"")]
    [InlineData("a file", "<file:///etc/passwd>; rel=\"next\"")]
    [InlineData("a user", "<http://someone:s3cr3t-in-l1nk@FOREIGN/>; rel=\"next\"")]
    public async Task A_next_page_that_leads_to_(string where, string link)
    {
        Keep("s3cr3t-in-l1nk");
        Assert.NotEmpty(where);
        await ConnectAsync();
        Server.On("GET /v2/i1/tags/list", Reply.Whole("200 OK", Tags, "Link: " + link.Replace("FOREIGN", Foreign.Address).Replace("SERVER", Server.Address)));
        var result = Run("Get-RegistryTag i1");
        AssertClear(result.Fail("RegistryProtocolError"), "/v2/i1/tags/list");
        Assert.Empty(Foreign.Requests);
        Assert.InRange(Count("GET /v2/i1/tags/list"), 1, 2);
        Unchanged(() => Run("Remove-RegistryManifest i1 T12 -Force").Fail("RegistryProtocolError"));
    }

    [Fact]
    public async Task A_next_page_with_a_user_on_the_same_host_shows_no_password()
    {
        Keep("s3cr3t-in-l1nk");
        await ConnectAsync();
        Server.On("GET /v2/i1/tags/list?last", Reply.Whole("500 Internal Server Error"));
        Server.On("GET /v2/i1/tags/list", Reply.Whole("200 OK", Tags, $"Link: <http://someone:s3cr3t-in-l1nk@{Server.Address}/v2/i1/tags/list?last=T13>; rel=\"next\""));
        AssertClear(Assert.Single(Run("Get-RegistryTag i1").Errors), "/v2/i1/tags/list");
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_list_that_goes_backwards_under_ever_new_addresses_ends(int period)
    {
        await ConnectAsync(options: "-RetryCount 0 -TimeoutSec 5");
        var page = 0;
        Server.On("GET /v2/i1/tags/list", (_, _) => Reply.Whole("200 OK", $$"""{"name":"i1","tags":["A{{page % period}}","B{{page % period}}"]}""", $"Link: </v2/i1/tags/list?page={++page}>; rel=\"next\""));
        AssertClear(Run("Get-RegistryTag i1").Fail("RegistryProtocolError"), "circle");
        Assert.InRange(Count("GET /v2/i1/tags/list"), 2, 20);
    }

    [Fact]
    public async Task A_later_page_that_fails_is_an_error_after_what_came_and_nothing_is_removed_on_it()
    {
        await ConnectAsync(options: "-RetryCount 0 -TimeoutSec 1");
        Server.On("GET /v2/i1/tags/list?last=T11", Reply.Raw(Head + "Content-Length: 400\n\n", Tags[..24]));
        Server.On("GET /v2/i1/tags/list", Reply.Whole("200 OK", """{"name":"i1","tags":["T11"]}""", "Link: </v2/i1/tags/list?last=T11>; rel=\"next\""));
        var result = Run("Get-RegistryTag i1");
        Assert.Equal("T11", result.Texts("Name"));
        AssertClear(result.Fail("RegistryUnreachable"), "last=T11");
        Fails("Get-RegistryTag i1 -Sort Name", "RegistryUnreachable", ErrorCategory.ConnectionError, "last=T11");
        Unchanged(() => Run("Remove-RegistryManifest i1 T12 -Force").Fail("RegistryUnreachable"));
    }

    [Theory]
    [InlineData("{\"repositories\":[\"i1\",7]}")]
    [InlineData("{\"repositories\":[\"i1\",\"\\u001b[2J\"]}")]
    [InlineData("{\"repositories\":[\"i1\",\"../../../etc\"]}")]
    [InlineData("{\"repositories\":\"i1\"}")]
    [InlineData("{\"repositories\":[\"i1\"")]
    [InlineData("<html>")]
    public async Task A_catalog_that_can_not_be_relied_on_is_one_clear_error(string body)
    {
        await ConnectAsync(options: "-RetryCount 0 -TimeoutSec 1");
        Server.On("GET /v2/_catalog", Reply.Whole("200 OK", body));
        var result = Run("Get-RegistryRepository");
        AssertClear(result.Fail("RegistryProtocolError"), "/v2/_catalog");
        Assert.All(result.Values("Repository"), name => Assert.Equal("i1", name));
    }
}
