namespace RegistryTools.PowerShell.Completion;

/// <summary>Something that could be completed to.</summary>
/// <param name="text">What is inserted.</param>
/// <param name="note">What else there is to say of it; null for nothing.</param>
/// <param name="label">What it is called in a list; null for the text itself.</param>
internal sealed class Candidate(string text, string? note = null, string? label = null)
{
    public string Text { get; } = text;

    public string? Note { get; } = note;

    public string? Label { get; } = label;
}
