namespace RegistryTools.Cmdlets.Tests.Support;

/// <summary>A scripted registry and a session that is connected to it.</summary>
public abstract class RegistryTestBase : IAsyncLifetime
{
    private protected ScriptedRegistry Registry { get; private set; } = null!;

    private protected ModuleSession Session { get; private set; } = null!;

    public virtual async Task InitializeAsync()
    {
        Registry = await ScriptedRegistry.StartAsync();
        Session = new ModuleSession();
        Session.Invoke($"Connect-Registry http://{Registry.Address} -Name reg -RetryCount 0").Succeed();
        Fill();
        Registry.Requests.Clear();
    }

    public async Task DisposeAsync()
    {
        Session.Dispose();
        await Registry.DisposeAsync();
    }

    /// <summary>i1 with T11, and T12 and T13 on one manifest; i2 with an index; i3 empty.</summary>
    private protected virtual void Fill()
    {
        Registry.AddImage("i1", "T11", seed: "T11");
        var shared = Registry.AddImage("i1", "T12");
        Registry.Tag("i1", "T13", shared);
        var amd64 = Registry.AddImage("i2", null, created: "2023-01-01T00:00:00Z", layers: 2);
        var arm64 = Registry.AddImage("i2", null, created: "2024-01-01T00:00:00Z", architecture: "arm64", layers: 3);
        Registry.AddIndex("i2", "T21", (amd64, "linux", "amd64"), (arm64, "linux", "arm64"), ("sha256:" + new string('a', 64), "unknown", "unknown"));
        Registry.AddManifest("i3", null, ScriptedRegistry.OciIndex, "{\"schemaVersion\":2,\"manifests\":[]}"u8.ToArray());
    }
}
