using System.Management.Automation;
using RegistryTools.Host.Shell;

namespace RegistryTools.Host.CommandLine;

/// <summary>The program: from its arguments to its exit code, over whatever terminal it is given.</summary>
public static class HostProgram
{
    /// <summary>The exit code where the command line can't be understood (EX_USAGE).</summary>
    public const int UsageExitCode = 64;

    /// <summary>The exit code where Ctrl+C stopped what ran.</summary>
    public const int InterruptedExitCode = 130;

    /// <summary>Runs the host.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="terminal">Where it reads and writes.</param>
    /// <returns>The exit code.</returns>
    public static int Run(IReadOnlyList<string> args, IShellTerminal terminal)
    {
        ArgumentNullException.ThrowIfNull(terminal);
        try
        {
            HostArguments arguments = HostArguments.Parse(args);
            return arguments.Mode switch
            {
                HostMode.Help => Help(terminal),
                _ => RunSession(arguments, terminal),
            };
        }
        catch (UsageException e)
        {
            terminal.Error.WriteLine(e.Message + " -Help tells how the host is used.");
            return UsageExitCode;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or RuntimeException or HttpRequestException)
        {
            terminal.Error.WriteLine(e.Message);
            return 1;
        }
    }

    private static int Help(IShellTerminal terminal)
    {
        terminal.Output.WriteLine(HostHelp.Text);
        return 0;
    }

    private static int RunSession(HostArguments arguments, IShellTerminal terminal)
    {
        if (arguments.File is not null && !File.Exists(arguments.File))
            throw new UsageException($"There is no script {arguments.File}.");
        bool? interactive = arguments.Mode == HostMode.Interactive ? true : arguments.NonInteractive ? false : null;
        var host = new ConsoleHost(terminal, interactive, arguments.Width);
        using PowerShellSession session = PowerShellSession.Open(host, ModuleStage.Find(arguments.ModulePath));

        if (arguments.Mode == HostMode.Interactive)
        {
            terminal.Output.WriteLine("RegistryTools in the bare PowerShell engine. exit leaves; Ctrl+C stops a command.");
            return new ReadEvalPrintLoop(session).Run(terminal);
        }

        using IDisposable interrupts = terminal.OnInterrupt(session.Stop);
        RunResult result = arguments.File is null
            ? session.Run(arguments.Command == "-" ? terminal.Input.ReadToEnd() : arguments.Command!)
            : session.RunFile(arguments.File, arguments.FileArguments);
        return ExitCode(arguments.Mode, session, result);
    }

    /// <summary>
    /// As pwsh has it: what <c>exit</c> said; else 1 where an error ended it; else, of commands, whether the last one succeeded, and of a
    /// script, the exit code of the last program that it ran.
    /// </summary>
    private static int ExitCode(HostMode mode, PowerShellSession session, RunResult result) => (result.End, mode) switch
    {
        _ when session.Host.ExitCode is int said => said,
        (RunEnd.Stopped, _) => InterruptedExitCode,
        (RunEnd.Failed, _) => 1,
        (_, HostMode.File) => session.LastExitCode ?? 0,
        _ => result.Succeeded ? 0 : 1,
    };
}
