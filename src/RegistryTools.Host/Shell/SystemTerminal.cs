namespace RegistryTools.Host.Shell;

/// <summary>The console of this process.</summary>
public sealed class SystemTerminal : IShellTerminal
{
    /// <inheritdoc/>
    public TextReader Input => Console.In;

    /// <inheritdoc/>
    public TextWriter Output => Console.Out;

    /// <inheritdoc/>
    public TextWriter Error => Console.Error;

    /// <inheritdoc/>
    public bool InputIsTerminal => !Console.IsInputRedirected;

    /// <inheritdoc/>
    public bool OutputIsTerminal => !Console.IsOutputRedirected;

    /// <inheritdoc/>
    public bool ErrorIsTerminal => !Console.IsErrorRedirected;

    /// <inheritdoc/>
    public bool UseColour { get; } = WantsColour(
        !Console.IsOutputRedirected, Environment.GetEnvironmentVariable("NO_COLOR"), Environment.GetEnvironmentVariable("TERM"));

    /// <inheritdoc/>
    public int? WindowWidth => OutputIsTerminal ? Measure(() => Console.WindowWidth) : null;

    /// <inheritdoc/>
    public int? WindowHeight => OutputIsTerminal ? Measure(() => Console.WindowHeight) : null;

    /// <inheritdoc/>
    public bool KeyAvailable => Console.KeyAvailable;

    /// <summary>Whether to write colours: into a terminal that has them, unless NO_COLOR holds anything (https://no-color.org).</summary>
    /// <param name="outputIsTerminal">Whether the output goes to a terminal.</param>
    /// <param name="noColor">The value of NO_COLOR.</param>
    /// <param name="term">The value of TERM.</param>
    public static bool WantsColour(bool outputIsTerminal, string? noColor, string? term) =>
        outputIsTerminal && string.IsNullOrEmpty(noColor) && term is not ("dumb" or "xterm-mono");

    /// <inheritdoc/>
    public ConsoleKeyInfo ReadKey(bool intercept) => Console.ReadKey(intercept);

    /// <inheritdoc/>
    public IDisposable OnInterrupt(Func<bool> handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return new Subscription(handler);
    }

    private static int? Measure(Func<int> measure)
    {
        try
        {
            int size = measure();
            return size > 0 ? size : null;
        }
        catch (Exception e) when (e is IOException or PlatformNotSupportedException)
        {
            return null;
        }
    }

    private sealed class Subscription : IDisposable
    {
        private readonly Func<bool> handler;

        public Subscription(Func<bool> handler)
        {
            this.handler = handler;
            Console.CancelKeyPress += Pressed;
        }

        public void Dispose() => Console.CancelKeyPress -= Pressed;

        private void Pressed(object? sender, ConsoleCancelEventArgs e) => e.Cancel = handler();
    }
}
