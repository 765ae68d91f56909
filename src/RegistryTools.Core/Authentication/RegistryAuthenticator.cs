using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using RegistryTools.Errors;
using RegistryTools.Registries;
using RegistryTools.Text;

namespace RegistryTools.Authentication;

/// <summary>
/// Says what goes into a request's Authorization header: nothing, Basic, or a bearer token got from the token service that the registry's challenge names. One request
/// for a token serves all that wait for it. Its secrets leave it in that header and in the request to the token service, and nowhere else.
/// </summary>
internal sealed class RegistryAuthenticator(Uri registry, HttpRegistryOptions options, Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send, Transport.TransportFailures failures) : IDisposable
{
    private const int MaximumTokenResponse = 1024 * 1024;

    // A token for each of many repositories: those of the requests under way are the last ones.
    private const int MaximumHidden = 64;
    private readonly ConcurrentDictionary<string, Lazy<Task<IssuedToken>>> _tokens = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, string> _challengedScopes = new(StringComparer.Ordinal);
    private readonly Login _login = new(string.Empty, options.UserName, options.Password, options.Token, options.IdentityToken);
    private readonly Login[] _namespaces = [.. options.NamespaceCredentials
        .Select(static pair => new Login(pair.Key.Trim('/'), pair.Value.UserName, pair.Value.Password, pair.Value.RegistryToken, pair.Value.IdentityToken))
        .OrderByDescending(static login => login.Namespace.Length)];

    private readonly IDisposable _secrets = Secrets.Keep(
    [
        options.Password, options.Token, options.IdentityToken, Login.Encode(options.UserName, options.Password),
        .. options.NamespaceCredentials.Values.SelectMany(static login => new[] { login.Password, login.RegistryToken, login.IdentityToken, Login.Encode(login.UserName, login.Password) }),
    ]);

    private readonly ConcurrentQueue<IDisposable> _issued = new();
    private volatile Service? _service;
    private volatile bool _lacksPost;
    private volatile bool _lacksGet;
    private volatile string? _scheme;

    /// <summary>None, Basic or Bearer, as far as the registry has said.</summary>
    public string Scheme => _scheme ?? "None";

    /// <summary>Whether there are credentials for the registry as a whole.</summary>
    public bool HasLogin => _login.IsKnown;

    /// <summary>Whether there are any, be it for a namespace.</summary>
    public bool HasCredentials => _login.IsKnown || _namespaces.Length > 0;

    /// <summary>The host of the token service, once the registry has named it.</summary>
    public string? TokenServiceHost => _service?.Realm.IdnHost;

    /// <summary>The header for a request of this scope, as far as is known without asking the registry; null for none.</summary>
    public async Task<AuthenticationHeaderValue?> GetAsync(string? scope, CancellationToken cancellationToken)
    {
        var login = LoginFor(scope);
        if (login.Token is not null) return _scheme == "Basic" ? null : new AuthenticationHeaderValue("Bearer", login.Token);
        switch (_scheme)
        {
            case "Basic":
                return login.Basic();
            case "Bearer" when scope is not null && (scope.Length > 0 || login.IsKnown) && _service is { } service:
                var effective = Effective(scope);
                if (effective is null) return null;
                return new AuthenticationHeaderValue("Bearer", (await GetTokenAsync(service, login, effective, cancellationToken).ConfigureAwait(false)).Value);
            default:
                return null;
        }
    }

    /// <summary>Takes note of the challenges of a 401. True where it is worth while to send the request again.</summary>
    /// <param name="challenges">The challenges.</param>
    /// <param name="scope">What the request was for.</param>
    /// <param name="sent">What it was sent with, or null.</param>
    public bool Learn(IReadOnlyList<AuthenticationChallenge> challenges, string? scope, AuthenticationHeaderValue? sent)
    {
        var login = LoginFor(scope);
        var bearer = challenges.FirstOrDefault(challenge => challenge.Is("Bearer") && challenge["realm"] is not null);
        if (bearer is not null)
        {
            _scheme = "Bearer";
            if (login.Token is not null) return sent is null;
            var service = new Service(Realm(bearer["realm"]!), bearer["service"]);
            if (_service is { } known && known.Realm != service.Realm) _lacksPost = _lacksGet = false;
            _service = service;

            // An empty scope is a question whether the credentials are good; without any there is nothing to ask.
            if (scope is null || (scope.Length == 0 && !login.IsKnown)) return false;
            var before = Effective(scope);
            if (bearer["scope"] is { Length: > 0 } wanted) _challengedScopes[scope] = wanted;
            else if (before is null) _challengedScopes[scope] = scope;
            var now = Effective(scope);
            if (now is null) return false;

            // The same scope again: the token that was refused has run out, or never was good enough. One new one is tried.
            if (sent is not null && before == now && _tokens.TryGetValue(Key(_service, login, now), out var entry) && entry is { IsValueCreated: true, Value: { Status: TaskStatus.RanToCompletion } task } && task.Result.Value == sent.Parameter)
            {
                Forget(Key(_service, login, now), entry);
            }

            return true;
        }

        if (challenges.Any(challenge => challenge.Is("Basic")))
        {
            _scheme = "Basic";
            return sent is null && login.UserName is not null && login.Token is null;
        }

        return false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _secrets.Dispose();
        while (_issued.TryDequeue(out var token)) token.Dispose();
    }

    /// <summary>Whether a refusal says that the token is good and does not reach far enough, as one for a single repository does not.</summary>
    public static bool IsTooNarrow(HttpResponseMessage response) =>
        AuthenticationChallenge.Parse(response.Headers.TryGetValues("WWW-Authenticate", out var values) ? values : []).Any(challenge => challenge["error"] == "insufficient_scope");

    private string? Effective(string scope) => _challengedScopes.TryGetValue(scope, out var wanted) ? wanted : TokenScope.IsDelete(scope) ? null : scope;

    /// <summary>Who asks: whom the credentials of the longest namespace name that the repository of this scope is in, else the connection's own.</summary>
    private Login LoginFor(string? scope)
    {
        const string Prefix = "repository:";
        if (_namespaces.Length == 0 || scope is null || !scope.StartsWith(Prefix, StringComparison.Ordinal)) return _login;
        var end = scope.IndexOf(':', Prefix.Length);
        var repository = end < 0 ? scope.Substring(Prefix.Length) : scope.Substring(Prefix.Length, end - Prefix.Length);
        return Array.Find(_namespaces, login => repository == login.Namespace || repository.StartsWith(login.Namespace + "/", StringComparison.Ordinal)) ?? _login;
    }

    private Uri Realm(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var realm) || realm.Scheme is not ("http" or "https") || realm.UserInfo.Length > 0)
        {
            throw new RegistryProtocolException($"{registry.Authority} names {(text.IndexOf('@') < 0 ? "'" + Shown.Short(text) + "'" : "an address with a user in it")} as its token service, which is no address of one.", "GET", registry, 401);
        }

        if (registry.Scheme == "https" && realm.Scheme != "https")
        {
            throw new RegistryProtocolException(
                $"{registry.Authority} is reached over https and names a token service over plain http, {realm.Authority}: nothing was sent there.",
                "GET",
                registry,
                401,
                "Mend the registry's auth.token.realm.");
        }

        return realm;
    }

    private async Task<IssuedToken> GetTokenAsync(Service service, Login login, string scope, CancellationToken cancellationToken)
    {
        var key = Key(service, login, scope);
        for (var attempt = 0; ; attempt++)
        {
            // Asked for on nobody's behalf in particular: a caller that gives up does not take the token from the others.
            // Lazy, since the dictionary may make several values and keep one: only the one that is kept sends a request.
            var entry = _tokens.GetOrAdd(key, _ => new Lazy<Task<IssuedToken>>(() => Task.Run(() => RequestTokenAsync(service, login, scope))));
            var task = entry.Value;
            IssuedToken token;
            try
            {
                token = await WaitAsync(task, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                // A failure is for those who waited for it, and not for who comes later. It is looked at, also where all have given up waiting.
                if (task.Status != TaskStatus.RanToCompletion)
                {
                    _ = task.ContinueWith(
                        failed =>
                        {
                            _ = failed.Exception;
                            Forget(key, entry);
                        },
                        CancellationToken.None,
                        TaskContinuationOptions.NotOnRanToCompletion | TaskContinuationOptions.ExecuteSynchronously,
                        TaskScheduler.Default);
                }
            }

            if (token.IsFresh || attempt > 0) return token;
            Forget(key, entry);
        }
    }

    private static string Key(Service service, Login login, string scope) => service.Realm.AbsoluteUri + "\n" + service.Name + "\n" + login.Namespace + "\n" + scope;

    private void Forget(string key, Lazy<Task<IssuedToken>> entry) =>
        ((ICollection<KeyValuePair<string, Lazy<Task<IssuedToken>>>>)_tokens).Remove(new KeyValuePair<string, Lazy<Task<IssuedToken>>>(key, entry));

    private static async Task<T> WaitAsync<T>(Task<T> task, CancellationToken cancellationToken)
    {
        if (task.IsCompleted || !cancellationToken.CanBeCanceled) return await task.ConfigureAwait(false);
        var cancelled = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using (cancellationToken.Register(static state => ((TaskCompletionSource<bool>)state!).TrySetResult(true), cancelled))
        {
            if (await Task.WhenAny(task, cancelled.Task).ConfigureAwait(false) != task) cancellationToken.ThrowIfCancellationRequested();
        }

        return await task.ConfigureAwait(false);
    }

    private async Task<IssuedToken> RequestTokenAsync(Service service, Login login, string scope)
    {
        // Some have only one of the two: POST by the OAuth2 specification, which a refresh token needs, or GET.
        var post = login.RefreshToken is not null ? !(_lacksPost && login.Credential() is not null) : _lacksGet && login.Credential() is not null;
        return await RequestTokenAsync(service, login, scope, post).ConfigureAwait(false) ?? (await RequestTokenAsync(service, login, scope, !post).ConfigureAwait(false))!;
    }

    /// <summary>Asks for a token; null where the service has nothing of this method, and the other is left.</summary>
    private async Task<IssuedToken?> RequestTokenAsync(Service service, Login login, string scope, bool post)
    {
        using var request = post ? PostRequest(service, login, scope) : GetRequest(service, login, scope);
        var shown = new UriBuilder(service.Realm) { Query = string.Empty }.Uri;
        using var limit = new CancellationTokenSource(options.Timeout);
        try
        {
            using var response = await send(request, limit.Token).ConfigureAwait(false);
            var status = (int)response.StatusCode;
            if (status == 407) throw failures.ProxyRefused(request.Method.Method, shown);
            options.Log.Debug($"{request.Method} {shown} (a token for '{scope}') -> {status}");
            if (response.StatusCode == HttpStatusCode.MethodNotAllowed || (post && response.StatusCode == HttpStatusCode.NotFound))
            {
                // Once it has been found out, it is final.
                if (login.Credential() is not null && !(post ? _lacksGet : _lacksPost))
                {
                    if (post) _lacksPost = true;
                    else _lacksGet = true;
                    return null;
                }
            }

            var told = response.IsSuccessStatusCode ? string.Empty : Explain(await Transport.BoundedContent.ReadStartAsync(response, 64 * 1024, options.Timeout, limit.Token).ConfigureAwait(false));
            if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.BadRequest)
            {
                throw new RegistryUnauthorizedException(
                    $"The token service of {registry.Authority} at {shown} refused {(scope.Length > 0 ? $"a token for '{scope}'" : "the credentials")} with {status}{told}.",
                    request.Method.Method,
                    shown,
                    status,
                    remedy: login.IsKnown ? "Check the user name and the password or token, and whether that user may do this." : "Give credentials: Connect-Registry … -Credential (Get-Credential).");
            }

            if (!response.IsSuccessStatusCode)
            {
                var error = new RegistryRequestException($"The token service of {registry.Authority} at {shown} answered {status}{told}.", request.Method.Method, shown, status);
                if (!Transport.TransientFailure.IsTransient(status)) throw error;
                throw Transport.TransientFailure.From(error, response, options.MaximumRetryDelay, carriedOut: false);
            }

            var body = await Transport.BoundedContent.ReadAsync(response, MaximumTokenResponse, options.Timeout, limit.Token).ConfigureAwait(false);
            return Read(body, response.Headers.Date, login, scope, request.Method.Method, shown, status);
        }
        catch (OperationCanceledException exception)
        {
            var error = new RegistryUnreachableException(
                FormattableString.Invariant($"The token service of {registry.Authority} at {shown} did not answer within {options.Timeout.TotalSeconds:0.#} s."), request.Method.Method, shown, null, exception);
            throw new Transport.TransientFailure(error, carriedOut: false, lasting: false, null);
        }
        catch (Transport.ContentTooLargeException exception)
        {
            throw new RegistryProtocolException($"The answer of the token service of {registry.Authority} at {shown} is larger than {exception.Limit} bytes; it was not read.", request.Method.Method, shown, 200, null, exception);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            // The request that the token is for was not sent, so that it may be repeated whatever it is.
            var failure = failures.From(request.Method.Method, shown, exception);
            throw new Transport.TransientFailure(failure.Error, carriedOut: false, failure.Lasting || exception is Transport.ContentTooSlowException, null);
        }
    }

    /// <summary>What a token service says of its refusal, in any of the shapes that they have: <c>errors[]</c>, OAuth2's <c>error</c>, Docker Hub's <c>details</c>.</summary>
    private static string Explain(byte[] body)
    {
        var errors = Transport.RegistryErrors.Parse(body);
        if (errors.Count > 0) return ": " + string.Join("; ", errors.Select(error => error.Code + (error.Message.Length > 0 ? $" ({Shown.Short(error.Message, 200)})" : string.Empty)));
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 16 });
            var text = TokenAnswer.Text(document.RootElement, "error_description") ?? TokenAnswer.Text(document.RootElement, "details") ?? TokenAnswer.Text(document.RootElement, "message") ?? TokenAnswer.Text(document.RootElement, "error");
            return string.IsNullOrEmpty(text) ? string.Empty : ": " + Shown.Short(text, 200);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return string.Empty;
        }
    }

    private HttpRequestMessage GetRequest(Service service, Login login, string scope)
    {
        var query = new StringBuilder(service.Realm.Query.TrimStart('?'));

        void Add(string name, string value) => query.Append(query.Length > 0 ? "&" : string.Empty).Append(name).Append('=').Append(Uri.EscapeDataString(value));

        if (service.Name is not null) Add("service", service.Name);
        foreach (var one in scope.Split([' '], StringSplitOptions.RemoveEmptyEntries)) Add("scope", one);
        if (login.UserName is not null) Add("account", login.UserName);
        var request = new HttpRequestMessage(HttpMethod.Get, new UriBuilder(service.Realm) { Query = query.ToString() }.Uri);
        request.Headers.Authorization = login.Basic();
        request.Headers.Accept.ParseAdd("application/json");
        return request;
    }

    private HttpRequestMessage PostRequest(Service service, Login login, string scope)
    {
        var form = new List<KeyValuePair<string, string>>
        {
            new("grant_type", login.RefreshToken is null ? "password" : "refresh_token"),
            new("service", service.Name ?? registry.Authority),
            new("client_id", "RegistryTools"),
            new("scope", scope),
        };
        if (login.RefreshToken is { } refreshToken)
        {
            form.Add(new("refresh_token", refreshToken));
        }
        else if (login.Credential() is { } credential)
        {
            form.Add(new("username", credential.UserName));
            form.Add(new("password", credential.Password));
        }

        return new HttpRequestMessage(HttpMethod.Post, service.Realm) { Content = new FormUrlEncodedContent(form) };
    }

    private IssuedToken Read(byte[] body, DateTimeOffset? date, Login login, string scope, string method, Uri shown, int status)
    {
        try
        {
            var answer = TokenAnswer.Read(body, date) ?? throw new RegistryProtocolException($"The token service of {registry.Authority} at {shown} answered without a token for '{scope}'.", method, shown, status);
            Hide(answer.Value);

            // A service may hand out a new one in exchange for the one that it was given (OAuth2, section 6).
            if (login.RefreshToken is not null && answer.RefreshToken is { } next)
            {
                Hide(next);
                login.RefreshToken = next;
            }

            var margin = TimeSpan.FromTicks(Math.Min(TimeSpan.FromSeconds(10).Ticks, answer.Lifetime.Ticks / 4));
            return new IssuedToken(answer.Value, DateTimeOffset.UtcNow + answer.Lifetime - margin);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new RegistryProtocolException($"The token service of {registry.Authority} at {shown} answered with something that is not a token.", method, shown, status);
        }
    }

    /// <summary>The user and the password that there are for a repository; null for none, or for a token.</summary>
    public NetworkCredential? PasswordFor(string repository) => LoginFor(TokenScope.Pull(repository)).Credential();

    /// <summary>Hides a token that was issued for these credentials.</summary>
    public void Hide(string token)
    {
        _issued.Enqueue(Secrets.Keep(token));
        if (_issued.Count > MaximumHidden && _issued.TryDequeue(out var oldest)) oldest.Dispose();
    }

    /// <summary>Who asks, for the repositories of a namespace; an empty one is every repository's.</summary>
    private sealed class Login(string @namespace, string? userName, string? password, string? token, string? identityToken)
    {
        private volatile string? _refreshToken = identityToken;

        public string Namespace { get; } = @namespace;

        public string? UserName { get; } = userName;

        public string? Token { get; } = token;

        public string? RefreshToken
        {
            get => _refreshToken;
            set => _refreshToken = value;
        }

        public bool IsKnown => UserName is not null || Token is not null || _refreshToken is not null;

        public AuthenticationHeaderValue? Basic() => UserName is null ? null : new AuthenticationHeaderValue("Basic", Encode(UserName, password)!);

        public NetworkCredential? Credential() => string.IsNullOrEmpty(UserName) || string.IsNullOrEmpty(password) ? null : new NetworkCredential(UserName, password);

        /// <summary>A user and a password as the header has them; null for none.</summary>
        public static string? Encode(string? userName, string? password) => userName is null ? null : Convert.ToBase64String(Encoding.UTF8.GetBytes(userName + ":" + password));
    }

    private sealed record Service(Uri Realm, string? Name);

    private sealed class IssuedToken(string value, DateTimeOffset until)
    {
        public string Value { get; } = value;

        public bool IsFresh => DateTimeOffset.UtcNow < until;
    }
}
