using System.Management.Automation;
using System.Management.Automation.Language;

namespace RegistryTools.Host.Shell;

/// <summary>
/// A prompt: reads a command, over several lines where the first are incomplete, runs it, and asks for the next. Ctrl+C stops the command
/// that runs, or throws away what has been typed; it doesn't end the host.
/// </summary>
public sealed class ReadEvalPrintLoop
{
    private readonly PowerShellSession session;
    private readonly object gate = new();
    private CancellationTokenSource? typing;

    /// <summary>A prompt for a session.</summary>
    /// <param name="session">The session.</param>
    public ReadEvalPrintLoop(PowerShellSession session)
    {
        ArgumentNullException.ThrowIfNull(session);
        this.session = session;
    }

    /// <summary>Whether more lines have to come before this can be run.</summary>
    /// <param name="text">What has been typed so far.</param>
    public static bool IsIncomplete(string text)
    {
        Parser.ParseInput(text, out _, out ParseError[] errors);
        return errors.Any(e => e.IncompleteInput);
    }

    /// <summary>Runs until <c>exit</c> or the end of the input.</summary>
    /// <param name="terminal">Where Ctrl+C comes from.</param>
    /// <returns>What <c>exit</c> said, or 0.</returns>
    public int Run(IShellTerminal terminal)
    {
        ArgumentNullException.ThrowIfNull(terminal);
        using IDisposable interrupts = terminal.OnInterrupt(Interrupt);
        session.Host.NestedPrompt = level => Loop(() => session.Host.NestedPromptEnded);
        try
        {
            Loop(() => false);
        }
        finally
        {
            session.Host.NestedPrompt = null;
        }
        return session.Host.ExitCode ?? 0;
    }

    private void Loop(Func<bool> ended)
    {
        while (session.Host.ExitCode is null && !ended())
        {
            if (!TryRead(out string? command))
                return;
            if (!string.IsNullOrWhiteSpace(command))
                session.Run(command);
        }
    }

    /// <summary>False at the end of the input; an empty command where what was typed was thrown away.</summary>
    private bool TryRead(out string? command)
    {
        using var cancellation = new CancellationTokenSource();
        lock (gate)
            typing = cancellation;
        command = null;
        try
        {
            string prompt = Prompt();
            while (true)
            {
                string? line = session.Host.Console.ReadInput(prompt, cancellation.Token);
                if (line is null)
                    return command is not null;
                // An empty line hands in what is incomplete all the same, so that one can get out of it; not so within a string.
                bool handedIn = command is not null && line.Length == 0 && !IsInString(command);
                command = command is null ? line : command + "\n" + line;
                if (handedIn || !IsIncomplete(command))
                    return true;
                prompt = ">> ";
            }
        }
        catch (OperationCanceledException)
        {
            session.Host.Console.WriteLine("");
            command = null;
            return true;
        }
        finally
        {
            lock (gate)
                typing = null;
        }
    }

    private static bool IsInString(string text)
    {
        Parser.ParseInput(text, out _, out ParseError[] errors);
        return errors.Any(e => e.IncompleteInput && e.ErrorId.Contains("String", StringComparison.Ordinal));
    }

    private string Prompt()
    {
        try
        {
            return session.Query("prompt").LastOrDefault()?.ToString() is { Length: > 0 } prompt ? prompt : "PS> ";
        }
        catch (RuntimeException)
        {
            return "PS> ";
        }
    }

    private bool Interrupt()
    {
        lock (gate)
        {
            if (typing is not null)
            {
                typing.Cancel();
                return true;
            }
        }
        session.Stop();
        return true;
    }
}
