using RegistryTools.Retention;

namespace RegistryTools.PowerShell;

/// <summary>
/// What is to become of a tag by the rules of retention, and by which of them. It is for reading: so that a kept tag is never removed by a slip, <c>Remove-RegistryTag</c> takes nothing of it.
/// </summary>
public sealed class RegistryTagDecision
{
    /// <summary>The registry, by its connection's name.</summary>
    public string RegistryName { get; internal set; } = string.Empty;

    /// <summary>The repository.</summary>
    public string RepositoryName { get; internal set; } = string.Empty;

    /// <summary>The tag.</summary>
    public string TagName { get; internal set; } = string.Empty;

    /// <summary>Keep, Remove (it is chosen), Removed (it is gone) or Failed.</summary>
    public string Action { get; internal set; } = string.Empty;

    /// <summary>
    /// The rule that kept or chose it: Protect, KeepLast, KeepSemVer, OlderThan, Match, NotMatch, SemVer, GroupBy; UnknownDate, Placeholder or Unreadable where it was kept for that.
    /// </summary>
    public string Rule { get; internal set; } = string.Empty;

    /// <summary>The same for people.</summary>
    public string Reason { get; internal set; } = string.Empty;

    /// <summary>The date that it was judged by; null where none was needed or none can be told.</summary>
    public DateTimeOffset? Date { get; internal set; }

    /// <summary>The entry of the policy; null without one.</summary>
    public string? Policy { get; internal set; }

    // Not a reference: text that a cmdlet could take for one would be as good as the tag.
    /// <inheritdoc/>
    public override string ToString() => $"{Action}: {RepositoryName}:{TagName} ({Rule})";

    internal static RegistryTagDecision From(RetentionDecision decision, string registry, string repository, string? policy, string? action = null) => new()
    {
        RegistryName = registry,
        RepositoryName = repository,
        TagName = decision.Tag.Tag,
        Action = action ?? (decision.IsRemoved ? "Remove" : "Keep"),
        Rule = decision.Rule,
        Reason = decision.Reason,
        Date = decision.Date,
        Policy = policy,
    };
}
