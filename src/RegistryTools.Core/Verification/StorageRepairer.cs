using RegistryTools.Errors;
using RegistryTools.GarbageCollection;
using RegistryTools.References;
using RegistryTools.Storage;
using RegistryTools.Text;

namespace RegistryTools.Verification;

/// <summary>What became of a finding that was to be repaired.</summary>
public enum StorageRepairState
{
    /// <summary>It is repaired.</summary>
    Repaired,

    /// <summary>It was not as it was found any more, or is too young to be touched: nothing was done.</summary>
    Skipped,

    /// <summary>It could not be repaired.</summary>
    Failed,
}

/// <summary>A repair.</summary>
/// <param name="Finding">What was found.</param>
/// <param name="State">What became of it.</param>
/// <param name="RunId">The run of the quarantine that holds what was moved away; null where nothing was.</param>
/// <param name="Reason">Why nothing was done; empty where it is repaired.</param>
public sealed record StorageRepair(StorageFinding Finding, StorageRepairState State, string? RunId, string Reason);

/// <summary>
/// Mends what can be mended without losing content: links that say what their own place says, links to what is there and checked, a tag that only ever pointed to one manifest. What leads nowhere, and bytes that are not what they should be, go to
/// the quarantine. Each is one act, whole or not done; each finding is looked at again before.
/// </summary>
public sealed class StorageRepairer
{
    private readonly StorageLocation _location;
    private readonly StorageFiles _files;
    private readonly TimeSpan _minimumAge;
    private readonly IActivityLog _log;
    private readonly FileActs _acts;

    /// <summary>Makes a repairer.</summary>
    /// <param name="location">The storage.</param>
    /// <param name="minimumAge">What is younger is not moved away: a push may be under way.</param>
    /// <param name="log">Where it tells what it does.</param>
    public StorageRepairer(StorageLocation location, TimeSpan minimumAge, IActivityLog? log = null)
        : this(location, minimumAge, log, null)
    {
    }

    internal StorageRepairer(StorageLocation location, TimeSpan minimumAge, IActivityLog? log, Action<string>? beforeAct)
    {
        _location = location;
        _files = new StorageFiles(location);
        _minimumAge = minimumAge;
        _log = log ?? NoActivityLog.Instance;
        _acts = new FileActs(beforeAct);
    }

    /// <summary>Repairs findings of the same storage. Those that nothing can be done about are skipped.</summary>
    /// <exception cref="GarbageException">A garbage collection is under way, or nothing can be written.</exception>
    public Task<IReadOnlyList<StorageRepair>> RepairAsync(IReadOnlyList<StorageFinding> findings, CancellationToken cancellationToken) => Task.Run(() => Repair(findings, cancellationToken), cancellationToken);

    private IReadOnlyList<StorageRepair> Repair(IReadOnlyList<StorageFinding> findings, CancellationToken cancellationToken)
    {
        var quarantine = new Quarantine(_location);
        using var storage = quarantine.Lock();
        QuarantineRun? run = null;
        var repairs = new List<StorageRepair>();
        try
        {
            // What is written makes whole again, and may be what the next finding waits for: a tag's manifest before its layers is no matter, but nothing is moved away that was just mended.
            foreach (var finding in findings.OrderBy(static finding => IsMove(finding.Kind)))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (repairs.Find(repair => repair.State == StorageRepairState.Repaired && repair.Finding.Kind == finding.Kind && repair.Finding.Path == finding.Path) is { } same)
                {
                    // The same bytes hit several repositories.
                    repairs.Add(same with { Finding = finding });
                    continue;
                }

                _log.Progress("Repairing the storage", finding.Path, repairs.Count, findings.Count, "finding");
                try
                {
                    var reason = IsMove(finding.Kind) ? MoveAway(finding, () => run ??= quarantine.Begin(new GarbageCollectorOptions(), _acts, GarbageCause.Repair)) : Mend(finding);
                    repairs.Add(new StorageRepair(finding, reason.Length == 0 ? StorageRepairState.Repaired : StorageRepairState.Skipped, IsMove(finding.Kind) && reason.Length == 0 ? run?.Id : null, reason));
                }
                catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or RegistryToolsException)
                {
                    repairs.Add(new StorageRepair(finding, StorageRepairState.Failed, null, exception.Message));
                }
            }
        }
        finally
        {
            if (run is not null)
            {
                run.Write(static writer => writer.WriteString("kind", "end"));
                if (!run.HasFiles()) run.Delete(_acts, CancellationToken.None);
                run.Dispose();
            }
        }

        return repairs;
    }

    private static bool IsMove(StorageFindingKind kind) =>
        kind is StorageFindingKind.LayerLinkDangling or StorageFindingKind.TagIndexDangling or StorageFindingKind.ManifestMissing or StorageFindingKind.TagWithoutLink or StorageFindingKind.BlobCorrupt or StorageFindingKind.ManifestCorrupt or StorageFindingKind.BlobWithoutData;

    /// <summary>Writes a link; gives why not, or nothing.</summary>
    private string Mend(StorageFinding finding)
    {
        if (finding.Repair is null || finding.Repository is null || finding.Digest is not { } digest) return "nothing can be done about it here";
        var path = Path.Combine(_location.V2, finding.Path);
        switch (finding.Kind)
        {
            case StorageFindingKind.RevisionLinkInvalid or StorageFindingKind.TagTargetMissing or StorageFindingKind.ChildMissing:
                if (ReadsAs(_location.RevisionLink(finding.Repository, digest), digest)) return "it is mended already";
                if (!IsManifest(digest)) return "the manifest's bytes are not there any more, or are no good";
                _acts.Do("link " + finding.Path, () => _files.WriteLink(_location.RevisionLink(finding.Repository, digest), digest));
                return string.Empty;
            case StorageFindingKind.LayerLinkInvalid or StorageFindingKind.LayerNotLinked:
                if (ReadsAs(_location.LayerLink(finding.Repository, digest), digest)) return "it is mended already";
                if (!_files.Exists(_location.Blob(digest))) return "the layer's bytes are not there any more";
                _acts.Do("link " + finding.Path, () => _files.WriteLink(_location.LayerLink(finding.Repository, digest), digest));
                return string.Empty;
            case StorageFindingKind.TagLinkInvalid:
                if (_files.ReadLink(path) is not null) return "it is mended already";
                if (finding.Tags.Count != 1 || !ReadsAs(_location.RevisionLink(finding.Repository, digest), digest) || !IsManifest(digest)) return "the manifest that it pointed to is not there any more";
                if (!_files.IsDirectory(_location.Tag(finding.Repository, finding.Tags[0]))) return "the tag is gone";
                _acts.Do("link " + finding.Path, () => _files.WriteLink(_location.TagLink(finding.Repository, finding.Tags[0]), digest));
                return string.Empty;
            default:
                return "nothing can be done about it here";
        }
    }

    /// <summary>Moves away what leads nowhere; gives why not, or nothing.</summary>
    private string MoveAway(StorageFinding finding, Func<QuarantineRun> run)
    {
        if (finding.Repair is null) return "nothing can be done about it here";
        var path = Path.Combine(_location.V2, finding.Path);
        switch (finding.Kind)
        {
            case StorageFindingKind.BlobWithoutData:
                if (!Directory.Exists(path) || !StorageDirectory.IsEmpty(path)) return "it is not empty any more";
                if (IsYoung(path)) return "it is younger than the minimum age";
                return _acts.DeleteEmptyDirectory(path) ? string.Empty : "it could not be removed";
            case StorageFindingKind.TagWithoutLink:
                return RemoveRest(finding, path, run);
            case StorageFindingKind.BlobCorrupt:
                if (!File.Exists(path)) return "it is gone";
                if (IsSound(path, finding.Digest!)) return "its bytes are what they should be";
                break;
            case StorageFindingKind.ManifestCorrupt:
                if (!File.Exists(path)) return "it is gone";
                var digests = new DigestTable();
                if (!new ManifestStore(_location, digests).Get(digests.Key(finding.Digest!)).IsCorrupt) return "its bytes are what they should be";
                break;
            case StorageFindingKind.LayerLinkDangling or StorageFindingKind.ManifestMissing:
                if (_files.Exists(_location.Blob(finding.Digest!))) return "its bytes are there again";
                break;
            case StorageFindingKind.TagIndexDangling:
                if (ReadsAs(_location.RevisionLink(finding.Repository!, finding.Digest!), finding.Digest!)) return "what it notes is there again";
                break;
        }

        return Move(finding.Path, run);
    }

    private string RemoveRest(StorageFinding finding, string directory, Func<QuarantineRun> run)
    {
        if (!Directory.Exists(directory) || !StoragePaths.IsOwn(_location.V2, directory)) return "it is gone";
        if (File.Exists(Path.Combine(directory, "current", "link"))) return "the tag has its link again";
        var files = Directory.GetFiles(directory, "*", SearchOption.AllDirectories);
        var items = Array.ConvertAll(files, file => file.Substring(_location.V2.Length + 1).Replace(Path.DirectorySeparatorChar, '/'));
        if (Array.Exists(files, IsYoung) || (files.Length == 0 && IsYoung(directory))) return "it is younger than the minimum age";
        if (Array.Exists(items, static item => GarbageItem.FromPath(item, 0, default) is null)) return "there is something in it that is not of a registry's making";
        foreach (var item in items)
        {
            if (Move(item, run) is { Length: > 0 } reason) return reason;
        }

        RemoveEmpty(directory);
        return Directory.Exists(directory) ? "its directory could not be removed" : string.Empty;
    }

    private string Move(string relative, Func<QuarantineRun> run)
    {
        var file = new FileInfo(Path.Combine(_location.V2, relative));
        if (!file.Exists) return "it is gone";
        if (!StoragePaths.IsOwn(_location.V2, file.DirectoryName!) || (file.Attributes & FileAttributes.ReparsePoint) != 0) return "a symbolic link is on the way to it, which is not followed";
        if (IsYoung(file.FullName)) return "it is younger than the minimum age";
        if (GarbageItem.FromPath(relative, file.Length, file.LastWriteTimeUtc) is not { } item) return "it is not of a registry's making";
        var own = run();
        var to = own.PathOf(item);
        own.Write("move", [item]);
        _acts.CreateDirectory(Path.GetDirectoryName(to)!);
        _acts.Move(file.FullName, to, isDirectory: false);
        _acts.DeleteEmptyDirectory(file.DirectoryName!);
        return string.Empty;
    }

    private void RemoveEmpty(string directory)
    {
        foreach (var below in Directory.GetDirectories(directory))
        {
            if ((File.GetAttributes(below) & FileAttributes.ReparsePoint) == 0) RemoveEmpty(below);
        }

        if (StorageDirectory.IsEmpty(directory)) _acts.DeleteEmptyDirectory(directory);
    }

    private bool IsYoung(string path) => _minimumAge > TimeSpan.Zero && File.GetLastWriteTimeUtc(path) > DateTime.UtcNow - _minimumAge;

    private bool ReadsAs(string link, Digest digest) => digest.Equals(_files.ReadLink(link));

    private bool IsManifest(Digest digest)
    {
        var digests = new DigestTable();
        return _files.Exists(_location.Blob(digest)) && new ManifestStore(_location, digests).Get(digests.Key(digest)).References is not null;
    }

    private static bool IsSound(string path, Digest digest)
    {
        using var hash = new DigestHash(digest.Algorithm);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var buffer = new byte[1 << 19];
        int count;
        while ((count = stream.Read(buffer, 0, buffer.Length)) > 0) hash.Append(buffer, 0, count);
        return hash.Finish() == digest;
    }
}
