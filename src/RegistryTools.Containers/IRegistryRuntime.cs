using RegistryTools.Errors;

namespace RegistryTools.Containers;

/// <summary>How pushes are kept away while a collector works.</summary>
public enum Quiescence
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>The container is stopped.</summary>
    Stop,

    /// <summary>The container's processes are frozen.</summary>
    Pause,

    /// <summary>The registry serves reads only.</summary>
    ReadOnly,

    /// <summary>The deployment is scaled to nothing.</summary>
    Scale,
}

/// <summary>What a command ended with.</summary>
/// <param name="ExitCode">Its exit code.</param>
public readonly record struct CommandResult(int ExitCode);

/// <summary>Something that is mounted in a container.</summary>
/// <param name="Destination">Where in the container.</param>
/// <param name="Source">The directory on the host; null where there is none that is known.</param>
/// <param name="IsLasting">Whether it is still there when the container, or the pod, is another.</param>
public sealed record RuntimeMount(string Destination, string? Source, bool IsLasting);

/// <summary>What is known of the container that the registry runs in.</summary>
public sealed class RuntimeState
{
    /// <summary>Whether it runs.</summary>
    public bool IsRunning { get; init; }

    /// <summary>Whether it is frozen.</summary>
    public bool IsPaused { get; init; }

    /// <summary>The command line that it was started with, its entry point first.</summary>
    public IReadOnlyList<string> Command { get; init; } = [];

    /// <summary>Its environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>What is mounted in it.</summary>
    public IReadOnlyList<RuntimeMount> Mounts { get; init; } = [];

    /// <summary>Whether what is on no mount is gone once it is stopped or restarted, as in a pod.</summary>
    public bool ForgetsItself { get; init; }

    /// <summary>Whether it is deleted, with its volumes, as soon as it stops.</summary>
    public bool IsDeletedWhenStopped { get; init; }

    /// <summary>Whether it is asked over the network, so that a path of its machine is none of this one's.</summary>
    public bool IsElsewhere { get; init; }

    /// <summary>Addresses at which the registry may be asked from here whether it serves, such as <c>127.0.0.1:5000</c>.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>Whether it has this machine's network, so that its configuration tells the address.</summary>
    public bool SharesHostNetwork { get; init; }
}

/// <summary>Where a registry runs: a container, or a pod.</summary>
public interface IRegistryRuntime : IDisposable
{
    /// <summary>What it is for people: <c>container 'registry'</c>, <c>pod 'ns/registry-0'</c>.</summary>
    string Name { get; }

    /// <summary>What tells it from all others, also in a later session.</summary>
    string Key { get; }

    /// <summary>The ways of keeping pushes away that there are.</summary>
    IReadOnlyList<Quiescence> Quiescences { get; }

    /// <summary>Looks at it.</summary>
    Task<RuntimeState> InspectAsync(CancellationToken cancellationToken);

    /// <summary>Runs a command in it, whose lines (both streams') go to <paramref name="line"/>, and gives how it ended.</summary>
    /// <exception cref="CollectorFailedException">The connection was lost, so that how it ended is not known.</exception>
    Task<CommandResult> RunAsync(IReadOnlyList<string> command, Action<string> line, CancellationToken cancellationToken);

    /// <summary>Runs a command beside it, with the same image and volumes: for when it is quiet.</summary>
    Task<CommandResult> RunBesideAsync(IReadOnlyList<string> command, Action<string> line, CancellationToken cancellationToken);

    /// <summary>Whether a collector that was started beside it is still at work.</summary>
    Task<bool> IsCollectingAsync(QuiescenceNote note, CancellationToken cancellationToken);

    /// <summary>Keeps pushes away. Gives what bringing it back needs to know, which is written down before anything is changed.</summary>
    Task QuiesceAsync(Quiescence how, Func<QuiescenceNote, Task> note, CancellationToken cancellationToken);

    /// <summary>Brings it back. A collector that is still at work beside it is ended first.</summary>
    Task ResumeAsync(QuiescenceNote note, CancellationToken cancellationToken);

    /// <summary>Restarts it, so that it forgets what it had cached.</summary>
    Task RestartAsync(CancellationToken cancellationToken);

    /// <summary>What a person does by hand to bring it back.</summary>
    string Mend(QuiescenceNote note);
}
