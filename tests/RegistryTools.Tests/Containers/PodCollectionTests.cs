using System.Management.Automation;
using RegistryTools.Tests.Servers;

namespace RegistryTools.Cmdlets.Tests.Containers;

/// <summary>The registry's own collector, run by the cmdlet in a pod: a stand-in for Kubernetes, with the real docker-registry behind it.</summary>
public sealed class PodCollectionTests : IDisposable
{
    private readonly ModuleSession _session = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("rt-pods-").FullName;

    public void Dispose()
    {
        _session.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [SkippableTheory]
    [InlineData("-Pod registry-0")]
    [InlineData("-Deployment registry")]
    [InlineData("-Selector app=registry")]
    [InlineData("-Pod registry-0 -Namespace registries -PodContainer main -Context here")]
    public async Task However_it_is_named_what_it_would_do_is_told(string target)
    {
        await using var kubernetes = await KubernetesServer.StartAsync();
        await PodmanFixture.FillAsync(kubernetes.Registry);
        var plan = Collect(kubernetes, target + " -WhatIf").Succeed().Output.Single();
        Assert.Equal((true, 0, "registry 2.8.2"), ((bool)plan.Properties["IsPlan"].Value, (int)plan.Properties["ManifestsRemoved"].Value, plan.Properties["Collector"].Value));
        Assert.All(kubernetes.Done.Where(line => line.StartsWith("exec", StringComparison.Ordinal)), line => Assert.StartsWith("exec v5.channel.k8s.io main ", line, StringComparison.Ordinal));
        Assert.DoesNotContain(kubernetes.Done, line => line.Contains("garbage-collect", StringComparison.Ordinal) && !line.Contains("--dry-run", StringComparison.Ordinal));
        Assert.Contains("i4@sha256:", Collect(kubernetes, target + " -RemoveUntagged -Confirm:$false").Fail("CollectorUnsafe").Exception.Message, StringComparison.Ordinal);
        await PodmanFixture.PullAllAsync(kubernetes.Registry, _directory);
    }

    [SkippableTheory]
    [InlineData("v4.channel.k8s.io", "", "exec")]
    [InlineData("v5.channel.k8s.io", "-Restart", "exec")]
    [InlineData("v4.channel.k8s.io", "-Quiesce ReadOnly", "exec")]
    [InlineData("v5.channel.k8s.io", "-Quiesce Scale", "run")]
    public async Task What_has_no_tag_goes_and_the_registry_serves_again(string protocol, string options, string how)
    {
        await using var kubernetes = await KubernetesServer.StartAsync();
        kubernetes.Protocols = [protocol];
        var untagged = await PodmanFixture.FillAsync(kubernetes.Registry);
        _session.Invoke($"Remove-RegistryTag i4 T41 -Registry http://{kubernetes.Registry}").Succeed();
        var result = Collect(kubernetes, "-Deployment registry -RemoveUntagged -Confirm:$false " + options).Succeed();
        Assert.True((int)result.Output.Single().Properties["BlobsRemoved"].Value > 0);
        var ran = Assert.Single(kubernetes.Done, line => line.Contains("garbage-collect -m", StringComparison.Ordinal));
        Assert.StartsWith(how, ran, StringComparison.Ordinal);
        Assert.DoesNotContain("while it serves", ran, StringComparison.Ordinal);
        Assert.True(kubernetes.IsRunning);
        Assert.Equal(options.Length == 0, result.Warnings.Any(warning => warning.Contains("-Restart", StringComparison.Ordinal)));
        if (options.Length > 0) Assert.False(await PodmanFixture.HasAsync(kubernetes.Registry, "i1", untagged));

        // It can be pushed to again, and what was kept can be pulled.
        await Skopeo.RunAsync("copy", $"docker://{kubernetes.Registry}/i1:T11", $"docker://{kubernetes.Registry}/i1:again");
    }

    [SkippableTheory]
    [InlineData("-Quiesce Scale")]
    [InlineData("-Quiesce ReadOnly")]
    [InlineData("-Restart")]
    public async Task A_pod_whose_storage_ends_with_it_is_not_stopped(string options)
    {
        await using var kubernetes = await KubernetesServer.StartAsync();
        await PodmanFixture.FillAsync(kubernetes.Registry);
        kubernetes.Volume = "\"emptyDir\":{}";
        var error = Collect(kubernetes, "-Deployment registry -Confirm:$false " + options).Fail("RuntimeUnavailable");
        Assert.Contains("would lose all of it", error.Exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(kubernetes.Done, line => line.StartsWith("PATCH", StringComparison.Ordinal));
        await PodmanFixture.PullAllAsync(kubernetes.Registry, _directory);
    }

    [SkippableFact]
    public async Task What_is_pushed_between_the_look_and_the_run_is_not_deleted()
    {
        await using var kubernetes = await KubernetesServer.StartAsync();
        await PodmanFixture.FillAsync(kubernetes.Registry);
        _session.Invoke($"Remove-RegistryTag i4 T41 -Registry http://{kubernetes.Registry}").Succeed();

        // As it is made read-only, the image of several platforms gets its tag back.
        kubernetes.OnPatch = () => PodmanFixture.FillAsync(kubernetes.Registry);
        var error = Collect(kubernetes, "-Deployment registry -RemoveUntagged -Quiesce ReadOnly -Confirm:$false").Fail("CollectorUnsafe");
        Assert.Contains("Run this again", error.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        await PodmanFixture.PullAllAsync(kubernetes.Registry, _directory);
    }

    [SkippableFact]
    public async Task What_the_deployment_had_set_itself_is_set_again()
    {
        await using var kubernetes = await KubernetesServer.StartAsync();
        await PodmanFixture.FillAsync(kubernetes.Registry);
        const string own = "{uploadpurging: {enabled: false}}";
        kubernetes.Maintenance = own;
        Collect(kubernetes, "-Deployment registry -Quiesce ReadOnly -Confirm:$false").Succeed();
        Assert.Equal(own, kubernetes.Maintenance);
    }

    [SkippableTheory]
    [InlineData("-Quiesce Scale")]
    [InlineData("-Quiesce ReadOnly")]
    [InlineData("-Restart")]
    public async Task A_pod_that_is_named_is_another_afterwards(string options)
    {
        await using var kubernetes = await KubernetesServer.StartAsync();
        await PodmanFixture.FillAsync(kubernetes.Registry);
        _session.Invoke($"Remove-RegistryTag i4 T41 -Registry http://{kubernetes.Registry}").Succeed();
        Collect(kubernetes, "-Pod registry-0 -RemoveUntagged -Confirm:$false " + options).Succeed();
        Assert.True(kubernetes.IsRunning);
    }

    [SkippableFact]
    public async Task Pods_that_still_take_pushes_are_waited_for()
    {
        await using var kubernetes = await KubernetesServer.StartAsync();
        await PodmanFixture.FillAsync(kubernetes.Registry);
        kubernetes.Lingers = 3;
        Collect(kubernetes, "-Deployment registry -Quiesce ReadOnly -Confirm:$false").Succeed();

        // Between the first patch and the collector, the list was looked at until the old pod was gone.
        var done = kubernetes.Done.ToList();
        var first = done.FindIndex(line => line.StartsWith("patch", StringComparison.Ordinal));
        var collected = done.FindIndex(line => line.Contains("garbage-collect /", StringComparison.Ordinal));
        Assert.True(done.Skip(first).Take(collected - first).Count(line => line == "lingers") >= 3, string.Join('\n', done));
    }

    [SkippableFact]
    public async Task A_pod_that_does_not_start_does_not_keep_the_registry_down()
    {
        await using var kubernetes = await KubernetesServer.StartAsync();
        await PodmanFixture.FillAsync(kubernetes.Registry);
        kubernetes.Waits = "ImagePullBackOff";
        Assert.Contains("ImagePullBackOff", Collect(kubernetes, "-Deployment registry -Quiesce Scale -Confirm:$false").Fail("RuntimeUnavailable").Exception.Message, StringComparison.Ordinal);
        Assert.True(kubernetes.IsRunning);
        await PodmanFixture.PullAllAsync(kubernetes.Registry, _directory);
    }

    [SkippableFact]
    public async Task A_selector_without_labels_is_not_every_pod()
    {
        await using var kubernetes = await KubernetesServer.StartAsync();
        await PodmanFixture.FillAsync(kubernetes.Registry);
        kubernetes.Selector = """{"matchExpressions":[{"key":"app","operator":"In","values":["registry"]}]}""";
        Assert.Equal("registry 2.8.2", Collect(kubernetes, "-Deployment registry -WhatIf").Succeed().Output.Single().Properties["Collector"].Value);
        Assert.DoesNotContain(kubernetes.Done, line => line.Contains("/another/", StringComparison.Ordinal));
    }

    [SkippableFact]
    public async Task A_connection_that_is_cut_is_told_and_the_registry_is_brought_back()
    {
        await using var kubernetes = await KubernetesServer.StartAsync();
        await PodmanFixture.FillAsync(kubernetes.Registry);
        foreach (var bytes in new[] { 1, 500 })
        {
            kubernetes.Cut = ("garbage-collect", bytes);
            var error = Collect(kubernetes, "-Pod registry-0 -Confirm:$false").Fail("CollectorFailed");
            Assert.Contains("was lost", error.Exception.Message, StringComparison.Ordinal);
        }

        // A dry run that is cut changes nothing; neither is anything stopped for it.
        Collect(kubernetes, "-Deployment registry -Quiesce Scale -Confirm:$false").Fail("CollectorFailed");
        Assert.DoesNotContain(kubernetes.Done, line => line.StartsWith("PATCH", StringComparison.Ordinal));
        kubernetes.Cut = ("garbage-collect /", 1);
        Collect(kubernetes, "-Deployment registry -Quiesce ReadOnly -Confirm:$false").Fail("CollectorFailed");
        Assert.Contains("delete", kubernetes.Done.Last(line => line.StartsWith("patch", StringComparison.Ordinal)), StringComparison.Ordinal);

        // What is not seen any more may still work there: its pod ends before another takes pushes.
        Assert.Contains(kubernetes.Done, line => line.StartsWith("patch", StringComparison.Ordinal) && line.Contains("\"replicas\":0", StringComparison.Ordinal));
        await PodmanFixture.PullAllAsync(kubernetes.Registry, _directory);
    }

    [SkippableTheory]
    [InlineData("""{"metadata":{},"status":"Failure","message":"command terminated","reason":"NonZeroExitCode","details":{"causes":[{"reason":"ExitCode","message":"7"}]}}""", "CollectorFailed", "exit code 7")]
    [InlineData("""{"metadata":{},"status":"Failure","message":"container not found"}""", "RuntimeUnavailable", "container not found")]
    [InlineData("{", "RuntimeUnavailable", "not known")]
    [InlineData("""{"metadata":{},"status":"Success"}""", "CollectorFailed", "without its summary")]
    public async Task However_it_ends_that_is_told(string status, string id, string told)
    {
        await using var kubernetes = await KubernetesServer.StartAsync();
        kubernetes.Says = ("garbage-collect", status);
        Assert.Contains(told, Collect(kubernetes, "-Pod registry-0 -Confirm:$false").Fail(id).Exception.Message, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task What_is_not_there_or_not_allowed_is_told_and_no_token_is_shown()
    {
        await using var kubernetes = await KubernetesServer.StartAsync();
        Collect(kubernetes, "-Pod nobody").Fail("ContainerNotFound");
        Collect(kubernetes, "-Deployment nobody").Fail("ContainerNotFound");
        Assert.Contains("no running pod", Collect(kubernetes, "-Selector app=other").Fail("ContainerNotFound").Exception.Message, StringComparison.Ordinal);
        Collect(kubernetes, "-Pod registry-0 -Context elsewhere").Fail("ContainerNotFound");
        Assert.Contains("main", Collect(kubernetes, "-Pod registry-0 -PodContainer x").Fail("ContainerNotFound").ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Collect(kubernetes, "-Pod registry-0 -PodContainer sidecar -BinaryPath /no/registry").Fail("CollectorFailed");
        Collect(kubernetes, "-Pod registry-0 -Context nowhere").Fail("RuntimeUnavailable");
        Collect(kubernetes, "-Pod registry-0 -Quiesce Stop -Confirm:$false").Fail("RuntimeUnavailable");
        _session.Invoke("Invoke-RegistryGarbageCollect -Pod x -KubeConfigPath /no/kubeconfig").Fail("RuntimeUnavailable");
        kubernetes.Refuses = (403, """{"kind":"Status","status":"Failure","message":"pods is forbidden: User \"u\" cannot get resource","code":403}""");
        var error = Collect(kubernetes, "-Pod registry-0").Fail("RuntimeUnavailable");
        Assert.Contains("forbidden", error.Exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("kub3-s3cret", error.Exception.ToString(), StringComparison.Ordinal);
        kubernetes.Refuses = (200, "<html>");
        Assert.Single(Collect(kubernetes, "-Pod registry-0").Errors);
    }

    private ScriptResult Collect(KubernetesServer kubernetes, string options) => _session.Invoke($"Invoke-RegistryGarbageCollect -KubeConfigPath '{kubernetes.KubeConfig}' {options}");
}
