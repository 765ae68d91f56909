using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Text;
using System.Text.RegularExpressions;
using RegistryTools.PowerShell.Output;

namespace RegistryTools.PowerShell;

/// <summary>
/// How this module's views write values for people: the objects keep the numbers, times and digests. Nothing depends on the culture, and what is null is an empty text. Values that came from another process, and are texts by
/// now, are taken as well.
/// </summary>
public static class Display
{
#if NET
    internal const string Ellipsis = "\u2026";
#else
    // The consoles of Windows PowerShell may not have it; the engine itself writes three periods there.
    internal const string Ellipsis = "...";
#endif

    private const int DigestDigits = 12;
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    private static readonly Regex LongDigest = new("\\b([a-z0-9+._-]+:[0-9a-f]{12})[0-9a-f]{20,}", RegexOptions.CultureInvariant);

    /// <summary>A number of bytes in at most seven characters: <c>999 B</c>, <c>1.2 kB</c>, <c>34 GB</c>.</summary>
    public static string Size(object? bytes) => Number(bytes) is { } number ? Size(number) : Text(bytes);

    /// <summary>The same, with the exact number behind it: <c>1.2 kB (1,234 bytes)</c>.</summary>
    public static string Bytes(object? bytes) =>
        Number(bytes) is not { } number ? Text(bytes) : number is > -1000 and < 1000 ? Size(number) : string.Format(CultureInfo.InvariantCulture, "{0} ({1:N0} bytes)", Size(number), number);

    /// <summary>A count: <c>12,345</c>.</summary>
    public static string Count(object? number) => Number(number) is { } value ? value.ToString("N0", CultureInfo.InvariantCulture) : Text(number);

    /// <summary>How long ago a time is, in at most thirteen characters: <c>11 months ago</c>. The date, where that says more: of builds that claim to be of 1970, and of what is to come.</summary>
    public static string Age(object? time) => Age(time, DateTimeOffset.UtcNow);

    /// <summary>A time, and how long ago that is: <c>2024-01-31 12:00:00 +01:00 (3 weeks ago)</c>.</summary>
    public static string Time(object? time) => Time(time, DateTimeOffset.UtcNow);

    /// <summary>How long something took: <c>1.5 s</c>, <c>3 min 20 s</c>, <c>2 h 5 min</c>.</summary>
    public static string Duration(object? duration)
    {
        if (Bare(duration) is not TimeSpan span && !TimeSpan.TryParse(Text(duration), CultureInfo.InvariantCulture, out span)) return Text(duration);
        var (sign, length) = span < TimeSpan.Zero ? ("-", span.Negate()) : (string.Empty, span);
        if (length.TotalSeconds < 9.95) return string.Format(CultureInfo.InvariantCulture, "{0}{1:0.0} s", sign, length.TotalSeconds);
        if (length.TotalSeconds < 60) return string.Format(CultureInfo.InvariantCulture, "{0}{1:0} s", sign, Math.Floor(length.TotalSeconds));
        if (length.TotalMinutes < 60) return string.Format(CultureInfo.InvariantCulture, "{0}{1} min {2} s", sign, length.Minutes, length.Seconds);
        return length.TotalDays < 2
            ? string.Format(CultureInfo.InvariantCulture, "{0}{1} h {2} min", sign, (int)length.TotalHours, length.Minutes)
            : string.Format(CultureInfo.InvariantCulture, "{0}{1} days {2} h", sign, length.Days, length.Hours);
    }

    /// <summary>The first twelve digits of a digest, as Docker shortens it.</summary>
    public static string Digest(object? digest)
    {
        var text = Text(digest);
        var from = text.IndexOf(':') + 1;
        return text.Length - from > DigestDigits ? text.Substring(from, DigestDigits) : text.Substring(from);
    }

    /// <summary>A text in one line, without characters that move the cursor or colour the terminal: what an image or a registry says of itself is not trusted.</summary>
    public static string Line(object? text) => Text(text) is { Length: > 0 } line ? RegistryTools.Text.Shown.Short(line, int.MaxValue) : string.Empty;

    /// <summary>The same, cut to a width.</summary>
    public static string Fit(object? text, int width)
    {
        var line = Line(text);
        return line.Length <= width ? line : line.Substring(0, Math.Max(0, width - Ellipsis.Length)) + Ellipsis;
    }

    /// <summary>A text in one line whose digests are shortened.</summary>
    public static string Message(object? text) => LongDigest.Replace(Line(text), "$1" + Ellipsis);

    /// <summary>Several values in one line, a comma between them.</summary>
    public static string Join(object? values) => string.Join(", ", Values(values));

    /// <summary>Several values, each in a line of its own.</summary>
    public static string Lines(object? values) => string.Join(Environment.NewLine, Values(values));

    /// <summary>Platforms in as much as a column holds: <c>linux/amd64, arm64 +3</c>. An operating system that is the one before is left out, and so is the variant that every arm64 is of.</summary>
    public static string Platforms(object? platforms, int width)
    {
        var all = Values(platforms).Select(static platform => platform.EndsWith("/arm64/v8", StringComparison.Ordinal) ? platform.Substring(0, platform.Length - 3) : platform).ToList();
        if (all.Count == 0) return string.Empty;
        var shown = new StringBuilder();
        var system = string.Empty;
        for (var i = 0; i < all.Count; i++)
        {
            var slash = all[i].IndexOf('/');
            var own = slash < 0 ? all[i] : all[i].Substring(0, slash);
            var next = i > 0 && slash >= 0 && own == system ? ", " + all[i].Substring(slash + 1) : i > 0 ? ", " + all[i] : all[i];
            system = own;
            if (i > 0 && shown.Length + next.Length + Rest(all.Count - i - 1).Length > width) return shown + Rest(all.Count - i);
            shown.Append(i > 0 ? next : Fit(next, Math.Max(1, width - Rest(all.Count - 1).Length)));
        }

        return shown.ToString();
    }

    /// <summary>What a tag leads to, for a column: its platforms, its kind of artifact, or its kind.</summary>
    public static string Contents(object? platforms, object? artifactType, object? kind, object? isPlaceholder, int width)
    {
        if (IsTrue(isPlaceholder)) return Paint("(placeholder)", Styles.Dim);
        if (Platforms(platforms, width) is { Length: > 0 } shown) return shown;
        return Text(artifactType).Length > 0 ? Fit(MediaType(artifactType), width) : Fit(kind, width);
    }

    /// <summary>What a manifest is made of, for a column.</summary>
    public static string Parts(object? platform, object? kind, object? manifests, object? artifactType, object? layers, int width)
    {
        if (Text(platform).Length > 0) return Fit(platform, width);
        var children = Values(manifests).Count();
        if (children > 0 || Text(kind) == "Index") return Plural(children, "manifest");
        return Text(artifactType).Length > 0 ? Fit(MediaType(artifactType), width) : Plural(Values(layers).Count(), "layer");
    }

    /// <summary>A state, in the colour that it has where there are colours: red where something failed or is broken, yellow where something goes or waits for somebody, dim where nothing is to be done.</summary>
    public static string State(object? state)
    {
        var text = Line(state);
        return Paint(text, text switch
        {
            "Failed" or "Error" => Styles.Error,
            "Warning" or "Remove" or "Planned" or "Pending" or "Interrupted" or "Skipped" or "Replaced" or "NotSupported" => Styles.Warning,
            "Information" or "Keep" or "Unchanged" or "AlreadyThere" or "Unknown" => Styles.Dim,
            _ => string.Empty,
        });
    }

    /// <summary>A name, dim where it is that of something that only stands there for a while.</summary>
    public static string Name(object? name, object? isDim) => Paint(Line(name), IsTrue(isDim) ? Styles.Dim : string.Empty);

    /// <summary>A text that nobody needs to heed.</summary>
    public static string Dim(object? text) => Paint(Line(text), Styles.Dim);

    /// <summary>A text that somebody should heed.</summary>
    public static string Warning(object? text) => Paint(Line(text), Styles.Warning);

    /// <summary>What is wrong: several texts, each in a line of its own.</summary>
    public static string Problems(object? texts) => string.Join(Environment.NewLine, Values(texts).Select(static text => Paint(text, Styles.Warning)));

    internal static string Age(object? time, DateTimeOffset now)
    {
        if (!TryTime(time, out var then)) return Line(time);
        var age = now - then;
        if (then.Year < 1990 || age.TotalMinutes < -5) return then.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        if (age.TotalMinutes < 1) return "just now";
        var (number, unit) = age.TotalHours < 1 ? (age.TotalMinutes, "min")
            : age.TotalDays < 1 ? (age.TotalHours, "hour")
            : age.TotalDays < 14 ? (age.TotalDays, "day")
            : age.TotalDays < 60 ? (age.TotalDays / 7, "week")
            : age.TotalDays < 730 ? (age.TotalDays / 30.44, "month")
            : (age.TotalDays / 365.25, "year");
        return (unit == "min" ? string.Format(CultureInfo.InvariantCulture, "{0} min", Math.Floor(number)) : Plural((long)Math.Floor(number), unit)) + " ago";
    }

    internal static string Time(object? time, DateTimeOffset now)
    {
        if (!TryTime(time, out var then)) return Line(time);
        var text = then.ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);
        var age = Age(then, now);
        return text.StartsWith(age, StringComparison.Ordinal) ? text : text + " (" + age + ")";
    }

    internal static string Size(long bytes)
    {
        var number = (double)bytes;
        var unit = 0;
        while (Math.Abs(number) >= 999.5 && unit < Units.Length - 1)
        {
            number /= 1000;
            unit++;
        }

        return string.Format(CultureInfo.InvariantCulture, unit > 0 && Math.Abs(number) < 9.95 ? "{0:0.0} {1}" : "{0:0} {1}", number, Units[unit]);
    }

    /// <summary>A number of things: <c>1 tag</c>, <c>12,345 tags</c>, <c>2 repositories</c>.</summary>
    internal static string Plural(long number, string thing) => string.Format(
        CultureInfo.InvariantCulture, "{0:N0} {1}", number, number == 1 ? thing : thing.EndsWith("ry", StringComparison.Ordinal) ? thing.Substring(0, thing.Length - 1) + "ies" : thing + "s");

    private static string Rest(int count) => count == 0 ? string.Empty : string.Format(CultureInfo.InvariantCulture, " +{0}", count);

    // What all of them begin with tells nothing.
    private static string MediaType(object? type)
    {
        var text = Text(type);
        foreach (var start in new[] { "application/vnd.", "application/" })
        {
            if (text.Length > start.Length && text.StartsWith(start, StringComparison.Ordinal)) return text.Substring(start.Length);
        }

        return text;
    }

    private static string Paint(string text, string style) => text.Length == 0 || style.Length == 0 ? text : style + text + Styles.Reset;

    private static bool IsTrue(object? value) => Bare(value) is { } bare && LanguagePrimitives.IsTrue(bare);

    // What another process has sent is a bag of properties with a text.
    private static object? Bare(object? value) => value is PSObject { BaseObject: not PSCustomObject } wrapped ? wrapped.BaseObject : value;

    private static string Text(object? value) => Bare(value) switch
    {
        null => string.Empty,
        string text => text,
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        var other => other.ToString() ?? string.Empty,
    };

    private static long? Number(object? value) => Bare(value) switch
    {
        long number => number,
        int number => number,
        null => null,
        IConvertible and not string and not DateTime => LanguagePrimitives.TryConvertTo<long>(value, CultureInfo.InvariantCulture, out var number) ? number : null,
        _ => null,
    };

    private static bool TryTime(object? value, out DateTimeOffset time)
    {
        switch (Bare(value))
        {
            case DateTimeOffset offset:
                time = offset;
                return true;
            case DateTime local:
                time = local;
                return true;
            case null:
                time = default;
                return false;
            default:
                return DateTimeOffset.TryParse(Text(value), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
        }
    }

    private static IEnumerable<string> Values(object? values) => Bare(values) switch
    {
        null => [],
        string text => text.Length == 0 ? [] : [Line(text)],
        IEnumerable<KeyValuePair<string, string>> pairs => pairs.Select(static pair => Line(pair.Key + "=" + pair.Value)),
        IDictionary pairs => pairs.Cast<DictionaryEntry>().Select(static pair => Line(Text(pair.Key) + "=" + Text(pair.Value))),
        IEnumerable many => many.Cast<object?>().Select(Line),
        var one => [Line(one)],
    };
}
