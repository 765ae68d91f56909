using System.Globalization;
using System.Management.Automation.Host;

namespace RegistryTools.Host.Shell;

/// <summary>The PowerShell engine's view of this program.</summary>
public sealed class ConsoleHost : PSHost
{
    private readonly ConsoleHostUserInterface ui;
    private int nesting;

    /// <summary>A host over a terminal.</summary>
    /// <param name="terminal">Where it reads and writes.</param>
    /// <param name="interactive">Whether questions may be asked; null where that depends on whether someone can type.</param>
    /// <param name="width">The width to format for; null follows the window.</param>
    public ConsoleHost(IShellTerminal terminal, bool? interactive = null, int? width = null) =>
        ui = new ConsoleHostUserInterface(terminal, new RawUserInterface(terminal, width), interactive ?? terminal.InputIsTerminal);

    /// <inheritdoc/>
    public override string Name => "RegistryTools.Host";

    /// <inheritdoc/>
    public override Version Version { get; } = typeof(ConsoleHost).Assembly.GetName().Version ?? new Version(0, 0);

    /// <inheritdoc/>
    public override Guid InstanceId { get; } = Guid.NewGuid();

    /// <inheritdoc/>
    public override CultureInfo CurrentCulture => CultureInfo.CurrentCulture;

    /// <inheritdoc/>
    public override CultureInfo CurrentUICulture => CultureInfo.CurrentUICulture;

    /// <inheritdoc/>
    public override PSHostUserInterface UI => ui;

    /// <summary>The user interface, as what it is.</summary>
    public ConsoleHostUserInterface Console => ui;

    /// <summary>What <c>exit</c> asked for, or null while nothing did.</summary>
    public int? ExitCode { get; private set; }

    /// <summary>What runs a prompt inside a command that waits ("Suspend" in a confirmation); null where there is no prompt.</summary>
    internal Action<int>? NestedPrompt { get; set; }

    /// <summary>Whether the innermost nested prompt was asked to end.</summary>
    internal bool NestedPromptEnded { get; private set; }

    /// <inheritdoc/>
    public override void SetShouldExit(int exitCode)
    {
        // What the confirmation's help says of Suspend: exit goes back to the command that waits.
        if (nesting > 0)
            NestedPromptEnded = true;
        else
            ExitCode = exitCode;
    }

    /// <inheritdoc/>
    public override void EnterNestedPrompt()
    {
        if (NestedPrompt is null)
            throw new NotSupportedException("This host suspends a command only in -Interactive.");
        nesting++;
        NestedPromptEnded = false;
        try
        {
            NestedPrompt(nesting);
        }
        finally
        {
            nesting--;
            NestedPromptEnded = false;
        }
    }

    /// <inheritdoc/>
    public override void ExitNestedPrompt() => NestedPromptEnded = true;

    /// <inheritdoc/>
    public override void NotifyBeginApplication()
    {
    }

    /// <inheritdoc/>
    public override void NotifyEndApplication()
    {
    }
}
