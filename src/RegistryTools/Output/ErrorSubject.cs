namespace RegistryTools.PowerShell.Output;

/// <summary>What an error is about.</summary>
/// <param name="Target">The object that goes into the error record: what the user gave, or what was made of it.</param>
/// <param name="Registry">The connection's name.</param>
/// <param name="Repository">The repository.</param>
/// <param name="Reference">The tag or digest.</param>
internal sealed record ErrorSubject(object? Target, string? Registry = null, string? Repository = null, string? Reference = null)
{
    public static ErrorSubject None { get; } = new((object?)null);
}
