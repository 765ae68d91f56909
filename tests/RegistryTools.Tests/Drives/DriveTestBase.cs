namespace RegistryTools.Cmdlets.Tests.Drives;

/// <summary>A scripted registry with names that lie in each other, and a drive <c>reg:</c> of it.</summary>
public abstract class DriveTestBase : RegistryTestBase
{
    public override async Task InitializeAsync()
    {
        await base.InitializeAsync();
        Session.WithItems();
        Session.Invoke("$null = New-PSDrive -PSProvider ContainerRegistry -Name reg -Root reg").Succeed();
        Registry.Requests.Clear();
    }

    /// <summary>team with a tag app, beside a repository team/app; deep/er/still, with nothing in between; i1/sub.</summary>
    private protected override void Fill()
    {
        base.Fill();
        Registry.AddImage("team", "app");
        Registry.AddImage("team", "web");
        Registry.AddImage("team/app", "T1");
        Registry.AddImage("deep/er/still", "water");
    }

    /// <summary>The texts of what a script wrote, joined by spaces.</summary>
    private protected string Texts(string script) => string.Join(" ", Session.Invoke(script).Succeed().Output.Select(item => item.ToString()));

    /// <summary>What the shell would offer after a text.</summary>
    private protected string Complete(string text) =>
        string.Join(" ", System.Management.Automation.CommandCompletion.CompleteInput(text, text.Length, null, Shell()).CompletionMatches.Select(match => match.CompletionText));

    private System.Management.Automation.PowerShell Shell()
    {
        var shell = System.Management.Automation.PowerShell.Create();
        shell.Runspace = Session.Runspace;
        return shell;
    }

    private protected static void WaitFor(Func<bool> condition)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (!condition())
        {
            Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), "Waited in vain.");
            Thread.Sleep(10);
        }
    }
}
