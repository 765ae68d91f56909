using RegistryTools.Retention;
using Xunit;

namespace RegistryTools.Tests.Retention;

/// <summary>Which tags go, rule by rule, and against a plain model.</summary>
public sealed class RetentionSelectorTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void What_is_older_goes_but_for_the_last_and_the_protected()
    {
        var decisions = Select(
            new RetentionRules { OlderThan = TimeSpan.FromDays(30), KeepLast = 2, Protect = ["latest", "stable*"] },
            ("a", 10), ("b", 40), ("c", 50), ("d", 60), ("latest", 400), ("stable-1", 500), ("none", null), ("epoch", -20000));
        Assert.Equal(["c", "d"], Removed(decisions));
        Assert.Equal(["KeepLast", "KeepLast", "OlderThan", "OlderThan", "Protect", "Protect", "UnknownDate", "UnknownDate"], decisions.Select(decision => decision.Rule));
        Assert.All(decisions.Where(decision => decision.HasUnknownDate), decision => Assert.False(decision.IsRemoved));
        Assert.Contains("1970", decisions[^1].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void The_last_are_kept_of_each_group_and_what_is_in_none_stays()
    {
        var decisions = Select(new RetentionRules { KeepLast = 1, GroupBy = @"^(.*)-\d+$" }, ("pr-1", 5), ("pr-2", 4), ("main-1", 3), ("main-2", 2), ("main-3", 1), ("latest", 400));
        Assert.Equal(["main-1", "main-2", "pr-1"], Removed(decisions).Order());
        Assert.Equal("GroupBy", decisions.Single(decision => decision.Tag.Tag == "latest").Rule);
    }

    [Fact]
    public void Of_one_moment_it_does_not_hang_on_the_order()
    {
        (string, int?)[] tags = [("a", 1), ("b", 1), ("c", 1), ("d", 1)];
        var rules = new RetentionRules { KeepLast = 2 };
        Assert.Equal(["a", "b"], Removed(Select(rules, tags)).Order());
        Assert.Equal(["a", "b"], Removed(Select(rules, [.. tags.Reverse()])).Order());
    }

    [Theory]
    [InlineData("<1.4.0", "1.3.9 1.4.0-rc.1 v1.0.0")]
    [InlineData("<=1.4.0", "1.3.9 1.4.0 1.4.0-rc.1 v1.0.0")]
    [InlineData("<1.4", "1.3.9 1.4.0-rc.1 v1.0.0")]
    [InlineData(">=1.4.0 <2", "1.4.0 1.4.1 1.10.0 2.0.0-rc.1")]
    [InlineData("> 1.4 , < 2.0.0-a", "1.10.0")]
    [InlineData("^1.4.0", "1.4.0 1.4.1 1.10.0 2.0.0-rc.1")]
    [InlineData("~1.4.0", "1.4.0 1.4.1")]
    [InlineData("=1.4", "1.4.0 1.4.1")]
    [InlineData("1.4.0 || >=2.0.0", "1.4.0 2.0.0")]
    [InlineData("^0.2.3", "")]
    public void Versions_within_a_range_go_and_what_is_no_version_never_does(string range, string removed) =>
        Assert.Equal(removed, string.Join(' ', Removed(Select(new RetentionRules { SemVer = range }, [.. "1.3.9 1.4.0 1.4.0-rc.1 1.4.1 1.10.0 2.0.0-rc.1 2.0.0 v1.0.0 1 1.3 latest 01.2.3 1.2.3.4 sha-1".Split(' ').Select(tag => (tag, (int?)1))])).OrderBy(tag => tag.StartsWith('v') ? 1 : 0).ThenBy(tag => "1.3.9 1.4.0 1.4.0-rc.1 1.4.1 1.10.0 2.0.0-rc.1 2.0.0 ".IndexOf(tag + " ", StringComparison.Ordinal)).ThenBy(tag => tag)));

    [Theory]
    [InlineData(VersionLine.Latest, "2.1.0 latest")]
    [InlineData(VersionLine.LatestMinor, "1.10.0 2.1.0 3.0.0-rc.2 latest v1.10.0")]
    [InlineData(VersionLine.LatestPatch, "1.10.0 1.4.2 2.0.1 2.1.0 3.0.0-rc.2 latest v1.10.0")]
    public void The_last_versions_of_each_line_stay(VersionLine line, string kept)
    {
        var decisions = Select(new RetentionRules { KeepSemVer = line }, [.. "1.4.0 1.4.2 1.10.0 v1.10.0 2.0.0 2.0.1 2.1.0 2.1.0-rc.1 3.0.0-rc.1 3.0.0-rc.2 latest".Split(' ').Select(tag => (tag, (int?)1))]);
        Assert.Equal(kept, string.Join(' ', decisions.Where(decision => !decision.IsRemoved).Select(decision => decision.Tag.Tag).Order(StringComparer.Ordinal)));
    }

    [Theory]
    [InlineData("1.0.0-alpha", "1.0.0-alpha.1")]
    [InlineData("1.0.0-alpha.1", "1.0.0-alpha.beta")]
    [InlineData("1.0.0-alpha.beta", "1.0.0-beta")]
    [InlineData("1.0.0-beta", "1.0.0-beta.2")]
    [InlineData("1.0.0-beta.2", "1.0.0-beta.11")]
    [InlineData("1.0.0-beta.11", "1.0.0-rc.1")]
    [InlineData("1.0.0-rc.1", "1.0.0")]
    [InlineData("1.0.0", "v1.0.1+build")]
    [InlineData("1.0.0-99999999998", "1.0.0-99999999999")]
    public void Versions_are_in_the_order_of_the_specification(string lower, string higher)
    {
        Assert.True(SemanticVersion.Parse(lower)!.CompareTo(SemanticVersion.Parse(higher)) < 0);
        Assert.True(SemanticVersion.Parse(higher)!.CompareTo(SemanticVersion.Parse(lower)) > 0);
    }

    [Fact]
    public void A_placeholder_is_kept()
    {
        var decision = Assert.Single(new RetentionSelector(new RetentionRules { Match = "." }, Now).Select([new RetentionTag("x") { IsPlaceholder = true }]));
        Assert.Equal((false, "Placeholder"), (decision.IsRemoved, decision.Rule));
    }

    [Fact]
    public void Rules_that_are_none_are_told()
    {
        foreach (var rules in new RetentionRules[]
        {
            new(), new() { Protect = ["x"] }, new() { OlderThan = TimeSpan.FromDays(-1) }, new() { KeepLast = -1 }, new() { KeepLast = 0 }, new() { Match = "" }, new() { NotMatch = "" }, new() { KeepLast = 1, GroupBy = "" }, new() { Match = "(" }, new() { NotMatch = "[" }, new() { Match = "a", GroupBy = "(" },
            new() { Match = "a", GroupBy = "a" }, new() { SemVer = "" }, new() { SemVer = "<" }, new() { SemVer = "<x" }, new() { SemVer = "<1.2.3.4" }, new() { SemVer = "<>1" }, new() { SemVer = "1 ||" },
        })
        {
            Assert.Throws<RetentionException>(() => new RetentionSelector(rules, Now));
        }
    }

    [Theory]
    [InlineData("v[12]*")]
    [InlineData("{latest,stable*}")]
    [InlineData("latest, stable*")]
    [InlineData("team/app:latest")]
    [InlineData("^latest$")]
    [InlineData("")]
    public void What_no_tag_can_be_called_protects_nothing_and_is_told(string pattern) =>
        Assert.Contains("no tag", Assert.Throws<RetentionException>(() => new RetentionSelector(new RetentionRules { Match = ".", Protect = [pattern] }, Now)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_pattern_of_many_stars_is_decided_at_once()
    {
        var tag = new string('a', 128);
        Assert.Equal([], Removed(Select(new RetentionRules { Match = ".", Protect = [string.Concat(Enumerable.Repeat("*a", 30))] }, (tag, 1))));
        Assert.Equal([tag], Removed(Select(new RetentionRules { Match = ".", Protect = [string.Concat(Enumerable.Repeat("*a", 30)) + "*b"] }, (tag, 1))));
    }

    [Fact]
    public void A_build_s_time_for_a_patch_is_a_version_all_the_same()
    {
        var decisions = Select(new RetentionRules { OlderThan = TimeSpan.FromDays(1), KeepSemVer = VersionLine.Latest }, ("1.0.202611230900", 3), ("1.0.202611231000", 2), ("1.0.99999999999999999999999999", 2));
        Assert.Equal(["1.0.202611230900"], Removed(decisions).Where(tag => tag.Length < 20));
        Assert.Equal("KeepSemVer", decisions[1].Rule);
    }

    [Fact]
    public void A_tag_that_the_group_has_no_part_in_is_in_no_group()
    {
        var decisions = Select(new RetentionRules { KeepLast = 1, GroupBy = @"^(?:(pr)|nightly)-\d+$" }, ("nightly-1", 3), ("nightly-2", 2), ("pr-1", 2), ("pr-2", 1));
        Assert.Equal(["pr-1"], Removed(decisions));
    }

    [Fact]
    public void An_expression_that_takes_for_ever_ends()
    {
        var tag = new RetentionTag(new string('a', 60) + "!");
        foreach (var rules in new RetentionRules[] { new() { Match = "^(a+)+$" }, new() { NotMatch = "^(a+)+$" } })
        {
            var error = Assert.Throws<RetentionException>(() => new RetentionSelector(rules, Now).Select([tag]));
            Assert.Contains("too long", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_plain_model_decides_the_same()
    {
        var random = new Random(20261123);
        for (var run = 0; run < 3000; run++)
        {
            var tags = Enumerable.Range(0, random.Next(12)).Select(i => new RetentionTag(
                Pick(random, "v", "", "pr-", "main-") + Pick(random, $"1.{random.Next(3)}.{random.Next(3)}", $"{random.Next(3)}.0.0-rc.{random.Next(3)}", i.ToString(System.Globalization.CultureInfo.InvariantCulture), "latest"),
                random.Next(6) == 0 ? null : Now.AddDays(-random.Next(random.Next(5) == 0 ? 20000 : 60)))).DistinctBy(tag => tag.Tag).ToList();
            var rules = new RetentionRules
            {
                OlderThan = random.Next(2) == 0 ? TimeSpan.FromDays(random.Next(60)) : null,
                KeepLast = random.Next(2) == 0 ? random.Next(1, 4) : null,
                Match = random.Next(3) == 0 ? Pick(random, "^pr-", "1", "^v?[0-9.]+$") : null,
                NotMatch = random.Next(3) == 0 ? Pick(random, "rc", "^main") : null,
                SemVer = random.Next(4) == 0 ? Pick(random, "<1.2.0", ">=1.0.0") : null,
                KeepSemVer = random.Next(4) == 0 ? (VersionLine)random.Next(3) : null,
                Protect = random.Next(2) == 0 ? [Pick(random, "latest", "v*", "main-?")] : [],
            };
            if (!rules.Chooses) continue;
            if (random.Next(3) == 0 && (rules.KeepLast ?? (int?)rules.KeepSemVer) is not null) rules = rules with { GroupBy = @"^([a-z]*)" };
            var decisions = new RetentionSelector(rules, Now).Select(tags);
            Assert.Equal(tags.Select(tag => tag.Tag), decisions.Select(decision => decision.Tag.Tag));
            Assert.Equal(tags.Where(tag => Model(rules, tags, tag)).Select(tag => tag.Tag), Removed(decisions));
        }
    }

    /// <summary>Whether a tag goes, said the other way round: tag by tag, each rule a question.</summary>
    private static bool Model(RetentionRules rules, List<RetentionTag> tags, RetentionTag tag)
    {
        bool Dated(RetentionTag other) => other.Created is { Year: > 1980 };
        bool InScope(RetentionTag other) =>
            !rules.Protect.Any(pattern => Like(other.Tag, pattern))
            && (rules.Match is null || System.Text.RegularExpressions.Regex.IsMatch(other.Tag, rules.Match))
            && (rules.NotMatch is null || !System.Text.RegularExpressions.Regex.IsMatch(other.Tag, rules.NotMatch))
            && (rules.SemVer is null || (Version(other.Tag) is { } version && (rules.SemVer == "<1.2.0" ? Compare(version, (1, 2, 0, int.MaxValue)) < 0 : Compare(version, (1, 0, 0, int.MaxValue)) >= 0)));
        string Group(RetentionTag other) => rules.GroupBy is null ? string.Empty : System.Text.RegularExpressions.Regex.Match(other.Tag, rules.GroupBy).Groups[1].Value;

        if (!InScope(tag)) return false;
        var needsDate = rules.OlderThan is not null || rules.KeepLast is not null;
        if (needsDate && !Dated(tag)) return false;
        if (rules.OlderThan is { } age && !(Now - tag.Created > age)) return false;
        var rivals = tags.Where(other => InScope(other) && Group(other) == Group(tag)).ToList();
        if (rules.KeepLast is { } count && rivals.Count(other => Dated(other) && (other.Created > tag.Created || (other.Created == tag.Created && string.CompareOrdinal(other.Tag, tag.Tag) > 0))) < count) return false;
        if (rules.KeepSemVer is not { } line) return true;
        if (Version(tag.Tag) is not { } own) return rules.OlderThan is not null || rules.KeepLast is not null || rules.Match is not null || rules.NotMatch is not null || rules.SemVer is not null;
        var same = rivals.Select(other => Version(other.Tag)).Where(other => other is not null).Select(other => other!.Value)
            .Where(other => line == VersionLine.Latest || (other.Major == own.Major && (line == VersionLine.LatestMinor || other.Minor == own.Minor))).ToList();
        if (own.Rc != int.MaxValue && same.Exists(other => other.Rc == int.MaxValue)) return true;
        return same.Exists(other => (other.Rc == int.MaxValue) == (own.Rc == int.MaxValue) && Compare(other, own) > 0);
    }

    private static int Compare((int Major, int Minor, int Patch, int Rc) left, (int Major, int Minor, int Patch, int Rc) right) => left.CompareTo(right);

    private static (int Major, int Minor, int Patch, int Rc)? Version(string tag)
    {
        var match = System.Text.RegularExpressions.Regex.Match(tag, @"^v?(\d+)\.(\d+)\.(\d+)(?:-rc\.(\d+))?$");
        return match.Success ? (int.Parse(match.Groups[1].Value), int.Parse(match.Groups[2].Value), int.Parse(match.Groups[3].Value), match.Groups[4].Success ? int.Parse(match.Groups[4].Value) : int.MaxValue) : null;
    }

    private static bool Like(string tag, string pattern) => pattern[^1] == '*' ? tag.StartsWith(pattern[..^1], StringComparison.Ordinal) : pattern[^1] == '?' ? tag.Length == pattern.Length && tag.StartsWith(pattern[..^1], StringComparison.Ordinal) : tag == pattern;

    private static string Pick(Random random, params string[] texts) => texts[random.Next(texts.Length)];

    private static IReadOnlyList<RetentionDecision> Select(RetentionRules rules, params (string Tag, int? Days)[] tags) =>
        new RetentionSelector(rules, Now).Select([.. tags.Select(tag => new RetentionTag(tag.Tag, tag.Days is { } days ? (days < 0 ? DateTimeOffset.UnixEpoch : Now.AddDays(-days)) : null))]);

    private static IEnumerable<string> Removed(IEnumerable<RetentionDecision> decisions) => decisions.Where(decision => decision.IsRemoved).Select(decision => decision.Tag.Tag);
}
