using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Text;
using RegistryTools.Transport;

namespace RegistryTools.Registries;

/// <summary>
/// Docker Hub's own API, as far as tags are deleted through it: its registry deletes nothing. It has tokens of its own, which a user and a password or a personal access token are exchanged for
/// (Docker Hub API, "Create access token").
/// </summary>
internal sealed class DockerHubApi(RegistryHttpClient client, Uri registry) : IDisposable
{
    private const int MaximumAnswer = 256 * 1024;
    private static readonly Uri Base = new("https://hub.docker.com/v2/");
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly Dictionary<string, string> _tokens = new(StringComparer.Ordinal);

    /// <summary>
    /// Deletes a tag; null where there is no password to do it with. The tag's manifest is no concern of this API.
    /// </summary>
    /// <exception cref="RegistryUnauthorizedException">The user or the password is not accepted.</exception>
    /// <exception cref="RegistryDeniedException">The user may not delete tags there.</exception>
    public async Task<TagDeletion?> DeleteTagAsync(string repository, string tag, CancellationToken cancellationToken)
    {
        if (client.Authenticator.PasswordFor(repository) is not { } login) return null;
        var place = repository.IndexOf('/') < 0 ? "library/" + repository : repository;
        var uri = new Uri(Base, $"repositories/{RepositoryName.Validate(place)}/tags/{TagName.Validate(tag)}/");
        for (var attempt = 0; ; attempt++)
        {
            var token = await GetTokenAsync(login, cancellationToken).ConfigureAwait(false);
            var call = new RegistryCall(HttpMethod.Delete, uri) { Authorization = new AuthenticationHeaderValue("Bearer", token), Repetition = Repetition.IfNotCarriedOut, Accept = ["application/json"] };
            try
            {
                return await client.SendAsync(
                    call,
                    async (response, _, stop) =>
                    {
                        if (response.StatusCode is HttpStatusCode.NoContent or HttpStatusCode.Accepted) return TagDeletion.Accepted;
                        if (response.StatusCode == HttpStatusCode.NotFound && response.Content.Headers.ContentType?.MediaType == "application/json") return TagDeletion.NotFound;
                        if (response.StatusCode is not HttpStatusCode.OK) throw await client.ErrorAsync(response, stop).ConfigureAwait(false);
                        throw new RegistryProtocolException($"{uri.Authority} answered 200 to DELETE {uri}, which it does not: the tag may be there, or not.", "DELETE", uri, 200);
                    },
                    cancellationToken,
                    404).ConfigureAwait(false);
            }
            catch (RegistryUnauthorizedException) when (attempt == 0)
            {
                // It has run out.
                await ForgetAsync(login, token, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    public void Dispose() => _one.Dispose();

    private async Task<string> GetTokenAsync(NetworkCredential login, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_tokens.TryGetValue(login.UserName, out var known)) return known;
            var token = await RequestTokenAsync(login, cancellationToken).ConfigureAwait(false);
            client.Authenticator.Hide(token);
            return _tokens[login.UserName] = token;
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task ForgetAsync(NetworkCredential login, string token, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_tokens.TryGetValue(login.UserName, out var known) && known == token) _tokens.Remove(login.UserName);
        }
        finally
        {
            _one.Release();
        }
    }

    private Task<string> RequestTokenAsync(NetworkCredential login, CancellationToken cancellationToken)
    {
        var uri = new Uri(Base, "auth/token");
        var body = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["identifier"] = login.UserName, ["secret"] = login.Password });
        var call = new RegistryCall(HttpMethod.Post, uri)
        {
            Accept = ["application/json"],
            Content = () => new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } },
        };
        return client.SendAsync(
            call,
            async (response, _, stop) =>
            {
                if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.BadRequest)
                {
                    var told = Told(await client.ReadStartAsync(response, stop).ConfigureAwait(false));
                    throw new RegistryUnauthorizedException(
                        $"{uri.Authority} refused '{Shown.Short(login.UserName)}' with {(int)response.StatusCode}{told}: tags of {registry.Authority} are deleted through {uri.Authority}, which wants to know who asks.",
                        "POST",
                        uri,
                        (int)response.StatusCode,
                        remedy: "Check the user name and the password. An account with two-factor authentication gives a personal access token in the password's place, one with the right to delete.");
                }

                var answer = await client.ReadAsync(response, MaximumAnswer, stop).ConfigureAwait(false);
                return Token(answer) ?? throw new RegistryProtocolException($"{uri.Authority} answered POST {uri} without a token.", "POST", uri, (int)response.StatusCode);
            },
            cancellationToken,
            400,
            401,
            403);
    }

    private static string? Token(byte[] answer)
    {
        var token = Read(answer, "access_token") ?? Read(answer, "token");
        return string.IsNullOrEmpty(token) || token!.Any(c => c is < '!' or > '~') ? null : token;
    }

    private static string Told(byte[] answer) => (Read(answer, "detail") ?? Read(answer, "message")) is { Length: > 0 } text ? $" ({Shown.Short(text, 200)})" : string.Empty;

    private static string? Read(byte[] answer, string name)
    {
        try
        {
            using var document = JsonDocument.Parse(answer, new JsonDocumentOptions { MaxDepth = 16 });
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}
