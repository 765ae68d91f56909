using RegistryTools.References;
using RegistryTools.Registries;

namespace RegistryTools.PowerShell;

/// <summary>A registry that this session is connected to. Give it, or its name, to <c>-Registry</c>.</summary>
public sealed class RegistryConnection
{
    private IRegistry? _handle;

    private RegistryConnection(string name) => Name = name;

    /// <summary>The name by which <c>-Registry</c> finds it.</summary>
    public string Name { get; private set; }

    /// <summary>The same, so that the object binds to <c>-Registry</c> by property name.</summary>
    public string Registry => Name;

    /// <summary>Where it is: a URI without user information, or a path.</summary>
    public string Location { get; private set; } = string.Empty;

    /// <summary>The same as a URI; null where it is no URI.</summary>
    public Uri? Uri { get; private set; }

    /// <summary>What kind it is: Http, Storage or OciLayout.</summary>
    public string Kind { get; private set; } = string.Empty;

    /// <summary>How the registry asks who one is: None, Basic or Bearer; empty where that is not known.</summary>
    public string Authentication { get; private set; } = string.Empty;

    /// <summary>Who the session is there; null for anonymous.</summary>
    public string? UserName { get; private set; }

    /// <summary>Where the credentials came from.</summary>
    public string CredentialSource { get; private set; } = "None";

    /// <summary>Whether what is sent is encrypted on its way.</summary>
    public bool IsEncrypted { get; private set; }

    /// <summary>What the registry last said of how much it may be asked; null where it says nothing of it.</summary>
    public RegistryRateLimit? RateLimit => _handle is HttpRegistry { RateLimit: { } limit } ? new RegistryRateLimit(limit.Limit, limit.Remaining, limit.Window, limit.Reset, limit.Seen) : null;

    /// <summary>Whether it is the one that is used where no <c>-Registry</c> is given.</summary>
    public bool IsCurrent { get; internal set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset ConnectedAt { get; private set; }

    /// <summary>Whether it is still open.</summary>
    public bool IsOpen => _handle is not null;

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>The registry itself, for the cmdlets.</summary>
    internal IRegistry Handle => _handle ?? throw new ObjectDisposedException(Name, $"The connection '{Name}' is closed.");

    /// <summary>What the user typed, where this is not a connection yet but the name of one.</summary>
    internal string? Unresolved { get; private set; }

    /// <summary>The address it was made with; null where it has none.</summary>
    internal RegistryAddress? Address { get; private set; }

    internal static RegistryConnection FromText(string text) => new(text) { Unresolved = text };

    internal static RegistryConnection Open(IRegistry registry, RegistryAddress? address, string? name, string? userName, string credentialSource, DateTimeOffset connectedAt)
    {
        var isUri = Uri.TryCreate(registry.Location, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https";
        return new RegistryConnection(string.IsNullOrEmpty(name) ? registry.Name : name!)
        {
            _handle = registry,
            Address = address,
            Location = registry.Location,
            Uri = isUri ? uri : null,
            Kind = registry.Kind.ToString(),
            Authentication = registry is HttpRegistry http ? http.AuthenticationScheme : string.Empty,
            UserName = userName,
            CredentialSource = credentialSource,
            IsEncrypted = isUri && uri!.Scheme == "https",
            ConnectedAt = connectedAt,
        };
    }

    internal void Close()
    {
        IsCurrent = false;
        Interlocked.Exchange(ref _handle, null)?.Dispose();
    }
}
