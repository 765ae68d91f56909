using System.Management.Automation;

namespace RegistryTools.PowerShell.Pipeline;

/// <summary>
/// Runs work of the core on other threads for a cmdlet or a provider; what it tells and what it yields is written by the pipeline thread, which waits for it. A consumer that has had enough
/// cancels the work and waits until it has ended. Stopping the pipeline cancels it too and waits for a moment only: where the registry does not answer, putting back what was half done may take
/// longer than a user who pressed Ctrl+C waits, and goes on by itself (see <see cref="UnfinishedWork"/>); the journal tells how it ended.
/// </summary>
internal sealed class PipelinePump(IPipelineWriter writer) : IDisposable
{
    private const int StopMilliseconds = 600;

    private readonly CancellationTokenSource _stop = new();
    private Task? _left;

    /// <summary>What is shown of how far the work is.</summary>
    public ProgressDisplay Progress { get; } = new(writer);

    /// <summary>Cancels the work that is under way, and all that would follow.</summary>
    public void Stop() => Cancel(_stop);

    /// <inheritdoc/>
    public void Dispose()
    {
        // The pipeline may have been ended elsewhere.
        Progress.EndAll(isBroken: true);
        _stop.Dispose();
    }

    /// <summary>Holds what the work uses: it is let go of when the one that this gives is disposed of and the work has ended, which may be later.</summary>
    public IDisposable Hold(IDisposable held) => new Held(this, held);

    /// <summary>Does something now, and once more when work that was left to itself has ended.</summary>
    public void AtEnd(Action act)
    {
        act();
        if (_left is { } left) _ = left.ContinueWith(_ => act(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Runs the work and gives its result, or the error that it ended with.</summary>
    public Exception? Run<T>(Func<CancellationToken, Task<T>> work, out T result, string? activity = null) => Run((_, token) => work(token), out result, activity);

    /// <summary>The same, where the work has something to write before it has ended.</summary>
    public Exception? Run<T>(Func<Sink, CancellationToken, Task<T>> work, out T result, string? activity = null)
    {
        var value = default(T)!;
        var error = Run(async (sink, token) => value = await work(sink, token).ConfigureAwait(false), Progress.Begin(activity));
        result = value;
        return error;
    }

    /// <summary>
    /// Reads a list of the core's and hands each item to <paramref name="write"/> on the pipeline thread as it comes. The core is at most <paramref name="ahead"/> items ahead
    /// of the consumer. Gives the error that the list ended with, or null; throws what <paramref name="write"/> throws, which ends the work. What the progress counts is a
    /// <paramref name="unit"/>, of <paramref name="total"/> where that is known.
    /// </summary>
    public Exception? Stream<T>(Func<CancellationToken, IAsyncEnumerable<T>> source, Action<T> write, string? activity = null, string unit = "", Func<long?>? total = null, int ahead = 64)
    {
        using var space = new SemaphoreSlim(ahead);
        var part = Progress.Begin(activity, unit, total);
        return Run(
            async (sink, token) =>
            {
                await foreach (var item in source(token).WithCancellation(token).ConfigureAwait(false))
                {
                    await space.WaitAsync(token).ConfigureAwait(false);
                    var posted = sink.Queue.Post(() =>
                    {
                        space.Release();
                        write(item);
                        part.Done++;
                    });
                    if (!posted) return;
                }
            },
            part);
    }

    /// <summary>
    /// Starts the work and does on this thread what it leaves to be done, until it has ended. Gives the error that the work ended with, or null; throws what was
    /// thrown on this thread: a consumer that stops the pipeline, an error preference of Stop.
    /// </summary>
    public Exception? Run(Func<Sink, CancellationToken, Task> work, string? activity = null) => Run(work, Progress.Begin(activity));

    private Exception? Run(Func<Sink, CancellationToken, Task> work, ProgressDisplay.Part part)
    {
        var cancel = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var token = cancel.Token;
        var sink = new Sink(writer);
        using var wake = _stop.Token.Register(static queue => ((PipelineQueue)queue!).Post(static () => { }), sink.Queue);
        var task = Task.Run(
            async () =>
            {
                ActivityRouter.Enter(sink);
                await work(sink, token).ConfigureAwait(false);
            },
            CancellationToken.None);
        _ = task.ContinueWith(static (_, queue) => ((PipelineQueue)queue!).Finish(), sink.Queue, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        try
        {
            while (sink.Queue.Take(Progress.Wait, out var action))
            {
                action?.Invoke();
                Progress.Show(sink.Queue.TakeProgress());
                if (_stop.IsCancellationRequested) throw new PipelineStoppedException();
            }
        }
        catch
        {
            Progress.EndAll(isBroken: true);
            Teardown(sink.Queue, cancel, task);
            throw;
        }

        cancel.Dispose();
        part.Dispose();
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

    /// <summary>Where the work of one call leaves what it tells.</summary>
    internal sealed class Sink(IPipelineWriter writer)
    {
        public PipelineQueue Queue { get; } = new();

        public void Verbose(string message) => Queue.Post(() => writer.WriteVerbose(message));

        public void Debug(string message) => Queue.Post(() => writer.WriteDebug(message));

        public void Warning(string message) => Queue.Post(() => writer.WriteWarning(message));

        public void Progress(ProgressState state) => Queue.Report(state);
    }

    private sealed class Held(PipelinePump pump, IDisposable held) : IDisposable
    {
        public void Dispose()
        {
            if (pump._left is { } left) _ = left.ContinueWith(_ => held.Dispose(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            else held.Dispose();
        }
    }
}
