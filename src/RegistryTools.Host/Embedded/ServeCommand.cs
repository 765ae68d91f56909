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
    /// <param name="input">What ends it by ending; null for nothing.</param>
    /// <param name="output">Where it tells.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="ArgumentException">There is no such behaviour.</exception>
    public static async Task<int> RunAsync(int port, string? storagePath, string behaviour, bool seed, TextReader? input, TextWriter output, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(output);
        EmbeddedRegistryOptions options = EmbeddedRegistryOptions.Named(behaviour);
        await using var registry = await EmbeddedRegistry.StartAsync(options with { Port = port, StoragePath = storagePath }, cancellationToken);
        if (seed) SampleData.Seed(registry.Store, fallbackTag: !options.ReferrersApi);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Serving {registry.StoragePath} at {registry.BaseAddress} as {behaviour}. {(input is null ? "Ctrl+C stops it." : "It ends when its input does.")}"));

        // Whoever stops it politely leaves no temporary storage behind.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var signal = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            ending.Cancel();
        });
        if (input is not null) _ = Task.Run(() => EndWith(input, ending), CancellationToken.None);
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

    private static void EndWith(TextReader input, CancellationTokenSource ending)
    {
        try
        {
            while (input.ReadLine() is not null)
            {
                // What comes is nobody's business here; only the end is.
            }

            ending.Cancel();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The server has ended for another reason while this waited.
        }
    }
}
