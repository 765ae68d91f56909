using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Host.Embedded;
using RegistryTools.Journal;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Tests.Servers;
using Xunit;

namespace RegistryTools.Tests.Deletion;

/// <summary>Removing tags through HttpRegistry: on the embedded registry as each product, on the real docker-registry, and with the network failing between any two requests.</summary>
public sealed class RemovalOverTheWireTests : IDisposable
{
    private static readonly string[] Asked = ["T12", "T11"];
    private readonly string _directory = Path.Combine(Path.GetTempPath(), "rt-wire-" + Guid.NewGuid().ToString("N"));

    public void Dispose()
    {
        if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
    }

    public static TheoryData<string> Kinds => new() { "embedded 2.8", "embedded 3", "embedded full", "embedded 405", "docker-registry" };

    [SkippableTheory]
    [MemberData(nameof(Kinds))]
    public async Task The_main_job(string kind)
    {
        await using var target = await Target.StartAsync(kind);
        var before = await target.TagsAsync();
        foreach (var (repository, tag) in new[] { ("i1", "T12"), ("i2", "T22"), ("i5", "T52"), ("i4", "T41") })
        {
            using var remover = new TagRemover(target.Registry, Journal(), Fast());
            var removal = Assert.Single(await remover.RemoveAsync(repository, [new TagRemovalRequest(tag)]));
            Assert.Null(removal.Error);
            Assert.Equal(RemovalState.Removed, removal.State);
            Assert.Equal(before[repository + ":" + tag], removal.Digest!.ToString());
            before.Remove(repository + ":" + tag);
            Assert.Equal(before, await target.TagsAsync());
        }

        foreach (var repository in SampleData.Tags)
        {
            foreach (var tag in repository.Value.Where(tag => before.ContainsKey(repository.Key + ":" + tag)))
            {
                await PullAsync(target.Registry, repository.Key, tag);
                if (Requirement.Find("skopeo") is not null) await Skopeo.PullAsync(target.Registry.Name, repository.Key, tag, Path.Combine(_directory, Guid.NewGuid().ToString("N")));
            }
        }

        // And back: the manifests are all there still.
        foreach (var entry in Journal().Read(target.Registry.Location).Where(entry => entry.State == RemovalState.Removed).ToList())
        {
            Assert.Equal(TagRestoration.Restored, await new TagRestorer(target.Registry, Journal()).RestoreAsync(entry.Repository, entry.Tag!, entry.Digest));
            before.Add(entry.Repository + ":" + entry.Tag, entry.Digest.ToString());
            await PullAsync(target.Registry, entry.Repository, entry.Tag!);
        }

        Assert.Equal(before, await target.TagsAsync());
        Assert.All(Journal().Read(), entry => Assert.Equal(RemovalState.Restored, entry.State));
    }

    [SkippableTheory]
    [InlineData("embedded off")]
    [InlineData("docker-registry off")]
    public async Task With_deletion_off_it_is_said_and_nothing_is_overwritten(string kind)
    {
        await using var target = await Target.StartAsync(kind);
        var before = await target.TagsAsync();
        using var remover = new TagRemover(target.Registry, Journal(), Fast());
        var removals = await remover.RemoveAsync("i1", [new TagRemovalRequest("T12"), new TagRemovalRequest("T11")]);
        Assert.All(removals, removal =>
        {
            var error = Assert.IsType<DeletionDisabledException>(removal.Error);
            Assert.Contains("REGISTRY_STORAGE_DELETE_ENABLED=true", error.Remedy, StringComparison.Ordinal);
        });
        Assert.Equal(before, await target.TagsAsync());
        if (target.Embedded is { } embedded) Assert.DoesNotContain(embedded.Requests, request => request.Method is "PUT" or "POST" or "PATCH");
        var manifests = new ManifestRemover(target.Registry, Journal());
        var plan = Assert.Single(await manifests.PlanAsync("i1", [new ManifestRemovalRequest("T11")]));
        await Assert.ThrowsAsync<DeletionDisabledException>(() => manifests.RemoveAsync("i1", plan, force: false));
        Assert.Equal(before, await target.TagsAsync());
    }

    public static TheoryData<string, string, FaultPhase> WireFaults()
    {
        var faults = new TheoryData<string, string, FaultPhase>();
        foreach (var kind in new[] { "embedded 2.8", "embedded 3" })
        {
            foreach (var fault in new[] { "abort", "500", "503", "401", "html", "dead", "cancel" })
            {
                foreach (var phase in new[] { FaultPhase.Before, FaultPhase.After }) faults.Add(kind, fault, phase);
            }
        }

        return faults;
    }

    /// <summary>
    /// A fault at each request in turn. After it, each tag that was asked for is gone or points to its old digest, and no other has changed; where the network stayed dead, that holds after the next
    /// run.
    /// </summary>
    [Theory]
    [MemberData(nameof(WireFaults))]
    public async Task A_fault_between_any_two_requests(string kind, string fault, FaultPhase phase)
    {
        await using var target = await Target.StartAsync(kind, retries: fault == "503" ? 2 : 0);
        var embedded = target.Embedded!;
        var before = await target.TagsAsync();
        var wanted = before.Where(tag => !Asked.Contains(tag.Key[3..]) || !tag.Key.StartsWith("i1:", StringComparison.Ordinal)).ToDictionary();

        for (var at = 1; ; at++)
        {
            // What a registry can do is learnt anew each time.
            using var registry = await target.ConnectAsync(fault == "503" ? 2 : 0);
            embedded.ClearRequests();
            using var cancel = new CancellationTokenSource();
            var count = 0;
            var struck = string.Empty;
            embedded.Fault = (request, now) =>
            {
                if (now == FaultPhase.Before) Interlocked.Increment(ref count);
                if (now != phase || count < at || (count > at && fault != "dead")) return null;
                if (struck.Length == 0) struck = request.ToString();
                switch (fault)
                {
                    case "500": return FaultAction.Status(500, "{\"errors\":[{\"code\":\"UNKNOWN\",\"message\":\"on purpose\"}]}");
                    case "503": return FaultAction.Status(503);
                    case "401": return FaultAction.Status(401);
                    case "html": return FaultAction.Status(200, "<html>proxy</html>", null, "text/html");
                    case "cancel":
                        cancel.Cancel();
                        return FaultAction.Hang();
                    case "dead":
                        embedded.Dead = true;
                        return FaultAction.Abort();
                    default: return FaultAction.Abort();
                }
            };

            IReadOnlyList<TagRemoval>? removals = null;
            try
            {
                using var remover = new TagRemover(registry, Journal(), Fast());
                removals = await remover.RemoveAsync("i1", Asked.Select(tag => new TagRemovalRequest(tag)).ToList(), cancel.Token);
            }
            catch (Exception exception) when (exception is OperationCanceledException or RegistryToolsException)
            {
                // What is left is looked at below.
            }

            embedded.Fault = null;
            embedded.Dead = false;
            var where = $"{kind}, {fault} {phase} request {at} ({struck}): {string.Join("; ", embedded.Requests)}";
            if (fault == "dead")
            {
                using var next = new TagRemover(await target.ConnectAsync(0), Journal(), Fast());
                await next.RemoveAsync("i1", [new TagRemovalRequest("nothing-of-that-name")]);
            }

            var after = await target.TagsAsync();
            foreach (var tag in Asked)
            {
                var digest = after.GetValueOrDefault("i1:" + tag);
                Assert.True(digest is null || digest == before["i1:" + tag], $"{tag} points to {digest} after {where}");
                var told = removals?.FirstOrDefault(removal => removal.Tag == tag);
                if (told?.State == RemovalState.Removed) Assert.True(digest is null, $"{tag} is said to be gone after {where}");
                if (told?.State is RemovalState.Unchanged or RemovalState.Restored && fault != "dead") Assert.True(digest is not null, $"{tag} is said to be there after {where}");
                var entry = Journal().Read(registry.Location).LastOrDefault(entry => entry.Tag == tag);
                if (entry?.State == RemovalState.Removed) Assert.True(digest is null, $"the journal says that {tag} is gone after {where}");
            }

            foreach (var (name, digest) in wanted) Assert.True(after.GetValueOrDefault(name) == digest, $"{name} points to {after.GetValueOrDefault(name)} after {where}");
            Assert.True(after.Count <= before.Count, $"there are more tags than before after {where}");

            // As it was, for the next fault.
            foreach (var tag in Asked) embedded.Store.WriteManifest("i1", tag, embedded.Store.ReadManifest("i1", before["i1:" + tag])!, before["i1:" + tag]);
            if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
            if (struck.Length == 0)
            {
                Assert.All(removals!, removal => Assert.Equal(RemovalState.Removed, removal.State));
                Assert.InRange(at, 5, 60);
                return;
            }
        }
    }

    private static TagRemoverOptions Fast() => new() { RetryDelay = TimeSpan.FromMilliseconds(1), RollbackTimeout = TimeSpan.FromSeconds(10), ThrottleLimit = 2 };

    private static async Task PullAsync(IRegistry registry, string repository, string reference)
    {
        var manifest = await registry.GetManifestAsync(repository, reference);
        foreach (var blob in manifest.Blobs()) await registry.CopyBlobAsync(repository, blob.Digest, Stream.Null);
        foreach (var child in manifest.Manifests) await PullAsync(registry, repository, child.Digest.ToString());
    }

    private RemovalJournal Journal() => new(_directory);

    /// <summary>A registry with the samples in it, and a connection to it.</summary>
    private sealed class Target : IAsyncDisposable
    {
        private readonly IAsyncDisposable _server;
        private readonly string? _storage;
        private readonly List<IDisposable> _connections = [];

        private Target(IAsyncDisposable server, Uri address, string? storage)
        {
            _server = server;
            Address = address;
            _storage = storage;
        }

        public Uri Address { get; }

        public EmbeddedRegistry? Embedded => _server as EmbeddedRegistry;

        public HttpRegistry Registry { get; private set; } = null!;

        public static async Task<Target> StartAsync(string kind, int retries = 0)
        {
            Target target;
            if (kind.StartsWith("docker-registry", StringComparison.Ordinal))
            {
                Requirement.Program("docker-registry");
                var storage = Directory.CreateTempSubdirectory("rt-storage-").FullName;
                SampleData.Seed(new DistributionStore(storage));
                var server = await DockerRegistryServer.StartAsync(deleteEnabled: kind == "docker-registry", storagePath: storage);
                target = new Target(server, server.BaseAddress, storage);
            }
            else
            {
                var embedded = await EmbeddedRegistry.StartAsync(kind switch
                {
                    "embedded 2.8" => EmbeddedRegistryOptions.Distribution2(),
                    "embedded 3" => EmbeddedRegistryOptions.Distribution3(),
                    "embedded full" => EmbeddedRegistryOptions.Full(),
                    "embedded 405" => EmbeddedRegistryOptions.Distribution2() with { TagDelete = TagDeleteBehaviour.Refused405, EmptyTags = EmptyTagList.NotFound },
                    "embedded off" => EmbeddedRegistryOptions.DeletionDisabled(),
                    _ => throw new ArgumentOutOfRangeException(nameof(kind)),
                });
                SampleData.Seed(embedded.Store);
                target = new Target(embedded, embedded.BaseAddress, null);
            }

            target.Registry = await target.ConnectAsync(retries);
            return target;
        }

        public async Task<HttpRegistry> ConnectAsync(int retries)
        {
            var registry = await HttpRegistry.ConnectAsync(
                RegistryAddress.Parse(Address.AbsoluteUri),
                new HttpRegistryOptions { RetryCount = retries, RetryDelay = TimeSpan.FromMilliseconds(1), MaximumRetryDelay = TimeSpan.FromMilliseconds(5), Timeout = TimeSpan.FromSeconds(30) });
            _connections.Add(registry);
            return registry;
        }

        public async Task<Dictionary<string, string>> TagsAsync()
        {
            var tags = new Dictionary<string, string>(StringComparer.Ordinal);
            await foreach (var repository in Registry.ListRepositoriesAsync())
            {
                await foreach (var tag in Registry.ListTagsAsync(repository))
                {
                    if (await Registry.FindManifestAsync(repository, tag) is { } found) tags[repository + ":" + tag] = found.Digest.ToString();
                }
            }

            return tags;
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var connection in _connections) connection.Dispose();
            await _server.DisposeAsync();
            if (_storage is not null) Directory.Delete(_storage, recursive: true);
        }
    }
}
