namespace RegistryTools.PowerShell.Pipeline;

/// <summary>
/// What the work on other threads leaves for the pipeline thread to do: the only one that may write. One queue holds messages and
/// objects, so they come out in the order they went in. Once closed it takes nothing more and forgets what it holds.
/// </summary>
internal sealed class PipelineQueue
{
    private readonly object _gate = new();
    private readonly Queue<Action> _actions = new();
    private bool _finished;
    private bool _closed;
    private ProgressState? _progress;

    /// <summary>How far the work is, as it was last told; taken away by reading it.</summary>
    public ProgressState? TakeProgress()
    {
        lock (_gate)
        {
            var progress = _progress;
            _progress = null;
            return progress;
        }
    }

    /// <summary>Notes how far the work is; only the last note counts.</summary>
    public void Report(ProgressState progress)
    {
        lock (_gate) _progress = progress;
    }

    /// <summary>Leaves something to do; false where nobody will do it any more.</summary>
    public bool Post(Action action)
    {
        lock (_gate)
        {
            if (_closed) return false;
            _actions.Enqueue(action);
            Monitor.Pulse(_gate);
            return true;
        }
    }

    /// <summary>Says that the work is done and that nothing follows.</summary>
    public void Finish()
    {
        lock (_gate)
        {
            _finished = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Ends the queue from the reader's side.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _closed = true;
            _actions.Clear();
        }
    }

    /// <summary>
    /// Waits for something to do. False where the work is finished and everything is done; true with null where the time is up, which
    /// is the reader's chance to show progress.
    /// </summary>
    public bool Take(int milliseconds, out Action? action)
    {
        lock (_gate)
        {
            if (_actions.Count == 0 && !_finished) Monitor.Wait(_gate, milliseconds);
            if (_actions.Count > 0)
            {
                action = _actions.Dequeue();
                return true;
            }

            action = null;
            return !_finished;
        }
    }
}
