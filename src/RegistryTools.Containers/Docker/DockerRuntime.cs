using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Docker.DotNet;
using Docker.DotNet.Models;
using RegistryTools.Errors;
using RegistryTools.Text;

namespace RegistryTools.Containers;

/// <summary>A registry in a container of Docker or Podman, through the Docker Engine API.</summary>
public sealed class DockerRuntime : IRegistryRuntime
{
    private const string Label = "registrytools.beside";
    private readonly DockerClient _client;
    private readonly DockerEndpoint _endpoint;
    private readonly string _container;
    private readonly Action<string> _verbose;
    private string? _id;

    private DockerRuntime(DockerClient client, DockerEndpoint endpoint, string container, Action<string> verbose)
    {
        _client = client;
        _endpoint = endpoint;
        _container = container;
        _verbose = verbose;
    }

    /// <inheritdoc/>
    public string Name => $"container '{_container}'";

    /// <inheritdoc/>
    public string Key => $"{_endpoint.Address} {_container}";

    /// <inheritdoc/>
    public IReadOnlyList<Quiescence> Quiescences { get; } = [Quiescence.Stop, Quiescence.Pause, Quiescence.ReadOnly];

    /// <summary>Finds the engine. Nothing is asked yet.</summary>
    /// <param name="container">The container's name or id.</param>
    /// <param name="host">The engine's address or a context's name; null for what Docker's own client would use.</param>
    /// <param name="verbose">Takes what is worth knowing.</param>
    /// <exception cref="RegistryRuntimeException">There is no engine, or it can't be spoken to.</exception>
    public static DockerRuntime Open(string container, string? host, Action<string> verbose)
    {
        var endpoint = DockerEndpoint.Find(host, Environment.GetEnvironmentVariable, Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify), File.Exists);
        verbose($"The container engine is asked at {endpoint.Address} ({endpoint.Source}).");
        var credentials = endpoint.CertificateDirectory is null ? null : DockerCertificates.Load(endpoint.CertificateDirectory);
        if (endpoint.Address.Scheme == "unix" && !File.Exists(endpoint.Address.LocalPath)) throw new RegistryRuntimeException($"There is no socket of a container engine at {endpoint.Address.LocalPath} ({endpoint.Source}).", "Start Docker, or podman system service; -DockerHost names another.");
        using var configuration = new DockerClientConfiguration(endpoint.Address, credentials, Timeout.InfiniteTimeSpan);
        return new DockerRuntime(configuration.CreateClient(), endpoint, container, verbose);
    }

    /// <inheritdoc/>
    public async Task<RuntimeState> InspectAsync(CancellationToken cancellationToken)
    {
        var found = await FindAsync(cancellationToken).ConfigureAwait(false);
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in found.Config?.Env ?? [])
        {
            var equals = entry.IndexOf('=');
            if (equals > 0) environment[entry.Substring(0, equals)] = entry.Substring(equals + 1);
        }

        return new RuntimeState
        {
            IsRunning = found.State?.Running == true,
            IsPaused = found.State?.Paused == true,
            Command = found.Path is { Length: > 0 } path ? [path, .. found.Args ?? []] : [.. found.Config?.Entrypoint ?? [], .. found.Config?.Cmd ?? []],
            Environment = environment,
            Mounts = [.. (found.Mounts ?? []).Where(mount => mount.Destination is { Length: > 0 } && mount.Source is { Length: > 0 }).Select(mount => new RuntimeMount(mount.Destination, mount.Source, true))],
            IsDeletedWhenStopped = found.HostConfig?.AutoRemove == true,
            IsElsewhere = IsElsewhere,
            Addresses = Addresses(found, IsElsewhere ? _endpoint.Address.Host : null),
            SharesHostNetwork = NetworkOf(found) == "host" && _endpoint.Address.Scheme is "unix" or "npipe",
        };
    }

    /// <inheritdoc/>
    public Task<CommandResult> RunAsync(IReadOnlyList<string> command, Action<string> line, CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            var id = _id ?? (await FindAsync(cancellationToken).ConfigureAwait(false)).ID;
            var created = await _client.Exec.ExecCreateContainerAsync(id, new ContainerExecCreateParameters { AttachStdout = true, AttachStderr = true, Cmd = [.. command] }, cancellationToken).ConfigureAwait(false);
            using (var stream = await _client.Exec.StartAndAttachContainerExecAsync(created.ID, tty: false, cancellationToken).ConfigureAwait(false))
            {
                await ReadAsync(stream, line, cancellationToken).ConfigureAwait(false);
            }

            // The stream may end a moment before the process is seen to have.
            for (var look = 0; look < 50; look++)
            {
                var ended = await _client.Exec.InspectContainerExecAsync(created.ID, cancellationToken).ConfigureAwait(false);
                if (!ended.Running) return new CommandResult((int)ended.ExitCode);
                await Task.Delay(100, cancellationToken).ConfigureAwait(false);
            }

            throw new CollectorFailedException($"The connection to {command[0]} in {Name} was lost, and it still runs there: what it does is not seen any more.", $"Look with docker top {_container}. Run this again once it has ended.");
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<CommandResult> RunBesideAsync(IReadOnlyList<string> command, Action<string> line, CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            var found = await FindAsync(cancellationToken).ConfigureAwait(false);
            var created = await _client.Containers.CreateContainerAsync(
                new CreateContainerParameters
                {
                    Image = found.Image,
                    Entrypoint = [command[0]],
                    Cmd = [.. command.Skip(1)],
                    Env = found.Config?.Env,
                    User = found.Config?.User,
                    WorkingDir = found.Config?.WorkingDir,
                    Labels = new Dictionary<string, string> { [Label] = found.ID },
                    HostConfig = new HostConfig { VolumesFrom = [found.ID], NetworkMode = NetworkOf(found), SecurityOpt = found.HostConfig?.SecurityOpt, Ulimits = Ulimits(found) },
                },
                cancellationToken).ConfigureAwait(false);
            try
            {
                await _client.Containers.StartContainerAsync(created.ID, new ContainerStartParameters(), cancellationToken).ConfigureAwait(false);
                using (var stream = await _client.Containers.GetContainerLogsAsync(created.ID, false, new ContainerLogsParameters { Follow = true, ShowStdout = true, ShowStderr = true }, cancellationToken).ConfigureAwait(false))
                {
                    await ReadAsync(stream, line, cancellationToken).ConfigureAwait(false);
                }

                var ended = await _client.Containers.WaitContainerAsync(created.ID, cancellationToken).ConfigureAwait(false);
                return new CommandResult((int)ended.StatusCode);
            }
            finally
            {
                // Stopped with it where the user stops: a collector that works on while the registry is brought back would be a push's end.
                using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(20));
                await RemoveAsync(created.ID, soon.Token).ConfigureAwait(false);
            }
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<bool> IsCollectingAsync(QuiescenceNote note, CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            note.Details.TryGetValue("clone", out var clone);
            return (await BesideAsync(note, cancellationToken).ConfigureAwait(false)).Any(container => container.State == "running" && container.Names?.Any(name => name.TrimStart('/') == clone) != true);
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task QuiesceAsync(Quiescence how, Func<QuiescenceNote, Task> note, CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            var found = await FindAsync(cancellationToken).ConfigureAwait(false);
            var clone = (_container + "-registrytools-readonly").TrimStart('/');
            await note(new QuiescenceNote(Key, how, DateTimeOffset.UtcNow, new Dictionary<string, string> { ["id"] = found.ID, ["clone"] = clone })).ConfigureAwait(false);
            switch (how)
            {
                case Quiescence.Stop:
                    await StopAsync(found.ID, cancellationToken).ConfigureAwait(false);
                    break;
                case Quiescence.Pause:
                    await _client.Containers.PauseContainerAsync(found.ID, cancellationToken).ConfigureAwait(false);
                    break;
                case Quiescence.ReadOnly:
                    await StopAsync(found.ID, cancellationToken).ConfigureAwait(false);
                    await StartReadOnlyAsync(found, clone, cancellationToken).ConfigureAwait(false);
                    break;
                default:
                    throw new RegistryRuntimeException($"A container can't be made quiet by {how}.", "Use Stop, Pause or ReadOnly.");
            }

            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task ResumeAsync(QuiescenceNote note, CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            var id = note.Details.TryGetValue("id", out var kept) ? kept : _container;

            // The read-only one, and a collector that a killed session has left at work.
            foreach (var beside in await BesideAsync(note, cancellationToken).ConfigureAwait(false)) await RemoveAsync(beside.ID, cancellationToken).ConfigureAwait(false);
            if (note.How == Quiescence.ReadOnly && note.Details.TryGetValue("clone", out var clone)) await RemoveAsync(clone, cancellationToken).ConfigureAwait(false);
            var state = await FindAsync(cancellationToken).ConfigureAwait(false);
            if (state.State?.Paused == true) await _client.Containers.UnpauseContainerAsync(id, cancellationToken).ConfigureAwait(false);
            else if (state.State?.Running != true) await _client.Containers.StartContainerAsync(id, new ContainerStartParameters(), cancellationToken).ConfigureAwait(false);
            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task RestartAsync(CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            var found = await FindAsync(cancellationToken).ConfigureAwait(false);
            await _client.Containers.RestartContainerAsync(found.ID, new ContainerRestartParameters { WaitBeforeKillSeconds = 30 }, cancellationToken).ConfigureAwait(false);
            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public string Mend(QuiescenceNote note) => note.How switch
    {
        Quiescence.Pause => $"docker unpause {_container}",
        Quiescence.ReadOnly => $"docker rm -f {(note.Details.TryGetValue("clone", out var clone) ? clone : _container + "-registrytools-readonly")}; docker start {_container}",
        _ => $"docker start {_container}",
    };

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task<IList<ContainerListResponse>> BesideAsync(QuiescenceNote note, CancellationToken cancellationToken)
    {
        if (!note.Details.TryGetValue("id", out var id)) return [];
        var filters = new Dictionary<string, IDictionary<string, bool>> { ["label"] = new Dictionary<string, bool> { [$"{Label}={id}"] = true } };
        return await _client.Containers.ListContainersAsync(new ContainersListParameters { All = true, Filters = filters }, cancellationToken).ConfigureAwait(false);
    }

    private async Task RemoveAsync(string container, CancellationToken cancellationToken)
    {
        try
        {
            await _client.Containers.RemoveContainerAsync(container, new ContainerRemoveParameters { Force = true }, cancellationToken).ConfigureAwait(false);
        }
        catch (DockerApiException exception) when (exception.StatusCode == HttpStatusCode.NotFound)
        {
            // It is gone, which is all that was wanted.
        }
    }

    private async Task StopAsync(string id, CancellationToken cancellationToken) =>
        await _client.Containers.StopContainerAsync(id, new ContainerStopParameters { WaitBeforeKillSeconds = 30 }, cancellationToken).ConfigureAwait(false);

    // The container itself is not changed: one like it stands in its place meanwhile.
    private async Task StartReadOnlyAsync(ContainerInspectResponse found, string clone, CancellationToken cancellationToken)
    {
        var host = found.HostConfig ?? new HostConfig();
        var created = await _client.Containers.CreateContainerAsync(
            new CreateContainerParameters
            {
                Name = clone,
                Image = found.Image,
                Entrypoint = found.Config?.Entrypoint,
                Cmd = found.Config?.Cmd,
                Env = [.. (found.Config?.Env ?? []).Where(static entry => !entry.StartsWith("REGISTRY_STORAGE_MAINTENANCE", StringComparison.Ordinal)), "REGISTRY_STORAGE_MAINTENANCE={readonly: {enabled: true}}"],
                User = found.Config?.User,
                WorkingDir = found.Config?.WorkingDir,
                ExposedPorts = found.Config?.ExposedPorts,
                Labels = new Dictionary<string, string> { [Label] = found.ID },
                HostConfig = new HostConfig { VolumesFrom = [found.ID], NetworkMode = host.NetworkMode, PortBindings = host.PortBindings, SecurityOpt = host.SecurityOpt, Ulimits = Ulimits(found), ExtraHosts = host.ExtraHosts, DNS = host.DNS },
                NetworkingConfig = NetworkOf(found) == "host" || found.NetworkSettings?.Networks is not { Count: > 0 } networks
                    ? null
                    : new NetworkingConfig { EndpointsConfig = networks.ToDictionary(network => network.Key, network => new EndpointSettings { Aliases = network.Value.Aliases }) },
            },
            cancellationToken).ConfigureAwait(false);
        await _client.Containers.StartContainerAsync(created.ID, new ContainerStartParameters(), cancellationToken).ConfigureAwait(false);
    }

    // Podman tells them by other names than it takes.
    private static List<Ulimit>? Ulimits(ContainerInspectResponse found) =>
        found.HostConfig?.Ulimits?.Select(static limit => new Ulimit { Name = limit.Name.StartsWith("RLIMIT_", StringComparison.Ordinal) ? limit.Name.Substring(7).ToLowerInvariant() : limit.Name, Soft = limit.Soft, Hard = limit.Hard }).ToList();

    private static string NetworkOf(ContainerInspectResponse found) => found.HostConfig?.NetworkMode == "host" ? "host" : "none";

    private static async Task ReadAsync(MultiplexedStream stream, Action<string> line, CancellationToken cancellationToken)
    {
        var output = new LineReader(line);
        var errors = new LineReader(line);
        var buffer = new byte[64 * 1024];
        while (true)
        {
            var read = await stream.ReadOutputAsync(buffer, 0, buffer.Length, cancellationToken).ConfigureAwait(false);
            if (read.EOF) break;
            (read.Target == MultiplexedStream.TargetStream.StandardError ? errors : output).Add(buffer, 0, read.Count);
        }

        output.End();
        errors.End();
    }

    private bool IsElsewhere => _endpoint.Address is { Scheme: not ("unix" or "npipe"), IsLoopback: false };

    /// <summary>Where its ports are published, as they are reached from here: those of a machine elsewhere that are for itself are not.</summary>
    private static List<string> Addresses(ContainerInspectResponse found, string? elsewhere)
    {
        var addresses = new List<string>();
        foreach (var port in found.NetworkSettings?.Ports ?? new Dictionary<string, IList<PortBinding>>())
        {
            foreach (var binding in port.Value ?? [])
            {
                if (binding.HostPort is not { Length: > 0 }) continue;
                var host = binding.HostIP is null or "" or "0.0.0.0" or "::" ? elsewhere ?? "127.0.0.1" : binding.HostIP;
                if (elsewhere is not null && IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address)) continue;
                addresses.Add((host.IndexOf(':') >= 0 && host[0] != '[' ? $"[{host}]" : host) + ":" + binding.HostPort);
            }
        }

        return addresses;
    }

    private Task<ContainerInspectResponse> FindAsync(CancellationToken cancellationToken) => GuardAsync(
        async () =>
        {
            var found = await _client.Containers.InspectContainerAsync(_container, cancellationToken).ConfigureAwait(false);
            _id = found.ID;
            return found;
        },
        cancellationToken);

    private async Task<T> GuardAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (DockerApiException exception) when (exception.StatusCode == HttpStatusCode.NotFound)
        {
            throw new RegistryContainerNotFoundException($"There is no {Name} on {_endpoint.Address}: {Said(exception)}", "docker ps -a shows those that there are; -DockerHost names another engine.", exception);
        }
        catch (DockerApiException exception)
        {
            throw new RegistryRuntimeException(string.Format(CultureInfo.InvariantCulture, "The container engine at {0} answered {1} about {2}: {3}", _endpoint.Address, (int)exception.StatusCode, Name, Said(exception)), null, exception);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or SocketException or TimeoutException or OperationCanceledException or UnauthorizedAccessException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var inner = exception.InnerException ?? exception;
            throw new RegistryRuntimeException(
                $"The container engine at {_endpoint.Address} ({_endpoint.Source}) can't be reached: {Shown.Short(inner.Message, 300)}",
                inner is SocketException { SocketErrorCode: SocketError.AccessDenied } or UnauthorizedAccessException ? "Your user may not use the socket: join the group docker, or use sudo." : "Is it running? -DockerHost or DOCKER_HOST names another.",
                exception);
        }
    }

    private static string Said(DockerApiException exception)
    {
        var body = exception.ResponseBody ?? exception.Message;
        try
        {
            using var document = System.Text.Json.JsonDocument.Parse(body);
            if (document.RootElement.TryGetProperty("message", out var message)) body = message.ToString();
        }
        catch (Exception error) when (error is System.Text.Json.JsonException or InvalidOperationException)
        {
            // As it is.
        }

        return Shown.Short(body, 300);
    }
}
