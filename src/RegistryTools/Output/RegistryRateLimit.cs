namespace RegistryTools.PowerShell;

/// <summary>What a registry said of how much it may be asked (RateLimit-Limit and its kin): Docker Hub, for one, counts pulls.</summary>
public sealed class RegistryRateLimit
{
    internal RegistryRateLimit(long? limit, long? remaining, TimeSpan? window, DateTimeOffset? reset, DateTimeOffset seen)
    {
        Limit = limit;
        Remaining = remaining;
        Window = window;
        Reset = reset;
        Seen = seen;
    }

    /// <summary>How many requests there may be in <see cref="Window"/>; null where that was not said.</summary>
    public long? Limit { get; }

    /// <summary>How many of them are left.</summary>
    public long? Remaining { get; }

    /// <summary>The time that they are counted over.</summary>
    public TimeSpan? Window { get; }

    /// <summary>When the count begins anew.</summary>
    public DateTimeOffset? Reset { get; }

    /// <summary>When it was said.</summary>
    public DateTimeOffset Seen { get; }

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Remaining} of {Limit} left");
}
