using System.Management.Automation;

namespace RegistryTools.PowerShell.Completion;

/// <summary>Completes the names of repositories: of the registry that the command line names or of the current connection, or of the storage that it names.</summary>
public sealed class RepositoryCompleter : RegistryCompleter
{
    private protected override IEnumerable<CompletionResult> Complete(CommandLine line)
    {
        if (line.FindSource(orCurrent: !IsOfStorage(line)) is not { } source) return [];
        IEnumerable<Candidate> repositories = source.Repositories();

        // What was removed whole may be gone from the catalog.
        if (line.IsCommand("Restore", "RegistryTag"))
        {
            repositories = repositories.Concat(Removals.Get(line, source.Location, "repositories", static entry => Removals.IsRestorable(entry) ? new Candidate(entry.Repository) : null));
        }

        return Choice.Show(line.Word, Choice.Of(line.Word.Text, repositories));
    }

    // What works on a storage means no connection by leaving the path out.
    private static bool IsOfStorage(CommandLine line) => line.IsCommand("Invoke", "RegistryGarbageCollect") || line.IsCommand("Test", "RegistryStorage") || line.IsCommand("Repair", "RegistryStorage");
}
