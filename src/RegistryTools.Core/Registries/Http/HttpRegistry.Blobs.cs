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
    private const int LargestChunk = 512 * 1024 * 1024;

    /// <inheritdoc/>
    public Task<long?> FindBlobAsync(string repository, Digest digest, CancellationToken cancellationToken = default)
    {
        var call = new RegistryCall(HttpMethod.Head, Blob(repository, digest)) { Scope = TokenScope.Pull(repository), FollowsRedirects = true };
        return _client.SendAsync<long?>(
            call,
            (response, _, _) =>
            {
                // What is taken for there is not pushed: a sign-in page for everything must not pass for it.
                MustBeRegistry(call, response);
                return Task.FromResult<long?>(response.StatusCode == HttpStatusCode.NotFound ? null : response.Content.Headers.ContentLength ?? -1);
            },
            cancellationToken,
            404);
    }

    /// <inheritdoc/>
    public Task<byte[]> ReadBlobAsync(string repository, Digest digest, int maximumSize, CancellationToken cancellationToken = default)
    {
        CheckVerifiable(digest);
        var call = new RegistryCall(HttpMethod.Get, Blob(repository, digest)) { Scope = TokenScope.Pull(repository), FollowsRedirects = true };
        return _client.SendAsync(
            call,
            async (response, _, token) =>
            {
                var content = await _client.ReadAsync(response, maximumSize, token).ConfigureAwait(false);
                var actual = Digest.Compute(digest.Algorithm, content);
                if (actual != digest) throw BlobMismatch(repository, digest, actual);
                return content;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public async Task CopyBlobAsync(string repository, Digest digest, Stream destination, CancellationToken cancellationToken = default)
    {
        CheckVerifiable(digest);
        var buffer = new byte[CopyBuffer];
        long written = 0;
        ExceptionDispatchInfo? refused = null;
        using var hash = new DigestHash(digest.Algorithm);
        for (var attempt = 0; ; attempt++)
        {
            var call = new RegistryCall(HttpMethod.Get, Blob(repository, digest))
            {
                Scope = TokenScope.Pull(repository),
                FollowsRedirects = true,
                From = () => written,
            };
            var before = written;
            try
            {
                await _client.SendAsync(
                    call,
                    async (response, _, token) =>
                    {
                        // What was asked to go on from the middle may begin anew.
                        var skip = written > 0 && response.StatusCode != HttpStatusCode.PartialContent ? written : 0;
                        await _client.CopyAsync(
                            response,
                            buffer,
                            async count =>
                            {
                                var from = (int)Math.Min(skip, count);
                                skip -= from;
                                if (count == from) return;
                                try
                                {
                                    await destination.WriteAsync(buffer, from, count - from, token).ConfigureAwait(false);
                                }
                                catch (Exception exception) when (exception is not OperationCanceledException)
                                {
                                    // A full disk is no fault of the registry's, and reading again does not help it.
                                    refused = ExceptionDispatchInfo.Capture(exception);
                                    throw new DestinationException(exception);
                                }

                                hash.Append(buffer, from, count - from);
                                written += count - from;
                            },
                            token).ConfigureAwait(false);
                        return true;
                    },
                    cancellationToken).ConfigureAwait(false);
                break;
            }
            catch (DestinationException) when (refused is not null)
            {
                refused.Throw();
            }
            catch (RegistryUnreachableException exception) when (written > before && attempt < _options.RetryCount)
            {
                _options.Log.Verbose($"{exception.Message} Going on after {written} bytes.");
            }
        }

        if (hash.Finish() is var actual && actual != digest) throw BlobMismatch(repository, digest, actual);
    }

    /// <inheritdoc/>
    public async Task<bool> MountBlobAsync(string repository, Digest digest, string fromRepository, CancellationToken cancellationToken = default)
    {
        var call = new RegistryCall(HttpMethod.Post, new Uri(At(repository, "blobs/uploads/") + "?mount=" + digest + "&from=" + Uri.EscapeDataString(RepositoryName.Validate(fromRepository))))
        {
            Scope = TokenScope.Mount(repository, fromRepository),
            Content = Empty,
        };
        var (mounted, upload) = await _client.SendAsync(
            call,
            (response, _, _) => Task.FromResult(response.StatusCode switch
            {
                HttpStatusCode.Created => (true, null),
                HttpStatusCode.Accepted => (false, UploadLocation(call.Uri, response)),
                _ => (false, (Uri?)null),
            }),
            cancellationToken,
            404,
            405).ConfigureAwait(false);
        if (upload is null) return mounted;

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
                    UploadLocation(begin.Uri, response),
                    int.TryParse(Header(response, "OCI-Chunk-Min-Length"), System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var minimum) ? minimum : 0)),
                cancellationToken).ConfigureAwait(false);
            try
            {
                if (content.CanSeek) content.Position = start;
                if (minimumChunk > LargestChunk) throw new RegistryProtocolException($"{Name} wants uploads in chunks of at least {minimumChunk} bytes, which is more than is kept in memory here ({LargestChunk}).", "POST", begin.Uri, 202);
                var chunkSize = Math.Max(Math.Min(Math.Max(_options.ChunkSize, 1), LargestChunk), minimumChunk);
                if (content.CanSeek && content.Length - start <= chunkSize) await PutWholeAsync(repository, digest, content, upload, cancellationToken).ConfigureAwait(false);
                else await PutChunksAsync(repository, digest, content, upload, chunkSize, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (RegistryRequestException exception) when (exception is RegistryUnreachableException or { StatusCode: 416 or 404 or >= 500 })
            {
                // The last request of an upload may have got through although its answer did not.
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
                if (response.StatusCode == HttpStatusCode.NotFound && doubtful == 0) throw await _client.ErrorAsync(response, token).ConfigureAwait(false);
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
                return await _client.SendAsync(call, (response, _, _) => Task.FromResult(UploadLocation(call.Uri, response)), cancellationToken).ConfigureAwait(false);
            }
            catch (RegistryRequestException exception) when (attempt < _options.RetryCount && exception is RegistryUnreachableException or { StatusCode: >= 500 })
            {
                var ask = new RegistryCall(HttpMethod.Get, upload) { Scope = TokenScope.Push(repository) };
                var (location, received) = await _client.SendAsync(ask, (response, _, _) => Task.FromResult((response.Headers.Location is null ? ask.Uri : UploadLocation(ask.Uri, response), Received(response))), cancellationToken).ConfigureAwait(false);
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

    private Uri UploadLocation(Uri asked, HttpResponseMessage response)
    {
        var location = response.Headers.Location;
        if (location is null) throw new RegistryProtocolException($"{Name} began an upload and did not say where.", "POST", RegistryErrors.Shown(asked), (int)response.StatusCode);
        var upload = location.IsAbsoluteUri ? location : new Uri(asked, location);
        if (upload.Scheme is not ("http" or "https") || (BaseUri.Scheme == "https" && upload.Scheme != "https"))
        {
            throw new RegistryProtocolException(
                $"{Name} wants an upload to go to {upload.Scheme}://{upload.Authority}; it was not sent there: https is not left.",
                "POST",
                RegistryErrors.Shown(asked),
                (int)response.StatusCode,
                "A registry behind a proxy that ends TLS must know its public address (in distribution: http.host, or http.relativeurls: true), or the proxy send X-Forwarded-Proto.");
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

    /// <summary>Carries a failure of the caller's stream past what takes failures of streams for the registry's.</summary>
    private sealed class DestinationException(Exception cause) : Exception(cause.Message, cause);

    private DigestMismatchException BlobMismatch(string repository, Digest expected, Digest actual) =>
        new($"the blob {expected.ToShortString()} of '{repository}' on {Name}", expected.ToString(), actual.ToString());
}
