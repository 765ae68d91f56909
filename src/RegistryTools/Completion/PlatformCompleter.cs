using System.Management.Automation;

namespace RegistryTools.PowerShell.Completion;

/// <summary>Completes platforms: those of the tags or digests that the command line names, and the usual ones where it names none, or where the registry does not tell in time.</summary>
public sealed class PlatformCompleter : RegistryCompleter
{
    private static readonly Candidate[] Usual =
    [
        .. new[] { "linux/386", "linux/amd64", "linux/arm/v5", "linux/arm/v6", "linux/arm/v7", "linux/arm64", "linux/loong64", "linux/ppc64le", "linux/riscv64", "linux/s390x", "windows/amd64", "windows/arm64" }
            .Select(static platform => new Candidate(platform)),
    ];

    private protected override IEnumerable<CompletionResult> Complete(CommandLine line)
    {
        var references = line.Texts("Digest").Concat(line.Texts("Tag")).Where(static text => !WildcardPattern.ContainsWildcardCharacters(text)).Take(4).ToList();
        var platforms = new List<Candidate>();
        foreach (var named in line.FindRepositories())
        {
            foreach (var reference in named.Digest is not null ? [named.Digest] : named.Tag is not null ? [named.Tag] : references) platforms.AddRange(named.Source.Platforms(named.Repository, reference));
        }

        return Choice.Show(line.Word, Choice.Of(line.Word.Text, platforms.Count == 0 ? Usual : platforms));
    }
}
