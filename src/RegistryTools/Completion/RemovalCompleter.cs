using System.Management.Automation;
using RegistryTools.References;

namespace RegistryTools.PowerShell.Completion;

/// <summary>Completes what the journal of removals is asked for: repositories, tags and runs. It asks no registry.</summary>
public sealed class RemovalCompleter : RegistryCompleter
{
    private protected override IEnumerable<CompletionResult> Complete(CommandLine line)
    {
        var location = line.IsGiven("Registry") ? line.FindSource()?.Location : null;
        if (location is null && line.IsGiven("Registry")) return [];
        var repository = line.Texts("Repository") is { Count: 1 } named && !WildcardPattern.ContainsWildcardCharacters(named[0]) && RepositoryName.IsValid(named[0].ToLowerInvariant()) ? named[0].ToLowerInvariant() : null;
        var found = line.Parameter switch
        {
            "Repository" => Removals.Get(line, location, "all repositories", static entry => new Candidate(entry.Repository)),
            "RunId" => Removals.Get(line, location, "all runs", static entry => new Candidate(entry.RunId, entry.Time.LocalDateTime.ToString("g", System.Globalization.CultureInfo.CurrentCulture))),
            _ => Removals.Get(line, location, "all tags " + repository, entry => entry.Tag is { } tag && (repository is null || entry.Repository == repository) ? new Candidate(tag, entry.Repository) : null),
        };
        return Choice.Show(line.Word, line.Parameter == "RunId" ? Choice.Of(line.Word.Text, Enumerable.Reverse(found), isOrdered: true) : Choice.Of(line.Word.Text, found));
    }
}
