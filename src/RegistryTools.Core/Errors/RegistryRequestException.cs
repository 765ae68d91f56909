namespace RegistryTools.Errors;

/// <summary>One entry of a registry's error body, <c>errors[]</c> (distribution-spec, "Error Codes").</summary>
/// <param name="Code">The code, such as <c>MANIFEST_UNKNOWN</c>; empty where the registry sent none.</param>
/// <param name="Message">The registry's message; may be empty.</param>
/// <param name="Detail">The detail as JSON text, or null.</param>
public sealed record RegistryErrorEntry(string Code, string Message, string? Detail);

/// <summary>
/// A request that a registry answered with an error, or with something that is not an answer, or not at all. Carries what was asked
/// and what came back. Never carries headers, so no credential can be in it.
/// </summary>
public class RegistryRequestException : RegistryToolsException
{
    /// <summary>Makes the error.</summary>
    public RegistryRequestException(
        string message,
        string method,
        Uri uri,
        int? statusCode = null,
        IReadOnlyList<RegistryErrorEntry>? errors = null,
        string? remedy = null,
        Exception? innerException = null)
        : base(message, remedy, innerException)
    {
        Method = method;
        Uri = Text.Secrets.Hide(uri);
        StatusCode = statusCode;
        Errors = errors ?? [];
    }

    /// <summary>The HTTP method.</summary>
    public string Method { get; }

    /// <summary>The request's URI, without user information and without the query where that may hold a secret.</summary>
    public Uri Uri { get; }

    /// <summary>The HTTP status, or null where no answer came.</summary>
    public int? StatusCode { get; }

    /// <summary>The registry's own errors; empty where it sent none.</summary>
    public IReadOnlyList<RegistryErrorEntry> Errors { get; }

    /// <summary>Whether the registry gave this code among its errors.</summary>
    public bool HasCode(string code)
    {
        foreach (var error in Errors)
        {
            if (string.Equals(error.Code, code, StringComparison.OrdinalIgnoreCase)) return true;
        }

        return false;
    }
}

/// <summary>401: the registry wants credentials, or does not accept those it was given; or the token service refused.</summary>
public sealed class RegistryUnauthorizedException(
    string message, string method, Uri uri, int? statusCode, IReadOnlyList<RegistryErrorEntry>? errors = null, string? remedy = null, Exception? innerException = null)
    : RegistryRequestException(message, method, uri, statusCode, errors, remedy, innerException);

/// <summary>403: the registry knows who asks and does not allow it.</summary>
public sealed class RegistryDeniedException(
    string message, string method, Uri uri, int? statusCode, IReadOnlyList<RegistryErrorEntry>? errors = null, string? remedy = null)
    : RegistryRequestException(message, method, uri, statusCode, errors, remedy);

/// <summary>404: the repository, tag, manifest or blob is not there.</summary>
public sealed class RegistryNotFoundException(
    string message, string method, Uri uri, int? statusCode, IReadOnlyList<RegistryErrorEntry>? errors = null, string? remedy = null)
    : RegistryRequestException(message, method, uri, statusCode, errors, remedy);

/// <summary>
/// The registry's own word that it does not do this: 405, or 400 with UNSUPPORTED (or, for a tag's deletion, DIGEST_INVALID or
/// TAG_INVALID). Deletion that is switched off is told this way.
/// </summary>
public sealed class RegistryUnsupportedException(
    string message, string method, Uri uri, int? statusCode, IReadOnlyList<RegistryErrorEntry>? errors = null, string? remedy = null)
    : RegistryRequestException(message, method, uri, statusCode, errors, remedy);

/// <summary>No answer: the name does not resolve, the connection was refused, reset or timed out, or TLS failed.</summary>
public class RegistryUnreachableException(
    string message, string method, Uri uri, string? remedy = null, Exception? innerException = null)
    : RegistryRequestException(message, method, uri, null, null, remedy, innerException)
{
    /// <summary>Whether the other side was seen to speak TLS, so that plain http is not to be tried there.</summary>
    internal bool SpeaksTls { get; init; }
}

/// <summary>An answer that is not a registry's: HTML, JSON cut short or of another shape, a body over the limit, a header that lies.</summary>
public sealed class RegistryProtocolException(
    string message, string method, Uri uri, int? statusCode, string? remedy = null, Exception? innerException = null)
    : RegistryRequestException(message, method, uri, statusCode, null, remedy, innerException);
