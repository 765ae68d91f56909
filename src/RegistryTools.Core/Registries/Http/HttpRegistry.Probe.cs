using System.Net;
using RegistryTools.Authentication;
using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Transport;

namespace RegistryTools.Registries;

/// <content>What this registry can do, found without changing anything.</content>
public sealed partial class HttpRegistry
{
    /// <inheritdoc/>
    public async Task<RegistryCapabilities> ProbeAsync(string? repository = null, CancellationToken cancellationToken = default)
    {
        var notes = new List<string>();
        string? known = null;
        var catalog = await AskAsync(
            "the catalog",
            async () =>
            {
                await foreach (var name in ListRepositoriesAsync(cancellationToken).ConfigureAwait(false))
                {
                    known = name;
                    break;
                }

                return Support.Supported;
            },
            notes).ConfigureAwait(false);
        if (repository is null && known is not null && RepositoryName.IsValid(known)) repository = known;
        if (repository is null)
        {
            repository = "registrytools/probe";
            notes.Add($"No repository is known: deletion was asked for in a made-up one, '{repository}'.");
        }

        var referrers = await AskAsync("the referrers API", () => ProbeReferrersAsync(repository, cancellationToken), notes).ConfigureAwait(false);
        var manifestDelete = Product is { IsDockerHub: true } ? Support.Supported : await AskAsync("manifest deletion", () => FindManifestDeletionAsync(repository, cancellationToken), notes).ConfigureAwait(false);
        var tagDelete = await AskAsync("tag deletion", () => ProbeTagDeleteAsync(repository, notes, cancellationToken), notes).ConfigureAwait(false);
        if (Product is { Deletes: false } closed)
        {
            if (tagDelete == Support.NotSupported || manifestDelete == Support.NotSupported) notes.Add(closed.Instead!);
        }
        else if (manifestDelete == Support.NotSupported)
        {
            notes.Add("Deletion is disabled. In the distribution registry it is enabled with REGISTRY_STORAGE_DELETE_ENABLED=true, or storage: delete: enabled: true in its configuration.");
            if (tagDelete == Support.NotSupported) notes.Add("Whether tags can be deleted by name once deletion is enabled can't be told before.");
        }

        if (Product?.Note is { } note) notes.Add(note);
        return new RegistryCapabilities
        {
            Product = Product?.Name ?? await FindProductAsync(cancellationToken).ConfigureAwait(false),
            Authentication = AuthenticationScheme,
            Catalog = catalog,
            Referrers = referrers,
            ManifestDelete = manifestDelete,
            TagDelete = tagDelete,
            Notes = notes,
        };
    }

    private static async Task<Support> AskAsync(string what, Func<Task<Support>> ask, List<string> notes)
    {
        try
        {
            return await ask().ConfigureAwait(false);
        }
        catch (RegistryRequestException exception) when (exception.StatusCode is 404 or 405 || exception is RegistryUnsupportedException)
        {
            return Support.NotSupported;
        }
        catch (RegistryToolsException exception)
        {
            notes.Add($"Whether it has {what} could not be told: {exception.Message}");
            return Support.Unknown;
        }
    }

    private Task<Support> ProbeReferrersAsync(string repository, CancellationToken cancellationToken)
    {
        var call = new RegistryCall(HttpMethod.Get, At(repository, "referrers/" + Digest.Random())) { Scope = TokenScope.Pull(repository) };
        return _client.SendAsync(
            call,
            async (response, _, token) =>
            {
                if (response.IsSuccessStatusCode) return IsWebPage(response) ? Support.NotSupported : Support.Supported;

                // With the API, 404 is only said of a repository that is not there (distribution-spec, "Listing Referrers").
                var error = await _client.ErrorAsync(response, token).ConfigureAwait(false);
                return error.HasCode("NAME_UNKNOWN") ? Support.Unknown : Support.NotSupported;
            },
            cancellationToken,
            404,
            405);
    }

    private async Task<Support> ProbeTagDeleteAsync(string repository, List<string> notes, CancellationToken cancellationToken)
    {
        // A tag that nobody has. It is looked for first all the same: what is there is not deleted to find out whether it could be.
        var tag = "registrytools-probe-" + Guid.NewGuid().ToString("N");
        if (await FindManifestAsync(repository, tag, cancellationToken).ConfigureAwait(false) is not null)
        {
            notes.Add($"The registry has a manifest for every tag that it is asked for, '{tag}' for one: tag deletion was not tried.");
            return Support.Unknown;
        }

        return await DeleteTagAsync(repository, tag, cancellationToken).ConfigureAwait(false) == TagDeletion.NotSupported ? Support.NotSupported : Support.Supported;
    }

    private Task<string?> FindProductAsync(CancellationToken cancellationToken)
    {
        var call = new RegistryCall(HttpMethod.Get, _v2) { Scope = string.Empty };
        return _client.SendAsync<string?>(
            call,
            (response, _, _) =>
            {
                if (Header(response, "X-Harbor-Csrf-Token") is not null) return Task.FromResult<string?>("Harbor");
                if (Header(response, "Gitlab-Container-Registry-Version") is { Length: > 0 }) return Task.FromResult<string?>("GitLab Container Registry");
                if (Header(response, "X-JFrog-Version") is { } jfrog) return Task.FromResult<string?>(jfrog);
                var server = Header(response, "Server");
                if (server is not null && (server.StartsWith("Nexus/", StringComparison.Ordinal) || server.StartsWith("AzureContainerRegistry", StringComparison.Ordinal))) return Task.FromResult<string?>(server);

                // Docker-Distribution-Api-Version is said by distribution, and by many that follow it: it names no product.
                return Task.FromResult<string?>(null);
            },
            cancellationToken,
            (int)HttpStatusCode.Unauthorized);
    }
}
