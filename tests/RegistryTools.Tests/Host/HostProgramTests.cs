using RegistryTools.Host.CommandLine;

namespace RegistryTools.Cmdlets.Tests.Host;

/// <summary>The program as a user starts it: arguments in; output, errors and an exit code out.</summary>
public sealed class HostProgramTests : IDisposable
{
    private const string Asking =
        "function Ask { [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')] param() if ($PSCmdlet.ShouldProcess('it', 'Do')) { 'done' } else { 'left' } };";

    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("rt-host-");

    public void Dispose() => directory.Delete(recursive: true);

    [Fact]
    public void CommandsAreFormattedThroughTheViewsAndTheModuleIsThere()
    {
        var terminal = new TestTerminal();
        Assert.Equal(0, HostProgram.Run(["-Command", "[pscustomobject]@{ Name = 'a'; Size = 12 }; (Get-Module RegistryTools).Name"], terminal));
        Assert.Contains("Name Size\n---- ----\na      12\n", terminal.Written, StringComparison.Ordinal);
        Assert.Contains("\nRegistryTools\n", terminal.Written, StringComparison.Ordinal);
        Assert.Empty(terminal.WrittenErrors);
    }

    [Theory]
    [InlineData("1", 0)]
    [InlineData("exit 3", 3)]
    [InlineData("1; exit", 0)]
    [InlineData("throw 'no'", 1)]
    [InlineData("1 +", 1)]
    [InlineData("Import-Module no-such-module", 1)]
    [InlineData("Import-Module no-such-module; 1", 0)]
    [InlineData("Import-Module no-such-module -ErrorAction Stop; 1", 1)]
    [InlineData("no-such-command", 1)]
    public void ExitCodesOfCommandsAreThoseOfPwsh(string command, int exitCode) => Assert.Equal(exitCode, HostProgram.Run(["-Command", command], new TestTerminal()));

    [Fact]
    public void ErrorsGoToStandardErrorAndTheRestGoesOn()
    {
        var terminal = new TestTerminal();
        Assert.Equal(0, HostProgram.Run(["-Command", "'before'; Import-Module no-such-module; 'after'"], terminal));
        Assert.Equal("before\nafter\n", terminal.Written);
        Assert.Contains("no-such-module", terminal.WrittenErrors, StringComparison.Ordinal);
    }

    [Fact]
    public void IncompleteCommandsAreReportedWithTheirPlace()
    {
        var terminal = new TestTerminal();
        HostProgram.Run(["-Command", "if (1) {"], terminal);
        Assert.Contains("line 1, character 8", terminal.WrittenErrors, StringComparison.Ordinal);
    }

    [Fact]
    public void ACmdletOfTheFullPowerShellIsExplainedOnce()
    {
        var terminal = new TestTerminal();
        HostProgram.Run(["-Command", "1 | select -First 1; 1 | Select-Object; no-such-command"], terminal);
        Assert.Single(terminal.WrittenErrors.Split('\n'), line => line.StartsWith("Select-Object: not in this host.", StringComparison.Ordinal));
        Assert.DoesNotContain("no-such-command: not in this host", terminal.WrittenErrors, StringComparison.Ordinal);
    }

    [Fact]
    public void CommandsCanComeFromTheInput()
    {
        var terminal = new TestTerminal("'a'", "'b'");
        Assert.Equal(0, HostProgram.Run(["-Command", "-"], terminal));
        Assert.Equal("a\nb\n", terminal.Written);
    }

    [Theory]
    [InlineData("'plain'", 0)]
    [InlineData("exit 7", 7)]
    [InlineData("throw 'no'", 1)]
    [InlineData("Import-Module no-such-module", 0)]
    [InlineData("1 +", 1)]
    public void ExitCodesOfScriptsAreThoseOfPwsh(string script, int exitCode) =>
        Assert.Equal(exitCode, HostProgram.Run(["-File", Script(script)], new TestTerminal()));

    [SkippableFact]
    public void AScriptHandsOnTheExitCodeOfTheLastProgram()
    {
        Skip.If(OperatingSystem.IsWindows(), "It runs sh.");
        Assert.Equal(5, HostProgram.Run(["-File", Script("sh -c 'exit 5'\n'then'")], new TestTerminal()));
    }

    [Fact]
    public void ScriptArgumentsBindAsTyped()
    {
        string script = Script("param([string] $Name, [switch] $Go, [switch] $Not, [int] $Number, [Parameter(ValueFromRemainingArguments)] $Rest)\n\"$Name|$Go|$Not|$Number|$Rest\"");
        var terminal = new TestTerminal();
        Assert.Equal(0, HostProgram.Run(["-File", script, "-Name", "a b", "-Go", "-Not:$false", "-Number:-5", "-7", "rest"], terminal));
        Assert.Equal("a b|True|False|-5|-7 rest\n", terminal.Written);
    }

    [Fact]
    public void AnErrorInAScriptNamesItsLine()
    {
        var terminal = new TestTerminal();
        HostProgram.Run(["-File", Script("'one'\nthrow 'two'")], terminal);
        Assert.Contains("script.ps1:2", terminal.WrittenErrors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-Nonsense")]
    [InlineData("-File", "/no/such/script.ps1")]
    public void UsageErrorsExitWith64(params string[] args)
    {
        var terminal = new TestTerminal();
        Assert.Equal(64, HostProgram.Run(args, terminal));
        Assert.Contains(args[^1], terminal.WrittenErrors, StringComparison.Ordinal);
        Assert.Contains("-Help", terminal.WrittenErrors, StringComparison.Ordinal);
        Assert.Empty(terminal.Written);
    }

    [Fact]
    public void AModuleThatIsNotThereIsSaid()
    {
        var terminal = new TestTerminal();
        Assert.Equal(1, HostProgram.Run(["-ModulePath", directory.FullName, "-Command", "1"], terminal));
        Assert.Contains(directory.FullName, terminal.WrittenErrors, StringComparison.Ordinal);
    }

    [Fact]
    public void HelpNamesEveryOption()
    {
        var terminal = new TestTerminal();
        Assert.Equal(0, HostProgram.Run(["-Help"], terminal));
        foreach (string option in new[] { "-Command", "-File", "-Interactive", "-Serve", "-StoragePath", "-WithRegistry", "-Behave", "-Seed", "-EndWithInput", "-NonInteractive", "-Width", "-ModulePath", "-Help" })
            Assert.Contains(option, terminal.Written, StringComparison.Ordinal);
        Assert.All(terminal.Written.Split('\n'), line => Assert.InRange(line.Length, 0, 130));
    }

    [Theory]
    [InlineData(60)]
    [InlineData(100)]
    public void TheWidthIsTheOneAskedFor(int width)
    {
        var terminal = new TestTerminal { WindowWidth = 200 };
        HostProgram.Run(["-Width", $"{width}", "-Command", "[pscustomobject]@{ Name = 'a' * 300; Size = 12 }; $Host.UI.RawUI.BufferSize.Width"], terminal);
        // A table leaves the last column free.
        Assert.Equal(width - 1, terminal.Written.Split('\n').Max(l => l.Length));
        Assert.Contains($"\n{width}\n", terminal.Written, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "120\n")]
    [InlineData(77, "77\n")]
    public void WithoutAWidthTheWindowCounts(int? window, string width)
    {
        var terminal = new TestTerminal { WindowWidth = window };
        HostProgram.Run(["-Command", "$Host.UI.RawUI.BufferSize.Width"], terminal);
        Assert.Equal(width, terminal.Written);
    }

    [Theory]
    [InlineData(true, null, "xterm", true)]
    [InlineData(true, "", "xterm", true)]
    [InlineData(true, "1", "xterm", false)]
    [InlineData(true, "0", "xterm", false)]
    [InlineData(true, null, "dumb", false)]
    [InlineData(false, null, "xterm", false)]
    public void ColoursAreForTerminalsThatWantThem(bool isTerminal, string? noColor, string? term, bool wanted) =>
        Assert.Equal(wanted, RegistryTools.Host.Shell.SystemTerminal.WantsColour(isTerminal, noColor, term));

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void EscapesAreWrittenOnlyWhereColoursAre(bool colour)
    {
        var terminal = new TestTerminal { UseColour = colour, OutputIsTerminal = colour, ErrorIsTerminal = colour };
        HostProgram.Run(["-Command", "\"`e[32mgreen`e[0m\"; [pscustomobject]@{ A = 1 }; $Host.UI.WriteWarningLine('careful'); throw 'no'"], terminal);
        Assert.Equal(colour, terminal.Written.Contains('\x1b', StringComparison.Ordinal));
        Assert.Equal(colour, terminal.WrittenErrors.Contains('\x1b', StringComparison.Ordinal));
        Assert.Contains("green", terminal.Written, StringComparison.Ordinal);
        Assert.Contains("WARNING: careful", terminal.Written, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "-Command")]
    [InlineData(false, "-NonInteractive", "-Command")]
    public void AQuestionThatNobodyCanAnswerIsAnError(bool redirected, params string[] args)
    {
        var terminal = new TestTerminal("y") { InputIsTerminal = !redirected };
        Assert.Equal(0, HostProgram.Run([.. args, Asking + "Ask; 'after'"], terminal));
        Assert.Equal("after\n", terminal.Written);
        Assert.Contains("not interactive", terminal.WrittenErrors, StringComparison.Ordinal);
        Assert.Contains("-Confirm:$false", terminal.WrittenErrors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("done", "y")]
    [InlineData("done", "Yes")]
    [InlineData("done", "")]
    [InlineData("left", "N")]
    [InlineData("done", "what?", "?", "y")]
    public void AConfirmationIsAnswered(string outcome, params string[] typed)
    {
        var terminal = new TestTerminal(typed) { InputIsTerminal = true };
        Assert.Equal(0, HostProgram.Run(["-Command", Asking + "Ask"], terminal));
        Assert.EndsWith(outcome + "\n", terminal.Written, StringComparison.Ordinal);
        Assert.Contains("[Y] Yes", terminal.Written, StringComparison.Ordinal);
        Assert.Contains("(default is \"Y\")", terminal.Written, StringComparison.Ordinal);
    }

    [Fact]
    public void InputThatEndsIsNoAnswer()
    {
        var terminal = new TestTerminal { InputIsTerminal = true };
        HostProgram.Run(["-Command", Asking + "Ask"], terminal);
        Assert.DoesNotContain("done", terminal.Written, StringComparison.Ordinal);
        Assert.Contains("input ended", terminal.WrittenErrors, StringComparison.Ordinal);
    }

    [Fact]
    public void MandatoryParametersAreAskedForUntilTheyFit()
    {
        var terminal = new TestTerminal("text", "1", "x", "2", "") { InputIsTerminal = true };
        HostProgram.Run(["-Command", "function F { [CmdletBinding()] param([Parameter(Mandatory)] [string] $A, [Parameter(Mandatory)] [int[]] $B) \"<$A $B>\" }; F"], terminal);
        Assert.EndsWith("<text 1 2>\n", terminal.Written, StringComparison.Ordinal);
        Assert.Contains("\"x\"", terminal.WrittenErrors, StringComparison.Ordinal);
    }

    [Fact]
    public void PasswordsAreReadWithoutBeingShown()
    {
        var terminal = new TestTerminal("joe") { InputIsTerminal = true };
        foreach (char c in "secrex\bt\r")
            terminal.Keys.Enqueue(c);
        HostProgram.Run(["-Command", "$Host.UI.PromptForCredential('', '', '', '').GetNetworkCredential().Password.Length"], terminal);
        Assert.EndsWith("\n6\n", terminal.Written, StringComparison.Ordinal);
        Assert.DoesNotContain("secre", terminal.Written, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ProgressIsForTerminalsOnly(bool isTerminal)
    {
        var terminal = new TestTerminal { ErrorIsTerminal = isTerminal };
        HostProgram.Run(["-Command", "$Host.UI.WriteProgress(1, [Management.Automation.ProgressRecord]::new(1, 'Listing', 'i1')); 'out'"], terminal);
        Assert.Equal(isTerminal, terminal.WrittenErrors.Contains("Listing: i1", StringComparison.Ordinal));
        Assert.Equal("out\n", terminal.Written);
        if (isTerminal)
            Assert.EndsWith(" \r", terminal.WrittenErrorBytes, StringComparison.Ordinal);
    }

    [Fact]
    public void ProgressTellsTheTimeThatIsLeftAndWhatItIsAt()
    {
        var terminal = new TestTerminal { ErrorIsTerminal = true };
        HostProgram.Run(["-Command", "$record = [Management.Automation.ProgressRecord]::new(1, 'Listing', '1 of 4 tags'); $record.PercentComplete = 25; $record.SecondsRemaining = 75; $record.CurrentOperation = 'i1'; $Host.UI.WriteProgress(1, $record)"], terminal);
        Assert.Contains("Listing: 25% 1 of 4 tags, 00:01:15 left: i1", terminal.WrittenErrors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CtrlCStopsACommand()
    {
        var terminal = new TestTerminal();
        Task<int> run = Task.Run(() => HostProgram.Run(["-Command", "'started'; while ($true) { }"], terminal));
        await Until(() => terminal.Written.Contains("started", StringComparison.Ordinal));
        Assert.True(terminal.PressCtrlC());
        Assert.Equal((130, ""), (await run.WaitAsync(TimeSpan.FromSeconds(30)), terminal.WrittenErrors));
    }

    private static async Task Until(Func<bool> condition)
    {
        for (int i = 0; !condition(); i++)
        {
            Assert.True(i < 1500, "It took too long.");
            await Task.Delay(20);
        }
    }

    private string Script(string text)
    {
        string path = Path.Combine(directory.FullName, "script.ps1");
        File.WriteAllText(path, text);
        return path;
    }
}
