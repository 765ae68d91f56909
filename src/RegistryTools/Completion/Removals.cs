using RegistryTools.Journal;

namespace RegistryTools.PowerShell.Completion;

/// <summary>The journal of removals, as what candidates come from.</summary>
internal static class Removals
{
    private static readonly object Key = new();

    /// <summary>Reads the journal.</summary>
    /// <param name="line">The command line.</param>
    /// <param name="location">The registry; null for all.</param>
    /// <param name="what">Says which part of an entry is wanted, and of which entries.</param>
    /// <param name="select">Gives that part, and what else there is to say; null for nothing.</param>
    public static Candidate[] Get(CommandLine line, string? location, string what, Func<JournalEntry, Candidate?> select) => line.Session.Candidates.Get(
        Key,
        what + " " + location,
        (list, token) =>
        {
            foreach (var entry in RemovalJournal.ForUser().Read(location))
            {
                token.ThrowIfCancellationRequested();
                if (select(entry) is { } candidate && !list.Add(candidate)) break;
            }

            return Task.CompletedTask;
        },
        line.Deadline);

    /// <summary>Whether there is anything to put back.</summary>
    public static bool IsRestorable(JournalEntry entry) => entry.State is RemovalState.Removed or RemovalState.Pending;
}
