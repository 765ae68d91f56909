using RegistryTools.Storage;

namespace RegistryTools.GarbageCollection;

/// <summary>
/// Goes from a manifest to everything that stays because of it, in one repository: what an index lists, at any depth; configurations and layers; and what refers to any of these manifests.
/// What is done with each is the heir's.
/// </summary>
internal abstract class ManifestWalk(RepositoryMark repository, ManifestStore manifests)
{
    private Dictionary<Sha256Key, List<Sha256Key>>? _referrers;

    protected RepositoryMark Repository { get; } = repository;

    /// <summary>Whether it goes to what refers to a manifest, too.</summary>
    protected virtual bool FollowsReferrers => true;

    /// <summary>Goes from a manifest on. What is in <paramref name="seen"/> was walked before and is passed by; what is walked is added.</summary>
    public void From(Sha256Key root, HashSet<Sha256Key> seen)
    {
        _referrers ??= FollowsReferrers ? Referrers() : [];
        var open = new Stack<Step>();
        open.Push(new Step(root, null, -1));
        while (open.Count > 0)
        {
            var step = open.Pop();
            if (!seen.Add(step.Key)) continue;
            if (_referrers.TryGetValue(step.Key, out var list))
            {
                foreach (var referrer in list) open.Push(new Step(referrer, null, -1));
            }

            var isLinked = Repository.RevisionIndex.TryGetValue(step.Key, out var index) && Repository.Revisions[index].Link != LinkState.Missing;
            var reading = isLinked ? Repository.Revisions[index].Reading! : manifests.Get(step.Key);
            Manifest(step, reading, isLinked);
            if (reading.References is not { } references) continue;
            foreach (var blob in references.Blobs) Blob(step.Key, blob);
            foreach (var child in references.Manifests)
            {
                // Build caches list layers under a manifest's type, too.
                if (!Repository.RevisionIndex.ContainsKey(child.Key) && Repository.HasLayer(child.Key)) Blob(step.Key, child);
                else open.Push(new Step(child.Key, step.Key, child.Size));
            }

            foreach (var other in references.Others)
            {
                Blob(step.Key, other);
                if (Repository.RevisionIndex.ContainsKey(other.Key)) open.Push(new Step(other.Key, step.Key, other.Size));
            }
        }
    }

    /// <summary>Called once for each manifest that is walked, whether or not it can be read.</summary>
    /// <param name="step">Which, and from where.</param>
    /// <param name="reading">What reading it came to.</param>
    /// <param name="isLinked">Whether the repository has a link to it.</param>
    protected abstract void Manifest(in Step step, ManifestReading reading, bool isLinked);

    /// <summary>Called for each configuration, layer or other blob of a manifest.</summary>
    protected abstract void Blob(Sha256Key manifest, in ManifestReference blob);

    private Dictionary<Sha256Key, List<Sha256Key>> Referrers()
    {
        var referrers = new Dictionary<Sha256Key, List<Sha256Key>>();
        foreach (var revision in Repository.Revisions)
        {
            if (revision.Reading?.References?.Subject is not { } subject) continue;
            if (!referrers.TryGetValue(subject, out var list)) referrers[subject] = list = [];
            list.Add(revision.Key);
        }

        return referrers;
    }

    /// <summary>A manifest on the way.</summary>
    /// <param name="Key">Which.</param>
    /// <param name="Parent">The index that lists it; null for where the walk began, and for what refers to another manifest.</param>
    /// <param name="Size">The bytes that the index says it has; -1 where none does.</param>
    protected readonly record struct Step(Sha256Key Key, Sha256Key? Parent, long Size);
}
