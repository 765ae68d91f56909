using System.Globalization;
using System.Text.RegularExpressions;
using RegistryTools.Text;

namespace RegistryTools.Retention;

/// <summary>Decides by rules which tags of a repository go and which stay, and says by which rule. It looks at what it is given, and asks nobody.</summary>
public sealed class RetentionSelector
{
    /// <summary>How long a regular expression may take on one tag.</summary>
    public static readonly TimeSpan MatchTimeout = TimeSpan.FromMilliseconds(500);

    // Reproducible builds say that they were built in 1970 or in 1980.
    private static readonly DateTimeOffset FirstRealDate = new(1981, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly RetentionRules _rules;
    private readonly DateTimeOffset _now;
    private readonly Regex? _match;
    private readonly Regex? _notMatch;
    private readonly Regex? _groupBy;
    private readonly VersionRange? _range;

    /// <summary>Makes ready to decide.</summary>
    /// <param name="rules">The rules.</param>
    /// <param name="now">The moment that ages are counted to.</param>
    /// <exception cref="RetentionException">A rule is none, or none of them chooses.</exception>
    public RetentionSelector(RetentionRules rules, DateTimeOffset now)
    {
        _rules = rules;
        _now = now;
        if (!rules.Chooses) throw new RetentionException("No rule chooses tags.", "Give at least one of -OlderThan, -KeepLast, -Match, -NotMatch, -SemVer and -KeepSemVer.");
        if (rules.OlderThan < TimeSpan.Zero) throw new RetentionException("An age is not negative.");
        if (rules.KeepLast < 1) throw new RetentionException("The number of tags to keep is 1 or more.", "To choose all of them, give -Match '.'.");
        if (rules.GroupBy is not null && rules.KeepLast is null && rules.KeepSemVer is null) throw new RetentionException("Groups are of use only where the last of each are kept.", "Give -KeepLast or -KeepSemVer with -GroupBy.");
        _match = Expression(rules.Match, "Match");
        _notMatch = Expression(rules.NotMatch, "NotMatch");
        _groupBy = Expression(rules.GroupBy, "GroupBy");
        _range = rules.SemVer is null ? null : VersionRange.Parse(rules.SemVer);
        foreach (var pattern in rules.Protect)
        {
            if (!IsTagPattern(pattern)) throw new RetentionException($"'{Shown.Short(pattern)}' (Protect) protects nothing: no tag can be called that.", "A tag has letters, digits, '_', '.' and '-'; '*' and '?' stand for any of them, and each pattern is by itself.");
        }
    }

    /// <summary>Whether there can be a tag that a pattern with <c>*</c> and <c>?</c> is for. Sets such as <c>[12]</c> are none: what was meant to be protected would go.</summary>
    internal static bool IsTagPattern(string? pattern) =>
        pattern is { Length: > 0 } && pattern.All(static c => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '_' or '.' or '-' or '*' or '?');

    /// <summary>Whether the only rule that chooses is that on the last versions.</summary>
    private bool VersionsOnly => _rules.KeepSemVer is not null && _rules.OlderThan is null && _rules.KeepLast is null && _rules.Match is null && _rules.NotMatch is null && _rules.SemVer is null;

    /// <summary>Decides on the tags of one repository, each once, in their order.</summary>
    /// <param name="tags">The tags.</param>
    /// <param name="explains">Whether the reasons are told in words; without that they are empty, which spares memory where there are very many.</param>
    /// <exception cref="RetentionException">A regular expression takes too long.</exception>
    public IReadOnlyList<RetentionDecision> Select(IReadOnlyList<RetentionTag> tags, bool explains = true)
    {
        var decisions = new RetentionDecision?[tags.Count];
        var open = new List<Candidate>();
        for (var i = 0; i < tags.Count; i++)
        {
            var tag = tags[i];
            if (ByName(tag) is { } kept) decisions[i] = kept;
            else open.Add(new Candidate(i, tag, Date(tag), SemanticVersion.Parse(tag.Tag), GroupOf(tag.Tag)));
        }

        foreach (var candidate in open)
        {
            if (_groupBy is not null && candidate.Group is null) decisions[candidate.Index] = Keep(candidate, "GroupBy", "it is in no group");
            else if (_rules.NeedsDate && candidate.Date is null) decisions[candidate.Index] = Undated(candidate);
        }

        KeepVersions(open, decisions);
        KeepNewest(open, decisions);
        foreach (var candidate in open)
        {
            if (decisions[candidate.Index] is not null) continue;
            if (_rules.OlderThan is { } age && _now - candidate.Date!.Value <= age)
            {
                decisions[candidate.Index] = Keep(candidate, "OlderThan", explains ? $"it is {Age(candidate)} old" : string.Empty);
                continue;
            }

            decisions[candidate.Index] = new RetentionDecision(candidate.Tag, true, Chosen(), explains ? Because(candidate) : string.Empty, candidate.Date);
        }

        return [.. decisions.Select(static decision => decision!)];
    }

    /// <summary>What is kept by its name alone; null where that does not tell.</summary>
    private RetentionDecision? ByName(RetentionTag tag)
    {
        if (tag.IsPlaceholder) return new RetentionDecision(tag, false, "Placeholder", "an interrupted deletion has left it: Remove-RegistryTag or Restore-RegistryTag brings that to its end", null);
        foreach (var pattern in _rules.Protect)
        {
            if (Wildcard.IsLike(tag.Tag, pattern)) return new RetentionDecision(tag, false, "Protect", $"'{pattern}' protects it", null);
        }

        if (_match is not null && !IsMatch(_match, tag.Tag, "Match")) return new RetentionDecision(tag, false, "Match", $"'{_rules.Match}' does not match it", null);
        if (_notMatch is not null && IsMatch(_notMatch, tag.Tag, "NotMatch")) return new RetentionDecision(tag, false, "NotMatch", $"'{_rules.NotMatch}' matches it", null);
        if (_range is not null)
        {
            if (SemanticVersion.Parse(tag.Tag) is not { } version) return new RetentionDecision(tag, false, "SemVer", "it is no version", null);
            if (!_range.Contains(version)) return new RetentionDecision(tag, false, "SemVer", $"it is not within {_rules.SemVer}", null);
        }

        return VersionsOnly && SemanticVersion.Parse(tag.Tag) is null ? new RetentionDecision(tag, false, "KeepSemVer", "it is no version", null) : null;
    }

    private void KeepVersions(List<Candidate> open, RetentionDecision?[] decisions)
    {
        if (_rules.KeepSemVer is not { } line) return;
        var lines = open.Where(candidate => candidate.Version is not null && !(_groupBy is not null && candidate.Group is null)).GroupBy(candidate => (
            candidate.Group,
            Major: line == VersionLine.Latest ? 0 : candidate.Version!.Major,
            Minor: line == VersionLine.LatestPatch ? candidate.Version!.Minor : 0));
        foreach (var versions in lines)
        {
            // A prerelease is the last of a line only where nothing of it was released.
            var released = versions.Where(static candidate => !candidate.Version!.IsPrerelease).ToList();
            var among = released.Count > 0 ? released : versions.ToList();
            var last = among[0].Version!;
            foreach (var candidate in among)
            {
                if (candidate.Version!.CompareTo(last) > 0) last = candidate.Version;
            }

            // 1.4.0 and v1.4.0 are the same version.
            foreach (var candidate in among)
            {
                if (candidate.Version!.CompareTo(last) == 0) decisions[candidate.Index] = Keep(candidate, "KeepSemVer", $"it is the last version of its line ({line})");
            }
        }
    }

    private void KeepNewest(List<Candidate> open, RetentionDecision?[] decisions)
    {
        if (_rules.KeepLast is not { } count) return;
        foreach (var group in open.Where(candidate => candidate.Date is not null && !(_groupBy is not null && candidate.Group is null)).GroupBy(static candidate => candidate.Group))
        {
            // Of one moment, the later name is the newer: the order must not hang on that of the registry.
            var newest = group.OrderByDescending(static candidate => candidate.Date).ThenByDescending(static candidate => candidate.Tag.Tag, StringComparer.Ordinal).Take(count);
            foreach (var candidate in newest) decisions[candidate.Index] ??= Keep(candidate, "KeepLast", $"it is one of the last {count}{(candidate.Group is { Length: > 0 } name ? $" of '{name}'" : string.Empty)}");
        }
    }

    private RetentionDecision Undated(Candidate candidate)
    {
        var told = _rules.By == RetentionDate.Tagged ? candidate.Tag.Tagged : candidate.Tag.Created;
        return new RetentionDecision(
            candidate.Tag,
            false,
            "UnknownDate",
            told is { } wrong ? string.Format(CultureInfo.InvariantCulture, "its date can't be told: it says {0:yyyy-MM-dd}", wrong) : $"its date ({_rules.By}) can't be told",
            null,
            HasUnknownDate: true);
    }

    private static RetentionDecision Keep(Candidate candidate, string rule, string reason) => new(candidate.Tag, false, rule, reason, candidate.Date);

    private DateTimeOffset? Date(RetentionTag tag)
    {
        var date = _rules.By == RetentionDate.Tagged ? tag.Tagged : tag.Created;
        return date < FirstRealDate ? null : date;
    }

    private string? GroupOf(string tag)
    {
        if (_groupBy is null) return string.Empty;
        try
        {
            var match = _groupBy.Match(tag);
            return !match.Success ? null : match.Groups.Count == 1 ? match.Value : match.Groups[1].Success ? match.Groups[1].Value : null;
        }
        catch (RegexMatchTimeoutException exception)
        {
            throw TooLong("GroupBy", tag, exception);
        }
    }

    // The rule that comes nearest to saying it: age before number before name.
    private string Chosen() => _rules.OlderThan is not null ? "OlderThan" : _rules.KeepLast is not null ? "KeepLast" : _rules.SemVer is not null ? "SemVer" : _rules.KeepSemVer is not null ? "KeepSemVer" : _rules.Match is not null ? "Match" : "NotMatch";

    private string Because(Candidate candidate) => Chosen() switch
    {
        "OlderThan" => $"it is {Age(candidate)} old",
        "KeepLast" => $"it is not one of the last {_rules.KeepLast}",
        "SemVer" => $"it is within {_rules.SemVer}",
        "KeepSemVer" => $"it is not the last version of its line ({_rules.KeepSemVer})",
        "Match" => $"'{_rules.Match}' matches it",
        _ => $"'{_rules.NotMatch}' does not match it",
    };

    private string Age(Candidate candidate)
    {
        var age = _now - candidate.Date!.Value;
        return age.TotalDays >= 2 ? string.Format(CultureInfo.InvariantCulture, "{0:0} days", Math.Floor(age.TotalDays)) : age.TotalHours >= 2 ? string.Format(CultureInfo.InvariantCulture, "{0:0} hours", Math.Floor(age.TotalHours)) : string.Format(CultureInfo.InvariantCulture, "{0:0} minutes", Math.Floor(age.TotalMinutes));
    }

    private static Regex? Expression(string? text, string rule)
    {
        if (text is null) return null;

        // It matches everything, which nobody means by writing nothing.
        if (text.Length == 0) throw new RetentionException($"The regular expression of {rule} is empty.");
        try
        {
            return new Regex(text, RegexOptions.CultureInvariant, MatchTimeout);
        }
        catch (ArgumentException exception)
        {
            throw new RetentionException($"'{Shown.Short(text)}' ({rule}) is no regular expression: {Shown.Short(exception.Message, 200)}", null, exception);
        }
    }

    private static bool IsMatch(Regex regex, string tag, string rule)
    {
        try
        {
            return regex.IsMatch(tag);
        }
        catch (RegexMatchTimeoutException exception)
        {
            throw TooLong(rule, tag, exception);
        }
    }

    private static RetentionException TooLong(string rule, string tag, Exception exception) =>
        new($"The regular expression of {rule} takes too long on the tag '{Shown.Short(tag)}'.", "Nested repetitions such as (a+)+ take for ever: write it otherwise.", exception);

    private sealed record Candidate(int Index, RetentionTag Tag, DateTimeOffset? Date, SemanticVersion? Version, string? Group);
}
