namespace RegistryTools.Text;

/// <summary>Where the library tells what it does. Called from any thread; never given a secret.</summary>
public interface IActivityLog
{
    /// <summary>A step, for who wants to follow.</summary>
    void Verbose(string message);

    /// <summary>A request and its answer, for who looks for a fault.</summary>
    void Debug(string message);

    /// <summary>Something that the user should know although the work goes on.</summary>
    void Warning(string message);

    /// <summary>How far a long piece of work is. <paramref name="total"/> is null where it can't be told.</summary>
    void Progress(string activity, string status, long done, long? total);
}

/// <summary>A log that drops everything.</summary>
public sealed class NoActivityLog : IActivityLog
{
    /// <summary>The one instance.</summary>
    public static NoActivityLog Instance { get; } = new();

    /// <inheritdoc/>
    public void Verbose(string message)
    {
    }

    /// <inheritdoc/>
    public void Debug(string message)
    {
    }

    /// <inheritdoc/>
    public void Warning(string message)
    {
    }

    /// <inheritdoc/>
    public void Progress(string activity, string status, long done, long? total)
    {
    }
}
