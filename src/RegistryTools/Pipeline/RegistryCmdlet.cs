using System.Management.Automation;
using System.Reflection;
using RegistryTools.Errors;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.References;

namespace RegistryTools.PowerShell;

/// <summary>
/// The base of every cmdlet of this module. Work of the core runs on other threads, see <see cref="PipelinePump"/>; what it tells and what it yields is written by the pipeline thread.
/// </summary>
public abstract partial class RegistryCmdlet : PSCmdlet, IDisposable, IPipelineWriter
{
    private readonly PipelinePump _pump;
    private Dictionary<string, ErrorRecord>? _unreachable;
    private Dictionary<string, int>? _down;

    private protected RegistryCmdlet() => _pump = new PipelinePump(this);

    /// <summary>Begins. What goes wrong here is told as an error of the cmdlet.</summary>
    protected sealed override void BeginProcessing() => Guard(Begin);

    /// <summary>Takes one object of the pipeline. What goes wrong is told as a non-terminating error, and the next one is taken.</summary>
    protected sealed override void ProcessRecord() => Guard(Process);

    /// <summary>Ends.</summary>
    protected sealed override void EndProcessing()
    {
        Guard(End);
        foreach (var pair in _down ?? [])
        {
            if (pair.Value > 1) WriteWarning(FormattableString.Invariant($"{pair.Key} is down: {pair.Value - 1:N0} more were not asked for and nothing was done about them."));
        }

        _pump.Progress.EndAll(isBroken: false);
    }

    /// <summary>Cancels the work that is under way.</summary>
    protected sealed override void StopProcessing() => _pump.Stop();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Lets go of what the cmdlet holds.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (!disposing) return;
        _pump.Dispose();

        // Also where it was stopped, or failed: something may have been done, or is still to be.
        if (GetType().GetCustomAttribute<CmdletAttribute>() is { SupportsShouldProcess: true } && RegistrySession.FindCurrent() is { } session) _pump.AtEnd(session.Candidates.NoteChange);
    }

    /// <summary>Before the first object.</summary>
    private protected virtual void Begin()
    {
    }

    /// <summary>For each object of the pipeline; once where there is none.</summary>
    private protected virtual void Process()
    {
    }

    /// <summary>After the last object.</summary>
    private protected virtual void End()
    {
    }

    /// <summary>
    /// Runs the core's work and gives its result. Where it fails, the failure is written as a non-terminating error about <paramref name="subject"/>, and the answer is
    /// false. <paramref name="activity"/> is what the progress says when it takes longer than a second, and the core has not told more.
    /// </summary>
    private protected bool TryRun<T>(ErrorSubject subject, Func<CancellationToken, Task<T>> work, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out T result, string? activity = null)
    {
        var error = _pump.Run(work, out result, activity);
        if (error is null) return true;
        WriteFailure(error, subject);
        return false;
    }

    /// <summary>The same, where the work has something to write before it has ended: what it hands over is done on the pipeline thread, in the order in which it comes.</summary>
    private protected bool TryRun<T>(ErrorSubject subject, Func<Action<Action>, CancellationToken, Task<T>> work, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out T result, string? activity = null)
    {
        var value = default(T)!;
        var error = _pump.Run(async (sink, token) => value = await work(act => sink.Queue.Post(act), token).ConfigureAwait(false), activity);
        result = value;
        if (error is null) return true;
        WriteFailure(error, subject);
        return false;
    }

    /// <summary>
    /// Reads a list of the core's and hands each item to <paramref name="write"/> on the pipeline thread as it comes. The core is at most <paramref name="ahead"/> items ahead
    /// of the consumer. Where the list fails, that is written as a non-terminating error about <paramref name="subject"/>, and the answer is false. What
    /// <paramref name="write"/> throws is not the list's failure: it ends the work and is thrown. What the progress counts is a <paramref name="unit"/>, of <paramref name="total"/>
    /// where that is known.
    /// </summary>
    private protected bool TryStream<T>(
        ErrorSubject subject, Func<CancellationToken, IAsyncEnumerable<T>> source, Action<T> write, string? activity = null, string unit = "", Func<long?>? total = null, int ahead = 64)
    {
        var error = _pump.Stream(source, write, activity, unit, total, ahead);
        if (error is null) return true;
        WriteFailure(error, subject);
        return false;
    }

    /// <summary>
    /// Begins a piece of work that several runs of the core are parts of, until it is disposed of or the cmdlet ends: the progress shows how far the whole is. What is done is added to it by who began it; where the
    /// core counts the same unit, that is counted in as it goes.
    /// </summary>
    private protected ProgressDisplay.Part Whole(string activity, string unit, long? total = null) => _pump.Progress.Begin(activity, unit, () => total);

    /// <summary>Holds what the work of this cmdlet uses: it is let go of when the one that this gives is disposed of and the work has ended, which may be later.</summary>
    private protected IDisposable Hold(IDisposable held) => _pump.Hold(held);

    /// <summary>Writes a failure of one item as a non-terminating error.</summary>
    private protected void WriteFailure(Exception error, ErrorSubject subject)
    {
        // Of a registry that is down one error tells everything: the others would say the same of requests that were not sent.
        if (error is RegistryDownException down)
        {
            var server = down.Uri.Authority;
            _down ??= [];
            _down.TryGetValue(server, out var times);
            _down[server] = times + 1;
            if (times > 0) return;
        }

        WriteError(ErrorRecords.From(error, subject));
    }

    /// <summary>
    /// The connection that an argument means, or the current one. Where there is none, the cmdlet ends with NotConnected; where one had to be made and that failed, a
    /// non-terminating error is written and the answer is false.
    /// </summary>
    private protected bool TryConnect(RegistryConnection? argument, out RegistryConnection connection)
    {
        var session = RegistrySession.Current;
        var resolution = session.Resolve(argument);
        if (resolution.Error is not null) ThrowTerminatingError(resolution.Error);
        var key = resolution.Connection is null ? resolution.Address?.ToString() : null;
        if (key is not null && _unreachable is not null && _unreachable.TryGetValue(key, out var known))
        {
            connection = null!;
            WriteError(known);
            return false;
        }

        var record = new RegistryConnector(this, _pump).Connect(session, resolution, FileSystemPath, out connection);
        if (record is null) return true;
        if (key is not null) (_unreachable ??= [])[key] = record;
        WriteError(record);
        return false;
    }

    /// <summary>
    /// The repository's name as it is sent: lower case, which -Verbose says where it changes anything. Where it is no name, that is written as an error and the answer
    /// is false.
    /// </summary>
    private protected bool TryNormalizeRepository(string? text, RegistryConnection connection, out string repository)
    {
        try
        {
            repository = RepositoryName.Normalize(text, out var lowered);
            if (lowered) WriteVerbose($"The repository '{text}' is asked for as '{repository}': repository names have no upper-case letters.");
            return true;
        }
        catch (ReferenceFormatException error)
        {
            repository = string.Empty;
            WriteFailure(error, new ErrorSubject(text, connection.Name, text));
            return false;
        }
    }

    private void Guard(Action step)
    {
        try
        {
            step();
        }
        catch (RegistryToolsException error)
        {
            WriteFailure(error, ErrorSubject.None);
        }
        catch
        {
            _pump.Progress.EndAll(isBroken: true);
            throw;
        }
    }
}
