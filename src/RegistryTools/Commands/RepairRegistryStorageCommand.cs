using System.Management.Automation;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.Storage;
using RegistryTools.Verification;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Mends what is broken in a registry's storage, where that loses nothing.</summary>
[Cmdlet(VerbsDiagnostic.Repair, "RegistryStorage", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium, DefaultParameterSetName = OfStorage)]
[OutputType(typeof(RegistryStorageRepair))]
public sealed class RepairRegistryStorageCommand : RegistryCmdlet
{
    private const string OfStorage = "Storage";
    private const string OfFinding = "Finding";

    private readonly Dictionary<string, List<StorageFinding>> _found = new(StringComparer.Ordinal);

    /// <summary>
    /// The storage of a registry: the root that its configuration names (storage: filesystem: rootdirectory), the <c>docker/registry/v2</c> below it, or the directory of the container volume that it is on.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = OfStorage)]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string StoragePath { get; set; } = string.Empty;

    /// <summary>What <c>Test-RegistryStorage</c> found.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = OfFinding)]
    [ValidateNotNull]
    public RegistryStorageFinding[] Finding { get; set; } = [];

    /// <summary>Reads every blob, and moves those to the quarantine whose bytes are not what their digest says.</summary>
    [Parameter(ParameterSetName = OfStorage)]
    public SwitchParameter Content { get; set; }

    /// <summary>The repositories that are looked through. Wildcards are taken.</summary>
    /// <value>All repositories</value>
    [Parameter(ParameterSetName = OfStorage)]
    [SupportsWildcards]
    [NameTransformation]
    [ArgumentCompleter(typeof(RepositoryCompleter))]
    public string[]? Repository { get; set; }

    /// <summary>What is younger than this is not moved away, since a push may be under way: <c>1h</c>, <c>2d</c> or a TimeSpan.</summary>
    [Parameter]
    [AgeTransformation]
    public TimeSpan MinimumAge { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Writes an object for everything that was, or was to be, repaired.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override void Process()
    {
        if (ParameterSetName == OfFinding)
        {
            foreach (var finding in Finding) Take(finding.StoragePath, finding.Finding);
            return;
        }

        if (!TryFindStorage(StoragePath, out var storage)) return;
        var verifier = new StorageVerifier(storage, new StorageVerifierOptions { Content = Content, RepositoryFilter = Filter(Repository), Log = ActivityRouter.Log });
        var findings = new List<StorageFinding>();
        if (!TryRun(new ErrorSubject(storage.Root), token => verifier.VerifyAsync(findings.Add, token), out _, "Verifying the storage")) return;
        foreach (var finding in findings) Take(storage.Root, finding);
    }

    private protected override void End()
    {
        foreach (var pair in _found)
        {
            var found = pair.Value;
            if (!TryFindStorage(pair.Key, out var storage)) continue;
            var repairer = new StorageRepairer(storage, MinimumAge, ActivityRouter.Log);
            if (!TryRun(new ErrorSubject(storage.Root), token => repairer.RepairAsync(found, token), out var repairs, "Repairing the storage")) continue;
            foreach (var repair in repairs) Report(repair, storage.Root);
        }
    }

    private void Take(string storage, StorageFinding finding)
    {
        if (finding.Repair is null)
        {
            if (finding.Severity != StorageFindingSeverity.Information) WriteError(ErrorRecords.Create(ErrorRecords.StorageDamaged, ErrorCategory.InvalidData, finding.Message, finding.Remedy, Subject(finding, storage)));
            return;
        }

        if (!ShouldProcess($"{storage}: {finding.Path}", finding.Repair)) return;
        if (!_found.TryGetValue(storage, out var findings)) _found[storage] = findings = [];
        findings.Add(finding);
    }

    private void Report(StorageRepair repair, string storage)
    {
        if (repair.State == StorageRepairState.Failed) WriteError(ErrorRecords.Create(ErrorRecords.RepairFailed, ErrorCategory.WriteError, $"'{repair.Finding.Path}' could not be repaired: {repair.Reason}", "Run it as the user that the registry runs as, or as root.", Subject(repair.Finding, storage)));
        else if (repair.State == StorageRepairState.Skipped) WriteWarning($"'{repair.Finding.Path}' was left as it is: {repair.Reason}.");
        else WriteVerbose($"{repair.Finding.Repair}: {repair.Finding.Path}{(repair.RunId is null ? string.Empty : $" (run {repair.RunId})")}");
        if (PassThru) WriteObject(RegistryStorageRepair.From(repair, storage));
    }

    private static ErrorSubject Subject(StorageFinding finding, string storage) => new(finding.Path, storage, finding.Repository, finding.Digest?.ToString());
}
