using RegistryTools.Text;

namespace RegistryTools.Verification;

/// <summary>How a storage is verified.</summary>
public sealed class StorageVerifierOptions
{
    /// <summary>Whether the bytes of every blob are read and held against their digests.</summary>
    public bool Content { get; init; }

    /// <summary>The repositories to look at, and with them the blobs that they link to; null for all, and all blobs.</summary>
    public Func<string, bool>? RepositoryFilter { get; init; }

    /// <summary>How many files are read at once.</summary>
    public int ThrottleLimit { get; init; } = Math.Max(2, Environment.ProcessorCount);

    /// <summary>Where it tells how far it is.</summary>
    public IActivityLog Log { get; init; } = NoActivityLog.Instance;
}
