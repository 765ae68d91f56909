namespace RegistryTools.Registries;

/// <summary>A registry that knows when a tag was last written, as the protocol does not tell but a storage does.</summary>
public interface ITagTimes
{
    /// <summary>When the tag was last written: pushed, or moved; null where it is not there.</summary>
    Task<DateTimeOffset?> FindTaggedAsync(string repository, string tag, CancellationToken cancellationToken = default);
}
