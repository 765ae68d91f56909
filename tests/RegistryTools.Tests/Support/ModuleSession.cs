using System.Collections.ObjectModel;
using System.Diagnostics;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Text.RegularExpressions;

namespace RegistryTools.Cmdlets.Tests.Support;

/// <summary>A runspace of the real engine with the staged module imported through its psd1, as a user has it.</summary>
public sealed partial class ModuleSession : IDisposable
{
    private readonly Runspace _runspace;

    static ModuleSession()
    {
        // The journal of removals is the user's, and so are the credentials: not in tests.
        var directory = Directory.CreateTempSubdirectory("registrytools-tests-").FullName;
        Environment.SetEnvironmentVariable("REGISTRYTOOLS_DATA", directory);
        Environment.SetEnvironmentVariable("DOCKER_CONFIG", directory);
        Environment.SetEnvironmentVariable("REGISTRY_AUTH_FILE", Path.Combine(directory, "auth.json"));
    }

    public ModuleSession(int width = 80, bool import = true)
    {
        Host = new TestHost(width);
        _runspace = RunspaceFactory.CreateRunspace(Host, InitialSessionState.CreateDefault2());
        _runspace.Open();
        if (import) Invoke($"Import-Module '{Manifest}' -ErrorAction Stop").Succeed();
    }

    /// <summary>The staged module's manifest.</summary>
    public static string Manifest { get; } = Find();

    /// <summary>The repository's root.</summary>
    public static string Root => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Manifest)!, "..", ".."));

    public TestHost Host { get; }

    public Runspace Runspace => _runspace;

    /// <summary>Runs a script to its end. A terminating error is among the errors, and ends it.</summary>
    public ScriptResult Invoke(string script, params (string Name, object? Value)[] variables)
    {
        using var running = Start(script, variables);
        return running.Finish();
    }

    /// <summary>Starts a script.</summary>
    public RunningScript Start(string script, params (string Name, object? Value)[] variables)
    {
        foreach (var (name, value) in variables) _runspace.SessionStateProxy.SetVariable(name, value);
        var shell = PowerShell.Create();
        shell.Runspace = _runspace;
        shell.AddScript(script);
        return new RunningScript(shell);
    }

    /// <summary>What Tab gives at the end of a line, in the order in which it is shown.</summary>
    public IReadOnlyList<CompletionResult> Complete(string line)
    {
        var completion = (CommandCompletion)Invoke("TabExpansion2 -inputScript $line -cursorColumn $line.Length", ("line", line)).Succeed().Output.Single().BaseObject;
        return [.. completion.CompletionMatches.Where(match => match.ResultType == CompletionResultType.ParameterValue)];
    }

    /// <summary>The texts that are inserted, with blanks between them. On a machine that is busy the answer may take longer than Tab does: it is pressed again, then, as a user would.</summary>
    public void AssertCompletes(string expected, string line)
    {
        var clock = Stopwatch.StartNew();
        string found;
        do found = Completions(line);
        while (found != expected && clock.Elapsed < TimeSpan.FromSeconds(15));
        Assert.Equal(expected, found);
    }

    /// <summary>The same of one Tab.</summary>
    public string Completions(string line) => string.Join(" ", Complete(line).Select(match => match.CompletionText));

    /// <summary>Runs a script and gives what a shell would show of its output.</summary>
    public string Show(string script)
    {
        Host.Text.Clear();
        using var shell = PowerShell.Create();
        shell.Runspace = _runspace;
        shell.AddScript(script).AddCommand("Out-Default");
        shell.Invoke();
        return Colours().Replace(Host.Text.ToString(), string.Empty).ReplaceLineEndings("\n");
    }

    public void Dispose() => _runspace.Dispose();

    [GeneratedRegex("\u001b\\[[0-9;]*m")]
    private static partial Regex Colours();

    private static string Find()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            var path = Path.Combine(directory.FullName, "out", "RegistryTools", "RegistryTools.psd1");
            if (File.Exists(path)) return path;
        }

        throw new FileNotFoundException("The module is not staged: run dotnet build.");
    }
}

/// <summary>A script under way.</summary>
public sealed class RunningScript : IDisposable
{
    private readonly PowerShell _shell;
    private readonly IAsyncResult _running;
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    internal RunningScript(PowerShell shell)
    {
        _shell = shell;
        Output = [];
        Output.DataAdded += (_, _) =>
        {
            FirstOutput ??= _clock.Elapsed;
            _hasOutput.Set();
        };
        _running = _shell.BeginInvoke<PSObject, PSObject>(null, Output);
    }

    private readonly ManualResetEventSlim _hasOutput = new();

    public PSDataCollection<PSObject> Output { get; }

    /// <summary>When the first object came.</summary>
    public TimeSpan? FirstOutput { get; private set; }

    /// <summary>Waits for the first object.</summary>
    public bool WaitForOutput(TimeSpan timeout) => _hasOutput.Wait(timeout);

    /// <summary>Stops it, as Ctrl+C does, and tells how long that took.</summary>
    public TimeSpan Stop()
    {
        var clock = Stopwatch.StartNew();
        _shell.Stop();
        return clock.Elapsed;
    }

    /// <summary>Waits for its end.</summary>
    public ScriptResult Finish()
    {
        Exception? end = null;
        try
        {
            if (!_running.AsyncWaitHandle.WaitOne(TimeSpan.FromSeconds(60)))
            {
                throw new TimeoutException("The script did not end within a minute.");
            }

            _shell.EndInvoke(_running);
        }
        catch (RuntimeException exception)
        {
            end = exception;
        }

        var errors = new List<ErrorRecord>(_shell.Streams.Error);
        if (end is RuntimeException { ErrorRecord: { } record } && end is not PipelineStoppedException) errors.Add(record);
        return new ScriptResult(
            [.. Output],
            errors,
            [.. _shell.Streams.Verbose.Select(message => message.Message)],
            [.. _shell.Streams.Debug.Select(message => message.Message)],
            [.. _shell.Streams.Warning.Select(message => message.Message)],
            [.. _shell.Streams.Progress],
            end,
            _shell.InvocationStateInfo.State);
    }

    public void Dispose()
    {
        _shell.Dispose();
        _hasOutput.Dispose();
    }
}

/// <summary>What came of a script.</summary>
public sealed record ScriptResult(
    Collection<PSObject> Output,
    IReadOnlyList<ErrorRecord> Errors,
    IReadOnlyList<string> Verbose,
    IReadOnlyList<string> Debug,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<ProgressRecord> Progress,
    Exception? End,
    PSInvocationState State)
{
    /// <summary>The ids of the errors, without the command's name.</summary>
    public IReadOnlyList<string> ErrorIds => [.. Errors.Select(error => error.FullyQualifiedErrorId.Split(',')[0])];

    /// <summary>Itself, where it had no errors.</summary>
    public ScriptResult Succeed()
    {
        Assert.True(Errors.Count == 0, string.Join("\n", Errors.Select(error => $"{error.FullyQualifiedErrorId}: {error.Exception}")));
        return this;
    }

    /// <summary>The one error, which must have this id.</summary>
    public ErrorRecord Fail(string id)
    {
        Assert.True(ErrorIds.SequenceEqual([id]), $"Expected the one error {id}; got: " + string.Join("\n", Errors.Select(error => $"{error.FullyQualifiedErrorId}: {error.Exception}")));
        return Errors[0];
    }

    /// <summary>A property of every object.</summary>
    public IReadOnlyList<object?> Values(string property) => [.. Output.Select(item => item.Properties[property]?.Value)];

    /// <summary>A property of every object, as text.</summary>
    public string Texts(string property) => string.Join(" ", Values(property).Select(value => value is object[] list ? string.Join("+", list) : LanguagePrimitives.ConvertTo<string>(value)));
}
