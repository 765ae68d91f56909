using System.Management.Automation.Host;

namespace RegistryTools.Host.Shell;

/// <summary>
/// The little of a console's cells that PowerShell's formatting asks for: above all how wide a line is. Reading and painting single
/// cells isn't there, as on any terminal that is only written to.
/// </summary>
public sealed class RawUserInterface : PSHostRawUserInterface
{
    /// <summary>The width of a line where there is no window to measure.</summary>
    public const int DefaultWidth = 120;

    private const int DefaultHeight = 50;

    private readonly IShellTerminal terminal;
    private Size? fixedSize;

    /// <summary>A raw interface over a terminal.</summary>
    /// <param name="terminal">The terminal.</param>
    /// <param name="width">The width to format for; null follows the window, or is <see cref="DefaultWidth"/> where there is none.</param>
    public RawUserInterface(IShellTerminal terminal, int? width = null)
    {
        ArgumentNullException.ThrowIfNull(terminal);
        this.terminal = terminal;
        if (width is int fixedWidth)
            BufferSize = new Size(fixedWidth, terminal.WindowHeight ?? DefaultHeight);
    }

    /// <summary>What PowerShell formats for. Setting it overrides the window's size.</summary>
    public override Size BufferSize
    {
        get => fixedSize ?? new Size(terminal.WindowWidth ?? DefaultWidth, terminal.WindowHeight ?? DefaultHeight);
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value.Width, nameof(value));
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value.Height, nameof(value));
            fixedSize = value;
        }
    }

    /// <inheritdoc/>
    public override Size WindowSize { get => BufferSize; set => BufferSize = value; }

    /// <inheritdoc/>
    public override Size MaxWindowSize => BufferSize;

    /// <inheritdoc/>
    public override Size MaxPhysicalWindowSize => BufferSize;

    /// <inheritdoc/>
    public override Coordinates WindowPosition { get; set; }

    /// <inheritdoc/>
    public override Coordinates CursorPosition { get; set; }

    /// <inheritdoc/>
    public override int CursorSize { get; set; } = 25;

    /// <inheritdoc/>
    public override ConsoleColor ForegroundColor { get; set; } = ConsoleColor.Gray;

    /// <inheritdoc/>
    public override ConsoleColor BackgroundColor { get; set; } = ConsoleColor.Black;

    /// <inheritdoc/>
    public override string WindowTitle { get; set; } = "RegistryTools";

    /// <inheritdoc/>
    public override bool KeyAvailable => terminal.InputIsTerminal && terminal.KeyAvailable;

    /// <inheritdoc/>
    public override KeyInfo ReadKey(ReadKeyOptions options)
    {
        if (!terminal.InputIsTerminal)
            throw ConsoleHostUserInterface.NotInteractive("a key");
        ConsoleKeyInfo key = terminal.ReadKey((options & ReadKeyOptions.NoEcho) != 0);
        ControlKeyStates states = 0;
        if ((key.Modifiers & ConsoleModifiers.Shift) != 0)
            states |= ControlKeyStates.ShiftPressed;
        if ((key.Modifiers & ConsoleModifiers.Alt) != 0)
            states |= ControlKeyStates.LeftAltPressed;
        if ((key.Modifiers & ConsoleModifiers.Control) != 0)
            states |= ControlKeyStates.LeftCtrlPressed;
        return new KeyInfo((int)key.Key, key.KeyChar, states, keyDown: true);
    }

    /// <inheritdoc/>
    public override void FlushInputBuffer()
    {
        while (KeyAvailable)
            terminal.ReadKey(intercept: true);
    }

    /// <inheritdoc/>
    public override int LengthInBufferCells(string source) => TerminalText.Cells(source);

    /// <inheritdoc/>
    public override int LengthInBufferCells(string source, int offset)
    {
        ArgumentNullException.ThrowIfNull(source);
        return TerminalText.Cells(source[offset..]);
    }

    /// <inheritdoc/>
    public override int LengthInBufferCells(char source) => TerminalText.Cells(source.ToString());

    /// <inheritdoc/>
    public override BufferCell[,] GetBufferContents(Rectangle rectangle) => throw NoCells();

    /// <inheritdoc/>
    public override void SetBufferContents(Coordinates origin, BufferCell[,] contents) => throw NoCells();

    /// <inheritdoc/>
    public override void SetBufferContents(Rectangle rectangle, BufferCell fill) => throw NoCells();

    /// <inheritdoc/>
    public override void ScrollBufferContents(Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill) => throw NoCells();

    private static NotSupportedException NoCells() => new("This host writes to a terminal line by line: single cells can be neither read nor painted.");
}
