using RegistryTools.Host.Embedded;

namespace RegistryTools.Cmdlets.Tests.Support;

/// <summary>The embedded registry with the README's data, and a session that is connected to it; for tests that change nothing.</summary>
public sealed class EmbeddedFixture : IAsyncLifetime
{
    public const string Name = "The embedded registry";

    public EmbeddedRegistry Registry { get; private set; } = null!;

    public ModuleSession Session { get; private set; } = null!;

    /// <summary>Starts a registry of some kind with the README's data.</summary>
    public static async Task<EmbeddedRegistry> StartAsync(EmbeddedRegistryOptions options)
    {
        var registry = await EmbeddedRegistry.StartAsync(options);
        SampleData.Seed(registry.Store, fallbackTag: !options.ReferrersApi);
        return registry;
    }

    public async Task InitializeAsync()
    {
        Registry = await StartAsync(EmbeddedRegistryOptions.Full());
        Session = new ModuleSession();
        Session.Invoke($"Connect-Registry {Registry.Host} -Name sample").Succeed();
    }

    public async Task DisposeAsync()
    {
        Session.Dispose();
        await Registry.DisposeAsync();
    }
}

[CollectionDefinition(EmbeddedFixture.Name)]
public sealed class EmbeddedGroup : ICollectionFixture<EmbeddedFixture>;
