namespace RegistryTools.PowerShell.Completion;

/// <summary>The candidates of one session, for a few seconds each. Whatever changes a registry in this session makes those old that are there.</summary>
internal sealed class CandidateCache
{
    private const int MaximumLists = 32;
    private const int MaximumCandidates = 100_000;
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Usable = TimeSpan.FromMinutes(1);
    private readonly object _gate = new();

    // The oldest first.
    private readonly List<CandidateList> _lists = [];
    private int _changes;

    /// <summary>Says that something was changed, or may have been.</summary>
    public void NoteChange() => Interlocked.Increment(ref _changes);

    /// <summary>
    /// Gives candidates: those that are there, else what has been found by the deadline. Where the registry is slower than that, and what was found before is less than a minute old, that.
    /// </summary>
    public Candidate[] Get(object source, string what, Func<CandidateList, CancellationToken, Task> search, Deadline deadline)
    {
        CandidateList list;
        lock (_gate)
        {
            var changes = Volatile.Read(ref _changes);
            var found = _lists.Find(other => Equals(other.Source, source) && other.What == what);
            if (found is not null && found.Changes == changes && !(found.Age > Fresh))
            {
                list = found;
            }
            else
            {
                list = new CandidateList(source, what, changes);
                if (found is not null)
                {
                    _lists.Remove(found);
                    found.Cancel();
                    list.Previous = found.IsComplete ? found : found.Previous;
                    found.Previous = null;
                }

                _lists.Add(list);
                Trim();
                list.Start(search);
            }
        }

        var items = list.Wait(deadline);
        var previous = list.Previous;
        if (list.IsComplete) list.Previous = null;
        else if (previous is not null && previous.Changes == list.Changes && previous.Age < Usable) return previous.Wait(deadline);
        return items;
    }

    /// <summary>Gives up what is being looked for at a connection that is being closed, and forgets what was found.</summary>
    public void Forget(object source) => Forget(list => Equals(list.Source, source));

    /// <summary>The same for everything.</summary>
    public void Clear() => Forget(static _ => true);

    private void Forget(Predicate<CandidateList> match)
    {
        List<CandidateList> forgotten;
        lock (_gate)
        {
            forgotten = _lists.FindAll(match);
            _lists.RemoveAll(match);
        }

        foreach (var list in forgotten) list.Cancel();
    }

    private void Trim()
    {
        var count = 0;
        for (var i = _lists.Count - 1; i >= 0; i--)
        {
            count += _lists[i].Count + (_lists[i].Previous?.Count ?? 0);
            if (i == _lists.Count - 1 || (_lists.Count - i <= MaximumLists && count <= MaximumCandidates)) continue;
            _lists[i].Cancel();
            _lists.RemoveAt(i);
        }
    }
}
