using System.Management.Automation;

namespace RegistryTools.PowerShell.Completion;

/// <summary>
/// Completes digests: of the tags that the command line names, else of the last fifty of the repository's in natural order, which the note of each names. For <c>Restore-RegistryTag</c> those that the journal has.
/// What is typed may be the beginning of the hexadecimal digits alone.
/// </summary>
public sealed class DigestCompleter : RegistryCompleter
{
    private protected override IEnumerable<CompletionResult> Complete(CommandLine line)
    {
        var tags = line.Texts("Tag").Concat(line.Texts("Name")).Where(static tag => !WildcardPattern.ContainsWildcardCharacters(tag)).Take(4).ToList();
        var candidates = new List<Candidate>();
        foreach (var named in line.FindRepositories())
        {
            if (line.IsCommand("Restore", "RegistryTag"))
            {
                candidates.AddRange(Removals.Get(
                    line,
                    named.Source.Location,
                    "digests " + named.Repository + " " + string.Join(" ", tags),
                    entry => entry.Repository == named.Repository && Removals.IsRestorable(entry) && (tags.Count == 0 || (entry.Tag is not null && tags.Contains(entry.Tag))) ? new Candidate(entry.Digest.ToString(), entry.Tag) : null));
                continue;
            }

            var own = named.Tag is null ? tags : [named.Tag];
            if (own.Count == 0) candidates.AddRange(named.Source.Digests(named.Repository, null));

            // Of what is to be changed, a tag's own digest and no platform's is what has to match.
            foreach (var tag in own) candidates.AddRange(named.Source.Digests(named.Repository, tag).Take(line.IsCommand("Get", string.Empty) ? int.MaxValue : 1));
        }

        return Choice.Show(line.Word, Choose(line.Word.Text, candidates));
    }

    /// <summary>Chooses digests. One that several tags have is one, whose note names them all.</summary>
    internal static List<Candidate> Choose(string typed, IEnumerable<Candidate> candidates)
    {
        var digests = candidates.GroupBy(static candidate => candidate.Text).Select(static group => Named(group.Key, string.Join(", ", group.Select(static candidate => candidate.Note).OfType<string>().Distinct())));
        var isHexadecimal = typed.Length > 0 && typed.IndexOf(':') < 0 && typed.All(static c => c is (>= '0' and <= '9') or (>= 'a' and <= 'f') or (>= 'A' and <= 'F'));
        return Choice.Of(isHexadecimal ? "*:" + typed : typed, digests, isOrdered: true);
    }

    // Seventy characters of which none tells anything: a list shows what stands for it elsewhere, and whose it is.
    private static Candidate Named(string digest, string owners) => new(digest, owners, digest.Substring(digest.IndexOf(':') + 1, 12) + " " + owners);
}
