using System.Diagnostics;
using System.Management.Automation;
using System.Reflection;
using RegistryTools.Errors;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.References;

namespace RegistryTools.PowerShell;

/// <summary>
/// The base of every cmdlet of this module. Work of the core runs on other threads; what it tells and what it yields is written by the
/// pipeline thread, which waits for it. A consumer that has had enough cancels the work and waits until it has ended. Stopping the pipeline cancels it too and waits for a moment only: where the
/// registry does not answer, putting back what was half done may take longer than a user who pressed Ctrl+C waits, and goes on by itself (see <see cref="UnfinishedWork"/>); the journal tells how it ended.
/// </summary>
public abstract partial class RegistryCmdlet : PSCmdlet, IDisposable
{
    private const int ProgressAfterMilliseconds = 1000;
    private const int ProgressEveryMilliseconds = 200;
    private const int StopMilliseconds = 600;
    private static int _lastProgressId;

    private readonly CancellationTokenSource _stop = new();
    private Dictionary<string, ErrorRecord>? _unreachable;
    private Dictionary<string, int>? _down;
    private Task? _left;

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
    }

    /// <summary>Cancels the work that is under way.</summary>
    protected sealed override void StopProcessing() => Cancel(_stop);

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
        _stop.Dispose();

        // Also where it was stopped, or failed: something may have been done, or is still to be.
        if (GetType().GetCustomAttribute<CmdletAttribute>() is not { SupportsShouldProcess: true } || RegistrySession.FindCurrent() is not { } session) return;
        session.Candidates.NoteChange();
        if (_left is { } left) _ = left.ContinueWith(_ => session.Candidates.NoteChange(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
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
    /// false. <paramref name="activity"/> is what the progress says when it takes longer than a second.
    /// </summary>
    private protected bool TryRun<T>(ErrorSubject subject, Func<CancellationToken, Task<T>> work, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out T result, string? activity = null)
    {
        var value = default(T)!;
        var error = Pump(async (_, token) => value = await work(token).ConfigureAwait(false), activity, null);
        result = value;
        if (error is null) return true;
        WriteFailure(error, subject);
        return false;
    }

    /// <summary>The same, where the work has something to write before it has ended: what it hands over is done on the pipeline thread, in the order in which it comes.</summary>
    private protected bool TryRun<T>(ErrorSubject subject, Func<Action<Action>, CancellationToken, Task<T>> work, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out T result, string? activity = null)
    {
        var value = default(T)!;
        var error = Pump(async (sink, token) => value = await work(act => sink.Queue.Post(act), token).ConfigureAwait(false), activity, null);
        result = value;
        if (error is null) return true;
        WriteFailure(error, subject);
        return false;
    }

    /// <summary>
    /// Reads a list of the core's and hands each item to <paramref name="write"/> on the pipeline thread as it comes. The core is at most <paramref name="ahead"/> items ahead
    /// of the consumer. Where the list fails, that is written as a non-terminating error about <paramref name="subject"/>, and the answer is false. What
    /// <paramref name="write"/> throws is not the list's failure: it ends the work and is thrown.
    /// </summary>
    private protected bool TryStream<T>(ErrorSubject subject, Func<CancellationToken, IAsyncEnumerable<T>> source, Action<T> write, string? activity = null, int ahead = 64)
    {
        var error = Pump(source, write, activity, ahead);
        if (error is null) return true;
        WriteFailure(error, subject);
        return false;
    }

    /// <summary>Holds what the work of this cmdlet uses: it is let go of when the one that this gives is disposed of and the work has ended, which may be later.</summary>
    private protected IDisposable Hold(IDisposable held) => new Held(this, held);

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
        connection = resolution.Connection!;
        if (resolution.Connection is not null) return true;
        if (resolution.Error is not null) ThrowTerminatingError(resolution.Error);
        if (resolution.StoragePath is { } path)
        {
            if (!TryFindStorage(path, out var location)) return false;
            var root = location.Root;
            connection = session.Connections.FirstOrDefault(open => open.Address is null && string.Equals(open.Location, root, StringComparison.Ordinal))
                ?? session.Add(RegistryConnection.Open(new Registries.StorageRegistry(location), null, null, null, "None", DateTimeOffset.Now), makeCurrent: false);
            return true;
        }

        var address = resolution.Address!;
        var key = address.ToString();
        if (_unreachable is not null && _unreachable.TryGetValue(key, out var known))
        {
            WriteError(known);
            return false;
        }

        WriteVerbose($"There is no connection to {key} in this session: connecting to it.");
        var record = TryOpen(
            address,
            null,
            null,
            allowUnencrypted: false,
            static (credential, namespaces) => new Registries.HttpRegistryOptions
            {
                UserName = credential.UserName,
                Password = credential.Password,
                Token = credential.RegistryToken,
                IdentityToken = credential.IdentityToken,
                NamespaceCredentials = namespaces,
                Log = ActivityRouter.Log,
            },
            out var opened);
        if (record is not null)
        {
            (_unreachable ??= [])[key] = record;
            WriteError(record);
            return false;
        }

        connection = session.Add(opened, makeCurrent: false);
        return true;
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

    private Exception? Pump<T>(Func<CancellationToken, IAsyncEnumerable<T>> source, Action<T> write, string? activity, int ahead)
    {
        using var space = new SemaphoreSlim(ahead);
        var count = new Counter();
        return Pump(
            async (sink, token) =>
            {
                await foreach (var item in source(token).WithCancellation(token).ConfigureAwait(false))
                {
                    await space.WaitAsync(token).ConfigureAwait(false);
                    var posted = sink.Queue.Post(() =>
                    {
                        space.Release();
                        write(item);
                        count.Value++;
                    });
                    if (!posted) return;
                }
            },
            activity,
            count);
    }

    /// <summary>
    /// Starts the work and does on this thread what it leaves to be done, until it has ended. Gives the error that the work ended with, or null; throws what was
    /// thrown on this thread: a consumer that stops the pipeline, an error preference of Stop.
    /// </summary>
    private Exception? Pump(Func<Sink, CancellationToken, Task> work, string? activity, Counter? count)
    {
        var cancel = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var token = cancel.Token;
        var sink = new Sink(this);
        using var wake = _stop.Token.Register(static queue => ((PipelineQueue)queue!).Post(static () => { }), sink.Queue);
        var task = Task.Run(
            async () =>
            {
                ActivityRouter.Enter(sink);
                await work(sink, token).ConfigureAwait(false);
            },
            CancellationToken.None);
        _ = task.ContinueWith(static (_, queue) => ((PipelineQueue)queue!).Finish(), sink.Queue, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        var progress = new ProgressWriter(this, activity, count);
        try
        {
            while (sink.Queue.Take(progress.Wait, out var action))
            {
                action?.Invoke();
                progress.Show(sink.Queue);
                if (_stop.IsCancellationRequested) throw new PipelineStoppedException();
            }
        }
        catch
        {
            Teardown(sink.Queue, cancel, task);
            progress.Complete();
            throw;
        }

        cancel.Dispose();
        progress.Complete();
        if (task.Status == TaskStatus.RanToCompletion) return null;
        var error = task.Exception?.InnerException ?? new OperationCanceledException("The work was cancelled.");
        if (_stop.IsCancellationRequested) throw new PipelineStoppedException();
        return error;
    }

    private void Teardown(PipelineQueue queue, CancellationTokenSource cancel, Task task)
    {
        queue.Close();
        Cancel(cancel);
        try
        {
            Task.WaitAny([task], _stop.Token);
        }
        catch (OperationCanceledException)
        {
            Task.WaitAny([task], StopMilliseconds);
        }

        UnfinishedWork.Leave(task, cancel);
        _left = task;
    }

    private static void Cancel(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (Exception error) when (error is ObjectDisposedException or AggregateException)
        {
            // The work has ended already, or what it had registered for its cancellation failed: it is cancelled all the same.
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
    }

    /// <summary>Where the work of one call leaves what it tells.</summary>
    internal sealed class Sink(RegistryCmdlet cmdlet)
    {
        public PipelineQueue Queue { get; } = new();

        public void Verbose(string message) => Queue.Post(() => cmdlet.WriteVerbose(message));

        public void Debug(string message) => Queue.Post(() => cmdlet.WriteDebug(message));

        public void Warning(string message) => Queue.Post(() => cmdlet.WriteWarning(message));

        public void Progress(string activity, string status, long done, long? total) => Queue.Report(new ProgressState(activity, status, done, total));
    }

    private sealed class Held(RegistryCmdlet cmdlet, IDisposable held) : IDisposable
    {
        public void Dispose()
        {
            if (cmdlet._left is { } left) _ = left.ContinueWith(_ => held.Dispose(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            else held.Dispose();
        }
    }

    private sealed class Counter
    {
        public long Value { get; set; }
    }

    private sealed class ProgressWriter(RegistryCmdlet cmdlet, string? activity, Counter? count)
    {
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private int _id = -1;
        private long _shownAt;
        private string? _shown;
        private ProgressState? _latest;

        public int Wait
        {
            get
            {
                var next = _id < 0 ? ProgressAfterMilliseconds : _shownAt + ProgressEveryMilliseconds;
                return (int)Math.Max(10, Math.Min(next - _clock.ElapsedMilliseconds, ProgressAfterMilliseconds));
            }
        }

        public void Show(PipelineQueue queue)
        {
            var now = _clock.ElapsedMilliseconds;
            if (now < (_id < 0 ? ProgressAfterMilliseconds : _shownAt + ProgressEveryMilliseconds)) return;
            _shownAt = now;
            _latest = queue.TakeProgress() ?? _latest;
            if ((_latest?.Activity ?? activity) is not { Length: > 0 } title) return;
            var status = _latest?.Status is { Length: > 0 } told ? told : count is null ? "Waiting for the registry" : FormattableString.Invariant($"{count.Value:N0} so far");
            if (_id < 0) _id = Interlocked.Increment(ref _lastProgressId) & int.MaxValue;
            var record = new ProgressRecord(_id, title, status);
            if (_latest is { Total: > 0 } state)
            {
                var done = Math.Max(0, Math.Min(state.Done, state.Total.Value));
                record.PercentComplete = (int)(100 * done / state.Total.Value);
                if (done > 0) record.SecondsRemaining = (int)Math.Min(int.MaxValue, now / 1000.0 * (state.Total.Value - done) / done);
            }

            _shown = title;
            cmdlet.WriteProgress(record);
        }

        public void Complete()
        {
            if (_shown is null) return;
            try
            {
                cmdlet.WriteProgress(new ProgressRecord(_id, _shown, "Done") { RecordType = ProgressRecordType.Completed });
            }
            catch (PipelineStoppedException)
            {
                // The pipeline is going down for a reason that is already on its way out of here.
            }
        }
    }
}
