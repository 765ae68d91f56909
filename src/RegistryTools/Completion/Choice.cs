using System.Management.Automation;
using RegistryTools.Inspection;

namespace RegistryTools.PowerShell.Completion;

/// <summary>Which of many candidates are shown, and how.</summary>
internal static class Choice
{
    /// <summary>The most that are shown.</summary>
    public const int Maximum = 200;

    /// <summary>
    /// Chooses those that begin with what was typed, or are like it where it has wildcards; letters regardless of case. In natural order, unless they are to stay in theirs; each once.
    /// </summary>
    /// <param name="typed">What was typed of it.</param>
    /// <param name="candidates">The candidates.</param>
    /// <param name="isOrdered">Whether they are in an order that means something.</param>
    public static List<Candidate> Of(string typed, IEnumerable<Candidate> candidates, bool isOrdered = false)
    {
        var matches = Matcher(typed);
        var chosen = new List<Candidate>();
        if (isOrdered)
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var candidate in candidates)
            {
                if (!matches(candidate.Text) || !seen.Add(candidate.Text)) continue;
                chosen.Add(candidate);
                if (chosen.Count == Maximum) break;
            }

            return chosen;
        }

        // Of fifty thousand only the first two hundred are ever sorted.
        var order = Comparer<Candidate>.Create(static (one, other) => TagOrder.Natural.Compare(one.Text, other.Text));
        foreach (var candidate in candidates)
        {
            if (!matches(candidate.Text) || (chosen.Count == Maximum && order.Compare(candidate, chosen[Maximum - 1]) >= 0)) continue;
            var place = chosen.BinarySearch(candidate, order);
            if (place >= 0) continue;
            chosen.Insert(~place, candidate);
            if (chosen.Count > Maximum) chosen.RemoveAt(Maximum);
        }

        return chosen;
    }

    /// <summary>Writes them as the shell shows and inserts them.</summary>
    /// <param name="word">The word that they stand for.</param>
    /// <param name="chosen">The candidates.</param>
    /// <param name="before">What stands before each of them in the word.</param>
    public static IEnumerable<CompletionResult> Show(Word word, IEnumerable<Candidate> chosen, string before = "")
    {
        foreach (var candidate in chosen)
        {
            var text = before + candidate.Text;
            yield return new CompletionResult(word.Write(text), candidate.Label ?? text, CompletionResultType.ParameterValue, candidate.Note is null ? text : text + " (" + candidate.Note + ")");
        }
    }

    private static Func<string, bool> Matcher(string typed)
    {
        if (WildcardPattern.ContainsWildcardCharacters(typed))
        {
            try
            {
                var pattern = WildcardPattern.Get(typed + "*", WildcardOptions.IgnoreCase);
                pattern.IsMatch(string.Empty);
                return pattern.IsMatch;
            }
            catch (WildcardPatternException)
            {
                // A bracket that is not closed yet.
            }
        }

        return text => text.StartsWith(typed, StringComparison.OrdinalIgnoreCase);
    }
}
