namespace RegistryTools.PowerShell.Completion;

/// <summary>Something that could be completed to.</summary>
/// <param name="text">What is inserted.</param>
/// <param name="note">What else there is to say of it; null for nothing.</param>
internal sealed class Candidate(string text, string? note = null)
{
    public string Text { get; } = text;

    public string? Note { get; } = note;
}
