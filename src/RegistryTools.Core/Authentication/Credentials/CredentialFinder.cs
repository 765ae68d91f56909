using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Text;

namespace RegistryTools.Authentication;

/// <summary>
/// Finds the credentials that are already there for a registry. In this order: the variables REGISTRYTOOLS_USERNAME and REGISTRYTOOLS_PASSWORD, or REGISTRYTOOLS_TOKEN; Docker's config.json (its
/// helpers first, then <c>auths</c>); Podman's auth.json. Thread-safe; reads everything anew each time.
/// </summary>
public sealed class CredentialFinder
{
    private readonly CredentialOptions _options;

    /// <summary>Makes a finder.</summary>
    /// <param name="options">Where to look; null for the process's own environment.</param>
    public CredentialFinder(CredentialOptions? options = null) => _options = options ?? new CredentialOptions();

    /// <summary>Finds the credentials for a registry.</summary>
    /// <param name="address">The registry.</param>
    /// <param name="repository">The repository that they are for: Podman's file may have others for each namespace. Null for the registry as a whole.</param>
    /// <param name="cancellationToken">Ends the search, and a helper with it.</param>
    /// <returns>The credentials, or null where none are configured.</returns>
    /// <exception cref="CredentialException">A file is broken, a helper failed, or a variable is set without the other. No message holds a secret.</exception>
    public async Task<RegistryCredential?> FindAsync(RegistryAddress address, string? repository = null, CancellationToken cancellationToken = default)
    {
        if (address is null) throw new ArgumentNullException(nameof(address));
        var credential = FromVariables();
        if (credential is null && CredentialPaths.DockerConfig(_options) is { } docker) credential = await FromFileAsync(docker, address, null, podman: false, cancellationToken).ConfigureAwait(false);
        if (credential is null)
        {
            foreach (var file in CredentialPaths.PodmanFiles(_options))
            {
                credential = await FromFileAsync(file, address, repository, podman: true, cancellationToken).ConfigureAwait(false);
                if (credential is null) continue;
                credential.IsPodman = true;
                break;
            }
        }

        _options.Log.Verbose(credential is null ? $"No credentials for {address.Name} were found." : $"The credentials for {address.Name} are from {credential.Source}.");
        return credential;
    }

    /// <summary>Finds the credentials for the namespaces of a registry: those of Podman's auth.json, where nothing that goes before it has any for the registry.</summary>
    /// <param name="address">The registry.</param>
    /// <param name="found">What <see cref="FindAsync"/> found for the registry as a whole.</param>
    /// <returns>The credentials by namespace, such as <c>team/project</c>; empty where there are none.</returns>
    /// <exception cref="CredentialException">A file is broken. No message holds a secret.</exception>
    public IReadOnlyDictionary<string, RegistryCredential> FindNamespaces(RegistryAddress address, RegistryCredential? found)
    {
        if (address is null) throw new ArgumentNullException(nameof(address));
        var namespaces = new Dictionary<string, RegistryCredential>(StringComparer.Ordinal);
        if (found is { IsPodman: false }) return namespaces;
        foreach (var path in CredentialPaths.PodmanFiles(_options))
        {
            if (DockerConfigFile.Load(path, CredentialPaths.Show(path, _options)) is not { } file) continue;
            foreach (var pair in file.Namespaces(address))
            {
                if (!namespaces.ContainsKey(pair.Key)) namespaces.Add(pair.Key, pair.Value);
            }
        }

        return namespaces;
    }

    /// <summary>
    /// The registries that Docker's config.json and Podman's auth.json name, as one connects to them, each once. Only the files are read: no helper is asked, which could ask for a password. What is broken is passed over.
    /// </summary>
    public IReadOnlyList<string> ListRegistries()
    {
        var addresses = new List<string>();
        foreach (var path in CredentialPaths.PodmanFiles(_options).Prepend(CredentialPaths.DockerConfig(_options)))
        {
            if (path is null) continue;
            try
            {
                foreach (var key in DockerConfigFile.Load(path, CredentialPaths.Show(path, _options))?.Keys ?? [])
                {
                    if (CredentialKey.AddressOf(key) is { } address && !addresses.Contains(address)) addresses.Add(address);
                }
            }
            catch (CredentialException error)
            {
                _options.Log.Debug(error.Message);
            }
        }

        return addresses;
    }

    private RegistryCredential? FromVariables()
    {
        const string User = "REGISTRYTOOLS_USERNAME", Password = "REGISTRYTOOLS_PASSWORD", Token = "REGISTRYTOOLS_TOKEN";
        var user = _options.Variable(User);
        var password = _options.Variable(Password);
        if (user is null != password is null)
        {
            throw new CredentialException($"{(user is null ? Password : User)} is set and {(user is null ? User : Password)} is not.", "Set both, or neither.");
        }

        var token = _options.Variable(Token)?.Trim();
        if (user is not null)
        {
            if (token is { Length: > 0 }) _options.Log.Verbose($"{User} and {Token} are both set: the user name and password are used.");
            return new RegistryCredential { UserName = user, Password = password, Source = User };
        }

        if (string.IsNullOrEmpty(token)) return null;
        if (!DockerConfigFile.IsToken(token!)) throw new CredentialException($"{Token} has characters that no token has.", "It is a bearer token as the registry takes it: one line, no blanks.");
        return new RegistryCredential { RegistryToken = token, Source = Token };
    }

    private async Task<RegistryCredential?> FromFileAsync(string path, RegistryAddress address, string? repository, bool podman, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var shown = CredentialPaths.Show(path, _options);
        var file = DockerConfigFile.Load(path, shown);
        if (file is null)
        {
            _options.Log.Debug($"{shown} is not there.");
            return null;
        }

        if (file.HelperFor(address, podman) is { } helper)
        {
            // Helpers know hosts, not namespaces.
            var program = new CredentialHelper(helper.Name, $"{shown}: {helper.Property}", _options);
            var server = podman ? CredentialKey.HostOf(address) : CredentialKey.ForDocker(address);
            if (await program.GetAsync(server, cancellationToken).ConfigureAwait(false) is { } credential) return credential;
        }

        return podman ? file.FindNamespaced(address, repository) : file.Find(address);
    }
}
