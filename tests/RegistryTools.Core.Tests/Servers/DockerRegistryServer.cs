using System.Diagnostics;
using System.Text;

namespace RegistryTools.Tests.Servers;

/// <summary>The real registry, distribution's <c>docker-registry</c>, on a free port of loopback. It is ended by its process id.</summary>
public sealed class DockerRegistryServer : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _directory;
    private readonly StringBuilder _log;

    private DockerRegistryServer(Process process, Uri baseAddress, string directory, string storagePath, StringBuilder log)
    {
        _process = process;
        BaseAddress = baseAddress;
        _directory = directory;
        StoragePath = storagePath;
        _log = log;
    }

    public static bool IsAvailable => Requirement.Find("docker-registry") is not null;

    public Uri BaseAddress { get; }

    public string Host => BaseAddress.Authority;

    public string StoragePath { get; }

    public string Log
    {
        get
        {
            lock (_log) return _log.ToString();
        }
    }

    /// <summary>Starts it; skips the test where it is missing, and fails it in CI.</summary>
    /// <param name="deleteEnabled">Whether manifests can be deleted.</param>
    /// <param name="storagePath">The storage to serve; null for one of its own, which goes with it.</param>
    /// <param name="extra">More lines of its configuration, such as <c>auth:</c>.</param>
    /// <param name="http">More lines below <c>http:</c>, indented by two.</param>
    /// <param name="scheme"><c>https</c> where those lines give it a certificate: it is waited for until it listens, and not asked.</param>
    public static async Task<DockerRegistryServer> StartAsync(bool deleteEnabled = true, string? storagePath = null, string? extra = null, string? http = null, string scheme = "http")
    {
        var program = Requirement.Program("docker-registry");
        var directory = Path.Combine(Path.GetTempPath(), "rt-registry-" + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(directory);
        var storage = storagePath ?? Path.Combine(directory, "storage");
        for (var attempt = 0; ; attempt++)
        {
            var port = Processes.FreePort();
            var configuration = Path.Combine(directory, "config.yml");
            await File.WriteAllTextAsync(
                configuration,
                $$"""
                version: 0.1
                log:
                  level: warn
                  accesslog:
                    disabled: true
                storage:
                  filesystem:
                    rootdirectory: {{storage}}
                  delete:
                    enabled: {{(deleteEnabled ? "true" : "false")}}
                http:
                  addr: 127.0.0.1:{{port}}
                  secret: for-tests-only
                {{http}}
                {{extra}}
                """);
            var process = new Process { StartInfo = Processes.Info(program, ["serve", configuration]) };

            // It takes every variable that begins so for a piece of its configuration; Podman has one too, for its credentials.
            foreach (var name in process.StartInfo.Environment.Keys.Where(name => name.StartsWith("REGISTRY_", StringComparison.Ordinal)).ToList()) process.StartInfo.Environment.Remove(name);
            var log = new StringBuilder();
            void Note(string? line)
            {
                lock (log) log.AppendLine(line);
            }

            process.OutputDataReceived += (_, line) => Note(line.Data);
            process.ErrorDataReceived += (_, line) => Note(line.Data);
            process.Start();
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            var server = new DockerRegistryServer(process, new Uri($"{scheme}://127.0.0.1:{port}/"), directory, storage, log);
            if (await server.AnswersAsync()) return server;
            server.End();
            if (attempt == 3) throw new InvalidOperationException("docker-registry did not start: " + server.Log);
        }
    }

    public async ValueTask DisposeAsync()
    {
        End();
        await Task.Yield();
        if (Directory.Exists(_directory)) Directory.Delete(_directory, recursive: true);
    }

    private void End()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private async Task<bool> AnswersAsync()
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        for (var i = 0; i < 200 && !_process.HasExited; i++)
        {
            try
            {
                if (BaseAddress.Scheme == "https")
                {
                    using var socket = new System.Net.Sockets.TcpClient();
                    await socket.ConnectAsync(BaseAddress.Host, BaseAddress.Port);
                    return true;
                }

                using var response = await client.GetAsync(new Uri(BaseAddress, "v2/"));
                return true;
            }
            catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or System.Net.Sockets.SocketException)
            {
                await Task.Delay(50);
            }
        }

        return false;
    }
}
