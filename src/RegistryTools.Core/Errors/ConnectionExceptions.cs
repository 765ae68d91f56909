namespace RegistryTools.Errors;

/// <summary>Certificate or key files that can't be used: missing, unreadable, not what they should be, or one of a pair without the other. The message names the file, and never holds a key or a password.</summary>
public sealed class CertificateFileException : RegistryToolsException
{
    /// <summary>Makes the error.</summary>
    /// <param name="path">The file.</param>
    /// <param name="message">What is wrong with it.</param>
    /// <param name="remedy">What to do; null where there is nothing to advise.</param>
    /// <param name="innerException">The cause; never one whose message may hold a piece of what was read.</param>
    public CertificateFileException(string path, string message, string? remedy = null, Exception? innerException = null)
        : base(message, remedy, innerException) => Path = path;

    /// <summary>The file or directory.</summary>
    public string Path { get; }
}

/// <summary>Why no TLS connection came about.</summary>
public enum TlsFailure
{
    /// <summary>Something else: the message tells what the machine's TLS says.</summary>
    Other,

    /// <summary>The server's certificate leads to no authority that is trusted.</summary>
    UntrustedIssuer,

    /// <summary>The server's certificate is made out to other names.</summary>
    NameMismatch,

    /// <summary>The server's certificate, or one that it hangs on, is not valid yet, or no more.</summary>
    Expired,

    /// <summary>The server's certificate is revoked, not for servers, or broken in another way.</summary>
    BadCertificate,

    /// <summary>The server wants a certificate of the client's, and none was given.</summary>
    ClientCertificateRequired,

    /// <summary>The server does not accept the client's certificate.</summary>
    ClientCertificateRefused,

    /// <summary>The server speaks plain http on that port.</summary>
    PlainHttp,

    /// <summary>The server knows only versions of TLS that are not safe any more (below 1.2), or no cipher that is.</summary>
    OldProtocol,
}

/// <summary>No answer, since no TLS connection came about. It will fail the same way until something is changed.</summary>
public sealed class RegistryTlsException(TlsFailure failure, string message, string method, Uri uri, string? remedy = null, Exception? innerException = null)
    : RegistryUnreachableException(message, method, uri, remedy, innerException)
{
    /// <summary>Why.</summary>
    public TlsFailure Failure { get; } = failure;
}

/// <summary>
/// Not asked: so many requests in a row had no answer, or none but 5xx, that the registry is taken to be down for a while (<see cref="Registries.HttpRegistryOptions.BreakAfter"/>).
/// Nothing was sent.
/// </summary>
public sealed class RegistryDownException(string message, string method, Uri uri, TimeSpan retryIn, RegistryRequestException cause)
    : RegistryUnreachableException(message, method, uri, cause.Remedy, cause)
{
    /// <summary>How long until it is tried again.</summary>
    public TimeSpan RetryIn { get; } = retryIn;
}

/// <summary>No answer, since the proxy on the way could not be reached, does not accept who asks, or does not make the way.</summary>
public sealed class RegistryProxyException(string message, string method, Uri uri, Uri? proxy, string? remedy = null, Exception? innerException = null)
    : RegistryUnreachableException(message, method, uri, remedy, innerException)
{
    /// <summary>The proxy, without a user or password; null where it is one that was not asked for.</summary>
    public Uri? Proxy { get; } = proxy;

    /// <summary>Whether the proxy refuses, so that asking again is of no use.</summary>
    internal bool IsRefusal { get; init; }
}
