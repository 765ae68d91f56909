using System.Globalization;

namespace RegistryTools.Transport;

/// <summary>The Retry-After header (RFC 9110, section 10.2.3): seconds, or a date.</summary>
public static class RetryAfter
{
    /// <summary>The three forms of an HTTP date (RFC 9110, section 5.6.7).</summary>
    private static readonly string[] Dates = ["ddd, dd MMM yyyy HH:mm:ss 'GMT'", "dddd, dd-MMM-yy HH:mm:ss 'GMT'", "ddd MMM d HH:mm:ss yyyy"];

    /// <summary>How long to wait; null where the value says nothing. Never negative, never more than a year.</summary>
    public static TimeSpan? Parse(string? value, DateTimeOffset now)
    {
        var text = value?.Trim();
        if (string.IsNullOrEmpty(text)) return null;
        var year = TimeSpan.FromDays(365);
        if (text!.All(static c => c is >= '0' and <= '9'))
        {
            return double.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds < year.TotalSeconds ? TimeSpan.FromSeconds(seconds) : year;
        }

        if (!DateTimeOffset.TryParseExact(text, Dates, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces, out var date)) return null;
        var wait = date - now;
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait > year ? year : wait;
    }
}
