namespace RegistryTools.PowerShell;

/// <summary>
/// The beginning that names of several repositories have in common, up to a slash: <c>team</c> where there are <c>team/app</c> and <c>team/web</c>, and no <c>team</c>. A drive shows it; a registry has no such
/// thing, so that nothing can be done with it but to look into it.
/// </summary>
public sealed class RegistryNamespace
{
    internal RegistryNamespace(string registry, string name)
    {
        Registry = registry;
        Namespace = name;
    }

    /// <summary>The registry, by its connection's name.</summary>
    public string Registry { get; }

    /// <summary>The namespace.</summary>
    public string Namespace { get; }

    /// <inheritdoc/>
    public override string ToString() => Namespace;
}
