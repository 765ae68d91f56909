using System.Diagnostics;
using System.Management.Automation;

namespace RegistryTools.Host.Shell;

/// <summary>One line of progress at the bottom of a terminal, gone before anything else is written. Nothing where standard error is no terminal.</summary>
internal sealed class ProgressLine(IShellTerminal terminal)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly object gate = new();
    private long last;
    private int shown;

    public void Show(ProgressRecord record, int width)
    {
        if (!terminal.ErrorIsTerminal)
            return;
        lock (gate)
        {
            if (record.RecordType == ProgressRecordType.Completed)
            {
                Clear();
                last = 0;
                return;
            }
            if (last != 0 && Stopwatch.GetElapsedTime(last) < Interval)
                return;
            last = Stopwatch.GetTimestamp();
            string text = record.PercentComplete >= 0 ? $"{record.Activity}: {record.PercentComplete}% {record.StatusDescription}" : $"{record.Activity}: {record.StatusDescription}";
            if (record.SecondsRemaining >= 0)
                text += FormattableString.Invariant($", {TimeSpan.FromSeconds(record.SecondsRemaining):c} left");
            if (!string.IsNullOrEmpty(record.CurrentOperation))
                text += ": " + record.CurrentOperation;
            text = TerminalText.Fit(TerminalText.WithoutEscapes(text).ReplaceLineEndings(" "), Math.Max(1, width - 1));
            Clear();
            terminal.Error.Write(text);
            terminal.Error.Flush();
            shown = TerminalText.Cells(text);
        }
    }

    public void Clear()
    {
        lock (gate)
        {
            if (shown == 0)
                return;
            terminal.Error.Write("\r" + new string(' ', shown) + "\r");
            terminal.Error.Flush();
            shown = 0;
        }
    }
}
