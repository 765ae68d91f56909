using System.Management.Automation;
using RegistryTools.Errors;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;
using RegistryTools.References;

namespace RegistryTools.PowerShell;

/// <summary>The base of the cmdlets that change tags or manifests which are named by repository and tag, by reference, or by a piped object.</summary>
public abstract class ReferenceTargetCmdlet : RegistryTargetCmdlet
{
    private protected const string ByName = "Name";
    private protected const string ByReference = "Reference";

    /// <summary>The repository. Upper-case letters are lowered.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = ByName, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    [NameTransformation]
    [ArgumentCompleter(typeof(RepositoryCompleter))]
    public string Repository { get; set; } = string.Empty;

    /// <summary>References as they are pulled: <c>repository:tag</c>, with the registry before it where that is not the current one.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByReference, ValueFromPipeline = true)]
    [ValidateNotNullOrEmpty]
    [NameTransformation]
    [ArgumentCompleter(typeof(ReferenceCompleter))]
    public string[] Reference { get; set; } = [];

    /// <summary>A registry and repository that are named, ready to be used; null where that failed and was told.</summary>
    private protected Place? FindPlace(RegistryConnection? registry, string repository)
    {
        if (!TryConnect(registry, out var connection) || !TryNormalizeRepository(repository, connection, out var name)) return null;
        return new Place(connection, name);
    }

    /// <summary>What a reference names; null where it names nothing, which is told.</summary>
    private protected (Place Place, ImageReference Reference)? FindReference(string text)
    {
        return TryFindReference(text, out var connection, out var reference) ? (new Place(connection, reference.Repository), reference) : null;
    }

    /// <summary>A digest that was given as text; null where none was. False where the text is no digest, which is told.</summary>
    private protected bool TryDigest(string? text, ErrorSubject subject, out Digest? digest)
    {
        digest = null;
        if (string.IsNullOrEmpty(text)) return true;
        if (Digest.TryParse(text, out digest)) return true;
        try
        {
            Digest.Parse(text!);
        }
        catch (ReferenceFormatException error)
        {
            WriteFailure(error, subject);
        }

        return false;
    }

    /// <summary>A repository of a connected registry.</summary>
    private protected sealed class Place(RegistryConnection connection, string repository)
    {
        public RegistryConnection Connection { get; } = connection;

        public string Repository { get; } = repository;

        public string Name(string tag) => Connection.Handle.Name + "/" + Repository + ":" + tag;

        public string Name(Digest digest) => Connection.Handle.Name + "/" + Repository + "@" + digest;
    }

    /// <summary>What a pipeline asked for, by repository, in the order in which it came.</summary>
    private protected sealed class Grouped<T>
    {
        private readonly Dictionary<(RegistryConnection Connection, string Repository), List<T>> _byPlace = [];

        public List<(Place Place, List<T> Items)> Groups { get; } = [];

        public void Add(Place place, T item)
        {
            if (!_byPlace.TryGetValue((place.Connection, place.Repository), out var items))
            {
                _byPlace.Add((place.Connection, place.Repository), items = []);
                Groups.Add((place, items));
            }

            items.Add(item);
        }
    }
}
