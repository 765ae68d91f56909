using System.Diagnostics.CodeAnalysis;
using System.Management.Automation;
using System.Management.Automation.Provider;
using RegistryTools.PowerShell.Output;

namespace RegistryTools.PowerShell.Drives;

/// <summary>What a registry's drive does not do, and what does it instead.</summary>
public sealed partial class ContainerRegistryProvider
{
    private const string Push = "Images are pushed by what builds or copies them: docker push, podman push, skopeo copy.";

    /// <inheritdoc/>
    protected override void NewItem(string path, string itemTypeName, object newItemValue) => Refuse(path, "Nothing is made on a registry's drive: a repository is there once something is pushed to it.", Push);

    /// <inheritdoc/>
    protected override void SetItem(string path, object value) => Refuse(path, "Nothing is written through a registry's drive.", Push);

    /// <inheritdoc/>
    protected override void ClearItem(string path) => Refuse(path, "A tag can't be emptied.", "Remove-Item removes it.");

    /// <inheritdoc/>
    protected override void CopyItem(string path, string copyPath, bool recurse) => Refuse(path, "Nothing is copied through a registry's drive.", Push);

    /// <inheritdoc/>
    protected override void MoveItem(string path, string destination) => Refuse(path, "Nothing is moved on a registry's drive: registries do not rename.", "Push it under its new name, and remove the old one with Remove-Item.");

    /// <inheritdoc/>
    protected override void RenameItem(string path, string newName) => Refuse(path, "Nothing is renamed on a registry's drive: registries do not rename.", "Push it under its new name, and remove the old one with Remove-Item.");

    /// <inheritdoc/>
    protected override void InvokeDefaultAction(string path) => Refuse(path, "Nothing is run from a registry's drive.", "docker run or podman run runs an image.");

    /// <inheritdoc/>
    public IContentWriter GetContentWriter(string path)
    {
        Refuse(path, "A manifest is not written through a registry's drive.", Push);
        return null!;
    }

    /// <inheritdoc/>
    public object? GetContentWriterDynamicParameters(string path) => null;

    /// <inheritdoc/>
    public void ClearContent(string path) => Refuse(path, "A manifest can't be emptied or replaced through a registry's drive.", Push);

    /// <inheritdoc/>
    public object? ClearContentDynamicParameters(string path) => null;

    [DoesNotReturn]
    private void Refuse(string path, string message, string remedy)
    {
        ThrowTerminatingError(ErrorRecords.Create(ErrorRecords.RegistryUnsupported, ErrorCategory.NotImplemented, message, remedy, new ErrorSubject(path)));
        throw new NotSupportedException(message);
    }
}
