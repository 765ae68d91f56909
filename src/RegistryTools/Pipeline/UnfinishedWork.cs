using System.Collections.Concurrent;

namespace RegistryTools.PowerShell.Pipeline;

/// <summary>
/// What a cmdlet that was stopped has left to be undone: tags that are being put back, files that are given back. The cmdlet has ended; this goes on for as long as the core allows it, and
/// connections and runspaces are not closed over it without some patience.
/// </summary>
internal static class UnfinishedWork
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private static readonly ConcurrentDictionary<Task, bool> Tasks = new();

    /// <summary>Takes over a piece of work, with the source of its cancellation.</summary>
    public static void Leave(Task task, CancellationTokenSource source)
    {
        Tasks[task] = true;
        _ = task.ContinueWith(
            done =>
            {
                _ = done.Exception;
                source.Dispose();
                Tasks.TryRemove(done, out _);
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    /// <summary>Gives it time to end.</summary>
    public static void Wait()
    {
        var tasks = Tasks.Keys.ToArray();
        if (tasks.Length == 0) return;
        try
        {
            Task.WaitAll(tasks, Patience);
        }
        catch (AggregateException)
        {
            // It has ended, and who would be told is gone: the journal knows how.
        }
    }
}
