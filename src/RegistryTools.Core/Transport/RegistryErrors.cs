using System.Net;
using System.Text;
using System.Text.Json;
using RegistryTools.Errors;

namespace RegistryTools.Transport;

/// <summary>What it means when an answer is an error.</summary>
internal static class RegistryErrors
{
    private const string EnableDeletion = "Deletion is disabled or not supported there. In the distribution registry it is enabled with REGISTRY_STORAGE_DELETE_ENABLED=true, or storage: delete: enabled: true in its configuration.";

    /// <summary>The URI as it may be shown: without user information, and without a query other than a list's page or a filter.</summary>
    public static Uri Shown(Uri uri)
    {
        if (uri.UserInfo.Length == 0 && (uri.Query.Length == 0 || uri.AbsolutePath.EndsWith("/tags/list", StringComparison.Ordinal) || uri.AbsolutePath.EndsWith("/_catalog", StringComparison.Ordinal))) return uri;
        return new UriBuilder(uri) { Query = string.Empty, UserName = string.Empty, Password = string.Empty }.Uri;
    }

    /// <summary>Scheme, host and port, without user information.</summary>
    public static string Server(Uri uri) => uri.Scheme + "://" + uri.Authority;

    /// <summary>The error that an answer is.</summary>
    /// <param name="method">The request's method.</param>
    /// <param name="uri">Its URI.</param>
    /// <param name="response">The answer.</param>
    /// <param name="body">The beginning of the answer's body.</param>
    /// <param name="identified">Whether the request was sent with credentials, or with a token got for them.</param>
    public static RegistryRequestException From(string method, Uri uri, HttpResponseMessage response, byte[] body, bool identified)
    {
        var shown = Shown(uri);
        var status = (int)response.StatusCode;
        var errors = Parse(body);
        var registry = shown.Authority;
        var told = errors.Count > 0
            ? string.Join("; ", errors.Select(error => (error.Code.Length > 0 ? error.Code : "error") + (error.Message.Length > 0 ? " (" + Text.Shown.Short(error.Message, 200) + ")" : string.Empty)))
            : Describe(body, response.Content.Headers.ContentType?.MediaType);
        var message = $"{registry} answered {(status + " " + Reason(response.StatusCode)).TrimEnd()} to {method} {shown}{(told.Length > 0 ? ": " + told : string.Empty)}.";
        switch (response.StatusCode)
        {
            case HttpStatusCode.Unauthorized:
                return new RegistryUnauthorizedException(
                    message,
                    method,
                    shown,
                    status,
                    errors,
                    identified
                        ? "It did not accept the credentials, or the user has no right to do this: check the user name and the password or token."
                        : "Give credentials that this registry accepts: Connect-Registry … -Credential (Get-Credential).");
            case HttpStatusCode.Forbidden:
                return new RegistryDeniedException(message, method, shown, status, errors, "The user has no right to do this there.");
            case HttpStatusCode.NotFound:
                return new RegistryNotFoundException(message, method, shown, status, errors);
            case HttpStatusCode.MethodNotAllowed:
            case HttpStatusCode.BadRequest when Has(errors, "UNSUPPORTED"):
                return new RegistryUnsupportedException(message, method, shown, status, errors, method == "DELETE" ? EnableDeletion : null);
            case (HttpStatusCode)429:
                return new RegistryRequestException(message, method, shown, status, errors, "The registry limits how often it is asked. Wait, or lower -ThrottleLimit.");
            case >= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest:
                return new RegistryProtocolException(message, method, shown, status, $"It points elsewhere{Elsewhere(response.Headers.Location)}. Connect to the address that it points to.");
            default:
                return new RegistryRequestException(message, method, shown, status, errors);
        }
    }

    /// <summary>The <c>errors[]</c> of a body; none where it is no such body.</summary>
    public static IReadOnlyList<RegistryErrorEntry> Parse(byte[] body)
    {
        if (body.Length == 0) return [];
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 32 });
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("errors", out var list) || list.ValueKind != JsonValueKind.Array) return [];
            var errors = new List<RegistryErrorEntry>();
            foreach (var item in list.EnumerateArray())
            {
                if (item.ValueKind != JsonValueKind.Object || errors.Count == 32) continue;
                errors.Add(new RegistryErrorEntry(
                    Text.Shown.Short(Get(item, "code"), 100),
                    Text.Shown.Short(Get(item, "message"), 500),
                    item.TryGetProperty("detail", out var detail) && detail.ValueKind != JsonValueKind.Null ? Text.Shown.Short(detail.GetRawText(), 500) : null));
            }

            return errors;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return [];
        }
    }

    /// <summary>A body that is not understood, in a few words.</summary>
    public static string Describe(byte[] body, string? mediaType)
    {
        if (body.Length == 0) return string.Empty;
        var text = Encoding.UTF8.GetString(body, 0, Math.Min(body.Length, 400)).Trim();
        if (text.StartsWith("<", StringComparison.Ordinal) || mediaType is "text/html") return "a web page (text/html) instead of JSON";
        return "'" + Text.Shown.Short(text, 120) + "'";
    }

    public static string Reason(HttpStatusCode status) => (int)status switch
    {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => status.ToString() is { } name && !char.IsDigit(name[0]) ? name : string.Empty,
    };

    private static string Elsewhere(Uri? location) => location is { IsAbsoluteUri: true } ? ", to " + Server(location) : string.Empty;

    private static bool Has(IReadOnlyList<RegistryErrorEntry> errors, string code) => errors.Any(error => error.Code.Equals(code, StringComparison.OrdinalIgnoreCase));

    private static string? Get(JsonElement item, string name) => item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
