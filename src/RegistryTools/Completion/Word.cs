using System.Management.Automation;
using System.Management.Automation.Language;

namespace RegistryTools.PowerShell.Completion;

/// <summary>The word that is completed, with the quotes that were typed, and what a completion of it is written like: so that the shell reads the very text.</summary>
internal sealed class Word
{
    private const string Single = "'\u2018\u2019\u201a\u201b";
    private const string Double = "\"\u201c\u201d\u201e";
    private readonly bool _isDouble;
    private readonly bool _isQuoted;

    public Word(string? typed)
    {
        Text = typed ?? string.Empty;
        if (Text.Length == 0) return;
        _isDouble = Double.IndexOf(Text[0]) >= 0;
        _isQuoted = _isDouble || Single.IndexOf(Text[0]) >= 0;
        if (!_isQuoted) return;
        var kind = _isDouble ? Double : Single;
        Text = Text.Length > 1 && kind.IndexOf(Text[Text.Length - 1]) >= 0 ? Text.Substring(1, Text.Length - 2) : Text.Substring(1);
        if (!_isDouble) Text = Text.Replace("''", "'");
    }

    /// <summary>What was typed, without quotes.</summary>
    public string Text { get; }

    /// <summary>A text as it is inserted in the word's place.</summary>
    public string Write(string text)
    {
        if (_isDouble && text.IndexOf('$') < 0 && text.IndexOf('`') < 0 && !text.Any(c => Double.IndexOf(c) >= 0)) return "\"" + text + "\"";
        return !_isQuoted && IsBare(text) ? text : "'" + CodeGeneration.EscapeSingleQuotedStringContent(text) + "'";
    }

    /// <summary>Whether the shell reads this text as it stands: not what looks like a number or a parameter, nor what has a character that means something to it.</summary>
    private static bool IsBare(string text)
    {
        var script = Parser.ParseInput("x " + text, out _, out var errors);
        return errors.Length == 0
            && script.EndBlock?.Statements is { Count: 1 } statements
            && statements[0] is PipelineAst { PipelineElements: { Count: 1 } elements }
            && elements[0] is CommandAst { CommandElements: { Count: 2 } words, Redirections.Count: 0 }
            && words[1] is StringConstantExpressionAst { StringConstantType: StringConstantType.BareWord } word
            && word.Value == text;
    }
}
