using System.Globalization;
using System.Management.Automation;

namespace RegistryTools.PowerShell.Completion;

/// <summary>Completes what the quarantine of a storage is asked for: runs, digests and repositories.</summary>
public sealed class GarbageCompleter : RegistryCompleter
{
    private protected override IEnumerable<CompletionResult> Complete(CommandLine line)
    {
        if (line.FindStorage() is not { } storage) return [];
        return Choice.Show(line.Word, line.Parameter switch
        {
            "Digest" => DigestCompleter.Choose(line.Word.Text, storage.Garbage(line.Parameter, static (_, item) => item.Digest is { } digest ? new Candidate(digest.ToString(), item.Repository) : null)),
            "Repository" => Choice.Of(line.Word.Text, storage.Garbage(line.Parameter, static (_, item) => item.Repository is { } repository ? new Candidate(repository) : null)),
            _ => Choice.Of(line.Word.Text, Enumerable.Reverse(storage.Garbage(line.Parameter, static (run, _) => new Candidate(run.Id, run.Time.LocalDateTime.ToString("g", CultureInfo.CurrentCulture)))), isOrdered: true),
        });
    }
}
