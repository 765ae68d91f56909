using System.IO.Pipelines;
using System.Text;
using RegistryTools.Host.CommandLine;
using RegistryTools.Host.Shell;

namespace RegistryTools.Cmdlets.Tests.Host;

public sealed class ReadEvalPrintLoopTests
{
    [Theory]
    [InlineData("1", false)]
    [InlineData("1 |", true)]
    [InlineData("Get-RegistryTag i1 | ? {", true)]
    [InlineData("\"a", true)]
    [InlineData("@'\ntext", true)]
    [InlineData("1 `", true)]
    [InlineData("}", false)]
    [InlineData("1 + + )", false)]
    public void IncompleteInputIsToldFromWrongInput(string text, bool incomplete) => Assert.Equal(incomplete, ReadEvalPrintLoop.IsIncomplete(text));

    [Fact]
    public void CommandsGoOverSeveralLinesAndKeepTheSession()
    {
        var terminal = new TestTerminal("$a = 1..3 | ? {", "  $_ -gt 1 }", "\"<$a>\"", "exit 4", "'not reached'");
        Assert.Equal(4, HostProgram.Run(["-Interactive"], terminal));
        Assert.Contains("<2 3>\n", terminal.Written, StringComparison.Ordinal);
        Assert.Contains(">> ", terminal.Written, StringComparison.Ordinal);
        Assert.DoesNotContain("not reached", terminal.Written, StringComparison.Ordinal);
    }

    [Fact]
    public void AnEmptyLineHandsInWhatIsIncompleteUnlessItIsInAString()
    {
        var terminal = new TestTerminal("if (1) {", "", "\"a", "", "b\"");
        Assert.Equal(0, HostProgram.Run(["-Interactive"], terminal));
        Assert.Contains("ParserError", terminal.WrittenErrors, StringComparison.Ordinal);
        Assert.Contains("a\n\nb\n", terminal.Written, StringComparison.Ordinal);
    }

    [Fact]
    public void AnErrorLeavesThePromptAndTheQuestionMark()
    {
        var terminal = new TestTerminal("throw 'no'", "\"<$?>\"", "\"<$?>\"");
        Assert.Equal(0, HostProgram.Run(["-Interactive"], terminal));
        Assert.Contains("<False>", terminal.Written, StringComparison.Ordinal);
        Assert.Contains("<True>", terminal.Written, StringComparison.Ordinal);
    }

    [Fact]
    public void SuspendOpensAPromptInsideTheCommandAndExitGoesBack()
    {
        var terminal = new TestTerminal(
            "function Ask { [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')] param() if ($PSCmdlet.ShouldProcess('it', 'Do')) { '<done>' } }",
            "Ask", "s", "'<inside>'", "exit", "y", "exit 2");
        Assert.Equal(2, HostProgram.Run(["-Interactive"], terminal));
        Assert.True(terminal.Written.IndexOf("<inside>", StringComparison.Ordinal) < terminal.Written.IndexOf("<done>", StringComparison.Ordinal));
    }

    [Fact]
    public async Task CtrlCStopsTheCommandOrDropsTheLineAndNotTheHost()
    {
        var pipe = new Pipe();
        using var typing = new StreamWriter(pipe.Writer.AsStream()) { AutoFlush = true, NewLine = "\n" };
        var terminal = new TestTerminal { Input = new StreamReader(pipe.Reader.AsStream(), Encoding.UTF8) };
        Task<int> run = Task.Run(() => HostProgram.Run(["-Interactive"], terminal));

        await typing.WriteLineAsync("'<1>'; while ($true) { }");
        await Until(() => terminal.Written.Contains("<1>\n", StringComparison.Ordinal));
        Assert.True(terminal.PressCtrlC());
        await typing.WriteLineAsync("'<2>'");
        await Until(() => terminal.Written.Contains("<2>\n", StringComparison.Ordinal));
        await typing.WriteLineAsync("'<3");
        await Until(() => terminal.Written.EndsWith(">> ", StringComparison.Ordinal));
        Assert.True(terminal.PressCtrlC());
        await Until(() => terminal.Written.EndsWith("> ", StringComparison.Ordinal) && !terminal.Written.EndsWith(">> ", StringComparison.Ordinal));
        await typing.WriteLineAsync("'<4>'; exit 6");

        Assert.Equal(6, await run.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.Contains("<4>\n", terminal.Written, StringComparison.Ordinal);
        Assert.Empty(terminal.WrittenErrors);
    }

    [Fact]
    public async Task CtrlCAtAConfirmationIsNoYes()
    {
        var pipe = new Pipe();
        using var typing = new StreamWriter(pipe.Writer.AsStream()) { AutoFlush = true, NewLine = "\n" };
        var terminal = new TestTerminal { Input = new StreamReader(pipe.Reader.AsStream(), Encoding.UTF8) };
        Task<int> run = Task.Run(() => HostProgram.Run(["-Interactive"], terminal));

        await typing.WriteLineAsync("function Ask { [CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'High')] param() if ($PSCmdlet.ShouldProcess('it', 'Do')) { '<done>' } }; Ask");
        await Until(() => terminal.Written.Contains("(default is", StringComparison.Ordinal));
        Assert.True(terminal.PressCtrlC());
        await Until(() => terminal.Written.EndsWith("> ", StringComparison.Ordinal));
        await typing.WriteLineAsync("");
        await typing.WriteLineAsync("exit 0");

        Assert.Equal(0, await run.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.DoesNotContain("<done>\n", terminal.Written, StringComparison.Ordinal);
    }

    private static async Task Until(Func<bool> condition)
    {
        for (int i = 0; !condition(); i++)
        {
            Assert.True(i < 1500, "It took too long.");
            await Task.Delay(20);
        }
    }
}
