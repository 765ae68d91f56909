using System.Diagnostics;

namespace RegistryTools.PowerShell.Completion;

/// <summary>
/// How long whoever pressed Tab is kept waiting: a third of a second at most, whatever the registry does. What is not there by then is not shown; what has come meanwhile is there for the next time.
/// </summary>
internal sealed class Deadline
{
    private const int Milliseconds = 240;
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public int MillisecondsLeft => (int)Math.Max(0, Milliseconds - _clock.ElapsedMilliseconds);
}
