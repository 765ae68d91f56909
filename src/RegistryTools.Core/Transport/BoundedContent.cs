using System.Diagnostics;

namespace RegistryTools.Transport;

/// <summary>A body that is larger than it may be.</summary>
internal sealed class ContentTooLargeException(long limit) : IOException($"The body is larger than {limit} bytes.")
{
    public long Limit { get; } = limit;
}

/// <summary>A body that comes, but so slowly that it is not waited for.</summary>
internal sealed class ContentTooSlowException(long received, TimeSpan elapsed) : IOException(FormattableString.Invariant($"It came too slowly: {received} bytes in {elapsed.TotalSeconds:0.#} s."));

/// <summary>Reading bodies: never more than was agreed, and never waiting longer for the next piece than was agreed.</summary>
internal static class BoundedContent
{
    /// <summary>The bytes a second at which a body may take as long as it takes: a list of megabytes over a thin line. In a manifest there is not much to wait for at less.</summary>
    private const int SmallBodyRate = 16 * 1024;

    /// <summary>The same for what may be gigabytes.</summary>
    private const int LargeBodyRate = 1024;

    /// <summary>Reads a body whole.</summary>
    /// <exception cref="ContentTooLargeException">It is larger than the limit, or says so.</exception>
    /// <exception cref="IOException">It broke off.</exception>
    public static async Task<byte[]> ReadAsync(HttpResponseMessage response, int limit, TimeSpan patience, CancellationToken cancellationToken)
    {
        var announced = response.Content.Headers.ContentLength;
        if (announced > limit) throw new ContentTooLargeException(limit);
        using var memory = new MemoryStream(announced is { } length ? (int)length : 4096);
        var buffer = new byte[16 * 1024];
        await CopyAsync(
            response,
            buffer,
            count =>
            {
                if (memory.Length + count > limit) throw new ContentTooLargeException(limit);
                memory.Write(buffer, 0, count);
                return Task.CompletedTask;
            },
            patience,
            new Pace(Times(patience, 3), SmallBodyRate),
            cancellationToken).ConfigureAwait(false);
        return memory.Length == memory.Capacity ? memory.GetBuffer() : memory.ToArray();
    }

    /// <summary>Reads no more than the first bytes of a body, for a message: an error's page may be any size, and may break off.</summary>
    public static async Task<byte[]> ReadStartAsync(HttpResponseMessage response, int limit, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var memory = new MemoryStream();
        var buffer = new byte[16 * 1024];
        try
        {
            await CopyAsync(
                response,
                buffer,
                count =>
                {
                    memory.Write(buffer, 0, Math.Min(count, limit - (int)memory.Length));
                    return memory.Length < limit ? Task.CompletedTask : throw new ContentTooLargeException(limit);
                },
                patience,
                new Pace(patience, int.MaxValue),
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        return memory.ToArray();
    }

    /// <summary>Reads a body of any size piece by piece into a buffer.</summary>
    /// <exception cref="IOException">It broke off, the next piece did not come in time, or the whole came too slowly.</exception>
    public static Task CopyAsync(HttpResponseMessage response, byte[] buffer, Func<int, Task> take, TimeSpan patience, CancellationToken cancellationToken) =>
        CopyAsync(response, buffer, take, patience, new Pace(Times(patience, 3), LargeBodyRate), cancellationToken);

    private static async Task CopyAsync(HttpResponseMessage response, byte[] buffer, Func<int, Task> take, TimeSpan patience, Pace pace, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        // Some streams do not listen to the token while they wait; all end when the response is disposed of.
        using var registration = stop.Token.Register(static state => ((HttpResponseMessage)state!).Dispose(), response);
        long total = 0;
        var announced = response.Content.Headers.ContentLength;

        // Only the waiting counts: a disk that is slow to take what came is no fault of the server's.
        var waiting = new Stopwatch();
        var slow = false;
        try
        {
            waiting.Start();
#if NET
            using var stream = await response.Content.ReadAsStreamAsync(stop.Token).ConfigureAwait(false);
#else
            using var stream = await response.Content.ReadAsStreamAsync().ConfigureAwait(false);
#endif
            while (true)
            {
                var rest = pace.Rest(total, waiting.Elapsed);
                slow = patience >= TimeSpan.Zero && rest < patience;
                stop.CancelAfter(slow ? rest : patience);
                var count = await stream.ReadAsync(buffer, 0, buffer.Length, stop.Token).ConfigureAwait(false);
                stop.CancelAfter(System.Threading.Timeout.InfiniteTimeSpan);
                if (count == 0) break;
                total += count;
                waiting.Stop();
                await take(count).ConfigureAwait(false);
                waiting.Start();
            }
        }
        catch (Exception exception) when (stop.IsCancellationRequested && exception is OperationCanceledException or ObjectDisposedException or IOException or HttpRequestException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (slow && total > 0) throw new ContentTooSlowException(total, waiting.Elapsed);
            throw new IOException(FormattableString.Invariant($"Nothing more came for {patience.TotalSeconds:0.#} s."), exception);
        }

        if (announced is { } length && total < length) throw new IOException($"The body broke off after {total} of {length} bytes.");
    }

    private static TimeSpan Times(TimeSpan patience, int factor) => patience.Ticks > TimeSpan.MaxValue.Ticks / factor ? TimeSpan.MaxValue : TimeSpan.FromTicks(patience.Ticks * factor);

    /// <summary>How long a body may take as a whole: a time that each has, and as much more as what has come takes at the slowest rate that is fair.</summary>
    private readonly record struct Pace(TimeSpan Grace, int BytesPerSecond)
    {
        public TimeSpan Rest(long received, TimeSpan waited)
        {
            // Who waits for ever waits for ever.
            if (Grace < TimeSpan.Zero) return TimeSpan.FromDays(10);
            var rest = Grace.TotalSeconds + ((double)received / BytesPerSecond) - waited.TotalSeconds;
            return rest <= 0 ? TimeSpan.Zero : rest > TimeSpan.FromDays(10).TotalSeconds ? TimeSpan.FromDays(10) : TimeSpan.FromSeconds(rest);
        }
    }
}
