using System.Management.Automation;
using RegistryTools.Journal;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Reads the journal of removals of this user on this machine.</summary>
[Cmdlet(VerbsCommon.Get, "RegistryRemoval")]
[OutputType(typeof(RegistryTagRemoval))]
public sealed class GetRegistryRemovalCommand : RegistryTargetCmdlet
{
    /// <summary>The repositories whose removals are read. Wildcards are taken.</summary>
    /// <value>All repositories</value>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [NameTransformation]
    [ArgumentCompleter(typeof(RemovalCompleter))]
    public string[]? Repository { get; set; }

    /// <summary>The tags whose removals are read. Wildcards are taken, and case counts.</summary>
    /// <value>All tags</value>
    [Parameter(Position = 1)]
    [Alias("Name")]
    [SupportsWildcards]
    [NameTransformation]
    [ArgumentCompleter(typeof(RemovalCompleter))]
    public string[]? Tag { get; set; }

    /// <summary>
    /// Only removals in this state.
    /// <list type="bullet">
    /// <item><term>Removed</term><description>The tag is gone.</description></item>
    /// <item><term>Pending</term><description>It was begun and not concluded: it is under way, it was interrupted, or what became of it is not known.</description></item>
    /// <item><term>Restored</term><description>The tag is back: put back when the removal failed, by a later run, or by <c>Restore-RegistryTag</c>.</description></item>
    /// <item><term>Unchanged</term><description>Nothing was changed.</description></item>
    /// </list>
    /// </summary>
    /// <value>All states</value>
    [Parameter]
    [ValidateSet("Removed", "Pending", "Restored", "Unchanged")]
    public string[]? State { get; set; }

    /// <summary>Only what was removed after this time.</summary>
    [Parameter]
    public DateTimeOffset? After { get; set; }

    /// <summary>Only what this run removed. The beginning of its id is enough.</summary>
    /// <value>All runs</value>
    [Parameter]
    [ArgumentCompleter(typeof(RemovalCompleter))]
    public string? RunId { get; set; }

    private protected override void Process()
    {
        string? location = null;
        if (MyInvocation.BoundParameters.ContainsKey(nameof(Registry)))
        {
            if (!TryConnect(Registry, out var connection)) return;
            location = connection.Location;
        }

        var repositories = Patterns(Repository, WildcardOptions.IgnoreCase);
        var tags = Patterns(Tag, WildcardOptions.None);
        foreach (var entry in RemovalJournal.ForUser().Read(location))
        {
            if (!Matches(repositories, entry.Repository) || !Matches(tags, entry.Tag)) continue;
            if (State is not null && !State.Contains(entry.State.ToString(), StringComparer.OrdinalIgnoreCase)) continue;
            if (entry.Time <= (After ?? DateTimeOffset.MinValue)) continue;
            if (RunId is not null && !entry.RunId.StartsWith(RunId, StringComparison.OrdinalIgnoreCase)) continue;
            WriteObject(RegistryTagRemoval.From(entry));
        }
    }

    private static WildcardPattern[] Patterns(string[]? texts, WildcardOptions options) => texts is null ? [] : Array.ConvertAll(texts, text => WildcardPattern.Get(text, options));

    private static bool Matches(WildcardPattern[] patterns, string? text) => patterns.Length == 0 || (text is not null && Array.Exists(patterns, pattern => pattern.IsMatch(text)));
}
