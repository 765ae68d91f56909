using RegistryTools.Host.Shell;

namespace RegistryTools.Host.Tour;

/// <summary>The terminal of a tour: errors stand where they happened, in the output, and nobody is asked anything.</summary>
internal sealed class TourTerminal(IShellTerminal terminal) : IShellTerminal
{
    public TextReader Input => TextReader.Null;

    public TextWriter Output => terminal.Output;

    public TextWriter Error => terminal.Output;

    public bool InputIsTerminal => false;

    public bool OutputIsTerminal => terminal.OutputIsTerminal;

    public bool ErrorIsTerminal => terminal.OutputIsTerminal;

    public bool UseColour => terminal.UseColour;

    public int? WindowWidth => terminal.WindowWidth;

    public int? WindowHeight => terminal.WindowHeight;

    public bool KeyAvailable => false;

    public ConsoleKeyInfo ReadKey(bool intercept) => throw new InvalidOperationException("Nobody is asked anything on a tour.");

    public IDisposable OnInterrupt(Func<bool> handler) => terminal.OnInterrupt(handler);
}
