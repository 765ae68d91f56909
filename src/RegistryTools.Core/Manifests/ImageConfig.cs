using RegistryTools.References;

namespace RegistryTools.Manifests;

/// <summary>One step of an image's history.</summary>
/// <param name="Created">When; null where it is not told.</param>
/// <param name="CreatedBy">The command; may be empty.</param>
/// <param name="Comment">A comment; may be empty.</param>
/// <param name="EmptyLayer">Whether the step made no layer.</param>
public sealed record ImageHistoryEntry(DateTimeOffset? Created, string CreatedBy, string Comment, bool EmptyLayer);

/// <summary>An image's configuration (OCI image-spec, config.md), for Docker's and OCI's media type alike.</summary>
public sealed class ImageConfig
{
    private ImageConfig(Digest digest) => Digest = digest;

    /// <summary>The largest configuration that is read.</summary>
    public const int MaximumSize = 8 * 1024 * 1024;

    /// <summary>The configuration's digest: Docker's image id.</summary>
    public Digest Digest { get; }

    /// <summary>When the image was built, as it says itself; null where it does not say. Reproducible builds say 1970 or 1980.</summary>
    public DateTimeOffset? Created { get; private set; }

    /// <summary>Who made it, or null.</summary>
    public string? Author { get; private set; }

    /// <summary>What it runs on.</summary>
    public Platform Platform { get; private set; } = new(string.Empty, string.Empty);

    /// <summary>The user it runs as, or null.</summary>
    public string? User { get; private set; }

    /// <summary>The environment, <c>NAME=value</c> each.</summary>
    public IReadOnlyList<string> Environment { get; private set; } = [];

    /// <summary>The entry point.</summary>
    public IReadOnlyList<string> Entrypoint { get; private set; } = [];

    /// <summary>The command, or the entry point's default arguments.</summary>
    public IReadOnlyList<string> Command { get; private set; } = [];

    /// <summary>The working directory, or null.</summary>
    public string? WorkingDirectory { get; private set; }

    /// <summary>The ports it exposes, such as <c>80/tcp</c>.</summary>
    public IReadOnlyList<string> ExposedPorts { get; private set; } = [];

    /// <summary>The volumes it declares.</summary>
    public IReadOnlyList<string> Volumes { get; private set; } = [];

    /// <summary>The labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; private set; } = new Dictionary<string, string>();

    /// <summary>The history, oldest first.</summary>
    public IReadOnlyList<ImageHistoryEntry> History { get; private set; } = [];

    /// <summary>The digests of the uncompressed layers, base first.</summary>
    public IReadOnlyList<string> DiffIds { get; private set; } = [];

    /// <summary>Reads a configuration.</summary>
    /// <exception cref="Errors.ManifestFormatException">The bytes are no configuration.</exception>
    public static ImageConfig Parse(ReadOnlyMemory<byte> raw, Digest digest)
    {
        const string what = "The image's configuration";
        using var document = JsonReading.ParseObject(raw, what);
        var root = document.RootElement;
        var config = new ImageConfig(digest)
        {
            Created = root.Time("created", what),
            Author = root.Text("author", what),
            Platform = new Platform(root.Text("os", what) ?? string.Empty, root.Text("architecture", what) ?? string.Empty, root.Text("variant", what), root.Text("os.version", what)),
        };

        if (root.Find("config", out var run))
        {
            config.User = run.Text("User", what);
            config.Environment = run.Texts("Env", what);
            config.Entrypoint = run.Texts("Entrypoint", what);
            config.Command = run.Texts("Cmd", what);
            config.WorkingDirectory = run.Text("WorkingDir", what);
            config.Labels = run.Map("Labels", what);
            config.ExposedPorts = Names(run, "ExposedPorts");
            config.Volumes = Names(run, "Volumes");
        }

        var history = new List<ImageHistoryEntry>();
        foreach (var item in root.Items("history", what))
        {
            history.Add(new ImageHistoryEntry(
                item.Time("created", what + "'s history"),
                item.Text("created_by", what + "'s history") ?? string.Empty,
                item.Text("comment", what + "'s history") ?? string.Empty,
                item.Find("empty_layer", out var empty) && empty.ValueKind == System.Text.Json.JsonValueKind.True));
        }

        config.History = history;
        if (root.Find("rootfs", out var rootfs)) config.DiffIds = rootfs.Texts("diff_ids", what + "'s rootfs");
        return config;
    }

    private static List<string> Names(System.Text.Json.JsonElement element, string name)
    {
        var names = new List<string>();
        if (element.Find(name, out var value) && value.ValueKind == System.Text.Json.JsonValueKind.Object)
        {
            try
            {
                foreach (var property in value.EnumerateObject()) names.Add(property.Name);
            }
            catch (InvalidOperationException exception)
            {
                throw new Errors.ManifestFormatException($"The image's configuration has a name in {name} that is not valid Unicode.", exception);
            }
        }

        return names;
    }
}
