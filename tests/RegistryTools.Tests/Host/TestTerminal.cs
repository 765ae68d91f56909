using System.Text;
using RegistryTools.Host.Shell;

namespace RegistryTools.Cmdlets.Tests.Host;

/// <summary>A terminal in memory: what is typed is given beforehand, what is written is kept.</summary>
internal sealed class TestTerminal : IShellTerminal, IDisposable
{
    private readonly Transcript output = new();
    private readonly Transcript error = new();
    private readonly List<Func<bool>> interrupts = [];

    public TestTerminal(params string[] typed) => Input = new StringReader(string.Concat(typed.Select(line => line + "\n")));

    public TextReader Input { get; set; }

    public TextWriter Output => output;

    public TextWriter Error => error;

    public bool InputIsTerminal { get; set; }

    public bool OutputIsTerminal { get; set; }

    public bool ErrorIsTerminal { get; set; }

    public bool UseColour { get; set; }

    public int? WindowWidth { get; set; }

    public int? WindowHeight { get; set; }

    public Queue<char> Keys { get; } = new();

    public bool KeyAvailable => Keys.Count > 0;

    public string Written => output.Text.ReplaceLineEndings("\n");

    public string WrittenErrors => error.Text.ReplaceLineEndings("\n");

    public string WrittenErrorBytes => error.Text;

    public ConsoleKeyInfo ReadKey(bool intercept)
    {
        char key = Keys.Dequeue();
        return new ConsoleKeyInfo(key, key switch { '\r' => ConsoleKey.Enter, '\b' => ConsoleKey.Backspace, _ => 0 }, false, false, false);
    }

    public IDisposable OnInterrupt(Func<bool> handler)
    {
        lock (interrupts)
            interrupts.Add(handler);
        return new Subscription(this, handler);
    }

    /// <summary>Presses Ctrl+C; false where nobody dealt with it.</summary>
    public bool PressCtrlC()
    {
        Func<bool>[] handlers;
        lock (interrupts)
            handlers = [.. interrupts];
        return handlers.Aggregate(false, (handled, handler) => handler() | handled);
    }

    public void Dispose()
    {
        output.Dispose();
        error.Dispose();
        Input.Dispose();
    }

    /// <summary>What has been written so far can be read while another thread writes on.</summary>
    private sealed class Transcript : TextWriter
    {
        private readonly StringBuilder text = new();

        public override Encoding Encoding => Encoding.UTF8;

        public string Text
        {
            get
            {
                lock (text)
                    return text.ToString();
            }
        }

        public override void Write(char value)
        {
            lock (text)
                text.Append(value);
        }

        public override void Write(string? value)
        {
            lock (text)
                text.Append(value);
        }
    }

    private sealed class Subscription(TestTerminal terminal, Func<bool> handler) : IDisposable
    {
        public void Dispose()
        {
            lock (terminal.interrupts)
                terminal.interrupts.Remove(handler);
        }
    }
}
