using System.Globalization;
using System.Text.Json;
using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Storage;
using RegistryTools.Text;

namespace RegistryTools.GarbageCollection;

/// <summary>Where a storage keeps what garbage collections removed: a directory a run, with a journal, and under it what was moved, at the path it had.</summary>
internal sealed class Quarantine
{
    internal const string JournalName = "journal.jsonl";
    private const string MarkName = "registrytools-quarantine";

    private readonly StorageLocation _location;

    public Quarantine(StorageLocation location)
    {
        _location = location;
        Base = Path.Combine(location.Own, "quarantine");
    }

    public string Base { get; }

    /// <summary>Takes the storage for oneself, as far as this library is concerned, until what is given back is disposed of.</summary>
    public IDisposable Lock()
    {
        var path = Path.Combine(_location.Own, "lock");
        try
        {
            Directory.CreateDirectory(_location.Own);
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new GarbageException($"Nothing can be written in '{_location.Own}': {exception.Message} Nothing was changed.", "Run it as the user that the registry runs as, or as root.", exception);
        }
        catch (IOException exception)
        {
            throw new GarbageException($"The storage is in use by another garbage collection, or '{path}' can't be written: {exception.Message} Nothing was changed.", "Wait until that one has ended.", exception);
        }
    }

    /// <summary>Begins a run: its directory and journal are there, and both ends are known to be on one file system, when this returns.</summary>
    public QuarantineRun Begin(GarbageCollectorOptions options, FileActs acts, GarbageCause cause = GarbageCause.Collection)
    {
        var time = DateTimeOffset.UtcNow;
        var id = time.ToString("yyyyMMdd'T'HHmmssfff'Z'", CultureInfo.InvariantCulture) + "-" + Guid.NewGuid().ToString("N").Substring(0, 8);
        var directory = Path.Combine(Base, id);
        var files = directory;
        try
        {
            if (options.QuarantinePath is { Length: > 0 } elsewhere)
            {
                var full = Path.GetFullPath(elsewhere).TrimEnd(Path.DirectorySeparatorChar);
                if ((full + Path.DirectorySeparatorChar).StartsWith(_location.V2 + Path.DirectorySeparatorChar, StringComparison.Ordinal)) throw new GarbageException($"The quarantine '{Shown.Short(full, 300)}' lies within what the registry reads. Nothing was changed.", "Name a directory beside it.");
                files = Path.Combine(full, id);
            }

            acts.CreateDirectory(directory);
            acts.CreateDirectory(Path.Combine(files, "v2"));
            if (files != directory) File.WriteAllText(Path.Combine(files, MarkName), id);
            Probe(id, Path.Combine(files, "v2"), acts);
            var journal = new FileStream(Path.Combine(directory, JournalName), FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            var run = new QuarantineRun(this, id, time, directory, files) { Journal = journal, Acts = acts };
            run.Write(writer =>
            {
                writer.WriteString("kind", "run");
                writer.WriteString("run", id);
                writer.WriteString("cause", cause.ToString());
                writer.WriteString("root", _location.Root);
                if (files != directory) writer.WriteString("files", files);
                writer.WriteBoolean("removeUntagged", options.RemoveUntagged);
                writer.WriteString("minimumAge", options.MinimumAge.ToString("c", CultureInfo.InvariantCulture));
            });
            return run;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new GarbageException($"The quarantine can't be written at '{Shown.Short(files, 300)}': {exception.Message} Nothing was removed.", "It must be on the storage's own file system, and writable by who collects.", exception);
        }
    }

    /// <summary>The runs, oldest first.</summary>
    public List<QuarantineRun> Runs()
    {
        var runs = new List<QuarantineRun>();
        if (!Directory.Exists(Base)) return runs;
        foreach (var (name, kind) in StorageDirectory.Read(Base))
        {
            if (kind == EntryKind.Directory && Open(name) is { } run) runs.Add(run);
        }

        runs.Sort(static (left, right) => string.CompareOrdinal(left.Id, right.Id));
        return runs;
    }

    private QuarantineRun? Open(string id)
    {
        var cut = id.IndexOf('Z');
        if (cut < 0 || !DateTimeOffset.TryParseExact(id.Substring(0, cut + 1), "yyyyMMdd'T'HHmmssfff'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)) return null;
        var directory = Path.Combine(Base, id);
        var files = directory;
        var concluded = false;
        var cause = GarbageCause.Collection;
        try
        {
            foreach (var line in File.ReadLines(Path.Combine(directory, JournalName)))
            {
                // The lines of what was moved are most of them, and are not looked into.
                var isRun = line.StartsWith("{\"kind\":\"run\"", StringComparison.Ordinal);
                if (!isRun && !line.StartsWith("{\"kind\":\"end\"", StringComparison.Ordinal)) continue;
                using var document = JsonDocument.Parse(line);
                if (!isRun)
                {
                    concluded = true;
                    continue;
                }

                if (document.RootElement.TryGetProperty("files", out var elsewhere) && elsewhere.ValueKind == JsonValueKind.String) files = elsewhere.GetString()!;
                if (document.RootElement.TryGetProperty("cause", out var text) && text.ValueKind == JsonValueKind.String && !Enum.TryParse(text.GetString(), out cause)) cause = GarbageCause.Collection;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            // Cut short, or not there yet: what was moved tells the rest.
        }

        // The journal may name a directory elsewhere, but only one that this library made for the run.
        string? away = null;
        if (files != directory && !IsMarked(files, id)) (away, files) = (files, directory);
        return new QuarantineRun(this, id, time, directory, files) { IsConcluded = concluded, Cause = cause, Away = away };
    }

    private static bool IsMarked(string files, string id)
    {
        try
        {
            return Path.GetFileName(files) == id && File.ReadAllText(Path.Combine(files, MarkName)) == id;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return false;
        }
    }

    // A rename over the border of a file system would be a copy, slow and not atomic; what a directory can't be renamed to is over a border.
    private void Probe(string id, string target, FileActs acts)
    {
        foreach (var source in new[] { _location.Repositories, _location.Blobs })
        {
            if (!Directory.Exists(source)) continue;
            foreach (var left in Directory.GetDirectories(source, "_registrytools-*")) acts.DeleteEmptyDirectory(left);
            var probe = Path.Combine(source, "_registrytools-" + id);
            var moved = Path.Combine(target, "probe");
            acts.CreateDirectory(probe);
            try
            {
                acts.Move(probe, moved, isDirectory: true);
            }
            catch (IOException exception)
            {
                acts.DeleteEmptyDirectory(probe);
                throw new GarbageException(
                    $"'{Shown.Short(source, 300)}' and the quarantine '{Shown.Short(target, 300)}' are not on one file system: {exception.Message} Nothing was removed.",
                    "Name a directory on the storage's file system as the quarantine.",
                    exception);
            }

            acts.DeleteEmptyDirectory(moved);
        }
    }
}

/// <summary>A run's part of the quarantine.</summary>
internal sealed class QuarantineRun(Quarantine quarantine, string id, DateTimeOffset time, string directory, string files) : IDisposable
{
    private readonly object _gate = new();

    public string Id { get; } = id;

    public DateTimeOffset Time { get; } = time;

    /// <summary>Where its journal is.</summary>
    public string Directory { get; } = directory;

    /// <summary>Where the files are, each at its path from <c>docker/registry</c> on.</summary>
    public string Files { get; } = files;

    /// <summary>Whether it came to its end, and looked for what was pushed meanwhile.</summary>
    public bool IsConcluded { get; init; }

    /// <summary>What moved things into it.</summary>
    public GarbageCause Cause { get; init; }

    /// <summary>The directory elsewhere that the journal names for the files, where it can't be read or is not the run's; else null.</summary>
    public string? Away { get; init; }

    public FileStream? Journal { get; set; }

    public FileActs Acts { get; set; } = new(null);

    public string PathOf(GarbageItem item) => Path.Combine(Files, "v2", item.Path);

    /// <summary>Opens the journal of an earlier run to go on with it.</summary>
    public void Continue(FileActs acts)
    {
        Acts = acts;
        try
        {
            Journal = new FileStream(Path.Combine(Directory, Quarantine.JournalName), FileMode.Append, FileAccess.Write, FileShare.Read);

            // The line before may have been cut short.
            if (Journal.Position > 0) acts.Append(Journal, [(byte)'\n'], 1);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new GarbageException($"The journal of the run {Id} can't be written: {exception.Message} Nothing was changed.", "Run it as the user that collected.", exception);
        }
    }

    /// <summary>Notes something.</summary>
    public void Write(Action<Utf8JsonWriter> properties)
    {
        using var buffer = new MemoryStream();
        Line(buffer, properties);
        lock (_gate) Acts.Append(Journal!, buffer.GetBuffer(), (int)buffer.Length);
    }

    /// <summary>Notes what is about to be moved, all at once.</summary>
    public void Write(string kind, IReadOnlyList<GarbageItem> items)
    {
        if (items.Count == 0) return;
        using var buffer = new MemoryStream();
        foreach (var item in items)
        {
            Line(buffer, writer =>
            {
                writer.WriteString("kind", kind);
                writer.WriteString("path", item.Path);
                writer.WriteNumber("size", item.Size);
                writer.WriteString("written", item.Time.UtcDateTime);
            });
        }

        lock (_gate) Acts.Append(Journal!, buffer.GetBuffer(), (int)buffer.Length);
    }

    /// <summary>What it still holds: what lies there, whatever the journal says.</summary>
    public IEnumerable<GarbageItem> Items()
    {
        var root = Path.Combine(Files, "v2");
        if (!System.IO.Directory.Exists(root)) yield break;
        var open = new Stack<string>();
        open.Push(string.Empty);
        while (open.Count > 0)
        {
            var path = open.Pop();
            foreach (var (name, kind) in StorageDirectory.Read(Path.Combine(root, path)).ToList())
            {
                var child = path.Length == 0 ? name : path + "/" + name;
                if (kind == EntryKind.Link) continue;
                var full = Path.Combine(root, child);
                if (kind == EntryKind.Directory)
                {
                    if (path.EndsWith("/_uploads", StringComparison.Ordinal) && GarbageItem.FromPath(child, Size(full), System.IO.Directory.GetLastWriteTimeUtc(full)) is { } upload) yield return upload;
                    else open.Push(child);
                    continue;
                }

                var file = new FileInfo(full);
                if (file.Exists && GarbageItem.FromPath(child, file.Length, file.LastWriteTimeUtc) is { } item) yield return item.Kind == GarbageKind.Tag ? item.WithDigest(LinkOf(full)) : item;
            }
        }
    }

    /// <summary>Whether any file is left in it, of whatever kind.</summary>
    public bool HasFiles()
    {
        var root = Path.Combine(Files, "v2");
        return System.IO.Directory.Exists(root) && System.IO.Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Any();
    }

    /// <summary>Deletes what it holds, and itself, following no link; gives the bytes that were freed.</summary>
    public long Delete(FileActs acts, CancellationToken cancellationToken, IActivityLog? log = null)
    {
        Journal?.Dispose();
        Journal = null;
        long told = 0;
        var freed = DeleteTree(Path.Combine(Files, "v2"), acts, cancellationToken, log is null ? null : bytes => log.Progress("Freeing garbage", Id, told += bytes, null, "byte"));
        if (Files != Directory) DeleteTree(Files, acts, cancellationToken);
        DeleteTree(Directory, acts, cancellationToken);
        if (System.IO.Directory.Exists(quarantine.Base) && StorageDirectory.IsEmpty(quarantine.Base)) acts.DeleteEmptyDirectory(quarantine.Base);
        return freed;
    }

    public void Dispose()
    {
        Journal?.Dispose();
        Journal = null;
    }

    private static void Line(MemoryStream buffer, Action<Utf8JsonWriter> properties)
    {
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            properties(writer);
            writer.WriteString("time", DateTime.UtcNow);
            writer.WriteEndObject();
        }

        buffer.WriteByte((byte)'\n');
    }

    private static Digest? LinkOf(string path)
    {
        var digests = new DigestTable();
        return StorageFile.ReadLink(path, digests, out var key, out _) == LinkState.Read ? digests.ToDigest(key) : null;
    }

    private static long Size(string directory)
    {
        long size = 0;
        foreach (var file in new DirectoryInfo(directory).EnumerateFiles()) size += file.Length;
        return size;
    }

    internal static long DeleteTree(string directory, FileActs acts, CancellationToken cancellationToken, Action<long>? deleted = null)
    {
        if (!System.IO.Directory.Exists(directory) || (File.GetAttributes(directory) & FileAttributes.ReparsePoint) != 0) return 0;
        long freed = 0;
        foreach (var (name, kind) in StorageDirectory.Read(directory).ToList())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var path = Path.Combine(directory, name);
            if (kind == EntryKind.Directory)
            {
                freed += DeleteTree(path, acts, cancellationToken, deleted);
                continue;
            }

            var size = kind == EntryKind.File ? new FileInfo(path).Length : 0;
            acts.DeleteFile(path);
            freed += size;
            deleted?.Invoke(size);
        }

        acts.DeleteEmptyDirectory(directory);
        return freed;
    }
}
