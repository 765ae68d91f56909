using System.Diagnostics;
using RegistryTools.Transport;

namespace RegistryTools.PowerShell.Completion;

/// <summary>
/// Candidates, as they come in. They are looked for on another thread, by requests that are sent once and given up after some seconds; nothing that goes wrong leaves here.
/// </summary>
internal sealed class CandidateList(object source, string what, int changes)
{
    /// <summary>The most candidates that are kept.</summary>
    public const int Capacity = 50_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private readonly object _gate = new();
    private readonly List<Candidate> _items = [];
    private Action? _cancel;
    private Stopwatch? _ended;

    /// <summary>Whose they are: a connection, or a path.</summary>
    public object Source { get; } = source;

    /// <summary>What they are.</summary>
    public string What { get; } = what;

    /// <summary>How many changes there had been when the search began.</summary>
    public int Changes { get; } = changes;

    /// <summary>How long ago the search ended; null while it is under way.</summary>
    public TimeSpan? Age
    {
        get
        {
            lock (_gate) return _ended?.Elapsed;
        }
    }

    /// <summary>Whether all were found that there are.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>A list of the same that was complete, and is of use while this one is not.</summary>
    public CandidateList? Previous { get; set; }

    public int Count
    {
        get
        {
            lock (_gate) return _items.Count;
        }
    }

    /// <summary>Adds one; false where there is no room for more.</summary>
    public bool Add(Candidate candidate)
    {
        lock (_gate)
        {
            if (_items.Count >= Capacity) return false;
            _items.Add(candidate);
            return true;
        }
    }

    /// <summary>Begins to search.</summary>
    public void Start(Func<CandidateList, CancellationToken, Task> search)
    {
        // The pipeline that completes has ended long before: what it has flowing along is not for this work.
        var stop = new CancellationTokenSource(Patience);
        _cancel = stop.Cancel;
        using (ExecutionContext.SuppressFlow()) _ = Task.Run(() => RunAsync(search, stop));
    }

    /// <summary>Waits for the end of the search, and no longer than this; gives what has come.</summary>
    public Candidate[] Wait(Deadline deadline)
    {
        lock (_gate)
        {
            while (_ended is null && deadline.MillisecondsLeft is > 0 and var left && Monitor.Wait(_gate, left)) ;
            return [.. _items];
        }
    }

    /// <summary>Ends the search.</summary>
    public void Cancel()
    {
        try
        {
            _cancel?.Invoke();
        }
        catch (Exception exception) when (exception is ObjectDisposedException or AggregateException)
        {
            // It has ended by itself, or is ending.
        }
    }

    private async Task RunAsync(Func<CandidateList, CancellationToken, Task> search, CancellationTokenSource stop)
    {
        try
        {
            CasualRequests.Begin();
            await search(this, stop.Token).ConfigureAwait(false);
            IsComplete = true;
        }
        catch (Exception)
        {
            // Whatever it is, a completion is no place to tell it: the command itself will.
        }
        finally
        {
            stop.Dispose();
            lock (_gate)
            {
                _ended = Stopwatch.StartNew();
                Monitor.PulseAll(_gate);
            }
        }
    }
}
