using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using RegistryTools.Host.Embedded;
using RegistryTools.Tests.Servers;

namespace RegistryTools.Cmdlets.Tests.Containers;

/// <summary>One podman for the tests of a class; null where it is not on this machine, which each test then says.</summary>
public sealed class PodmanFixture : IAsyncLifetime
{
    private SkipException? _missing;
    private PodmanServer? _server;

    public PodmanServer Server => _server ?? throw _missing!;

    public async Task InitializeAsync()
    {
        try
        {
            _server = await PodmanServer.StartAsync();
        }
        catch (SkipException exception)
        {
            _missing = exception;
        }
    }

    public async Task DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
    }

    /// <summary>
    /// Fills a registry: i4:T41 of several platforms, i1:T11, an image of i1 that lost its tag, and where it is asked for a signature without a tag of i1:T11. Gives the digest of the image without a tag.
    /// </summary>
    public static async Task<string> FillAsync(string address, bool signed = false)
    {
        await using var source = await EmbeddedFixture.StartAsync(EmbeddedRegistryOptions.Distribution2());
        foreach (var (from, to) in new[] { ("i4:T41", "i4:T41"), ("i2:T21", "i1:T11"), ("i1:T11", "i1:T11") }) await Skopeo.RunAsync("copy", "--all", "--preserve-digests", $"docker://{source.Host}/{from}", $"docker://{address}/{to}");
        using var client = new HttpClient { BaseAddress = new Uri($"http://{address}") };
        if (signed)
        {
            var (manifest, digest, type) = await GetAsync(client, "i1", "T11");
            var image = JsonNode.Parse(manifest)!.AsObject();
            image["subject"] = new JsonObject { ["mediaType"] = type, ["digest"] = digest, ["size"] = manifest.Length };
            image["mediaType"] = "application/vnd.oci.image.manifest.v1+json";
            var raw = Encoding.UTF8.GetBytes(image.ToJsonString());
            using var content = new ByteArrayContent(raw) { Headers = { ContentType = new MediaTypeHeaderValue("application/vnd.oci.image.manifest.v1+json") } };
            (await client.PutAsync($"/v2/i1/manifests/sha256:{Convert.ToHexStringLower(SHA256.HashData(raw))}", content)).EnsureSuccessStatusCode();
        }

        return (await GetAsync(new HttpClient { BaseAddress = new Uri($"http://{source.Host}") }, "i2", "T21")).Digest;
    }

    /// <summary>Whether a registry has a manifest.</summary>
    public static async Task<bool> HasAsync(string address, string repository, string reference)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Head, $"http://{address}/v2/{repository}/manifests/{reference}");
        Accept(request);
        using var response = await client.SendAsync(request);
        return response.IsSuccessStatusCode;
    }

    /// <summary>Pulls every platform of i4:T41, and i1:T11.</summary>
    public static async Task PullAllAsync(string address, string directory)
    {
        await Skopeo.PullAsync(address, "i4", "T41", Path.Combine(directory, Guid.NewGuid().ToString("N")));
        await Skopeo.PullAsync(address, "i1", "T11", Path.Combine(directory, Guid.NewGuid().ToString("N")));
    }

    private static async Task<(byte[] Manifest, string Digest, string Type)> GetAsync(HttpClient client, string repository, string reference)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/v2/{repository}/manifests/{reference}");
        Accept(request);
        using var response = await client.SendAsync(request);
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadAsByteArrayAsync(), response.Headers.GetValues("Docker-Content-Digest").First(), response.Content.Headers.ContentType!.MediaType!);
    }

    private static void Accept(HttpRequestMessage request)
    {
        foreach (var type in new[] { "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json" }) request.Headers.Accept.ParseAdd(type);
    }
}
