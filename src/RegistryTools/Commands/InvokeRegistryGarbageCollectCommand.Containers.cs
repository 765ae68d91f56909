using System.Globalization;
using System.Management.Automation;
using System.Runtime.CompilerServices;
using RegistryTools.Containers;
using RegistryTools.Errors;
using RegistryTools.Journal;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.Storage;

namespace RegistryTools.PowerShell.Commands;

/// <content>The registry's own collector, run where the registry runs.</content>
public sealed partial class InvokeRegistryGarbageCollectCommand
{
    /// <summary>The container of Docker or Podman that the registry runs in, by name or id.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByContainer, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string Container { get; set; } = string.Empty;

    /// <summary>The container engine: an address such as <c>unix:///run/podman/podman.sock</c> or <c>tcp://host:2376</c>, or the name of a context of Docker's.</summary>
    /// <value>What Docker's own client would use; where there is none, Podman's socket</value>
    [Parameter(ParameterSetName = ByContainer)]
    [ValidateNotNullOrEmpty]
    public string? DockerHost { get; set; }

    /// <summary>
    /// Runs this module's collector on the container's volume or bind mount, where it can be reached from here: faster, with a quarantine, and safe for images of several platforms.
    /// </summary>
    [Parameter(ParameterSetName = ByContainer)]
    public SwitchParameter Native { get; set; }

    /// <summary>The pod that the registry runs in.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByPod, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string Pod { get; set; } = string.Empty;

    /// <summary>The deployment whose pod the registry runs in.</summary>
    [Parameter(Mandatory = true, ParameterSetName = ByDeployment, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string Deployment { get; set; } = string.Empty;

    /// <summary>The labels of the pod that the registry runs in, such as <c>app=registry</c>.</summary>
    [Parameter(Mandatory = true, ParameterSetName = BySelector)]
    [ValidateNotNullOrEmpty]
    public string Selector { get; set; } = string.Empty;

    /// <summary>The namespace of Kubernetes.</summary>
    /// <value>That of the kubeconfig's context</value>
    [Parameter(ParameterSetName = ByPod, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = ByDeployment, ValueFromPipelineByPropertyName = true)]
    [Parameter(ParameterSetName = BySelector)]
    [ValidateNotNullOrEmpty]
    public string? Namespace { get; set; }

    /// <summary>The container in the pod.</summary>
    /// <value>The only one, or the one whose image is a registry's</value>
    [Parameter(ParameterSetName = ByPod)]
    [Parameter(ParameterSetName = ByDeployment)]
    [Parameter(ParameterSetName = BySelector)]
    [ValidateNotNullOrEmpty]
    public string? PodContainer { get; set; }

    /// <summary>The context of the kubeconfig.</summary>
    /// <value>The current one</value>
    [Parameter(ParameterSetName = ByPod)]
    [Parameter(ParameterSetName = ByDeployment)]
    [Parameter(ParameterSetName = BySelector)]
    [ValidateNotNullOrEmpty]
    public string? Context { get; set; }

    /// <summary>The kubeconfig file.</summary>
    /// <value>The one that kubectl would use, or the service account where this runs in the cluster</value>
    [Parameter(ParameterSetName = ByPod)]
    [Parameter(ParameterSetName = ByDeployment)]
    [Parameter(ParameterSetName = BySelector)]
    [ValidateNotNullOrEmpty]
    public string? KubeConfigPath { get; set; }

    /// <summary>The path of the registry's program in the container.</summary>
    /// <value>It is looked for</value>
    [Parameter(ParameterSetName = ByContainer)]
    [Parameter(ParameterSetName = ByPod)]
    [Parameter(ParameterSetName = ByDeployment)]
    [Parameter(ParameterSetName = BySelector)]
    [ValidateNotNullOrEmpty]
    public string? BinaryPath { get; set; }

    /// <summary>The path of the registry's configuration in the container.</summary>
    /// <value>It is looked for</value>
    [Parameter(ParameterSetName = ByContainer)]
    [Parameter(ParameterSetName = ByPod)]
    [Parameter(ParameterSetName = ByDeployment)]
    [Parameter(ParameterSetName = BySelector)]
    [ValidateNotNullOrEmpty]
    public string? ConfigPath { get; set; }

    /// <summary>
    /// How pushes are kept away meanwhile. The registry is brought back whatever happens, and it is seen that it serves again. Without it the registry goes on serving, and a push meanwhile may lose what it shares with garbage.
    /// <list type="bullet">
    /// <item><term>Stop</term><description>The container is stopped, and the collector is run beside it.</description></item>
    /// <item><term>Pause</term><description>The container is frozen, and the collector is run beside it.</description></item>
    /// <item><term>ReadOnly</term><description>The registry goes on serving reads: a deployment or stateful set is rolled out as read-only, a container is replaced by a read-only one.</description></item>
    /// <item><term>Scale</term><description>The deployment or stateful set is scaled to nothing and back.</description></item>
    /// </list>
    /// </summary>
    [Parameter(ParameterSetName = ByContainer)]
    [Parameter(ParameterSetName = ByPod)]
    [Parameter(ParameterSetName = ByDeployment)]
    [Parameter(ParameterSetName = BySelector)]
    [ValidateSet("Stop", "Pause", "ReadOnly", "Scale")]
    public string? Quiesce { get; set; }

    /// <summary>
    /// Restarts the registry afterwards, so that it forgets what it had cached: distribution 2.x says otherwise that layers are there which are gone. <c>-Quiesce</c> does that by itself, but for Pause.
    /// </summary>
    [Parameter(ParameterSetName = ByContainer)]
    [Parameter(ParameterSetName = ByPod)]
    [Parameter(ParameterSetName = ByDeployment)]
    [Parameter(ParameterSetName = BySelector)]
    public SwitchParameter Restart { get; set; }

    /// <summary>How long is waited for the registry to serve again, in seconds.</summary>
    [Parameter(ParameterSetName = ByContainer)]
    [Parameter(ParameterSetName = ByPod)]
    [Parameter(ParameterSetName = ByDeployment)]
    [Parameter(ParameterSetName = BySelector)]
    [ValidateRange(1, 3600)]
    public int ResumeTimeoutSec { get; set; } = 60;

    /// <summary>The registry as it is reached over HTTP: what can't be read in the container, as where the storage is in S3, is asked for there.</summary>
    [Parameter(ParameterSetName = ByContainer)]
    [Parameter(ParameterSetName = ByPod)]
    [Parameter(ParameterSetName = ByDeployment)]
    [Parameter(ParameterSetName = BySelector)]
    [RegistryTransformation]
    [ArgumentCompleter(typeof(RegistryAddressCompleter))]
    public RegistryConnection? Registry { get; set; }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void CollectWhereItRuns()
    {
        var target = ParameterSetName switch { ByContainer => Container, ByPod => Pod, ByDeployment => Deployment, _ => Selector };
        var subject = new ErrorSubject(target);
        IRegistryRuntime runtime;
        try
        {
            runtime = Open();
        }
        catch (RegistryRuntimeException error)
        {
            WriteFailure(error, subject);
            return;
        }

        using var hold = Hold(runtime);
        if (Native)
        {
            CollectNatively(runtime, subject);
            return;
        }

        RegistryConnection? registry = null;
        if (Registry is not null && !TryConnect(Registry, out registry)) return;
        var collector = new RegistryCollector(runtime, new QuiescenceNotes(Path.Combine(RemovalJournal.UserDirectory(), "quiet")), new RegistryCollectorOptions
        {
            BinaryPath = BinaryPath,
            ConfigPath = ConfigPath,
            RemoveUntagged = RemoveUntagged,
            Force = Force,
            Quiesce = Enum.TryParse<Quiescence>(Quiesce, ignoreCase: true, out var how) ? how : Quiescence.None,
            Restart = Restart,
            Registry = registry?.Handle,
            ResumeTimeout = TimeSpan.FromSeconds(ResumeTimeoutSec),
            Log = ActivityRouter.Log,
        });
        if (!TryMend(runtime, collector, subject)) return;
        var started = DateTimeOffset.Now;
        if (!TryRun(subject, collector.PlanAsync, out var plan, "Asking the registry's collector what it would delete")) return;
        var refusal = collector.Refusal(plan);
        if (refusal is not null) WriteFailure(refusal, subject);
        var act = string.Format(CultureInfo.InvariantCulture, "Delete for good {0} manifests and {1} blobs, by {2} {3}{4}", plan.Report.Manifests.Count, plan.Report.Blobs.Count, plan.BinaryPath, plan.Version, Quiesce is null ? string.Empty : $" (quiet by {Quiesce})");
        if (refusal is not null && !IsWhatIf()) return;
        if (!ShouldProcess(runtime.Name, act))
        {
            if (IsWhatIf()) Report(runtime, plan, plan.Report, started, isPlan: true);
            return;
        }

        if (AsksForHigh() && !ShouldContinue($"{act}. That can't be undone; -Native moves to a quarantine instead.", "Collect the garbage of " + runtime.Name)) return;
        if (!TryRun(subject, token => collector.CollectAsync(plan, token), out var report, "The registry's garbage collector")) return;
        Report(runtime, plan, report, started, isPlan: false);
        if (report.Blobs.Count > 0 && !plan.KeepsChildren && !Restart && Quiesce is null or "Pause") WriteWarning($"Distribution 2.x remembers which blobs it has: the {runtime.Name} is to be restarted, or pushes of what was deleted are told that it is there. -Restart does that.");
    }

    /// <summary>Brings back what an earlier session has left quiet; false where that failed.</summary>
    private bool TryMend(IRegistryRuntime runtime, RegistryCollector collector, ErrorSubject subject)
    {
        if (collector.Left is not { } left) return true;
        var told = $"An earlier collection on {left.Time.ToLocalTime():g} made the {runtime.Name} quiet ({left.How}) and was ended before it brought it back.";
        if (collector.IsUnderWay(left) is { } other)
        {
            WriteFailure(other, subject);
            return false;
        }

        if (!ShouldProcess(runtime.Name, "Bring back what an earlier collection left quiet"))
        {
            WriteWarning($"{told} By hand: {runtime.Mend(left)}");
            return true;
        }

        WriteWarning($"{told} It is brought back now. By hand: {runtime.Mend(left)}");
        return TryRun(
            subject,
            async token =>
            {
                await collector.MendAsync(left, token).ConfigureAwait(false);
                return true;
            },
            out _,
            "Bringing the registry back");
    }

    private void Report(IRegistryRuntime runtime, CollectorPlan plan, CollectorReport report, DateTimeOffset started, bool isPlan)
    {
        var state = isPlan ? "Planned" : "Removed";
        if (PassThru)
        {
            foreach (var manifest in report.Manifests) WriteObject(new RegistryGarbageItem { Kind = "Manifest", Repository = manifest.Repository, Digest = manifest.Digest, State = state });
            foreach (var blob in report.Blobs) WriteObject(new RegistryGarbageItem { Kind = "Blob", Digest = blob, State = state });
        }

        WriteObject(new RegistryGarbageCollection
        {
            Container = runtime.Name,
            Collector = ("registry " + plan.Version).Trim(),
            IsPlan = isPlan,
            Started = started,
            Duration = DateTimeOffset.Now - started,
            Repositories = report.Repositories.Count,
            ManifestsMarked = report.Marked.Count,
            BlobsMarked = report.BlobsMarked ?? 0,
            ManifestsRemoved = report.Manifests.Count,
            BlobsRemoved = report.Blobs.Count,
            LayersRemoved = report.LayersRemoved,
            BytesFreed = null,
            Problems =
            [
                .. plan.Needed.Select(manifest => $"{manifest.Repository}@{manifest.Digest} has no tag and is needed: the registry's own collector deletes it."),
                .. plan.Unread.Select(manifest => $"{manifest.Repository}@{manifest.Digest} could not be read."),
                .. report.Warnings,
            ],
        });
    }

    /// <summary>This module's own collector, on what is mounted in the container.</summary>
    private void CollectNatively(IRegistryRuntime runtime, ErrorSubject subject)
    {
        if (!TryRun(subject, token => MountedStorage.FindAsync(runtime, ConfigPath, token), out var path, "Looking for the container's storage")) return;
        WriteVerbose($"The storage of the {runtime.Name} is at {path}.");
        if (!TryFindStorage(path, out var storage)) return;
        Collect(storage);
    }

    private IRegistryRuntime Open()
    {
        if (ParameterSetName == ByContainer) return DockerRuntime.Open(Container, DockerHost, WriteVerbose);
#if NET
        return KubernetesRuntime.Open(
            new PodSelection
            {
                Namespace = Namespace,
                Pod = ParameterSetName == ByPod ? Pod : null,
                Deployment = ParameterSetName == ByDeployment ? Deployment : null,
                Selector = ParameterSetName == BySelector ? Selector : null,
                Container = PodContainer,
                Context = Context,
                KubeConfigPath = KubeConfigPath is null ? null : FileSystemPath(KubeConfigPath),
            },
            WriteVerbose);
#else
        throw new RegistryRuntimeException("Kubernetes is spoken to in PowerShell 7.4 or later only.", "Run this in pwsh; or run the collector with kubectl exec.");
#endif
    }
}
