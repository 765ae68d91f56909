using RegistryTools.GarbageCollection;
using RegistryTools.Storage;
using RegistryTools.Text;
using RegistryTools.Threading;

namespace RegistryTools.Usage;

/// <summary>How a storage is measured.</summary>
public sealed class StorageMeterOptions
{
    /// <summary>How many files are read at once.</summary>
    public int ThrottleLimit { get; init; } = Math.Max(2, Environment.ProcessorCount);

    /// <summary>Where it tells what it does.</summary>
    public IActivityLog Log { get; init; } = NoActivityLog.Instance;
}

/// <summary>Measures a registry's storage: every directory, every manifest and the size of every blob once. Changes nothing.</summary>
public sealed class StorageMeter
{
    private const string Activity = "Measuring the storage";

    // As the collector does: a repository of more entries than this is read by all threads together.
    private const int Large = 512;

    private readonly StorageLocation _location;
    private readonly StorageMeterOptions _options;

    /// <summary>Makes a meter.</summary>
    public StorageMeter(StorageLocation location, StorageMeterOptions? options = null)
    {
        _location = location;
        _options = options ?? new StorageMeterOptions();
    }

    /// <summary>Measures it. What can't be read is told among the problems.</summary>
    public Task<StorageMeasurement> MeasureAsync(CancellationToken cancellationToken) => Task.Run(() => Measure(cancellationToken), cancellationToken);

    /// <summary>What would be got back if exactly these tags were removed. For several questions, measure once and ask <see cref="StorageMeasurement.Without"/>.</summary>
    public async Task<StorageSavings> WithoutAsync(IEnumerable<TagSelection> tags, CancellationToken cancellationToken) => (await MeasureAsync(cancellationToken).ConfigureAwait(false)).Without(tags);

    private StorageMeasurement Measure(CancellationToken cancellationToken)
    {
        var digests = new DigestTable();
        var manifests = new ManifestStore(_location, digests);
        var reader = new RepositoryReader(_location, digests, manifests, _options.ThrottleLimit);
        var problems = new List<GarbageProblem>();
        var repositories = reader.Find(problems, cancellationToken, log: _options.Log);
        var canCollect = problems.Count == 0;
        ParallelWork.For(repositories.Count, _options.ThrottleLimit, index => reader.List(repositories[index]), cancellationToken);
        var blobs = ListBlobs(digests, problems, cancellationToken);

        var measured = new UsageRepository[repositories.Count];
        var done = 0;
        void MeasureOne(int index, bool divide)
        {
            var repository = repositories[index];
            reader.Read(repository, divide, cancellationToken);
            measured[index] = new RepositoryUsageReader(repository, manifests, digests, blobs.Numbers).Read(cancellationToken);
            _options.Log.Progress(Activity, repository.Name, Interlocked.Increment(ref done), repositories.Count, "repository");
        }

        var small = new List<int>();
        for (var i = 0; i < repositories.Count; i++)
        {
            if (repositories[i].Tags.Length + repositories[i].Revisions.Length > Large) MeasureOne(i, divide: true);
            else small.Add(i);
        }

        ParallelWork.For(small.Count, _options.ThrottleLimit, index => MeasureOne(small[index], divide: false), cancellationToken);
        foreach (var repository in repositories)
        {
            if (repository.IsUnlisted) canCollect = false;
            problems.AddRange(repository.Problems);
        }

        var graph = new UsageGraph(blobs.Sizes, measured, isStorage: true, canCollect);
        _options.Log.Verbose($"Measured {repositories.Count} repositories with {graph.TagCount} tags and {blobs.Sizes.Count} blobs.");
        return new StorageMeasurement(graph, Quarantined(problems, cancellationToken), problems, []);
    }

    private long? Quarantined(List<GarbageProblem> problems, CancellationToken cancellationToken)
    {
        try
        {
            long bytes = 0;
            foreach (var run in new Quarantine(_location).Runs())
            {
                foreach (var item in run.Items())
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    bytes += item.Size;
                }
            }

            return bytes;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            problems.Add(new GarbageProblem($"The quarantine can't be looked at: {exception.Message}", null, null, null, false));
            return null;
        }
    }

    /// <summary>Numbers the blobs that are there, and finds their sizes.</summary>
    private (Dictionary<Sha256Key, int> Numbers, List<long> Sizes) ListBlobs(DigestTable digests, List<GarbageProblem> problems, CancellationToken cancellationToken)
    {
        var directories = new List<(string Algorithm, string Path)>();
        if (Directory.Exists(_location.Blobs))
        {
            foreach (var (algorithm, kind) in StorageDirectory.Read(_location.Blobs))
            {
                if (kind != EntryKind.Directory) continue;
                foreach (var (name, prefix) in StorageDirectory.Read(Path.Combine(_location.Blobs, algorithm)))
                {
                    if (prefix == EntryKind.Directory && name.Length <= 2) directories.Add((algorithm, Path.Combine(_location.Blobs, algorithm, name)));
                }
            }
        }

        var found = new List<(Sha256Key Key, long Size)>[directories.Count];
        var looked = 0;
        ParallelWork.For(
            directories.Count,
            _options.ThrottleLimit,
            index =>
            {
                var (algorithm, path) = directories[index];
                var blobs = found[index] = [];
                try
                {
                    var entries = StorageDirectory.Read(path, (name, kind) => kind != EntryKind.Link && digests.TryKey(algorithm, name, out var key) ? (Key: key, Name: name.ToString()) : default);
                    foreach (var (key, name) in entries)
                    {
                        if (name is null) continue;
                        var file = new FileInfo(Path.Combine(path, name, "data"));
                        if (file.Exists && (file.Attributes & FileAttributes.ReparsePoint) == 0) blobs.Add((key, file.Length));
                    }
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
                {
                    lock (problems) problems.Add(new GarbageProblem($"'{path}' can't be looked at: {exception.Message}", null, null, null, false));
                }

                _options.Log.Progress("Looking through the blobs", Path.GetFileName(path), Interlocked.Increment(ref looked), directories.Count, "directory");
            },
            cancellationToken);

        var count = found.Sum(static blobs => blobs.Count);
        var numbers = new Dictionary<Sha256Key, int>(count);
        var sizes = new List<long>(count);
        foreach (var (key, size) in found.SelectMany(static blobs => blobs))
        {
            numbers.Add(key, sizes.Count);
            sizes.Add(size);
        }

        return (numbers, sizes);
    }
}
