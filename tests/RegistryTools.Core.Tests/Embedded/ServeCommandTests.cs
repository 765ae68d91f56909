using System.Text.RegularExpressions;
using RegistryTools.Host.Embedded;
using Xunit;

namespace RegistryTools.Tests.Embedded;

public sealed partial class ServeCommandTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-serve-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData("2.8", 400)]
    [InlineData("3", 202)]
    [InlineData("2.8-no-delete", 405)]
    [InlineData("3-no-delete", 405)]
    [InlineData("full", 202)]
    public async Task Serves_a_seeded_directory_as_told_until_it_is_stopped(string behaviour, int status)
    {
        using var stop = new CancellationTokenSource();
        using var output = new StringWriter();
        var serving = ServeCommand.RunAsync(0, _directory, behaviour, seed: true, null, output, stop.Token);
        while (!serving.IsCompleted && !output.ToString().Contains("Ctrl+C", StringComparison.Ordinal)) await Task.Delay(20);
        using var client = new HttpClient { BaseAddress = new Uri(Address().Match(output.ToString()).Value) };
        using (var answer = await client.DeleteAsync(new Uri("v2/i1/manifests/T11", UriKind.Relative))) Assert.Equal(status, (int)answer.StatusCode);
        Assert.Contains("T22", await client.GetStringAsync(new Uri("v2/i2/tags/list", UriKind.Relative)), StringComparison.Ordinal);
        await stop.CancelAsync();
        Assert.Equal(0, await serving.WaitAsync(TimeSpan.FromSeconds(30)));
        Assert.True(Directory.Exists(_directory));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_an_error_and_leaves_nothing_behind()
    {
        await using var first = await EmbeddedRegistry.StartAsync();
        await Assert.ThrowsAnyAsync<IOException>(() => ServeCommand.RunAsync(first.BaseAddress.Port, _directory, "3", seed: false, null, TextWriter.Null, CancellationToken.None));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_directory));
    }

    [Fact]
    public async Task A_storage_may_be_named_relative_to_where_one_is()
    {
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, _directory);
        await using var registry = await EmbeddedRegistry.StartAsync(new() { StoragePath = relative });
        registry.Store.AddImage("r", "one", "r");
        Assert.Equal(["one"], new DistributionStore(_directory).Tags("r"));
    }

    [GeneratedRegex("http://127[.]0[.]0[.]1:[0-9]+/")]
    private static partial Regex Address();
}
