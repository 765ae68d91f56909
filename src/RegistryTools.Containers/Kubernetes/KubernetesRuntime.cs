#if NET
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using k8s;
using k8s.Autorest;
using k8s.Exceptions;
using k8s.Models;
using RegistryTools.Errors;
using RegistryTools.Text;

namespace RegistryTools.Containers;

/// <summary>A registry in a pod of Kubernetes: kubeconfig and its contexts, or the service account of the pod that this runs in.</summary>
public sealed class KubernetesRuntime : IRegistryRuntime
{
    private const string ReadOnlyVariable = "REGISTRY_STORAGE_MAINTENANCE";
    private const string ReadOnlyValue = "{readonly: {enabled: true}}";
    private const string Label = "registrytools.beside";
    private const string Target = "registrytools.target";
    private static readonly TimeSpan StartPatience = TimeSpan.FromMinutes(5);
    private static readonly string[] Protocols = [WebSocketProtocol.V5BinaryWebsocketProtocol, WebSocketProtocol.V4BinaryWebsocketProtocol];
    private readonly k8s.Kubernetes _client;
    private readonly PodSelection _selection;
    private readonly string _namespace;
    private readonly string _server;
    private readonly Action<string> _verbose;
    private string? _protocol;
    private (V1Pod Pod, V1Container Container)? _found;
    private bool _runsOn;
    private bool _works;
    private (string Kind, string Name)? _controller;

    private KubernetesRuntime(k8s.Kubernetes client, PodSelection selection, string @namespace, string server, Action<string> verbose)
    {
        _client = client;
        _selection = selection;
        _namespace = @namespace;
        _server = server;
        _verbose = verbose;
    }

    /// <inheritdoc/>
    public string Name => _selection.Pod is { } pod ? $"pod '{_namespace}/{pod}'" : _selection.Deployment is { } deployment ? $"deployment '{_namespace}/{deployment}'" : $"pod of '{_selection.Selector}' in '{_namespace}'";

    /// <inheritdoc/>
    public string Key => $"{_server} {_namespace} {_selection.Pod} {_selection.Deployment} {_selection.Selector}";

    /// <inheritdoc/>
    public IReadOnlyList<Quiescence> Quiescences { get; } = [Quiescence.Scale, Quiescence.ReadOnly];

    /// <summary>Reads the configuration. Nothing is asked yet.</summary>
    /// <exception cref="RegistryRuntimeException">There is no configuration, or it can't be used.</exception>
    public static KubernetesRuntime Open(PodSelection selection, Action<string> verbose)
    {
        try
        {
            var file = selection.KubeConfigPath ?? Environment.GetEnvironmentVariable("KUBECONFIG")?.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
            var inCluster = file is null && selection.Context is null && KubernetesClientConfiguration.IsInCluster();
            var configuration = inCluster ? KubernetesClientConfiguration.InClusterConfig() : KubernetesClientConfiguration.BuildConfigFromConfigFile(file is null ? null : new FileInfo(file), selection.Context);
            var place = selection.Namespace ?? (configuration.Namespace is { Length: > 0 } own ? own : "default");
            verbose($"Kubernetes is asked at {configuration.Host} ({(inCluster ? "the pod's service account" : $"context '{configuration.CurrentContext}'")}), namespace '{place}'.");
            return new KubernetesRuntime(new k8s.Kubernetes(configuration), selection, place, configuration.Host, verbose);
        }
        catch (Exception exception) when (exception is KubeConfigException or IOException or UnauthorizedAccessException or FormatException or ArgumentException or YamlDotNet.Core.YamlException or System.Security.Cryptography.CryptographicException)
        {
            throw new RegistryRuntimeException($"The kubeconfig can't be used: {Shown.Short(exception.Message, 300)}", "kubectl config view shows it; -KubeConfigPath and -Context name another.", exception);
        }
    }

    /// <inheritdoc/>
    public async Task<RuntimeState> InspectAsync(CancellationToken cancellationToken)
    {
        var (pod, container) = await FindAsync(cancellationToken).ConfigureAwait(false);
        return new RuntimeState
        {
            IsRunning = pod.Status?.Phase == "Running" && pod.Metadata.DeletionTimestamp is null,
            ForgetsItself = true,
            Mounts = [.. (container.VolumeMounts ?? []).Select(mount => new RuntimeMount(mount.MountPath, null, pod.Spec.Volumes?.FirstOrDefault(volume => volume.Name == mount.Name) is { EmptyDir: null, Ephemeral: null, ConfigMap: null, Secret: null, Projected: null, DownwardAPI: null }))],
            Command = [.. container.Command ?? [], .. container.Args ?? []],
            Environment = (container.Env ?? []).Where(variable => variable.Value is not null).GroupBy(variable => variable.Name).ToDictionary(group => group.Key, group => group.Last().Value, StringComparer.Ordinal),
        };
    }

    /// <inheritdoc/>
    public Task<CommandResult> RunAsync(IReadOnlyList<string> command, Action<string> line, CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            var (pod, container) = _found ?? await FindAsync(cancellationToken).ConfigureAwait(false);
            using var socket = await OpenAsync(pod.Metadata.Name, container.Name, command, cancellationToken).ConfigureAwait(false);
            return await ReadAsync(socket, command[0], line, cancellationToken).ConfigureAwait(false);
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<CommandResult> RunBesideAsync(IReadOnlyList<string> command, Action<string> line, CancellationToken cancellationToken)
    {
        // A registry that only reads still runs, and its collector in it.
        return _runsOn ? RunInItAsync() : GuardAsync(() => RunInPodOfItsOwnAsync(command, line, cancellationToken), cancellationToken);

        // Whose end is not seen may still be at work there.
        async Task<CommandResult> RunInItAsync()
        {
            _works = true;
            var result = await RunAsync(command, line, cancellationToken).ConfigureAwait(false);
            _works = false;
            return result;
        }
    }

    /// <inheritdoc/>
    public Task<bool> IsCollectingAsync(QuiescenceNote note, CancellationToken cancellationToken) => GuardAsync(
        async () => (await BesideAsync(note, cancellationToken).ConfigureAwait(false)).Any(pod => pod.Status?.Phase is "Pending" or "Running"),
        cancellationToken);

    /// <inheritdoc/>
    public Task QuiesceAsync(Quiescence how, Func<QuiescenceNote, Task> note, CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            var (pod, container) = await FindAsync(cancellationToken).ConfigureAwait(false);
            var (kind, name) = await FindControllerAsync(pod, cancellationToken).ConfigureAwait(false);
            var replicas = kind == "Deployment"
                ? (await _client.AppsV1.ReadNamespacedDeploymentAsync(name, _namespace, cancellationToken: cancellationToken).ConfigureAwait(false)).Spec.Replicas ?? 1
                : (await _client.AppsV1.ReadNamespacedStatefulSetAsync(name, _namespace, cancellationToken: cancellationToken).ConfigureAwait(false)).Spec.Replicas ?? 1;
            var details = new Dictionary<string, string>(StringComparer.Ordinal) { ["kind"] = kind, ["name"] = name, ["replicas"] = replicas.ToString(System.Globalization.CultureInfo.InvariantCulture), ["container"] = container.Name };
            if (how == Quiescence.ReadOnly && container.Env?.LastOrDefault(variable => variable.Name == ReadOnlyVariable) is { } own)
            {
                if (own.ValueFrom is not null) throw new RegistryRuntimeException($"{ReadOnlyVariable} of {kind} '{name}' is from elsewhere, and can't be set and set back. Nothing was done.", "Use -Quiesce Scale.");
                if (own.Value != ReadOnlyValue) details["maintenance"] = own.Value ?? string.Empty;
            }

            _controller = (kind, name);
            await note(new QuiescenceNote(Key, how, DateTimeOffset.UtcNow, details)).ConfigureAwait(false);
            switch (how)
            {
                case Quiescence.Scale:
                    await ScaleAsync(kind, name, 0, cancellationToken).ConfigureAwait(false);
                    await WaitAsync(async () => !(await PodsOfAsync(kind, name, cancellationToken).ConfigureAwait(false)).Any(), $"the pods of {kind} '{name}' to end", cancellationToken).ConfigureAwait(false);
                    break;
                case Quiescence.ReadOnly:
                    await SetMaintenanceAsync(kind, name, container.Name, ReadOnlyValue, null, cancellationToken).ConfigureAwait(false);
                    await WaitForRolloutAsync(kind, name, cancellationToken).ConfigureAwait(false);

                    // Pods that are about to end are not counted, and still take what is being pushed to them.
                    await WaitAsync(async () => (await PodsOfAsync(kind, name, cancellationToken).ConfigureAwait(false)).All(other => IsReadOnly(other, container.Name)), $"the pods of {kind} '{name}' that take pushes to end", cancellationToken).ConfigureAwait(false);
                    _runsOn = true;
                    _found = null;
                    await FindAsync(cancellationToken).ConfigureAwait(false);
                    break;
                default:
                    throw new RegistryRuntimeException($"A registry in Kubernetes can't be made quiet by {how}.", "Use Scale or ReadOnly.");
            }

            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task ResumeAsync(QuiescenceNote note, CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            var (kind, name) = (note.Details["kind"], note.Details["name"]);
            _controller = (kind, name);
            var replicas = int.Parse(note.Details["replicas"], System.Globalization.CultureInfo.InvariantCulture);
            var left = await BesideAsync(note, cancellationToken).ConfigureAwait(false);
            foreach (var pod in left) await DeletePodAsync(pod.Metadata.Name, cancellationToken).ConfigureAwait(false);
            if (note.How == Quiescence.ReadOnly)
            {
                int? scaled = null;
                if (_works || !_runsOn)
                {
                    // A collector in a pod ends with the pod; and the next pod would be there before this one has gone.
                    scaled = replicas;
                    await ScaleAsync(kind, name, 0, cancellationToken).ConfigureAwait(false);
                    await WaitAsync(async () => !(await PodsOfAsync(kind, name, cancellationToken).ConfigureAwait(false)).Any(), $"the pods of {kind} '{name}' to end", cancellationToken).ConfigureAwait(false);
                }

                await SetMaintenanceAsync(kind, name, note.Details["container"], note.Details.TryGetValue("maintenance", out var own) ? own : null, scaled, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await ScaleAsync(kind, name, replicas, cancellationToken).ConfigureAwait(false);
            }

            await WaitForRolloutAsync(kind, name, cancellationToken).ConfigureAwait(false);
            _found = null;
            _runsOn = false;
            _works = false;
            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task RestartAsync(CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            var (pod, _) = await FindAsync(cancellationToken).ConfigureAwait(false);
            var (kind, name) = await FindControllerAsync(pod, cancellationToken).ConfigureAwait(false);
            _controller = (kind, name);
            await PatchAsync(kind, name, "{\"spec\":{\"template\":{\"metadata\":{\"annotations\":{\"kubectl.kubernetes.io/restartedAt\":\"" + DateTimeOffset.UtcNow.ToString("O") + "\"}}}}}", cancellationToken).ConfigureAwait(false);
            await WaitForRolloutAsync(kind, name, cancellationToken).ConfigureAwait(false);
            _found = null;
            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public string Mend(QuiescenceNote note)
    {
        var target = $"{note.Details["kind"].ToLowerInvariant()}/{note.Details["name"]}";
        return note.How == Quiescence.ReadOnly
            ? $"kubectl -n {_namespace} set env {target} -c {note.Details["container"]} {(note.Details.TryGetValue("maintenance", out var own) ? $"'{ReadOnlyVariable}={own}'" : ReadOnlyVariable + "-")}; kubectl -n {_namespace} scale {target} --replicas={note.Details["replicas"]}"
            : $"kubectl -n {_namespace} scale {target} --replicas={note.Details["replicas"]}";
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task<WebSocket> OpenAsync(string pod, string container, IReadOnlyList<string> command, CancellationToken cancellationToken)
    {
        Exception? last = null;
        foreach (var protocol in _protocol is { } known ? [known] : Protocols)
        {
            try
            {
                var socket = await _client.WebSocketNamespacedPodExecAsync(pod, _namespace, command, container, stderr: true, stdin: false, stdout: true, tty: false, webSocketSubProtocol: protocol, cancellationToken: cancellationToken).ConfigureAwait(false);
                if (socket.SubProtocol is { Length: > 0 } agreed && agreed != protocol)
                {
                    socket.Dispose();
                    continue;
                }

                _protocol = protocol;
                return socket;
            }
            catch (WebSocketException exception)
            {
                // A server that does not speak the newer one refuses the handshake.
                last = exception;
            }
        }

        throw last ?? new RegistryRuntimeException($"{_server} speaks none of {string.Join(", ", Protocols)}.", null);
    }

    /// <summary>Reads the channels of an exec: 1 and 2 are its output, 3 is how it ended, and v5 closes a channel by 255.</summary>
    private async Task<CommandResult> ReadAsync(WebSocket socket, string command, Action<string> line, CancellationToken cancellationToken)
    {
        var output = new LineReader(line);
        var errors = new LineReader(line);
        var status = new MemoryStream();
        var buffer = new byte[64 * 1024];
        var channel = -1;
        string? cut = null;
        try
        {
            while (true)
            {
                var read = await socket.ReceiveAsync(new ArraySegment<byte>(buffer), cancellationToken).ConfigureAwait(false);
                if (read.MessageType == WebSocketMessageType.Close) break;
                var offset = 0;
                if (channel < 0 && read.Count > 0)
                {
                    channel = buffer[0];
                    offset = 1;
                }

                switch (channel)
                {
                    case 1:
                        output.Add(buffer, offset, read.Count - offset);
                        break;
                    case 2:
                        errors.Add(buffer, offset, read.Count - offset);
                        break;
                    case 3 when status.Length < 64 * 1024:
                        status.Write(buffer, offset, read.Count - offset);
                        break;
                }

                if (read.EndOfMessage) channel = -1;
            }
        }
        catch (Exception exception) when (exception is WebSocketException or IOException)
        {
            cut = exception.Message;
        }

        output.End();
        errors.End();
        return Ended(status.ToArray()) ?? throw new CollectorFailedException(
            $"The connection to {command} in {Name} was lost{(cut is null ? string.Empty : $" ({Shown.Short(cut, 200)})")}: how it ended is not known, and it may still run there.",
            "Look with kubectl exec … ps, and run this again once it has ended.");
    }

    /// <summary>What the status says: null where there is none.</summary>
    private CommandResult? Ended(byte[] status)
    {
        if (status.Length == 0) return null;
        try
        {
            using var document = JsonDocument.Parse(status);
            var root = document.RootElement;
            if (root.TryGetProperty("status", out var word) && word.GetString() == "Success") return new CommandResult(0);
            if (root.TryGetProperty("details", out var details) && details.TryGetProperty("causes", out var causes) && causes.ValueKind == JsonValueKind.Array)
            {
                foreach (var cause in causes.EnumerateArray())
                {
                    if (cause.TryGetProperty("reason", out var reason) && reason.GetString() == "ExitCode" && cause.TryGetProperty("message", out var code) && int.TryParse(code.GetString(), out var value)) return new CommandResult(value);
                }
            }

            throw new RegistryRuntimeException($"Kubernetes could not run a program in {Name}: {Shown.Short(root.TryGetProperty("message", out var message) ? message.ToString() : root.ToString(), 300)}", null);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new RegistryRuntimeException($"Kubernetes told in words that are not known how a program in {Name} ended: {Shown.Short(Encoding.UTF8.GetString(status), 300)}", null, exception);
        }
    }

    private async Task<CommandResult> RunInPodOfItsOwnAsync(IReadOnlyList<string> command, Action<string> line, CancellationToken cancellationToken)
    {
        var (pod, container) = _found ?? throw new RegistryRuntimeException($"{Name} was not looked at.", null);
        var own = new V1Pod
        {
            ApiVersion = "v1",
            Kind = "Pod",
            Metadata = new V1ObjectMeta { GenerateName = "registrytools-collector-", NamespaceProperty = _namespace, Labels = new Dictionary<string, string> { [Label] = "collector" }, Annotations = new Dictionary<string, string> { [Target] = $"{_controller?.Kind}/{_controller?.Name}" } },
            Spec = new V1PodSpec
            {
                RestartPolicy = "Never",
                ServiceAccountName = pod.Spec.ServiceAccountName,
                SecurityContext = pod.Spec.SecurityContext,
                ImagePullSecrets = pod.Spec.ImagePullSecrets,
                NodeSelector = pod.Spec.NodeSelector,
                Tolerations = pod.Spec.Tolerations,
                Volumes = pod.Spec.Volumes?.Where(volume => !volume.Name.StartsWith("kube-api-access-", StringComparison.Ordinal)).ToList(),
                Containers =
                [
                    new V1Container
                    {
                        Name = "collector",
                        Image = container.Image,
                        ImagePullPolicy = container.ImagePullPolicy,
                        Command = [command[0]],
                        Args = [.. command.Skip(1)],
                        Env = container.Env,
                        EnvFrom = container.EnvFrom,
                        Resources = container.Resources,
                        SecurityContext = container.SecurityContext,
                        VolumeMounts = container.VolumeMounts?.Where(mount => !mount.Name.StartsWith("kube-api-access-", StringComparison.Ordinal)).ToList(),
                    },
                ],
            },
        };
        var created = await _client.CoreV1.CreateNamespacedPodAsync(own, _namespace, cancellationToken: cancellationToken).ConfigureAwait(false);
        var name = created.Metadata.Name;
        try
        {
            await WaitAsync(async () => HasStarted(await _client.CoreV1.ReadNamespacedPodAsync(name, _namespace, cancellationToken: cancellationToken).ConfigureAwait(false)), $"the pod '{name}' to start", cancellationToken, StartPatience).ConfigureAwait(false);
            var reader = new LineReader(line);
            try
            {
                // As it is written: what a long run has written is not kept to its end.
                using var log = await _client.CoreV1.ReadNamespacedPodLogAsync(name, _namespace, container: "collector", follow: true, cancellationToken: cancellationToken).ConfigureAwait(false);
                var buffer = new byte[64 * 1024];
                for (int count; (count = await log.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;) reader.Add(buffer, 0, count);
            }
            catch (Exception exception) when (exception is IOException or HttpRequestException)
            {
                cancellationToken.ThrowIfCancellationRequested();
                _verbose($"The log of the pod '{name}' was cut off: {Shown.Short(exception.Message, 200)}");
            }

            reader.End();
            V1ContainerStateTerminated? ended = null;
            await WaitAsync(
                async () =>
                {
                    var now = await _client.CoreV1.ReadNamespacedPodAsync(name, _namespace, cancellationToken: cancellationToken).ConfigureAwait(false);
                    ended = now.Status?.ContainerStatuses?.FirstOrDefault()?.State?.Terminated;
                    return ended is not null || now.Status?.Phase is "Succeeded" or "Failed";
                },
                $"the pod '{name}' to end",
                cancellationToken,
                TimeSpan.FromDays(7)).ConfigureAwait(false);
            return new CommandResult(ended?.ExitCode ?? 1);
        }
        finally
        {
            using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            await DeletePodAsync(name, soon.Token).ConfigureAwait(false);
        }
    }

    /// <summary>Whether a pod has begun its work. One that can't is not waited for: the registry is down meanwhile.</summary>
    private static bool HasStarted(V1Pod pod)
    {
        var state = pod.Status?.ContainerStatuses?.FirstOrDefault()?.State;
        if (state?.Waiting is { Reason: "ErrImagePull" or "ImagePullBackOff" or "InvalidImageName" or "ErrImageNeverPull" or "CreateContainerConfigError" or "CreateContainerError" or "RunContainerError" } waiting)
        {
            throw new RegistryRuntimeException($"The pod '{pod.Metadata.Name}' for the collector does not start: {waiting.Reason}: {Shown.Short(waiting.Message, 200)}", "It has the registry's own image: where that registry is this one, it must be on the node already, and its pull policy IfNotPresent.");
        }

        return state?.Running is not null || state?.Terminated is not null || pod.Status?.Phase is "Running" or "Succeeded" or "Failed";
    }

    /// <summary>Deletes a pod and waits until it has ended: one that is deleted with no grace is not seen any more, and may run on.</summary>
    private async Task DeletePodAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            await _client.CoreV1.DeleteNamespacedPodAsync(name, _namespace, gracePeriodSeconds: 1, cancellationToken: cancellationToken).ConfigureAwait(false);
            while (true)
            {
                await _client.CoreV1.ReadNamespacedPodAsync(name, _namespace, cancellationToken: cancellationToken).ConfigureAwait(false);
                await Task.Delay(200, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (HttpOperationException exception) when ((int?)exception.Response?.StatusCode == 404)
        {
            // It is gone.
        }
    }

    /// <summary>The pods of collectors that were started for the same deployment. Only -Quiesce Scale makes any, and only its rights allow to look.</summary>
    private async Task<IReadOnlyList<V1Pod>> BesideAsync(QuiescenceNote note, CancellationToken cancellationToken)
    {
        if (note.How != Quiescence.Scale) return [];
        var target = $"{note.Details["kind"]}/{note.Details["name"]}";
        var pods = await _client.CoreV1.ListNamespacedPodAsync(_namespace, labelSelector: Label + "=collector", cancellationToken: cancellationToken).ConfigureAwait(false);
        return [.. pods.Items.Where(pod => pod.Metadata.Annotations is { } annotations && annotations.TryGetValue(Target, out var of) && of == target)];
    }

    private static bool IsReadOnly(V1Pod pod, string container) =>
        pod.Status?.Phase is "Succeeded" or "Failed" || pod.Spec.Containers.FirstOrDefault(candidate => candidate.Name == container)?.Env?.LastOrDefault(variable => variable.Name == ReadOnlyVariable)?.Value == ReadOnlyValue;

    private Task<(V1Pod Pod, V1Container Container)> FindAsync(CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            V1Pod pod;
            if (_selection.Pod is { } name && _controller is null)
            {
                pod = await _client.CoreV1.ReadNamespacedPodAsync(name, _namespace, cancellationToken: cancellationToken).ConfigureAwait(false);
            }
            else
            {
                // The pods of a deployment that has been made quiet or restarted have other names than before.
                var pods = _controller is { } controller ? await PodsOfAsync(controller.Kind, controller.Name, cancellationToken).ConfigureAwait(false)
                    : _selection.Deployment is { } deployment ? await PodsOfAsync("Deployment", deployment, cancellationToken).ConfigureAwait(false)
                    : (await _client.CoreV1.ListNamespacedPodAsync(_namespace, labelSelector: _selection.Selector, cancellationToken: cancellationToken).ConfigureAwait(false)).Items;
                pod = pods.FirstOrDefault(candidate => candidate.Status?.Phase == "Running" && candidate.Metadata.DeletionTimestamp is null)
                    ?? throw new RegistryContainerNotFoundException($"There is no running pod for the {Name}.", $"kubectl -n {_namespace} get pods shows those that there are.");
            }

            var found = (pod, ContainerOf(pod));
            _found = found;
            return found;
        },
        cancellationToken);

    private V1Container ContainerOf(V1Pod pod)
    {
        var all = pod.Spec.Containers;
        var named = string.Join(", ", all.Select(container => container.Name));
        if (_selection.Container is { } wanted) return all.FirstOrDefault(container => container.Name == wanted) ?? throw new RegistryContainerNotFoundException($"The pod '{pod.Metadata.Name}' has no container '{wanted}'.", $"It has: {named}.");
        if (all.Count == 1) return all[0];
        var registries = all.Where(container => container.Image?.Contains("registry", StringComparison.Ordinal) == true || container.Image?.Contains("distribution", StringComparison.Ordinal) == true).ToList();
        return registries.Count == 1 ? registries[0] : throw new RegistryContainerNotFoundException($"Which container of the pod '{pod.Metadata.Name}' is the registry can't be told: {named}.", "Name it with -PodContainer.");
    }

    private async Task<(string Kind, string Name)> FindControllerAsync(V1Pod pod, CancellationToken cancellationToken)
    {
        if (_selection.Deployment is { } deployment) return ("Deployment", deployment);
        var owner = pod.Metadata.OwnerReferences?.FirstOrDefault(reference => reference.Controller == true);
        if (owner?.Kind == "StatefulSet") return ("StatefulSet", owner.Name);
        if (owner?.Kind == "ReplicaSet")
        {
            var set = await _client.AppsV1.ReadNamespacedReplicaSetAsync(owner.Name, _namespace, cancellationToken: cancellationToken).ConfigureAwait(false);
            if (set.Metadata.OwnerReferences?.FirstOrDefault(reference => reference.Kind == "Deployment") is { } above) return ("Deployment", above.Name);
        }

        throw new RegistryRuntimeException($"The pod '{pod.Metadata.Name}' belongs to no deployment or stateful set, so that it can't be scaled or restarted from here.", "Stop pushes by other means, and leave out -Quiesce and -Restart.");
    }

    private async Task<IList<V1Pod>> PodsOfAsync(string kind, string name, CancellationToken cancellationToken)
    {
        var labels = kind == "Deployment"
            ? (await _client.AppsV1.ReadNamespacedDeploymentAsync(name, _namespace, cancellationToken: cancellationToken).ConfigureAwait(false)).Spec.Selector
            : (await _client.AppsV1.ReadNamespacedStatefulSetAsync(name, _namespace, cancellationToken: cancellationToken).ConfigureAwait(false)).Spec.Selector;
        var selector = string.Join(",", (labels.MatchLabels ?? new Dictionary<string, string>()).Select(label => label.Key + "=" + label.Value).Concat((labels.MatchExpressions ?? []).Select(Written)));

        // No selector is every pod of the namespace.
        if (selector.Length == 0) throw new RegistryRuntimeException($"{kind} '{name}' does not tell which pods are its own.", "Name the pod with -Pod.");
        return (await _client.CoreV1.ListNamespacedPodAsync(_namespace, labelSelector: selector, cancellationToken: cancellationToken).ConfigureAwait(false)).Items;
    }

    private static string Written(V1LabelSelectorRequirement requirement) => requirement.OperatorProperty switch
    {
        "In" => $"{requirement.Key} in ({string.Join(",", requirement.Values)})",
        "NotIn" => $"{requirement.Key} notin ({string.Join(",", requirement.Values)})",
        "DoesNotExist" => "!" + requirement.Key,
        _ => requirement.Key,
    };

    private Task ScaleAsync(string kind, string name, int replicas, CancellationToken cancellationToken) => PatchAsync(kind, name, $$$"""{"spec":{"replicas":{{{replicas}}}}}""", cancellationToken);

    /// <summary>Sets the variable, or with null takes it away, and where it is given the number of replicas with it.</summary>
    private Task SetMaintenanceAsync(string kind, string name, string container, string? value, int? replicas, CancellationToken cancellationToken)
    {
        var variable = $"{{\"name\":\"{ReadOnlyVariable}\",{(value is null ? "\"$patch\":\"delete\"" : "\"value\":" + JsonSerializer.Serialize(value))}}}";
        var scale = replicas is { } number ? $"\"replicas\":{number.ToString(System.Globalization.CultureInfo.InvariantCulture)}," : string.Empty;
        return PatchAsync(kind, name, "{\"spec\":{" + scale + "\"template\":{\"spec\":{\"containers\":[{\"name\":" + JsonSerializer.Serialize(container) + ",\"env\":[" + variable + "]}]}}}}", cancellationToken);
    }

    private async Task PatchAsync(string kind, string name, string patch, CancellationToken cancellationToken)
    {
        var body = new V1Patch(patch, V1Patch.PatchType.StrategicMergePatch);
        if (kind == "Deployment") await _client.AppsV1.PatchNamespacedDeploymentAsync(body, name, _namespace, cancellationToken: cancellationToken).ConfigureAwait(false);
        else await _client.AppsV1.PatchNamespacedStatefulSetAsync(body, name, _namespace, cancellationToken: cancellationToken).ConfigureAwait(false);
    }

    private Task WaitForRolloutAsync(string kind, string name, CancellationToken cancellationToken) => WaitAsync(
        async () =>
        {
            if (kind == "Deployment")
            {
                var now = await _client.AppsV1.ReadNamespacedDeploymentAsync(name, _namespace, cancellationToken: cancellationToken).ConfigureAwait(false);
                var wanted = now.Spec.Replicas ?? 1;
                return (now.Status?.ObservedGeneration ?? 0) >= (now.Metadata.Generation ?? 0) && (now.Status?.UpdatedReplicas ?? 0) == wanted && (now.Status?.AvailableReplicas ?? 0) == wanted && (now.Status?.Replicas ?? 0) == wanted;
            }

            var set = await _client.AppsV1.ReadNamespacedStatefulSetAsync(name, _namespace, cancellationToken: cancellationToken).ConfigureAwait(false);
            var replicas = set.Spec.Replicas ?? 1;
            return (set.Status?.ObservedGeneration ?? 0) >= (set.Metadata.Generation ?? 0) && (set.Status?.ReadyReplicas ?? 0) == replicas && set.Status?.CurrentRevision == set.Status?.UpdateRevision;
        },
        $"{kind} '{name}' to be ready",
        cancellationToken);

    private async Task WaitAsync(Func<Task<bool>> isSo, string what, CancellationToken cancellationToken, TimeSpan? patience = null)
    {
        var until = DateTimeOffset.UtcNow + (patience ?? TimeSpan.FromMinutes(5));
        while (!await isSo().ConfigureAwait(false))
        {
            if (DateTimeOffset.UtcNow > until) throw new RegistryRuntimeException($"It took too long for {what}.", $"kubectl -n {_namespace} get events tells why.");
            await Task.Delay(500, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<T> GuardAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (HttpOperationException exception) when ((int?)exception.Response?.StatusCode == 404)
        {
            throw new RegistryContainerNotFoundException($"There is no {Name} at {_server}: {Said(exception)}", $"kubectl -n {_namespace} get pods,deployments shows what there is.", exception);
        }
        catch (HttpOperationException exception)
        {
            var status = (int?)exception.Response?.StatusCode;
            throw new RegistryRuntimeException($"Kubernetes at {_server} answered {status} about the {Name}: {Said(exception)}", status is 401 or 403 ? "docs/automation.md has the rights that this needs." : null, exception);
        }
        catch (Exception exception) when (exception is HttpRequestException or WebSocketException or IOException or SocketException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new RegistryRuntimeException($"Kubernetes at {_server} can't be reached, or refuses: {Shown.Short((exception.InnerException ?? exception).Message, 300)}", "kubectl get pods shows whether it answers; -Context names another.", exception);
        }
    }

    private static string Said(HttpOperationException exception)
    {
        var body = exception.Response?.Content ?? exception.Message;
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.TryGetProperty("message", out var message)) body = message.ToString();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // As it is.
        }

        return Shown.Short(body, 300);
    }
}
#endif
