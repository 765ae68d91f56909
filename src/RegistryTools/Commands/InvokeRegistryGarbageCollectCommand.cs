using System.Globalization;
using System.Management.Automation;
using RegistryTools.Errors;
using RegistryTools.GarbageCollection;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.Storage;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Collects the garbage of a registry: in its storage, with an undo, or by the registry's own collector in its container or pod.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "RegistryGarbageCollect", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium, DefaultParameterSetName = ByStorage)]
[OutputType(typeof(RegistryGarbageCollection), typeof(RegistryGarbageItem))]
public sealed partial class InvokeRegistryGarbageCollectCommand : RegistryCmdlet
{
    private const string ByStorage = "Storage";
    private const string ByContainer = "Container";
    private const string ByPod = "Pod";
    private const string ByDeployment = "Deployment";
    private const string BySelector = "Selector";

    /// <summary>
    /// The storage of a registry: the root that its configuration names (storage: filesystem: rootdirectory), the <c>docker/registry/v2</c> below it, or the directory of the container volume that it is on.
    /// </summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true, ParameterSetName = ByStorage)]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string StoragePath { get; set; } = string.Empty;

    /// <summary>Removes the manifests too that no tag needs. What an index lists, and what refers to a manifest that stays, stays with it.</summary>
    [Parameter]
    public SwitchParameter RemoveUntagged { get; set; }

    /// <summary>The repositories whose untagged manifests go, with <c>-RemoveUntagged</c>. Wildcards are taken. What no manifest needs goes in all of them.</summary>
    /// <value>All repositories</value>
    [Parameter(ParameterSetName = ByStorage)]
    [Parameter(ParameterSetName = ByContainer)]
    [SupportsWildcards]
    [NameTransformation]
    [ArgumentCompleter(typeof(RepositoryCompleter))]
    public string[]? Repository { get; set; }

    /// <summary>What is younger than this is not touched, since it may belong to a push that is under way: <c>1h</c>, <c>2d</c> or a TimeSpan.</summary>
    [Parameter(ParameterSetName = ByStorage)]
    [Parameter(ParameterSetName = ByContainer)]
    [AgeTransformation]
    public TimeSpan MinimumAge { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Removes unfinished uploads too, where nothing was written to them for as long as <c>-MinimumAge</c> says.</summary>
    [Parameter(ParameterSetName = ByStorage)]
    [Parameter(ParameterSetName = ByContainer)]
    public SwitchParameter IncludeUpload { get; set; }

    /// <summary>How many files are read or moved at once, at most.</summary>
    /// <value>As many as there are processors, and at least 2</value>
    [Parameter(ParameterSetName = ByStorage)]
    [Parameter(ParameterSetName = ByContainer)]
    [ValidateRange(1, 64)]
    public int ThrottleLimit { get; set; } = Math.Min(64, Math.Max(2, Environment.ProcessorCount));

    /// <summary>Frees what is removed at once instead of moving it to the quarantine. That can't be undone, and it asks.</summary>
    [Parameter(ParameterSetName = ByStorage)]
    [Parameter(ParameterSetName = ByContainer)]
    public SwitchParameter Purge { get; set; }

    /// <summary>
    /// Frees, at the end, what earlier runs removed longer ago than this: <c>7d</c>, <c>12h</c>, <c>2w</c> or a TimeSpan. It does not ask: it is for a nightly run, and the age was given on purpose.
    /// </summary>
    [Parameter(ParameterSetName = ByStorage)]
    [Parameter(ParameterSetName = ByContainer)]
    [AgeTransformation]
    public TimeSpan? PurgeOlderThan { get; set; }

    /// <summary>The directory that what is removed is moved to. It must be on the same file system as the storage.</summary>
    /// <value>The storage's own quarantine, docker/registry/registrytools/quarantine below its root</value>
    [Parameter(ParameterSetName = ByStorage)]
    [Parameter(ParameterSetName = ByContainer)]
    [ValidateNotNullOrEmpty]
    public string? QuarantinePath { get; set; }

    /// <summary>
    /// Goes on although a manifest that a tag needs can't be read: what that one might need is not kept then. In a container or pod: goes on although the registry's collector would delete what is needed.
    /// </summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <summary>Writes an object for every item that is removed, or with -WhatIf would be, before the result.</summary>
    [Parameter]
    public SwitchParameter PassThru { get; set; }

    private protected override void Process()
    {
        if (ParameterSetName == ByStorage)
        {
            if (TryFindStorage(StoragePath, out var storage)) Collect(storage);
            return;
        }

        // In a method of its own: what works on containers is loaded where it is needed, and not before.
        CollectWhereItRuns();
    }

    private void Collect(StorageLocation storage)
    {
        var subject = new ErrorSubject(storage.Root);
        if (MinimumAge < TimeSpan.Zero || PurgeOlderThan < TimeSpan.Zero)
        {
            WriteError(ErrorRecords.Create(ErrorRecords.InvalidArgument, ErrorCategory.InvalidArgument, "An age is not negative.", null, subject));
            return;
        }

        string? quarantine;
        try
        {
            quarantine = QuarantinePath is null ? null : FileSystemPath(QuarantinePath);
        }
        catch (StorageNotFoundException error)
        {
            WriteFailure(error, new ErrorSubject(QuarantinePath));
            return;
        }

        var collector = new GarbageCollector(storage, new GarbageCollectorOptions
        {
            RemoveUntagged = RemoveUntagged,
            RepositoryFilter = Filter(Repository),
            MinimumAge = MinimumAge,
            IncludeUpload = IncludeUpload,
            ThrottleLimit = ThrottleLimit,
            Purge = Purge,
            PurgeOlderThan = PurgeOlderThan,
            QuarantinePath = quarantine,
            Force = Force,
            Log = ActivityRouter.Log,
        });
        if (!TryRun(subject, collector.PlanAsync, out var plan, "Marking what is kept")) return;
        if (!ShouldProcess(storage.Root, Act(plan.Result)))
        {
            // With -WhatIf the plan is what was asked for; who says no to -Confirm asked for nothing.
            if (IsWhatIf()) Report(plan.Result, PassThru ? plan.Items : [], storage.Root, "Planned");
            return;
        }

        if (Purge && AsksForHigh() && !ShouldContinue($"This frees {Bytes(plan.Result.BytesQuarantined)} for good: without -Purge it goes to a quarantine, from where it can be restored.", "Purge garbage of " + storage.Root)) return;
        var removed = new List<GarbageItem>();
        if (!TryRun(subject, token => collector.SweepAsync(plan, PassThru ? removed.Add : null, token), out var result, "Removing garbage")) return;
        Report(result, removed, storage.Root, "Removed");
        if (result.BytesQuarantined == 0) return;
        Tell($"{Bytes(result.BytesQuarantined)} are in the quarantine. Clear-RegistryGarbage frees them.");
        Tell($"To put them back: Restore-RegistryGarbage -RunId {result.RunId}");
    }

    private void Report(GarbageCollectionResult result, IReadOnlyList<GarbageItem> items, string storage, string state)
    {
        foreach (var problem in result.Problems)
        {
            var target = problem.Digest?.ToString() ?? problem.Tag ?? problem.Repository ?? storage;
            if (problem.IsBlocking && !Force)
            {
                var error = ErrorRecords.Create(
                    ErrorRecords.GarbageKept,
                    ErrorCategory.InvalidData,
                    problem.Message,
                    problem.Repository is null ? null : $"What it might need was kept. Push it again or remove its tag; with -Force the collection goes on without it.",
                    new ErrorSubject(target, null, problem.Repository, problem.Tag));
                WriteError(error);
            }
            else
            {
                WriteWarning(problem.Message);
            }
        }

        foreach (var item in items) WriteObject(RegistryGarbageItem.From(item, storage, result.RunId, state));
        WriteObject(RegistryGarbageCollection.From(result));
    }

    private string Act(GarbageCollectionResult plan) => string.Format(
        CultureInfo.InvariantCulture,
        "{0} {1} manifests, {2} blobs, {3} layer links, {4} tag notes and {5} uploads ({6})",
        Purge ? "Delete for good" : "Move to quarantine",
        plan.ManifestsRemoved,
        plan.BlobsRemoved,
        plan.LayersRemoved,
        plan.TagIndexesRemoved,
        plan.UploadsRemoved,
        Bytes(plan.BytesQuarantined));

    private static string Bytes(long bytes) => bytes.ToString("N0", CultureInfo.InvariantCulture) + " bytes";

    private bool IsWhatIf() => MyInvocation.BoundParameters.TryGetValue("WhatIf", out var bound)
        ? LanguagePrimitives.IsTrue(bound)
        : LanguagePrimitives.IsTrue(SessionState.PSVariable.GetValue("WhatIfPreference"));

    // An attribute's ConfirmImpact can't depend on a parameter: with -Purge this asks where one of High would.
    private bool AsksForHigh()
    {
        if (MyInvocation.BoundParameters.ContainsKey("Confirm")) return false;
        var preference = SessionState.PSVariable.GetValue("ConfirmPreference");
        return LanguagePrimitives.TryConvertTo<ConfirmImpact>(preference, out var impact) && impact == ConfirmImpact.High;
    }
}
