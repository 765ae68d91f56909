using System.Globalization;
using System.Text.Json;
using RegistryTools.Errors;
using RegistryTools.References;

namespace RegistryTools.Journal;

/// <summary>
/// What this machine's user removed, written down before it was done: a directory with one file of JSON lines a run, only ever
/// appended to. It is what an undo goes by, and how the next run learns that one was interrupted. It holds no secret: registries are
/// named by URI without user information.
/// </summary>
public sealed class RemovalJournal
{
    /// <summary>The environment variable that names another data directory than the user's own.</summary>
    public const string DataVariable = "REGISTRYTOOLS_DATA";

    private static readonly object Concluding = new();

    internal const string Extension = ".jsonl";
    internal const string ConcludedExtension = ".done.jsonl";

    /// <summary>A journal in a directory, which is made when the first run begins.</summary>
    public RemovalJournal(string directory) => Directory = directory;

    /// <summary>The directory of the files.</summary>
    public string Directory { get; }

    /// <summary>The user's journal: in $REGISTRYTOOLS_DATA, else in the user's local application data.</summary>
    /// <exception cref="JournalException">There is no such place.</exception>
    public static RemovalJournal ForUser() => new(Path.Combine(UserDirectory(), "journal"));

    /// <summary>Where what is written down for the user is kept.</summary>
    /// <exception cref="JournalException">The user has no such directory.</exception>
    public static string UserDirectory()
    {
        var data = Environment.GetEnvironmentVariable(DataVariable);
        if (!string.IsNullOrWhiteSpace(data)) return data;
        var local = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify);
        if (string.IsNullOrEmpty(local)) throw new JournalException("The user has no data directory for the journal of removals.", $"Name one in the environment variable {DataVariable}.");
        return Path.Combine(local, "RegistryTools");
    }

    /// <summary>Begins a run. Its file is there, and on the disk, when this returns.</summary>
    /// <param name="registry">The registry's location.</param>
    /// <exception cref="JournalException">The file can't be written.</exception>
    public JournalRun Begin(string registry)
    {
        var time = DateTimeOffset.UtcNow;
        var id = Guid.NewGuid().ToString("N");
        var file = Path.Combine(Directory, time.ToString("yyyyMMdd'T'HHmmssfff'Z'", CultureInfo.InvariantCulture) + "-" + id + Extension);
        try
        {
#if NET
            if (OperatingSystem.IsWindows()) System.IO.Directory.CreateDirectory(Directory);
            else System.IO.Directory.CreateDirectory(Directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
#else
            System.IO.Directory.CreateDirectory(Directory);
#endif
            // FileShare.Read is also the sign of life: whoever can open the file alone knows that its run has ended.
            return new JournalRun(new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.Read), file, id, time, registry);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new JournalException(
                $"The journal of removals can't be written at '{file}': {exception.Message} Nothing was removed.",
                $"Make the directory writable, or name another in the environment variable {DataVariable}.",
                exception);
        }
    }

    /// <summary>Reads the entries, oldest run first. A line cut short by a crash, and a file that can't be read, are passed over.</summary>
    /// <param name="registry">Only those of this registry's location; null for all.</param>
    /// <param name="pendingOnly">Only those that are not concluded; runs that concluded everything are not read at all.</param>
    public IEnumerable<JournalEntry> Read(string? registry = null, bool pendingOnly = false)
    {
        if (!System.IO.Directory.Exists(Directory)) yield break;
        var files = System.IO.Directory.GetFiles(Directory, "*" + Extension);
        Array.Sort(files, StringComparer.Ordinal);
        foreach (var file in files)
        {
            if (pendingOnly && file.EndsWith(ConcludedExtension, StringComparison.Ordinal)) continue;
            bool? live = null;
            foreach (var entry in ReadFile(file))
            {
                if (registry is not null && !IsSame(entry.Registry, registry)) continue;
                if (pendingOnly && entry.State != RemovalState.Pending) continue;
                if (entry.State == RemovalState.Pending) entry.IsLive = live ??= IsLive(file);
                yield return entry;
            }
        }
    }

    /// <summary>Writes down what became of a removal of a run that has ended: one that was interrupted, or that the user undoes.</summary>
    /// <exception cref="JournalException">It can't be written.</exception>
    public static void Conclude(JournalEntry entry, RemovalState state, string? message = null)
    {
        lock (Concluding)
        {
            var file = File.Exists(entry.File) ? entry.File : ConcludedName(entry.File);
            try
            {
                try
                {
                    Append(file, entry, state, message);
                }
                catch (FileNotFoundException)
                {
                    // Another process has concluded the rest of that run a moment ago.
                    file = ConcludedName(file);
                    Append(file, entry, state, message);
                }

                entry.State = state;
                if (!file.EndsWith(ConcludedExtension, StringComparison.Ordinal) && ReadFile(file).TrueForAll(other => other.State != RemovalState.Pending)) File.Move(file, ConcludedName(file));
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw new JournalException($"The journal of removals can't be written at '{file}': {exception.Message}", null, exception);
            }
        }
    }

    /// <summary>The bytes of the manifest that an entry was about, where the run kept them; null where it did not.</summary>
    public static byte[]? FindManifest(JournalEntry entry)
    {
        foreach (var line in Lines(File.Exists(entry.File) ? entry.File : ConcludedName(entry.File)))
        {
            if (Parse(line) is not { } document) continue;
            using (document)
            {
                var root = document.RootElement;
                if (Text(root, "kind") == "manifest" && Text(root, "digest") == entry.Digest.ToString() && Text(root, "data") is { } data)
                {
                    try
                    {
                        var bytes = Convert.FromBase64String(data);
                        if (!entry.Digest.CanVerify || entry.Digest.Matches(bytes)) return bytes;
                    }
                    catch (FormatException)
                    {
                        // A damaged line is as good as none.
                    }
                }
            }
        }

        return null;
    }

    private static void Append(string file, JournalEntry entry, RemovalState state, string? message)
    {
        using var stream = Open(file, FileAccess.Write, FileShare.Read);
        stream.Seek(0, SeekOrigin.End);

        // The line before may have been cut short by a crash.
        stream.WriteByte((byte)'\n');
        var line = JournalRun.OutcomeLine(entry.Repository, entry.Tag, entry.Digest, state, message);
        stream.Write(line, 0, line.Length);
        stream.Flush(flushToDisk: true);
    }

    // Who looks whether a run is live has its file for itself, for a moment.
    private static FileStream Open(string file, FileAccess access, FileShare share)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return new FileStream(file, FileMode.Open, access, share);
            }
            catch (IOException exception) when (exception is not (FileNotFoundException or DirectoryNotFoundException) && attempt < 100)
            {
                Thread.Sleep(20);
            }
        }
    }

    internal static string ConcludedName(string file) =>
        file.EndsWith(ConcludedExtension, StringComparison.Ordinal) ? file : file.Substring(0, file.Length - Extension.Length) + ConcludedExtension;

    // A storage's location is a path, and two that differ by case are two.
    private static bool IsSame(string left, string right) =>
        string.Equals(left, right, left.StartsWith("http", StringComparison.OrdinalIgnoreCase) || Path.DirectorySeparatorChar != '/' ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);

    private static string Key(string repository, string? tag, Digest digest) => repository + "\n" + tag + "\n" + digest;

    private static List<JournalEntry> ReadFile(string file) => Read(file, Lines(file));

    /// <summary>The entries of a run's file; what is no entry, as a line cut short by a crash is none, is passed over.</summary>
    internal static List<JournalEntry> Read(string file, IEnumerable<string> lines)
    {
        var entries = new List<JournalEntry>();
        var byKey = new Dictionary<string, JournalEntry>(StringComparer.Ordinal);
        string? run = null;
        var registry = string.Empty;
        foreach (var line in lines)
        {
            if (Parse(line) is not { } document) continue;
            using (document)
            {
                var root = document.RootElement;
                var time = DateTimeOffset.TryParse(Text(root, "time"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var t) ? t : default;
                var kind = Text(root, "kind");
                if (kind == "run")
                {
                    run = Text(root, "run");
                    registry = Text(root, "registry") ?? string.Empty;
                    continue;
                }

                if (run is null || Text(root, "repository") is not { } repository || !Digest.TryParse(Text(root, "digest"), out var digest)) continue;
                var tag = Text(root, "tag");
                var key = Key(repository, tag, digest);
                if (kind == "intent" && Named<RemovalMethod>(Text(root, "method"), out var method))
                {
                    var entry = new JournalEntry(file, run, time, registry, repository, tag, digest, Text(root, "mediaType") ?? string.Empty, method, Digest.TryParse(Text(root, "placeholder"), out var p) ? p : null);
                    if (byKey.TryGetValue(key, out var before)) entries.Remove(before);
                    entries.Add(entry);
                    byKey[key] = entry;
                }
                else if (kind == "outcome" && byKey.TryGetValue(key, out var known) && Named<RemovalState>(Text(root, "state"), out var state))
                {
                    known.State = state;
                    known.StateTime = time;
                }
            }
        }

        return entries;
    }

    private static IEnumerable<string> Lines(string file)
    {
        FileStream stream;
        try
        {
            stream = Open(file, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            yield break;
        }

        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line) yield return line;
    }

    /// <summary>A line's object; null where it is none, or cut short.</summary>
    private static JsonDocument? Parse(string line)
    {
        try
        {
            var document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
        }
        catch (JsonException)
        {
        }

        return null;
    }

    // Not by number, nor several at once, as the parser would have it.
    private static bool Named<T>(string? text, out T value)
        where T : struct
    {
        value = default;
        return text is not null && text.All(char.IsLetter) && Enum.TryParse(text, out value);
    }

    private static string? Text(JsonElement element, string name)
    {
        try
        {
            return element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // Half a character.
            return null;
        }
    }

    private static bool IsLive(string file)
    {
        try
        {
            using var alone = new FileStream(file, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }
}
