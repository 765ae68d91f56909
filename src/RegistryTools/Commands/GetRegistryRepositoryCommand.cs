using System.Management.Automation;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Lists the repositories of a registry.</summary>
[Cmdlet(VerbsCommon.Get, "RegistryRepository")]
[OutputType(typeof(RegistryRepository))]
public sealed class GetRegistryRepositoryCommand : RegistryTargetCmdlet
{
    /// <summary>
    /// The names of repositories. Wildcards are taken. One that is named without wildcards is looked for by its tags, which works where a registry has no catalog, or closes it.
    /// </summary>
    /// <value>All repositories</value>
    [Parameter(Position = 0)]
    [Alias("Repository")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [NameTransformation]
    [ArgumentCompleter(typeof(RepositoryCompleter))]
    public string[]? Name { get; set; }

    private protected override void Process()
    {
        if (!TryConnect(Registry, out var connection)) return;
        var patterns = new List<WildcardPattern>();
        foreach (var name in Name ?? ["*"])
        {
            if (WildcardPattern.ContainsWildcardCharacters(name)) patterns.Add(WildcardPattern.Get(name, WildcardOptions.IgnoreCase));
            else if (TryNormalizeRepository(name, connection, out var repository)) Find(connection, repository);
        }

        if (patterns.Count == 0) return;
        TryStream(
            new ErrorSubject(connection.Name, connection.Name),
            token => connection.Handle.ListRepositoriesAsync(token),
            repository =>
            {
                if (patterns.Exists(pattern => pattern.IsMatch(repository))) WriteObject(new RegistryRepository(connection.Name, repository));
            },
            $"Listing repositories of {connection.Name}");
    }

    private void Find(RegistryConnection connection, string repository)
    {
        var found = TryRun(
            new ErrorSubject(repository, connection.Name, repository),
            async token =>
            {
                await using var tags = connection.Handle.ListTagsAsync(repository, token).GetAsyncEnumerator(token);
                await tags.MoveNextAsync().ConfigureAwait(false);
                return true;
            },
            out _,
            $"Looking for {repository}");
        if (found) WriteObject(new RegistryRepository(connection.Name, repository));
    }
}
