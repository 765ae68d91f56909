using RegistryTools.Containers;
using RegistryTools.Deletion;
using RegistryTools.GarbageCollection;
using RegistryTools.Host.Embedded;
using RegistryTools.Inspection;
using RegistryTools.Journal;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Retention;
using RegistryTools.Tests.GarbageCollection;
using RegistryTools.Text;
using RegistryTools.Usage;
using RegistryTools.Verification;
using Xunit;

namespace RegistryTools.Tests.Reports;

/// <summary>What long work tells of how far it is: what is counted, out of how many, and that it comes to its end.</summary>
public sealed class ProgressReportTests : IDisposable
{
    private readonly StorageTree _tree = new();
    private readonly string _journal = Directory.CreateTempSubdirectory("rt-progress-").FullName;
    private readonly List<Report> _reports = [];
    private readonly IActivityLog _log;

    public ProgressReportTests()
    {
        _log = new DelegateActivityLog(progress: (activity, item, done, total, unit) =>
        {
            lock (_reports) _reports.Add(new Report(activity, item, done, total, unit));
        });
        for (var i = 0; i < 3; i++) _tree.Store.AddManyTags("r" + i, 20);
        _tree.Age();
    }

    public void Dispose()
    {
        _tree.Dispose();
        Directory.Delete(_journal, recursive: true);
    }

    [Fact]
    public async Task Garbage_is_marked_moved_given_back_and_freed()
    {
        for (var i = 0; i < 20; i++) _tree.Store.DeleteTag("r0", $"t{i:00000}");
        _tree.Age();
        var collector = new GarbageCollector(_tree.Location, new GarbageCollectorOptions { RemoveUntagged = true, MinimumAge = TimeSpan.Zero, SettleTime = TimeSpan.Zero, Log = _log });
        var plan = await collector.PlanAsync(default);
        Check("Looking for repositories", "repository", null);
        Check("Marking what is kept", "repository", 3);
        Check("Looking through the blobs", "directory", Directory.GetDirectories(Path.Combine(_tree.V2, "blobs", "sha256")).Length);
        var result = await collector.SweepAsync(plan, null, default);
        Assert.True(result.BlobsRemoved > 0);
        Check("Removing garbage", "item", plan.Items.Count);
        Assert.Contains(Of("Removing garbage"), report => report.Item.StartsWith("Blob, ", StringComparison.Ordinal));

        var run = Assert.Single(await GarbageRun.ReadAsync(_tree.Location, default, _log));
        Assert.Equal([new Report("Reading the quarantine", run.Id, 0, 1, "run")], Of("Reading the quarantine"));
        var restored = await new GarbageRestorer(_tree.Location, _log).RestoreAsync(null, null, null, null, default);
        Assert.Equal(run.Items.Count, restored.Restored);
        Check("Restoring garbage", "item", run.Items.Count);

        await collector.SweepAsync(null, null, default);
        _reports.Clear();
        var freed = await new GarbageClearer(_tree.Location, _log).ClearAsync(null, TimeSpan.Zero, null, default);
        Check("Freeing garbage", "byte", null);
        Assert.Equal(freed, Of("Freeing garbage")[^1].Done);
    }

    [Fact]
    public async Task A_storage_is_verified_and_repaired()
    {
        var blob = _tree.Store.Layers("r1")[0];
        File.Delete(_tree.Layer("r1", blob));
        var findings = new List<StorageFinding>();
        var result = await new StorageVerifier(_tree.Location, new StorageVerifierOptions { Content = true, Log = _log }).VerifyAsync(findings.Add, default);
        Check("Looking for repositories", "repository", null);
        Check("Looking through the blobs", "directory", Directory.GetDirectories(Path.Combine(_tree.V2, "blobs", "sha256")).Length);
        Check("Verifying the storage", "repository", 3);
        var bytes = _reports.Where(report => report.Unit == "byte").ToList();
        Assert.NotEmpty(bytes);
        Assert.All(bytes, report =>
        {
            Assert.Equal(result.Size, report.Total);
            Assert.Matches("^blob [0-9,]+ of [0-9,]+$", report.Item);
        });
        Assert.NotEmpty(findings);
        await new StorageRepairer(_tree.Location, TimeSpan.Zero, _log).RepairAsync(findings, default);
        Assert.Equal(Enumerable.Range(0, findings.Count).Select(done => (long)done), Of("Repairing the storage").Select(report => report.Done));
        Assert.All(Of("Repairing the storage"), report => Assert.Equal((findings.Count, "finding"), (report.Total, report.Unit)));
    }

    [Fact]
    public async Task A_storage_and_a_registry_are_measured()
    {
        await new StorageMeter(_tree.Location, new StorageMeterOptions { Log = _log }).MeasureAsync(default);
        Check("Looking for repositories", "repository", null);
        Check("Looking through the blobs", "directory", Directory.GetDirectories(Path.Combine(_tree.V2, "blobs", "sha256")).Length);
        Check("Measuring the storage", "repository", 3);
        using var registry = new StorageRegistry(_tree.Location);
        await new RegistryMeter(registry, new RegistryMeterOptions { Log = _log }).MeasureAsync(["r0", "r1"], default);
        Check("Listing tags", "repository", 2);
        Check("Measuring tags", "tag", 40);
    }

    [Theory]
    [InlineData(TagRemovalChoice.TagApi, true)]
    [InlineData(TagRemovalChoice.Placeholder, false)]
    public async Task Tags_are_removed(TagRemovalChoice method, bool byName)
    {
        await using var server = await EmbeddedRegistry.StartAsync(byName ? EmbeddedRegistryOptions.Full() : EmbeddedRegistryOptions.Distribution2());
        server.Store.AddManyTags("many", 30);
        using var registry = await HttpRegistry.ConnectAsync(RegistryAddress.Parse(server.BaseAddress.ToString()), new HttpRegistryOptions());
        using var remover = new TagRemover(registry, new RemovalJournal(_journal), new TagRemoverOptions { Method = method, Log = _log });
        await remover.RemoveAsync("many", [.. server.Store.Tags("many").Select(tag => new TagRemovalRequest(tag))]);
        Check("Removing tags", "tag", 30);
        Assert.True(Of("Removing tags").Select(report => report.Done).Distinct().Count() > 10, "It tells of each.");
    }

    [Fact]
    public async Task Manifests_and_repositories_are_removed()
    {
        await using var server = await EmbeddedRegistry.StartAsync(EmbeddedRegistryOptions.Full());
        server.Store.AddManyTags("many", 30);
        using var registry = await HttpRegistry.ConnectAsync(RegistryAddress.Parse(server.BaseAddress.ToString()), new HttpRegistryOptions());
        using (var remover = new ManifestRemover(registry, new RemovalJournal(_journal), 8, _log))
        {
            await remover.PlanAsync("many", [new ManifestRemovalRequest("t00000"), new ManifestRemovalRequest("t00001")]);
            Check("Looking at manifests", "manifest", 2);
            Check("Looking at tags", "tag", 30);
        }

        _reports.Clear();
        var removal = Assert.Single(await new RepositoryRemover(registry, new RemovalJournal(_journal), 8, _log).RemoveAsync(["many"]));
        Assert.Empty(removal.Errors);
        Assert.Equal([new Report("Removing repositories", "many", 0, 1, "repository")], Of("Removing repositories"));
        Check("Removing tags", "tag", 30);
        Assert.Equal(removal.Manifests, Of("Removing manifests").Count);

        using var storage = new StorageRegistry(_tree.Location);
        await new RepositoryRemover(storage, new RemovalJournal(_journal), 8, _log) { SettleTime = TimeSpan.Zero }.RemoveAsync(["r0", "r1"]);
        Assert.Contains(new Report("Removing repositories", "r1", 1, 2, "repository"), _reports);
    }

    [Fact]
    public async Task Retention_tells_of_each_repository_and_of_its_tags()
    {
        var policy = RetentionPolicy.Parse("""{ "policies": [ { "repositories": ["*"], "olderThan": "1d" } ] }"""u8.ToArray(), out var errors);
        Assert.Empty(errors);
        using var registry = new StorageRegistry(_tree.Location);
        await new RetentionPlanner(registry, policy!, DateTimeOffset.UtcNow, 4, _log).PlanAsync(default);
        var reports = Of("Planning retention");
        Assert.All(reports, report => Assert.Equal((3L, "repository"), (report.Total, report.Unit)));
        Assert.Equal([0, 1, 2], reports.Select(report => report.Done).Distinct());
        Assert.Contains(new Report("Planning retention", "r1, 20 tags so far", 1, 3, "repository"), reports);
    }

    [Fact]
    public async Task The_registrys_own_collector_tells_its_lines_and_the_wait_for_the_registry()
    {
        using var runtime = new SlowRuntime();
        var collector = new RegistryCollector(runtime, new QuiescenceNotes(_journal), new RegistryCollectorOptions { RemoveUntagged = true, Force = true, Quiesce = Quiescence.Stop, ResumeTimeout = TimeSpan.FromSeconds(30), Log = _log });
        var plan = await collector.PlanAsync(default);
        Assert.Contains(Of("The registry's garbage collector"), report => report is { Unit: "line", Total: null, Done: > 0, Item.Length: > 0 });
        Check("Looking at what would be deleted", "manifest", plan.Report.Manifests.Count);
        _reports.Clear();
        await collector.CollectAsync(plan, default);
        Assert.Equal([new Report("Making the registry quiet", "slow, by Stop", 0, null, string.Empty)], Of("Making the registry quiet"));
        Assert.Equal([new Report("Bringing the registry back", "slow", 0, null, string.Empty)], Of("Bringing the registry back"));
        Assert.Equal(3, Of("Waiting for the registry to serve again").Count);
        Assert.All(Of("Waiting for the registry to serve again"), report => Assert.Equal((30L, "second"), (report.Total, report.Unit)));
    }

    [Fact]
    public async Task A_list_that_is_read_ahead_is_the_same_list()
    {
        var counted = new List<int>();
        var names = Enumerable.Range(0, 5000).Select(number => "t" + number).ToList();
        var read = new List<string>();
        await foreach (var name in TagList.AheadAsync(TagList.FromNames(names), counted.Add)) read.Add(name);
        Assert.Equal(names, read);
        Assert.Equal([5000], counted);
    }

    [Fact]
    public async Task A_list_that_is_read_ahead_fails_where_it_fails_and_ends_where_nobody_wants_more()
    {
        var ended = false;
        async IAsyncEnumerable<string> List([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken token = default)
        {
            try
            {
                yield return "one";
                yield return "two";
                await Task.Delay(Timeout.Infinite, token);
            }
            finally
            {
                ended = true;
            }
        }

        static async IAsyncEnumerable<string> Broken()
        {
            yield return "one";
            await Task.Yield();
            throw new InvalidDataException("broken");
        }

        var read = new List<string>();
        await Assert.ThrowsAsync<InvalidDataException>(async () =>
        {
            await foreach (var name in TagList.AheadAsync(Broken(), _ => Assert.Fail("It has no end."))) read.Add(name);
        });
        Assert.Equal(["one"], read);

        await foreach (var name in TagList.AheadAsync(List(), _ => Assert.Fail("It was not read to its end.")))
        {
            if (name == "two") break;
        }

        Assert.True(ended);
        using var stop = new CancellationTokenSource();
        ended = false;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var name in TagList.AheadAsync(List(), _ => { }, stop.Token))
            {
                if (name == "two") await stop.CancelAsync();
            }
        });
        Assert.True(ended);
    }

    private List<Report> Of(string activity) => _reports.FindAll(report => report.Activity == activity);

    /// <summary>There are reports of it, they count one thing, never more than there are, and where that is known come to its end.</summary>
    private void Check(string activity, string unit, long? total)
    {
        var reports = Of(activity).FindAll(report => report.Unit != "byte" || unit == "byte");
        Assert.NotEmpty(reports);
        Assert.All(reports, report =>
        {
            Assert.Equal((total, unit), (report.Total, report.Unit));
            Assert.InRange(report.Done, 0, total ?? long.MaxValue);
        });
        if (total is not null) Assert.Equal(total, reports.Max(report => report.Done));
    }

    /// <summary>A registry in a container that takes its time: a collector that stops between its lines, and a start that is seen at the third look.</summary>
    private sealed class SlowRuntime : IRegistryRuntime
    {
        private int _looks;

        public string Name => "slow";

        public string Key => "slow";

        public IReadOnlyList<Quiescence> Quiescences => [Quiescence.Stop];

        public Task<RuntimeState> InspectAsync(CancellationToken cancellationToken) =>
            Task.FromResult(new RuntimeState { IsRunning = Interlocked.Decrement(ref _looks) < 0, Command = ["registry", "serve", "/config.yml"], Mounts = [new RuntimeMount("/var/lib/registry", "/volume", true)] });

        public async Task<CommandResult> RunAsync(IReadOnlyList<string> command, Action<string> line, CancellationToken cancellationToken)
        {
            if (command.Contains("--version")) line("registry github.com/docker/distribution v2.8.3");
            else if (command.Contains("/config.yml") && command[0] == "cat") line("storage: { filesystem: { rootdirectory: /var/lib/registry } }");
            else if (command[0] == "cat") return new CommandResult(1);
            else await CollectAsync(line, cancellationToken);
            return new CommandResult(0);
        }

        public async Task<CommandResult> RunBesideAsync(IReadOnlyList<string> command, Action<string> line, CancellationToken cancellationToken)
        {
            await CollectAsync(line, cancellationToken);
            return new CommandResult(0);
        }

        public Task<bool> IsCollectingAsync(QuiescenceNote note, CancellationToken cancellationToken) => Task.FromResult(false);

        public Task QuiesceAsync(Quiescence how, Func<QuiescenceNote, Task> note, CancellationToken cancellationToken) => note(new QuiescenceNote(Key, how, DateTimeOffset.UtcNow, new Dictionary<string, string>()));

        public Task ResumeAsync(QuiescenceNote note, CancellationToken cancellationToken)
        {
            _looks = 2;
            return Task.CompletedTask;
        }

        public Task RestartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public string Mend(QuiescenceNote note) => "start it";

        public void Dispose()
        {
        }

        private static async Task CollectAsync(Action<string> line, CancellationToken cancellationToken)
        {
            var (kept, gone) = ("sha256:" + new string('a', 64), "sha256:" + new string('b', 64));
            line("team/app");
            line($"manifest eligible for deletion: {gone}");
            await Task.Delay(300, cancellationToken);
            line($"team/app: marking manifest {kept} ");
            line(string.Empty);
            line("1 blobs marked, 1 blobs and 1 manifests eligible for deletion");
            line($"blob eligible for deletion: {gone}");
        }
    }

    private sealed record Report(string Activity, string Item, long Done, long? Total, string Unit);
}
