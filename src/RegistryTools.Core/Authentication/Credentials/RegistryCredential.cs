namespace RegistryTools.Authentication;

/// <summary>What a registry is told who asks: a user name and password, an identity token, or a bearer token. Any of them may be missing.</summary>
public sealed class RegistryCredential
{
    /// <summary>The user's name, or null.</summary>
    public string? UserName { get; init; }

    /// <summary>The password that goes with it, or null. Empty where an identity token takes its place.</summary>
    public string? Password { get; init; }

    /// <summary>An identity (refresh) token, to be exchanged at the token service; or null.</summary>
    public string? IdentityToken { get; init; }

    /// <summary>A bearer token to send as it is, or null.</summary>
    public string? RegistryToken { get; init; }

    /// <summary>Where it was found: a variable, or a file with the key or the helper. Holds no secret.</summary>
    public string Source { get; init; } = "given by the caller";

    /// <summary>Whether it is one of Podman's, which may have others for each namespace.</summary>
    internal bool IsPodman { get; set; }

    /// <summary>The source, and nothing else.</summary>
    public override string ToString() => Source;
}
