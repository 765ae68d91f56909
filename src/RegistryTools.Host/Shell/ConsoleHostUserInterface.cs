using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;
using System.Text;

namespace RegistryTools.Host.Shell;

/// <summary>
/// What PowerShell writes, and what it asks. Errors and progress go to standard error, everything else to standard output, as in pwsh.
/// Where nobody can answer, a question is an error that says so; it never waits, and it never takes an answer for granted.
/// </summary>
public sealed class ConsoleHostUserInterface : PSHostUserInterface
{
    private const string Reset = "\x1b[0m";
    private const string Yellow = "\x1b[33;1m";
    private const string Red = "\x1b[31;1m";

    private readonly IShellTerminal terminal;
    private readonly RawUserInterface raw;
    private readonly ProgressLine progress;
    private readonly LineReader lines;

    internal ConsoleHostUserInterface(IShellTerminal terminal, RawUserInterface raw, bool interactive)
    {
        this.terminal = terminal;
        this.raw = raw;
        Interactive = interactive;
        progress = new ProgressLine(terminal);
        lines = new LineReader(terminal.Input);
    }

    /// <summary>Whether questions may be asked.</summary>
    public bool Interactive { get; }

    /// <summary>Set while a command runs: who waits for an answer then stops waiting when the command is stopped.</summary>
    internal CancellationToken Interruption { get; set; }

    /// <summary>Whether what is written is an error, although it comes as output.</summary>
    internal bool WritesErrors { get; set; }

    /// <inheritdoc/>
    public override PSHostRawUserInterface RawUI => raw;

    /// <inheritdoc/>
    public override bool SupportsVirtualTerminal => terminal.UseColour;

    /// <inheritdoc/>
    public override void Write(string value)
    {
        if (WritesErrors)
            PutError(value);
        else
            Put(terminal.Output, value);
    }

    /// <inheritdoc/>
    public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) => Put(terminal.Output, Coloured(value, foregroundColor));

    /// <inheritdoc/>
    public override void WriteLine(string value) => Write(value + Environment.NewLine);

    /// <inheritdoc/>
    public override void WriteLine(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) =>
        Put(terminal.Output, Coloured(value, foregroundColor) + Environment.NewLine);

    /// <inheritdoc/>
    public override void WriteErrorLine(string value)
    {
        // The engine has coloured the errors that it formats; what others write through here comes plain.
        bool plain = value is not null && !value.Contains('\x1b', StringComparison.Ordinal);
        PutError((plain ? Red + value + Reset : value) + Environment.NewLine);
    }

    /// <inheritdoc/>
    public override void WriteWarningLine(string message) => WriteMarked("WARNING: ", message);

    /// <inheritdoc/>
    public override void WriteVerboseLine(string message) => WriteMarked("VERBOSE: ", message);

    /// <inheritdoc/>
    public override void WriteDebugLine(string message) => WriteMarked("DEBUG: ", message);

    /// <inheritdoc/>
    public override void WriteProgress(long sourceId, ProgressRecord record) => progress.Show(record, raw.BufferSize.Width);

    /// <summary>Takes the progress line away, if one stands there: what it told about has ended.</summary>
    internal void EndProgress() => progress.Clear();

    /// <summary>Reads a line of input for the prompt itself; null where the input has ended.</summary>
    internal string? ReadInput(string prompt, CancellationToken cancellation)
    {
        Put(terminal.Output, prompt);
        return lines.Read(cancellation);
    }

    /// <inheritdoc/>
    public override string ReadLine()
    {
        RequireInteractive("a line");
        return ReadAnswer();
    }

    /// <inheritdoc/>
    public override SecureString ReadLineAsSecureString()
    {
        RequireInteractive("a secret");
        progress.Clear();
        var secret = new SecureString();
        if (!terminal.InputIsTerminal)
        {
            foreach (char c in ReadAnswer())
                secret.AppendChar(c);
            secret.MakeReadOnly();
            return secret;
        }
        while (true)
        {
            // A blocking read would keep a stopped command waiting for a key.
            while (!terminal.KeyAvailable)
            {
                if (Interruption.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(20)))
                    throw new PipelineStoppedException();
            }
            ConsoleKeyInfo key = terminal.ReadKey(intercept: true);
            switch (key.Key)
            {
                case ConsoleKey.Enter:
                    terminal.Output.WriteLine();
                    secret.MakeReadOnly();
                    return secret;
                case ConsoleKey.Backspace:
                    if (secret.Length > 0)
                    {
                        secret.RemoveAt(secret.Length - 1);
                        terminal.Output.Write("\b \b");
                    }
                    break;
                default:
                    if (!char.IsControl(key.KeyChar))
                    {
                        secret.AppendChar(key.KeyChar);
                        terminal.Output.Write('*');
                    }
                    break;
            }
        }
    }

    /// <inheritdoc/>
    public override Dictionary<string, PSObject?> Prompt(string caption, string message, Collection<FieldDescription> descriptions)
    {
        ArgumentNullException.ThrowIfNull(descriptions);
        RequireInteractive(Names(descriptions.Select(d => d.Name)));
        WriteHeading(caption, message);
        var answers = new Dictionary<string, PSObject?>(StringComparer.OrdinalIgnoreCase);
        foreach (FieldDescription field in descriptions)
            answers[field.Name] = AskField(field);
        return answers;
    }

    /// <inheritdoc/>
    public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice)
    {
        ArgumentNullException.ThrowIfNull(choices);
        if (choices.Count == 0)
            throw new ArgumentException("There is nothing to choose from.", nameof(choices));
        if (defaultChoice < -1 || defaultChoice >= choices.Count)
            throw new ArgumentOutOfRangeException(nameof(defaultChoice));
        if (!Interactive)
        {
            string question = string.Join(" ", new[] { caption, message }.Where(s => !string.IsNullOrWhiteSpace(s)).Select(s => s.Trim()));
            throw NotInteractive(Quoted(question), "Answer beforehand: -Confirm:$false, -Force, or -WhatIf to see what would be done.");
        }

        WriteHeading(caption, message);
        Choice[] labels = [.. choices.Select(c => Choice.From(c))];
        while (true)
        {
            Put(terminal.Output, Question(labels, defaultChoice));
            string answer = ReadAnswer().Trim();
            if (answer.Length == 0)
            {
                if (defaultChoice >= 0)
                    return defaultChoice;
                continue;
            }
            int chosen = Array.FindIndex(labels, l => l.HotKey.Length > 0 && l.HotKey.Equals(answer, StringComparison.OrdinalIgnoreCase));
            if (chosen < 0)
                chosen = Array.FindIndex(labels, l => l.Label.Equals(answer, StringComparison.OrdinalIgnoreCase));
            if (chosen >= 0)
                return chosen;
            if (answer == "?")
            {
                for (int i = 0; i < labels.Length; i++)
                    WriteLine($"{(labels[i].HotKey.Length > 0 ? labels[i].HotKey : labels[i].Label)} - {choices[i].HelpMessage}");
            }
        }
    }

    /// <inheritdoc/>
    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) =>
        PromptForCredential(caption, message, userName, targetName, PSCredentialTypes.Default, PSCredentialUIOptions.Default);

    /// <inheritdoc/>
    public override PSCredential PromptForCredential(
        string caption, string message, string userName, string targetName, PSCredentialTypes allowedCredentialTypes, PSCredentialUIOptions options)
    {
        RequireInteractive("a credential");
        WriteHeading(caption, message);
        while (string.IsNullOrWhiteSpace(userName))
        {
            Put(terminal.Output, "User: ");
            userName = ReadAnswer();
        }
        Put(terminal.Output, $"Password for user {userName}: ");
        return new PSCredential(userName, ReadLineAsSecureString());
    }

    internal static HostException NotInteractive(string what, string? advice = null) => new(
        $"This host is not interactive: nobody can be asked for {what}.{(advice is null ? "" : " " + advice)}",
        innerException: null, "HostIsNotInteractive", ErrorCategory.InvalidOperation);

    private static string Quoted(string question) => question.Length == 0 ? "a choice" : $"an answer to \"{question}\"";

    private static string Names(IEnumerable<string> names)
    {
        string joined = string.Join(", ", names);
        return joined.Length == 0 ? "input" : "a value of " + joined;
    }

    private static string Question(Choice[] labels, int defaultChoice)
    {
        var question = new StringBuilder();
        foreach (Choice label in labels)
            question.Append(label.HotKey.Length > 0 ? $"[{label.HotKey}] {label.Label}  " : $"{label.Label}  ");
        question.Append("[?] Help");
        if (defaultChoice >= 0)
            question.Append(CultureInfo.InvariantCulture, $" (default is \"{(labels[defaultChoice].HotKey is { Length: > 0 } key ? key : labels[defaultChoice].Label)}\")");
        return question.Append(": ").ToString();
    }

    private void RequireInteractive(string what)
    {
        if (!Interactive)
            throw NotInteractive(what);
    }

    private string ReadAnswer()
    {
        progress.Clear();
        try
        {
            return lines.Read(Interruption) ?? throw new HostException(
                "The input ended where an answer was expected.", innerException: null, "HostInputEnded", ErrorCategory.ReadError);
        }
        catch (OperationCanceledException)
        {
            throw new PipelineStoppedException();
        }
    }

    private PSObject? AskField(FieldDescription field)
    {
        Type type = Type.GetType(field.ParameterAssemblyFullName) ?? Type.GetType(field.ParameterTypeFullName) ?? typeof(string);
        if (type == typeof(PSCredential))
            return PSObject.AsPSObject(PromptForCredential("", "", "", field.Name));
        if (type == typeof(SecureString))
        {
            Put(terminal.Output, field.Name + ": ");
            return PSObject.AsPSObject(ReadLineAsSecureString());
        }
        if (type.IsArray && type != typeof(byte[]))
        {
            var items = new List<object?>();
            while (AskValue($"{field.Name}[{items.Count}]: ", type.GetElementType()!, emptyEnds: true) is { } item)
                items.Add(item.BaseObject);
            return PSObject.AsPSObject(LanguagePrimitives.ConvertTo(items.ToArray(), type, CultureInfo.CurrentCulture));
        }
        return AskValue(field.Name + ": ", type, emptyEnds: false) ?? field.DefaultValue;
    }

    private PSObject? AskValue(string prompt, Type type, bool emptyEnds)
    {
        while (true)
        {
            Put(terminal.Output, prompt);
            string answer = ReadAnswer();
            if (emptyEnds && answer.Length == 0)
                return null;
            try
            {
                return PSObject.AsPSObject(LanguagePrimitives.ConvertTo(answer, type, CultureInfo.CurrentCulture));
            }
            catch (PSInvalidCastException e)
            {
                WriteErrorLine(e.Message);
            }
        }
    }

    private void WriteHeading(string caption, string message)
    {
        progress.Clear();
        if (!string.IsNullOrEmpty(caption))
            WriteLine(terminal.UseColour ? $"\x1b[1m{caption}{Reset}" : caption);
        if (!string.IsNullOrEmpty(message))
            WriteLine(message);
    }

    private void WriteMarked(string mark, string message) => Put(terminal.Output, Yellow + mark + message + Reset + Environment.NewLine);

    private void PutError(string? text) => Put(terminal.Error, text, terminal.UseColour && terminal.ErrorIsTerminal);

    private void Put(TextWriter writer, string? text) => Put(writer, text, terminal.UseColour);

    private void Put(TextWriter writer, string? text, bool colour)
    {
        progress.Clear();
        text ??= "";
        writer.Write(colour ? text : TerminalText.WithoutEscapes(text));
        writer.Flush();
    }

    private static string Coloured(string value, ConsoleColor colour)
    {
        // ConsoleColor counts blue-green-red, terminals red-green-blue.
        ReadOnlySpan<int> order = [0, 4, 2, 6, 1, 5, 3, 7];
        int index = (int)colour;
        return $"\x1b[{(index > 7 ? 90 : 30) + order[index % 8]}m{value}{Reset}";
    }

    private readonly record struct Choice(string HotKey, string Label)
    {
        public static Choice From(ChoiceDescription choice)
        {
            int mark = choice.Label.IndexOf('&', StringComparison.Ordinal);
            return mark >= 0 && mark + 1 < choice.Label.Length
                ? new Choice(choice.Label.Substring(mark + 1, 1).ToUpperInvariant(), choice.Label.Remove(mark, 1))
                : new Choice("", choice.Label.Trim('&'));
        }
    }
}
