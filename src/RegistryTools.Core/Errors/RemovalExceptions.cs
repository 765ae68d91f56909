using RegistryTools.References;

namespace RegistryTools.Errors;

/// <summary>A tag that points to another manifest than it did when it was listed: it is not deleted.</summary>
public sealed class TagMovedException(string registry, string repository, string tag, Digest listed, Digest actual)
    : RegistryToolsException(
        $"The tag '{tag}' of '{repository}' on {registry} has moved since it was listed: it pointed to {listed} and points to {actual} now. It was not deleted.",
        "List it again, look, and delete it then if it is still to go.")
{
    /// <summary>The digest that the tag had when it was listed.</summary>
    public Digest Listed { get; } = listed;

    /// <summary>The digest that it has now.</summary>
    public Digest Actual { get; } = actual;
}

/// <summary>A tag that is not there.</summary>
public sealed class TagNotFoundException(string registry, string repository, string tag)
    : RegistryToolsException($"There is no tag '{tag}' in '{repository}' on {registry}.");

/// <summary>The registry has manifest deletion switched off, so that neither a tag nor a manifest can be deleted.</summary>
public sealed class DeletionDisabledException(string registry, string repository, Exception? innerException = null, string? instead = null)
    : RegistryToolsException(
        $"Deletion is disabled on {registry}: nothing in '{repository}' was changed.",
        instead ?? "Enable it in the registry's configuration (storage: delete: enabled: true) or with the environment variable REGISTRY_STORAGE_DELETE_ENABLED=true, and restart the registry. A pull-through cache can't delete at all.",
        innerException);

/// <summary>The registry does not delete a tag by name, and the caller wanted it done that way only.</summary>
public sealed class TagDeletionUnsupportedException(string registry, string repository, string tag)
    : RegistryToolsException(
        $"{registry} does not delete a tag by its name; '{tag}' of '{repository}' was not changed.",
        "Use -Method Auto or -Method Placeholder.");

/// <summary>A deletion that could not be brought to an end: what is known of the tag is in the message.</summary>
public sealed class RemovalFailedException(string message, string? remedy = null, Exception? innerException = null)
    : RegistryToolsException(message, remedy, innerException);

/// <summary>A manifest that something else needs: other tags, an index that lists it, or referrers.</summary>
public sealed class ManifestInUseException(string message, string? remedy) : RegistryToolsException(message, remedy);

/// <summary>A tag or manifest that can't be put back.</summary>
public sealed class RestoreFailedException(string message, string? remedy = null, Exception? innerException = null)
    : RegistryToolsException(message, remedy, innerException);

/// <summary>The journal can't be written or read. What is not in the journal is not deleted.</summary>
public sealed class JournalException(string message, string? remedy = null, Exception? innerException = null)
    : RegistryToolsException(message, remedy, innerException);
