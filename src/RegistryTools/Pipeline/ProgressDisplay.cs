using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using RegistryTools.Text;

namespace RegistryTools.PowerShell.Pipeline;

/// <summary>
/// What a cmdlet shows of how far it is: nothing for a second, then a record every fifth of one with what is counted, out of how many, and how long the rest will take; and one that completes it, whatever happens. Work may be
/// part of other work: what is shown is how far the whole is, and beside it what the part is at.
/// </summary>
internal sealed class ProgressDisplay(IPipelineWriter writer)
{
    private const int AfterMilliseconds = 1000;
    private const int EveryMilliseconds = 200;
    private const int LongestItem = 120;
    private static int _lastId;
    private static long _lastSource;

    private readonly List<Part> _parts = [];
    private readonly Stopwatch _clock = new();
    private readonly long _source = Interlocked.Increment(ref _lastSource) + int.MaxValue;

    // A cmdlet's records have a source of their own, so that the host can be told of it where the cmdlet can't write any more; a provider's have its command's.
    private readonly PSCmdlet? _cmdlet = writer as PSCmdlet;
    private PSHostUserInterface? _host;
    private int _id = -1;
    private long _shownAt;
    private string? _shown;
    private bool? _isSilent;

    // What the rate is measured from: the last time that something else was begun.
    private string _phase = string.Empty;
    private long _phaseAt;
    private long _phaseFrom;
    private long _phaseDone;

    /// <summary>How long to wait for work until there is something to show.</summary>
    public int Wait => (int)Math.Max(10, Math.Min(Due - _clock.ElapsedMilliseconds, AfterMilliseconds));

    private long Due => _shownAt + EveryMilliseconds;

    /// <summary>Begins a piece of work, or a part of the one that is under way.</summary>
    /// <param name="activity">What is done; null where the cmdlet has nothing to say of it.</param>
    /// <param name="unit">What is counted, in the singular; empty for nothing.</param>
    /// <param name="total">How many there are; null, or giving null, where that is not known.</param>
    public Part Begin(string? activity, string unit = "", Func<long?>? total = null)
    {
        if (_parts.Count == 0)
        {
            _clock.Restart();
            (_shownAt, _phase, _phaseDone) = (AfterMilliseconds - EveryMilliseconds, string.Empty, 0);
        }

        var part = new Part(this, activity, unit, total);
        _parts.Add(part);
        return part;
    }

    /// <summary>Shows how far the work is, where it is time to.</summary>
    /// <param name="latest">What the innermost part told since the last time; null for nothing.</param>
    public void Show(ProgressState? latest)
    {
        if (_parts.Count == 0) return;
        var inner = _parts[_parts.Count - 1];
        inner.Latest = latest ?? inner.Latest;
        var now = _clock.ElapsedMilliseconds;
        if (now < Due) return;
        _shownAt = now;
        if (IsSilent) return;
        var whole = _parts[0];
        var told = inner.Latest;
        if ((ReferenceEquals(inner, whole) ? told?.Activity ?? whole.Activity : whole.Activity) is not { Length: > 0 } title) return;
        var (done, total, unit, item) = ReferenceEquals(inner, whole)
            ? told is null ? (whole.Done, whole.Total, whole.Unit, string.Empty) : (told.Done, told.Total, told.Unit, told.Item)
            : (whole.Done + OwnDone(inner, whole.Unit), whole.Total, whole.Unit, Inner(inner, whole));
        if (total is { } all) done = Math.Max(0, Math.Min(done, all));
        var record = new ProgressRecord(Id, title, Status(done, total, unit, now));
        if (item.Length > 0) record.CurrentOperation = Shown.Short(item, LongestItem);
        if (total is > 0)
        {
            record.PercentComplete = (int)(100.0 * done / total.Value);
            record.SecondsRemaining = Remaining(title + "\n" + unit, done, total.Value, unit, now);
        }

        _shown = title;
        Write(record);
    }

    /// <summary>Ends everything that is under way. Where the pipeline is going down the cmdlet may not write any more; the host is told all the same.</summary>
    public void EndAll(bool isBroken)
    {
        _parts.Clear();
        if (_shown is null) return;
        var record = new ProgressRecord(Id, _shown, "Done") { RecordType = ProgressRecordType.Completed };
        _shown = null;
        try
        {
            if (isBroken && _cmdlet is not null) _host?.WriteProgress(_source, record);
            else Write(record);
        }
        catch (PipelineStoppedException)
        {
            _host?.WriteProgress(_source, record);
        }
        catch (Exception) when (isBroken)
        {
            // The host is going down as well, and takes what it shows along.
        }
    }

    private int Id
    {
        get
        {
            if (_id < 0) _id = Interlocked.Increment(ref _lastId) & int.MaxValue;
            return _id;
        }
    }

    private bool IsSilent
    {
        get
        {
            if (_isSilent is { } known) return known;
            if (_cmdlet is null) return (_isSilent = false).Value;
            _host = _cmdlet.Host?.UI;
            var preference = _cmdlet.MyInvocation.BoundParameters.TryGetValue("ProgressAction", out var bound) ? bound : _cmdlet.SessionState.PSVariable.GetValue("ProgressPreference");
            _isSilent = LanguagePrimitives.TryConvertTo<ActionPreference>(preference, out var action) && action is ActionPreference.SilentlyContinue or ActionPreference.Ignore;
            return _isSilent.Value;
        }
    }

    private void Write(ProgressRecord record)
    {
        if (_cmdlet is null) writer.WriteProgress(record);
        else _cmdlet.CommandRuntime.WriteProgress(_source, record);
    }

    private static long OwnDone(Part part, string unit) => part.Latest is { } told ? told.Unit == unit ? told.Done : 0 : part.Unit == unit ? part.Done : 0;

    // What a part tells of itself, where the whole does not count the same.
    private static string Inner(Part part, Part whole)
    {
        if (part.Latest is not { } told) return part.Unit.Length == 0 || part.Unit == whole.Unit ? part.Activity ?? string.Empty : part.Activity + ": " + Counted(part.Done, part.Total, part.Unit);
        if (told.Unit == whole.Unit) return told.Item;
        return told.Unit.Length == 0 ? told.Activity + ": " + told.Item : told.Activity + ": " + told.Item + ", " + Counted(told.Done, told.Total, told.Unit);
    }

    private static string Status(long done, long? total, string unit, long milliseconds) =>
        unit.Length > 0 && (done > 0 || total is not null) ? Counted(done, total, unit) : string.Format(CultureInfo.InvariantCulture, "{0:N0} s so far", milliseconds / 1000);

    private static string Counted(long done, long? total, string unit) => (unit, total) switch
    {
        ("byte", { } all) => Display.Size(done) + " of " + Display.Size(all),
        ("byte", null) => Display.Size(done) + " so far",
        ("second", { } all) => string.Format(CultureInfo.InvariantCulture, "{0:N0} of {1:N0} s", done, all),
        (_, { } all) => string.Format(CultureInfo.InvariantCulture, "{0:N0} of {1}", done, Display.Plural(all, unit)),
        _ => Display.Plural(done, unit) + " so far",
    };

    private int Remaining(string phase, long done, long total, string unit, long now)
    {
        if (unit == "second") return (int)Math.Min(int.MaxValue, total - done);
        if (phase != _phase || done < _phaseDone) (_phase, _phaseAt, _phaseFrom) = (phase, _phase.Length == 0 ? 0 : now, _phase.Length == 0 ? 0 : done);
        _phaseDone = done;
        return done > _phaseFrom ? (int)Math.Min(int.MaxValue, (now - _phaseAt) / 1000.0 * (total - done) / (done - _phaseFrom)) : -1;
    }

    private void End(Part part)
    {
        var index = _parts.IndexOf(part);
        if (index < 0) return;
        _parts.RemoveRange(index, _parts.Count - index);
        if (index > 0)
        {
            // What a list has counted by itself is a share of the whole.
            if (_parts[index - 1].Unit == part.Unit) _parts[index - 1].Done += part.Done;
            return;
        }

        EndAll(isBroken: false);
    }

    /// <summary>A piece of work.</summary>
    public sealed class Part(ProgressDisplay display, string? activity, string unit, Func<long?>? total) : IDisposable
    {
        public string? Activity { get; } = activity;

        public string Unit { get; } = unit;

        public long? Total => total?.Invoke();

        /// <summary>How many are done.</summary>
        public long Done { get; set; }

        /// <summary>What the core told last.</summary>
        public ProgressState? Latest { get; set; }

        public void Dispose() => display.End(this);
    }
}

/// <summary>How far a piece of work is, as the core tells it.</summary>
internal sealed record ProgressState(string Activity, string Item, long Done, long? Total, string Unit);
