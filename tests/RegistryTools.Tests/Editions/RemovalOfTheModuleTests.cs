using System.Net;
using System.Net.Sockets;
using System.Text;

namespace RegistryTools.Cmdlets.Tests.Editions;

/// <summary>Remove-Module leaves nothing behind that runs, listens or is open.</summary>
public sealed class RemovalOfTheModuleTests
{
    [Theory]
    [InlineData(true, "found")]
    [InlineData(false, "not found")]
    public async Task The_hook_that_finds_dependencies_goes_with_it(bool isThere, string expected)
    {
        // What was found once stays found: an assembly is asked for that nothing has needed yet.
        using var shell = new ChildShell();
        var (output, error) = await shell.RunAsync(
            $"Get-RegistryConnection; {(isThere ? string.Empty : "Remove-Module RegistryTools;")} if ([Type]::GetType('RegistryTools.Containers.IRegistryRuntime, RegistryTools.Containers')) {{ 'found' }} else {{ 'not found' }}");
        Assert.Equal(string.Empty, error);
        Assert.Equal([expected], output);
    }

    [Fact]
    public async Task Forced_imports_leave_one_hook_which_one_removal_takes_out()
    {
        using var shell = new ChildShell();
        var (output, error) = await shell.RunAsync(
            $"Import-Module '{ModuleSession.Manifest}' -Force; Import-Module '{ModuleSession.Manifest}' -Force; (Get-Module RegistryTools).Count; Remove-Module RegistryTools; "
            + "if ([Type]::GetType('RegistryTools.Containers.IRegistryRuntime, RegistryTools.Containers')) { 'found' } else { 'not found' }");
        Assert.Equal(string.Empty, error);
        Assert.Equal(["1", "not found"], output);
    }

    [Theory]
    [InlineData("Remove-Module RegistryTools")]
    [InlineData("Import-Module (Get-Module RegistryTools).Path.Replace('bin/net8.0/RegistryTools.dll', 'RegistryTools.psd1') -Force")]
    public async Task Connections_are_closed(string script)
    {
        await using var server = new KeptConnections();
        using var session = new ModuleSession();
        session.Invoke($"Connect-Registry http://{server.Address} -Name one; Connect-Registry http://{server.Address} -Name two; Get-RegistryRepository -Registry one; Get-RegistryRepository -Registry two").Succeed();
        Assert.True(server.Open >= 2, $"{server.Open} are open.");
        session.Invoke(script).Succeed();
        await server.AllClosedAsync();
    }

    [Fact]
    public async Task No_timer_and_no_thread_of_ours_goes_on()
    {
        await using var registry = await ScriptedRegistry.StartAsync();
        registry.AddImage("i1", "T11");
        registry.Before = async context =>
        {
            if (context.Request.Path == "/v2/_catalog") await Task.Delay(Timeout.Infinite, context.RequestAborted);
            return false;
        };
        using var shell = new ChildShell { ModulePath = IsolationTests.OtherModule };
        var (output, error) = await shell.RunAsync($$"""
            function Tab($line) { $null = TabExpansion2 $line $line.Length }
            Tab 'Get-Module '; Get-OtherVersion | % { }; $before = [Threading.Timer]::ActiveCount
            Import-Module '{{ModuleSession.Manifest}}'
            $null = Connect-Registry http://{{registry.Address}}; $null = Get-RegistryTag i1; $null = Get-RegistryTag i1 -Detailed
            Tab 'Get-RegistryTag '; Tab 'Get-RegistryTag i1 '
            Remove-Module RegistryTools
            $left = 1; for ($i = 0; $i -lt 100 -and $left -gt 0; $i++) { [Threading.Thread]::Sleep(50); [GC]::Collect(); $left = [Threading.Timer]::ActiveCount - $before }
            'timers ' + [Math]::Max(0, $left)
            """);
        Assert.Equal(string.Empty, error);
        Assert.Equal(["timers 0"], output);
        Assert.Equal(1, registry.Aborted);
    }

    /// <summary>A registry that keeps its connections open and knows which of them the client has closed.</summary>
    private sealed class KeptConnections : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _end = new();
        private readonly Task _accepting;
        private int _open;

        public KeptConnections()
        {
            _listener.Start();
            _accepting = AcceptAsync();
        }

        public string Address => "127.0.0.1:" + ((IPEndPoint)_listener.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);

        public int Open => Volatile.Read(ref _open);

        public async Task AllClosedAsync()
        {
            for (var i = 0; i < 600 && Open > 0; i++) await Task.Delay(50);
            Assert.Equal(0, Open);
        }

        public async ValueTask DisposeAsync()
        {
            await _end.CancelAsync();
            _listener.Stop();
            await _accepting;
            _end.Dispose();
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true) _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token));
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The end.
            }
        }

        private async Task ServeAsync(TcpClient client)
        {
            Interlocked.Increment(ref _open);
            try
            {
                using (client)
                {
                    using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
                    while (await reader.ReadLineAsync(_end.Token) is { } line)
                    {
                        if (line.Length > 0) continue;
                        const string body = """{"repositories":["i1"]}""";
                        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"), _end.Token);
                    }
                }
            }
            catch (Exception exception) when (exception is IOException or OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // Closed the other way.
            }
            finally
            {
                Interlocked.Decrement(ref _open);
            }
        }
    }
}
