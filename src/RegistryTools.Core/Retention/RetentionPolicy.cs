using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using RegistryTools.References;
using RegistryTools.Text;

namespace RegistryTools.Retention;

/// <summary>The rules of a policy for some repositories.</summary>
/// <param name="Name">What the policy calls it.</param>
/// <param name="Repositories">The repositories, with <c>*</c> and <c>?</c>.</param>
/// <param name="Exclude">Those of them that are left out.</param>
/// <param name="Rules">The rules.</param>
public sealed record RetentionPolicyEntry(string Name, IReadOnlyList<string> Repositories, IReadOnlyList<string> Exclude, RetentionRules Rules)
{
    /// <summary>Whether it is for a repository.</summary>
    public bool IsFor(string repository)
    {
        // A registry that is not Docker's own may have upper-case letters in its names.
        var name = repository.ToLowerInvariant();
        return Repositories.Any(pattern => Wildcard.IsLike(name, pattern)) && !Exclude.Any(pattern => Wildcard.IsLike(name, pattern));
    }
}

/// <summary>A policy file: retention for many repositories, to be reviewed like code. The first entry that is for a repository applies to it; a repository that none is for is left alone.</summary>
public sealed class RetentionPolicy
{
    private static readonly string[] EntryNames = ["name", "repositories", "exclude", "olderThan", "by", "keepLast", "groupBy", "match", "notMatch", "semVer", "keepSemVer", "protect"];
    private static readonly Regex Age = new(@"^([0-9]{1,6})(w|d|h|min)\z", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));

    private RetentionPolicy(int? maximumRemoval, double? maximumPercent, IReadOnlyList<RetentionPolicyEntry> entries)
    {
        MaximumRemoval = maximumRemoval;
        MaximumPercent = maximumPercent;
        Entries = entries;
    }

    /// <summary>How many tags it may remove at most; null for any number.</summary>
    public int? MaximumRemoval { get; }

    /// <summary>How many of a hundred tags it may remove at most, of each repository and of all; null where it does not say.</summary>
    public double? MaximumPercent { get; }

    /// <summary>Its entries, in the order of the file.</summary>
    public IReadOnlyList<RetentionPolicyEntry> Entries { get; }

    /// <summary>The entry that applies to a repository; null for none.</summary>
    public RetentionPolicyEntry? Find(string repository) => Entries.FirstOrDefault(entry => entry.IsFor(repository));

    /// <summary>Reads a policy. Comments and trailing commas are allowed.</summary>
    /// <param name="json">The file's bytes.</param>
    /// <param name="errors">Everything that is wrong with it; empty where it is good.</param>
    /// <returns>The policy; null where something is wrong.</returns>
    public static RetentionPolicy? Parse(ReadOnlySpan<byte> json, out IReadOnlyList<RetentionPolicyException> errors)
    {
        var reader = new Reader();
        errors = reader.Errors;
        PolicyNode root;
        try
        {
            root = PolicyNode.Parse(json);
        }
        catch (JsonException exception)
        {
            reader.Wrong($"It is no JSON: {Shown.Short(Regex.Replace(exception.Message, @" LineNumber: .*$", string.Empty), 200)}", "$", (int)(exception.LineNumber ?? 0) + 1);
            return null;
        }

        if (root.Kind != JsonValueKind.Object)
        {
            reader.Wrong("It is no object.", "$", root.Line);
            return null;
        }

        reader.OnlyThese(root, "$", ["$schema", "maximumRemoval", "maximumPercent", "policies"]);
        var removal = reader.Whole(root, "$", "maximumRemoval", 0);
        var percent = reader.Percent(root, "$", "maximumPercent");
        var entries = new List<RetentionPolicyEntry>();
        if (root.Find("policies") is not { } list) reader.Wrong("It has no policies.", "$", root.Line);
        else if (list.Kind != JsonValueKind.Array) reader.Wrong("It is no list.", "$.policies", list.Line);
        else if (list.Items.Count == 0) reader.Wrong("It is empty.", "$.policies", list.Line);
        else for (var i = 0; i < list.Items.Count; i++) if (Entry(reader, list.Items[i], $"$.policies[{i.ToString(CultureInfo.InvariantCulture)}]") is { } entry) entries.Add(entry);
        return reader.Errors.Count > 0 ? null : new RetentionPolicy(removal, percent, entries);
    }

    private static RetentionPolicyEntry? Entry(Reader reader, PolicyNode node, string path)
    {
        if (node.Kind != JsonValueKind.Object)
        {
            reader.Wrong("It is no object.", path, node.Line);
            return null;
        }

        var before = reader.Errors.Count;
        reader.OnlyThese(node, path, EntryNames);
        var name = reader.Text(node, path, "name") ?? path;
        var repositories = reader.Repositories(node, path, "repositories");
        var exclude = reader.Repositories(node, path, "exclude");
        if (node.Find("repositories") is null || (repositories.Count == 0 && reader.Errors.Count == before)) reader.Wrong("It names no repositories.", path + ".repositories", node.Line);
        var rules = new RetentionRules
        {
            OlderThan = reader.Age(node, path, "olderThan"),
            By = reader.Choice<RetentionDate>(node, path, "by", ["Created", "Tagged"]) ?? RetentionDate.Created,
            KeepLast = reader.Whole(node, path, "keepLast", 1),
            GroupBy = reader.Rule(node, path, "groupBy"),
            Match = reader.Rule(node, path, "match"),
            NotMatch = reader.Rule(node, path, "notMatch"),
            SemVer = reader.Rule(node, path, "semVer"),
            KeepSemVer = reader.Choice<VersionLine>(node, path, "keepSemVer", ["Latest", "LatestPatch", "LatestMinor"]),
            Protect = reader.Patterns(node, path, "protect", RetentionSelector.IsTagPattern, "tag"),
        };
        if (reader.Errors.Count > before) return null;
        try
        {
            _ = new RetentionSelector(rules, DateTimeOffset.UtcNow);
        }
        catch (RetentionException exception)
        {
            reader.Wrong(exception.Message, path, node.Line);
            return null;
        }

        return new RetentionPolicyEntry(name, repositories, exclude, rules);
    }

    private sealed class Reader
    {
        public List<RetentionPolicyException> Errors { get; } = [];

        public void Wrong(string what, string path, int line) => Errors.Add(new RetentionPolicyException($"{path} (line {line.ToString(CultureInfo.InvariantCulture)}): {what}", path, line));

        public void OnlyThese(PolicyNode node, string path, string[] names)
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var (name, value) in node.Members)
            {
                if (Array.IndexOf(names, name) < 0) Wrong($"There is no such setting. There are: {string.Join(", ", names)}.", path + "." + Shown.Short(name), value.Line);
                else if (!seen.Add(name)) Wrong("It is there twice.", path + "." + name, value.Line);
            }
        }

        public string? Text(PolicyNode node, string path, string name)
        {
            if (node.Find(name) is not { } value) return null;
            if (value.Kind == JsonValueKind.String) return value.Text;
            Wrong("It is no text.", path + "." + name, value.Line);
            return null;
        }

        // What is empty matches everything.
        public string? Rule(PolicyNode node, string path, string name)
        {
            var text = Text(node, path, name);
            if (text is not { Length: 0 }) return text;
            Wrong("It is empty.", path + "." + name, node.Find(name)!.Line);
            return null;
        }

        /// <summary>Patterns of names; one that no name can be like is an error, since what it was meant to spare would go.</summary>
        public List<string> Patterns(PolicyNode node, string path, string name, Func<string, bool> isPattern, string kind)
        {
            var patterns = Texts(node, path, name);
            if (patterns.Find(pattern => !isPattern(pattern)) is not { } wrong) return patterns;
            Wrong($"No {kind} can be called '{Shown.Short(wrong)}': '*' and '?' alone stand for others.", path + "." + name, node.Find(name)!.Line);
            return [];
        }

        /// <summary>Repositories, which have no upper-case letters in any registry.</summary>
        public List<string> Repositories(PolicyNode node, string path, string name) =>
            Patterns(node, path, name, static pattern => Wildcard.IsPattern(pattern) ? IsRepositoryPattern(pattern.ToLowerInvariant()) : RepositoryName.IsValid(pattern.ToLowerInvariant()), "repository").ConvertAll(static pattern => pattern.ToLowerInvariant());

        private static bool IsRepositoryPattern(string pattern) => pattern.All(static c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_' or '.' or '-' or '/' or '*' or '?');

        public List<string> Texts(PolicyNode node, string path, string name)
        {
            if (node.Find(name) is not { } value) return [];
            if (value.Kind == JsonValueKind.String) return [value.Text];
            if (value.Kind == JsonValueKind.Array && value.Items.All(static item => item.Kind == JsonValueKind.String && item.Text.Length > 0)) return value.Items.ConvertAll(static item => item.Text);
            Wrong("It is no list of texts.", path + "." + name, value.Line);
            return [];
        }

        public int? Whole(PolicyNode node, string path, string name, int minimum)
        {
            if (node.Find(name) is not { } value) return null;
            if (value.Kind == JsonValueKind.Number && int.TryParse(value.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= minimum) return number;
            Wrong($"It is no whole number from {minimum.ToString(CultureInfo.InvariantCulture)} on.", path + "." + name, value.Line);
            return null;
        }

        public double? Percent(PolicyNode node, string path, string name)
        {
            if (node.Find(name) is not { } value) return null;
            if (value.Kind == JsonValueKind.Number && double.TryParse(value.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= 100) return number;
            Wrong("It is no number from 0 to 100.", path + "." + name, value.Line);
            return null;
        }

        public TimeSpan? Age(PolicyNode node, string path, string name)
        {
            if (node.Find(name) is not { } value) return null;
            if (value.Kind == JsonValueKind.String && RetentionPolicy.Age.Match(value.Text) is { Success: true } match)
            {
                var number = int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
                return match.Groups[2].Value switch { "w" => TimeSpan.FromDays(7.0 * number), "d" => TimeSpan.FromDays(number), "h" => TimeSpan.FromHours(number), _ => TimeSpan.FromMinutes(number) };
            }

            Wrong("It is no age such as \"30d\", \"2w\", \"12h\" or \"90min\". Months are told in days.", path + "." + name, value.Line);
            return null;
        }

        public T? Choice<T>(PolicyNode node, string path, string name, string[] names)
            where T : struct, Enum
        {
            if (node.Find(name) is not { } value) return null;
            if (value.Kind == JsonValueKind.String && names.Contains(value.Text, StringComparer.Ordinal) && Enum.TryParse<T>(value.Text, out var choice)) return choice;
            Wrong($"It is none of {string.Join(", ", names)}.", path + "." + name, value.Line);
            return null;
        }
    }
}
