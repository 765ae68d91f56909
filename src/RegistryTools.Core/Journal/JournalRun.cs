using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.References;

namespace RegistryTools.Journal;

/// <summary>A removal that is about to be done.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Tag">The tag; null for a manifest that has none.</param>
/// <param name="Digest">The manifest that the tag points to.</param>
/// <param name="MediaType">Its media type; empty where it is not known.</param>
/// <param name="Method">By what means.</param>
/// <param name="Placeholder">The placeholder that will stand over the tag, or null.</param>
public sealed record RemovalIntent(string Repository, string? Tag, Digest Digest, string MediaType, RemovalMethod Method, Digest? Placeholder = null);

/// <summary>One run's file in the journal. Thread-safe. What many write at once goes to the disk in one flush.</summary>
public sealed class JournalRun : IDisposable
{
    private readonly FileStream _stream;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly List<byte[]> _waiting = [];
    private readonly HashSet<(string Repository, string? Tag, Digest Digest)> _open = [];
    private readonly string _file;
    private long _written;
    private long _flushed;
    private bool _disposed;
    private Exception? _broken;

    internal JournalRun(FileStream stream, string file, string id, DateTimeOffset time, string registry)
    {
        _stream = stream;
        _file = file;
        Id = id;
        Registry = registry;
        Time = time;
        Enqueue(Line(json =>
        {
            json.WriteString("kind", "run");
            json.WriteString("run", id);
            json.WriteString("time", Stamp(time));
            json.WriteString("registry", registry);
            json.WriteString("machine", Environment.MachineName);
            using var process = Process.GetCurrentProcess();
            json.WriteNumber("process", process.Id);
            json.WriteString("tool", "RegistryTools " + (typeof(JournalRun).Assembly.GetName().Version?.ToString(3) ?? "?"));
        }));
        FlushAsync().GetAwaiter().GetResult();
    }

    /// <summary>The run's name: 32 hexadecimal digits.</summary>
    public string Id { get; }

    /// <summary>The registry's location.</summary>
    public string Registry { get; }

    /// <summary>When it began.</summary>
    public DateTimeOffset Time { get; }

    /// <summary>Writes down what is about to be done. It is on the disk when the task ends.</summary>
    /// <param name="intents">The removals.</param>
    /// <param name="manifests">Manifests whose bytes are to be kept for an undo.</param>
    /// <exception cref="JournalException">It can't be written: do not go on.</exception>
    public Task IntendAsync(IEnumerable<RemovalIntent> intents, IEnumerable<Manifest>? manifests = null)
    {
        foreach (var manifest in manifests ?? [])
        {
            Enqueue(Line(json =>
            {
                json.WriteString("kind", "manifest");
                json.WriteString("digest", manifest.Digest.ToString());
                json.WriteString("mediaType", manifest.MediaType);
                json.WriteBase64String("data", manifest.Raw.Span);
            }));
        }

        foreach (var intent in intents)
        {
            lock (_waiting) _open.Add((intent.Repository, intent.Tag, intent.Digest));
            Enqueue(Line(json =>
            {
                json.WriteString("kind", "intent");
                json.WriteString("time", Stamp(DateTimeOffset.UtcNow));
                json.WriteString("repository", intent.Repository);
                if (intent.Tag is not null) json.WriteString("tag", intent.Tag);
                json.WriteString("digest", intent.Digest.ToString());
                json.WriteString("mediaType", intent.MediaType);
                json.WriteString("method", intent.Method.ToString());
                if (intent.Placeholder is not null) json.WriteString("placeholder", intent.Placeholder.ToString());
            }));
        }

        return FlushAsync();
    }

    /// <summary>Writes down what became of a removal of this run. It is on the disk when the task ends.</summary>
    /// <exception cref="JournalException">It can't be written.</exception>
    public Task ConcludeAsync(string repository, string? tag, Digest digest, RemovalState state, string? message = null)
    {
        lock (_waiting) _open.Remove((repository, tag, digest));
        Enqueue(OutcomeLine(repository, tag, digest, state, message));
        return FlushAsync();
    }

    /// <summary>Whether a removal was written down by this run and not concluded.</summary>
    internal bool IsOpen(string repository, string? tag, Digest digest)
    {
        lock (_waiting) return _open.Contains((repository, tag, digest));
    }

    internal static byte[] OutcomeLine(string repository, string? tag, Digest digest, RemovalState state, string? message) => Line(json =>
    {
        json.WriteString("kind", "outcome");
        json.WriteString("time", Stamp(DateTimeOffset.UtcNow));
        json.WriteString("repository", repository);
        if (tag is not null) json.WriteString("tag", tag);
        json.WriteString("digest", digest.ToString());
        json.WriteString("state", state.ToString());
        if (message is not null) json.WriteString("message", message);
    });

    /// <inheritdoc/>
    public void Dispose()
    {
        _gate.Wait();
        try
        {
            if (_disposed) return;
            _disposed = true;
            _stream.Dispose();
            bool concluded;
            lock (_waiting) concluded = _open.Count == 0 && _broken is null;

            // Runs that left nothing open need not be read to find those that did.
            if (concluded) File.Move(_file, RemovalJournal.ConcludedName(_file));
        }
        catch (IOException)
        {
            // The name is a hint. The content tells.
        }
        finally
        {
            _gate.Release();
        }
    }

    private static string Stamp(DateTimeOffset time) => time.UtcDateTime.ToString("o", CultureInfo.InvariantCulture);

    private static byte[] Line(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }

    private void Enqueue(byte[] line)
    {
        lock (_waiting)
        {
            _waiting.Add(line);
            _written++;
        }
    }

    private async Task FlushAsync()
    {
        long mine;
        lock (_waiting) mine = _written;
        await _gate.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_flushed >= mine) return;

            // What waited along with a write that failed is not on the disk either, and what is written behind half a line can't be read.
            if (_broken is not null) throw Broken(_broken);
            byte[][] lines;
            long upTo;
            lock (_waiting)
            {
                lines = [.. _waiting];
                _waiting.Clear();
                upTo = _written;
            }

            foreach (var line in lines) _stream.Write(line, 0, line.Length);
            _stream.Flush(flushToDisk: true);
            _flushed = upTo;
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or NotSupportedException)
        {
            _broken = exception;
            throw Broken(exception);
        }
        finally
        {
            _gate.Release();
        }
    }

    private JournalException Broken(Exception cause) =>
        new($"The journal of removals can't be written at '{_file}': {cause.Message}", "Free space on that disk, or name another directory in the environment variable REGISTRYTOOLS_DATA.", cause);
}
