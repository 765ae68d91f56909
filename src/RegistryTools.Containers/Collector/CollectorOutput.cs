using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using RegistryTools.References;
using RegistryTools.Text;

namespace RegistryTools.Containers;

/// <summary>
/// Reads what <c>registry garbage-collect</c> writes, line by line: distribution 2.7 to 2.8 and 3.x (registry/storage/garbagecollect.go of each), with the log lines of logrus between them.
/// </summary>
internal sealed class CollectorOutput
{
    private const int MaximumKept = 50;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);
    private static readonly Regex Summary = new(@"^(\d+) blobs marked, (\d+) blobs(?: and (\d+) manifests)? eligible for deletion$", RegexOptions.CultureInvariant, Limit);
    private static readonly Regex Eligible3 = new(@"^\{(\S+) (\S+:\S+) \[.*\]\}$", RegexOptions.CultureInvariant, Limit);
    private static readonly Regex Level = new(@"\blevel=""?(\w+)""?", RegexOptions.CultureInvariant, Limit);
    private static readonly Regex Message = new(@"\bmsg=(?:""((?:[^""\\]|\\.)*)""|(\S+))", RegexOptions.CultureInvariant, Limit);

    private readonly List<string> _repositories = [];
    private readonly List<CollectedManifest> _marked = [];
    private readonly List<CollectedManifest> _manifests = [];
    private readonly List<string> _blobs = [];
    private readonly HashSet<(string Repository, string Digest)> _named = [];
    private readonly List<string> _warnings = [];
    private readonly List<string> _unknown = [];
    private readonly Queue<string> _last = new();
    private string _repository = string.Empty;
    private int? _blobsMarked;
    private int _layers;

    /// <summary>The last lines, for the message where it fails.</summary>
    public string Last => string.Join(" | ", _last.Select(line => Shown.Short(line, 300)));

    /// <summary>How many lines of work were read, for the progress.</summary>
    public int Steps { get; private set; }

    /// <summary>Takes a line.</summary>
    public void Add(string line)
    {
        line = line.TrimEnd('\r', '\n', ' ');
        if (line.Length == 0) return;
        _last.Enqueue(line);
        if (_last.Count > 3) _last.Dequeue();
        Steps++;
        if (IsLog(line)) return;
        if (Summary.Match(line) is { Success: true } summary)
        {
            _blobsMarked = int.TryParse(summary.Groups[1].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var marked) ? marked : 0;
        }
        else if (After(line, "manifest eligible for deletion: ") is { } manifest)
        {
            // 3.x prints the structure that it keeps: {repository digest [tags]}; 2.x the digest, below the repository's name.
            if (Eligible3.Match(manifest) is { Success: true } three && Digest.TryParse(three.Groups[2].Value, out _)) _manifests.Add(new CollectedManifest(three.Groups[1].Value, three.Groups[2].Value));
            else if (Digest.TryParse(manifest, out _)) _manifests.Add(new CollectedManifest(_repository, manifest));
            else NotKnown(line);
        }
        else if (After(line, "blob eligible for deletion: ") is { } blob && Digest.TryParse(blob, out _))
        {
            _blobs.Add(blob);
        }
        else if (line.StartsWith("manifest tags path of repository ", StringComparison.Ordinal) && line.EndsWith(" does not exist", StringComparison.Ordinal))
        {
            Keep(_warnings, line);
        }
        else if (line.IndexOf(": ", StringComparison.Ordinal) is > 0 and var colon && RepositoryName.IsValid(line.Substring(0, colon)))
        {
            Step(line, line.Substring(0, colon), line.Substring(colon + 2));
        }
        else if (RepositoryName.IsValid(line))
        {
            _repository = line;
            _repositories.Add(line);
        }
        else
        {
            NotKnown(line);
        }
    }

    /// <summary>What it comes to.</summary>
    public CollectorReport Report() => new()
    {
        Repositories = _repositories,
        Marked = _marked,
        BlobsMarked = _blobsMarked,
        Manifests = _manifests,
        Blobs = _blobs,
        LayersRemoved = _layers,

        // 2.x marks the children of a tagged index as blobs, and deletes them as untagged manifests all the same.
        Needed = [.. _manifests.Where(manifest => _named.Contains((manifest.Repository, manifest.Digest)))],
        Warnings = _warnings,
        Unknown = _unknown,
    };

    private void Step(string line, string repository, string what)
    {
        if (After(what, "marking manifest ") is { } manifest && Digest.TryParse(manifest, out _)) _marked.Add(new CollectedManifest(repository, manifest));
        else if ((After(what, "marking blob ") ?? After(what, "marking configuration ")) is { } blob && Digest.TryParse(blob, out _)) _named.Add((repository, blob));
        else if (After(what, "layer link eligible for deletion: ") is { } layer && Digest.TryParse(layer, out _)) _layers++;
        else NotKnown(line);
    }

    /// <summary>Whether it is a line of the log, in either of its forms; what warns is kept.</summary>
    private bool IsLog(string line)
    {
        if (line.StartsWith("time=", StringComparison.Ordinal) && Level.Match(line) is { Success: true } level)
        {
            if (Warns(level.Groups[1].Value) && Message.Match(line) is { Success: true } message) Keep(_warnings, message.Groups[1].Success ? Unescaped(message.Groups[1].Value) : message.Groups[2].Value);
            return true;
        }

        if (line[0] != '{' || line[line.Length - 1] != '}') return false;
        try
        {
            using var document = JsonDocument.Parse(line);
            var root = document.RootElement;
            if (!root.TryGetProperty("level", out var at) || !root.TryGetProperty("msg", out var said)) return false;
            if (Warns(at.ToString())) Keep(_warnings, said.ToString());
            return true;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or ArgumentException)
        {
            return false;
        }
    }

    private static string Unescaped(string text)
    {
        try
        {
            return Regex.Unescape(text);
        }
        catch (ArgumentException)
        {
            return text;
        }
    }

    private static bool Warns(string level) => level is "warning" or "warn" or "error" or "fatal" or "panic";

    private static string? After(string line, string start) => line.StartsWith(start, StringComparison.Ordinal) ? line.Substring(start.Length) : null;

    private void NotKnown(string line) => Keep(_unknown, line);

    private static void Keep(List<string> list, string line)
    {
        if (list.Count < MaximumKept) list.Add(Shown.Short(line, 500));
    }
}
