using System.Globalization;
using System.Runtime.InteropServices;

namespace RegistryTools.Authentication;

/// <summary>The files that Docker and Podman keep credentials in.</summary>
internal static class CredentialPaths
{
    public static bool IsWindows { get; } = RuntimeInformation.IsOSPlatform(OSPlatform.Windows);

    public static bool IsLinux { get; } = RuntimeInformation.IsOSPlatform(OSPlatform.Linux);

    public static string? Home(CredentialOptions options)
    {
        var home = options.HomeDirectory ?? options.Variable(IsWindows ? "USERPROFILE" : "HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return home.Length > 0 ? home : null;
    }

    /// <summary>Docker's config.json, whether it is there or not; null where there is no home either.</summary>
    public static string? DockerConfig(CredentialOptions options) =>
        options.Variable("DOCKER_CONFIG") is { } directory ? Path.Combine(directory, "config.json")
        : Home(options) is { } home ? Path.Combine(home, ".docker", "config.json")
        : null;

    /// <summary>Podman's files, in the order of containers-auth.json(5). One that the user names is the only one.</summary>
    public static IEnumerable<string> PodmanFiles(CredentialOptions options)
    {
        if (options.Variable("REGISTRY_AUTH_FILE") is { } named)
        {
            yield return named;
            yield break;
        }

        if (options.Variable("XDG_RUNTIME_DIR") is { } runtime) yield return Path.Combine(runtime, "containers", "auth.json");
        else if (options.RunDirectory is { } run && UserId() is { } user) yield return Path.Combine(run, "containers", user.ToString(CultureInfo.InvariantCulture), "auth.json");
        var configuration = options.Variable("XDG_CONFIG_HOME") ?? (Home(options) is { } home ? Path.Combine(home, ".config") : null);
        if (configuration is not null) yield return Path.Combine(configuration, "containers", "auth.json");
    }

    /// <summary>The path with ~ for the home directory.</summary>
    public static string Show(string path, CredentialOptions options)
    {
        var home = Home(options)?.TrimEnd('/', '\\');
        return home is { Length: > 0 } && path.Length > home.Length && path.StartsWith(home, StringComparison.Ordinal) && path[home.Length] is '/' or '\\' ? "~" + path.Substring(home.Length) : path;
    }

    public static uint? UserId()
    {
        if (IsWindows) return null;
        try
        {
            return getuid();
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    [DllImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint getuid();
}
