using RegistryTools.Containers;
using RegistryTools.Errors;
using RegistryTools.Tests.Servers;
using RegistryTools.Text;
using Xunit;

namespace RegistryTools.Tests.Containers;

/// <summary>How a collection begins and ends, where a runtime says what no real one here does.</summary>
public sealed class RegistryCollectorTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-collector-").FullName;
    private readonly Runtime _runtime = new();
    private readonly List<string> _warnings = [];

    public void Dispose()
    {
        _runtime.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task What_could_not_be_asked_before_is_not_waited_for_afterwards()
    {
        // As where the engine is on another machine, or this is itself in a container: the registry's port is not here.
        _runtime.Addresses = ["127.0.0.1:" + Processes.FreePort()];
        Assert.True((await CollectAsync(Quiescence.Stop)).IsWhole);
        Assert.Equal("quiet resumed", string.Join(' ', _runtime.Done));
        Assert.Contains(_warnings, warning => warning.Contains("did not answer", StringComparison.Ordinal));
        Assert.Empty(Directory.GetFiles(_directory));
    }

    [Fact]
    public async Task What_something_else_has_started_again_is_told()
    {
        _runtime.StaysUp = true;
        await CollectAsync(Quiescence.Stop);
        Assert.Contains(_warnings, warning => warning.Contains("has started it again", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task A_directory_of_the_same_name_on_another_machine_is_not_the_storage()
    {
        Skip.If(!File.Exists("/proc/sys/kernel/random/boot_id"), "What tells machines apart is Linux's own.");
        _runtime.Mounts = [new RuntimeMount("/var/lib/registry", _directory, true)];
        _runtime.BootId = "11111111-2222-3333-4444-555555555555";
        Assert.Contains("not to be reached", (await Assert.ThrowsAsync<RegistryRuntimeException>(() => MountedStorage.FindAsync(_runtime, null, CancellationToken.None))).Message, StringComparison.Ordinal);
        _runtime.BootId = (await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id")).Trim();
        Assert.Equal(_directory, await MountedStorage.FindAsync(_runtime, null, CancellationToken.None));

        // Where that can't be told, an engine that is asked over the network is elsewhere.
        _runtime.BootId = null;
        _runtime.IsElsewhere = true;
        await Assert.ThrowsAsync<RegistryRuntimeException>(() => MountedStorage.FindAsync(_runtime, null, CancellationToken.None));
    }

    private async Task<CollectorReport> CollectAsync(Quiescence how)
    {
        var collector = new RegistryCollector(_runtime, new QuiescenceNotes(_directory), new RegistryCollectorOptions { Quiesce = how, ResumeTimeout = TimeSpan.FromSeconds(1), Log = new DelegateActivityLog(warning: _warnings.Add) });
        return await collector.CollectAsync(await collector.PlanAsync(CancellationToken.None), CancellationToken.None);
    }

    private sealed class Runtime : IRegistryRuntime
    {
        private bool _quiet;

        public List<string> Done { get; } = [];

        public IReadOnlyList<string> Addresses { get; set; } = [];

        public bool StaysUp { get; set; }

        public bool IsElsewhere { get; set; }

        public string? BootId { get; set; }

        public IReadOnlyList<RuntimeMount> Mounts { get; set; } = [new RuntimeMount("/var/lib/registry", "/nowhere", true)];

        public string Name => "container 'x'";

        public string Key => "x";

        public IReadOnlyList<Quiescence> Quiescences => [Quiescence.Stop];

        public Task<RuntimeState> InspectAsync(CancellationToken cancellationToken) =>
            Task.FromResult(new RuntimeState { IsRunning = StaysUp || !_quiet, Addresses = Addresses, Mounts = Mounts, IsElsewhere = IsElsewhere, Command = ["/bin/registry", "serve", "/etc/docker/registry/config.yml"] });

        public Task<CommandResult> RunAsync(IReadOnlyList<string> command, Action<string> line, CancellationToken cancellationToken)
        {
            switch (command)
            {
                case [_, "--version"]:
                    line("registry github.com/distribution/distribution 2.8.2");
                    break;
                case ["cat", "/proc/sys/kernel/random/boot_id"] when BootId is not null:
                    line(BootId);
                    break;
                case ["cat", "/etc/docker/registry/config.yml"]:
                    line("storage:\n  filesystem:\n    rootdirectory: /var/lib/registry");
                    break;
                case [_, "garbage-collect", ..]:
                    line("a");
                    line("1 blobs marked, 0 blobs and 0 manifests eligible for deletion");
                    break;
                default:
                    return Task.FromResult(new CommandResult(1));
            }

            return Task.FromResult(new CommandResult(0));
        }

        public Task<CommandResult> RunBesideAsync(IReadOnlyList<string> command, Action<string> line, CancellationToken cancellationToken) => RunAsync(command, line, cancellationToken);

        public Task<bool> IsCollectingAsync(QuiescenceNote note, CancellationToken cancellationToken) => Task.FromResult(false);

        public async Task QuiesceAsync(Quiescence how, Func<QuiescenceNote, Task> note, CancellationToken cancellationToken)
        {
            await note(new QuiescenceNote(Key, how, DateTimeOffset.UtcNow, new Dictionary<string, string>()));
            _quiet = true;
            Done.Add("quiet");
        }

        public Task ResumeAsync(QuiescenceNote note, CancellationToken cancellationToken)
        {
            _quiet = false;
            Done.Add("resumed");
            return Task.CompletedTask;
        }

        public Task RestartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public string Mend(QuiescenceNote note) => "start it";

        public void Dispose()
        {
        }
    }
}
