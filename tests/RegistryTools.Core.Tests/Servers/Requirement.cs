using Xunit;

namespace RegistryTools.Tests.Servers;

/// <summary>A program that a test needs. Where it is missing the test is skipped, visibly; in CI it fails.</summary>
public static class Requirement
{
    public static bool IsCI => Environment.GetEnvironmentVariable("CI") == "true";

    /// <summary>The program's path, or null.</summary>
    public static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Append("/usr/bin")
            .Select(directory => Path.Combine(directory, OperatingSystem.IsWindows() ? program + ".exe" : program))
            .FirstOrDefault(File.Exists);

    /// <summary>The program's path; skips or fails the test where it is missing.</summary>
    public static string Program(string program)
    {
        var path = Find(program);
        if (path is not null) return path;
        if (IsCI) Assert.Fail($"The program '{program}' is missing, and in CI it must be there.");
        throw new SkipException($"The program '{program}' is not on this machine.");
    }
}
