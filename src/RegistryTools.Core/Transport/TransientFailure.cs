using RegistryTools.Errors;

namespace RegistryTools.Transport;

/// <summary>A failure that may pass. <see cref="RegistryHttpClient"/> repeats the request, or throws the error in it: this itself never leaves.</summary>
internal sealed class TransientFailure(RegistryRequestException error, bool carriedOut, bool lasting, TimeSpan? retryAfter) : Exception(error.Message, error)
{
    public RegistryRequestException Error { get; } = error;

    /// <summary>Whether the registry may have done what was asked.</summary>
    public bool CarriedOut { get; } = carriedOut;

    /// <summary>Whether it will fail the same way again.</summary>
    public bool Lasting { get; } = lasting;

    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>Whether a status says that the same request may succeed later.</summary>
    public static bool IsTransient(int status) => status is 408 or 429 or 500 or 502 or 503 or 504;

    /// <summary>The failure that an answer of such a status is; an answer that asks for a longer wait than is waited says so.</summary>
    public static TransientFailure From(RegistryRequestException error, HttpResponseMessage response, TimeSpan maximumWait, bool carriedOut)
    {
        var wait = Transport.RetryAfter.Parse(response.Headers.TryGetValues("Retry-After", out var values) ? values.FirstOrDefault() : null, DateTimeOffset.UtcNow);
        if (wait > maximumWait)
        {
            error = new RegistryRequestException(
                FormattableString.Invariant($"{error.Message} It asks to wait {wait.Value.TotalSeconds:0} s, which is longer than is waited here ({maximumWait.TotalSeconds:0.#} s)."),
                error.Method,
                error.Uri,
                error.StatusCode,
                error.Errors,
                error.Remedy);
            return new TransientFailure(error, carriedOut, lasting: true, wait);
        }

        // No wait, or one that is over already, is the registry's leave and not its wish: the usual waits hold.
        return new TransientFailure(error, carriedOut, lasting: false, wait > TimeSpan.Zero ? wait : null);
    }
}
