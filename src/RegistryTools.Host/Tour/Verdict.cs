namespace RegistryTools.Host.Tour;

/// <summary>One tag's line in a verdict.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Tag">The tag.</param>
/// <param name="Digest">The digest that it had; null for one that was not there.</param>
/// <param name="Text">What was found.</param>
/// <param name="IsRight">Whether that is what should be.</param>
public sealed record Finding(string Repository, string Tag, string? Digest, string Text, bool IsRight);

/// <summary>Whether a registry has lost the tags that it should have lost, and nothing else.</summary>
/// <param name="Findings">A line for each tag.</param>
/// <param name="Removed">How many tags were to go, and are gone.</param>
/// <param name="Kept">How many others pull as before.</param>
public sealed record Verdict(IReadOnlyList<Finding> Findings, int Removed, int Kept)
{
    private static readonly string[] Numbers = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

    /// <summary>What is wrong.</summary>
    public IEnumerable<Finding> Wrong => Findings.Where(f => !f.IsRight);

    /// <summary>Whether nothing is.</summary>
    public bool IsRight => !Wrong.Any();

    /// <summary>The verdict in a line.</summary>
    public string Summary
    {
        get
        {
            if (!IsRight)
                return "wrong: " + string.Join("; ", Wrong.Select(f => $"{f.Repository}:{f.Tag} {f.Text}"));
            if (Removed == 0)
                return $"nothing is gone; all {Kept} tags pull";
            string number = Removed < Numbers.Length ? Numbers[Removed] : Removed.ToString(System.Globalization.CultureInfo.InvariantCulture);
            return $"the {number} tag{(Removed == 1 ? " is" : "s are")} gone; {Kept} other tag{(Kept == 1 ? "" : "s")} still pull{(Kept == 1 ? "s" : "")}";
        }
    }

    /// <summary>Compares what a registry holds with what it held.</summary>
    /// <param name="witness">Who looks.</param>
    /// <param name="before">What it held.</param>
    /// <param name="removed">What should be gone since: repository and tag.</param>
    /// <param name="cancellation">Stops it.</param>
    public static async Task<Verdict> ReachAsync(
        RegistryWitness witness, IReadOnlyList<WitnessedTag> before, IReadOnlyCollection<(string Repository, string Tag)> removed, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(witness);
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(removed);
        var listed = new HashSet<(string, string)>();
        foreach (string repository in before.Select(t => t.Repository).Union(await witness.RepositoriesAsync(cancellation), StringComparer.Ordinal))
            listed.UnionWith((await witness.TagsAsync(repository, cancellation)).Select(tag => (repository, tag)));

        var findings = new List<Finding>();
        int gone = 0;
        int kept = 0;
        foreach (WitnessedTag tag in before)
        {
            bool isListed = listed.Remove((tag.Repository, tag.Tag));
            bool shouldBeGone = removed.Contains((tag.Repository, tag.Tag));
            (string text, bool isRight) = shouldBeGone
                ? await JudgeRemovedAsync(witness, tag, isListed, cancellation)
                : await JudgeKeptAsync(witness, tag, isListed, cancellation);
            findings.Add(new Finding(tag.Repository, tag.Tag, tag.Content.Digest, text, isRight));
            if (isRight && shouldBeGone)
                gone++;
            else if (isRight)
                kept++;
        }
        foreach ((string repository, string tag) in removed.Where(r => !before.Any(b => (b.Repository, b.Tag) == r)))
            findings.Add(new Finding(repository, tag, null, "was not there to begin with", false));
        foreach ((string repository, string tag) in listed.Order())
            findings.Add(new Finding(repository, tag, null, "was not there before", false));
        return new Verdict(findings, gone, kept);
    }

    private static async Task<(string, bool)> JudgeRemovedAsync(RegistryWitness witness, WitnessedTag tag, bool isListed, CancellationToken cancellation)
    {
        try
        {
            if (isListed)
                return ("is still listed", false);
            if (!await witness.IsGoneAsync(tag.Repository, tag.Tag, cancellation))
                return ("is not listed, but still answers", false);
            // The tag alone was to go: its manifest stays until a garbage collection, which is what makes an undo possible.
            Pulled content = await witness.PullAsync(tag.Repository, tag.Content.Digest, cancellation);
            return content == tag.Content ? ("gone; its manifest still pulls by digest", true) : ("is gone, but its manifest pulls otherwise than before", false);
        }
        catch (WitnessException e)
        {
            return ("is gone, and more with it: " + e.Message, false);
        }
    }

    private static async Task<(string, bool)> JudgeKeptAsync(RegistryWitness witness, WitnessedTag tag, bool isListed, CancellationToken cancellation)
    {
        try
        {
            if (!isListed)
                return ("is missing from the list", false);
            Pulled content = await witness.PullAsync(tag.Repository, tag.Tag, cancellation);
            if (content.Digest != tag.Content.Digest)
                return ($"points to {content.Digest} now", false);
            return content == tag.Content
                ? ($"pulls whole: {Count(content.Manifests, "manifest")}, {Count(content.Blobs, "blob")}, {content.Bytes} bytes", true)
                : ("pulls otherwise than before", false);
        }
        catch (WitnessException e)
        {
            return ("doesn't pull: " + e.Message, false);
        }
    }

    private static string Count(int number, string what) => $"{number} {what}{(number == 1 ? "" : "s")}";
}
