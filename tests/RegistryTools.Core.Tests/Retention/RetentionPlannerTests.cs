using System.Text;
using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Retention;
using RegistryTools.Tests.Deletion;
using RegistryTools.Text;
using Xunit;

namespace RegistryTools.Tests.Retention;

/// <summary>What a policy comes to on a registry that says strange things, or changes while it is looked at.</summary>
public sealed class RetentionPlannerTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
    private readonly MemoryRegistry _registry = new();
    private readonly List<string> _warnings = [];

    public void Dispose() => _registry.Dispose();

    [Fact]
    public async Task A_tag_that_is_listed_twice_counts_once()
    {
        // As where a list is read in pages while something is pushed.
        Push("c", 1);
        Push("b", 2);
        Push("a", 3);
        _registry.Listing = _ => ["c", "a", "b", "c", "a"];
        var plan = Assert.Single(await PlanAsync("""{"policies":[{"repositories":["r"],"keepLast":2}]}"""));
        Assert.Equal("a", string.Join(' ', Removed(plan)));
        Assert.Equal(3, plan.Decisions.Count);
    }

    [Fact]
    public async Task A_repository_that_the_catalog_has_and_that_has_no_tags_any_more_is_passed_over()
    {
        Push("a", 3);
        _registry.Repositories.Add("gone");
        _registry.Listing = repository => repository == "gone" ? throw new RegistryNotFoundException("gone", "GET", new Uri("http://memory.test/v2/gone/tags/list"), 404, [new("NAME_UNKNOWN", "", null)]) : ["a"];
        Assert.Equal("r", Assert.Single(await PlanAsync("""{"policies":[{"repositories":["*"],"match":"."}]}""")).Repository);

        // What is named and is not there is a mistake in the policy.
        await Assert.ThrowsAsync<RegistryNotFoundException>(() => PlanAsync("""{"policies":[{"repositories":["*","gone"],"match":"."}]}"""));
    }

    [Fact]
    public async Task What_is_no_image_is_not_the_last_version_that_stays()
    {
        Push("1.0.0", 3);
        var good = Push("1.0.1", 2);
        var placeholder = PlaceholderManifest.Create("run", [new OriginalTag("1.0.2", good, MediaTypes.OciManifest)]);
        _registry.PushRaw("1.0.2", Encoding.UTF8.GetString(placeholder.Manifest.Raw.ToArray()), placeholder.Manifest.MediaType);
        _registry.Tags["1.0.3"] = Digest.Compute("nowhere"u8.ToArray());
        var plan = Assert.Single(await PlanAsync("""{"policies":[{"repositories":["r"],"keepSemVer":"Latest"}]}"""));
        Assert.Equal("1.0.0", string.Join(' ', Removed(plan)));
        Assert.Equal(["KeepSemVer", "Placeholder", "Unreadable"], plan.Decisions.Where(decision => !decision.IsRemoved).Select(decision => decision.Rule).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_entry_that_others_leave_nothing_to_is_told()
    {
        Push("a", 3);
        await PlanAsync("""{"policies":[{"name":"all","repositories":["*"],"match":"x"},{"name":"mild","repositories":["r*"],"olderThan":"900d"},{"name":"none","repositories":["zzz*"],"match":"x"}]}""");
        Assert.Contains("'mild'", Assert.Single(_warnings), StringComparison.Ordinal);
    }

    private static IEnumerable<string> Removed(RepositoryRetention plan) => plan.Decisions.Where(decision => decision.IsRemoved).Select(decision => decision.Tag.Tag);

    private Digest Push(string tag, int days) => _registry.Push(tag, $$"""{"created":"{{Now.AddDays(-days):O}}","os":"linux","architecture":"amd64"}""");

    private async Task<IReadOnlyList<RepositoryRetention>> PlanAsync(string policy) =>
        await new RetentionPlanner(_registry, RetentionPolicy.Parse(Encoding.UTF8.GetBytes(policy), out _)!, Now, 4, new DelegateActivityLog(warning: _warnings.Add)).PlanAsync(CancellationToken.None);
}
