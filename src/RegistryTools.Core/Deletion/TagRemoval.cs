using System.Diagnostics;
using RegistryTools.Journal;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Text;

namespace RegistryTools.Deletion;

/// <summary>How the caller wants tags removed.</summary>
public enum TagRemovalChoice
{
    /// <summary>By the registry's own tag deletion where it has it, else by a placeholder.</summary>
    Auto,

    /// <summary>By the registry's own tag deletion only.</summary>
    TagApi,

    /// <summary>By a placeholder only.</summary>
    Placeholder,
}

/// <summary>A tag to remove.</summary>
/// <param name="Tag">The tag.</param>
/// <param name="ListedDigest">The digest that it had when the caller decided; null where the caller did not look.</param>
public sealed record TagRemovalRequest(string Tag, Digest? ListedDigest = null);

/// <summary>What became of one tag.</summary>
public sealed class TagRemoval
{
    /// <summary>The registry's name.</summary>
    public required string Registry { get; init; }

    /// <summary>The registry's location.</summary>
    public required string RegistryLocation { get; init; }

    /// <summary>The repository.</summary>
    public required string Repository { get; init; }

    /// <summary>The tag.</summary>
    public required string Tag { get; init; }

    /// <summary>The manifest that it pointed to; null where that was not found out.</summary>
    public required Digest? Digest { get; init; }

    /// <summary>The manifest's media type; empty where it was not found out.</summary>
    public required string MediaType { get; init; }

    /// <summary>By what means; null where it did not come to that.</summary>
    public required RemovalMethod? Method { get; init; }

    /// <summary>What became of it. Pending: it could not be told, the error says more, and the next run mends it.</summary>
    public required RemovalState State { get; init; }

    /// <summary>The run, as in the journal; null where nothing was written there.</summary>
    public required string? RunId { get; init; }

    /// <summary>When it was settled.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Why it was not removed; null where it was.</summary>
    public required Exception? Error { get; init; }
}

/// <summary>How a <see cref="TagRemover"/> goes about it.</summary>
public sealed class TagRemoverOptions
{
    /// <summary>By what means.</summary>
    public TagRemovalChoice Method { get; init; } = TagRemovalChoice.Auto;

    /// <summary>How many requests are under way at once.</summary>
    public int ThrottleLimit { get; init; } = 8;

    /// <summary>
    /// Whether the listed digest is taken for the tag's present one, which saves a request a tag where the registry deletes tags by name and gives up the check that the
    /// tag has not moved.
    /// </summary>
    public bool TrustListing { get; init; }

    /// <summary>How often what changes a tag is tried, with a look at the tag before each repetition.</summary>
    public int MaximumAttempts { get; init; } = 4;

    /// <summary>The first wait between such tries; it doubles.</summary>
    public TimeSpan RetryDelay { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long putting tags back may take after a failure or a cancellation.</summary>
    public TimeSpan RollbackTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Where it tells what it does.</summary>
    public IActivityLog Log { get; init; } = NoActivityLog.Instance;
}

/// <summary>A tag on its way out.</summary>
internal sealed class RemovalTarget(TagRemovalRequest request)
{
    public string Tag { get; } = request.Tag;

    public Digest? Listed { get; } = request.ListedDigest;

    /// <summary>What the tag pointed to when it was looked at: a left-over placeholder, where a run was interrupted.</summary>
    public Digest? Seen { get; set; }

    /// <summary>The user's own manifest behind it.</summary>
    public Digest? Digest { get; set; }

    public string MediaType { get; set; } = string.Empty;

    /// <summary>What is put back where the removal fails.</summary>
    public Manifest? Original { get; set; }

    public PlaceholderManifest? Leftover { get; set; }

    public RemovalMethod? Method { get; set; }

    public RemovalState? State { get; set; }

    public Exception? Error { get; set; }

    /// <summary>Whether a request that changes the tag was sent: from then on, what it points to is to be looked up, never assumed.</summary>
    public bool Touched { get; set; }

    /// <summary>Whether the registry took the placeholder for it.</summary>
    public bool Covered { get; set; }

    /// <summary>Whether a push over it may land yet.</summary>
    public bool IsInDoubt { get; set; }

    /// <summary>How long ago it was looked at.</summary>
    public Stopwatch Looked { get; } = new();

    public bool IsSettled => State is not null || Error is not null;

    public void Fail(Exception error, RemovalState state = RemovalState.Unchanged)
    {
        Error = error;
        State = state;
    }
}
