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

    private readonly RegistryHttpClient _client;
    private readonly HttpRegistryOptions _options;
    private readonly Uri _v2;
    private volatile bool _answersHead;
    private int _referrersApi = (int)Support.Unknown;

    private HttpRegistry(RegistryAddress address, Uri baseUri, HttpRegistryOptions options)
    {
        Address = address;
        BaseUri = baseUri;
        _options = options;
        _client = new RegistryHttpClient(baseUri, options);
        _v2 = new Uri(baseUri.AbsoluteUri.TrimEnd('/') + "/v2/");
    }

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

    /// <summary>The product's version header, where the registry sends one: <c>Docker-Distribution-Api-Version</c>.</summary>
    public string? ApiVersion { get; private set; }

    /// <summary>
    /// Reaches a registry and sees that it is one. An address without a scheme is reached over https; one on this machine over http where https does not come about.
    /// </summary>
    /// <exception cref="RegistryUnreachableException">Nothing answers there.</exception>
    /// <exception cref="RegistryProtocolException">What answers is no registry, or speaks the other scheme.</exception>
    /// <exception cref="RegistryUnauthorizedException">It does not accept the credentials.</exception>
    public static async Task<HttpRegistry> ConnectAsync(RegistryAddress address, HttpRegistryOptions options, CancellationToken cancellationToken = default)
    {
        try
        {
            return await OpenAsync(address, address.Scheme ?? "https", options, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (address.Scheme is null && address.IsLoopback && exception is RegistryUnreachableException && !TransportFailures.IsUntrusted(exception))
        {
            options.Log.Verbose($"{address.Name} does not answer over https ({exception.Message}); being on this machine, it is asked over http.");
            return await OpenAsync(address, "http", options, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<string> ListRepositoriesAsync(CancellationToken cancellationToken = default) =>
        ListAsync(new Uri(_v2, "_catalog"), "repositories", TokenScope.Catalog, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<string> ListTagsAsync(string repository, CancellationToken cancellationToken = default) =>
        ListAsync(At(repository, "tags/list"), "tags", TokenScope.Pull(repository), cancellationToken);

    /// <inheritdoc/>
    public async Task<Descriptor?> FindManifestAsync(string repository, string reference, CancellationToken cancellationToken = default)
    {
        var call = new RegistryCall(HttpMethod.Head, Manifest(repository, reference)) { Scope = TokenScope.Pull(repository), Accept = MediaTypes.ManifestAccept, FollowsRedirects = true };
        var (found, sure) = await _client.SendAsync(
            call,
            (response, _, _) =>
            {
                switch (response.StatusCode)
                {
                    case HttpStatusCode.NotFound:
                        // Some old registries answer 404 to every HEAD. One that has answered a HEAD, or shows that it is distribution, is believed.
                        return Task.FromResult<(Descriptor?, bool)>((null, _answersHead || ApiVersion is not null || response.Headers.Contains("Docker-Distribution-Api-Version")));
                    case HttpStatusCode.MethodNotAllowed:
                        return Task.FromResult<(Descriptor?, bool)>((null, false));
                }

                if (!Digest.TryParse(Header(response, "Docker-Content-Digest"), out var digest)) return Task.FromResult<(Descriptor?, bool)>((null, false));
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
            return (await GetManifestAsync(repository, reference, cancellationToken).ConfigureAwait(false)).ToDescriptor();
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
                if (MediaTypes.Essence(type) == "text/html") throw NotARegistry(call, response, raw);
                if (!Digest.TryParse(reference, out var expected) && Digest.TryParse(Header(response, "Docker-Content-Digest"), out var told)) expected = told;
                try
                {
                    return Manifests.Manifest.Parse(raw, type, expected);
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
                // A try before this one got through, and only its answer was lost.
                if (response.StatusCode == HttpStatusCode.NotFound && doubtful == 0) throw await ErrorAsync(call, response, token).ConfigureAwait(false);
                return true;
            },
            cancellationToken,
            404);
    }

    /// <inheritdoc/>
    public Task<TagDeletion> DeleteTagAsync(string repository, string tag, CancellationToken cancellationToken = default)
    {
        var call = new RegistryCall(HttpMethod.Delete, Manifest(repository, TagName.Validate(tag))) { Scope = TokenScope.Delete(repository), Repetition = Repetition.IfNotCarriedOut };
        return _client.SendAsync(
            call,
            async (response, _, token) =>
            {
                switch (response.StatusCode)
                {
                    case HttpStatusCode.NotFound:
                        return TagDeletion.NotFound;
                    case HttpStatusCode.MethodNotAllowed:
                    case HttpStatusCode.BadRequest:
                        var error = await ErrorAsync(call, response, token).ConfigureAwait(false);
                        if (error.HasCode("UNSUPPORTED") || error.HasCode("DIGEST_INVALID") || error.HasCode("TAG_INVALID")) return TagDeletion.NotSupported;

                        // A 405 that gives a reason of another kind, a policy for one, does not say that tags are not deleted here.
                        return response.StatusCode == HttpStatusCode.MethodNotAllowed && error.Errors.Count == 0 ? TagDeletion.NotSupported : throw error;
                    default:
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
        var call = new RegistryCall(HttpMethod.Delete, Manifest(repository, Digest.Random().ToString())) { Scope = TokenScope.Delete(repository) };
        return _client.SendAsync(
            call,
            async (response, _, token) =>
            {
                if (response.StatusCode == HttpStatusCode.NotFound || response.IsSuccessStatusCode) return Support.Supported;
                if (response.StatusCode == HttpStatusCode.MethodNotAllowed) return Support.NotSupported;
                var error = await ErrorAsync(call, response, token).ConfigureAwait(false);
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
        for (var next = _referrersApi == (int)Support.NotSupported ? null : uri; next is not null;)
        {
            visited.Add(next.AbsoluteUri);
            var page = await GetReferrersPageAsync(repository, next, isFirst: visited.Count == 1, cancellationToken).ConfigureAwait(false);
            if (page is null) break;

            _referrersApi = (int)Support.Supported;
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

        foreach (var referrer in fallback.Manifests)
        {
            if (artifactType is null || referrer.ArtifactType == artifactType) yield return referrer;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

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
        var call = new RegistryCall(HttpMethod.Get, _v2) { Scope = string.Empty, Repetition = Repetition.Never };
        return _client.SendAsync(
            call,
            async (response, _, token) =>
            {
                ApiVersion = Header(response, "Docker-Distribution-Api-Version");
                var status = (int)response.StatusCode;
                if (status == 401)
                {
                    var error = await ErrorAsync(call, response, token).ConfigureAwait(false);
                    if (!response.Headers.Contains("WWW-Authenticate")) throw NotARegistry(call, response, []);

                    // A bearer registry says no to everybody here; what counts is whether it gives a token for what is asked later. Basic is final, and so is a token that the user gave.
                    if (AuthenticationScheme == "Bearer" && _options.Token is null) return true;
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

                var body = await _client.ReadAsync(response, 64 * 1024, token).ConfigureAwait(false);
                if (status is < 200 or >= 300 || MediaTypes.Essence(ContentType(response)) == "text/html") throw NotARegistry(call, response, body);
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

    private async IAsyncEnumerable<string> ListAsync(Uri list, string property, string scope, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var next = new Uri(list + "?n=" + _options.PageSize.ToString(System.Globalization.CultureInfo.InvariantCulture));
        var visited = new HashSet<string>(StringComparer.Ordinal);
        string? last = null;
        for (var first = true; next is not null; first = false)
        {
            visited.Add(next.AbsoluteUri);
            ListPage page;
            try
            {
                page = await GetPageAsync(next, property, scope, cancellationToken).ConfigureAwait(false);
            }
            catch (RegistryRequestException exception) when (first && exception.StatusCode == 400 && _options.PageSize > 100)
            {
                // Some registries refuse a page this large where others give less.
                next = new Uri(list + "?n=100");
                visited.Add(next.AbsoluteUri);
                page = await GetPageAsync(next, property, scope, cancellationToken).ConfigureAwait(false);
            }

            foreach (var item in page.Items)
            {
                if (string.Equals(item, last, StringComparison.Ordinal)) continue;
                last = item;
                yield return item;
            }

            next = page.Next;
            if (next is null) yield break;
            if (visited.Contains(next.AbsoluteUri) || visited.Count > MaximumPages) throw Circular(next);
        }
    }

    private Task<ListPage> GetPageAsync(Uri uri, string property, string scope, CancellationToken cancellationToken)
    {
        var call = new RegistryCall(HttpMethod.Get, uri) { Scope = scope, Accept = ["application/json"] };
        return _client.SendAsync(
            call,
            async (response, _, token) =>
            {
                var body = await _client.ReadAsync(response, _options.MaximumListPageSize, token).ConfigureAwait(false);
                return new ListPage(ListPage.Read(body, property) ?? throw NotARegistry(call, response, body), FindNext(response, uri));
            },
            cancellationToken);
    }

    private Task<(Manifest Index, Uri? Next)?> GetReferrersPageAsync(string repository, Uri uri, bool isFirst, CancellationToken cancellationToken)
    {
        var call = new RegistryCall(HttpMethod.Get, uri) { Scope = TokenScope.Pull(repository), Accept = [MediaTypes.OciIndex] };
        return _client.SendAsync<(Manifest, Uri?)?>(
            call,
            async (response, _, token) =>
            {
                if (!response.IsSuccessStatusCode)
                {
                    var error = await ErrorAsync(call, response, token).ConfigureAwait(false);
                    if (!isFirst) throw error;

                    // 404 is how a registry without the API answers; with it, a manifest without referrers has an empty list. Of a repository that is not there, either says it.
                    if (!error.HasCode("NAME_UNKNOWN")) Interlocked.CompareExchange(ref _referrersApi, (int)Support.NotSupported, (int)Support.Unknown);
                    return null;
                }

                var raw = await _client.ReadAsync(response, _options.MaximumManifestSize, token).ConfigureAwait(false);
                if (MediaTypes.Essence(ContentType(response)) == "text/html")
                {
                    if (!isFirst) throw NotARegistry(call, response, raw);
                    return null;
                }

                var index = Manifests.Manifest.Parse(raw, ContentType(response));
                if (index.Kind != ManifestKind.Index) throw NotARegistry(call, response, raw);
                return (index, FindNext(response, uri));
            },
            cancellationToken,
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
        if (!Uri.TryCreate(page, target, out var next)) throw new RegistryProtocolException($"{Name} names '{Text.Shown.Short(target)}' as the next page of {page}, which is no address.", "GET", page, (int)response.StatusCode);
        if (next.Scheme != page.Scheme || next.Port != page.Port || !string.Equals(next.Host, page.Host, StringComparison.OrdinalIgnoreCase))
        {
            throw new RegistryProtocolException(
                $"{Name} names a page on another server, {RegistryErrors.Server(next)}, as the next page of {page}; it was not followed.",
                "GET",
                page,
                (int)response.StatusCode,
                "A registry behind a proxy must know its own public address (in distribution: http.host, or relativeurls: true).");
        }

        return next;
    }

    private Uri At(string repository, string rest)
    {
        Validate(repository);
        return new Uri(_v2, repository + "/" + rest);
    }

    private static void Validate(string repository)
    {
        if (RepositoryName.IsValid(repository)) return;
        RepositoryName.Normalize(repository, out _);
        throw new ReferenceFormatException(repository, $"'{Text.Shown.Short(repository)}' is not a repository name as registries take it: it has no upper-case letters, and no slash or blank around it.");
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

    private async Task<RegistryRequestException> ErrorAsync(RegistryCall call, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = await _client.ReadAsync(response, 64 * 1024, cancellationToken).ConfigureAwait(false);
        return RegistryErrors.From(call.Method.Method, call.Uri, response, body);
    }

    private DigestMismatchException Mismatch(string repository, string reference, Digest expected, Digest actual) =>
        new($"the manifest '{reference}' of '{repository}' on {Name}", expected.ToString(), actual.ToString());

    private static RegistryProtocolException Circular(Uri next) =>
        new($"The list of {next.Authority} goes round in a circle: {RegistryErrors.Shown(next)} is named as the next page a second time.", "GET", RegistryErrors.Shown(next), 200);

    private RegistryProtocolException NotARegistry(RegistryCall call, HttpResponseMessage response, byte[] body)
    {
        var status = (int)response.StatusCode;
        var told = RegistryErrors.Describe(body, MediaTypes.Essence(ContentType(response)));
        var wantsHttps = BaseUri.Scheme == "http" && status == 400 && told.IndexOf("HTTPS", StringComparison.OrdinalIgnoreCase) >= 0;
        return new RegistryProtocolException(
            $"{BaseUri.Authority} answered {(status + " " + RegistryErrors.Reason(response.StatusCode)).TrimEnd()} to {call.Method} {RegistryErrors.Shown(call.Uri)} with {(told.Length > 0 ? told : "nothing")}, which is not a registry's answer.",
            call.Method.Method,
            RegistryErrors.Shown(call.Uri),
            status,
            wantsHttps ? $"It speaks https: Connect-Registry https://{BaseUri.Authority}{Address.Prefix}." : "Check the address: scheme, host, port, and the path where the registry stands behind a prefix.");
    }
}
