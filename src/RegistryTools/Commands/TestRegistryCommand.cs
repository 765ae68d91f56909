using System.Management.Automation;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Finds out what a registry can do, without changing anything in it.</summary>
[Cmdlet(VerbsDiagnostic.Test, "Registry")]
[OutputType(typeof(RegistryTestResult))]
public sealed class TestRegistryCommand : RegistryCmdlet
{
    /// <summary>The registries: connections of this session, their names, addresses, or paths of storages.</summary>
    /// <value>The current connection</value>
    [Parameter(Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [RegistryTransformation]
    [ArgumentCompleter(typeof(RegistryAddressCompleter))]
    public RegistryConnection[]? Registry { get; set; }

    /// <summary>The repository to ask in, for registries that tell deletion apart by repository, or whose catalog is closed.</summary>
    /// <value>One of the catalog, or a name that nothing has</value>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    [NameTransformation]
    [ArgumentCompleter(typeof(RepositoryCompleter))]
    public string? Repository { get; set; }

    private protected override void Process()
    {
        foreach (var argument in Registry ?? [null!])
        {
            if (!TryConnect(argument, out var connection)) continue;
            string? repository = null;
            if (Repository is not null && !TryNormalizeRepository(Repository, connection, out repository)) continue;
            if (TryRun(new ErrorSubject(connection, connection.Name, repository), token => connection.Handle.ProbeAsync(repository, token), out var capabilities, $"Testing {connection.Name}"))
            {
                WriteObject(Outputs.Test(connection.Name, connection.Location, capabilities));
            }
        }
    }
}
