using System.Runtime.CompilerServices;
using RegistryTools.Inspection;
using RegistryTools.References;
using RegistryTools.Registries;

namespace RegistryTools.PowerShell.Drives;

/// <summary>What is in a registry, a namespace and a repository. Apart from the provider, since PowerShell reads all that is nested in a public type before the core can be found.</summary>
internal static class Listing
{
    // How long the first tags wait for the list of repositories, which tells those that share their name with one.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>What is at the root: repositories as they come, then namespaces.</summary>
    public static async IAsyncEnumerable<Child> RepositoriesAsync(IRegistry registry, RepositoryTree tree, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var names = new List<string>();
        await foreach (var name in registry.ListRepositoriesAsync(cancellationToken).ConfigureAwait(false))
        {
            names.Add(name);
            if (name.IndexOf('/') < 0 && RepositoryName.IsValid(name)) yield return new Child(null, name, PlaceKind.Repository);
        }

        foreach (var (name, isRepository) in tree.Keep(names).Below(null))
        {
            if (!isRepository) yield return new Child(null, name, PlaceKind.Namespace);
        }
    }

    /// <summary>What is below a repository or a namespace.</summary>
    public static async IAsyncEnumerable<Child> BelowAsync(IRegistry registry, RepositoryTree tree, string container, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var names = await tree.ReadAsync(registry, cancellationToken).ConfigureAwait(false);
        foreach (var (name, isRepository) in names.Below(container)) yield return new Child(container, name, isRepository ? PlaceKind.Repository : PlaceKind.Namespace);
    }

    /// <summary>A repository's tags as they come, with details where there is an inspector, and then what is below it.</summary>
    public static async IAsyncEnumerable<Child> TagsAndBelowAsync(IRegistry registry, RepositoryTree tree, string repository, TagInspector? inspector, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var reading = tree.ReadAsync(registry, stop.Token);
        try
        {
            await Task.WhenAny(reading, Task.Delay(Patience, stop.Token)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            var twins = reading.Status == TaskStatus.RanToCompletion ? new HashSet<string>(reading.Result.Below(repository).Select(static below => below.Name), StringComparer.Ordinal) : [];
            Child Tag(string tag, TagDetail? detail) => new(repository, twins.Contains(tag.ToLowerInvariant()) ? ":" + tag : tag, PlaceKind.Tag) { Tag = tag, Detail = detail };

            if (inspector is null)
            {
                await foreach (var tag in registry.ListTagsAsync(repository, stop.Token).ConfigureAwait(false)) yield return Tag(tag, null);
            }
            else
            {
                await foreach (var detail in inspector.InspectAsync(repository, registry.ListTagsAsync(repository, stop.Token), stop.Token).ConfigureAwait(false)) yield return Tag(detail.Tag, detail);
            }

            var names = await reading.ConfigureAwait(false);
            if (names.Refusal is not null) yield return new Child(repository, string.Empty, PlaceKind.Nothing) { Notice = $"{registry.Name} does not list its repositories: what is below '{repository}' is not known." };
            foreach (var (name, isRepository) in names.Below(repository)) yield return new Child(repository, name, isRepository ? PlaceKind.Repository : PlaceKind.Namespace);
        }
        finally
        {
            stop.Cancel();
            try
            {
                await reading.ConfigureAwait(false);
            }
            catch (Exception)
            {
                // Whoever awaited it above knows how it ended; whoever left early does not want to.
            }
        }
    }
}

/// <summary>What a list had.</summary>
/// <param name="Container">The repository or namespace that it is in; null for the root.</param>
/// <param name="Name">What one types for it.</param>
/// <param name="Kind">What it is.</param>
internal sealed record Child(string? Container, string Name, PlaceKind Kind)
{
    public string? Tag { get; init; }

    public TagDetail? Detail { get; init; }

    /// <summary>No item, but something to say.</summary>
    public string? Notice { get; init; }

    public bool IsContainer => Kind is PlaceKind.Repository or PlaceKind.Namespace;
}
