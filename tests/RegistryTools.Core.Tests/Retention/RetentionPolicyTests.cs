using System.Text;
using System.Text.Json.Nodes;
using RegistryTools.Retention;
using Xunit;

namespace RegistryTools.Tests.Retention;

/// <summary>The policy's file: what is good in it, and one clear error for each thing that is wrong.</summary>
public sealed class RetentionPolicyTests
{
    [Fact]
    public void A_policy_is_read_with_comments_and_the_first_entry_that_fits_applies()
    {
        var policy = Parse(
            """
            {
              "$schema": "schemas/retention-policy.schema.json",
              // Not more than this in a night.
              "maximumRemoval": 100, "maximumPercent": 50.5,
              "policies": [
                { "name": "release", "repositories": "team/app", "keepSemVer": "LatestPatch", },
                { "name": "rest", "repositories": ["team/*", "x?"], "exclude": ["team/base"], "olderThan": "30d", "by": "Tagged", "keepLast": 10, "groupBy": "^(.*)-\\d+$", "match": ".", "notMatch": "^v", "semVer": "<1.0.0", "protect": ["latest", "stable*"] },
              ],
            }
            """,
            out var errors)!;
        Assert.Empty(errors);
        Assert.Equal((100, 50.5), (policy.MaximumRemoval, policy.MaximumPercent));
        Assert.Equal("release", policy.Find("team/app")?.Name);
        Assert.Equal("rest", policy.Find("team/other")?.Name);
        Assert.Equal("rest", policy.Find("x1")?.Name);
        Assert.Null(policy.Find("team/base"));
        Assert.Null(policy.Find("other"));
        var rules = policy.Entries[1].Rules;
        Assert.Equal(
            (TimeSpan.FromDays(30), RetentionDate.Tagged, 10, @"^(.*)-\d+$", ".", "^v", "<1.0.0"),
            (rules.OlderThan!.Value, rules.By, rules.KeepLast!.Value, rules.GroupBy!, rules.Match!, rules.NotMatch!, rules.SemVer!));
        Assert.Equal(["latest", "stable*"], rules.Protect);
        Assert.Equal(VersionLine.LatestPatch, policy.Entries[0].Rules.KeepSemVer);
    }

    [Fact]
    public void Each_thing_that_is_wrong_is_told_with_its_place_and_line()
    {
        Parse(
            """
            {
              "maximumRemoval": -1,
              "maximumPercent": 101,
              "polices": [],
              "policies": [
                { "repositories": [], "olderThan": "30" },
                { "repositories": ["a"], "keeplast": 3 },
                { "repositories": ["a"], "keepLast": 3.5 },
                { "repositories": ["a"], "by": "created", "match": 5 },
                { "repositories": ["a"], "match": "(" },
                { "repositories": ["a"] },
                { "match": "a" },
                7,
                { "repositories": ["a", ""], "match": "a" },
                { "repositories": ["a"], "match": "a", "match": "b" }
              ]
            }
            """,
            out var errors);
        Assert.Equal(
            [
                ("$.polices", 4), ("$.maximumRemoval", 2), ("$.maximumPercent", 3), ("$.policies[0].repositories", 6), ("$.policies[0].olderThan", 6), ("$.policies[1].keeplast", 7), ("$.policies[2].keepLast", 8),
                ("$.policies[3].by", 9), ("$.policies[3].match", 9), ("$.policies[4]", 10), ("$.policies[5]", 11), ("$.policies[6].repositories", 12), ("$.policies[7]", 13), ("$.policies[8].repositories", 14), ("$.policies[9].match", 15),
            ],
            errors.Select(error => (error.Path, error.Line)));
        Assert.All(errors, error => Assert.Contains($"{error.Path} (line {error.Line}): ", error.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("", 1)]
    [InlineData("[]", 1)]
    [InlineData("{", 1)]
    [InlineData("{\n\n\"a\" 1}", 3)]
    [InlineData("{}", 1)]
    [InlineData("{} {}", 1)]
    [InlineData("""{"policies":[]}""", 1)]
    [InlineData("""{"policies":5}""", 1)]
    [InlineData("""{"policies":[{"repositories":"\ud800","match":"a"}]}""", 1)]
    public void What_is_no_policy_is_one_error(string text, int line)
    {
        Assert.Null(Parse(text, out var errors));
        Assert.Equal(line, Assert.Single(errors).Line);
    }

    [Theory]
    [InlineData(""" "match":"" """, "match")]
    [InlineData(""" "notMatch":"" """, "notMatch")]
    [InlineData(""" "keepLast":1,"groupBy":"" """, "groupBy")]
    [InlineData(""" "keepLast":0 """, "keepLast")]
    [InlineData(""" "olderThan":"6m" """, "olderThan")]
    [InlineData(""" "olderThan":"٣٠d" """, "olderThan")]
    [InlineData(""" "olderThan":"30d\n" """, "olderThan")]
    [InlineData(""" "match":"a","protect":["v[12]*"] """, "protect")]
    [InlineData(""" "match":"a","protect":"{latest,stable*}" """, "protect")]
    [InlineData(""" "match":"a","exclude":["team/[ab]*"] """, "exclude")]
    [InlineData(""" "match":"a","exclude":"" """, "exclude")]
    public void What_would_choose_more_or_keep_less_than_was_meant_is_an_error(string rules, string setting)
    {
        Assert.Null(Parse($$"""{"policies":[{"repositories":"a",{{rules}}}]}""", out var errors));
        Assert.Equal("$.policies[0]." + setting, Assert.Single(errors).Path);
    }

    [Theory]
    [InlineData("no name")]
    [InlineData("team/{a,b}")]
    [InlineData("a:latest")]
    [InlineData("a//b")]
    public void What_no_repository_can_be_called_is_an_error(string name)
    {
        Assert.Null(Parse($$"""{"policies":[{"repositories":["a","{{name}}"],"match":"a"}]}""", out var errors));
        Assert.Equal("$.policies[0].repositories", Assert.Single(errors).Path);
    }

    [Fact]
    public void Repositories_are_what_they_are_to_the_registry_whatever_their_case()
    {
        var policy = Parse("""{"policies":[{"name":"x","repositories":["Team/App","Lib/*"],"exclude":["Lib/Base*"],"match":"a"}]}""", out _)!;
        Assert.Equal("x", policy.Find("team/app")?.Name);
        Assert.Equal("x", policy.Find("lib/c")?.Name);
        Assert.Null(policy.Find("lib/base-os"));
    }

    [Fact]
    public void A_pattern_of_many_stars_is_decided_at_once()
    {
        var policy = Parse($$"""{"policies":[{"repositories":["{{string.Concat(Enumerable.Repeat("*a", 40))}}*b"],"match":"a"}]}""", out _)!;
        Assert.Null(policy.Find(new string('a', 255)));
    }

    [Fact]
    public void What_PowerShell_writes_by_itself_is_read()
    {
        const string text = """{"policies":[{"name":"ä","repositories":["a"],"match":"a"}]}""";
        foreach (var encoding in new Encoding[] { new UnicodeEncoding(false, true), new UnicodeEncoding(true, true), new UTF8Encoding(true) })
        {
            Assert.Equal("ä", RetentionPolicy.Parse([.. encoding.GetPreamble(), .. encoding.GetBytes(text)], out var errors)?.Entries[0].Name);
            Assert.Empty(errors);
        }
    }

    [Fact]
    public void A_file_of_a_megabyte_is_read_and_its_last_line_found()
    {
        var names = string.Join("\n,", Enumerable.Repeat("\"a\"", 200_000));
        Parse($$"""{"policies":[{"repositories":[{{names}},7],"match":"a"}]}""", out var errors);
        Assert.Equal(1, Assert.Single(errors).Line);
    }

    [Fact]
    public void The_published_schema_names_what_is_read_and_nothing_else()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "RegistryTools.sln"))) directory = directory.Parent!;
        var schema = JsonNode.Parse(File.ReadAllText(Path.Combine(directory.FullName, "schemas", "retention-policy.schema.json")))!;
        Assert.Equal(["$schema", "maximumPercent", "maximumRemoval", "policies"], schema["properties"]!.AsObject().Select(property => property.Key).Order(StringComparer.Ordinal));
        var entry = schema["properties"]!["policies"]!["items"]!["properties"]!.AsObject();

        // Each of them is known to the reader, and so is no other.
        foreach (var name in entry.Select(property => property.Key)) Assert.DoesNotContain("no such setting", Told($$"""{"policies":[{"repositories":"a","match":"a","{{name}}":null}]}"""), StringComparison.Ordinal);
        var told = Told("""{"policies":[{"repositories":"a","match":"a","nothing":1}]}""");
        Assert.Equal(entry.Select(property => property.Key).Order(StringComparer.Ordinal), told[(told.IndexOf("There are: ", StringComparison.Ordinal) + 11)..].TrimEnd('.').Split(", ").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Limits_are_of_each_repository_and_of_all()
    {
        RetentionPlanner.CheckLimits([Plan("a", 3, 10), Plan("b", 0, 0), Plan("c", 0, 5)], null, null);
        RetentionPlanner.CheckLimits([Plan("a", 3, 10)], 3, 30);
        RetentionPlanner.CheckLimits([Plan("a", 10, 10)], null, 100);
        Assert.Contains("all 10 tags of 'a'", Beyond([Plan("b", 1, 10), Plan("a", 10, 10)], null, null), StringComparison.Ordinal);
        Assert.Contains("4 tags", Beyond([Plan("a", 2, 10), Plan("b", 2, 10)], 3, null), StringComparison.Ordinal);
        Assert.Contains("'b'", Beyond([Plan("a", 1, 10), Plan("b", 4, 10)], null, 30), StringComparison.Ordinal);
        Assert.Contains("Nothing was removed", Beyond([Plan("a", 1, 1000)], 0, null), StringComparison.Ordinal);
    }

    private static string Beyond(RepositoryRetention[] plans, int? removal, double? percent) => Assert.Throws<RetentionLimitException>(() => RetentionPlanner.CheckLimits(plans, removal, percent)).Message;

    private static RepositoryRetention Plan(string repository, int removed, int all) =>
        new(repository, new RetentionPolicyEntry("p", [repository], [], new RetentionRules()), [.. Enumerable.Range(0, all).Select(i => new RetentionDecision(new RetentionTag("t" + i), i < removed, "r", "r", null))]);

    private static string Told(string text)
    {
        Parse(text, out var errors);
        return string.Join(" ", errors.Select(error => error.Message));
    }

    private static RetentionPolicy? Parse(string text, out IReadOnlyList<RetentionPolicyException> errors) => RetentionPolicy.Parse(Encoding.UTF8.GetBytes(text), out errors);
}
