using System.Globalization;
using System.Runtime.InteropServices;

namespace RegistryTools.Host.Embedded;

/// <summary><c>-Serve PORT -StoragePath DIR</c>: only serves, until it is stopped.</summary>
public static class ServeCommand
{
    /// <summary>Serves a directory and tells on <paramref name="output"/> where.</summary>
    /// <param name="port">The port on 127.0.0.1; 0 for one that is free.</param>
    /// <param name="storagePath">The storage's root, the parent of <c>docker/registry/v2</c>; null for one that goes with the server.</param>
    /// <param name="behaviour">One of <see cref="EmbeddedRegistryOptions.Names"/>.</param>
    /// <param name="seed">Whether the sample images are written into it first.</param>
    /// <param name="output">Where it tells.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="ArgumentException">There is no such behaviour.</exception>
    public static async Task<int> RunAsync(int port, string? storagePath, string behaviour, bool seed, TextWriter output, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(output);
        EmbeddedRegistryOptions options = EmbeddedRegistryOptions.Named(behaviour);
        await using var registry = await EmbeddedRegistry.StartAsync(options with { Port = port, StoragePath = storagePath }, cancellationToken);
        if (seed) SampleData.Seed(registry.Store, fallbackTag: !options.ReferrersApi);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Serving {registry.StoragePath} at {registry.BaseAddress} as {behaviour}. Ctrl+C stops it."));

        // Whoever stops it politely leaves no temporary storage behind.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var signal = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            ending.Cancel();
        });
        try
        {
            await registry.WaitAsync(ending.Token);
        }
        catch (OperationCanceledException)
        {
            // That is how it is stopped.
        }

        return 0;
    }
}
