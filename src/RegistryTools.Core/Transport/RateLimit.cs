using System.Globalization;

namespace RegistryTools.Transport;

/// <summary>
/// What a registry says of how often it may be asked, in any of the forms there are: Docker Hub's (<c>ratelimit-limit: 100;w=21600</c>), the separate headers <c>RateLimit-Limit</c>, <c>-Remaining</c> and
/// <c>-Reset</c> of the earlier IETF drafts (also with <c>X-</c> before them), and the drafts' <c>RateLimit</c> and <c>RateLimit-Policy</c>. What is not understood is left out, never an error.
/// </summary>
public sealed class RateLimit
{
    private const int MaximumLength = 1024;
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3660);

    private RateLimit(long? limit, long? remaining, TimeSpan? window, DateTimeOffset? reset, string? source, DateTimeOffset seen)
    {
        Limit = limit;
        Remaining = remaining;
        Window = window;
        Reset = reset;
        Source = source;
        Seen = seen;
    }

    /// <summary>How many requests a window has; null where it was not said.</summary>
    public long? Limit { get; }

    /// <summary>How many of them are left; null where it was not said.</summary>
    public long? Remaining { get; }

    /// <summary>How long the window is; null where it was not said.</summary>
    public TimeSpan? Window { get; }

    /// <summary>When the count begins anew, by the clock here; null where it was not said.</summary>
    public DateTimeOffset? Reset { get; }

    /// <summary>Whom it is counted for, an address or a user (<c>Docker-RateLimit-Source</c>); null where it was not said.</summary>
    public string? Source { get; }

    /// <summary>When the answer came.</summary>
    public DateTimeOffset Seen { get; }

    /// <summary>Such as <c>98 of 100 left</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{Remaining?.ToString(CultureInfo.InvariantCulture) ?? "?"} of {Limit?.ToString(CultureInfo.InvariantCulture) ?? "?"} left");

    /// <summary>Reads an answer's headers; null where they say nothing of a limit.</summary>
    /// <param name="header">A header's first value by its name; null where it is not there.</param>
    /// <param name="now">When the answer came.</param>
    public static RateLimit? Parse(Func<string, string?> header, DateTimeOffset now)
    {
        string? Get(string name) => (header(name) ?? header("X-" + name)) is { Length: > 0 and <= MaximumLength } value ? value.Trim() : null;

        // draft-ietf-httpapi-ratelimit-headers-08 and later: "default";r=50;t=30 and "default";q=100;w=60. Those before: limit=100, remaining=50, reset=30.
        var combined = Get("RateLimit");
        var policy = Get("RateLimit-Policy");
        var limits = Get("RateLimit-Limit");
        var remains = Get("RateLimit-Remaining");
        var limit = Number(First(limits)) ?? Parameter(combined, "limit") ?? Parameter(policy, "q") ?? Number(First(policy));
        var remaining = Number(First(remains)) ?? Parameter(combined, "remaining") ?? Parameter(combined, "r");
        var window = Parameter(limits, "w") ?? Parameter(remains, "w") ?? Parameter(policy, "w");
        var reset = Number(First(Get("RateLimit-Reset"))) ?? Parameter(combined, "reset") ?? Parameter(combined, "t");
        if (limit is null && remaining is null && reset is null) return null;
        var source = Get("Docker-RateLimit-Source");
        return new RateLimit(limit, remaining, Span(window), When(reset, now), source is null ? null : Text.Shown.Short(source, 100), now);
    }

    /// <summary>The first item of a list, without its parameters.</summary>
    private static string? First(string? value)
    {
        if (value is null) return null;
        var end = value.IndexOfAny([';', ',']);
        return (end < 0 ? value : value.Substring(0, end)).Trim();
    }

    /// <summary>The number that stands behind a name, wherever in the value.</summary>
    private static long? Parameter(string? value, string name)
    {
        foreach (var part in value?.Split([';', ','], StringSplitOptions.RemoveEmptyEntries) ?? [])
        {
            var equals = part.IndexOf('=');
            if (equals > 0 && part.Substring(0, equals).Trim().Equals(name, StringComparison.OrdinalIgnoreCase)) return Number(part.Substring(equals + 1).Trim());
        }

        return null;
    }

    private static long? Number(string? text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static TimeSpan? Span(long? seconds) => seconds is { } known ? known > Longest.TotalSeconds ? null : TimeSpan.FromSeconds(known) : null;

    /// <summary>The drafts count seconds from now; GitHub's and others' headers of the same name give the Unix time.</summary>
    private static DateTimeOffset? When(long? reset, DateTimeOffset now) => reset switch
    {
        null => null,
        >= 1_000_000_000 and < 100_000_000_000 => DateTimeOffset.FromUnixTimeSeconds(reset.Value),
        _ => Span(reset) is { } wait ? now + wait : null,
    };
}
