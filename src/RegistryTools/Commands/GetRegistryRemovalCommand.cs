using System.Management.Automation;
using RegistryTools.Journal;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;

namespace RegistryTools.PowerShell.Commands;

/// <summary>
/// Reads the journal of removals of this user on this machine, oldest first. Pipe what it gives to <c>Restore-RegistryTag</c> to put tags back. It
/// asks no registry.
/// </summary>
[Cmdlet(VerbsCommon.Get, "RegistryRemoval")]
[OutputType(typeof(RegistryTagRemoval))]
public sealed class GetRegistryRemovalCommand : RegistryTargetCmdlet
{
    /// <summary>Only these repositories. Wildcards are taken.</summary>
    [Parameter(Position = 0)]
    [SupportsWildcards]
    [NameTransformation]
    [ArgumentCompleter(typeof(RemovalCompleter))]
    public string[]? Repository { get; set; }

    /// <summary>Only these tags. Wildcards are taken; case counts.</summary>
    [Parameter(Position = 1)]
    [Alias("Name")]
    [SupportsWildcards]
    [NameTransformation]
    [ArgumentCompleter(typeof(RemovalCompleter))]
    public string[]? Tag { get; set; }

    /// <summary>Only what is in this state: Pending is what was begun and never concluded.</summary>
    [Parameter]
    [ValidateSet("Removed", "Pending", "Restored", "Unchanged")]
    public string[]? State { get; set; }

    /// <summary>Only what was removed after this time.</summary>
    [Parameter]
    public DateTimeOffset? After { get; set; }

    /// <summary>Only what this run removed.</summary>
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
