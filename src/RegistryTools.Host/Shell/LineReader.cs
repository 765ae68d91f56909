namespace RegistryTools.Host.Shell;

/// <summary>
/// Reads lines for one who may stop waiting. A console's read can't be called off: it goes on by itself, and the line that it brings
/// goes to the next who asks.
/// </summary>
internal sealed class LineReader(TextReader input)
{
    private readonly object gate = new();
    private Task<string?>? pending;

    /// <summary>The next line, or null at the end of the input.</summary>
    public string? Read(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        Task<string?> reading;
        lock (gate)
            reading = pending ??= Task.Factory.StartNew(input.ReadLine, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            reading.Wait(cancellation);
        }
        catch (AggregateException)
        {
            // Thrown again below, as what it is.
        }
        lock (gate)
            pending = null;
        return reading.GetAwaiter().GetResult();
    }
}
