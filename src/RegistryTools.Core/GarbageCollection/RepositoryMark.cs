using RegistryTools.Storage;

namespace RegistryTools.GarbageCollection;

/// <summary>A tag as it was read.</summary>
internal struct TagMark
{
    public string Name;

    /// <summary>Whether it has a current link: a directory without one is no tag.</summary>
    public bool IsTag;

    /// <summary>Whether the link could be read.</summary>
    public bool IsRead;

    public Sha256Key Target;

    /// <summary>What it pointed to at some time.</summary>
    public Sha256Key[] Index;
}

/// <summary>A revision as it was read.</summary>
internal struct RevisionMark
{
    public Sha256Key Key;

    /// <summary>Whether the link is there and says what its name says.</summary>
    public LinkState Link;

    /// <summary>What its bytes are stored under; another digest than its own only where that is no sha256.</summary>
    public Sha256Key Target;

    public ManifestReading? Reading;
}

/// <summary>A repository, as the mark finds it.</summary>
internal sealed class RepositoryMark(string name, string directory)
{
    private readonly object _gate = new();
    private HashSet<Sha256Key>? _layerSet;

    public string Name { get; } = name;

    public string Directory { get; } = directory;

    public bool HasManifests { get; set; }

    public bool HasLayers { get; set; }

    public bool HasUploads { get; set; }

    public TagMark[] Tags { get; set; } = [];

    public RevisionMark[] Revisions { get; set; } = [];

    public Dictionary<Sha256Key, int> RevisionIndex { get; } = [];

    public List<Sha256Key> Layers { get; } = [];

    /// <summary>What links under other digests than sha256 stand for.</summary>
    public Dictionary<Sha256Key, Sha256Key> LayerTargets { get; } = [];

    public List<string> Uploads { get; } = [];

    /// <summary>The manifests that stay.</summary>
    public HashSet<Sha256Key> Kept { get; } = [];

    /// <summary>The layers and configurations that what stays needs.</summary>
    public HashSet<Sha256Key> Needed { get; } = [];

    /// <summary>Whether something that a tag needs could not be read: everything in the repository is kept.</summary>
    public bool IsBlocked { get; private set; }

    /// <summary>Whether it holds a manifest of no known kind: everything in the repository is kept.</summary>
    public bool HasUnknown { get; set; }

    /// <summary>Whether a directory could not be listed, so that it is not even known what the repository has.</summary>
    public bool IsUnlisted { get; private set; }

    public List<GarbageProblem> Problems { get; } = [];

    /// <summary>Directories that have nothing in them, found on the way.</summary>
    public List<string> EmptyDirectories { get; } = [];

    /// <summary>Whether nothing will be left of it, and nobody has made a directory in it of late: its own directories can go too.</summary>
    public bool MayVanish { get; set; }

    /// <summary>The revisions that go, by key.</summary>
    public HashSet<Sha256Key> Condemned { get; } = [];

    public List<GarbageItem> Items { get; } = [];

    public bool KeepsAll(bool force) => IsUnlisted || HasUnknown || (IsBlocked && !force);

    public bool HasLayer(Sha256Key key) => (_layerSet ??= [.. Layers]).Contains(key);

    public string TagsDirectory => Path.Combine(Directory, "_manifests", "tags");

    public string RevisionsDirectory => Path.Combine(Directory, "_manifests", "revisions");

    public string LayersDirectory => Path.Combine(Directory, "_layers");

    public string UploadsDirectory => Path.Combine(Directory, "_uploads");

    public void Block(GarbageProblem problem)
    {
        lock (_gate)
        {
            Problems.Add(problem);
            if (problem.IsBlocking) IsBlocked = true;
        }
    }

    public void Unlist(GarbageProblem problem)
    {
        lock (_gate)
        {
            Problems.Add(problem);
            IsBlocked = IsUnlisted = true;
        }
    }
}
