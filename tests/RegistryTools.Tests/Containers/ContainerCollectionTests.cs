using System.Management.Automation;
using RegistryTools.Tests.Servers;

namespace RegistryTools.Cmdlets.Tests.Containers;

/// <summary>The registry's own collector, run by the cmdlet in a container of the real podman, with the real docker-registry in it.</summary>
public sealed class ContainerCollectionTests(PodmanFixture podman) : IClassFixture<PodmanFixture>, IDisposable
{
    private readonly ModuleSession _session = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-containers-").FullName;
    private readonly string _name = "reg" + Guid.NewGuid().ToString("N")[..8];

    public void Dispose()
    {
        _session.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [SkippableFact]
    public async Task What_it_would_do_is_told_and_nothing_is_changed()
    {
        var address = await podman.Server.RunRegistryAsync(_name);
        var untagged = await PodmanFixture.FillAsync(address);
        var plain = Collect("-WhatIf").Succeed().Output.Single();
        Assert.Equal((true, 0, 0), (Value<bool>(plain, "IsPlan"), Value<int>(plain, "ManifestsRemoved"), Value<int>(plain, "BlobsRemoved")));
        Assert.Equal("registry 2.8.2", plain.Properties["Collector"].Value);
        Assert.Equal($"container '{_name}'", plain.Properties["Container"].Value);
        Assert.Equal(2, Value<int>(plain, "Repositories"));

        // With -m, 2.8.2 would break the image of several platforms.
        var result = Collect("-RemoveUntagged -WhatIf -PassThru");
        var error = result.Fail("CollectorUnsafe");
        Assert.Contains("i4@sha256:", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("-Native", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Contains(result.Output, item => untagged.Equals(item.Properties["Digest"]?.Value));
        Assert.True(await PodmanFixture.HasAsync(address, "i1", untagged));
    }

    [SkippableTheory]
    [InlineData("")]
    [InlineData("-Quiesce Stop")]
    [InlineData("-Quiesce Pause")]
    [InlineData("-Quiesce ReadOnly")]
    [InlineData("-Restart")]
    public async Task However_it_is_called_every_platform_of_a_tagged_image_stays(string options)
    {
        var address = await podman.Server.RunRegistryAsync(_name);
        await PodmanFixture.FillAsync(address);
        Collect("-RemoveUntagged -Confirm:$false " + options).Fail("CollectorUnsafe");
        Collect("-Confirm:$false " + options).Succeed();
        await PodmanServerIsBackAsync(address);
        await PodmanFixture.PullAllAsync(address, _directory);
    }

    [SkippableTheory]
    [InlineData("", true)]
    [InlineData("-Restart", false)]
    [InlineData("-Quiesce Stop", false)]
    [InlineData("-Quiesce Pause", true)]
    [InlineData("-Quiesce ReadOnly", false)]
    public async Task What_has_no_tag_goes_and_the_registry_serves_again(string options, bool mustBeRestarted)
    {
        var address = await podman.Server.RunRegistryAsync(_name);
        var untagged = await PodmanFixture.FillAsync(address);
        _session.Invoke($"Remove-RegistryTag i4 T41 -Registry http://{address}").Succeed();

        // Without its image of several platforms nothing speaks against it.
        var result = Collect("-RemoveUntagged -Confirm:$false " + options).Succeed();
        var collection = result.Output.Single();
        Assert.False(Value<bool>(collection, "IsPlan"));
        Assert.True(Value<int>(collection, "BlobsRemoved") > 0);
        Assert.True(Value<int>(collection, "ManifestsRemoved") > 0);
        Assert.Equal(mustBeRestarted, result.Warnings.Any(warning => warning.Contains("-Restart", StringComparison.Ordinal)));
        await PodmanServerIsBackAsync(address);
        Assert.Equal(_name, await podman.Server.PodmanAsync("ps", "--filter", "name=" + _name, "--filter", "status=running", "--format", "{{.Names}}"));
        if (!mustBeRestarted) Assert.False(await PodmanFixture.HasAsync(address, "i1", untagged));
        await Skopeo.PullAsync(address, "i1", "T11", Path.Combine(_directory, "pulled"));
    }

    [SkippableFact]
    public async Task A_signature_without_a_tag_of_an_image_that_stays_is_not_deleted()
    {
        var address = await podman.Server.RunRegistryAsync(_name);
        await PodmanFixture.FillAsync(address, signed: true);
        _session.Invoke($"Remove-RegistryTag i4 T41 -Registry http://{address}").Succeed();
        var error = Collect("-RemoveUntagged -Confirm:$false").Fail("CollectorUnsafe");
        Assert.Contains("1 manifest(s)", error.Exception.Message, StringComparison.Ordinal);
        Assert.Contains("i1@sha256:", error.Exception.Message, StringComparison.Ordinal);

        // Who wants it all the same has said so.
        Assert.True(Value<int>(Collect("-RemoveUntagged -Force -Confirm:$false").Succeed().Output.Single(), "ManifestsRemoved") > 1);
    }

    [SkippableFact]
    public async Task This_module_s_own_collector_works_on_the_container_s_volume()
    {
        var address = await podman.Server.RunRegistryAsync(_name);
        await PodmanFixture.FillAsync(address, signed: true);
        var collection = Collect("-Native -RemoveUntagged -MinimumAge 0s").Succeed().Output.Single();
        Assert.Equal(1, Value<int>(collection, "ManifestsRemoved"));
        Assert.True(Value<long>(collection, "BytesQuarantined") > 0);
        await PodmanFixture.PullAllAsync(address, _directory);

        var bare = _name + "b";
        await podman.Server.RunRegistryAsync(bare, volume: null);
        _session.Invoke($"Invoke-RegistryGarbageCollect -DockerHost {podman.Server.Address} -Container {bare} -Native").Fail("RuntimeUnavailable");
    }

    [SkippableFact]
    public async Task A_container_that_is_deleted_when_it_stops_or_keeps_its_storage_to_itself_is_not_stopped()
    {
        var address = await podman.Server.RunRegistryAsync(_name, options: ["--rm"]);
        await PodmanFixture.FillAsync(address);
        Assert.Contains("--rm", Collect("-Quiesce Stop -Confirm:$false").Fail("RuntimeUnavailable").Exception.Message, StringComparison.Ordinal);
        Collect("-Quiesce ReadOnly -Confirm:$false").Fail("RuntimeUnavailable");
        await PodmanFixture.PullAllAsync(address, _directory);

        var bare = _name + "b";
        await PodmanFixture.FillAsync(await podman.Server.RunRegistryAsync(bare, volume: null));
        Assert.Contains("no volume", _session.Invoke($"Invoke-RegistryGarbageCollect -DockerHost {podman.Server.Address} -Container {bare} -Quiesce Stop -Confirm:$false").Fail("RuntimeUnavailable").Exception.Message, StringComparison.Ordinal);
        Assert.Equal("running", await podman.Server.PodmanAsync("inspect", bare, "--format", "{{.State.Status}}"));
    }

    [SkippableFact]
    public async Task Two_collections_at_once_do_not_get_in_each_other_s_way()
    {
        var address = await podman.Server.RunRegistryAsync(_name, slow: 25);
        await PodmanFixture.FillAsync(address);
        using var shell = new ChildShell();
        using var first = shell.Start($"Invoke-RegistryGarbageCollect -DockerHost {podman.Server.Address} -Container {_name} -Confirm:$false -Quiesce Stop | % Container");
        for (var look = 0; look < 300 && await podman.Server.PodmanAsync("inspect", _name, "--format", "{{.State.Status}}") == "running"; look++) await Task.Delay(100);
        var (_, error) = await shell.RunAsync($"Invoke-RegistryGarbageCollect -DockerHost {podman.Server.Address} -Container {_name} -Confirm:$false -Quiesce Stop");
        Assert.Contains("is under way", error, StringComparison.Ordinal);
        Assert.Contains(_name, await first.StandardOutput.ReadToEndAsync(), StringComparison.Ordinal);
        await PodmanServerIsBackAsync(address);
        await PodmanFixture.PullAllAsync(address, _directory);
    }

    [SkippableFact]
    public async Task Read_only_it_goes_on_giving_and_takes_nothing()
    {
        var address = await podman.Server.RunRegistryAsync(_name, slow: 6);
        await PodmanFixture.FillAsync(address);
        using var running = _session.Start(Script("-Confirm:$false -Quiesce ReadOnly"));
        using var client = new HttpClient { BaseAddress = new Uri($"http://{address}") };
        var refused = 0;
        for (var look = 0; look < 400 && refused == 0; look++)
        {
            await Task.Delay(50);
            try
            {
                using var upload = await client.PostAsync("/v2/i1/blobs/uploads/", null);
                if (upload.StatusCode != System.Net.HttpStatusCode.MethodNotAllowed) continue;
                refused++;
                using var list = await client.GetAsync("/v2/i1/tags/list");
                list.EnsureSuccessStatusCode();
            }
            catch (HttpRequestException)
            {
                // One goes and the other comes.
            }
        }

        Assert.Equal(1, refused);
        running.Finish().Succeed();
        using var again = await client.PostAsync("/v2/i1/blobs/uploads/", null);
        Assert.Equal(System.Net.HttpStatusCode.Accepted, again.StatusCode);
    }

    [SkippableFact]
    public async Task A_session_that_is_killed_leaves_word_and_the_next_one_mends_it()
    {
        var address = await podman.Server.RunRegistryAsync(_name, slow: 30);
        await PodmanFixture.FillAsync(address);
        using var shell = new ChildShell();
        using var killed = shell.Start($"Invoke-RegistryGarbageCollect -DockerHost {podman.Server.Address} -Container {_name} -Confirm:$false -Quiesce Stop");
        for (var look = 0; look < 300 && await StateAsync() == "running"; look++) await Task.Delay(100);
        await Task.Delay(1000);
        killed.Kill();
        await killed.WaitForExitAsync();
        Assert.Equal("exited", await StateAsync());

        // On another machine it can't be seen whether that session lives: its collector does, so nothing is touched.
        var note = Directory.GetFiles(Path.Combine(shell.Directory, "quiet")).Single();
        var written = await File.ReadAllTextAsync(note);
        await File.WriteAllTextAsync(note, written.Replace($"\"{Environment.MachineName}\"", "\"another-machine\"", StringComparison.Ordinal));
        Assert.Contains("is under way", (await shell.RunAsync($"Invoke-RegistryGarbageCollect -DockerHost {podman.Server.Address} -Container {_name} -Confirm:$false")).Error, StringComparison.Ordinal);
        Assert.Equal("exited", await StateAsync());
        await File.WriteAllTextAsync(note, written);

        // What it started still collects: it ends before the registry takes pushes again.
        Assert.NotEqual(string.Empty, await BesideAsync());
        var (output, error) = await shell.RunAsync($"Invoke-RegistryGarbageCollect -DockerHost {podman.Server.Address} -Container {_name} -WhatIf 3>&1 | % {{ \"$_\" }}; 'then'; Invoke-RegistryGarbageCollect -DockerHost {podman.Server.Address} -Container {_name} -BinaryPath /usr/bin/distribution -Confirm:$false 3>&1 | % {{ \"$_\" }}");
        Assert.Contains(output, line => line.Contains("docker start " + _name, StringComparison.Ordinal));
        Assert.Contains(output, line => line.Contains("It is brought back now", StringComparison.Ordinal));
        Assert.Contains("does not run", error, StringComparison.Ordinal);
        Assert.Equal("running", await StateAsync());
        Assert.Equal(string.Empty, await BesideAsync());
        await PodmanFixture.PullAllAsync(address, _directory);

        async Task<string> BesideAsync() => await podman.Server.PodmanAsync("ps", "-a", "--filter", "label=registrytools.beside", "--format", "{{.ID}}");
        async Task<string> StateAsync() => await podman.Server.PodmanAsync("inspect", _name, "--format", "{{.State.Status}}");
    }

    [SkippableFact]
    public async Task Ctrl_C_ends_the_collector_and_brings_the_registry_back()
    {
        var address = await podman.Server.RunRegistryAsync(_name, slow: 600);
        await PodmanFixture.FillAsync(address);
        using (var running = _session.Start(Script("-Confirm:$false -Quiesce Stop")))
        {
            while (await podman.Server.PodmanAsync("inspect", _name, "--format", "{{.State.Status}}") == "running") await Task.Delay(100);
            await Task.Delay(1000);
            running.Stop();
        }

        for (var look = 0; look < 300 && await podman.Server.PodmanAsync("inspect", _name, "--format", "{{.State.Status}}") != "running"; look++) await Task.Delay(100);
        await PodmanServerIsBackAsync(address);
        Assert.Equal(string.Empty, await podman.Server.PodmanAsync("ps", "-a", "--filter", "label=registrytools.beside", "--format", "{{.ID}}"));
        await PodmanFixture.PullAllAsync(address, _directory);
    }

    [SkippableFact]
    public async Task What_is_not_there_is_told()
    {
        var server = podman.Server;
        Assert.Contains("'nobody'", _session.Invoke($"Invoke-RegistryGarbageCollect -DockerHost {server.Address} -Container nobody").Fail("ContainerNotFound").Exception.Message, StringComparison.Ordinal);
        _session.Invoke("Invoke-RegistryGarbageCollect -DockerHost unix:///nowhere/at.all -Container x").Fail("RuntimeUnavailable");
        _session.Invoke("Invoke-RegistryGarbageCollect -DockerHost ssh://host -Container x").Fail("RuntimeUnavailable");
        _session.Invoke("Invoke-RegistryGarbageCollect -DockerHost nonsense -Container x").Fail("RuntimeUnavailable");
        await server.RunRegistryAsync(_name);
        Assert.Contains("-BinaryPath", Collect("-BinaryPath /bin/cat").Fail("CollectorFailed").ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Contains("exit code", Collect("-ConfigPath /etc/nothing.yml").Fail("CollectorFailed").Exception.Message, StringComparison.Ordinal);
        Collect("-Quiesce Scale -Confirm:$false").Fail("RuntimeUnavailable");
        await server.PodmanAsync("stop", "-t", "1", _name);
        Assert.Contains("does not run", Collect(string.Empty).Fail("ContainerNotFound").Exception.Message, StringComparison.Ordinal);
    }

    private static async Task PodmanServerIsBackAsync(string address) => await PodmanServer.WaitAsync(address);

    private static T Value<T>(PSObject item, string name) => (T)item.Properties[name].Value;

    private string Script(string options) => $"Invoke-RegistryGarbageCollect -DockerHost {podman.Server.Address} -Container {_name} {options}";

    private ScriptResult Collect(string options) => _session.Invoke(Script(options));
}
