using System.Management.Automation;
using RegistryTools.Host.Embedded;
using RegistryTools.Host.Shell;
using RegistryTools.Host.Tour;

namespace RegistryTools.Host.CommandLine;

/// <summary>The program: from its arguments to its exit code, over whatever terminal it is given.</summary>
public static class HostProgram
{
    /// <summary>The exit code where the command line can't be understood (EX_USAGE).</summary>
    public const int UsageExitCode = 64;

    /// <summary>The exit code where Ctrl+C stopped what ran.</summary>
    public const int InterruptedExitCode = 130;

    /// <summary>The variable of the session that holds the address of the registry of samples.</summary>
    public const string RegistryVariable = "RegistryUri";

    /// <summary>The environment variable that does, for the programs that the session starts.</summary>
    public const string RegistryEnvironmentVariable = "REGISTRY_URI";

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
                HostMode.Tour => Until(terminal, token => TakeTourAsync(arguments, terminal, token)),
                HostMode.Serve => Until(terminal, token => ServeCommand.RunAsync(arguments.Port, arguments.StoragePath, arguments.Behaviour, arguments.Seed, arguments.EndWithInput ? terminal.Input : null, terminal.Output, token)),
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

    /// <summary>Runs something that goes on until it ends or Ctrl+C is pressed; a second Ctrl+C ends the process.</summary>
    private static int Until(IShellTerminal terminal, Func<CancellationToken, Task<int>> run)
    {
        using var cancellation = new CancellationTokenSource();
        using IDisposable interrupts = terminal.OnInterrupt(() =>
        {
            if (cancellation.IsCancellationRequested)
                return false;
            cancellation.Cancel();
            return true;
        });
        try
        {
            return Task.Run(() => run(cancellation.Token)).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return InterruptedExitCode;
        }
    }

    private static async Task<int> TakeTourAsync(HostArguments arguments, IShellTerminal terminal, CancellationToken cancellation)
    {
        var tour = new GuidedTour(terminal, GuidedTour.StartSamplesAsync, ModuleStage.Find(arguments.ModulePath), arguments.Width);
        try
        {
            IReadOnlyList<Verdict> verdicts = await tour.TakeAsync(cancellation);
            return verdicts.All(v => v.IsRight) ? 0 : 1;
        }
        catch (Exception e) when (e is TourException or WitnessException)
        {
            terminal.Error.WriteLine("The tour ends here, for something is wrong: " + e.Message);
            return 1;
        }
    }

    private static int RunSession(HostArguments arguments, IShellTerminal terminal)
    {
        if (arguments.File is not null && !File.Exists(arguments.File))
            throw new UsageException($"There is no script {arguments.File}.");
        if (!arguments.WithRegistry)
            return RunSession(arguments, terminal, registry: null);
        EmbeddedRegistry registry = Task.Run(() => GuidedTour.StartSamplesAsync(EmbeddedRegistryOptions.Named(arguments.Behaviour), CancellationToken.None)).GetAwaiter().GetResult();
        string? before = Environment.GetEnvironmentVariable(RegistryEnvironmentVariable);
        Environment.SetEnvironmentVariable(RegistryEnvironmentVariable, Address(registry));
        try
        {
            return RunSession(arguments, terminal, registry);
        }
        finally
        {
            Environment.SetEnvironmentVariable(RegistryEnvironmentVariable, before);
            Task.Run(async () => await registry.DisposeAsync()).GetAwaiter().GetResult();
        }
    }

    private static int RunSession(HostArguments arguments, IShellTerminal terminal, EmbeddedRegistry? registry)
    {
        bool? interactive = arguments.Mode == HostMode.Interactive ? true : arguments.NonInteractive ? false : null;
        var host = new ConsoleHost(terminal, interactive, arguments.Width);
        using PowerShellSession session = PowerShellSession.Open(host, ModuleStage.Find(arguments.ModulePath));
        if (registry is not null)
            session.SetVariable(RegistryVariable, Address(registry));

        if (arguments.Mode == HostMode.Interactive)
        {
            terminal.Output.WriteLine("RegistryTools in the bare PowerShell engine. exit leaves; Ctrl+C stops a command.");
            terminal.Output.WriteLine(registry is null
                ? "-WithRegistry starts a registry of samples to try things on."
                : $"A registry of samples is at {Address(registry)}: Connect-Registry ${RegistryVariable}");
            return new ReadEvalPrintLoop(session).Run(terminal);
        }

        using IDisposable interrupts = terminal.OnInterrupt(session.Stop);
        RunResult result = arguments.File is null
            ? session.Run(arguments.Command == "-" ? terminal.Input.ReadToEnd() : arguments.Command!)
            : session.RunFile(arguments.File, arguments.FileArguments);
        return ExitCode(arguments.Mode, session, result);
    }

    private static string Address(EmbeddedRegistry registry) => registry.BaseAddress.GetLeftPart(UriPartial.Authority);

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
