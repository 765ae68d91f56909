using RegistryTools.Text;

namespace RegistryTools.Authentication;

/// <summary>Where credentials are looked for. The defaults are the process's own environment.</summary>
public sealed class CredentialOptions
{
    /// <summary>Looks up an environment variable; null for one that is not set. An empty one counts as not set.</summary>
    public Func<string, string?> EnvironmentVariable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>The user's home directory; null for <c>HOME</c>, or <c>USERPROFILE</c> on Windows.</summary>
    public string? HomeDirectory { get; init; }

    /// <summary>Where helper programs are looked for, in the form of <c>PATH</c>; null for <c>PATH</c>. Relative directories in it are passed over.</summary>
    public string? SearchPath { get; init; }

    /// <summary>How long a helper may take before it is ended.</summary>
    public TimeSpan HelperTimeLimit { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Where it tells what it does.</summary>
    public IActivityLog Log { get; init; } = NoActivityLog.Instance;

    /// <summary>Below which <c>containers/UID/auth.json</c> stands where there is no XDG_RUNTIME_DIR; null outside Linux.</summary>
    internal string? RunDirectory { get; init; } = CredentialPaths.IsLinux ? "/run" : null;

    internal string? Variable(string name) => EnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
