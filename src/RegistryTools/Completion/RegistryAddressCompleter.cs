using System.Management.Automation;
using RegistryTools.Authentication;

namespace RegistryTools.PowerShell.Completion;

/// <summary>Completes registries: this session's connections, and then the addresses that Docker's config.json and Podman's auth.json have credentials for. Helpers that hold credentials are not asked.</summary>
public sealed class RegistryAddressCompleter : RegistryCompleter
{
    private static readonly object Key = new();

    private protected override IEnumerable<CompletionResult> Complete(CommandLine line)
    {
        // Connect-Registry takes a name for one only where it can't be an address, and a storage by another parameter.
        var connections = RegistryNameCompleter.Names(line);
        if (line.IsCommand("Connect", "Registry"))
        {
            var storages = line.Session.Connections.Where(static connection => connection.Uri is null && connection.Name.IndexOfAny(['.', ':']) >= 0).Select(static connection => connection.Name).ToList();
            connections = connections.Where(candidate => !storages.Contains(candidate.Text));
        }

        var stored = line.Session.Candidates.Get(
            Key,
            "registries",
            static (list, _) =>
            {
                foreach (var address in new CredentialFinder().ListRegistries()) list.Add(new Candidate(address, "credentials are configured"));
                return Task.CompletedTask;
            },
            line.Deadline);
        var known = line.Session.Connections.Where(static connection => connection.Address is not null).Select(static connection => connection.Address!.Name).ToList();
        var others = Choice.Of(line.Word.Text, stored.Where(candidate => !known.Contains(candidate.Text)));
        return Choice.Show(line.Word, Choice.Of(line.Word.Text, connections.Concat(others), isOrdered: true));
    }
}
