using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;

namespace RegistryTools.Host.Shell;

/// <summary>How a command ended.</summary>
public enum RunEnd
{
    /// <summary>It ran to its end; its errors, if any, let it go on.</summary>
    Completed,

    /// <summary>An error ended it.</summary>
    Failed,

    /// <summary>It was stopped.</summary>
    Stopped,
}

/// <summary>What came of a command.</summary>
/// <param name="End">How it ended.</param>
/// <param name="Succeeded">What <c>$?</c> says of its last statement; false where an error ended it.</param>
public readonly record struct RunResult(RunEnd End, bool Succeeded);

/// <summary>
/// A PowerShell engine with the module imported, whose output goes where a shell's goes: formatted through the views, errors as errors.
/// One command runs at a time; <see cref="Stop"/> may come from any thread.
/// </summary>
public sealed class PowerShellSession : IDisposable
{
    private readonly Runspace runspace;
    private readonly MissingCommands missing;
    private readonly object gate = new();
    private readonly Stack<Running> running = new();

    private PowerShellSession(ConsoleHost host, Runspace runspace)
    {
        Host = host;
        this.runspace = runspace;
        missing = new MissingCommands(runspace.SessionStateProxy.InvokeCommand);
    }

    /// <summary>The host that the engine sees.</summary>
    public ConsoleHost Host { get; }

    /// <summary>The module manifest that was imported, or null.</summary>
    public string? Module { get; private set; }

    /// <summary>Opens an engine and imports the module.</summary>
    /// <param name="host">Where it writes and asks.</param>
    /// <param name="module">The manifest to import; null imports none.</param>
    /// <exception cref="RuntimeException">The module can't be imported.</exception>
    public static PowerShellSession Open(ConsoleHost host, string? module)
    {
        ArgumentNullException.ThrowIfNull(host);
        InitialSessionState state = InitialSessionState.CreateDefault2();
        // With no configuration of its own beside it, the engine would refuse the module's own files.
        if (OperatingSystem.IsWindows() && Environment.GetEnvironmentVariable("PSExecutionPolicyPreference") is null)
            state.ExecutionPolicy = Microsoft.PowerShell.ExecutionPolicy.RemoteSigned;
        Runspace runspace = RunspaceFactory.CreateRunspace(host, state);
        try
        {
            runspace.ThreadOptions = PSThreadOptions.ReuseThread;
            runspace.Open();
            var session = new PowerShellSession(host, runspace);
            if (module is not null)
                session.Import(module);
            return session;
        }
        catch
        {
            runspace.Dispose();
            throw;
        }
    }

    /// <summary>Runs text and shows what comes of it, as if it had been typed.</summary>
    /// <param name="text">The commands.</param>
    public RunResult Run(string text) => RunShown(shell => shell.AddScript(text, useLocalScope: false), text);

    /// <summary>Runs a script file and shows what comes of it.</summary>
    /// <param name="path">The script.</param>
    /// <param name="arguments">Its arguments as typed: values, <c>-Name value</c>, <c>-Switch</c>, <c>-Name:value</c>.</param>
    public RunResult RunFile(string path, IReadOnlyList<string> arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        var command = new Command(Path.GetFullPath(path), isScript: false);
        foreach (string argument in arguments)
            command.Parameters.Add(ScriptArgument(argument));
        return RunShown(shell => shell.Commands.AddCommand(command));
    }

    /// <summary>Runs text and hands out what it writes, showing nothing.</summary>
    /// <param name="text">The commands.</param>
    /// <exception cref="RuntimeException">An error ended it.</exception>
    public Collection<PSObject> Query(string text)
    {
        using PowerShell shell = Create();
        return shell.AddScript(text, useLocalScope: false).Invoke();
    }

    /// <summary>Sets a variable of the session.</summary>
    /// <param name="name">Its name, without <c>$</c>.</param>
    /// <param name="value">Its value.</param>
    public void SetVariable(string name, object? value) => runspace.SessionStateProxy.SetVariable(name, value);

    /// <summary>The value of <c>$LASTEXITCODE</c>, or null where no program has run and no script has said <c>exit</c>.</summary>
    public int? LastExitCode => runspace.SessionStateProxy.GetVariable("global:LASTEXITCODE") is { } code
        && LanguagePrimitives.TryConvertTo(code, CultureInfo.InvariantCulture, out int number) ? number : null;

    /// <summary>Stops what runs, if anything does, and doesn't wait for it.</summary>
    /// <returns>Whether something was running that had not been told to stop already.</returns>
    public bool Stop()
    {
        lock (gate)
        {
            if (!running.TryPeek(out Running? current) || current.Cancellation.IsCancellationRequested)
                return false;
            current.Cancellation.Cancel();
            current.Shell.BeginStop(callback: null, state: null);
            return true;
        }
    }

    /// <summary>Closes the engine.</summary>
    public void Dispose() => runspace.Dispose();

    private static CommandParameter ScriptArgument(string argument)
    {
        // As on PowerShell's own command line: "-" and "-1" are values, "-Name" and "-Name:value" are parameters.
        if (argument.Length < 2 || argument[0] != '-' || !(char.IsLetter(argument[1]) || argument[1] is '_' or '?'))
            return new CommandParameter(name: null, argument);
        int colon = argument.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
            return new CommandParameter(argument);
        string value = argument[(colon + 1)..];
        return new CommandParameter(argument[1..colon], value.ToUpperInvariant() switch
        {
            "$TRUE" => true,
            "$FALSE" => false,
            _ => value,
        });
    }

    private PowerShell Create()
    {
        // A prompt inside a waiting command runs on that command's thread, inside its pipeline.
        if (Runspace.DefaultRunspace == runspace)
            return PowerShell.Create(RunspaceMode.CurrentRunspace);
        PowerShell shell = PowerShell.Create();
        shell.Runspace = runspace;
        return shell;
    }

    private void Import(string module)
    {
        using PowerShell shell = Create();
        // A module that holds cmdlets is global wherever it is imported from.
        shell.AddCommand("Import-Module").AddParameter("Name", module).AddParameter("ErrorAction", "Stop").Invoke();
        Module = module;
    }

    private RunResult RunShown(Action<PowerShell> add, string? text = null)
    {
        using PowerShell shell = Create();
        using var cancellation = new CancellationTokenSource();
        add(shell);
        shell.Commands.Commands[0].MergeMyResults(PipelineResultTypes.Error, PipelineResultTypes.Output);
        shell.AddCommand("Out-Default");

        CancellationToken outer = Host.Console.Interruption;
        Host.Console.Interruption = cancellation.Token;
        lock (gate)
            running.Push(new Running(shell, cancellation));
        try
        {
            // The engine keeps $? only of what enters the history.
            shell.Invoke(input: null, new PSInvocationSettings { AddToHistory = true });
            // A command that is stopped need not throw.
            if (cancellation.IsCancellationRequested)
                return new RunResult(RunEnd.Stopped, Succeeded: false);
            return new RunResult(RunEnd.Completed, Query("$global:?") is [{ BaseObject: true }]);
        }
        catch (PipelineStoppedException)
        {
            return new RunResult(RunEnd.Stopped, Succeeded: false);
        }
        catch (IncompleteParseException) when (text is not null)
        {
            // Of input that ends too early the engine keeps no position, and its view of such an error is empty.
            Parser.ParseInput(text, out _, out ParseError[] errors);
            foreach (ParseError e in errors)
                Host.Console.WriteErrorLine($"ParserError: line {e.Extent.StartLineNumber}, character {e.Extent.StartColumnNumber}: {e.Message}");
            return new RunResult(RunEnd.Failed, Succeeded: false);
        }
        catch (RuntimeException e)
        {
            Report(e);
            return new RunResult(RunEnd.Failed, Succeeded: false);
        }
        finally
        {
            lock (gate)
                running.Pop();
            Host.Console.Interruption = outer;
            Host.Console.EndProgress();
            if (missing.Note() is { } note)
                Host.Console.WriteErrorLine(note);
        }
    }

    private void Report(RuntimeException error)
    {
        ErrorRecord record = error.ErrorRecord ?? new ErrorRecord(error, "HostError", ErrorCategory.NotSpecified, targetObject: null);
        // To Out-Default this is an object like any other: that it is an error, only we know.
        Host.Console.WritesErrors = true;
        try
        {
            using PowerShell shell = Create();
            shell.AddCommand("Out-Default").AddParameter("InputObject", record).Invoke();
        }
        catch (RuntimeException)
        {
            Host.Console.WriteErrorLine(error.Message);
        }
        finally
        {
            Host.Console.WritesErrors = false;
        }
    }

    private sealed record Running(PowerShell Shell, CancellationTokenSource Cancellation);
}
