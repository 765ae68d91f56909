using RegistryTools.References;
using RegistryTools.Storage;
using RegistryTools.Text;
using RegistryTools.Threading;

namespace RegistryTools.GarbageCollection;

/// <summary>Reads what repositories have: every directory once, every tag once, every manifest once.</summary>
internal sealed class RepositoryReader(StorageLocation location, DigestTable digests, ManifestStore manifests, int throttleLimit)
{
    /// <summary>Finds the repositories. What can't be looked into is told, and makes it unsafe to remove any blob.</summary>
    public List<RepositoryMark> Find(List<GarbageProblem> problems, CancellationToken cancellationToken, List<string>? empty = null, IActivityLog? log = null)
    {
        var found = new List<RepositoryMark>();
        if (!Directory.Exists(location.Repositories))
        {
            problems.Add(new GarbageProblem("The storage has no directory 'repositories'. Blobs are not removed: what needs them may be elsewhere.", null, null, null, true));
            return found;
        }

        var open = new Stack<(string Path, string Name)>();
        open.Push((location.Repositories, string.Empty));
        while (open.Count > 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var (path, name) = open.Pop();
            log?.Progress("Looking for repositories", name, found.Count, null, "repository");
            RepositoryMark? repository = null;
            var any = false;
            try
            {
                foreach (var (entry, kind) in StorageDirectory.Read(path))
                {
                    any = true;
                    var child = Path.Combine(path, entry);
                    if (kind == EntryKind.Link)
                    {
                        // A registry would follow it, and what it leads to may need any blob.
                        if (name.Length > 0 && entry.StartsWith("_", StringComparison.Ordinal))
                        {
                            if (repository is null) found.Add(repository = new RepositoryMark(name, path));
                            NotFollowed(repository, child);
                            continue;
                        }

                        problems.Add(new GarbageProblem($"'{Relative(child)}' is a symbolic link, which is not followed. Blobs are not removed: what it leads to may need them.", name.Length == 0 ? null : name, null, null, true) { Obstacle = StorageObstacle.SymbolicLink, Path = Relative(child) });
                        continue;
                    }

                    if (kind != EntryKind.Directory) continue;
                    if (!entry.StartsWith("_", StringComparison.Ordinal))
                    {
                        open.Push((child, name.Length == 0 ? entry : name + "/" + entry));
                        continue;
                    }

                    if (name.Length == 0 || entry is not ("_manifests" or "_layers" or "_uploads")) continue;
                    if (repository is null) found.Add(repository = new RepositoryMark(name, path));
                    if (entry == "_manifests") repository.HasManifests = true;
                    else if (entry == "_layers") repository.HasLayers = true;
                    else repository.HasUploads = true;
                }

                if (!any && name.Length > 0) empty?.Add(path);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                problems.Add(new GarbageProblem($"'{Relative(path)}' can't be listed: {exception.Message} Blobs are not removed: what is in it may need them.", name.Length == 0 ? null : name, null, null, true) { Obstacle = StorageObstacle.Unreadable, Path = Relative(path) });
                repository?.Unlist(new GarbageProblem($"The repository '{Shown.Short(name)}' can't be listed whole: nothing in it is removed.", name, null, null, true));
            }
        }

        found.Sort(static (left, right) => string.CompareOrdinal(left.Name, right.Name));
        foreach (var repository in found)
        {
            if (!RepositoryName.IsValid(repository.Name)) repository.Block(new GarbageProblem($"'{Shown.Short(repository.Name)}' is no repository name: no registry serves it, and nothing in it is removed.", repository.Name, null, null, true) { Obstacle = StorageObstacle.NoRepositoryName, Path = Relative(repository.Directory) });
        }

        return found;
    }

    /// <summary>Lists what a repository has.</summary>
    public void List(RepositoryMark repository)
    {
        try
        {
            if (repository.HasManifests)
            {
                foreach (var (name, kind) in StorageDirectory.Read(Path.Combine(repository.Directory, "_manifests")))
                {
                    if (kind == EntryKind.Link) NotFollowed(repository, Path.Combine(repository.Directory, "_manifests", name));
                    else if (kind == EntryKind.Directory && name == "tags") ListTags(repository);
                    else if (kind == EntryKind.Directory && name == "revisions") repository.Revisions = [.. Digests(repository, repository.RevisionsDirectory).Select(key => new RevisionMark { Key = key, Target = key })];
                }

                for (var i = 0; i < repository.Revisions.Length; i++) repository.RevisionIndex[repository.Revisions[i].Key] = i;
            }

            if (repository.HasLayers)
            {
                repository.Layers.AddRange(Digests(repository, repository.LayersDirectory));
                foreach (var layer in repository.Layers)
                {
                    if (digests.IsOther(layer)) ReadLayer(repository, layer);
                }
            }

            if (repository.HasUploads)
            {
                foreach (var (name, kind) in StorageDirectory.Read(repository.UploadsDirectory))
                {
                    if (kind == EntryKind.Directory) repository.Uploads.Add(name);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            repository.Unlist(new GarbageProblem($"The repository '{repository.Name}' can't be listed: {exception.Message} Nothing in it is removed, and no blob.", repository.Name, null, null, true) { Obstacle = StorageObstacle.Unreadable, Path = Relative(repository.Directory) });
        }
    }

    /// <summary>Reads the tags and manifests that were listed.</summary>
    public void Read(RepositoryMark repository, bool divide, CancellationToken cancellationToken)
    {
        ReadTags(repository, divide, cancellationToken);
        ParallelWork.For(repository.Revisions.Length, divide ? throttleLimit : 1, index => ReadRevision(repository, ref repository.Revisions[index]), cancellationToken);
    }

    /// <summary>Reads the tags that were listed.</summary>
    public void ReadTags(RepositoryMark repository, bool divide, CancellationToken cancellationToken)
    {
        ParallelWork.For(repository.Tags.Length, divide ? throttleLimit : 1, index => ReadTag(repository, ref repository.Tags[index]), cancellationToken);
    }

    private void ListTags(RepositoryMark repository)
    {
        var tags = new List<TagMark>();
        foreach (var (name, kind) in StorageDirectory.Read(repository.TagsDirectory))
        {
            if (kind == EntryKind.Link) NotFollowed(repository, Path.Combine(repository.TagsDirectory, name));
            else if (kind == EntryKind.Directory) tags.Add(new TagMark { Name = name, Index = [] });
        }

        repository.Tags = [.. tags];
    }

    private void ReadTag(RepositoryMark repository, ref TagMark tag)
    {
        var directory = Path.Combine(repository.TagsDirectory, tag.Name);
        try
        {
            var any = false;
            var current = false;
            foreach (var (name, kind) in StorageDirectory.Read(directory))
            {
                any = true;
                if (kind == EntryKind.Link) NotFollowed(repository, Path.Combine(directory, name));
                else if (kind == EntryKind.Directory && name == "current") current = true;
                else if (kind == EntryKind.Directory && name == "index") tag.Index = [.. Digests(repository, Path.Combine(directory, "index"))];
            }

            if (!any) Dead(repository, directory);
            if (!current) return;
        }
        catch (DirectoryNotFoundException)
        {
            // Removed since it was listed.
            return;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            tag.IsTag = true;
            repository.Block(new GarbageProblem($"The tag '{Shown.Short(tag.Name)}' of '{repository.Name}' can't be listed: {exception.Message}", repository.Name, tag.Name, null, true) { Obstacle = StorageObstacle.Unreadable, Path = Relative(directory) });
            return;
        }

        var path = Path.Combine(directory, "current", "link");
        switch (StorageFile.ReadLink(path, digests, out tag.Target, out var reason))
        {
            case LinkState.Read:
                tag.IsTag = tag.IsRead = true;
                break;
            case LinkState.Missing:
                Dead(repository, Path.Combine(directory, "current"));
                break;
            default:
                tag.IsTag = true;
                repository.Block(new GarbageProblem($"What the tag '{Shown.Short(tag.Name)}' of '{repository.Name}' points to can't be told: of its link '{Relative(path)}', {reason}.", repository.Name, tag.Name, null, true));
                break;
        }
    }

    private void ReadRevision(RepositoryMark repository, ref RevisionMark revision)
    {
        var path = Path.Combine(repository.RevisionsDirectory, digests.Segments(revision.Key), "link");
        revision.Link = StorageFile.ReadLink(path, digests, out var target, out var reason);
        if (revision.Link == LinkState.Read && target != revision.Key)
        {
            // Only what has another digest than sha256 is stored under another.
            if (digests.IsOther(revision.Key)) revision.Target = target;
            else (revision.Link, reason) = (LinkState.Bad, "it names another digest than its own");
        }

        if (revision.Link is LinkState.Bad or LinkState.Unreadable)
        {
            repository.Block(new GarbageProblem($"The link '{Relative(path)}' of '{repository.Name}' is no good: {reason}.", repository.Name, null, digests.ToDigest(revision.Key), true));
        }

        if (revision.Link != LinkState.Missing) revision.Reading = manifests.Get(revision.Target);
    }

    private void ReadLayer(RepositoryMark repository, Sha256Key layer)
    {
        var path = Path.Combine(repository.LayersDirectory, digests.Segments(layer), "link");
        var state = StorageFile.ReadLink(path, digests, out var target, out var reason);
        if (state == LinkState.Read) repository.LayerTargets[layer] = target;
        else if (state != LinkState.Missing) repository.Block(new GarbageProblem($"The link '{Relative(path)}' of '{repository.Name}' is no good: {reason}.", repository.Name, null, digests.ToDigest(layer), true));
    }

    /// <summary>The digests that the directories <c>algorithm/encoded</c> name.</summary>
    private IEnumerable<Sha256Key> Digests(RepositoryMark repository, string directory)
    {
        var any = false;
        foreach (var (algorithm, kind) in StorageDirectory.Read(directory))
        {
            any = true;
            var path = Path.Combine(directory, algorithm);
            if (kind == EntryKind.Link) NotFollowed(repository, path);
            if (kind != EntryKind.Directory) continue;
            var isEmpty = true;
            var entries = StorageDirectory.Read<(Sha256Key Key, bool Ok)>(path, (name, entry) =>
            {
                isEmpty = false;
                if (!digests.TryKey(algorithm, name, out var key)) return default;
                if (entry == EntryKind.Link) repository.Block(new GarbageProblem($"'{Relative(Path.Combine(path, name.ToString()))}' is a symbolic link, which is not followed.", repository.Name, null, digests.ToDigest(key), true) { Obstacle = StorageObstacle.SymbolicLink, Path = Relative(Path.Combine(path, name.ToString())) });
                return (key, entry != EntryKind.File);
            });
            foreach (var (key, ok) in entries)
            {
                if (ok) yield return key;
            }

            if (isEmpty) Dead(repository, path);
        }

        if (!any && !directory.EndsWith("_layers", StringComparison.Ordinal) && !directory.EndsWith("revisions", StringComparison.Ordinal)) Dead(repository, directory);
    }

    private void NotFollowed(RepositoryMark repository, string path) =>
        repository.Unlist(new GarbageProblem($"'{Relative(path)}' is a symbolic link, which is not followed. Nothing in '{repository.Name}' is removed, and no blob.", repository.Name, null, null, true) { Obstacle = StorageObstacle.SymbolicLink, Path = Relative(path) });

    private static void Dead(RepositoryMark repository, string directory)
    {
        lock (repository.EmptyDirectories) repository.EmptyDirectories.Add(directory);
    }

    private string Relative(string path) => Shown.Short(path.StartsWith(location.V2, StringComparison.Ordinal) ? path.Substring(location.V2.Length + 1) : path, 300);
}
