namespace RegistryTools.Threading;

/// <summary>Work on many items, so many at a time.</summary>
internal static class Throttle
{
    /// <summary>
    /// Runs <paramref name="body"/> on every item, at most <paramref name="limit"/> at once. The body deals with what can go wrong with its own item; an exception that leaves it ends the
    /// whole, but only once every body that had begun has ended: nothing goes on behind the caller's back.
    /// </summary>
    public static async Task ForEachAsync<T>(IReadOnlyList<T> items, int limit, Func<T, Task> body, CancellationToken cancellationToken)
    {
        var next = -1;
        var failed = 0;

        async Task WorkAsync()
        {
            while (Volatile.Read(ref failed) == 0 && !cancellationToken.IsCancellationRequested)
            {
                var index = Interlocked.Increment(ref next);
                if (index >= items.Count) return;
                try
                {
                    await body(items[index]).ConfigureAwait(false);
                }
                catch
                {
                    Volatile.Write(ref failed, 1);
                    throw;
                }
            }
        }

        var workers = new Task[Math.Max(1, Math.Min(limit, items.Count))];
        for (var i = 0; i < workers.Length; i++) workers[i] = WorkAsync();
        await Task.WhenAll(workers).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
    }
}
