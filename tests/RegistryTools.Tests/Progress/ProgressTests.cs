using System.Globalization;
using System.Management.Automation;
using System.Text.RegularExpressions;
using RegistryTools.Host.Embedded;

namespace RegistryTools.Cmdlets.Tests.Progress;

/// <summary>What cmdlets show that take longer than a second, on registries that take their time.</summary>
public sealed partial class ProgressTests : IAsyncLifetime
{
    private EmbeddedRegistry Registry { get; set; } = null!;

    private ModuleSession Session { get; set; } = null!;

    public Task InitializeAsync() => StartAsync(EmbeddedRegistryOptions.Distribution2());

    public async Task DisposeAsync()
    {
        Session.Dispose();
        await Registry.DisposeAsync();
    }

    [Fact]
    public void A_detailed_list_tells_how_many_of_how_many_and_how_long_the_rest_takes()
    {
        Slow("/manifests/", 60);
        var records = Run("Get-RegistryTag many -Detailed -ThrottleLimit 2", "Inspecting tags of many");
        CheckCounts(records, 40, "tags");
    }

    [Fact]
    public void Named_tags_are_counted_out_of_those_that_were_named()
    {
        Slow("/manifests/", 200);
        CheckCounts(Run("Get-RegistryTag many (0..19 | % { 't{0:00000}' -f $_ }) -ThrottleLimit 2", "Looking for tags of many"), 20, "tags");
    }

    [Fact]
    public async Task A_list_whose_end_is_not_known_tells_how_many_there_are_so_far()
    {
        await StartAsync(EmbeddedRegistryOptions.Full() with { MaximumPage = 5 });
        Slow("/tags/list", 300);
        var records = Run("Get-RegistryTag many", "Listing tags of many");
        Assert.All(records, record => Assert.Equal(-1, record.PercentComplete));
        Assert.Contains(records, record => SoFar().IsMatch(record.StatusDescription));
    }

    [Fact]
    public void Many_repositories_are_one_piece_of_work()
    {
        Slow("/tags/list", 250);
        var records = Run("Get-RegistryRepository | Get-RegistryTag", "Listing tags", "Listing repositories of slow");
        Assert.Contains(records, record => SoFar().IsMatch(record.StatusDescription));
        Assert.Contains(records, record => record.CurrentOperation?.StartsWith("Listing tags of ", StringComparison.Ordinal) == true);
    }

    [Theory]
    [InlineData("Get-RegistryManifest many *", "Reading manifests of many", "manifests")]
    [InlineData("Get-RegistryImage many *", "Reading images of many", "images")]
    public void Manifests_and_images_are_counted_out_of_all(string script, string activity, string units)
    {
        Slow("/manifests/", 60);
        CheckCounts(Run(script, activity), 40, units);
    }

    [Theory]
    [InlineData("Distribution2")]
    [InlineData("Full")]
    public async Task Removing_tags_of_several_repositories_is_one_piece_of_work(string kind)
    {
        await StartAsync(kind == "Full" ? EmbeddedRegistryOptions.Full() : EmbeddedRegistryOptions.Distribution2());
        Slow("/manifests/", 60);
        CheckCounts(Run("Get-RegistryTag many, i1 | Remove-RegistryTag -ThrottleLimit 2", "Removing tags"), 43, "tags");
        Assert.Empty(Registry.Store.Tags("many"));
    }

    [Fact]
    public void Tags_that_are_put_back_one_by_one_are_one_piece_of_work()
    {
        Session.Invoke("$removed = Get-RegistryTag many | Remove-RegistryTag -PassThru").Succeed();
        Slow("/manifests/", 60);
        var records = Run("$removed | Restore-RegistryTag", "Restoring tags");
        Assert.Contains(records, record => SoFar().IsMatch(record.StatusDescription));
        Assert.Contains(records, record => record.CurrentOperation.Contains("/many:t0", StringComparison.Ordinal));
        Assert.Equal(40, Registry.Store.Tags("many").Count);
    }

    [Fact]
    public void Removing_manifests_tells_what_is_looked_at_and_what_is_removed()
    {
        Slow("/manifests/", 120);
        var result = Session.Invoke("Get-RegistryTag many -Detailed | ? Name -like t0000* | Remove-RegistryManifest -Force -Confirm:$false -ThrottleLimit 2").Succeed();
        Check(result.Progress);
        var activities = result.Progress.Select(record => record.Activity).Distinct().ToList();
        Assert.Contains("Looking at tags", activities);
        Assert.Contains("Removing manifests", activities);
        Assert.Contains(result.Progress, record => record.Activity == "Removing manifests" && Of().IsMatch(record.StatusDescription));
    }

    [Fact]
    public void Retention_plans_repositories_and_removes_tags()
    {
        var policy = Path.Combine(Registry.StoragePath, "policy.json");
        File.WriteAllText(policy, """{ "policies": [ { "name": "all", "repositories": ["*"], "olderThan": "1d", "keepLast": 1 } ] }""");
        Slow("/manifests/", 40);
        var result = Session.Invoke($"Invoke-RegistryRetention '{policy}' -MaximumPercent 100 -ThrottleLimit 2").Succeed();
        Check(result.Progress);
        Assert.Contains(result.Progress, record => record.Activity == "Planning retention" && Regex.IsMatch(record.StatusDescription, @"^\d of 6 repositories$") && record.CurrentOperation.Length > 0);
        Assert.Contains(result.Progress, record => record.Activity == "Removing tags" && Of().IsMatch(record.StatusDescription));
    }

    [Fact]
    public void Dates_that_are_looked_up_are_counted()
    {
        Slow("/manifests/", 60);
        CheckCounts(Run("Get-RegistryTag many | Select-RegistryTag -OlderThan 1d -ThrottleLimit 2", "Looking up dates of many"), 40, "tags");
    }

    [Fact]
    public void Measuring_over_http_counts_tags()
    {
        Slow("/manifests/", 60);
        CheckCounts(Run("Measure-RegistryStorage -Repository many -ThrottleLimit 2", "Measuring tags", "Listing tags", "Reading what the tags need"), 40, "tags", "Measuring tags");
    }

    [Fact]
    public void Removing_a_repository_over_http_tells_what_it_is_at()
    {
        Slow("/manifests/", 60);
        var result = Session.Invoke("Remove-RegistryRepository many -Confirm:$false -ThrottleLimit 2").Succeed();
        Check(result.Progress);
        Assert.Contains(result.Progress, record => record.Activity == "Removing tags" && record.StatusDescription.EndsWith(" of 40 tags", StringComparison.Ordinal) && record.CurrentOperation.StartsWith("many", StringComparison.Ordinal));
    }

    [Fact]
    public void What_ends_early_takes_its_progress_away()
    {
        Slow("/manifests/", 100);
        foreach (var script in new[]
        {
            // The consumer fails; an error stops the cmdlet; what comes before it in the pipeline fails while the cmdlet waits; what follows it has had enough.
            "$seen = 0; Get-RegistryTag many -Detailed -ThrottleLimit 2 | ForEach-Object { if (++$seen -eq 25) { throw 'enough' } }",
            "'many:t00001', 'many:t00002', 'many:t00003', 'many:t00004', 'many:t00005', 'many:t00006', 'many:t00007', 'many:nothere' | Get-RegistryManifest -ErrorAction Stop",
            "& { 0..15 | % { 'many:t{0:00000}' -f $_ }; throw 'upstream' } | Get-RegistryManifest",
            "$seen = 0; foreach ($once in 1) { Get-RegistryTag many -Detailed -ThrottleLimit 2 | ForEach-Object { if (++$seen -eq 25) { break } } }",
        })
        {
            if (script.Contains("Stop", StringComparison.Ordinal)) Slow("/manifests/", 250);
            var progress = Session.Invoke(script).Progress;
            Assert.NotEmpty(progress);
            Check(progress);
            Slow("/manifests/", 100);
        }
    }

    [Fact]
    public async Task Ctrl_C_takes_the_progress_away()
    {
        Slow("/manifests/", 100);
        var shown = new TaskCompletionSource();
        Session.Host.Progress = record => shown.TrySetResult();
        using var running = Session.Start("Get-RegistryTag many -Detailed -ThrottleLimit 1");
        await shown.Task.WaitAsync(TimeSpan.FromSeconds(30));
        running.Stop();
        var result = running.Finish();
        Assert.Equal(PSInvocationState.Stopped, result.State);
        Check(result.Progress);
    }

    [Theory]
    [InlineData("$ProgressPreference = 'SilentlyContinue'; Get-RegistryTag many -Detailed -ThrottleLimit 2")]
    [InlineData("Get-RegistryTag many -Detailed -ThrottleLimit 2 -ProgressAction SilentlyContinue")]
    public void Who_wants_none_gets_none(string script)
    {
        Slow("/manifests/", 60);
        Assert.Empty(Session.Invoke(script).Succeed().Progress);
    }

    [Theory]
    [InlineData(1_500_000_000L, 3_200_000_000L, "byte", "1.5 GB of 3.2 GB")]
    [InlineData(1_500_000L, null, "byte", "1.5 MB so far")]
    [InlineData(12L, 60L, "second", "12 of 60 s")]
    [InlineData(1234L, 56_789L, "tag", "1,234 of 56,789 tags")]
    [InlineData(0L, 1L, "repository", "0 of 1 repository")]
    [InlineData(2L, null, "repository", "2 repositories so far")]
    public void Counts_are_written_for_people(long done, object? total, string unit, string text)
    {
        var count = OutputTypes.Assembly.GetType("RegistryTools.PowerShell.Pipeline.ProgressDisplay", true)!.GetMethod("Counted", System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!;
        Assert.Equal(text, count.Invoke(null, [done, total, unit]));
    }

    /// <summary>Runs a script and gives the records of its progress that are of one of these activities, of which the first must be there.</summary>
    private List<ProgressRecord> Run(string script, params string[] activities)
    {
        var progress = Session.Invoke(script).Succeed().Progress;
        Check(progress);
        Assert.All(progress, record => Assert.Contains(record.Activity, activities));
        Assert.Contains(progress, record => record.Activity == activities[0]);
        return [.. progress.Where(record => record.RecordType == ProgressRecordType.Processing)];
    }

    /// <summary>Every record has a title and a status, and the last one of each id is the only one that completes it.</summary>
    private static void Check(IReadOnlyList<ProgressRecord> records)
    {
        Assert.NotEmpty(records);
        Assert.All(records, record =>
        {
            Assert.NotEmpty(record.Activity);
            Assert.NotEmpty(record.StatusDescription);
            Assert.InRange(record.PercentComplete, -1, 100);
        });
        var open = new HashSet<int>();
        foreach (var record in records)
        {
            if (record.RecordType == ProgressRecordType.Completed) Assert.True(open.Remove(record.ActivityId), "What was not shown is completed.");
            else open.Add(record.ActivityId);
        }

        Assert.Empty(open);
    }

    private static void CheckCounts(List<ProgressRecord> records, int total, string units, string? activity = null)
    {
        var counted = records.Where(record => activity is null || record.Activity == activity).Select(record => Of().Match(record.StatusDescription) is { Success: true } match && match.Groups["total"].Value == total.ToString(CultureInfo.InvariantCulture) ? (Record: record, Done: int.Parse(match.Groups["done"].Value, CultureInfo.InvariantCulture), Units: match.Groups["units"].Value) : default)
            .Where(count => count.Record is not null).ToList();
        Assert.NotEmpty(counted);
        Assert.All(counted, count =>
        {
            Assert.Equal(units, count.Units);
            Assert.Equal(100 * count.Done / total, count.Record.PercentComplete);
            if (count.Record.SecondsRemaining >= 0) Assert.InRange(count.Done, 1, total);
        });
        Assert.Equal(counted.Select(count => count.Done).Order(), counted.Select(count => count.Done));
        Assert.Contains(counted, count => count is { Done: > 0, Record.SecondsRemaining: >= 0 });
    }

    private void Slow(string part, int milliseconds) =>
        Registry.Fault = (request, phase) => phase == FaultPhase.Before && request.PathAndQuery.Contains(part, StringComparison.Ordinal) ? FaultAction.Delay(TimeSpan.FromMilliseconds(milliseconds)) : null;

    private async Task StartAsync(EmbeddedRegistryOptions options)
    {
        if (Registry is not null) await DisposeAsync();
        Registry = await EmbeddedFixture.StartAsync(options);
        Registry.Store.AddManyTags("many", 40);
        Session = new ModuleSession();
        Session.Invoke($"Connect-Registry {Registry.Host} -Name slow").Succeed();
    }

    [GeneratedRegex("^(?<done>[0-9,]+) of (?<total>[0-9,]+) (?<units>[a-z]+)$")]
    private static partial Regex Of();

    [GeneratedRegex("^[0-9,]+ [a-z]+ so far$")]
    private static partial Regex SoFar();
}
