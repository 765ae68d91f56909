using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using RegistryTools.Registries;

namespace RegistryTools.Inspection;

/// <summary>Lists of tags, filtered and ordered.</summary>
public static class TagList
{
    private const int MaximumAhead = 20_000;

    /// <summary>
    /// A repository's tags that pass the filter. In the registry's order they come as they are read; any other order has to read them all first, and holds their
    /// names only.
    /// </summary>
    public static async IAsyncEnumerable<string> ReadAsync(
        IRegistry registry, string repository, Func<string, bool>? filter = null, IComparer<string>? order = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var sorted = order is null ? null : new List<string>();
        await foreach (var tag in registry.ListTagsAsync(repository, cancellationToken).ConfigureAwait(false))
        {
            if (filter is not null && !filter(tag)) continue;
            if (sorted is null) yield return tag;
            else sorted.Add(tag);
        }

        if (sorted is null) yield break;
        sorted.Sort(order);
        string? last = null;
        foreach (var tag in sorted)
        {
            if (!string.Equals(tag, last, StringComparison.Ordinal)) yield return tag;
            last = tag;
        }
    }

    /// <summary>
    /// The same list, read ahead of who takes it, so that how long it is may be known long before its end is reached: names are small. What has been read and is not taken is at most so much.
    /// </summary>
    /// <param name="names">The list.</param>
    /// <param name="counted">Told how many there are when the list has been read to its end, from any thread.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async IAsyncEnumerable<string> AheadAsync(IAsyncEnumerable<string> names, Action<int> counted, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var read = new SemaphoreSlim(0);
        using var space = new SemaphoreSlim(MaximumAhead);
        var waiting = new ConcurrentQueue<string>();
        var reading = ReadAsync();
        try
        {
            while (true)
            {
                await read.WaitAsync(cancellationToken).ConfigureAwait(false);
                if (!waiting.TryDequeue(out var name)) break;
                space.Release();
                yield return name;
            }

            // What went wrong with the list is thrown where its end would have been.
            await reading.ConfigureAwait(false);
        }
        finally
        {
            stop.Cancel();
            try
            {
                await reading.ConfigureAwait(false);
            }
            catch (Exception)
            {
                // It was thrown above, or nobody wants to know any more.
            }
        }

        async Task ReadAsync()
        {
            var count = 0;
            try
            {
                await foreach (var name in names.WithCancellation(stop.Token).ConfigureAwait(false))
                {
                    await space.WaitAsync(stop.Token).ConfigureAwait(false);
                    waiting.Enqueue(name);
                    count++;
                    read.Release();
                }

                counted(count);
            }
            finally
            {
                // Once more than there are names: the end.
                read.Release();
            }
        }
    }

    /// <summary>Names that are known already, as a list of tags.</summary>
    public static async IAsyncEnumerable<string> FromNames(IEnumerable<string> names)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        foreach (var name in names) yield return name;
    }
}
