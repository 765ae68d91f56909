using System.Net;
using System.Runtime.ExceptionServices;
using RegistryTools.Authentication;
using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Transport;

namespace RegistryTools.Registries;

/// <content>Blobs: read, pushed, mounted, deleted.</content>
public sealed partial class HttpRegistry
{
    private const int CopyBuffer = 81920;

    /// <summary>The most of a blob that is held in memory because the registry wants chunks that large.</summary>
    private const int MaximumChunk = 256 * 1024 * 1024;

    /// <inheritdoc/>
    public Task<long?> FindBlobAsync(string repository, Digest digest, CancellationToken cancellationToken = default)
    {
        var call = new RegistryCall(HttpMethod.Head, Blob(repository, digest)) { Scope = TokenScope.Pull(repository), FollowsRedirects = true };
        return _client.SendAsync<long?>(
            call,
            (response, _, _) => Task.FromResult<long?>(response.StatusCode == HttpStatusCode.NotFound ? null : response.Content.Headers.ContentLength ?? -1),
            cancellationToken,
            404);
    }

    /// <inheritdoc/>
    public Task<byte[]> ReadBlobAsync(string repository, Digest digest, int maximumSize, CancellationToken cancellationToken = default)
    {
        var call = new RegistryCall(HttpMethod.Get, Blob(repository, digest)) { Scope = TokenScope.Pull(repository), FollowsRedirects = true };
        return _client.SendAsync(
            call,
            async (response, _, token) =>
            {
                var content = await _client.ReadAsync(response, maximumSize, token).ConfigureAwait(false);
                var actual = digest.CanVerify ? Digest.Compute(digest.Algorithm, content) : digest;
                if (actual != digest) throw BlobMismatch(repository, digest, actual);
                return content;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public async Task CopyBlobAsync(string repository, Digest digest, Stream destination, CancellationToken cancellationToken = default)
    {
        var buffer = new byte[CopyBuffer];
        long written = 0;
        using var hash = digest.CanVerify ? new DigestHash(digest.Algorithm) : null;
        var call = new RegistryCall(HttpMethod.Get, Blob(repository, digest)) { Scope = TokenScope.Pull(repository), FollowsRedirects = true, From = () => written };
        for (var attempt = 0; ; attempt++)
        {
            var before = written;
            try
            {
                await _client.SendAsync(
                    call,
                    async (response, _, token) =>
                    {
                        // What was asked to go on from the middle may begin anew.
                        var from = response.StatusCode == HttpStatusCode.PartialContent ? response.Content.Headers.ContentRange?.From ?? written : 0;
                        if (from > written) throw new RegistryProtocolException($"{Name} was asked for the blob {digest} from byte {written} on and began at byte {from}.", "GET", call.Uri, (int)response.StatusCode);
                        var skip = written - from;
                        await _client.CopyAsync(
                            response,
                            buffer,
                            async count =>
                            {
                                var start = (int)Math.Min(skip, count);
                                skip -= start;
                                if (count == start) return;
                                hash?.Append(buffer, start, count - start);
                                try
                                {
                                    await destination.WriteAsync(buffer, start, count - start, token).ConfigureAwait(false);
                                }
                                catch (Exception exception) when (exception is not OperationCanceledException)
                                {
                                    throw new DestinationException(exception);
                                }

                                written += count - start;
                            },
                            token).ConfigureAwait(false);
                        return true;
                    },
                    cancellationToken).ConfigureAwait(false);
                break;
            }
            catch (RegistryUnreachableException exception) when (written > before && attempt < _options.RetryCount)
            {
                _options.Log.Verbose($"{exception.Message} Going on after {written} bytes.");
            }
            catch (DestinationException exception)
            {
                exception.Cause.Throw();
            }
        }

        if (hash?.Finish() is { } actual && actual != digest) throw BlobMismatch(repository, digest, actual);
    }

    /// <inheritdoc/>
    public async Task<bool> MountBlobAsync(string repository, Digest digest, string fromRepository, CancellationToken cancellationToken = default)
    {
        Validate(fromRepository);
        var call = new RegistryCall(HttpMethod.Post, new Uri(At(repository, "blobs/uploads/") + "?mount=" + digest + "&from=" + Uri.EscapeDataString(fromRepository))) { Scope = TokenScope.Mount(repository, fromRepository), Content = Empty };
        var upload = await _client.SendAsync(
            call,
            (response, _, _) => Task.FromResult(response.StatusCode == HttpStatusCode.Created ? null : UploadLocation(call, response)),
            cancellationToken).ConfigureAwait(false);
        if (upload is null) return true;

        // It will not, and has begun an upload instead, which nobody wants now.
        await CancelUploadAsync(repository, upload, cancellationToken).ConfigureAwait(false);
        return false;
    }

    /// <inheritdoc/>
    public async Task PushBlobAsync(string repository, Digest digest, Stream content, CancellationToken cancellationToken = default)
    {
        if (await FindBlobAsync(repository, digest, cancellationToken).ConfigureAwait(false) is not null) return;
        var start = content.CanSeek ? content.Position : 0;
        for (var attempt = 0; ; attempt++)
        {
            var begin = new RegistryCall(HttpMethod.Post, At(repository, "blobs/uploads/")) { Scope = TokenScope.Push(repository), Content = Empty };
            var (upload, minimumChunk) = await _client.SendAsync(
                begin,
                (response, _, _) => Task.FromResult((
                    UploadLocation(begin, response),
                    long.TryParse(Header(response, "OCI-Chunk-Min-Length"), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var minimum) ? minimum : 0)),
                cancellationToken).ConfigureAwait(false);
            try
            {
                if (content.CanSeek) content.Position = start;
                if (content.CanSeek && content.Length - start <= _options.ChunkSize)
                {
                    await PutWholeAsync(repository, digest, content, upload, cancellationToken).ConfigureAwait(false);
                    return;
                }

                if (minimumChunk > Math.Max(MaximumChunk, _options.ChunkSize))
                {
                    await CancelUploadAsync(repository, upload, cancellationToken).ConfigureAwait(false);
                    throw new RegistryProtocolException($"{Name} wants chunks of at least {minimumChunk} bytes, which is more than is held in memory here ({MaximumChunk}).", "POST", begin.Uri, null);
                }

                var chunkSize = Math.Max(_options.ChunkSize, (int)minimumChunk);
                if (content.CanSeek && content.Length - start <= chunkSize) await PutWholeAsync(repository, digest, content, upload, cancellationToken).ConfigureAwait(false);
                else await PutChunksAsync(repository, digest, content, upload, chunkSize, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (RegistryRequestException exception) when (exception is RegistryUnreachableException or { StatusCode: 404 or 416 or >= 500 })
            {
                // It may only be the last answer that was lost.
                if (await FindBlobAsync(repository, digest, cancellationToken).ConfigureAwait(false) is not null) return;
                if (!content.CanSeek || attempt >= _options.RetryCount) throw;
                _options.Log.Verbose($"{exception.Message} The upload of {digest} is begun anew.");
                await Task.Delay(_options.RetryDelay, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <inheritdoc/>
    public Task DeleteBlobAsync(string repository, Digest digest, CancellationToken cancellationToken = default)
    {
        var call = new RegistryCall(HttpMethod.Delete, Blob(repository, digest)) { Scope = TokenScope.Delete(repository) };
        return _client.SendAsync(
            call,
            async (response, doubtful, token) =>
            {
                if (response.StatusCode == HttpStatusCode.NotFound && doubtful == 0) throw await ErrorAsync(call, response, token).ConfigureAwait(false);
                return true;
            },
            cancellationToken,
            404);
    }

    private static ByteArrayContent Empty() => new([]);

    private static async Task<byte[]> ReadChunkAsync(Stream content, byte[] buffer, CancellationToken cancellationToken)
    {
        var filled = 0;
        while (filled < buffer.Length)
        {
            var count = await content.ReadAsync(buffer, filled, buffer.Length - filled, cancellationToken).ConfigureAwait(false);
            if (count == 0) break;
            filled += count;
        }

        return filled == buffer.Length ? buffer : buffer.AsSpan(0, filled).ToArray();
    }

    private static Uri WithDigest(Uri upload, Digest digest) =>
        new(upload.AbsoluteUri + (upload.Query.Length > 0 ? "&" : "?") + "digest=" + Uri.EscapeDataString(digest.ToString()));

    private async Task PutWholeAsync(string repository, Digest digest, Stream content, Uri upload, CancellationToken cancellationToken)
    {
        var bytes = await ReadChunkAsync(content, new byte[content.Length - content.Position], cancellationToken).ConfigureAwait(false);
        if (digest.CanVerify && !digest.Matches(bytes))
        {
            await CancelUploadAsync(repository, upload, cancellationToken).ConfigureAwait(false);
            throw BlobMismatch(repository, digest, Digest.Compute(digest.Algorithm, bytes));
        }

        var call = new RegistryCall(HttpMethod.Put, WithDigest(upload, digest)) { Scope = TokenScope.Push(repository), Repetition = Repetition.IfNotCarriedOut, Content = () => Body(bytes, "application/octet-stream") };
        await _client.SendAsync(call, (_, _, _) => Task.FromResult(true), cancellationToken).ConfigureAwait(false);
    }

    private async Task PutChunksAsync(string repository, Digest digest, Stream content, Uri upload, int chunkSize, CancellationToken cancellationToken)
    {
        long sent = 0;
        using var hash = digest.CanVerify ? new DigestHash(digest.Algorithm) : null;
        var buffer = new byte[chunkSize];
        while (true)
        {
            var chunk = await ReadChunkAsync(content, buffer, cancellationToken).ConfigureAwait(false);
            if (chunk.Length == 0) break;
            hash?.Append(chunk, 0, chunk.Length);
            upload = await PatchAsync(repository, upload, chunk, sent, cancellationToken).ConfigureAwait(false);
            sent += chunk.Length;
            if (chunk.Length < chunkSize) break;
        }

        if (hash?.Finish() is { } actual && actual != digest)
        {
            await CancelUploadAsync(repository, upload, cancellationToken).ConfigureAwait(false);
            throw BlobMismatch(repository, digest, actual);
        }

        var call = new RegistryCall(HttpMethod.Put, WithDigest(upload, digest)) { Scope = TokenScope.Push(repository), Repetition = Repetition.IfNotCarriedOut, Content = Empty };
        await _client.SendAsync(call, (_, _, _) => Task.FromResult(true), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends one chunk; where the connection breaks, asks how far the registry got (distribution-spec, "Pushing a blob in chunks") and sends the rest.</summary>
    private async Task<Uri> PatchAsync(string repository, Uri upload, byte[] chunk, long offset, CancellationToken cancellationToken)
    {
        var done = 0;
        for (var attempt = 0; ; attempt++)
        {
            var from = offset + done;
            var rest = done;
            var call = new RegistryCall(new HttpMethod("PATCH"), upload)
            {
                Scope = TokenScope.Push(repository),
                Repetition = Repetition.IfNotCarriedOut,
                Content = () =>
                {
                    var body = new ByteArrayContent(chunk, rest, chunk.Length - rest);
                    body.Headers.TryAddWithoutValidation("Content-Type", "application/octet-stream");
                    body.Headers.TryAddWithoutValidation("Content-Range", FormattableString.Invariant($"{from}-{offset + chunk.Length - 1}"));
                    return body;
                },
            };
            try
            {
                return await _client.SendAsync(call, (response, _, _) => Task.FromResult(UploadLocation(call, response)), cancellationToken).ConfigureAwait(false);
            }
            catch (RegistryRequestException exception) when (attempt < _options.RetryCount && exception is RegistryUnreachableException or { StatusCode: >= 500 })
            {
                var ask = new RegistryCall(HttpMethod.Get, upload) { Scope = TokenScope.Push(repository) };
                var (location, received) = await _client.SendAsync(ask, (response, _, _) => Task.FromResult((UploadLocation(ask, response), Received(response))), cancellationToken).ConfigureAwait(false);
                if (received < offset || received > offset + chunk.Length) throw;
                upload = location;
                done = (int)(received - offset);
                _options.Log.Verbose($"{exception.Message} The registry has {received} bytes; going on from there.");
                if (done == chunk.Length) return upload;
                await Task.Delay(_options.RetryDelay, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>How many bytes an upload has, from <c>Range: 0-N</c>; none where it does not say.</summary>
    private static long Received(HttpResponseMessage response)
    {
        var range = Header(response, "Range") ?? (response.Content.Headers.TryGetValues("Range", out var values) ? values.FirstOrDefault() : null);
        var hyphen = range?.LastIndexOf('-') ?? -1;
        return hyphen >= 0 && long.TryParse(range!.Substring(hyphen + 1), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var last) && last > 0 ? last + 1 : 0;
    }

    private Uri UploadLocation(RegistryCall call, HttpResponseMessage response)
    {
        var location = response.Headers.Location;
        if (location is null) throw new RegistryProtocolException($"{Name} answered {call.Method} {RegistryErrors.Shown(call.Uri)} and did not say where the upload goes on.", call.Method.Method, RegistryErrors.Shown(call.Uri), (int)response.StatusCode);
        var upload = location.IsAbsoluteUri ? location : new Uri(call.Uri, location);
        if (upload.Scheme is not ("http" or "https") || (BaseUri.Scheme == "https" && upload.Scheme != "https"))
        {
            throw new RegistryProtocolException(
                $"{Name} wants an upload to go to {RegistryErrors.Server(upload)}; it was not sent there: https is not left.",
                call.Method.Method,
                RegistryErrors.Shown(call.Uri),
                (int)response.StatusCode,
                "A registry behind a proxy must know its own public address (in distribution: http.host, or relativeurls: true).");
        }

        return upload;
    }

    private async Task CancelUploadAsync(string repository, Uri upload, CancellationToken cancellationToken)
    {
        try
        {
            var call = new RegistryCall(HttpMethod.Delete, upload) { Scope = TokenScope.Delete(repository), Repetition = Repetition.Never };
            await _client.SendAsync(call, (_, _, _) => Task.FromResult(true), cancellationToken, 404, 405).ConfigureAwait(false);
        }
        catch (RegistryRequestException exception)
        {
            _options.Log.Verbose($"An upload that is not wanted could not be cancelled: {exception.Message}");
        }
    }

    private Uri Blob(string repository, Digest digest) => At(repository, "blobs/" + digest);

    private DigestMismatchException BlobMismatch(string repository, Digest expected, Digest actual) =>
        new($"the blob {expected.ToShortString()} of '{repository}' on {Name}", expected.ToString(), actual.ToString());

    /// <summary>What the caller's stream threw: not the registry's failure, and nothing to try again.</summary>
    private sealed class DestinationException(Exception cause) : Exception(cause.Message, cause)
    {
        public ExceptionDispatchInfo Cause { get; } = ExceptionDispatchInfo.Capture(cause);
    }
}
