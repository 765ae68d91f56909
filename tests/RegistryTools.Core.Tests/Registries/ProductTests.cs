using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Journal;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Tests.Servers;
using Xunit;

namespace RegistryTools.Tests.Registries;

/// <summary>What is known of a service by its host is used before it is asked.</summary>
public sealed class ProductTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-products-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("docker.io", "Docker Hub")]
    [InlineData("registry-1.docker.io", "Docker Hub")]
    [InlineData("ghcr.io", "GitHub Container Registry")]
    [InlineData("myregistry.azurecr.io", "Azure Container Registry")]
    [InlineData("123456789012.dkr.ecr.eu-central-1.amazonaws.com", "Amazon ECR")]
    [InlineData("public.ecr.aws", "Amazon ECR")]
    [InlineData("quay.io", "Quay")]
    [InlineData("registry.gitlab.com", "GitLab Container Registry")]
    [InlineData("europe-docker.pkg.dev", "Google Artifact Registry")]
    [InlineData("registry.example.com", null)]
    [InlineData("ghcr.io.example.com", null)]
    [InlineData("notazurecr.io", null)]
    public void A_service_is_known_by_its_host(string host, string? name) => Assert.Equal(name, RegistryProduct.Of(RegistryAddress.Parse(host))?.Name);

    [Theory]
    [InlineData("ghcr.io", "API", "packages")]
    [InlineData("docker.io", "hub.docker.com", "tags")]
    public async Task Where_the_registry_API_deletes_nothing_nothing_is_tried_and_it_is_told_what_to_do(string host, params string[] told)
    {
        const string raw = """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}""";
        var server = "https://" + (host == "docker.io" ? "registry-1.docker.io" : host);
        var handler = Ping(server)
            .On("GET " + server + "/v2/team/app/tags/list*", Answer.Json(200, """{"name":"team/app","tags":["T11"]}"""))
            .On("HEAD " + server + "/v2/team/app/manifests/T11", Answer.Manifest(raw, MediaTypes.OciManifest))
            .On("GET " + server + "/v2/team/app/manifests/T11", Answer.Manifest(raw, MediaTypes.OciManifest));
        using var registry = await handler.ConnectAsync("https://" + host);
        using var remover = new TagRemover(registry, new RemovalJournal(_directory));
        var removal = Assert.Single(await remover.RemoveAsync("team/app", [new TagRemovalRequest("T11")]));
        var error = Assert.IsType<DeletionDisabledException>(removal.Error);
        Assert.All(told, word => Assert.Contains(word, error.Remedy, StringComparison.Ordinal));
        Assert.Equal(RemovalState.Unchanged, removal.State);
        Assert.DoesNotContain(handler.AllRequests, request => request.ToString().StartsWith("DELETE", StringComparison.Ordinal) || request.ToString().StartsWith("PUT", StringComparison.Ordinal) || request.ToString().StartsWith("POST", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_catalog_that_is_known_not_to_be_there_is_not_asked_for()
    {
        var handler = Ping("https://registry-1.docker.io");
        using var registry = await handler.ConnectAsync("https://docker.io");
        Assert.Equal("registry-1.docker.io", registry.BaseUri.Host);
        Assert.Equal("docker.io", registry.Name);
        var error = await Assert.ThrowsAsync<RegistryUnsupportedException>(async () =>
        {
            await foreach (var _ in registry.ListRepositoriesAsync())
            {
            }
        });
        Assert.Contains("Docker Hub has no catalog", error.Message, StringComparison.Ordinal);
        Assert.Single(handler.AllRequests);
        var capabilities = await registry.ProbeAsync("library/alpine");
        Assert.Equal("Docker Hub", capabilities.Product);
        Assert.Equal((Support.NotSupported, Support.NotSupported, Support.Supported), (capabilities.Catalog, capabilities.TagDelete, capabilities.ManifestDelete));
        Assert.Contains(capabilities.Notes, note => note.Contains("hub.docker.com", StringComparison.Ordinal));
        Assert.DoesNotContain(handler.AllRequests, request => request.ToString().StartsWith("DELETE", StringComparison.Ordinal));
    }

    [Fact]
    public async Task On_Azure_a_tag_goes_through_its_own_API_and_the_manifest_stays()
    {
        const string server = "https://myregistry.azurecr.io";
        var gone = false;
        var handler = Acr(server, () => gone).On("DELETE " + server + "/acr/v1/team/app/_tags/T11", seen =>
        {
            gone = true;
            return Answer.Status(202)(seen);
        });
        using var registry = await handler.ConnectAsync(server);
        using var remover = new TagRemover(registry, new RemovalJournal(_directory));
        var removal = Assert.Single(await remover.RemoveAsync("team/app", [new TagRemovalRequest("T11")]));
        Assert.Equal((RemovalState.Removed, RemovalMethod.TagApi), (removal.State, removal.Method));
        Assert.Single(handler.AllRequests, request => request.Method is "DELETE" or "PUT" or "POST");
    }

    [Theory]
    [InlineData(405, "UNSUPPORTED")]
    [InlineData(400, "TAG_INVALID")]
    [InlineData(403, "DENIED")]
    public async Task A_tag_that_is_locked_on_Azure_is_neither_deleted_nor_overwritten(int status, string code)
    {
        const string server = "https://myregistry.azurecr.io";
        var handler = Acr(server, () => false).On("DELETE " + server + "/acr/v1/team/app/_tags/T11", Answer.Error(status, code, "The operation is disallowed on this registry, repository or image."));
        using var registry = await handler.ConnectAsync(server);
        using var remover = new TagRemover(registry, new RemovalJournal(_directory));
        var removal = Assert.Single(await remover.RemoveAsync("team/app", [new TagRemovalRequest("T11")]));
        Assert.Equal(RemovalState.Unchanged, removal.State);
        Assert.Contains("disallowed", removal.Error!.Message, StringComparison.Ordinal);
        Assert.Single(handler.AllRequests, request => request.Method is "DELETE" or "PUT" or "POST");
    }

    [Fact]
    public async Task What_deleting_does_elsewhere_is_told_before_it_is_done()
    {
        using var registry = await Ping("https://123456789012.dkr.ecr.eu-central-1.amazonaws.com").ConnectAsync("https://123456789012.dkr.ecr.eu-central-1.amazonaws.com");
        Assert.Contains((await registry.ProbeAsync("a")).Notes, note => note.Contains("the last of its tags", StringComparison.Ordinal));
    }

    private static ScriptedHandler Acr(string server, Func<bool> gone)
    {
        const string raw = """{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}""";
        Func<SeenRequest, HttpResponseMessage> unlessGone(Func<SeenRequest, HttpResponseMessage> there) => seen => (gone() ? Answer.Error(404, "MANIFEST_UNKNOWN") : there)(seen);
        var digest = Digest.Compute(System.Text.Encoding.UTF8.GetBytes(raw));
        return Ping(server)
            .On("GET " + server + "/v2/team/app/tags/list*", seen => Answer.Json(200, gone() ? """{"name":"team/app","tags":[]}""" : """{"name":"team/app","tags":["T11"]}""")(seen))
            .On("HEAD " + server + "/v2/team/app/manifests/T11", unlessGone(Answer.Manifest(raw, MediaTypes.OciManifest)))
            .On("GET " + server + "/v2/team/app/manifests/T11", unlessGone(Answer.Manifest(raw, MediaTypes.OciManifest)))
            .On("HEAD " + server + "/v2/team/app/manifests/" + digest, Answer.Manifest(raw, MediaTypes.OciManifest))
            .On("GET " + server + "/v2/team/app/manifests/" + digest, Answer.Manifest(raw, MediaTypes.OciManifest));
    }

    private static ScriptedHandler Ping(string server) => new ScriptedHandler().On("GET " + server + "/v2/", Answer.Json(200, "{}", ("Docker-Distribution-Api-Version", "registry/2.0")));
}
