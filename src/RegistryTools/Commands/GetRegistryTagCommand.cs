using System.Management.Automation;
using RegistryTools.Errors;
using RegistryTools.Inspection;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.References;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Lists the tags of repositories, and with -Detailed what they point to.</summary>
[Cmdlet(VerbsCommon.Get, "RegistryTag")]
[OutputType(typeof(RegistryTag))]
[OutputType(typeof(RegistryTagDetail))]
public sealed class GetRegistryTagCommand : RepositoryQueryCmdlet
{
    /// <summary>The tags. Wildcards are taken, and case counts, as it does in a registry. A tag that is named without wildcards and is not there is an error.</summary>
    /// <value>All tags</value>
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    [Alias("Tag")]
    [AllowNull]
    [AllowEmptyCollection]
    [AllowEmptyString]
    [SupportsWildcards]
    [NameTransformation]
    [ArgumentCompleter(typeof(TagCompleter))]
    public string[]? Name { get; set; }

    /// <summary>Adds digest, media type, kind, size, time of creation, platforms and kind of artifact. Each manifest is fetched once, however many tags point to it.</summary>
    [Parameter]
    public SwitchParameter Detailed { get; set; }

    /// <summary>
    /// The order of the tags of a repository.
    /// <list type="bullet">
    /// <item><term>None</term><description>The registry's own order, in which the first tags come at once.</description></item>
    /// <item><term>Name</term><description>By character code.</description></item>
    /// <item><term>Natural</term><description>Numbers by their value: T2 comes before T10.</description></item>
    /// <item><term>Semantic</term><description>Versions by the rules of semantic versioning, then the rest.</description></item>
    /// </list>
    /// </summary>
    [Parameter]
    [ValidateSet("None", "Name", "Natural", "Semantic")]
    public string Sort { get; set; } = "None";

    /// <summary>How many requests are under way at once, at most.</summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int ThrottleLimit { get; set; } = 8;

    private protected override void Process() => ForEachRepository(List);

    private void List(Query query)
    {
        var registry = query.Connection.Handle;
        var repository = query.Repository;
        if (query.Digest is not null)
        {
            WriteError(ErrorRecords.Create(
                ErrorRecords.InvalidArgument,
                ErrorCategory.InvalidArgument,
                $"'{repository}@{query.Digest}' names a manifest, not a tag.",
                "To find the tags that point to it: Get-RegistryTag REPOSITORY -Detailed | Where-Object Digest -eq DIGEST.",
                query.Subject()));
            return;
        }

        var order = Order();
        var wanted = query.Tag is not null ? [query.Tag] : Name?.Where(name => !string.IsNullOrEmpty(name)).Distinct(StringComparer.Ordinal).ToArray() ?? [];
        var patterns = wanted.Where(WildcardPattern.ContainsWildcardCharacters).Select(name => WildcardPattern.Get(name, WildcardOptions.None)).ToArray();
        var literals = new List<string>();
        foreach (var name in wanted.Where(name => !WildcardPattern.ContainsWildcardCharacters(name)))
        {
            try
            {
                literals.Add(TagName.Validate(name));
            }
            catch (ReferenceFormatException error)
            {
                WriteFailure(error, query.Subject(name, name));
            }
        }

        if (wanted.Length > 0 && patterns.Length == 0)
        {
            // Named tags are asked for one by one: the list of a large repository is not needed for them.
            if (literals.Count == 0) return;
            if (order is not null) literals.Sort(order);
            Inspect(query, _ => TagList.FromNames(literals));
            return;
        }

        var missing = new HashSet<string>(literals, StringComparer.Ordinal);
        bool IsWanted(string tag)
        {
            if (wanted.Length == 0) return true;
            lock (missing)
            {
                if (missing.Remove(tag)) return true;
            }

            return Array.Exists(patterns, pattern => pattern.IsMatch(tag));
        }

        bool ended;
        if (Detailed)
        {
            ended = Inspect(query, token => TagList.ReadAsync(registry, repository, IsWanted, order, token));
        }
        else
        {
            ended = TryStream(
                query.Subject(),
                token => TagList.ReadAsync(registry, repository, IsWanted, order, token),
                tag => WriteObject(new RegistryTag(query.Connection.Name, repository, tag, null)),
                $"Listing tags of {repository}");
        }

        if (!ended) return;
        foreach (var name in missing) WriteFailure(new TagNotFoundException(registry.Name, repository, name), query.Subject(repository + ":" + name, name));
    }

    private bool Inspect(Query query, Func<CancellationToken, IAsyncEnumerable<string>> list)
    {
        var inspector = new TagInspector(query.Connection.Handle, ThrottleLimit, ActivityRouter.Log);
        return TryStream(
            query.Subject(),
            token =>
            {
                var tags = list(token);
                return Detailed ? inspector.InspectAsync(query.Repository, tags, token) : inspector.LookUpAsync(query.Repository, tags, token);
            },
            detail => Write(query, detail),
            Detailed ? $"Inspecting tags of {query.Repository}" : $"Looking for tags of {query.Repository}");
    }

    private void Write(Query query, TagDetail detail)
    {
        if (detail.Error is { } error) WriteFailure(error, query.Subject(query.Repository + ":" + detail.Tag, detail.Tag));
        else if (Detailed) WriteObject(Outputs.Tag(query.Connection.Name, query.Repository, detail));
        else WriteObject(new RegistryTag(query.Connection.Name, query.Repository, detail.Tag, detail.Digest?.ToString()));
    }

    private IComparer<string>? Order() => Sort.ToUpperInvariant() switch
    {
        "NAME" => TagOrder.Name,
        "NATURAL" => TagOrder.Natural,
        "SEMANTIC" => TagOrder.Semantic,
        _ => null,
    };
}
