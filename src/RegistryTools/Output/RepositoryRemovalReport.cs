using RegistryTools.Deletion;
using RegistryTools.PowerShell.Pipeline;

namespace RegistryTools.PowerShell.Output;

/// <summary>What is told of the removal of a repository, by the cmdlet and by a drive.</summary>
internal static class RepositoryRemovalReport
{
    private const int NamedTags = 5;

    /// <summary>Writes how a removal ended. True where there was something to remove and all of it is gone.</summary>
    public static bool Write(IPipelineWriter writer, Action<Exception, ErrorSubject> fail, RegistryConnection connection, RepositoryRemoval removal, string? storage)
    {
        foreach (var error in removal.Errors) fail(error, new ErrorSubject(removal.Repository, connection.Name, removal.Repository));
        if (removal.PushedMeanwhile.Count > 0) writer.WriteWarning($"The repository '{removal.Repository}' of {connection.Name} is there again with {Tags(removal.PushedMeanwhile)}, pushed while it was being removed.");
        if (removal.RunId is null || removal.Errors.Count > 0) return false;
        writer.WriteVerbose(storage is null
            ? $"Removed the repository '{removal.Repository}' of {connection.Name}: {removal.Tags.Count} tags, {removal.Manifests} manifests. Get-RegistryRemoval -RunId {removal.RunId} | Restore-RegistryTag puts the tags back until a collection."
            : $"Removed the repository '{removal.Repository}' of {storage}: {removal.Tags.Count} tags, {removal.Manifests} manifests. Restore-RegistryGarbage -RunId {removal.RunId} -Repository {removal.Repository} brings it back; its blobs are freed by the next collection.");
        return true;
    }

    /// <summary>Tags by number and the first of them by name.</summary>
    public static string Tags(IReadOnlyList<string> tags) => tags.Count switch
    {
        0 => "no tags",
        <= NamedTags => $"{tags.Count} tag(s) {string.Join(", ", tags)}",
        _ => $"{tags.Count} tags {string.Join(", ", tags.Take(NamedTags))}, \u2026",
    };
}
