using System.Globalization;
using System.Text.Json;

namespace RegistryTools.Authentication;

/// <summary>
/// What a token service answers (distribution, "Token Authentication Specification", "Token Response Fields"; "OAuth2 Token Authentication", "Token Response").
/// </summary>
/// <param name="Value">The token.</param>
/// <param name="RefreshToken">One to be used from now on in place of the one that was sent; null for none.</param>
/// <param name="Lifetime">How long the token is good for, counted from when the answer came.</param>
internal sealed record TokenAnswer(string Value, string? RefreshToken, TimeSpan Lifetime)
{
    // What the specification has where the service does not say.
    private static readonly TimeSpan DefaultLifetime = TimeSpan.FromSeconds(60);
    private const long MaximumSeconds = 86400L * 365;

    /// <summary>Reads an answer; null where there is no token in it.</summary>
    /// <param name="body">The body.</param>
    /// <param name="date">The service's clock as it answered, from its <c>Date</c> header; null where it does not tell. The clock here is not asked: the two need not agree.</param>
    /// <exception cref="JsonException">The body is no JSON.</exception>
    public static TokenAnswer? Read(ReadOnlyMemory<byte> body, DateTimeOffset? date)
    {
        using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 16 });
        var root = document.RootElement;
        try
        {
            return Read(root, date);
        }
        catch (InvalidOperationException exception)
        {
            throw new JsonException("The name of a property is not valid Unicode.", exception);
        }
    }

    /// <summary>The text of a property of an object; null where there is none.</summary>
    public static string? Text(JsonElement element, string name)
    {
        try
        {
            return element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // Half a character.
            return null;
        }
    }

    private static TokenAnswer? Read(JsonElement root, DateTimeOffset? date)
    {
        var value = Text(root, "token") is { Length: > 0 } token ? token : Text(root, "access_token");
        if (!IsToken(value)) return null;

        var lifetime = root.TryGetProperty("expires_in", out var expires) && expires.ValueKind == JsonValueKind.Number && expires.TryGetInt64(out var seconds) && seconds is > 0 and < MaximumSeconds
            ? TimeSpan.FromSeconds(seconds)
            : DefaultLifetime;

        // One from a cache has been good for a while already.
        if (date is { } now
            && Text(root, "issued_at") is { } text
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var issued)
            && now > issued)
        {
            lifetime = now - issued < lifetime ? lifetime - (now - issued) : TimeSpan.Zero;
        }

        var refresh = Text(root, "refresh_token");
        return new TokenAnswer(value!, string.IsNullOrEmpty(refresh) ? null : refresh, lifetime);
    }

    /// <summary>Whether it may stand in a header.</summary>
    private static bool IsToken(string? value) => !string.IsNullOrEmpty(value) && !value!.Any(static c => c is < '!' or > '~');
}
