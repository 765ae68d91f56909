using System.Diagnostics;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace RegistryTools.Tests.Servers;

/// <summary>The real nginx in front of a registry, as administrators put it there: its own process on loopback, with its own directory, ended by its process id.</summary>
public sealed class NginxServer : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _directory;

    private NginxServer(Process process, string directory, Uri baseAddress)
    {
        _process = process;
        _directory = directory;
        BaseAddress = baseAddress;
    }

    public Uri BaseAddress { get; }

    public string Host => BaseAddress.Authority;

    /// <summary>What was asked, with the protocol.</summary>
    public string AccessLog => File.ReadAllText(Path.Combine(_directory, "access.log"));

    /// <summary>Starts it; skips the test where it is missing, and fails it in CI.</summary>
    /// <param name="locations">What stands in its <c>server</c> block.</param>
    /// <param name="certificate">What it shows; null for plain http.</param>
    /// <param name="files">More files for its directory, by name: DIRECTORY in the locations is where they are.</param>
    public static async Task<NginxServer> StartAsync(string locations, X509Certificate2? certificate = null, params (string Name, string Text)[] files)
    {
        var program = Requirement.Program("nginx");
        var directory = Directory.CreateTempSubdirectory("rt-nginx-").FullName;
        foreach (var (name, text) in files) await File.WriteAllTextAsync(Path.Combine(directory, name), text);
        var tls = string.Empty;
        if (certificate is not null)
        {
            using var key = certificate.GetECDsaPrivateKey()!;
            await File.WriteAllTextAsync(Path.Combine(directory, "server.crt"), certificate.ExportCertificatePem());
            await File.WriteAllTextAsync(Path.Combine(directory, "server.key"), key.ExportPkcs8PrivateKeyPem());
            tls = $"ssl_certificate {directory}/server.crt; ssl_certificate_key {directory}/server.key;";
        }

        for (var attempt = 0; ; attempt++)
        {
            var port = Processes.FreePort();
            var configuration = Path.Combine(directory, "nginx.conf");
            await File.WriteAllTextAsync(
                configuration,
                $$"""
                daemon off;
                master_process off;
                pid {{directory}}/nginx.pid;
                error_log {{directory}}/error.log;
                events { }
                http {
                    access_log {{directory}}/access.log;
                    client_body_temp_path {{directory}}/body;
                    proxy_temp_path {{directory}}/proxy;
                    fastcgi_temp_path {{directory}}/fastcgi;
                    uwsgi_temp_path {{directory}}/uwsgi;
                    scgi_temp_path {{directory}}/scgi;
                    client_max_body_size 0;
                    server {
                        listen 127.0.0.1:{{port}}{{(certificate is null ? string.Empty : " ssl http2")}};
                        server_name localhost;
                        {{tls}}
                        {{locations.Replace("DIRECTORY", directory)}}
                    }
                }
                """);
            var process = new Process { StartInfo = Processes.Info(program, ["-c", configuration, "-p", directory, "-e", Path.Combine(directory, "start.log")]) };
            process.OutputDataReceived += (_, _) => { };
            process.ErrorDataReceived += (_, _) => { };
            process.Start();
            process.BeginOutputReadLine();
            process.BeginErrorReadLine();
            var server = new NginxServer(process, directory, new Uri($"{(certificate is null ? "http" : "https")}://localhost:{port}/"));
            for (var i = 0; i < 200 && !process.HasExited; i++)
            {
                try
                {
                    using var socket = new TcpClient();
                    await socket.ConnectAsync("127.0.0.1", port);
                    return server;
                }
                catch (SocketException)
                {
                    await Task.Delay(50);
                }
            }

            var log = string.Concat(Directory.GetFiles(directory, "*.log").Select(File.ReadAllText));
            server.End();
            if (attempt == 3) throw new InvalidOperationException("nginx did not start: " + log);
        }
    }

    public async ValueTask DisposeAsync()
    {
        End();
        await Task.Yield();
        Directory.Delete(_directory, recursive: true);
    }

    private void End()
    {
        if (!_process.HasExited) _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }
}
