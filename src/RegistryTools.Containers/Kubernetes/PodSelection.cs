namespace RegistryTools.Containers;

/// <summary>Which pod of Kubernetes the registry runs in.</summary>
public sealed class PodSelection
{
    /// <summary>The namespace; null for the context's own.</summary>
    public string? Namespace { get; init; }

    /// <summary>The pod; null where a deployment or labels tell.</summary>
    public string? Pod { get; init; }

    /// <summary>The deployment whose pod it is.</summary>
    public string? Deployment { get; init; }

    /// <summary>A label selector, such as <c>app=registry</c>.</summary>
    public string? Selector { get; init; }

    /// <summary>The container in the pod; null where there is one, or one that is a registry's.</summary>
    public string? Container { get; init; }

    /// <summary>The context of the kubeconfig; null for the current one.</summary>
    public string? Context { get; init; }

    /// <summary>The kubeconfig; null for the one that kubectl would use, or the service account where this runs in the cluster.</summary>
    public string? KubeConfigPath { get; init; }
}
