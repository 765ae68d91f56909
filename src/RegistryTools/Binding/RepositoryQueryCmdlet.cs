using System.Management.Automation;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;
using RegistryTools.References;

namespace RegistryTools.PowerShell;

/// <summary>The base of the cmdlets that read what is in repositories, which are named, found by wildcards, or piped.</summary>
public abstract class RepositoryQueryCmdlet : RegistryTargetCmdlet
{
    /// <summary>
    /// The repositories, by name; with wildcards, those of the registry's catalog that match. A reference as it is pulled is taken as well: <c>repository:tag</c> or <c>repository@digest</c>, with the registry before it where that is not the
    /// current one. Upper-case letters of a repository are lowered.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Reference")]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [NameTransformation]
    [ArgumentCompleter(typeof(ReferenceCompleter))]
    public string[] Repository { get; set; } = [];

    /// <summary>Does something for every repository that the argument names. What names none is told as an error, and the next one follows.</summary>
    private protected void ForEachRepository(Action<Query> act)
    {
        foreach (var text in Repository)
        {
            if (WildcardPattern.ContainsWildcardCharacters(text)) Expand(text, act);
            else if (TryFindReference(text, out var connection, out var reference)) act(new Query(connection, reference.Repository, reference.Tag, reference.Digest));
        }
    }

    private void Expand(string text, Action<Query> act)
    {
        if (!TryConnect(Registry, out var connection)) return;
        var pattern = WildcardPattern.Get(text, WildcardOptions.IgnoreCase);
        var any = false;
        var ended = TryStream(
            new ErrorSubject(text, connection.Name),
            token => connection.Handle.ListRepositoriesAsync(token),
            repository =>
            {
                if (!pattern.IsMatch(repository)) return;
                any = true;
                act(new Query(connection, repository, null, null));
            },
            $"Looking for repositories like {text}");
        if (ended && !any) WriteVerbose($"No repository of {connection.Name} is like '{text}'.");
    }

    /// <summary>A repository of a connected registry, and the tag or digest that was named along with it.</summary>
    private protected sealed record Query(RegistryConnection Connection, string Repository, string? Tag, Digest? Digest)
    {
        public ErrorSubject Subject(object? target = null, string? reference = null) => new(target ?? Repository, Connection.Name, Repository, reference);
    }
}
