namespace RegistryTools.Errors;

/// <summary>Credentials that are configured and can't be had: a broken file, a helper that fails. The message names the file, variable or program, and never holds what is in it.</summary>
public class CredentialException : RegistryToolsException
{
    /// <summary>Makes the error.</summary>
    /// <param name="message">What is wrong, and where.</param>
    /// <param name="remedy">What to do; null where there is nothing to advise.</param>
    /// <param name="innerException">The cause; never one whose message may hold a piece of what was read.</param>
    public CredentialException(string message, string? remedy = null, Exception? innerException = null)
        : base(message, remedy, innerException)
    {
    }
}

/// <summary>No credential helper is configured, so that a secret could be stored only in clear text, and that was not asked for.</summary>
public sealed class CredentialStoreMissingException : CredentialException
{
    /// <summary>Makes the error.</summary>
    /// <param name="file">The configuration file that names no helper.</param>
    /// <param name="registry">The registry whose credentials were to be stored.</param>
    public CredentialStoreMissingException(string file, string registry)
        : base(
            $"The credentials of {registry} were not stored: {file} names no credential helper, and without one they would stand there in clear text.",
            "Set up a Docker credential helper (credsStore in that file), or allow clear text.") => File = file;

    /// <summary>The configuration file that names no helper.</summary>
    public string File { get; }
}
