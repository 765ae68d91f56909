namespace RegistryTools.Errors;

/// <summary>Docker, Podman or Kubernetes can't be reached, does not know what it is asked for, or refuses.</summary>
public class RegistryRuntimeException(string message, string? remedy = null, Exception? innerException = null) : RegistryToolsException(message, remedy, innerException);

/// <summary>The container or the pod that is named is not there, or does not run.</summary>
public sealed class RegistryContainerNotFoundException(string message, string? remedy = null, Exception? innerException = null) : RegistryRuntimeException(message, remedy, innerException);

/// <summary>The registry's own collector can't be run, failed, or its connection was lost.</summary>
public sealed class CollectorFailedException(string message, string? remedy = null, Exception? innerException = null) : RegistryToolsException(message, remedy, innerException)
{
    /// <summary>Its exit code; null where it did not end, or that is not known.</summary>
    public int? ExitCode { get; init; }
}

/// <summary>The registry's own collector would delete what is needed: it was not run.</summary>
public sealed class CollectorUnsafeException(string message, string? remedy, IReadOnlyList<string> manifests) : RegistryToolsException(message, remedy)
{
    /// <summary>The manifests that it would delete although they are needed, as <c>repository@digest</c>.</summary>
    public IReadOnlyList<string> Manifests { get; } = manifests;
}

/// <summary>The registry was stopped for the collection and could not be brought back.</summary>
public sealed class RegistryNotResumedException(string message, string? remedy = null, Exception? innerException = null) : RegistryToolsException(message, remedy, innerException);
