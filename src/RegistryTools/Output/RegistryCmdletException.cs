using System.Management.Automation;

namespace RegistryTools.PowerShell;

/// <summary>
/// The exception of this module's errors: what a script asks of <c>$_.Exception</c>. The inner exception is the core's, where the error
/// came from there.
/// </summary>
public sealed class RegistryCmdletException : Exception, IContainsErrorRecord
{
    /// <summary>Makes the exception.</summary>
    public RegistryCmdletException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }

    /// <summary>The registry, by its connection's name; null where the error is of none.</summary>
    public string? Registry { get; init; }

    /// <summary>The repository, or null.</summary>
    public string? Repository { get; init; }

    /// <summary>The tag or digest, or null.</summary>
    public string? Reference { get; init; }

    /// <summary>The request's HTTP method, or null.</summary>
    public string? Method { get; init; }

    /// <summary>The request's URI, or null.</summary>
    public Uri? Uri { get; init; }

    /// <summary>The HTTP status, or null where there was no answer.</summary>
    public int? StatusCode { get; init; }

    /// <summary>The registry's own error codes, such as <c>MANIFEST_UNKNOWN</c>.</summary>
    public string[] Codes { get; init; } = [];

    /// <summary>What can be done about it, or null.</summary>
    public string? Remedy { get; init; }

    /// <summary>The record that it is part of: where a provider ends a command, the engine keeps the exception alone and asks it for the rest.</summary>
    internal ErrorRecord? Record { get; set; }

    ErrorRecord? IContainsErrorRecord.ErrorRecord => Record;
}
