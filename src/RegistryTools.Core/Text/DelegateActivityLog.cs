namespace RegistryTools.Text;

/// <summary>
/// A log that hands everything on to delegates: for who can't implement <see cref="IActivityLog"/> because this assembly is not yet
/// loaded when its types are. What is not given is dropped.
/// </summary>
public sealed class DelegateActivityLog : IActivityLog
{
    private readonly Action<string>? _verbose;
    private readonly Action<string>? _debug;
    private readonly Action<string>? _warning;
    private readonly Action<string, string, long, long?, string>? _progress;

    /// <summary>Makes the log. The delegates are called from any thread.</summary>
    public DelegateActivityLog(
        Action<string>? verbose = null,
        Action<string>? debug = null,
        Action<string>? warning = null,
        Action<string, string, long, long?, string>? progress = null)
    {
        _verbose = verbose;
        _debug = debug;
        _warning = warning;
        _progress = progress;
    }

    /// <inheritdoc/>
    public void Verbose(string message) => _verbose?.Invoke(message);

    /// <inheritdoc/>
    public void Debug(string message) => _debug?.Invoke(message);

    /// <inheritdoc/>
    public void Warning(string message) => _warning?.Invoke(message);

    /// <inheritdoc/>
    public void Progress(string activity, string item, long done, long? total, string unit) => _progress?.Invoke(activity, item, done, total, unit);
}
