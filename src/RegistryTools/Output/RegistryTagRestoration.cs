namespace RegistryTools.PowerShell;

/// <summary>A tag that was put back.</summary>
public sealed class RegistryTagRestoration
{
    /// <summary>The registry, as <c>-Registry</c> takes it.</summary>
    public string Registry { get; internal set; } = string.Empty;

    /// <summary>The repository.</summary>
    public string Repository { get; internal set; } = string.Empty;

    /// <summary>The tag.</summary>
    public string Tag { get; internal set; } = string.Empty;

    /// <summary>The manifest that it points to.</summary>
    public string Digest { get; internal set; } = string.Empty;

    /// <summary>Restored, or AlreadyThere where it pointed to that manifest.</summary>
    public string Result { get; internal set; } = string.Empty;

    /// <inheritdoc/>
    public override string ToString() => Registry + "/" + Repository + ":" + Tag;
}
