namespace RegistryTools.Retention;

/// <summary>By which of its dates a tag is as old as it is.</summary>
public enum RetentionDate
{
    /// <summary>When the image was built, as it says itself.</summary>
    Created,

    /// <summary>When the tag was last written. Only storage tells; no registry does over HTTP.</summary>
    Tagged,
}

/// <summary>Which versions are the last ones of their line.</summary>
public enum VersionLine
{
    /// <summary>The highest of all.</summary>
    Latest,

    /// <summary>The highest patch of each major.minor.</summary>
    LatestPatch,

    /// <summary>The highest minor and patch of each major.</summary>
    LatestMinor,
}

/// <summary>
/// Which tags of a repository are to go. A tag goes where every rule that chooses (<see cref="OlderThan"/>, <see cref="Match"/>, <see cref="NotMatch"/>, <see cref="SemVer"/>) chooses it, and no rule that keeps
/// (<see cref="Protect"/>, <see cref="KeepLast"/>, <see cref="KeepSemVer"/>, a date that can't be told) keeps it: keep beats delete, always.
/// </summary>
public sealed record RetentionRules
{
    /// <summary>Chooses tags older than this; null for any age.</summary>
    public TimeSpan? OlderThan { get; init; }

    /// <summary>By which date tags are old or new.</summary>
    public RetentionDate By { get; init; }

    /// <summary>Keeps so many of the newest, of those that the rules on names choose; per group where there are groups. What is protected and what has no date is kept besides, and not counted. Null for none.</summary>
    public int? KeepLast { get; init; }

    /// <summary>A regular expression whose first group (or whole match) names a tag's group. A tag in no group is kept. Null for one group of all.</summary>
    public string? GroupBy { get; init; }

    /// <summary>Chooses tags that this regular expression matches; null for all.</summary>
    public string? Match { get; init; }

    /// <summary>Chooses tags that this regular expression does not match; null for all.</summary>
    public string? NotMatch { get; init; }

    /// <summary>Chooses tags that are versions within this range, such as <c>&lt;1.4.0</c>; null for all.</summary>
    public string? SemVer { get; init; }

    /// <summary>Keeps the last versions of each line. Where nothing else chooses, it chooses the other versions. Null for none.</summary>
    public VersionLine? KeepSemVer { get; init; }

    /// <summary>Tags that stay, letter for letter or with <c>*</c> and <c>?</c>.</summary>
    public IReadOnlyList<string> Protect { get; init; } = [];

    /// <summary>Whether there is a rule that chooses at all.</summary>
    public bool Chooses => OlderThan is not null || KeepLast is not null || KeepSemVer is not null || Match is not null || NotMatch is not null || SemVer is not null;

    /// <summary>Whether a date is needed to tell.</summary>
    public bool NeedsDate => OlderThan is not null || KeepLast is not null;

    /// <summary>Whether more than names is needed to tell: what is no image must not be the last version that is kept.</summary>
    public bool NeedsDetail => NeedsDate || KeepSemVer is not null;
}

/// <summary>A tag to decide on.</summary>
/// <param name="Tag">The tag.</param>
/// <param name="Created">When its image was built; null where that is not told.</param>
/// <param name="Tagged">When it was written; null where that is not told.</param>
public sealed record RetentionTag(string Tag, DateTimeOffset? Created = null, DateTimeOffset? Tagged = null)
{
    /// <summary>Whether an interrupted deletion has left a placeholder under it: it is kept, and brought to its end by other means.</summary>
    public bool IsPlaceholder { get; init; }

    /// <summary>Whatever the caller wants back with the decision.</summary>
    public object? Item { get; init; }
}

/// <summary>What is to become of a tag, and why.</summary>
/// <param name="Tag">The tag.</param>
/// <param name="IsRemoved">Whether it goes.</param>
/// <param name="Rule">The rule that kept or chose it, by its parameter's name.</param>
/// <param name="Reason">The same for people.</param>
/// <param name="Date">The date that it was judged by; null where none was needed or none can be told.</param>
/// <param name="HasUnknownDate">Whether it was kept only since its date can't be told.</param>
public sealed record RetentionDecision(RetentionTag Tag, bool IsRemoved, string Rule, string Reason, DateTimeOffset? Date, bool HasUnknownDate = false);
