using System.Text.Json;
using RegistryTools.Errors;
using RegistryTools.Registries;
using RegistryTools.Tests.Servers;
using Xunit;

namespace RegistryTools.Tests.Registries;

public sealed class HttpRegistryListTests
{
    [Theory]
    [InlineData("</v2/a/tags/list?n=2&last=b>; rel=\"next\"")]
    [InlineData("<http://registry.test/v2/a/tags/list?n=2&last=b>; rel=\"next\"")]
    [InlineData("<http://REGISTRY.test:80/v2/a/tags/list?n=2&last=b>; rel=next")]
    [InlineData("<list?n=2&last=b>; rel=next")]
    [InlineData("<?n=2&last=b>; rel=next")]
    public async Task Pages_are_followed_by_link(string link)
    {
        var handler = new ScriptedHandler()
            .On("GET /v2/a/tags/list?n=2", Tags(["a", "b"], ("Link", link)))
            .On("GET /v2/a/tags/list?n=2&last=b", Tags(["c"]));
        using var registry = await handler.ConnectAsync(pageSize: 2);
        Assert.Equal(["a", "b", "c"], await ListAsync(registry.ListTagsAsync("a")));
        Assert.Equal(["GET /v2/a/tags/list?n=2", "GET /v2/a/tags/list?n=2&last=b"], handler.Lines);
    }

    [Fact]
    public async Task Pages_behind_a_prefix_are_followed()
    {
        var handler = new ScriptedHandler()
            .On("GET /docker/v2/", Answer.Json(200, "{}"))
            .On("GET /docker/v2/a/tags/list?n=2", Tags(["a", "b"], ("Link", "</docker/v2/a/tags/list?n=2&last=b>; rel=next")))
            .On("GET /docker/v2/a/tags/list?n=2&last=b", Tags(["c"]));
        using var registry = await handler.ConnectAsync("http://registry.test/docker", pageSize: 2);
        Assert.Equal(["a", "b", "c"], await ListAsync(registry.ListTagsAsync("a")));
    }

    [Fact]
    public async Task The_first_tag_leaves_before_the_second_page_is_asked_for()
    {
        var handler = new ScriptedHandler()
            .On("GET /v2/a/tags/list?n=2", Tags(["a", "b"], ("Link", "</v2/a/tags/list?n=2&last=b>; rel=next")))
            .On("GET /v2/a/tags/list?n=2&last=b", Answer.Status(500));
        using var registry = await handler.ConnectAsync(pageSize: 2);
        await foreach (var tag in registry.ListTagsAsync("a"))
        {
            Assert.Equal("a", tag);
            break;
        }

        Assert.Single(handler.Lines);
    }

    [Fact]
    public async Task A_server_that_ignores_n_gives_everything_in_its_own_order()
    {
        var handler = new ScriptedHandler().On("GET /v2/a/tags/list?n=2", Tags(["c", "a", "b"]));
        using var registry = await handler.ConnectAsync(pageSize: 2);
        Assert.Equal(["c", "a", "b"], await ListAsync(registry.ListTagsAsync("a")));
    }

    [Theory]
    [InlineData("{\"name\":\"a\",\"tags\":null}")]
    [InlineData("{\"name\":\"a\",\"tags\":[]}")]
    [InlineData("{\"name\":\"a\"}")]
    public async Task A_repository_without_tags_has_none(string body)
    {
        using var registry = await new ScriptedHandler().On("GET /v2/a/tags/list*", Answer.Json(200, body)).ConnectAsync();
        Assert.Empty(await ListAsync(registry.ListTagsAsync("a")));
    }

    [Fact]
    public async Task An_unknown_repository_is_told_as_such()
    {
        using var registry = await new ScriptedHandler().On("GET /v2/a/tags/list*", Answer.Error(404, "NAME_UNKNOWN", "repository name not known to registry")).ConnectAsync();
        var error = await Assert.ThrowsAsync<RegistryNotFoundException>(() => ListAsync(registry.ListTagsAsync("a")));
        Assert.True(error.HasCode("NAME_UNKNOWN"));
        Assert.Contains("registry.test", error.Message);
    }

    [Fact]
    public async Task A_list_that_goes_round_ends_with_an_error()
    {
        var handler = new ScriptedHandler()
            .On("GET /v2/a/tags/list?n=1000", Tags(["a"], ("Link", "</v2/a/tags/list?last=a>; rel=next")))
            .On("GET /v2/a/tags/list?last=a", Tags(["b"], ("Link", "</v2/a/tags/list?n=1000>; rel=next")));
        using var registry = await handler.ConnectAsync();
        var error = await Assert.ThrowsAsync<RegistryProtocolException>(() => ListAsync(registry.ListTagsAsync("a")));
        Assert.Contains("circle", error.Message);
        Assert.Equal(2, handler.Lines.Count);
    }

    [Theory]
    [InlineData("http://elsewhere.test/v2/a/tags/list?last=a")]
    [InlineData("https://registry.test/v2/a/tags/list?last=a")]
    [InlineData("http://registry.test:81/v2/a/tags/list?last=a")]
    [InlineData("//elsewhere.test/v2/a/tags/list?last=a")]
    [InlineData("http://user:s3cret@elsewhere.test/v2/")]
    [InlineData("file:///etc/passwd")]
    public async Task A_link_that_leads_elsewhere_is_not_followed(string link)
    {
        var handler = new ScriptedHandler().On("GET /v2/a/tags/list?n=1000", Tags(["a"], ("Link", $"<{link}>; rel=next")));
        using var registry = await handler.ConnectAsync();
        var error = await Assert.ThrowsAsync<RegistryProtocolException>(() => ListAsync(registry.ListTagsAsync("a")));
        Assert.Contains("another server", error.Message);
        Assert.DoesNotContain("s3cret", error.ToString());
        Assert.Single(handler.Lines);
    }

    [Fact]
    public async Task A_page_that_is_too_large_for_the_registry_is_asked_for_smaller()
    {
        var handler = new ScriptedHandler()
            .On("GET /v2/_catalog?n=1000", Answer.Error(400, "PAGINATION_NUMBER_INVALID"))
            .On("GET /v2/_catalog?n=100", Answer.Json(200, "{\"repositories\":[\"a\"]}", ("Link", "</v2/_catalog?n=100&last=a>; rel=next")))
            .On("GET /v2/_catalog?n=100&last=a", Answer.Json(200, "{\"repositories\":[\"b\"]}"));
        using var registry = await handler.ConnectAsync();
        Assert.Equal(["a", "b"], await ListAsync(registry.ListRepositoriesAsync()));
    }

    [Fact]
    public async Task A_registry_without_a_catalog_says_so()
    {
        using var registry = await new ScriptedHandler().On("GET /v2/_catalog*", Answer.Error(405, "UNSUPPORTED")).ConnectAsync();
        await Assert.ThrowsAsync<RegistryUnsupportedException>(() => ListAsync(registry.ListRepositoriesAsync()));
    }

    [Theory]
    [InlineData("<html><body>Log in</body></html>", "text/html", "a web page")]
    [InlineData("{\"name\":\"a\",\"tags\":[\"a\",", "application/json", "tags")]
    [InlineData("{\"message\":\"hello\"}", "application/json", "hello")]
    [InlineData("", "application/json", "nothing")]
    public async Task What_is_no_list_is_one_clear_error(string body, string type, string said)
    {
        using var registry = await new ScriptedHandler().On("GET /v2/a/tags/list*", Answer.Text(200, body, type)).ConnectAsync();
        var error = await Assert.ThrowsAsync<RegistryProtocolException>(() => ListAsync(registry.ListTagsAsync("a")));
        Assert.Contains(said, error.Message);
        Assert.Contains("/v2/a/tags/list", error.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../a")]
    [InlineData("a/../b")]
    [InlineData("I1")]
    [InlineData("a b")]
    public async Task What_is_no_repository_as_it_stands_is_not_asked_for(string repository)
    {
        var handler = new ScriptedHandler();
        using var registry = await handler.ConnectAsync();
        await Assert.ThrowsAsync<ReferenceFormatException>(() => ListAsync(registry.ListTagsAsync(repository)));
        await Assert.ThrowsAsync<ReferenceFormatException>(() => registry.FindManifestAsync(repository, "x"));
        await Assert.ThrowsAsync<ReferenceFormatException>(() => registry.FindManifestAsync("a", "x/../y"));
        await Assert.ThrowsAsync<ReferenceFormatException>(() => registry.MountBlobAsync("a", RegistryTools.References.Digest.Random(), repository));
        Assert.Empty(handler.Lines);
    }

    [Fact]
    public async Task A_page_that_breaks_off_is_fetched_again()
    {
        var page = JsonSerializer.SerializeToUtf8Bytes(new { name = "a", tags = new[] { "x", "y" } });
        var handler = new ScriptedHandler().On(
            "GET /v2/a/tags/list*",
            Answer.Partial(page[..5], page.Length, BodyEnd.Breaks, "application/json"),
            Answer.Partial(page[..5], page.Length, BodyEnd.Ends, "application/json"),
            Answer.Bytes(200, page, "application/json"));
        using var registry = await handler.ConnectAsync();
        Assert.Equal(["x", "y"], await ListAsync(registry.ListTagsAsync("a")));
        Assert.Equal(3, handler.Lines.Count);
    }

    private static Func<SeenRequest, HttpResponseMessage> Tags(string[] tags, params (string, string)[] headers) =>
        Answer.Json(200, JsonSerializer.Serialize(new { name = "a", tags }), headers);

    private static async Task<List<string>> ListAsync(IAsyncEnumerable<string> items)
    {
        var list = new List<string>();
        await foreach (var item in items) list.Add(item);
        return list;
    }
}
