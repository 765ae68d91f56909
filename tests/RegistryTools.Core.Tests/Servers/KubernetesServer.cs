using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace RegistryTools.Tests.Servers;

/// <summary>
/// As much of a Kubernetes API server as running a collector needs, since no real one is to be had here: pods, a deployment, exec over WebSocket (v4 and v5 of its channel protocol). Behind it the real docker-registry serves and collects, on a
/// directory of its own: scaled to nothing it is stopped, and a pod that is created runs its command.
/// </summary>
public sealed class KubernetesServer : IAsyncDisposable
{
    private const string Namespace = "registries";
    private readonly WebApplication _application;
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-kube-").FullName;
    private readonly int _port = Processes.FreePort();
    private readonly ConcurrentDictionary<string, (int? ExitCode, string Output)> _pods = new();
    private readonly SemaphoreSlim _change = new(1, 1);
    private Process? _registry;
    private int _replicas = 1;
    private int _generation = 1;
    private string? _maintenance;
    private JsonObject? _old;
    private int _lingering;

    private KubernetesServer(WebApplication application)
    {
        _application = application;
        application.UseWebSockets();
        application.Run(AnswerAsync);
    }

    /// <summary>The registry's address, while it runs.</summary>
    public string Registry => "127.0.0.1:" + _port;

    public string KubeConfig => Path.Combine(_directory, "kubeconfig");

    /// <summary>The protocols that it speaks.</summary>
    public string[] Protocols { get; set; } = ["v4.channel.k8s.io", "v5.channel.k8s.io"];

    /// <summary>Cuts the connection of an exec whose command has this word, after so many bytes of its output.</summary>
    public (string Word, int Bytes)? Cut { get; set; }

    /// <summary>Ends an exec whose command has this word with this status instead.</summary>
    public (string Word, string Status)? Says { get; set; }

    /// <summary>What the storage is on.</summary>
    public string Volume { get; set; } = """
        "persistentVolumeClaim":{"claimName":"data"}
        """;

    /// <summary>Answers every request with this.</summary>
    public (int Status, string Body)? Refuses { get; set; }

    /// <summary>What the deployment's own environment has for the storage's maintenance; null for nothing.</summary>
    public string? Maintenance
    {
        get => _maintenance;
        set => _maintenance = value;
    }

    /// <summary>For how many looks the pod of before is still there after a change of the template.</summary>
    public int Lingers { get; set; }

    /// <summary>Why a pod that is created does not start; null where it does.</summary>
    public string? Waits { get; set; }

    /// <summary>The selector of the deployment.</summary>
    public string Selector { get; set; } = """{"matchLabels":{"app":"registry"}}""";

    /// <summary>What happens before the first patch is carried out.</summary>
    public Func<Task>? OnPatch { get; set; }

    /// <summary>What was done: the methods and paths of what changes something, and the protocol and command of each exec.</summary>
    public ConcurrentQueue<string> Done { get; } = new();

    // As a deployment's, it is another with each change.
    private string PodName => "registry-" + (_generation - 1);

    public bool IsRunning => _registry is { HasExited: false };

    public static async Task<KubernetesServer> StartAsync()
    {
        Requirement.Program("docker-registry");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options => options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        var server = new KubernetesServer(builder.Build());
        await server._application.StartAsync();
        var address = server._application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        await File.WriteAllTextAsync(server.KubeConfig, $"apiVersion: v1\nkind: Config\ncurrent-context: here\ncontexts:\n- name: here\n  context: {{cluster: c, user: u, namespace: {Namespace}}}\n- name: elsewhere\n  context: {{cluster: c, user: u, namespace: other}}\nclusters:\n- name: c\n  cluster: {{server: {address}}}\nusers:\n- name: u\n  user: {{token: kub3-s3cret}}\n");
        await File.WriteAllTextAsync(Path.Combine(server._directory, "config.yml"), $"version: 0.1\nlog: {{level: warn}}\nstorage:\n  filesystem:\n    rootdirectory: {server._directory}/data\n  delete: {{enabled: true}}\nhttp:\n  addr: {server.Registry}\n");
        await server.StartRegistryAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        await _application.StopAsync(soon.Token);
        await _application.DisposeAsync();
        await StopRegistryAsync();
        _change.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task StartRegistryAsync()
    {
        var info = Processes.Info(Requirement.Program("docker-registry"), ["serve", Path.Combine(_directory, "config.yml")]);
        if (_maintenance is not null) info.Environment["REGISTRY_STORAGE_MAINTENANCE"] = _maintenance;
        _registry = Process.Start(info)!;
        _registry.BeginErrorReadLine();
        _registry.BeginOutputReadLine();
        await PodmanServer.WaitAsync(Registry);
    }

    private async Task StopRegistryAsync()
    {
        if (_registry is null) return;
        if (!_registry.HasExited) _registry.Kill();
        await _registry.WaitForExitAsync();
        _registry.Dispose();
        _registry = null;
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        var method = context.Request.Method;
        if (context.Request.Headers.Authorization != "Bearer kub3-s3cret")
        {
            await WriteAsync(context, 401, Status("Unauthorized", 401));
            return;
        }

        if (Refuses is { } refused)
        {
            await WriteAsync(context, refused.Status, refused.Body);
            return;
        }

        if (method is not "GET") Done.Enqueue(method + " " + path);
        var parts = path.Trim('/').Split('/');
        switch (parts)
        {
            case ["api", "v1", "namespaces", Namespace, "pods"] when method == "GET":
                var items = new JsonArray();
                var labels = context.Request.Query["labelSelector"].ToString();
                if (labels.StartsWith("registrytools.", StringComparison.Ordinal))
                {
                    foreach (var (name, own) in _pods) items.Add(OwnPod(name, own.ExitCode));
                }
                else if (Selects(labels))
                {
                    // What a selector that says nothing gives is every pod of the namespace.
                    if (labels.Length == 0) items.Add(JsonNode.Parse("""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"another"},"spec":{"containers":[{"name":"x","image":"registry:2"}]},"status":{"phase":"Running"} }"""));
                    if (_lingering > 0 && _old is not null)
                    {
                        _lingering--;
                        Done.Enqueue("lingers");
                        items.Add(_old.DeepClone());
                    }

                    if (_replicas > 0) items.Add(RegistryPod());
                }

                await WriteAsync(context, 200, new JsonObject { ["apiVersion"] = "v1", ["kind"] = "PodList", ["metadata"] = new JsonObject(), ["items"] = items }.ToJsonString());
                break;
            case ["api", "v1", "namespaces", Namespace, "pods"] when method == "POST":
                await CreateAsync(context);
                break;
            case ["api", "v1", "namespaces", Namespace, "pods", var pod, "exec"] when pod == PodName && _replicas > 0:
                await ExecAsync(context);
                break;
            case ["api", "v1", "namespaces", Namespace, "pods", var pod, "log"] when _pods.TryGetValue(pod, out var ran):
                context.Response.ContentType = "text/plain";
                for (; context.Request.Query["follow"] == "true" && ran.ExitCode is null && !context.RequestAborted.IsCancellationRequested; ran = _pods.GetValueOrDefault(pod)) await Task.Delay(50);

                // What is not followed is what the kubelet has left of it: it turns its files over.
                await context.Response.WriteAsync(context.Request.Query["follow"] == "true" ? ran.Output ?? string.Empty : "blob eligible for deletion: sha256:" + new string('0', 64));
                break;
            case ["api", "v1", "namespaces", Namespace, "pods", var pod] when pod == PodName && _replicas > 0:
                await WriteAsync(context, 200, RegistryPod().ToJsonString());
                break;
            case ["api", "v1", "namespaces", Namespace, "pods", var pod] when _pods.TryGetValue(pod, out var own):
                if (method == "DELETE") _pods.TryRemove(pod, out _);
                await WriteAsync(context, 200, OwnPod(pod, own.ExitCode).ToJsonString());
                break;
            case ["apis", "apps", "v1", "namespaces", Namespace, "replicasets", "registry-abc"]:
                await WriteAsync(context, 200, """{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{"name":"registry-abc","ownerReferences":[{"apiVersion":"apps/v1","kind":"Deployment","name":"registry","uid":"1","controller":true}]},"spec":{"selector":{"matchLabels":{"app":"registry"}}} }""");
                break;
            case ["apis", "apps", "v1", "namespaces", Namespace, "deployments", "registry"]:
                if (method == "PATCH") await PatchAsync(context);
                await WriteAsync(context, 200, $$$$$$"""{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"registry","generation":{{{{{{_generation}}}}}}},"spec":{"replicas":{{{{{{_replicas}}}}}},"selector":{{{{{{Selector}}}}}},"template":{"metadata":{"labels":{"app":"registry"}},"spec":{"containers":[{"name":"registry"}]}}},"status":{"observedGeneration":{{{{{{_generation}}}}}},"replicas":{{{{{{_replicas}}}}}},"updatedReplicas":{{{{{{_replicas}}}}}},"availableReplicas":{{{{{{_replicas}}}}}}} }""");
                break;
            default:
                await WriteAsync(context, 404, Status($"\\\"{path}\\\" not found", 404));
                break;
        }
    }

    private static bool Selects(string? selector) => string.IsNullOrEmpty(selector) || selector is "app=registry" or "app in (registry)";

    private JsonObject RegistryPod() => JsonNode.Parse(
        $$"""
        {"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{PodName}}","namespace":"{{Namespace}}","labels":{"app":"registry"},"ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"registry-abc","uid":"1","controller":true}]},
         "spec":{"containers":[{"name":"sidecar","image":"proxy:1"},{"name":"main","image":"docker.io/library/registry:2","command":["{{Requirement.Program("docker-registry")}}"],"args":["serve","{{_directory}}/config.yml"],"env":[{{(_maintenance is null ? string.Empty : $$"""{"name":"REGISTRY_STORAGE_MAINTENANCE","value":{{JsonValue.Create(_maintenance).ToJsonString()}}}""")}}],"volumeMounts":[{"name":"data","mountPath":"{{_directory}}/data"}]}],"volumes":[{"name":"data",{{Volume}} }]},
         "status":{"phase":"Running"} }
        """)!.AsObject();

    private JsonObject OwnPod(string name, int? exitCode) => JsonNode.Parse(
        exitCode is null && Waits is not null
            ? $$$$"""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{{name}}}}","annotations":{"registrytools.target":"Deployment/registry"} },"spec":{"containers":[{"name":"collector"}]},"status":{"phase":"Pending","containerStatuses":[{"name":"collector","image":"i","imageID":"i","ready":false,"restartCount":0,"state":{"waiting":{"reason":"{{{{Waits}}}}","message":"no image"} } }]} }"""
            : exitCode is null
            ? $$$"""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}","annotations":{"registrytools.target":"Deployment/registry"} },"spec":{"containers":[{"name":"collector"}]},"status":{"phase":"Running"}}"""
            : $$$"""{"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}","annotations":{"registrytools.target":"Deployment/registry"} },"spec":{"containers":[{"name":"collector"}]},"status":{"phase":"{{{(exitCode == 0 ? "Succeeded" : "Failed")}}}","containerStatuses":[{"name":"collector","image":"i","imageID":"i","ready":false,"restartCount":0,"state":{"terminated":{"exitCode":{{{exitCode}}}}} }]} }""")!.AsObject();

    private async Task CreateAsync(HttpContext context)
    {
        var body = (await JsonNode.ParseAsync(context.Request.Body))!;
        var container = body["spec"]!["containers"]![0]!;
        string[] command = [.. container["command"]!.AsArray().Concat(container["args"]?.AsArray() ?? []).Select(word => word!.GetValue<string>())];
        Done.Enqueue("run " + string.Join(' ', command) + (IsRunning ? " while it serves" : string.Empty));
        var name = body["metadata"]!["generateName"]!.GetValue<string>() + Guid.NewGuid().ToString("N")[..5];
        _pods[name] = (null, string.Empty);
        if (Waits is not null)
        {
            await WriteAsync(context, 201, OwnPod(name, null).ToJsonString());
            return;
        }

        _ = Task.Run(async () =>
        {
            var (exitCode, output) = await Processes.RunAsync(command[0], command.Skip(1));
            if (_pods.ContainsKey(name)) _pods[name] = (exitCode, output);
        });
        await WriteAsync(context, 201, OwnPod(name, null).ToJsonString());
    }

    private async Task PatchAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body);
        var text = await reader.ReadToEndAsync();
        Done.Enqueue("patch " + text);
        var patch = JsonNode.Parse(text)!;
        if (OnPatch is { } act)
        {
            OnPatch = null;
            await act();
        }

        await _change.WaitAsync();
        try
        {
            _generation++;
            (_old, _lingering) = (_replicas > 0 ? RegistryPod() : null, patch["spec"]!["template"] is null ? 0 : Lingers);
            if (patch["spec"]!["replicas"] is { } replicas) _replicas = replicas.GetValue<int>();
            if (patch["spec"]!["template"]?["spec"]?["containers"]?[0]?["env"]?[0] is { } variable) _maintenance = variable["$patch"] is null ? variable["value"]!.GetValue<string>() : null;
            await StopRegistryAsync();
            if (_replicas > 0) await StartRegistryAsync();
        }
        finally
        {
            _change.Release();
        }
    }

    private async Task ExecAsync(HttpContext context)
    {
        string[] command = [.. context.Request.Query["command"].Select(word => word!)];
        var wanted = context.WebSockets.WebSocketRequestedProtocols;
        var protocol = wanted.FirstOrDefault(Protocols.Contains);
        if (!context.WebSockets.IsWebSocketRequest || protocol is null)
        {
            context.Response.StatusCode = 400;
            return;
        }

        Done.Enqueue($"exec {protocol} {context.Request.Query["container"]} {string.Join(' ', command)}");
        using var socket = await context.WebSockets.AcceptWebSocketAsync(protocol);
        var all = string.Join(' ', command);
        if (Says is { } says && all.Contains(says.Word, StringComparison.Ordinal))
        {
            await SendAsync(socket, 3, Encoding.UTF8.GetBytes(says.Status));
            await CloseAsync(socket);
            return;
        }

        Process process;
        try
        {
            process = Process.Start(Processes.Info(command[0], command.Skip(1)))!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            await SendAsync(socket, 3, Encoding.UTF8.GetBytes(Status($"OCI runtime exec failed: exec: \\\"{command[0]}\\\": no such file or directory", 500)));
            await CloseAsync(socket);
            return;
        }

        using (process)
        {
            var cut = Cut is { } asked && all.Contains(asked.Word, StringComparison.Ordinal) ? asked.Bytes : (int?)null;
            var sent = 0;
            using var one = new SemaphoreSlim(1, 1);
            async Task CopyAsync(Stream from, byte channel)
            {
                // Pieces as they come: of a size that cuts lines, and characters.
                var buffer = new byte[997];
                for (int read; (read = await from.ReadAsync(buffer)) > 0;)
                {
                    await one.WaitAsync();
                    try
                    {
                        if (cut is { } bytes && (sent += read) >= bytes)
                        {
                            context.Abort();
                            return;
                        }

                        await SendAsync(socket, channel, buffer.AsMemory(0, read));
                    }
                    finally
                    {
                        one.Release();
                    }
                }
            }

            try
            {
                await Task.WhenAll(CopyAsync(process.StandardOutput.BaseStream, 1), CopyAsync(process.StandardError.BaseStream, 2));
                await process.WaitForExitAsync();
                if (cut is not null)
                {
                    context.Abort();
                    return;
                }

                await SendAsync(socket, 3, Encoding.UTF8.GetBytes(process.ExitCode == 0
                    ? """{"metadata":{},"status":"Success"}"""
                    : $$$"""{"metadata":{},"status":"Failure","message":"command terminated with non-zero exit code","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"{{{process.ExitCode}}}"}]}}"""));
                await CloseAsync(socket);
            }
            catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The other side is gone.
            }
        }
    }

    private static async Task SendAsync(WebSocket socket, byte channel, ReadOnlyMemory<byte> bytes) =>
        await socket.SendAsync(new byte[] { channel }.Concat(bytes.ToArray()).ToArray(), WebSocketMessageType.Binary, true, CancellationToken.None);

    private static async Task CloseAsync(WebSocket socket)
    {
        using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, string.Empty, soon.Token);
    }

    private static string Status(string message, int code) => $$"""{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"{{message}}","code":{{code}} }""";

    private static async Task WriteAsync(HttpContext context, int status, string body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(body);
    }
}
