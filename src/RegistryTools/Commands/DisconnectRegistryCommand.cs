using System.Management.Automation;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Closes connections and forgets their credentials.</summary>
[Cmdlet(VerbsCommunications.Disconnect, "Registry")]
[OutputType(typeof(void))]
public sealed class DisconnectRegistryCommand : RegistryCmdlet
{
    /// <summary>The connections: objects, names or addresses.</summary>
    /// <value>The current connection</value>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [Alias("Name")]
    [RegistryTransformation]
    [ArgumentCompleter(typeof(RegistryNameCompleter))]
    public RegistryConnection[]? Registry { get; set; }

    private protected override void Process()
    {
        var session = RegistrySession.Current;
        foreach (var argument in Registry ?? [null!])
        {
            if (argument is { Unresolved: null, IsOpen: false }) continue;
            var resolution = session.Resolve(argument);
            if (resolution.Connection is { } connection)
            {
                session.Remove(connection);
                WriteVerbose($"Closed the connection '{connection.Name}' to {connection.Location}.");
                continue;
            }

            if (argument is null) ThrowTerminatingError(resolution.Error!);
            WriteError(ErrorRecords.Create(
                ErrorRecords.ConnectionNotFound,
                ErrorCategory.ObjectNotFound,
                $"There is no connection '{argument!.Name}' in this session.",
                "Get-RegistryConnection shows those that there are.",
                new ErrorSubject(argument.Name, argument.Name)));
        }
    }
}
