using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;
using System.Text;

namespace RegistryTools.Cmdlets.Tests.Support;

/// <summary>A host of a certain width that keeps what is shown and answers prompts from a queue.</summary>
public sealed class TestHost : PSHost
{
    private readonly TestInterface _interface;

    public TestHost(int width) => _interface = new TestInterface(this, width);

    /// <summary>What was shown.</summary>
    public StringBuilder Text { get; } = new();

    /// <summary>Answers to choices, by their label without the ampersand; a choice with no answer left is a failure.</summary>
    public Queue<string> Answers { get; } = new();

    /// <summary>Told of every record of progress.</summary>
    public Action<ProgressRecord>? Progress { get; set; }

    /// <summary>What was asked.</summary>
    public List<string> Questions { get; } = [];

    public override string Name => "TestHost";

    public override Version Version { get; } = new(1, 0);

    public override Guid InstanceId { get; } = Guid.NewGuid();

    public override PSHostUserInterface UI => _interface;

    public override CultureInfo CurrentCulture => CultureInfo.InvariantCulture;

    public override CultureInfo CurrentUICulture => CultureInfo.InvariantCulture;

    public override void EnterNestedPrompt() => throw new NotSupportedException();

    public override void ExitNestedPrompt() => throw new NotSupportedException();

    public override void NotifyBeginApplication()
    {
    }

    public override void NotifyEndApplication()
    {
    }

    public override void SetShouldExit(int exitCode)
    {
    }

    private sealed class TestInterface(TestHost host, int width) : PSHostUserInterface
    {
        public override PSHostRawUserInterface RawUI { get; } = new TestRaw(width);

        public override bool SupportsVirtualTerminal => false;

        public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions) =>
            throw new InvalidOperationException("Prompted for: " + string.Join(", ", descriptions.Select(description => description.Name)));

        public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice)
        {
            host.Questions.Add(caption + "\n" + message);
            if (host.Answers.Count == 0) throw new InvalidOperationException("Asked without an answer: " + message);
            var answer = host.Answers.Dequeue();
            for (var i = 0; i < choices.Count; i++)
            {
                if (choices[i].Label.Replace("&", string.Empty).Equals(answer, StringComparison.OrdinalIgnoreCase)) return i;
            }

            throw new InvalidOperationException("There is no choice " + answer);
        }

        public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) => throw new InvalidOperationException(message);

        public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName, PSCredentialTypes allowedCredentialTypes, PSCredentialUIOptions options) =>
            throw new InvalidOperationException(message);

        public override string ReadLine() => throw new InvalidOperationException("Read a line.");

        public override SecureString ReadLineAsSecureString() => throw new InvalidOperationException("Read a line.");

        public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) => host.Text.Append(value);

        public override void Write(string value) => host.Text.Append(value);

        public override void WriteLine(string value) => host.Text.AppendLine(value);

        public override void WriteDebugLine(string message) => host.Text.AppendLine("DEBUG: " + message);

        public override void WriteErrorLine(string value) => host.Text.AppendLine(value);

        public override void WriteProgress(long sourceId, ProgressRecord record) => host.Progress?.Invoke(record);

        public override void WriteVerboseLine(string message) => host.Text.AppendLine("VERBOSE: " + message);

        public override void WriteWarningLine(string message) => host.Text.AppendLine("WARNING: " + message);
    }

    private sealed class TestRaw(int width) : PSHostRawUserInterface
    {
        public override ConsoleColor ForegroundColor { get; set; } = ConsoleColor.Gray;

        public override ConsoleColor BackgroundColor { get; set; } = ConsoleColor.Black;

        public override Size BufferSize { get; set; } = new(width, 500);

        public override Coordinates CursorPosition { get; set; }

        public override int CursorSize { get; set; } = 25;

        public override bool KeyAvailable => false;

        public override Size MaxPhysicalWindowSize => new(width, 50);

        public override Size MaxWindowSize => new(width, 50);

        public override Coordinates WindowPosition { get; set; }

        public override Size WindowSize { get; set; } = new(width, 50);

        public override string WindowTitle { get; set; } = string.Empty;

        public override void FlushInputBuffer()
        {
        }

        public override BufferCell[,] GetBufferContents(Rectangle rectangle) => new BufferCell[0, 0];

        public override KeyInfo ReadKey(ReadKeyOptions options) => throw new InvalidOperationException("Read a key.");

        public override void ScrollBufferContents(Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill)
        {
        }

        public override void SetBufferContents(Coordinates origin, BufferCell[,] contents)
        {
        }

        public override void SetBufferContents(Rectangle rectangle, BufferCell fill)
        {
        }
    }
}
