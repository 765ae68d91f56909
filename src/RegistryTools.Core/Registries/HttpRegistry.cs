using RegistryTools.References;

namespace RegistryTools.Registries;

/// <summary>A registry that speaks the distribution protocol over HTTP.</summary>
public abstract class HttpRegistry
{
    /// <summary>Reaches a registry.</summary>
    public static Task<IRegistry> ConnectAsync(RegistryAddress address, HttpRegistryOptions options, CancellationToken cancellationToken = default) =>
        Task.FromException<IRegistry>(new NotSupportedException());
}
