using RegistryTools.References;

namespace RegistryTools.Registries;

/// <summary>What is known of a registry service by its host name, before it is asked. By its documentation, not seen: docs/registries.md names the sources.</summary>
internal sealed class RegistryProduct
{
    private static readonly RegistryProduct[] Known =
    [
        new("Docker Hub", static host => host is "docker.io" or "index.docker.io" or "registry-1.docker.io")
        {
            HasCatalog = false,
            Deletes = false,
            IsDockerHub = true,
            Instead = "Docker Hub's registry deletes no tags. Its own API (hub.docker.com) does, and is asked where the connection has a user and a password or a personal access token: Connect-Registry docker.io -Credential (Get-Credential).",
            Note = "Docker Hub deletes a manifest only where no tag and no other manifest needs it, and counts pulls (GET of a manifest) and not HEAD; (Get-RegistryConnection).RateLimit tells what is left.",
        },
        new("GitHub Container Registry", static host => host == "ghcr.io")
        {
            HasCatalog = false,
            Deletes = false,
            Instead = "GitHub deletes versions of a package through its own API (DELETE /orgs/ORG/packages/container/NAME/versions/ID) and on its web pages only. A version is a manifest: all its tags go with it.",
        },
        new("Azure Container Registry", static host => host.EndsWith(".azurecr.io", StringComparison.Ordinal) || host.EndsWith(".azurecr.cn", StringComparison.Ordinal) || host.EndsWith(".azurecr.us", StringComparison.Ordinal))
        {
            TagPath = "acr/v1/{0}/_tags/{1}",
            Note = "A tag is removed alone through Azure's own API, as az acr repository untag does. A tag that is locked there is refused, and is not overwritten either.",
        },
        new("Amazon ECR", static host => host == "public.ecr.aws" || (host.IndexOf(".dkr.ecr.", StringComparison.Ordinal) > 0 && (host.EndsWith(".amazonaws.com", StringComparison.Ordinal) || host.EndsWith(".amazonaws.com.cn", StringComparison.Ordinal))))
        {
            Note = "ECR deletes an image with the last of its tags: what is removed by its last tag does not stay as an untagged manifest.",
        },
        new("Quay", static host => host == "quay.io"),
        new("GitLab Container Registry", static host => host == "registry.gitlab.com"),
        new("Google Artifact Registry", static host => host.EndsWith("-docker.pkg.dev", StringComparison.Ordinal)),
    ];

    private readonly Func<string, bool> _is;

    private RegistryProduct(string name, Func<string, bool> isOf)
    {
        Name = name;
        _is = isOf;
    }

    /// <summary>What it is called.</summary>
    public string Name { get; }

    /// <summary>Whether it lists its repositories; true where that is not known.</summary>
    public bool HasCatalog { get; private init; } = true;

    /// <summary>Whether the registry API deletes tags there, be it by overwriting them and deleting the manifest; true where that is not known.</summary>
    public bool Deletes { get; private init; } = true;

    /// <summary>Whether tags are deleted through <see cref="DockerHubApi"/>.</summary>
    public bool IsDockerHub { get; private init; }

    /// <summary>Where the service deletes a tag alone: a path below its base, of the repository and the tag; null for the tag's place in the registry API. Its refusal is the last word there.</summary>
    public string? TagPath { get; private init; }

    /// <summary>What to do where the registry API deletes nothing.</summary>
    public string? Instead { get; private init; }

    /// <summary>What whoever deletes there should know.</summary>
    public string? Note { get; private init; }

    /// <summary>The service at an address; null where its host tells nothing.</summary>
    public static RegistryProduct? Of(RegistryAddress address) => Array.Find(Known, product => product._is(address.Host));
}
