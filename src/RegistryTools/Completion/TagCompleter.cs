using System.Management.Automation;

namespace RegistryTools.PowerShell.Completion;

/// <summary>Completes the tags of the repositories that the command line names; for <c>Restore-RegistryTag</c> those that the journal has as removed. What stands in the same list already is left out.</summary>
public sealed class TagCompleter : RegistryCompleter
{
    private protected override IEnumerable<CompletionResult> Complete(CommandLine line)
    {
        var isRestoring = line.IsCommand("Restore", "RegistryTag");
        var tags = line.FindRepositories().SelectMany(named => isRestoring ? Removed(line, named.Source, named.Repository) : named.Source.Tags(named.Repository));
        var taken = line.Texts(line.Parameter).Where(text => text != line.Word.Text).ToList();
        return Choice.Show(line.Word, Choice.Of(line.Word.Text, tags.Where(tag => !taken.Contains(tag.Text))));
    }

    internal static Candidate[] Removed(CommandLine line, CandidateSource source, string repository) =>
        Removals.Get(line, source.Location, "tags " + repository, entry => entry.Tag is { } tag && entry.Repository == repository && Removals.IsRestorable(entry) ? new Candidate(tag, "removed " + entry.Time.LocalDateTime.ToString("g", System.Globalization.CultureInfo.CurrentCulture)) : null);
}
