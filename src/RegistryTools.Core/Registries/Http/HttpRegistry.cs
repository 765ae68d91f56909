using System.Net;
using System.Runtime.CompilerServices;
using RegistryTools.Authentication;
using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Transport;

namespace RegistryTools.Registries;

/// <summary>
/// A registry that speaks the distribution protocol over HTTP (OCI distribution-spec 1.1, and the catalog of distribution). Thread-safe. What it throws carries method, URI,
/// status and the registry's own errors; no exception carries a header.
/// </summary>
public sealed partial class HttpRegistry : IRegistry
{
    private const int MaximumPages = 1_000_000;
    private const int MaximumEmptyPages = 100;
    private const int LargestPage = 1000;
    private const int SmallerPage = 100;

    private readonly RegistryHttpClient _client;
    private readonly HttpRegistryOptions _options;
    private readonly Uri _v2;
    private readonly DockerHubApi? _hub;
    private volatile bool _answersHead;
    private volatile bool _headLies;
    private volatile bool _lacksReferrersApi;
    private volatile int _pageSize;

    private HttpRegistry(RegistryAddress address, Uri baseUri, HttpRegistryOptions options)
    {
        Address = address;
        BaseUri = baseUri;
        _options = options;
        _pageSize = Math.Max(1, Math.Min(options.PageSize, LargestPage));
        _client = new RegistryHttpClient(baseUri, address, options);
        _v2 = new Uri(baseUri.AbsoluteUri.TrimEnd('/') + "/v2/");
        Product = RegistryProduct.Of(address);
        _hub = Product is { IsDockerHub: true } ? new DockerHubApi(_client, baseUri) : null;
    }

    /// <summary>The service, where its host tells it.</summary>
    internal RegistryProduct? Product { get; }

    /// <summary>The address that it was connected by.</summary>
    public RegistryAddress Address { get; }

    /// <summary>Its base, scheme included and without <c>/v2/</c>.</summary>
    public Uri BaseUri { get; }

    /// <inheritdoc/>
    public string Name => Address.Name;

    /// <inheritdoc/>
    public string Location => BaseUri.AbsoluteUri.TrimEnd('/');

    /// <inheritdoc/>
    public RegistryKind Kind => RegistryKind.Http;

    /// <summary>How it asks who one is, as far as it has: None, Basic or Bearer.</summary>
    public string AuthenticationScheme => _client.Authenticator.Scheme;

    /// <summary>Whether what is sent is encrypted on its way.</summary>
    public bool IsEncrypted => BaseUri.Scheme == "https";

    /// <summary>How many requests were sent, those to a token service included.</summary>
    public long RequestCount => _client.RequestCount;

    /// <summary>What the registry said last of how often it may be asked; null where it has said nothing.</summary>
    public RateLimit? RateLimit => _client.RateLimit;

    /// <summary>The product's version header, where the registry sends one: <c>Docker-Distribution-Api-Version</c>.</summary>
    public string? ApiVersion { get; private set; }

    /// <summary>
    /// Reaches a registry and sees that it is one. An address without a scheme is reached over https; one on this machine over http where https does not come about.
    /// </summary>
    /// <exception cref="RegistryUnreachableException">Nothing answers there.</exception>
    /// <exception cref="RegistryProtocolException">What answers is no registry, or speaks the other scheme.</exception>
    /// <exception cref="RegistryUnauthorizedException">It does not accept the credentials.</exception>
    /// <exception cref="RegistryTlsException">No TLS connection comes about: its certificate is not trusted, or it wants one of the client's.</exception>
    /// <exception cref="RegistryProxyException">The proxy on the way fails or refuses.</exception>
    /// <exception cref="CertificateFileException">A certificate or key that the options or the certificate directories name can't be used.</exception>
    public static async Task<HttpRegistry> ConnectAsync(RegistryAddress address, HttpRegistryOptions options, CancellationToken cancellationToken = default)
    {
        RegistryUnreachableException secure;
        try
        {
            return await OpenAsync(address, address.Scheme ?? "https", options, cancellationToken).ConfigureAwait(false);
        }
        catch (RegistryUnreachableException exception) when (address.Scheme is null && address.IsLoopback && TransportFailures.MaySpeakHttp(exception))
        {
            secure = exception;
        }

        options.Log.Verbose($"{address.Name} does not answer over https ({secure.Message}); being on this machine, it is asked over http.");
        try
        {
            return await OpenAsync(address, "http", options, cancellationToken).ConfigureAwait(false);
        }
        catch (RegistryUnreachableException exception)
        {
            throw new RegistryUnreachableException($"{exception.Message} Over https: {secure.Message}", exception.Method, exception.Uri, exception.Remedy, exception);
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<string> ListRepositoriesAsync(CancellationToken cancellationToken = default) =>
        Product is { HasCatalog: false } ? throw NoCatalog() : ListAsync(new Uri(_v2, "_catalog"), "repositories", IsHarmless, TokenScope.Catalog, cancellationToken);

    private static RegistryUnsupportedException NoCatalog(RegistryRequestException error) =>
        new($"The registry has no catalog. {error.Message}", error.Method, error.Uri, error.StatusCode, error.Errors, "Name the repositories: this registry does not list them.");

    private RegistryUnsupportedException NoCatalog() =>
        new($"{Product!.Name} has no catalog: {Name} was not asked for it.", "GET", new Uri(_v2, "_catalog"), null, [], "Name the repositories: this registry does not list them.");

    /// <inheritdoc/>
    public IAsyncEnumerable<string> ListTagsAsync(string repository, CancellationToken cancellationToken = default) =>
        ListAsync(At(repository, "tags/list"), "tags", TagName.IsValid, TokenScope.Pull(repository), cancellationToken);

    /// <inheritdoc/>
    public async Task<Descriptor?> FindManifestAsync(string repository, string reference, CancellationToken cancellationToken = default)
    {
        var call = new RegistryCall(HttpMethod.Head, Manifest(repository, reference)) { Scope = TokenScope.Pull(repository), Accept = MediaTypes.ManifestAccept, FollowsRedirects = true };
        var missing = false;
        var (found, sure) = _headLies ? (null, false) : await _client.SendAsync(
            call,
            (response, _, _) =>
            {
                switch (response.StatusCode)
                {
                    case HttpStatusCode.NotFound:
                        // Old Nexus answers 404 to every HEAD, with the headers of distribution. A 404 is believed once a HEAD has found something here; until then a GET is asked too.
                        missing = true;
                        return Task.FromResult<(Descriptor?, bool)>((null, _answersHead));
                    case HttpStatusCode.MethodNotAllowed:
                        return Task.FromResult<(Descriptor?, bool)>((null, false));
                }

                // A digest that can't be verified here is taken for the one that was asked for only.
                if (!Digest.TryParse(Header(response, "Docker-Content-Digest"), out var digest) || (!digest.CanVerify && digest.ToString() != reference)) return Task.FromResult<(Descriptor?, bool)>((null, false));
                if (Digest.TryParse(reference, out var asked) && asked != digest && asked.Algorithm == digest.Algorithm) throw Mismatch(repository, reference, asked, digest);
                _answersHead = true;
                return Task.FromResult<(Descriptor?, bool)>((new Descriptor(MediaTypes.Essence(ContentType(response)) ?? string.Empty, digest, response.Content.Headers.ContentLength ?? -1), true));
            },
            cancellationToken,
            404,
            405).ConfigureAwait(false);
        if (sure) return found;
        try
        {
            var manifest = await GetManifestAsync(repository, reference, cancellationToken).ConfigureAwait(false);
            if (missing && !_answersHead) _headLies = true;
            return manifest.ToDescriptor();
        }
        catch (RegistryNotFoundException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public Task<Manifest> GetManifestAsync(string repository, string reference, CancellationToken cancellationToken = default)
    {
        var call = new RegistryCall(HttpMethod.Get, Manifest(repository, reference)) { Scope = TokenScope.Pull(repository), Accept = MediaTypes.ManifestAccept, FollowsRedirects = true };
        return _client.SendAsync(
            call,
            async (response, _, token) =>
            {
                var raw = await _client.ReadAsync(response, _options.MaximumManifestSize, token).ConfigureAwait(false);
                var type = ContentType(response);
                if (IsWebPage(response)) throw NotARegistry(call, response, raw);
                if (Digest.TryParse(reference, out var expected)) CheckVerifiable(expected);
                else if (Digest.TryParse(Header(response, "Docker-Content-Digest"), out var told) && told.CanVerify) expected = told;
                try
                {
                    var manifest = Manifests.Manifest.Parse(raw, type, expected);

                    // Some gateways tell an error under a good status.
                    if (manifest.Kind == ManifestKind.Unknown && RegistryErrors.Parse(raw).Count > 0) throw NotARegistry(call, response, raw);
                    return manifest;
                }
                catch (DigestMismatchException mismatch)
                {
                    throw new DigestMismatchException($"the manifest '{reference}' of '{repository}' on {Name}", mismatch.Expected, mismatch.Actual);
                }
                catch (ManifestFormatException format)
                {
                    throw new ManifestFormatException($"'{reference}' of '{repository}' on {Name}: {format.Message}", format);
                }
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<Digest> PutManifestAsync(string repository, string reference, ReadOnlyMemory<byte> raw, string mediaType, CancellationToken cancellationToken = default)
    {
        var byDigest = Digest.TryParse(reference, out var asked);
        if (byDigest && asked!.CanVerify && !asked.Matches(raw) && !MediaTypes.IsSchema1(mediaType)) throw Mismatch(repository, reference, asked, Digest.Compute(asked.Algorithm, raw));
        var call = new RegistryCall(HttpMethod.Put, Manifest(repository, reference))
        {
            Scope = TokenScope.Push(repository),
            Repetition = byDigest ? Repetition.Safe : Repetition.IfNotCarriedOut,
            Content = () => Body(raw, mediaType),
        };
        var (digest, hasReferrersApi) = await _client.SendAsync(
            call,
            (response, _, _) =>
            {
                MustBeRegistry(call, response);
                var mine = byDigest && asked!.CanVerify ? asked : Digest.Compute(raw);
                if (Digest.TryParse(Header(response, "Docker-Content-Digest"), out var told) && !MediaTypes.IsSchema1(mediaType) && told.CanVerify && !told.Matches(raw))
                {
                    throw Mismatch(repository, reference, mine, told);
                }

                return Task.FromResult((told ?? mine, response.Headers.Contains("OCI-Subject")));
            },
            cancellationToken).ConfigureAwait(false);

        if (!hasReferrersApi && raw.Length <= _options.MaximumManifestSize) await NoteReferrerAsync(repository, raw, mediaType, cancellationToken).ConfigureAwait(false);
        return digest;
    }

    /// <inheritdoc/>
    public Task DeleteManifestAsync(string repository, Digest digest, CancellationToken cancellationToken = default)
    {
        var call = new RegistryCall(HttpMethod.Delete, Manifest(repository, digest.ToString())) { Scope = TokenScope.Delete(repository) };
        return _client.SendAsync(
            call,
            async (response, doubtful, token) =>
            {
                MustBeRegistry(call, response);

                // A try before this one got through, and only its answer was lost.
                if (response.StatusCode == HttpStatusCode.NotFound && doubtful == 0) throw await _client.ErrorAsync(response, token).ConfigureAwait(false);
                return true;
            },
            cancellationToken,
            404);
    }

    /// <inheritdoc/>
    public async Task<TagDeletion> DeleteTagAsync(string repository, string tag, CancellationToken cancellationToken = default) =>
        _hub is null
            ? await DeleteTagHereAsync(repository, tag, cancellationToken).ConfigureAwait(false)
            : await _hub.DeleteTagAsync(repository, tag, cancellationToken).ConfigureAwait(false) ?? TagDeletion.NotSupported;

    private Task<TagDeletion> DeleteTagHereAsync(string repository, string tag, CancellationToken cancellationToken)
    {
        // What is known to be refused is not tried.
        if (Product is { Deletes: false }) return Task.FromResult(TagDeletion.NotSupported);
        var own = Product?.TagPath;
        var place = own is null ? Manifest(repository, TagName.Validate(tag)) : new Uri(new Uri(BaseUri.AbsoluteUri.TrimEnd('/') + "/"), string.Format(System.Globalization.CultureInfo.InvariantCulture, own, RepositoryName.Validate(repository), TagName.Validate(tag)));
        var call = new RegistryCall(HttpMethod.Delete, place) { Scope = TokenScope.Delete(repository), Repetition = Repetition.IfNotCarriedOut };
        return _client.SendAsync(
            call,
            async (response, _, token) =>
            {
                switch (response.StatusCode)
                {
                    case HttpStatusCode.NotFound when IsWebPage(response):
                        throw await _client.ErrorAsync(response, token).ConfigureAwait(false);
                    case HttpStatusCode.NotFound:
                        return TagDeletion.NotFound;
                    case HttpStatusCode.MethodNotAllowed:
                    case HttpStatusCode.BadRequest:
                        var error = await _client.ErrorAsync(response, token).ConfigureAwait(false);

                        // A service with a place of its own for it has tag deletion: its no is about this tag, which may be locked, and not to be got round.
                        if (own is not null) throw error;
                        if (error.HasCode("UNSUPPORTED") || error.HasCode("DIGEST_INVALID") || error.HasCode("TAG_INVALID")) return TagDeletion.NotSupported;

                        // A 405 that gives a reason of another kind, a policy for one, does not say that tags are not deleted here.
                        return response.StatusCode == HttpStatusCode.MethodNotAllowed && error.Errors.Count == 0 ? TagDeletion.NotSupported : throw error;
                    default:
                        MustBeRegistry(call, response);
                        return TagDeletion.Accepted;
                }
            },
            cancellationToken,
            400,
            404,
            405);
    }

    /// <inheritdoc/>
    public Task<Support> FindManifestDeletionAsync(string repository, CancellationToken cancellationToken = default)
    {
        if (Product is { Deletes: false }) return Task.FromResult(Support.NotSupported);
        var call = new RegistryCall(HttpMethod.Delete, Manifest(repository, Digest.Random().ToString())) { Scope = TokenScope.Delete(repository) };
        return _client.SendAsync(
            call,
            async (response, _, token) =>
            {
                // A proxy's page says nothing of the registry, and what is overwritten next hangs on this answer.
                if (IsWebPage(response) && response.StatusCode != HttpStatusCode.MethodNotAllowed) return Support.Unknown;
                if (response.StatusCode == HttpStatusCode.NotFound || response.IsSuccessStatusCode) return Support.Supported;
                if (response.StatusCode == HttpStatusCode.MethodNotAllowed) return Support.NotSupported;
                var error = await _client.ErrorAsync(response, token).ConfigureAwait(false);
                return error.HasCode("UNSUPPORTED") ? Support.NotSupported : Support.Unknown;
            },
            cancellationToken,
            400,
            404,
            405);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<Descriptor> ListReferrersAsync(string repository, Digest subject, string? artifactType = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var uri = At(repository, "referrers/" + subject);
        if (artifactType is not null) uri = new Uri(uri + "?artifactType=" + Uri.EscapeDataString(artifactType));
        var visited = new HashSet<string>(StringComparer.Ordinal);
        for (var next = _lacksReferrersApi ? null : uri; next is not null;)
        {
            var page = await GetReferrersPageAsync(repository, next, first: visited.Count == 0, cancellationToken).ConfigureAwait(false);
            if (page is null) break;
            visited.Add(next.AbsoluteUri);
            foreach (var referrer in page.Value.Index.Manifests)
            {
                if (artifactType is null || referrer.ArtifactType == artifactType) yield return referrer;
            }

            next = page.Value.Next;
            if (next is null) yield break;
            if (visited.Contains(next.AbsoluteUri) || visited.Count > MaximumPages) throw Circular(next);
        }

        Manifest fallback;
        try
        {
            fallback = await GetManifestAsync(repository, TagName.ForReferrersOf(subject), cancellationToken).ConfigureAwait(false);
        }
        catch (RegistryNotFoundException)
        {
            yield break;
        }

        // What answers for the tag and lists nothing is not taken for a list of nothing: something may hang on the answer.
        if (fallback.Kind != ManifestKind.Index) throw new ManifestFormatException($"The tag '{TagName.ForReferrersOf(subject)}' of '{repository}' on {Name} should be a list of referrers and is {fallback.MediaType}.");
        foreach (var referrer in fallback.Manifests)
        {
            if (artifactType is null || referrer.ArtifactType == artifactType) yield return referrer;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _hub?.Dispose();
        _client.Dispose();
    }

    private static async Task<HttpRegistry> OpenAsync(RegistryAddress address, string scheme, HttpRegistryOptions options, CancellationToken cancellationToken)
    {
        var registry = new HttpRegistry(address, address.ToUri(scheme), options);
        try
        {
            await registry.PingAsync(cancellationToken).ConfigureAwait(false);
            return registry;
        }
        catch
        {
            registry.Dispose();
            throw;
        }
    }

    /// <summary>Asks <c>/v2/</c> (distribution-spec, "Determining Support").</summary>
    private Task PingAsync(CancellationToken cancellationToken)
    {
        var call = new RegistryCall(HttpMethod.Get, _v2) { Scope = string.Empty, Repetition = Repetition.IfAnswered };
        return _client.SendAsync(
            call,
            async (response, _, token) =>
            {
                ApiVersion = Header(response, "Docker-Distribution-Api-Version");
                var status = (int)response.StatusCode;
                if (status == 401)
                {
                    var error = await _client.ErrorAsync(response, token).ConfigureAwait(false);
                    if (!response.Headers.Contains("WWW-Authenticate")) throw NotARegistry(call, response, []);

                    // Without credentials a bearer registry says no here to everybody, and may yet give a token for pulling. With them, no is no: that is what docker login asks.
                    if (AuthenticationScheme == "Bearer" && (!_client.Authenticator.HasLogin || RegistryAuthenticator.IsTooNarrow(response))) return true;

                    // There are credentials for some of its namespaces only: which of them are good is seen there.
                    if (!_client.Authenticator.HasLogin && _client.Authenticator.HasCredentials) return true;
                    throw error;
                }

                if (status is >= 300 and < 400)
                {
                    var target = response.Headers.Location is { } location ? (location.IsAbsoluteUri ? location : new Uri(_v2, location)) : null;
                    throw new RegistryProtocolException(
                        $"{BaseUri.Authority} redirects {_v2}{(target is null ? string.Empty : " to " + RegistryErrors.Server(target))}; a registry does not.",
                        "GET",
                        _v2,
                        status,
                        target is { Scheme: "https" } && BaseUri.Scheme == "http" ? $"It wants https: Connect-Registry https://{target.Authority}{Address.Prefix}." : "Connect to the address that it points to, if that is the registry.");
                }

                var body = await _client.ReadStartAsync(response, token).ConfigureAwait(false);
                if (status == 400 && IsEncrypted && TransportFailures.ClientCertificatePage(call.Method.Method, _v2, body) is { } wanted) throw wanted;
                if (status is < 200 or >= 300 || IsWebPage(response)) throw NotARegistry(call, response, body);
                return true;
            },
            cancellationToken,
            301,
            302,
            303,
            307,
            308,
            400,
            401,
            404,
            405);
    }

    private async IAsyncEnumerable<string> ListAsync(Uri list, string property, Func<string, bool> isName, string scope, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var size = _pageSize;
        var next = Page(size);
        var empty = 0;
        var seen = new HashSet<ulong>();
        RegistryProtocolException? wrong = null;
        var visited = new HashSet<string>(StringComparer.Ordinal);
        string? last = null;

        Uri Page(int count) => new(list + "?n=" + count.ToString(System.Globalization.CultureInfo.InvariantCulture));

        for (var first = true; next is not null; first = false)
        {
            visited.Add(next.AbsoluteUri);
            ListPage page;
            try
            {
                page = await GetPageAsync(next, property, isName, scope, cancellationToken).ConfigureAwait(false);
            }
            catch (RegistryRequestException exception) when (first && exception.StatusCode == 400 && size > SmallerPage)
            {
                // Some registries refuse a page this large where others give less.
                next = Page(SmallerPage);
                visited.Add(next.AbsoluteUri);
                page = await GetPageAsync(next, property, isName, scope, cancellationToken).ConfigureAwait(false);
                _pageSize = SmallerPage;
            }

            // A page may be empty where some names are hidden from the user; a page that was there before, under whatever address, leads nowhere.
            empty = page.Items.Count == 0 ? empty + 1 : 0;
            if ((empty == 0 && !seen.Add(page.Fingerprint) && page.Next is not null) || (empty == MaximumEmptyPages && page.Next is not null)) throw Circular(page.Next);
            if (page.Wrong is not null) wrong ??= NoName(next, page.Wrong);
            foreach (var item in page.Items)
            {
                if (string.Equals(item, last, StringComparison.Ordinal)) continue;
                last = item;
                yield return item;
            }

            next = page.Next;
            if (next is not null && (visited.Contains(next.AbsoluteUri) || visited.Count > MaximumPages)) throw Circular(next);
        }

        // What is left out makes a list shorter than it is, and something may be removed on it: it is not passed over in silence, nor are the names withheld that are good.
        if (wrong is not null) throw wrong;
    }

    /// <summary>Whether a name may be shown, and be part of an address. Which names a registry gives its repositories is its own affair.</summary>
    private static bool IsHarmless(string name) =>
        !name.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || c is '\\' or '?' or '#' or '%') && Text.Shown.Short(name, name.Length) == name && name.Split('/').All(part => part is not ("" or "." or ".."));

    private RegistryProtocolException NoName(Uri page, string wrong) =>
        new($"{Name} lists {wrong} in its answer to GET {RegistryErrors.Shown(page)}, which is no name: the list is not to be relied on.", "GET", RegistryErrors.Shown(page), 200);

    private Task<ListPage> GetPageAsync(Uri uri, string property, Func<string, bool> isName, string scope, CancellationToken cancellationToken)
    {
        var call = new RegistryCall(HttpMethod.Get, uri) { Scope = scope, Accept = ["application/json"] };
        return _client.SendAsync(
            call,
            async (response, _, token) =>
            {
                if (!response.IsSuccessStatusCode)
                {
                    var error = await _client.ErrorAsync(response, token).ConfigureAwait(false);
                    throw scope == TokenScope.Catalog && (response.StatusCode == HttpStatusCode.NotFound || error is RegistryUnsupportedException) ? NoCatalog(error) : error;
                }

                var body = await _client.ReadAsync(response, _options.MaximumListPageSize, token).ConfigureAwait(false);

                // A part of a page was not asked for, and is not a page.
                if (response.StatusCode == HttpStatusCode.PartialContent) throw NotARegistry(call, response, body);
                var items = ListPage.Read(body, property, isName, out var wrong) ?? throw NotARegistry(call, response, body);
                return new ListPage(items, FindNext(response, uri), wrong);
            },
            cancellationToken,
            400,
            404,
            405);
    }

    private Task<(Manifest Index, Uri? Next)?> GetReferrersPageAsync(string repository, Uri uri, bool first, CancellationToken cancellationToken)
    {
        var call = new RegistryCall(HttpMethod.Get, uri) { Scope = TokenScope.Pull(repository), Accept = [MediaTypes.OciIndex] };
        return _client.SendAsync<(Manifest, Uri?)?>(
            call,
            async (response, _, token) =>
            {
                // 404 is how a registry without the API answers; with it, a manifest without referrers has an empty list. A code that speaks of the repository or the manifest
                // says nothing of the API: the fallback tag is looked for, and the API is asked again for the next.
                if (!response.IsSuccessStatusCode)
                {
                    var error = await _client.ErrorAsync(response, token).ConfigureAwait(false);
                    if (!first || (response.StatusCode == HttpStatusCode.BadRequest && error is not RegistryUnsupportedException)) throw error;
                    if (!error.HasCode("NAME_UNKNOWN") && !error.HasCode("MANIFEST_UNKNOWN")) _lacksReferrersApi = true;
                    return null;
                }

                var raw = await _client.ReadAsync(response, _options.MaximumManifestSize, token).ConfigureAwait(false);
                if (IsWebPage(response))
                {
                    if (!first) throw NotARegistry(call, response, raw);
                    _lacksReferrersApi = true;
                    return null;
                }

                var index = Manifests.Manifest.Parse(raw, ContentType(response));
                if (index.Kind != ManifestKind.Index) throw NotARegistry(call, response, raw);
                return (index, FindNext(response, uri));
            },
            cancellationToken,
            400,
            404,
            405);
    }

    private async Task NoteReferrerAsync(string repository, ReadOnlyMemory<byte> raw, string mediaType, CancellationToken cancellationToken)
    {
        Manifest manifest;
        try
        {
            manifest = Manifests.Manifest.Parse(raw, mediaType);
        }
        catch (RegistryToolsException)
        {
            // The registry took it; what it refers to can't be told here.
            return;
        }

        if (manifest.Subject is not null) await ReferrersFallback.AddAsync(this, repository, manifest, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The page that follows, which must be on the same server: a list that leads elsewhere is not followed.</summary>
    private Uri? FindNext(HttpResponseMessage response, Uri page)
    {
        if (!response.Headers.TryGetValues("Link", out var values) || LinkHeader.FindNext(values) is not { } target) return null;
        if (!Uri.TryCreate(page, target, out var next)) throw new RegistryProtocolException($"{Name} names '{Text.Shown.Short(target)}' as the next page of {RegistryErrors.Shown(page)}, which is no address.", "GET", RegistryErrors.Shown(page), (int)response.StatusCode);
        if (next.Scheme != page.Scheme || next.Port != page.Port || !string.Equals(next.Host, page.Host, StringComparison.OrdinalIgnoreCase))
        {
            throw new RegistryProtocolException(
                $"{Name} names a page on another server, {RegistryErrors.Server(next)}, as the next page of {RegistryErrors.Shown(page)}; it was not followed.",
                "GET",
                RegistryErrors.Shown(page),
                (int)response.StatusCode,
                "A registry behind a proxy must know its own public address (in distribution: http.host, or relativeurls: true).");
        }

        return next;
    }

    private Uri At(string repository, string rest)
    {
        return new Uri(_v2, RepositoryName.Validate(repository) + "/" + rest);
    }

    private Uri Manifest(string repository, string reference)
    {
        if (!Digest.TryParse(reference, out _)) TagName.Validate(reference);
        return At(repository, "manifests/" + reference);
    }

    private static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault()?.Trim() : null;

    private static string? ContentType(HttpResponseMessage response) =>
        response.Content.Headers.TryGetValues("Content-Type", out var values) ? values.FirstOrDefault() : null;

    private static ByteArrayContent Body(ReadOnlyMemory<byte> raw, string mediaType)
    {
        var content = new ByteArrayContent(raw.ToArray());
        content.Headers.TryAddWithoutValidation("Content-Type", mediaType);
        return content;
    }

    private static void CheckVerifiable(Digest digest)
    {
        if (!digest.CanVerify) throw new RegistryToolsException($"Content can't be verified against '{digest}': only sha256 and sha512 can be. It was not read.");
    }

    private DigestMismatchException Mismatch(string repository, string reference, Digest expected, Digest actual) =>
        new($"the manifest '{reference}' of '{repository}' on {Name}", expected.ToString(), actual.ToString());

    private static bool IsWebPage(HttpResponseMessage response) => MediaTypes.Essence(ContentType(response)) == "text/html";

    /// <summary>A proxy that answers with a page of its own, and 200, has not done what was asked.</summary>
    private void MustBeRegistry(RegistryCall call, HttpResponseMessage response)
    {
        if (response.IsSuccessStatusCode && IsWebPage(response)) throw NotARegistry(call, response, "<"u8.ToArray());
    }

    private static RegistryProtocolException Circular(Uri next) =>
        new($"The list of {next.Authority} goes round in a circle: {RegistryErrors.Shown(next)} is named as the next page a second time.", "GET", RegistryErrors.Shown(next), 200);

    private RegistryProtocolException NotARegistry(RegistryCall call, HttpResponseMessage response, byte[] body)
    {
        var status = (int)response.StatusCode;
        var told = RegistryErrors.Describe(body, MediaTypes.Essence(ContentType(response)));
        var wantsHttps = BaseUri.Scheme == "http" && status == 400 && System.Text.Encoding.UTF8.GetString(body).IndexOf("HTTPS", StringComparison.OrdinalIgnoreCase) >= 0;
        return new RegistryProtocolException(
            wantsHttps
                ? $"{BaseUri.Authority} speaks https and was asked over http ({call.Method} {RegistryErrors.Shown(call.Uri)})."
                : $"{BaseUri.Authority} answered {(status + " " + RegistryErrors.Reason(response.StatusCode)).TrimEnd()} to {call.Method} {RegistryErrors.Shown(call.Uri)} with {(told.Length > 0 ? told : "nothing")}, which is not a registry's answer.",
            call.Method.Method,
            RegistryErrors.Shown(call.Uri),
            status,
            wantsHttps ? $"Say so: Connect-Registry https://{BaseUri.Authority}{Address.Prefix}." : "Check the address: scheme, host, port, and the path where the registry stands behind a prefix.");
    }
}
