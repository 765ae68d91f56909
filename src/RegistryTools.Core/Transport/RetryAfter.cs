using System.Globalization;

namespace RegistryTools.Transport;

/// <summary>The Retry-After header (RFC 9110, section 10.2.3): seconds, or a date.</summary>
public static class RetryAfter
{
    /// <summary>How long to wait; null where the value says nothing. Never negative, never more than a year.</summary>
    public static TimeSpan? Parse(string? value, DateTimeOffset now)
    {
        var text = value?.Trim();
        if (string.IsNullOrEmpty(text)) return null;
        var year = TimeSpan.FromDays(365);
        if (text!.All(c => c is >= '0' and <= '9'))
        {
            return double.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds < year.TotalSeconds ? TimeSpan.FromSeconds(seconds) : year;
        }

        // Every form of date that HTTP has begins with the day of the week; "1.5" is none, though it could be read as one.
        if (text![0] is not ((>= 'A' and <= 'Z') or (>= 'a' and <= 'z'))) return null;
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AllowWhiteSpaces, out var date)) return null;
        var wait = date - now;
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait > year ? year : wait;
    }
}
