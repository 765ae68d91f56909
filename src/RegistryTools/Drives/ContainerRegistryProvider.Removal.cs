using System.Management.Automation;
using RegistryTools.Deletion;
using RegistryTools.Journal;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.References;
using RegistryTools.Registries;

namespace RegistryTools.PowerShell.Drives;

/// <summary>
/// Removal, by what <c>Remove-RegistryTag</c> and <c>Remove-RegistryRepository</c> remove with. The engine hands over one path at a time and never says which is the last: each tag is a removal of its own. What a
/// path means is asked of the registry at that moment, and where it could mean two things, neither is removed.
/// </summary>
public sealed partial class ContainerRegistryProvider
{
    /// <inheritdoc/>
    protected override void RemoveItem(string path, bool recurse)
    {
        if (!TryLocateOrTell(path, out var located)) return;
        var names = located.Path;
        if (names.IsLeaf)
        {
            if (names.Tag is not null) RemoveTag(located, path);
            else WriteError(ErrorRecords.Create(
                ErrorRecords.InvalidArgument,
                ErrorCategory.InvalidArgument,
                $"'{names.Text}' names a manifest: to remove it would remove every tag that points to it.",
                $"Remove-RegistryManifest does it, and tells them first: Remove-RegistryManifest {names.Repository} -Digest {names.Digest}",
                new ErrorSubject(path, located.Connection.Name, names.Repository, names.Digest!.ToString())));
            return;
        }

        // What was known of it may have been seen a while ago.
        _places.Remove(Key(located));
        if (!TryFindOrTell(located, path, out var place)) return;
        TellLowered(place);

        // With -Recurse it is a repository that is meant, perhaps: an empty one, or one that this user may not see.
        var maybe = recurse && place.Kind == PlaceKind.Tag && !place.IsRepository && place.MayBeHidden;
        if (place.IsAmbiguous || maybe || (recurse && place is { Kind: PlaceKind.Tag, IsRepository: true }))
        {
            WriteError(ErrorRecords.Create(
                ErrorRecords.PathAmbiguous,
                ErrorCategory.InvalidArgument,
                maybe
                    ? $"'{names.Text}' is the tag '{names.Tag}' of '{names.Repository}', and may be the repository '{names.Container}', which {located.Connection.Handle.Name} does not show to this user: nothing was removed."
                    : $"'{names.Text}' is both the tag '{names.Tag}' of '{names.Repository}' and the repository '{names.Container}': neither was removed.",
                $"The tag is {located.Show(names.Repository!, names.Tag!)}. The repository is removed by: Remove-RegistryRepository {names.Container} -Registry {located.Connection.Name}",
                new ErrorSubject(path, located.Connection.Name, names.Container)));
        }
        else if (place.Kind == PlaceKind.Tag)
        {
            if (IsIncluded(place)) RemoveTag(located, path);
        }
        else if (place.Kind != PlaceKind.Repository)
        {
            WriteError(ErrorRecords.Create(
                ErrorRecords.InvalidArgument,
                ErrorCategory.InvalidArgument,
                place.Kind == PlaceKind.Root ? $"A registry is not removed: {located.Connection.Handle.Name} stays as it is." : $"'{names.Container}' is no repository, but the beginning of the names of some: it is not removed.",
                "Remove repositories one by one, with -Recurse.",
                new ErrorSubject(path, located.Connection.Name, names.Container)));
        }
        else if (!recurse)
        {
            WriteError(ErrorRecords.Create(
                ErrorRecords.InvalidArgument,
                ErrorCategory.InvalidArgument,
                $"'{names.Container}' is a repository: it is removed with all its tags, or not at all.",
                "Remove-Item … -Recurse removes it.",
                new ErrorSubject(path, located.Connection.Name, names.Container)));
        }
        else
        {
            RemoveRepository(located, path);
        }
    }

    private void RemoveTag(Located located, string path)
    {
        var (connection, repository, tag) = (located.Connection, located.Path.Repository!, located.Path.Tag!);
        var name = connection.Handle.Name + "/" + repository + ":" + tag;
        if (!ShouldProcess(name + (located.Path.Digest is null ? string.Empty : " (" + located.Path.Digest + ")"), "Remove tag")) return;
        var remover = new TagRemover(connection.Handle, RemovalJournal.ForUser(), new TagRemoverOptions { Log = ActivityRouter.Log });
        using var hold = _pump.Hold(remover);
        var failure = _pump.Run(token => remover.RemoveAsync(repository, [new TagRemovalRequest(tag, located.Path.Digest)], token), out var removals, "Removing tags");
        NoteChange();
        if (failure is not null)
        {
            WriteError(ErrorRecords.From(failure, new ErrorSubject(path, connection.Name, repository)));
            return;
        }

        foreach (var removal in removals)
        {
            if (removal.Error is { } error) WriteError(ErrorRecords.From(error, new ErrorSubject(RegistryTagRemoval.From(removal, connection.Name), connection.Name, repository, tag)));
            if (removal.State == RemovalState.Removed) WriteVerbose($"Removed the tag {name}; its manifest {removal.Digest} stays.");
        }
    }

    private void RemoveRepository(Located located, string path)
    {
        var (connection, repository) = (located.Connection, located.Path.Container!);
        var subject = new ErrorSubject(path, connection.Name, repository);
        var remover = new RepositoryRemover(connection.Handle, RemovalJournal.ForUser(), log: ActivityRouter.Log);
        if (_pump.Run(token => remover.ListTagsAsync(repository, token), out var tags, $"Listing tags of {repository}") is { } unlisted)
        {
            WriteError(ErrorRecords.From(unlisted, subject));
            return;
        }

        var name = connection.Handle.Name + "/" + repository;
        if (!ShouldProcess(name, "Remove repository with " + RepositoryRemovalReport.Tags(tags))) return;

        // Remove-RegistryRepository asks by its ConfirmImpact, which is the cmdlet's: Remove-Item has a lower one, so that the question has to be asked here.
        if (!Force && !ShouldContinue($"Remove the repository {name} with {RepositoryRemovalReport.Tags(tags)}?", "Remove repository")) return;
        var failure = _pump.Run(token => remover.RemoveAsync([repository], token), out var removals, "Removing repositories");
        NoteChange();
        located.Drive.Tree.Forget();
        if (failure is not null)
        {
            WriteError(ErrorRecords.From(failure, subject));
            return;
        }

        var storage = (connection.Handle as StorageRegistry)?.Location;
        foreach (var removal in removals) RepositoryRemovalReport.Write(this, (error, about) => WriteError(ErrorRecords.From(error, about)), connection, removal, storage);
    }

    // What was found before, here and for completions, may be gone.
    private void NoteChange()
    {
        _places.Clear();
        if (RegistrySession.FindCurrent() is { } session) _pump.AtEnd(session.Candidates.NoteChange);
    }
}
