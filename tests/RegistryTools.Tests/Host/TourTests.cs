using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using RegistryTools.Host.CommandLine;
using RegistryTools.Host.Embedded;
using RegistryTools.Host.Shell;
using RegistryTools.Host.Tour;

namespace RegistryTools.Cmdlets.Tests.Host;

/// <summary>The tour as it is taken, the registry beside a session, and the server.</summary>
[Collection(ProcessEnvironment.Name)]
public sealed class TourTests : IDisposable
{
    private readonly DirectoryInfo usersData = Directory.CreateTempSubdirectory("rt-user-");
    private readonly string? before = Environment.GetEnvironmentVariable(ScratchData.Variable);

    public TourTests() => Environment.SetEnvironmentVariable(ScratchData.Variable, usersData.FullName);

    public void Dispose()
    {
        Environment.SetEnvironmentVariable(ScratchData.Variable, before);
        usersData.Delete(recursive: true);
    }

    [Fact]
    public void TheTourEndsWithItsThreeTagsGoneAndLeavesNothingBehind()
    {
        using var terminal = new TestTerminal();
        int exitCode = HostProgram.Run(["-Width", "100"], terminal);

        Assert.Equal("", terminal.WrittenErrors);
        Assert.Equal(0, exitCode);
        string[] lines = terminal.Written.TrimEnd('\n').Split('\n');
        const string Closing = "the three tags are gone; 13 other tags still pull";
        Assert.Equal(Closing, lines[^1]);
        Assert.Equal(2, lines.Count(line => line == Closing));
        Assert.Contains("PS> Get-RegistryTag I1, I2, I5 | ? Name -in T12, T22, T52 | Remove-RegistryTag", lines);
        Assert.Contains("  i1  T12                   ", terminal.Written, StringComparison.Ordinal);
        Assert.Contains("What if: ", terminal.Written, StringComparison.Ordinal);
        Assert.Contains("its other tag(s) T13 would go with it", terminal.Written.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.DoesNotContain("WRONG", terminal.Written, StringComparison.Ordinal);
        Assert.All(lines.Where(line => !line.StartsWith("PS> ", StringComparison.Ordinal) && !line.Contains("Remove-RegistryManifest:", StringComparison.Ordinal)), line => Assert.InRange(line.Length, 0, 110));

        Assert.Equal(usersData.FullName, Environment.GetEnvironmentVariable(ScratchData.Variable));
        Assert.Empty(usersData.EnumerateFileSystemInfos());
    }

    [Fact]
    public async Task ATourOnARegistryThatDeletesNothingSaysSo()
    {
        using var terminal = new TestTerminal();
        TourException error = await Assert.ThrowsAsync<TourException>(() => TakeAsync(terminal, (options, token) => GuidedTour.StartSamplesAsync(options with { DeleteEnabled = false }, token)));
        Assert.Contains("Remove-RegistryTag' failed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ATourThatLosesAnotherTagSaysWhich()
    {
        using var terminal = new TestTerminal();
        TourException error = await Assert.ThrowsAsync<TourException>(() => TakeAsync(terminal, async (options, token) =>
        {
            EmbeddedRegistry registry = await GuidedTour.StartSamplesAsync(options, token);
            registry.Fault = (request, phase) =>
            {
                if (request.Method == "PUT" && phase == FaultPhase.After)
                    registry.Store.DeleteTag("i3", "T31");
                return null;
            };
            return registry;
        }));
        Assert.Contains("i3:T31 is missing from the list", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SamplesThatShowNothingAreRefused()
    {
        using var terminal = new TestTerminal();
        TourException error = await Assert.ThrowsAsync<TourException>(() => TakeAsync(terminal, (options, token) => EmbeddedRegistry.StartAsync(options, token)));
        Assert.Contains("i1:T12", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CtrlCEndsTheTourAndWhatItStarted()
    {
        using var terminal = new TestTerminal();
        Task<int> run = Task.Run(() => HostProgram.Run([], terminal));
        await Until(() => terminal.Written.Contains("PS> Connect-Registry", StringComparison.Ordinal));
        Assert.True(terminal.PressCtrlC());
        Assert.Equal(130, await run.WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Equal(usersData.FullName, Environment.GetEnvironmentVariable(ScratchData.Variable));
    }

    [Theory]
    [InlineData("2.8", "NotSupported")]
    [InlineData("3", "Supported")]
    public void ARegistryBesideASessionIsThereAsLongAsTheSession(string behaviour, string tagDelete)
    {
        string? uri = Environment.GetEnvironmentVariable(HostProgram.RegistryEnvironmentVariable);
        using var terminal = new TestTerminal();
        int exitCode = HostProgram.Run(
            ["-WithRegistry", "-Behave", behaviour, "-Command",
             "Connect-Registry $RegistryUri | Out-Null; (Test-Registry).TagDelete; Get-RegistryTag I1 | ? Name -eq T12 | Remove-RegistryTag; ((Get-RegistryTag i1).Name | % ToString) -join ' '; $env:REGISTRY_URI"],
            terminal);
        Assert.Equal("", terminal.WrittenErrors);
        Assert.Equal(0, exitCode);
        string[] lines = terminal.Written.TrimEnd('\n').Split('\n');
        Assert.Equal(tagDelete, lines[0]);
        Assert.Equal(["T11", "T13"], lines[1].Split(' ').Order(StringComparer.Ordinal));
        Assert.Equal(uri, Environment.GetEnvironmentVariable(HostProgram.RegistryEnvironmentVariable));
        using var client = new HttpClient();
        Assert.Throws<HttpRequestException>(() => client.Send(new HttpRequestMessage(HttpMethod.Get, lines[2] + "/v2/")));
        // Other registries may be worked on beside it: the journal is the user's.
        Assert.NotEmpty(usersData.EnumerateFileSystemInfos());
    }

    [Fact]
    public async Task TheServerServesUntilCtrlC()
    {
        using var terminal = new TestTerminal();
        string storage = Path.Combine(usersData.FullName, "storage");
        Task<int> run = Task.Run(() => HostProgram.Run(["-Serve", "0", "-StoragePath", storage, "-Seed", "-Behave", "3"], terminal));
        await Until(() => terminal.Written.Contains("Ctrl+C", StringComparison.Ordinal));
        string address = terminal.Written.Split(' ').Single(word => word.StartsWith("http://127.0.0.1:", StringComparison.Ordinal));
        using (var witness = new RegistryWitness(new Uri(address)))
            Assert.Equal(["i1", "i2", "i3", "i4", "i5"], await witness.RepositoriesAsync(CancellationToken.None));
        Assert.True(terminal.PressCtrlC());
        Assert.Equal(0, await run.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.True(Directory.Exists(Path.Combine(storage, "docker", "registry", "v2", "repositories", "i1")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TheServerEndsWithItsInputWhereThatIsAskedFor(bool withText)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (string argument in new[] { typeof(HostProgram).Assembly.Location, "-Serve", "0", "-Seed", "-EndWithInput" })
            start.ArgumentList.Add(argument);
        using Process server = Process.Start(start)!;
        try
        {
            string line = (await server.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60)))!;
            Match said = Regex.Match(line, "^Serving (?<storage>.+) at (?<address>http://127[.]0[.]0[.]1:[0-9]+/) as 2[.]8[.]");
            Assert.True(said.Success, line);
            using (var witness = new RegistryWitness(new Uri(said.Groups["address"].Value)))
                Assert.Equal(["i1", "i2", "i3", "i4", "i5"], await witness.RepositoriesAsync(CancellationToken.None));
            if (withText)
                await server.StandardInput.WriteLineAsync("what comes does not matter");
            Assert.False(server.HasExited);
            Assert.True(Directory.Exists(said.Groups["storage"].Value));
            server.StandardInput.Close();
            await server.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
            Assert.Equal(0, server.ExitCode);
            Assert.False(Directory.Exists(said.Groups["storage"].Value));
        }
        finally
        {
            if (!server.HasExited)
                server.Kill();
        }
    }

    [Fact]
    public void APortThatIsTakenIsSaid()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        string port = ((IPEndPoint)taken.LocalEndpoint).Port.ToString(System.Globalization.CultureInfo.InvariantCulture);
        using var terminal = new TestTerminal();
        Assert.Equal(1, HostProgram.Run(["-Serve", port, "-Seed"], terminal));
        Assert.Contains(port, terminal.WrittenErrors, StringComparison.Ordinal);
    }

    private static Task<IReadOnlyList<Verdict>> TakeAsync(TestTerminal terminal, Func<EmbeddedRegistryOptions, CancellationToken, Task<EmbeddedRegistry>> start) =>
        Task.Run(() => new GuidedTour(terminal, start, ModuleStage.Find()).TakeAsync(CancellationToken.None));

    private static async Task Until(Func<bool> condition)
    {
        for (int i = 0; !condition(); i++)
        {
            Assert.True(i < 1500, "It took too long.");
            await Task.Delay(20);
        }
    }
}
