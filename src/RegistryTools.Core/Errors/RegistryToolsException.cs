using RegistryTools.Text;

namespace RegistryTools.Errors;

/// <summary>The base of every error that this library throws on purpose. The message names what failed and on what.</summary>
public class RegistryToolsException : Exception
{
    /// <summary>Makes an error with what the user can do about it.</summary>
    /// <param name="message">What failed, and on what.</param>
    /// <param name="remedy">What to do; null where there is nothing to advise.</param>
    /// <param name="innerException">The cause.</param>
    public RegistryToolsException(string message, string? remedy = null, Exception? innerException = null)
        : base(message, Secrets.Hide(innerException)) => Remedy = remedy;

    /// <summary>What the user can do about it, as one or two sentences, or null.</summary>
    public string? Remedy { get; }
}

/// <summary>A reference, repository, tag, digest or registry address that the specifications' grammar does not allow.</summary>
public sealed class ReferenceFormatException : RegistryToolsException
{
    /// <summary>Makes the error.</summary>
    /// <param name="input">The text as it was given.</param>
    /// <param name="message">What is wrong with it.</param>
    public ReferenceFormatException(string input, string message)
        : base(message) => Input = input;

    /// <summary>The text as it was given.</summary>
    public string Input { get; }
}

/// <summary>A manifest, index or image configuration that is not what its media type says.</summary>
public sealed class ManifestFormatException : RegistryToolsException
{
    /// <summary>Makes the error.</summary>
    public ManifestFormatException(string message, Exception? innerException = null)
        : base(message, null, innerException)
    {
    }
}

/// <summary>Content whose bytes do not hash to the digest under which it was asked for or announced.</summary>
public sealed class DigestMismatchException : RegistryToolsException
{
    /// <summary>Makes the error.</summary>
    /// <param name="what">The content, by repository and reference.</param>
    /// <param name="expected">The digest that it should have.</param>
    /// <param name="actual">The digest of the bytes that came.</param>
    public DigestMismatchException(string what, string expected, string actual)
        : base(
            $"The content of {what} does not match its digest: expected {expected}, got {actual}.",
            "The registry, or something between it and here, altered the content or answered for something else. Nothing was done with it.")
    {
        Expected = expected;
        Actual = actual;
    }

    /// <summary>The digest that the content should have.</summary>
    public string Expected { get; }

    /// <summary>The digest of the bytes that came.</summary>
    public string Actual { get; }
}

/// <summary>A path where there is no registry's storage.</summary>
public sealed class StorageNotFoundException(string message, string? remedy) : RegistryToolsException(message, remedy);
