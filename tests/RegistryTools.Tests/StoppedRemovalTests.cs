using System.Management.Automation;
using RegistryTools.Host.Embedded;

namespace RegistryTools.Cmdlets.Tests;

/// <summary>Ctrl+C in the middle of a removal, on a registry that has stopped answering.</summary>
public sealed class StoppedRemovalTests
{
    private static readonly string[] Asked = ["i1:T12", "i2:T22", "i2:T23"];

    // About time is what this is; the bound leaves room for a machine that is busy with other tests.
    private static readonly TimeSpan AtOnce = TimeSpan.FromSeconds(2.5);

    public static TheoryData<string, int, FaultPhase> Moments()
    {
        var data = new TheoryData<string, int, FaultPhase>();
        foreach (var kind in new[] { "Distribution2", "Distribution3" })
        {
            for (var request = 1; request <= (kind == "Distribution2" ? 14 : 8); request++)
            {
                data.Add(kind, request, FaultPhase.Before);
                data.Add(kind, request, FaultPhase.After);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Moments))]
    public async Task It_ends_at_once_and_each_tag_is_back_or_gone_and_the_journal_says_which(string kind, int request, FaultPhase phase)
    {
        await using var registry = await EmbeddedFixture.StartAsync(kind == "Distribution2" ? EmbeddedRegistryOptions.Distribution2() : EmbeddedRegistryOptions.Distribution3());
        var before = Tags(registry);
        using var session = new ModuleSession();
        session.Invoke($"Connect-Registry {registry.Host} -RetryCount 0").Succeed();
        var first = registry.Requests.Count + request;
        using var hangs = new ManualResetEventSlim();
        var answersAgain = false;
        registry.Fault = (asked, at) =>
        {
            // From one request on it answers nothing more.
            if (Volatile.Read(ref answersAgain) || asked.Sequence < first || at != (asked.Sequence == first ? phase : FaultPhase.Before)) return null;
            hangs.Set();
            return FaultAction.Hang();
        };
        using (var running = session.Start("Get-RegistryTag I1, I2 | ? Name -in T12, T22, T23 | Remove-RegistryTag -ThrottleLimit 1"))
        {
            if (!hangs.Wait(TimeSpan.FromSeconds(20)))
            {
                // It had no more requests than that.
                running.Finish().Succeed();
                return;
            }

            Assert.True(running.Stop() < AtOnce, "Stopping took too long.");
            Assert.Equal(PSInvocationState.Stopped, running.Finish().State);
        }

        // The registry recovers; what was half done is undone by then or will be.
        await Task.Delay(300);
        Volatile.Write(ref answersAgain, true);
        await UntilAsync(() => Journal(session, registry).All(entry => entry.State != "Pending"));
        var after = Tags(registry);
        var journal = Journal(session, registry);
        foreach (var (tag, digest) in before)
        {
            if (after.TryGetValue(tag, out var now))
            {
                Assert.Equal(digest, now);
                Assert.DoesNotContain(journal, entry => entry.Tag == tag && entry.State == "Removed");
            }
            else
            {
                Assert.Contains(tag, Asked);
                Assert.Contains(journal, entry => entry.Tag == tag && entry.State == "Removed");
            }
        }

        Assert.All(after.Keys, tag => Assert.True(before.ContainsKey(tag), tag));
    }

    private static Dictionary<string, string> Tags(EmbeddedRegistry registry) =>
        SampleData.Tags.Keys.SelectMany(repository => registry.Store.Tags(repository).Select(tag => (Name: repository + ":" + tag, Digest: registry.Store.FindTag(repository, tag)!))).ToDictionary(pair => pair.Name, pair => pair.Digest);

    // The port may have been another registry's before, in another test.
    private static List<(string Tag, string State)> Journal(ModuleSession session, EmbeddedRegistry registry) =>
        [.. session.Invoke($"Get-RegistryRemoval -Registry {registry.Host} | ? {{ $_.Time -ge [datetimeoffset]'{registry.Requests[0].Time:o}' }} | % {{ $_.Repository + ':' + $_.Tag + '=' + $_.State }}").Succeed().Output.Select(line => line.ToString()!.Split('=')).Select(parts => (parts[0], parts[1]))];

    private static async Task UntilAsync(Func<bool> done)
    {
        for (var i = 0; i < 300 && !done(); i++) await Task.Delay(100);
        Assert.True(done(), "The journal still has removals pending.");
    }
}
