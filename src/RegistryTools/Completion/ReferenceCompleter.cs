using System.Management.Automation;
using RegistryTools.References;

namespace RegistryTools.PowerShell.Completion;

/// <summary>Completes references: <c>repository</c>, <c>repository:tag</c>, <c>repository@digest</c>, each with a connected registry before it where none is given otherwise.</summary>
public sealed class ReferenceCompleter : RegistryCompleter
{
    private protected override IEnumerable<CompletionResult> Complete(CommandLine line)
    {
        var text = line.Word.Text;
        var isGiven = line.IsGiven("StoragePath") || line.IsGiven("Registry");
        var source = line.FindSource();
        var before = string.Empty;
        var slash = text.IndexOf('/');
        if (source is not null && text.StartsWith(source.Name + "/", StringComparison.OrdinalIgnoreCase))
        {
            before = source.Name + "/";
        }
        else if (!isGiven && slash > 0 && IsRegistry(text.Substring(0, slash)))
        {
            source = line.Find(text.Substring(0, slash));
            before = text.Substring(0, slash + 1);
        }

        if (source is null) return [];
        var rest = text.Substring(before.Length);
        var at = rest.IndexOf('@');
        var colon = rest.LastIndexOf(':');
        if (at > 0)
        {
            var named = rest.Substring(0, at);
            var tagged = named.LastIndexOf(':') > named.LastIndexOf('/') ? named.LastIndexOf(':') : -1;
            var repository = RepositoryName.Normalize(tagged < 0 ? named : named.Substring(0, tagged), out _);
            var tag = tagged < 0 ? null : TagName.Validate(named.Substring(tagged + 1));
            var chosen = DigestCompleter.Choose(rest.Substring(at + 1), source.Digests(repository, tag));
            return Choice.Show(line.Word, chosen, before + repository + (tag is null ? string.Empty : ":" + tag) + "@");
        }

        if (colon > rest.LastIndexOf('/'))
        {
            var repository = RepositoryName.Normalize(rest.Substring(0, colon), out _);
            var tags = line.IsCommand("Restore", "RegistryTag") ? TagCompleter.Removed(line, source, repository) : source.Tags(repository);
            return Choice.Show(line.Word, Choice.Of(rest.Substring(colon + 1), tags), before + repository + ":");
        }

        var results = Choice.Show(line.Word, Choice.Of(rest, source.Repositories()), before);
        if (isGiven || before.Length > 0 || text.Length == 0) return results;

        // The other registries that there are: what is in them is completed once one of them stands there.
        var others = line.Session.Connections.Where(static connection => connection.Address is { Prefix.Length: 0 } && !connection.IsCurrent).Select(static connection => new Candidate(connection.Address!.Name + "/", connection.Name));
        return results.Concat(Choice.Show(line.Word, Choice.Of(text, others, isOrdered: true)));
    }

    private static bool IsRegistry(string first) => first.IndexOf('.') >= 0 || first.IndexOf(':') >= 0 || first.Equals("localhost", StringComparison.OrdinalIgnoreCase);
}
