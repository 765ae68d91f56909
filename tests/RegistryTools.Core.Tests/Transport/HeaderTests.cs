using System.Text;
using RegistryTools.Authentication;
using RegistryTools.Registries;
using RegistryTools.Tests.Servers;
using RegistryTools.Transport;
using Xunit;

namespace RegistryTools.Tests.Transport;

public sealed class HeaderTests
{
    [Theory]
    [InlineData("</v2/_catalog?n=2&last=b>; rel=\"next\"", "/v2/_catalog?n=2&last=b")]
    [InlineData("<https://host/v2/x/tags/list?last=a>; rel=next", "https://host/v2/x/tags/list?last=a")]
    [InlineData("</a>; rel=prev, </b>; rel=next", "/b")]
    [InlineData("</a,b>; title=\"x, <y>; rel=next\"; rel=\"prev next\"", "/a,b")]
    [InlineData("</a>;REL=Next", "/a")]
    [InlineData("</a> ; rel = \"next\"", "/a")]
    [InlineData("</a>; rel=prev; rel=next", null)]
    [InlineData("</a>", null)]
    [InlineData("<>; rel=next", null)]
    [InlineData("</a; rel=next", null)]
    [InlineData("", null)]
    [InlineData("garbage,;=<\"", null)]
    [InlineData("</a>; rel=\"next", "/a")]
    [InlineData("</a>; ===;;; \"\"; rel=next", "/a")]
    public void The_next_link_is_found(string value, string? expected) => Assert.Equal(expected, LinkHeader.FindNext([value]));

    [Fact]
    public void The_next_link_is_found_among_several_headers_and_a_huge_one_is_passed_over()
    {
        Assert.Equal("/b", LinkHeader.FindNext(["</a>; rel=prev", "</b>; rel=next"]));
        Assert.Null(LinkHeader.FindNext(["<" + new string('a', 20000) + ">; rel=next"]));
    }

    [Fact]
    public void Retry_after_is_seconds_or_a_date()
    {
        var now = new DateTimeOffset(2024, 5, 1, 12, 0, 0, TimeSpan.Zero);
        Assert.Equal(TimeSpan.FromSeconds(120), RetryAfter.Parse("120", now));
        Assert.Equal(TimeSpan.Zero, RetryAfter.Parse(" 0 ", now));
        Assert.Equal(TimeSpan.FromSeconds(90), RetryAfter.Parse("Wed, 01 May 2024 12:01:30 GMT", now));
        Assert.Equal(TimeSpan.FromSeconds(90), RetryAfter.Parse("Wednesday, 01-May-24 12:01:30 GMT", now));
        Assert.Equal(TimeSpan.Zero, RetryAfter.Parse("Wed, 01 May 2024 11:00:00 GMT", now));
        Assert.Equal(TimeSpan.FromDays(365), RetryAfter.Parse(new string('9', 400), now));
        foreach (var nothing in new[] { null, "", "soon", "-5", "1.5", "1/2", "\u0661\u0662", "12s" }) Assert.Null(RetryAfter.Parse(nothing, now));
    }

    [Fact]
    public void A_bearer_challenge_is_read()
    {
        var challenge = Assert.Single(AuthenticationChallenge.Parse(["Bearer realm=\"https://auth.test/token?x=1\",service=\"registry.test\",scope=\"repository:a/b:pull,push\",error=\"insufficient_scope\""]));
        Assert.True(challenge.Is("bearer"));
        Assert.Equal("https://auth.test/token?x=1", challenge["REALM"]);
        Assert.Equal("repository:a/b:pull,push", challenge["scope"]);
        Assert.Null(challenge["nothing"]);
    }

    [Fact]
    public void Several_challenges_in_one_header_or_in_several_are_told_apart()
    {
        foreach (var values in new[]
        {
            new[] { "Negotiate, Basic realm=\"a, b=c\", Bearer realm=\"https://x\",service=s" },
            ["Negotiate", "Basic realm=\"a, b=c\"", "Bearer realm=\"https://x\" , service = s"],
            ["Negotiate YWJjZA==, Basic realm=\"a, b=c\",Bearer realm=\"https://x\",,service=s,"],
        })
        {
            var challenges = AuthenticationChallenge.Parse(values);
            Assert.Equal(["Negotiate", "Basic", "Bearer"], challenges.Select(challenge => challenge.Scheme));
            Assert.Equal("a, b=c", challenges[1]["realm"]);
            Assert.Equal("https://x", challenges[2]["realm"]);
            Assert.Equal("s", challenges[2]["service"]);
        }
    }

    [Theory]
    [InlineData("Basic realm=\"say \\\"hi\\\" \\\\ there\"", "say \"hi\" \\ there")]
    [InlineData("Basic realm=plain", "plain")]
    [InlineData("Basic realm=\"not closed", "not closed")]
    [InlineData("Basic REALM=\"a\", realm=\"b\"", "a")]
    [InlineData("basic   realm = \"a\"", "a")]
    [InlineData("Basic realm=https://x/y?a=b", "https://x/y?a=b")]
    [InlineData("Basic realm=\"\"", "")]
    [InlineData("Basic", null)]
    [InlineData("Basic dG9rZW42OA==", null)]
    [InlineData("Basic a/b+c=", null)]
    public void Quoting_is_undone_and_token68_is_passed_over(string value, string? realm)
    {
        var challenge = AuthenticationChallenge.Parse([value])[0];
        Assert.True(challenge.Is("Basic"));
        Assert.Equal(realm, challenge["realm"]);
    }

    [Fact]
    public void Garbage_in_headers_throws_nothing_and_ends()
    {
        var random = new Random(7);
        const string alphabet = "ab=,;\" \t\\<>/:?Bearer realm~\u00e9";
        for (var i = 0; i < 20000; i++)
        {
            var value = new string(Enumerable.Range(0, random.Next(40)).Select(_ => alphabet[random.Next(alphabet.Length)]).ToArray());
            AuthenticationChallenge.Parse([value]);
            LinkHeader.FindNext([value]);
            RetryAfter.Parse(value, DateTimeOffset.UtcNow);
        }

        Assert.Empty(AuthenticationChallenge.Parse([]));
        Assert.Empty(AuthenticationChallenge.Parse(["", " , ,", new string('a', 20000)]));
    }

    [Theory]
    [InlineData("{\"name\":\"a\",\"tags\":[\"b\",\"a\"]}", "b a")]
    [InlineData("{\"name\":\"a\",\"tags\":null}", "")]
    [InlineData("{\"name\":\"a\",\"tags\":[]}", "")]
    [InlineData("{\"name\":\"a\"}", "")]
    [InlineData("{\"name\":\"a\",\"tags\":[\"b\",null,3,\"\",{\"x\":[]},\"c\"]}", "b c")]
    [InlineData("\uFEFF{\"name\":\"a\",\"tags\":[\"b\"]}", "b")]
    [InlineData("{\"tags\":[\"a\"],\"tags\":[]}", null)]
    [InlineData("{\"tags\":{}}", null)]
    [InlineData("{\"tags\":\"a\"}", null)]
    [InlineData("{\"errors\":[]}", null)]
    [InlineData("[]", null)]
    [InlineData("\"tags\"", null)]
    [InlineData("{\"tags\":[\"a\",", null)]
    [InlineData("{\"tags\":[\"\\ud800\"]}", null)]
    [InlineData("<html>", null)]
    [InlineData("", null)]
    public void A_page_of_a_list_is_read(string body, string? items) =>
        Assert.Equal(items?.Split(' ', StringSplitOptions.RemoveEmptyEntries), ListPage.Read(Encoding.UTF8.GetBytes(body), "tags"));

    [Fact]
    public void The_errors_of_a_body_are_read_and_bounded()
    {
        var errors = RegistryErrors.Parse(Encoding.UTF8.GetBytes("{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"no\\u001b[31m\",\"detail\":{\"Tag\":\"x\"}},3,{\"detail\":null}]}"));
        Assert.Equal(2, errors.Count);
        Assert.Equal("MANIFEST_UNKNOWN", errors[0].Code);
        Assert.DoesNotContain('\u001b', errors[0].Message);
        Assert.Equal("{\"Tag\":\"x\"}", errors[0].Detail);
        Assert.Equal(("", "", null), (errors[1].Code, errors[1].Message, errors[1].Detail));
        foreach (var nothing in new[] { "", "{}", "[]", "{\"errors\":3}", "<html>", "{\"errors\":[", "{\"errors\":[{\"code\":\"\\ud800\"}]}", "{\"\\ud800x\":1}" }) Assert.Empty(RegistryErrors.Parse(Encoding.UTF8.GetBytes(nothing)));
        Assert.Equal(32, RegistryErrors.Parse(Encoding.UTF8.GetBytes("{\"errors\":[" + string.Join(",", Enumerable.Repeat("{}", 1000)) + "]}")).Count);
    }

    [Theory]
    [InlineData("https://h/v2/a/blobs/uploads/1?_state=s3cret", "https://h/v2/a/blobs/uploads/1")]
    [InlineData("https://cdn/x?X-Amz-Signature=s3cret", "https://cdn/x")]
    [InlineData("https://h/v2/a/tags/list?n=10&last=x", "https://h/v2/a/tags/list?n=10&last=x")]
    [InlineData("https://h/v2/_catalog?n=10", "https://h/v2/_catalog?n=10")]
    [InlineData("https://user:s3cret@h/v2/_catalog", "https://h/v2/_catalog")]
    public void Only_the_query_of_a_list_is_shown(string uri, string shown) => Assert.Equal(shown, RegistryErrors.Shown(new Uri(uri)).AbsoluteUri);

    [Theory]
    [InlineData(401, typeof(RegistryTools.Errors.RegistryUnauthorizedException))]
    [InlineData(403, typeof(RegistryTools.Errors.RegistryDeniedException))]
    [InlineData(404, typeof(RegistryTools.Errors.RegistryNotFoundException))]
    [InlineData(405, typeof(RegistryTools.Errors.RegistryUnsupportedException))]
    [InlineData(302, typeof(RegistryTools.Errors.RegistryProtocolException))]
    [InlineData(400, typeof(RegistryTools.Errors.RegistryRequestException))]
    [InlineData(418, typeof(RegistryTools.Errors.RegistryRequestException))]
    [InlineData(429, typeof(RegistryTools.Errors.RegistryRequestException))]
    [InlineData(500, typeof(RegistryTools.Errors.RegistryRequestException))]
    public async Task Each_status_is_its_own_error_and_names_what_was_asked(int status, Type type)
    {
        var uri = new Uri("https://h:5000/v2/a/manifests/b");
        using var response = Answer.Error(status, "SOME_CODE", "why it failed")(new SeenRequest("DELETE", uri, null, new Dictionary<string, string>(), []));
        var body = await response.Content.ReadAsByteArrayAsync();
        var error = RegistryErrors.From("DELETE", uri, response, body, identified: false);
        Assert.IsType(type, error);
        Assert.Equal((status, "DELETE", uri), (error.StatusCode, error.Method, error.Uri));
        Assert.Contains("h:5000 answered " + status, error.Message);
        Assert.Contains("DELETE https://h:5000/v2/a/manifests/b", error.Message);
        Assert.Contains("SOME_CODE (why it failed)", error.Message);
        Assert.DoesNotContain($"{status} {status}", error.Message);
        if (type != typeof(RegistryTools.Errors.RegistryProtocolException)) Assert.True(error.HasCode("some_code"));
    }

    [Fact]
    public void A_web_page_is_called_one()
    {
        Assert.Equal("a web page (text/html) instead of JSON", RegistryErrors.Describe(Encoding.UTF8.GetBytes("  <!DOCTYPE html>"), null));
        Assert.Equal("'404 page not found'", RegistryErrors.Describe(Encoding.UTF8.GetBytes("404 page not found\n"), "text/plain"));
        Assert.Equal(string.Empty, RegistryErrors.Describe([], null));
    }
}
