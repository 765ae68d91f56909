using System.Diagnostics;
using Xunit;

namespace RegistryTools.Tests.Servers;

/// <summary>
/// The real podman, as root, with a directory of its own for everything: its API on a socket, and an image with the real docker-registry in it. Containers share this machine's network, on loopback.
/// </summary>
public sealed class PodmanServer : IAsyncDisposable
{
    private const string Image = "localhost/registry:2.8.2";
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-podman-").FullName;
    private readonly string _podman;
    private Process? _service;

    private PodmanServer(string podman) => _podman = podman;

    /// <summary>The address of its API.</summary>
    public string Address => "unix://" + Path.Combine(_directory, "podman.sock");

    public static async Task<PodmanServer> StartAsync()
    {
        var server = new PodmanServer(Requirement.Program("podman"));
        Requirement.Program("runc");
        var busybox = Requirement.Find("busybox") ?? "/bin/busybox";
        if (!File.Exists(busybox)) Requirement.Program("busybox");
        if (Environment.UserName != "root" && !Requirement.IsCI) throw new SkipException("podman is used as root here.");
        await server.ConfigureAsync(busybox, Requirement.Program("docker-registry"));
        return server;
    }

    /// <summary>Starts a registry in a container, and gives its address.</summary>
    /// <param name="name">The container's name.</param>
    /// <param name="slow">Seconds that its collector waits before it begins.</param>
    /// <param name="volume">The volume of its storage; null for none.</param>
    public async Task<string> RunRegistryAsync(string name, int slow = 0, string? volume = "data", params string[] options)
    {
        var address = "127.0.0.1:" + Processes.FreePort();
        string[] mount = volume is null ? [] : ["-v", name + "-" + volume + ":/var/lib/registry"];
        await PodmanAsync(["run", "-d", "--name", name, "--network", "host", .. options, .. mount, "-e", "REGISTRY_HTTP_ADDR=" + address, "-e", "SLOW=" + slow, Image]);
        await WaitAsync(address);
        return address;
    }

    /// <summary>Runs podman itself, and gives what it wrote.</summary>
    public async Task<string> PodmanAsync(params string[] arguments)
    {
        var info = Processes.Info(_podman, arguments);
        Environ(info);
        using var process = Process.Start(info)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"podman {string.Join(' ', arguments)}: {error}");
        return (await output).Trim();
    }

    public async ValueTask DisposeAsync()
    {
        await PodmanAsync("rm", "-f", "-a", "-t", "1");
        if (_service is not null)
        {
            _service.Kill();
            await _service.WaitForExitAsync();
            _service.Dispose();
        }

        try
        {
            Directory.Delete(_directory, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Something of a container that has just ended is still mounted.
        }
    }

    public static async Task WaitAsync(string address)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                using var response = await client.GetAsync($"http://{address}/v2/");
                return;
            }
            catch (Exception exception) when (attempt < 100 && exception is HttpRequestException or TaskCanceledException)
            {
                await Task.Delay(100);
            }
        }
    }

    private void Environ(ProcessStartInfo info)
    {
        info.Environment.Remove("REGISTRY_AUTH_FILE");
        info.Environment.Remove("DOCKER_CONFIG");
        info.Environment["CONTAINERS_CONF"] = Path.Combine(_directory, "containers.conf");
        info.Environment["CONTAINERS_STORAGE_CONF"] = Path.Combine(_directory, "storage.conf");
        info.Environment["XDG_RUNTIME_DIR"] = _directory;
        info.Environment["TMPDIR"] = _directory;
    }

    private async Task ConfigureAsync(string busybox, string registry)
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "containers.conf"), $"[containers]\ncgroups = \"enabled\"\ndefault_ulimits = [\"nofile=1024:1024\", \"nproc=4096:4096\"]\n[engine]\nruntime = \"runc\"\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\ntmp_dir = \"{_directory}/tmp\"\nvolume_path = \"{_directory}/volumes\"\n");
        await File.WriteAllTextAsync(Path.Combine(_directory, "storage.conf"), $"[storage]\ndriver = \"vfs\"\nrunroot = \"{_directory}/run\"\ngraphroot = \"{_directory}/graph\"\n");
        var root = Path.Combine(_directory, "rootfs");
        foreach (var directory in new[] { "bin", "usr/bin", "etc/docker/registry", "var/lib/registry", "tmp" }) Directory.CreateDirectory(Path.Combine(root, directory));
        Copy(busybox, Path.Combine(root, "bin/busybox"));
        foreach (var applet in new[] { "sh", "cat", "sleep" }) File.CreateSymbolicLink(Path.Combine(root, "bin", applet), "busybox");
        Copy(registry, Path.Combine(root, "usr/bin/distribution"));
        var script = Path.Combine(root, "usr/bin/docker-registry");
        await File.WriteAllTextAsync(script, "#!/bin/sh\nif [ \"$1\" = garbage-collect ] && [ \"$2\" != --dry-run ]; then sleep \"${SLOW:-0}\"; fi\nexec /usr/bin/distribution \"$@\"\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(script, (UnixFileMode)0b111_101_101);
        var (_, libraries) = await Processes.RunAsync("/usr/bin/ldd", [registry]);
        foreach (var library in libraries.Split([' ', '\n', '\t'], StringSplitOptions.RemoveEmptyEntries).Where(word => word.StartsWith('/')))
        {
            Directory.CreateDirectory(root + Path.GetDirectoryName(library));
            Copy(File.ResolveLinkTarget(library, returnFinalTarget: true)?.FullName ?? library, root + library);
        }

        await File.WriteAllTextAsync(Path.Combine(root, "etc/docker/registry/config.yml"), "version: 0.1\nlog: {level: warn}\nstorage:\n  filesystem:\n    rootdirectory: /var/lib/registry\n  delete: {enabled: true}\n  cache: {blobdescriptor: inmemory}\nhttp:\n  addr: 127.0.0.1:5000\n");
        var (code, told) = await Processes.RunAsync("/bin/tar", ["-C", root, "-cf", Path.Combine(_directory, "rootfs.tar"), "."]);
        Assert.True(code == 0, told);
        await PodmanAsync("import", "-c", "CMD [\"/usr/bin/docker-registry\",\"serve\",\"/etc/docker/registry/config.yml\"]", Path.Combine(_directory, "rootfs.tar"), Image);
        var service = Processes.Info(_podman, ["system", "service", "--time=0", Address]);
        Environ(service);
        _service = Process.Start(service)!;
        _service.BeginOutputReadLine();
        _service.BeginErrorReadLine();
        for (var attempt = 0; attempt < 100 && !File.Exists(Path.Combine(_directory, "podman.sock")); attempt++) await Task.Delay(100);
    }

    private static void Copy(string from, string to)
    {
        File.Copy(from, to, overwrite: true);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(to, (UnixFileMode)0b111_101_101);
    }
}
