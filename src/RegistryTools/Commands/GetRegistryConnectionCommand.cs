using System.Management.Automation;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Gets the connections of this session.</summary>
[Cmdlet(VerbsCommon.Get, "RegistryConnection")]
[OutputType(typeof(RegistryConnection))]
public sealed class GetRegistryConnectionCommand : RegistryCmdlet
{
    /// <summary>The names of connections. Wildcards are taken. A name without wildcards that no connection has is an error.</summary>
    /// <value>All connections</value>
    [Parameter(Position = 0, ValueFromPipeline = true)]
    [ArgumentCompleter(typeof(RegistryNameCompleter))]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[]? Name { get; set; }

    /// <summary>Gets the current connection alone: the one that is used where <c>-Registry</c> is not given.</summary>
    [Parameter]
    public SwitchParameter Current { get; set; }

    private protected override void Process()
    {
        var connections = RegistrySession.Current.Connections;
        foreach (var name in Name ?? ["*"])
        {
            var pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase);
            var any = false;
            foreach (var connection in connections)
            {
                if (!pattern.IsMatch(connection.Name) && !string.Equals(name, connection.Name, StringComparison.OrdinalIgnoreCase)) continue;
                any = true;
                if (!Current || connection.IsCurrent) WriteObject(connection);
            }

            if (any || WildcardPattern.ContainsWildcardCharacters(name)) continue;
            WriteError(ErrorRecords.Create(
                ErrorRecords.ConnectionNotFound,
                ErrorCategory.ObjectNotFound,
                $"There is no connection named '{name}' in this session.",
                "Get-RegistryConnection without a name shows those that there are.",
                new ErrorSubject(name, name)));
        }
    }
}
