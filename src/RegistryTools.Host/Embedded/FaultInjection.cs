namespace RegistryTools.Host.Embedded;

/// <summary>A request that came in.</summary>
public sealed class RecordedRequest
{
    internal RecordedRequest(int sequence, string method, string pathAndQuery, IReadOnlyDictionary<string, string> headers)
    {
        Headers = headers;
        Sequence = sequence;
        Method = method;
        PathAndQuery = pathAndQuery;
    }

    /// <summary>Its number, from 1.</summary>
    public int Sequence { get; }

    /// <summary>Its method.</summary>
    public string Method { get; }

    /// <summary>Its path, from <c>/v2/</c> on, with the query.</summary>
    public string PathAndQuery { get; }

    /// <summary>Its headers, each as one line; names are found whatever their case.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; }

    /// <summary>When it came.</summary>
    public DateTimeOffset Time { get; } = DateTimeOffset.UtcNow;

    /// <summary>The status of its answer; 0 as long as there is none, and where the connection was cut instead.</summary>
    public int StatusCode { get; internal set; }

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Method} {PathAndQuery} {StatusCode}");
}

/// <summary>When a fault happens.</summary>
public enum FaultPhase
{
    /// <summary>Before the registry has done anything.</summary>
    Before,

    /// <summary>When it has done what was asked, and its answer has not left yet.</summary>
    After,
}

/// <summary>What goes wrong with a request.</summary>
public sealed class FaultAction
{
    private FaultAction()
    {
    }

    internal int? Code { get; private init; }

    internal byte[]? Content { get; private init; }

    internal string ContentType { get; private init; } = "application/json";

    internal IReadOnlyDictionary<string, string> Headers { get; private init; } = new Dictionary<string, string>();

    internal bool Aborts { get; private init; }

    internal bool Hangs { get; private init; }

    internal TimeSpan Wait { get; private init; }

    internal int? Cut { get; private init; }

    internal TimeSpan? PerByte { get; private init; }

    /// <summary>Answers with a status.</summary>
    public static FaultAction Status(int code, string? body = null, IReadOnlyDictionary<string, string>? headers = null, string contentType = "application/json") =>
        new() { Code = code, Content = System.Text.Encoding.UTF8.GetBytes(body ?? string.Empty), Headers = headers ?? new Dictionary<string, string>(), ContentType = contentType };

    /// <summary>Answers 200 with other content than is due.</summary>
    public static FaultAction Body(byte[] content, string contentType) => new() { Code = 200, Content = content, ContentType = contentType };

    /// <summary>Cuts the connection.</summary>
    public static FaultAction Abort() => new() { Aborts = true };

    /// <summary>Never answers; ends when the client leaves.</summary>
    public static FaultAction Hang() => new() { Hangs = true };

    /// <summary>Goes on after a while.</summary>
    public static FaultAction Delay(TimeSpan time) => new() { Wait = time };

    /// <summary>Cuts the connection after so many bytes of the body. The headers name the whole length.</summary>
    public static FaultAction Truncate(int bytes) => new() { Cut = bytes };

    /// <summary>Sends the body byte by byte.</summary>
    public static FaultAction Trickle(TimeSpan perByte) => new() { PerByte = perByte };
}
