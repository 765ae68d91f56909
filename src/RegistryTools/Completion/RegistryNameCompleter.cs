using System.Management.Automation;

namespace RegistryTools.PowerShell.Completion;

/// <summary>Completes the names of this session's connections.</summary>
public sealed class RegistryNameCompleter : RegistryCompleter
{
    private protected override IEnumerable<CompletionResult> Complete(CommandLine line) => Choice.Show(line.Word, Choice.Of(line.Word.Text, Names(line), isOrdered: true));

    /// <summary>The connections, in the order in which they were made.</summary>
    internal static IEnumerable<Candidate> Names(CommandLine line) =>
        line.Session.Connections.Where(static connection => !connection.Name.Any(char.IsControl)).Select(static connection => new Candidate(connection.Name, connection.Location));
}
