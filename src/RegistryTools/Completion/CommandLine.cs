using System.Collections;
using System.Management.Automation;
using RegistryTools.Errors;
using RegistryTools.PowerShell.Binding;
using RegistryTools.References;

namespace RegistryTools.PowerShell.Completion;

/// <summary>The command line that is being completed, as far as it is known.</summary>
internal sealed class CommandLine(string? command, string? parameter, string? word, IDictionary? bound)
{
    private const int MaximumNamed = 4;

    public Word Word { get; } = new(word);

    public string Parameter { get; } = parameter ?? string.Empty;

    public RegistrySession Session { get; } = RegistrySession.Current;

    public Deadline Deadline { get; } = new();

    /// <summary>Whether the command is this one, also where the module was imported with a prefix.</summary>
    public bool IsCommand(string verb, string noun) =>
        command is not null && command.Substring(command.LastIndexOf('\\') + 1).StartsWith(verb + "-", StringComparison.OrdinalIgnoreCase) && command.EndsWith(noun, StringComparison.OrdinalIgnoreCase);

    /// <summary>The texts that a parameter is given; none where it is not, or where they are not known before the command runs.</summary>
    public IReadOnlyList<string> Texts(string name)
    {
        var value = Value(name);
        return [.. (value as object?[] ?? [value]).Select(static item => item is PSObject wrapped ? wrapped.ToString() : item as string).OfType<string>().Where(static text => text.Length > 0)];
    }

    /// <summary>Whether a parameter is given anything.</summary>
    public bool IsGiven(string name) => Value(name) is not null;

    /// <summary>What the command line takes its candidates from: the storage or the registry that it names, else the current connection. Null where that is not connected.</summary>
    /// <param name="orCurrent">Whether the current connection is meant where nothing is named.</param>
    public CandidateSource? FindSource(bool orCurrent = true)
    {
        if (FindStorage() is { } storage) return storage;
        var registry = Value("Registry");
        if (registry is null && !orCurrent) return null;
        return registry is null ? Find((RegistryConnection?)null) : new RegistryTransformationAttribute().Transform(null!, registry) switch
        {
            RegistryConnection connection => Find(connection),
            object[] { Length: 1 } list when list[0] is RegistryConnection connection => Find(connection),
            _ => null,
        };
    }

    /// <summary>The storage that -StoragePath names; null where it names none.</summary>
    public CandidateSource? FindStorage() => Texts("StoragePath") is { Count: > 0 } paths ? Storage(paths[0]) : null;

    /// <summary>The connection that a name or an address means, if it is there.</summary>
    public CandidateSource? Find(string registry) => Find(RegistryConnection.FromText(registry));

    /// <summary>The repositories that the command line names, each with the tag or digest that was named along with it.</summary>
    public IEnumerable<Named> FindRepositories()
    {
        // What reads takes references for repositories; what changes something takes them for references only.
        var takesReferences = IsCommand("Get", "RegistryTag") || IsCommand("Get", "RegistryManifest") || IsCommand("Get", "RegistryImage");
        foreach (var text in Texts("Repository").Concat(Texts("Reference")).Take(MaximumNamed))
        {
            Named? named = null;
            try
            {
                named = takesReferences || Texts("Reference").Contains(text) ? FindReference(text) : FindSource() is { } source ? new Named(source, RepositoryName.Normalize(text, out _), null, null) : null;
            }
            catch (ReferenceFormatException)
            {
                // It is not one yet, or has wildcards.
            }

            if (named is not null) yield return named;
        }
    }

    private Named? FindReference(string text)
    {
        var isGiven = IsGiven("Registry") || IsGiven("StoragePath");
        var source = FindSource();
        if (isGiven && source is null) return null;
        var rest = text.Trim();
        if (isGiven && rest.StartsWith(source!.Name + "/", StringComparison.OrdinalIgnoreCase)) rest = rest.Substring(source.Name.Length + 1);
        var reference = ImageReference.Parse(isGiven ? "registry.invalid/" + rest : rest);
        if (!isGiven && reference.Registry is not null) source = Find(reference.Registry);
        return source is null ? null : new Named(source, reference.Repository, reference.Tag, reference.Digest?.ToString());
    }

    private CandidateSource? Find(RegistryConnection? argument)
    {
        var resolution = Session.Resolve(argument);
        return resolution.Connection is { IsOpen: true } connection ? new CandidateSource(this, connection) : resolution.StoragePath is { } path ? Storage(path) : null;
    }

    private CandidateSource? Storage(string path)
    {
        // A path is relative to where the session is, and may be on a drive of its own: only the engine knows.
        var engine = ScriptBlock.Create("$ExecutionContext").Invoke()[0].BaseObject as EngineIntrinsics;
        var resolved = engine!.SessionState.Path.GetUnresolvedProviderPathFromPSPath(path, out var provider, out _);
        return provider.Name == "FileSystem" ? new CandidateSource(this, resolved) : null;
    }

    private object? Value(string name)
    {
        if (bound is null || !bound.Contains(name)) return null;
        return bound[name] is PSObject { BaseObject: not PSCustomObject } wrapped && wrapped.BaseObject is object[] or RegistryConnection or Uri ? wrapped.BaseObject : bound[name];
    }

    /// <summary>A repository that the command line names.</summary>
    internal sealed record Named(CandidateSource Source, string Repository, string? Tag, string? Digest);
}
