namespace RegistryTools.Transport;

/// <summary>A body that is larger than it may be.</summary>
internal sealed class ContentTooLargeException(long limit) : IOException($"The body is larger than {limit} bytes.")
{
    public long Limit { get; } = limit;
}

/// <summary>Reading bodies: never more than was agreed, and never waiting longer for the next piece than was agreed.</summary>
internal static class BoundedContent
{
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
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            cancellationToken.ThrowIfCancellationRequested();
        }

        return memory.ToArray();
    }

    /// <summary>Reads a body piece by piece into a buffer.</summary>
    /// <exception cref="IOException">It broke off, or the next piece did not come in time.</exception>
    public static async Task CopyAsync(HttpResponseMessage response, byte[] buffer, Func<int, Task> take, TimeSpan patience, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        // Some streams do not listen to the token while they wait; all end when the response is disposed of.
        using var registration = stop.Token.Register(static state => ((HttpResponseMessage)state!).Dispose(), response);
        long total = 0;
        var announced = response.Content.Headers.ContentLength;
        try
        {
#if NET
            using var stream = await response.Content.ReadAsStreamAsync(stop.Token).ConfigureAwait(false);
#else
            using var stream = await response.Content.ReadAsStreamAsync().ConfigureAwait(false);
#endif
            while (true)
            {
                stop.CancelAfter(patience);
                var count = await stream.ReadAsync(buffer, 0, buffer.Length, stop.Token).ConfigureAwait(false);
                stop.CancelAfter(System.Threading.Timeout.InfiniteTimeSpan);
                if (count == 0) break;
                total += count;
                await take(count).ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (stop.IsCancellationRequested && exception is OperationCanceledException or ObjectDisposedException or IOException or HttpRequestException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new IOException(FormattableString.Invariant($"Nothing more came for {patience.TotalSeconds:0.#} s."), exception);
        }

        if (announced is { } length && total < length) throw new IOException($"The body broke off after {total} of {length} bytes.");
    }
}
