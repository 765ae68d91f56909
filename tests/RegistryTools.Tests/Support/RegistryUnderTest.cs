using RegistryTools.Host.Embedded;
using RegistryTools.Tests.Servers;

namespace RegistryTools.Cmdlets.Tests.Support;

/// <summary>A registry with the README's data: the embedded one as some product, or the real docker-registry, to which skopeo has pushed them.</summary>
public sealed class RegistryUnderTest : IAsyncDisposable
{
    private readonly IAsyncDisposable _server;

    private RegistryUnderTest(IAsyncDisposable server, string host)
    {
        _server = server;
        Host = host;
    }

    /// <summary>Host and port.</summary>
    public string Host { get; }

    /// <summary>The embedded registry; null where it is the real one.</summary>
    public EmbeddedRegistry? Embedded => _server as EmbeddedRegistry;

    public static async Task<RegistryUnderTest> StartAsync(string kind)
    {
        if (!kind.StartsWith("docker-registry", StringComparison.Ordinal))
        {
            var embedded = await EmbeddedFixture.StartAsync(kind switch
            {
                "Distribution2" => EmbeddedRegistryOptions.Distribution2(),
                "Distribution3" => EmbeddedRegistryOptions.Distribution3(),
                "Full" => EmbeddedRegistryOptions.Full(),
                "DeletionDisabled" => EmbeddedRegistryOptions.DeletionDisabled(),
                _ => throw new ArgumentOutOfRangeException(nameof(kind)),
            });
            return new RegistryUnderTest(embedded, embedded.Host);
        }

        Requirement.Program("skopeo");
        var server = await DockerRegistryServer.StartAsync(deleteEnabled: kind != "docker-registry, deletion off");
        await using var source = await EmbeddedFixture.StartAsync(EmbeddedRegistryOptions.Distribution2());
        foreach (var (repository, tags) in SampleData.Tags)
        {
            foreach (var tag in tags) await Skopeo.RunAsync("copy", "--all", "--preserve-digests", $"docker://{source.Host}/{repository}:{tag}", $"docker://{server.Host}/{repository}:{tag}");
        }

        return new RegistryUnderTest(server, server.Host);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
