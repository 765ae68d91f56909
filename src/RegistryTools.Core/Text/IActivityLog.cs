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

    /// <summary>How far a long piece of work is.</summary>
    /// <param name="activity">What is done, such as <c>Removing tags</c>.</param>
    /// <param name="item">What it is at, such as a repository.</param>
    /// <param name="done">How many are done.</param>
    /// <param name="total">Of how many; null where that can't be told.</param>
    /// <param name="unit">What is counted, in the singular: <c>tag</c>, <c>repository</c>; <c>byte</c> and <c>second</c> are told as sizes and times; empty where nothing is counted.</param>
    void Progress(string activity, string item, long done, long? total, string unit);
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
    public void Progress(string activity, string item, long done, long? total, string unit)
    {
    }
}
