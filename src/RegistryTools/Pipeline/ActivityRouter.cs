using RegistryTools.Text;

namespace RegistryTools.PowerShell.Pipeline;

/// <summary>
/// The log that every connection has. A connection outlives the cmdlet that made it, and several cmdlets of one pipeline use it in
/// turns: what it tells goes to the queue of the call it is told in, which flows along with the asynchronous work. What is told outside
/// of any call is dropped.
/// </summary>
internal static class ActivityRouter
{
    private static readonly AsyncLocal<PipelinePump.Sink?> Current = new();

    public static IActivityLog Log { get; } = new DelegateActivityLog(
        message => Current.Value?.Verbose(message),
        message => Current.Value?.Debug(message),
        message => Current.Value?.Warning(message),
        (activity, item, done, total, unit) => Current.Value?.Progress(new ProgressState(activity, item, done, total, unit)));

    /// <summary>Sends what the calling flow of work tells to this sink, from here on.</summary>
    public static void Enter(PipelinePump.Sink sink) => Current.Value = sink;
}
