using System.Diagnostics;
using RegistryTools.Errors;

namespace RegistryTools.Transport;

/// <summary>How a call was let through.</summary>
internal enum Admission
{
    /// <summary>The registry is taken to be up, or the call must be tried whatever it is taken for.</summary>
    Usual,

    /// <summary>The one call that shows whether a registry that was down is back.</summary>
    Trial,
}

/// <summary>
/// Keeps a thousand requests from each finding out for itself that a registry is down. Polly's circuit breaker counts a share of failures within a time (its version 8 has no other): a registry that
/// answered a thousand times just before it went down would stay "mostly up" until that time has gone by, and where each failure takes minutes of waiting, so many never come together within it.
/// This one counts failures in a row, however long they take, and lets through what must be tried.
/// </summary>
/// <param name="threshold">After how many failures in a row it opens; 0 for never.</param>
/// <param name="duration">How long it stays open before one call is tried.</param>
internal sealed class CircuitBreaker(int threshold, TimeSpan duration)
{
    private static readonly AsyncLocal<bool> Urgency = new();
    private readonly object _lock = new();
    private RegistryRequestException? _last;
    private Stopwatch? _open;
    private bool _tries;
    private int _failures;

    /// <summary>Whether what is done here must be tried though the registry is taken to be down: putting back what a removal that failed has altered.</summary>
    public static bool IsUrgent => Urgency.Value;

    /// <summary>Whether the registry is taken to be down.</summary>
    public bool IsOpen
    {
        get
        {
            lock (_lock) return _open is not null;
        }
    }

    /// <summary>From here to the end of the calling async method, requests are sent whatever the registry is taken for.</summary>
    public static void BeginUrgent() => Urgency.Value = true;

    /// <summary>Lets a call through, or not.</summary>
    /// <exception cref="RegistryDownException">The registry is taken to be down, and this is not the call that tries it.</exception>
    public Admission Enter(string method, Uri uri)
    {
        lock (_lock)
        {
            if (_open is null || IsUrgent) return Admission.Usual;
            var rest = duration - _open.Elapsed;
            if (rest <= TimeSpan.Zero && !_tries)
            {
                _tries = true;
                return Admission.Trial;
            }

            if (rest < TimeSpan.Zero) rest = TimeSpan.Zero;
            var shown = RegistryErrors.Shown(uri);
            throw new RegistryDownException(
                FormattableString.Invariant($"{uri.Authority} is taken to be down, and was not asked ({method} {shown}): {_failures} requests in a row failed. It is tried again in {Math.Ceiling(rest.TotalSeconds):0} s. The last failure: {_last!.Message}"),
                method,
                shown,
                rest,
                _last!);
        }
    }

    /// <summary>The registry answered.</summary>
    public void Succeeded()
    {
        lock (_lock)
        {
            _failures = 0;
            _open = null;
            _tries = false;
            _last = null;
        }
    }

    /// <summary>A call failed, all its repetitions included. True where the registry is taken to be down from now on.</summary>
    public bool Failed(RegistryRequestException error, Admission admission)
    {
        lock (_lock)
        {
            if (threshold <= 0) return false;
            if (_failures < int.MaxValue) _failures++;
            _last = error;
            if (admission == Admission.Trial)
            {
                _tries = false;
                _open = Stopwatch.StartNew();
                return false;
            }

            if (_open is not null || _failures < threshold) return false;
            _open = Stopwatch.StartNew();
            return true;
        }
    }

    /// <summary>A call ended that says nothing of the registry, as one that was cancelled.</summary>
    public void Left(Admission admission)
    {
        if (admission != Admission.Trial) return;
        lock (_lock) _tries = false;
    }
}
