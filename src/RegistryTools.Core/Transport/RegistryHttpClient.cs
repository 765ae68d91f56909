using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Polly;
using Polly.Retry;
using RegistryTools.Authentication;
using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Transport.Proxies;
using RegistryTools.Transport.Tls;

namespace RegistryTools.Transport;

/// <summary>When a request may be sent again.</summary>
internal enum Repetition
{
    /// <summary>After anything that may pass: it is safe to repeat.</summary>
    Safe,

    /// <summary>Only where it surely was not carried out: after a 429, or where no connection came about. What moves or deletes a tag.</summary>
    IfNotCarriedOut,

    /// <summary>Only after an answer that may pass. What connects: that nothing answers there is told at once.</summary>
    IfAnswered,

    /// <summary>Never.</summary>
    Never,
}

/// <summary>One request to a registry.</summary>
internal sealed class RegistryCall(HttpMethod method, Uri uri)
{
    public HttpMethod Method { get; } = method;

    public Uri Uri { get; } = uri;

    /// <summary>What a token for it must allow; null where it needs none that differs by repository.</summary>
    public string? Scope { get; init; }

    /// <summary>Who asks, for a request to another server than the registry, which has credentials of its own; it is sent there only.</summary>
    public System.Net.Http.Headers.AuthenticationHeaderValue? Authorization { get; init; }

    public IReadOnlyList<string> Accept { get; init; } = [];

    public Repetition Repetition { get; init; } = Repetition.Safe;

    /// <summary>Makes the body anew for every try; null for none.</summary>
    public Func<HttpContent>? Content { get; init; }

    /// <summary>Where in the content to begin, asked anew at every try: what has come already is not asked for again.</summary>
    public Func<long>? From { get; init; }

    /// <summary>Whether redirections are followed, as those of blobs to another server are.</summary>
    public bool FollowsRedirects { get; init; }
}

/// <summary>
/// Sends requests to one registry: with authorization where it is due and nowhere else, within time limits, and again where that is
/// safe and of use.
/// </summary>
internal sealed class RegistryHttpClient : IDisposable
{
    public const string UserAgent = "RegistryTools/0.1";
    private const int MaximumErrorBody = 64 * 1024;
    private const int MaximumRedirects = 5;

    private readonly HttpClient _client;
    private readonly HttpClient? _anonymous;
    private readonly TransportFailures _failures;
    private readonly CircuitBreaker _breaker;
    private readonly HttpRegistryOptions _options;
    private readonly ResiliencePipeline _safe;
    private readonly ResiliencePipeline _ifNotCarriedOut;
    private readonly ResiliencePipeline _ifAnswered;
    private readonly ConcurrentDictionary<string, bool> _warnings = new(StringComparer.Ordinal);
    private RateLimit? _rateLimit;
    private long _requests;

    public RegistryHttpClient(Uri baseUri, RegistryAddress address, HttpRegistryOptions options)
    {
        BaseUri = baseUri;
        _options = options;
        _breaker = new CircuitBreaker(options.BreakAfter, options.BreakDuration);
        if (options.Handler is null)
        {
            var proxy = ProxyChoice.For(baseUri, options);
            var trust = ServerTrust.Load(address, baseUri.Scheme, options);
            _failures = new TransportFailures(trust, proxy);
            _client = Client(HandlerFactory.Create(options, trust, proxy, trust.Client));

            // Who the client is, is no business of the servers that blobs are fetched from.
            if (trust.Client is not null) _anonymous = Client(HandlerFactory.Create(options, trust, proxy, null));
        }
        else
        {
            _failures = new TransportFailures(null, null);
            _client = Client(options.Handler, dispose: false);
        }

        Authenticator = new RegistryAuthenticator(baseUri, options, SendRawAsync, _failures);
        _safe = Pipeline(static _ => true);
        _ifNotCarriedOut = Pipeline(static failure => !failure.CarriedOut);
        _ifAnswered = Pipeline(static failure => failure.Error.StatusCode is not null);
    }

    public Uri BaseUri { get; }

    public RegistryAuthenticator Authenticator { get; }

    /// <summary>How many requests were sent, those to the token service included.</summary>
    public long RequestCount => Interlocked.Read(ref _requests);

    /// <summary>What the registry said last of how often it may be asked.</summary>
    public RateLimit? RateLimit => Volatile.Read(ref _rateLimit);

    /// <summary>
    /// Sends a request and reads its answer. Statuses of 2xx, 304, and those that <paramref name="accepts"/> names go to <paramref name="read"/>; others throw. The number of earlier tries that may
    /// have been carried out goes along.
    /// </summary>
    public async Task<T> SendAsync<T>(RegistryCall call, Func<HttpResponseMessage, int, CancellationToken, Task<T>> read, CancellationToken cancellationToken, params int[] accepts)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var admission = _breaker.Enter(call.Method.Method, call.Uri);
        var isCasual = CasualRequests.AreOn;
        var doubtful = 0;
        TransientFailure? last = null;

        async ValueTask<T> TryOnceAsync(CancellationToken token)
        {
            // While this one waited to be repeated, others found out that there is nobody.
            if (last is not null && GivesUp) throw last;
            try
            {
                return await SendOnceAsync(call, read, accepts, doubtful, token).ConfigureAwait(false);
            }
            catch (TransientFailure failure)
            {
                last = failure;
                if (failure.CarriedOut) doubtful++;
                throw;
            }
        }

        var says = Word.Nothing;
        try
        {
            var result = (isCasual ? Repetition.Never : call.Repetition) switch
            {
                Repetition.Safe => await _safe.ExecuteAsync(TryOnceAsync, cancellationToken).ConfigureAwait(false),
                Repetition.IfNotCarriedOut => await _ifNotCarriedOut.ExecuteAsync(TryOnceAsync, cancellationToken).ConfigureAwait(false),
                Repetition.IfAnswered => await _ifAnswered.ExecuteAsync(TryOnceAsync, cancellationToken).ConfigureAwait(false),
                _ => await TryOnceAsync(cancellationToken).ConfigureAwait(false),
            };
            says = Word.Up;
            return result;
        }
        catch (TransientFailure failure)
        {
            says = Judge(call, failure, admission);
            if (isCasual && says == Word.Down) says = Word.Nothing;
            if (says == Word.Down) Note(failure.Error, admission);
            throw failure.Error;
        }
        catch (RegistryToolsException exception)
        {
            // Whatever it said, it is there: but for a proxy's 52x and the like, which say that it is not.
            says = exception is not RegistryRequestException request || request.StatusCode is < 500 or 501 or 505 ? Word.Up : request.StatusCode is null || isCasual ? Word.Nothing : Word.Down;
            if (says == Word.Down) Note((RegistryRequestException)exception, admission);
            throw;
        }
        finally
        {
            if (says == Word.Up) _breaker.Succeeded();
            else if (says == Word.Nothing) _breaker.Left(admission);
        }
    }

    private void Note(RegistryRequestException error, Admission admission)
    {
        if (!_breaker.Failed(error, admission)) return;
        _options.Log.Warning(FormattableString.Invariant($"{BaseUri.Authority} is taken to be down after {_options.BreakAfter} requests in a row that failed, and is not asked for {_options.BreakDuration.TotalSeconds:0.#} s."));
    }

    /// <summary>What the outcome of a call says of the registry.</summary>
    private enum Word
    {
        Nothing,
        Up,
        Down,
    }

    /// <summary>Whether nothing is repeated any more, since the registry is taken to be down.</summary>
    private bool GivesUp => _breaker.IsOpen && !CircuitBreaker.IsUrgent;

    /// <summary>
    /// What a failure says of the registry. One that was not repeated, since it may have been carried out, says nothing: it may be the one moment in which a registry is started anew, and what looks
    /// after it finds out.
    /// </summary>
    private Word Judge(RegistryCall call, TransientFailure failure, Admission admission)
    {
        if (failure.Error.StatusCode is < 500) return Word.Up;
        if (failure.Error is RegistryProtocolException || !IsOwn(call.Uri)) return Word.Nothing;
        if (admission == Admission.Trial || failure.Lasting || _options.RetryCount <= 0) return Word.Down;
        return call.Repetition == Repetition.Safe || (call.Repetition == Repetition.IfNotCarriedOut && !failure.CarriedOut) ? Word.Down : Word.Nothing;
    }

    /// <summary>Reads a small body whole.</summary>
    public Task<byte[]> ReadAsync(HttpResponseMessage response, int limit, CancellationToken cancellationToken) =>
        BoundedContent.ReadAsync(response, limit, _options.Timeout, cancellationToken);

    /// <summary>The error that an answer is, whatever its body is.</summary>
    public async Task<RegistryRequestException> ErrorAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var request = response.RequestMessage!;
        var body = await ReadStartAsync(response, cancellationToken).ConfigureAwait(false);
        return RegistryErrors.From(request.Method.Method, request.RequestUri!, response, body, Authenticator.HasCredentials && request.Headers.Authorization is not null);
    }

    /// <summary>Reads the beginning of a body, for a message.</summary>
    public Task<byte[]> ReadStartAsync(HttpResponseMessage response, CancellationToken cancellationToken) =>
        BoundedContent.ReadStartAsync(response, MaximumErrorBody, _options.Timeout, cancellationToken);

    /// <summary>Reads a body piece by piece.</summary>
    public Task CopyAsync(HttpResponseMessage response, byte[] buffer, Func<int, Task> take, CancellationToken cancellationToken) =>
        BoundedContent.CopyAsync(response, buffer, take, _options.Timeout, cancellationToken);

    public void Dispose()
    {
        _client.Dispose();
        _anonymous?.Dispose();
        Authenticator.Dispose();
    }

    private static HttpClient Client(HttpMessageHandler handler, bool dispose = true) => new(handler, dispose) { Timeout = System.Threading.Timeout.InfiniteTimeSpan };

    private ResiliencePipeline Pipeline(Func<TransientFailure, bool> handles)
    {
        if (_options.RetryCount <= 0) return ResiliencePipeline.Empty;

        // What the pipeline's own validation would refuse, a negative delay or one of days, is brought within its bounds.
        static TimeSpan Bounded(TimeSpan delay) => delay < TimeSpan.Zero ? TimeSpan.Zero : delay > TimeSpan.FromDays(1) ? TimeSpan.FromDays(1) : delay;

        return new ResiliencePipelineBuilder()
            .AddRetry(new RetryStrategyOptions
            {
                MaxRetryAttempts = _options.RetryCount,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = Bounded(_options.RetryDelay),
                MaxDelay = Bounded(_options.MaximumRetryDelay),
                ShouldHandle = arguments => new ValueTask<bool>(
                    arguments.Outcome.Exception is TransientFailure { Lasting: false } failure && handles(failure) && !GivesUp),
                DelayGenerator = static arguments => new ValueTask<TimeSpan?>((arguments.Outcome.Exception as TransientFailure)?.RetryAfter),
                OnRetry = arguments =>
                {
                    _options.Log.Verbose(FormattableString.Invariant($"{(arguments.Outcome.Exception as TransientFailure)?.Error.Message} Trying again in {arguments.RetryDelay.TotalSeconds:0.##} s ({arguments.AttemptNumber + 1} of {_options.RetryCount})."));
                    return default;
                },
            })
            .Build();
    }

    private async Task<T> SendOnceAsync<T>(RegistryCall call, Func<HttpResponseMessage, int, CancellationToken, Task<T>> read, int[] accepts, int doubtful, CancellationToken cancellationToken)
    {
        var response = await AuthorizeAndSendAsync(call, cancellationToken).ConfigureAwait(false);
        var uri = response.RequestMessage!.RequestUri!;
        var method = call.Method.Method;
        try
        {
            using (response)
            {
                var status = (int)response.StatusCode;
                if (status is >= 200 and < 300 or 304 || Array.IndexOf(accepts, status) >= 0) return await read(response, doubtful, cancellationToken).ConfigureAwait(false);

                var error = await ErrorAsync(response, cancellationToken).ConfigureAwait(false);
                if (!TransientFailure.IsTransient(status)) throw error;
                throw TransientFailure.From(error, response, _options.MaximumRetryDelay, carriedOut: status != 429);
            }
        }
        catch (ContentTooLargeException exception)
        {
            throw new RegistryProtocolException($"The answer of {uri.Authority} to {method} {RegistryErrors.Shown(uri)} is larger than {exception.Limit} bytes; it was not read.", method, RegistryErrors.Shown(uri), (int)response.StatusCode, null, exception);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new TransientFailure(
                new RegistryUnreachableException($"The answer of {uri.Authority} to {method} {RegistryErrors.Shown(uri)} broke off: {Text.Shown.Short(exception.Message, 300)}", method, RegistryErrors.Shown(uri), null, exception),
                carriedOut: true,
                lasting: exception is ContentTooSlowException,
                null);
        }
    }

    private async Task<HttpResponseMessage> AuthorizeAndSendAsync(RegistryCall call, CancellationToken cancellationToken)
    {
        var uri = call.Uri;
        var authorization = IsOwn(uri) ? await Authenticator.GetAsync(call.Scope, cancellationToken).ConfigureAwait(false) : call.Authorization;
        var renewed = 0;
        var visited = new HashSet<string>(StringComparer.Ordinal) { uri.AbsoluteUri };
        while (true)
        {
            using var request = new HttpRequestMessage(call.Method, uri) { Content = call.Content?.Invoke() };
            request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
            foreach (var type in call.Accept) request.Headers.TryAddWithoutValidation("Accept", type);
            if (call.From?.Invoke() is > 0 and var from) request.Headers.Range = new System.Net.Http.Headers.RangeHeaderValue(from, null);
            request.Headers.Authorization = authorization;
            var response = await TrySendAsync(call.Method.Method, request, cancellationToken).ConfigureAwait(false);
            var status = (int)response.StatusCode;
            if (status == 401 && IsOwn(uri) && renewed < 2)
            {
                var challenges = AuthenticationChallenge.Parse(response.Headers.TryGetValues("WWW-Authenticate", out var values) ? values : []);
                bool again;
                try
                {
                    again = Authenticator.Learn(challenges, call.Scope, authorization);
                    if (again)
                    {
                        var next = await Authenticator.GetAsync(call.Scope, cancellationToken).ConfigureAwait(false);
                        again = next is not null && next.ToString() != authorization?.ToString();
                        if (again) authorization = next;
                    }
                }
                catch
                {
                    response.Dispose();
                    throw;
                }

                if (again)
                {
                    renewed++;
                    response.Dispose();
                    continue;
                }
            }

            if (!call.FollowsRedirects || status is not (301 or 302 or 303 or 307 or 308) || response.Headers.Location is not { } location) return response;
            var shown = RegistryErrors.Shown(uri);
            var target = location.IsAbsoluteUri ? location : new Uri(uri, location);
            response.Dispose();
            if (target.Scheme is not ("http" or "https") || (uri.Scheme == "https" && target.Scheme == "http"))
            {
                throw new RegistryProtocolException($"{uri.Authority} redirects {call.Method} {shown} to {target.Scheme}://{target.Authority}, which is not followed: https is not left.", call.Method.Method, shown, status);
            }

            if (!visited.Add(target.AbsoluteUri) || visited.Count > MaximumRedirects + 1)
            {
                throw new RegistryProtocolException($"{call.Uri.Authority} redirects {call.Method} {RegistryErrors.Shown(call.Uri)} in a circle, or more than {MaximumRedirects} times.", call.Method.Method, RegistryErrors.Shown(call.Uri), status);
            }

            // What is meant for the registry goes to no other server: a CDN's address carries its own permission. And what fails there is no fault of the registry's, which has answered.
            if (!SameServer(uri, target)) authorization = null;
            if (IsOwn(uri) && !IsOwn(target)) _breaker.Succeeded();
            uri = target;
        }
    }

    /// <summary>Whether the registry itself is asked, by scheme, host and port.</summary>
    private bool IsOwn(Uri uri) => SameServer(BaseUri, uri);

    private static bool SameServer(Uri one, Uri other) =>
        one.Scheme == other.Scheme && one.Port == other.Port && string.Equals(one.IdnHost, other.IdnHost, StringComparison.OrdinalIgnoreCase);

    private async Task<HttpResponseMessage> TrySendAsync(string method, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var uri = request.RequestUri!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(_options.Timeout);
        var watch = Stopwatch.StartNew();
        try
        {
            var response = await SendRawAsync(request, limit.Token).ConfigureAwait(false);
            response.RequestMessage ??= request;
            if (IsOwn(uri)) _failures.Answered(uri);
            _options.Log.Debug(FormattableString.Invariant($"{method} {RegistryErrors.Shown(uri)} -> {(int)response.StatusCode} ({watch.ElapsedMilliseconds} ms)"));
            if ((int)response.StatusCode == 407)
            {
                response.Dispose();
                throw _failures.ProxyRefused(method, uri);
            }

            // What nobody would see now is said at the next request.
            if (!CasualRequests.AreOn) Warn(response);
            if (IsOwn(uri) && Transport.RateLimit.Parse(name => response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null, DateTimeOffset.UtcNow) is { } seen) Volatile.Write(ref _rateLimit, seen);
            return response;
        }
        catch (Exception exception) when (exception is OperationCanceledException or HttpRequestException or IOException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var failure = limit.IsCancellationRequested
                ? new TransientFailure(
                    new RegistryUnreachableException(
                        FormattableString.Invariant($"{uri.Authority} did not answer {method} {RegistryErrors.Shown(uri)} within {_options.Timeout.TotalSeconds:0.#} s."), method, RegistryErrors.Shown(uri), null, exception),
                    carriedOut: true,
                    lasting: false,
                    null)
                : _failures.From(method, uri, exception);
            _options.Log.Debug($"{method} {RegistryErrors.Shown(uri)} -> {failure.Error.Message}");
            throw failure;
        }
    }

    private Task<HttpResponseMessage> SendRawAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _requests);
        var uri = request.RequestUri!;
#if NET
        // By ALPN, so that an older server is spoken to as it wishes. What is not encrypted has no such agreement.
        if (uri.Scheme == "https")
        {
            request.Version = HttpVersion.Version20;
            request.VersionPolicy = HttpVersionPolicy.RequestVersionOrLower;
        }
#endif
        var client = _anonymous is not null && !IsOwnHost(uri) ? _anonymous : _client;
        return client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    /// <summary>Whether the registry's host is asked, or that of the token service, which gets the password as well.</summary>
    private bool IsOwnHost(Uri uri) =>
        string.Equals(uri.IdnHost, BaseUri.IdnHost, StringComparison.OrdinalIgnoreCase)
        || (Authenticator.TokenServiceHost is { } host && string.Equals(uri.IdnHost, host, StringComparison.OrdinalIgnoreCase));

    private void Warn(HttpResponseMessage response)
    {
        if (!response.Headers.TryGetValues("Warning", out var values)) return;
        foreach (var value in values)
        {
            var quote = value.IndexOf('"');
            var text = value;
            if (quote >= 0)
            {
                var i = quote;
                text = HeaderText.ReadQuoted(value, ref i);
            }

            // Told once, and acted on never: it is for people.
            if (_warnings.Count < 100 && _warnings.TryAdd(text, true)) _options.Log.Warning($"{BaseUri.Authority} warns: {Text.Shown.Short(text, 300)}");
        }
    }
}
