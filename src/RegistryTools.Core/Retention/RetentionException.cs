using RegistryTools.Errors;

namespace RegistryTools.Retention;

/// <summary>A rule of retention that is none, or that can't be applied.</summary>
public class RetentionException(string message, string? remedy = null, Exception? innerException = null) : RegistryToolsException(message, remedy, innerException);

/// <summary>A policy would remove more than it may: nothing was removed.</summary>
public sealed class RetentionLimitException(string message, string? remedy) : RetentionException(message, remedy);

/// <summary>Something in a policy's file is wrong.</summary>
/// <param name="message">What is wrong.</param>
/// <param name="path">Where, as in <c>$.policies[0].olderThan</c>.</param>
/// <param name="line">The line in the file, from 1 on.</param>
public sealed class RetentionPolicyException(string message, string path, int line) : RetentionException(message, null)
{
    /// <summary>Where in the document.</summary>
    public string Path { get; } = path;

    /// <summary>The line in the file, from 1 on.</summary>
    public int Line { get; } = line;
}
