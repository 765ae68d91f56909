using Xunit;

namespace RegistryTools.Tests.Servers;

/// <summary>The real client.</summary>
public static class Skopeo
{
    /// <summary>Runs <c>skopeo copy</c> and the like over plain http on loopback; fails the test where it fails.</summary>
    public static async Task RunAsync(string command, params string[] arguments)
    {
        var program = Requirement.Program("skopeo");
        var (exitCode, output) = await Processes.RunAsync(program, ["--insecure-policy", command, "--src-tls-verify=false", "--dest-tls-verify=false", .. arguments]);
        Assert.True(exitCode == 0, $"skopeo {command} {string.Join(' ', arguments)}: {output}");
    }

    /// <summary>Pulls a tag whole, every platform of it, into a directory.</summary>
    public static Task PullAsync(string host, string repository, string tag, string directory) =>
        RunAsync("copy", "--all", $"docker://{host}/{repository}:{tag}", "dir:" + directory);
}
