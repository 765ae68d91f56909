using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using RegistryTools.Errors;

namespace RegistryTools.Containers;

/// <summary>That a registry was made quiet, and what it takes to bring it back: written down before it is done, and deleted once it is back.</summary>
/// <param name="Key">The registry's runtime.</param>
/// <param name="How">What was done.</param>
/// <param name="Time">When.</param>
/// <param name="Details">What the runtime needs besides, such as how many replicas there were.</param>
public sealed record QuiescenceNote(string Key, Quiescence How, DateTimeOffset Time, IReadOnlyDictionary<string, string> Details);

/// <summary>The notes of a user, a file each, so that the next session knows what a killed one has left.</summary>
public sealed class QuiescenceNotes(string directory)
{
    /// <summary>Finds what was left of a registry; null for nothing.</summary>
    public QuiescenceNote? Find(string key)
    {
        try
        {
            var file = FileOf(key);
            if (!File.Exists(file)) return null;
            using var document = JsonDocument.Parse(File.ReadAllBytes(file));
            var root = document.RootElement;
            if (root.GetProperty("key").GetString() != key || !Enum.TryParse<Quiescence>(root.GetProperty("how").GetString(), out var how)) return null;
            return new QuiescenceNote(key, how, root.GetProperty("time").GetDateTimeOffset(), root.GetProperty("details").EnumerateObject().ToDictionary(static property => property.Name, static property => property.Value.GetString() ?? string.Empty, StringComparer.Ordinal));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return null;
        }
    }

    /// <summary>Writes a note down.</summary>
    /// <exception cref="JournalException">It can't be written: nothing must be made quiet then.</exception>
    public void Write(QuiescenceNote note)
    {
        try
        {
            Directory.CreateDirectory(directory);
            var file = FileOf(note.Key);
            var temporary = file + ".new";
            using (var stream = new FileStream(temporary, FileMode.Create, FileAccess.Write))
            {
                using var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
                writer.WriteStartObject();
                writer.WriteString("key", note.Key);
                writer.WriteString("how", note.How.ToString());
                writer.WriteString("time", note.Time);
                writer.WriteStartObject("details");
                foreach (var detail in note.Details) writer.WriteString(detail.Key, detail.Value);
                writer.WriteEndObject();
                writer.WriteEndObject();
                writer.Flush();
                stream.Flush(flushToDisk: true);
            }

            if (File.Exists(file)) File.Delete(file);
            File.Move(temporary, file);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new JournalException($"What is stopped for the collection can't be written down in '{directory}': {exception.Message} Nothing was stopped.", null, exception);
        }
    }

    /// <summary>The details, with what tells whether the session that wrote them still runs.</summary>
    internal static IReadOnlyDictionary<string, string> WithOwner(IReadOnlyDictionary<string, string> details)
    {
        using var self = Process.GetCurrentProcess();
        var all = details.ToDictionary(static pair => pair.Key, static pair => pair.Value, StringComparer.Ordinal);
        all["machine"] = Environment.MachineName;
        all["process"] = self.Id.ToString(CultureInfo.InvariantCulture);
        all["started"] = self.StartTime.ToUniversalTime().Ticks.ToString(CultureInfo.InvariantCulture);
        return all;
    }

    /// <summary>The process that wrote a note, where it still runs on this machine; null where it does not.</summary>
    internal static int? OwnerLives(QuiescenceNote note)
    {
        if (!note.Details.TryGetValue("machine", out var machine) || machine != Environment.MachineName || !note.Details.TryGetValue("process", out var text) || !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id)) return null;
        try
        {
            using var owner = Process.GetProcessById(id);
            using var self = Process.GetCurrentProcess();

            // A number is given anew; this process's own notes are of a run that has ended.
            // And the moment of its start is reckoned by each who asks, which comes out a little different.
            return id != self.Id
                && note.Details.TryGetValue("started", out var then)
                && long.TryParse(then, NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
                && Math.Abs(owner.StartTime.ToUniversalTime().Ticks - ticks) < TimeSpan.FromSeconds(5).Ticks ? id : null;
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    /// <summary>Deletes the note of a registry that is back.</summary>
    public void Delete(string key)
    {
        try
        {
            File.Delete(FileOf(key));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The next run finds it, and that the registry runs.
        }
    }

    private string FileOf(string key)
    {
        return Path.Combine(directory, References.Digest.Compute(Encoding.UTF8.GetBytes(key)).Encoded.Substring(0, 24) + ".json");
    }
}
