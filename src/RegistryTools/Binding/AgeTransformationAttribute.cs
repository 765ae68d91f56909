using System.Globalization;
using System.Management.Automation;
using System.Text.RegularExpressions;

namespace RegistryTools.PowerShell.Binding;

/// <summary>Takes an age as people write it, <c>7d</c>, <c>12h</c>, <c>2w</c>, for a TimeSpan.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class AgeTransformationAttribute : ArgumentTransformationAttribute
{
    private static readonly Regex Written = new(@"^\s*([0-9]{1,6})\s*(w|d|h|m|s|min)\s*$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant);

    /// <summary>Whether it is one of days and weeks, where <c>6m</c> would as soon be months as minutes: it is refused.</summary>
    public bool IsLong { get; set; }

    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        var value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;

        // To PowerShell a bare 7d is a decimal number; how it was written is still known.
        if (value is not (string or int or long or double or decimal)) return inputData;
        var text = inputData.ToString() ?? string.Empty;
        var match = Written.Match(text);
        if (match.Success)
        {
            if (IsLong && match.Groups[2].Value is ("m" or "M")) throw new ArgumentTransformationMetadataException($"'{text}' may be minutes and may be months: say 180d, or 90min.");
            var number = int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
            return match.Groups[2].Value.ToLowerInvariant() switch
            {
                "w" => TimeSpan.FromDays(7.0 * number),
                "d" => TimeSpan.FromDays(number),
                "h" => TimeSpan.FromHours(number),
                "s" => TimeSpan.FromSeconds(number),
                _ => TimeSpan.FromMinutes(number),
            };
        }

        // A bare number would be days to .NET, and anybody's guess to people.
        if (text.IndexOf(':') > 0 && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var span)) return span;
        throw Unclear(text);
    }

    private static ArgumentTransformationMetadataException Unclear(object value) =>
        new($"'{value}' is no age: expected a TimeSpan, or a number with its unit, such as 7d, 12h, 30m or 2w.");
}
