using k8s;
using k8s.Models;
using RegistryTools.Retention;
using RegistryTools.Tests.Servers;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace RegistryTools.Tests.Containers;

/// <summary>The schedules in samples/ are what they say: by the tools and the types that there are for them.</summary>
public sealed class ScheduleSampleTests
{
    private static readonly string Samples = Path.Combine(Root(), "samples");

    [Fact]
    public void The_policy_is_good()
    {
        var policy = RetentionPolicy.Parse(File.ReadAllBytes(Path.Combine(Samples, "retention-policy.json")), out var errors);
        Assert.Empty(errors);
        Assert.Equal("releases", policy!.Find("release/app")!.Name);
        Assert.Equal("builds", policy.Find("team/app")!.Name);
        Assert.Null(policy.Find("base/os"));
    }

    [Fact]
    public async Task The_cron_job_is_Kubernetes_own_and_its_role_is_no_wider_than_it_needs()
    {
        // Strict: what the types do not have is an error.
        var objects = await KubernetesYaml.LoadAllFromFileAsync(Path.Combine(Samples, "kubernetes", "cronjob.yaml"), typeMap: null, strict: true);
        var job = Assert.Single(objects.OfType<V1CronJob>());
        var role = Assert.Single(objects.OfType<V1Role>());
        var account = Assert.Single(objects.OfType<V1ServiceAccount>()).Metadata.Name;
        Assert.Equal(account, job.Spec.JobTemplate.Spec.Template.Spec.ServiceAccountName);
        Assert.Equal("Forbid", job.Spec.ConcurrencyPolicy);
        var binding = Assert.Single(objects.OfType<V1RoleBinding>());
        Assert.Equal((role.Metadata.Name, account), (binding.RoleRef.Name, binding.Subjects.Single().Name));
        Assert.DoesNotContain(role.Rules.SelectMany(rule => rule.Verbs.Concat(rule.Resources)), word => word == "*" || word is "delete" or "secrets");
        Assert.Equal(["registry"], role.Rules.Single(rule => rule.Resources.Contains("deployments")).ResourceNames);
    }

    [SkippableFact]
    public async Task The_units_are_systemd_s_own()
    {
        // A machine without systemd's tools has nothing to say about its units.
        Skip.If(Requirement.Find("systemd-analyze") is null, "systemd-analyze is not on this machine.");
        var (code, output) = await Processes.RunAsync(Requirement.Find("systemd-analyze")!, ["verify", Path.Combine(Samples, "systemd", "registry-cleanup.service"), Path.Combine(Samples, "systemd", "registry-cleanup.timer")]);
        Assert.True(code == 0 && !output.Contains("registry-cleanup", StringComparison.Ordinal), output);
    }

    [Theory]
    [InlineData("azure-devops/azure-pipelines.yml", "jobs", "schedules")]
    [InlineData("github-actions/registry-cleanup.yml", "jobs", "on", "permissions")]
    [InlineData("compose/docker-compose.yml", "services", "volumes")]
    public void The_others_are_YAML_of_their_shape(string file, params string[] keys)
    {
        var stream = new YamlStream();
        using (var reader = File.OpenText(Path.Combine(Samples, file))) stream.Load(reader);
        var root = Assert.IsType<YamlMappingNode>(Assert.Single(stream.Documents).RootNode);
        Assert.All(keys, key => Assert.True(root.Children.ContainsKey(key), key));
    }

    [Fact]
    public void The_crontab_has_five_fields_a_user_and_a_command()
    {
        var lines = File.ReadAllLines(Path.Combine(Samples, "cron", "registry-cleanup")).Where(line => line.Length > 0 && line[0] != '#' && !line.Contains('=')).ToList();
        Assert.Matches(@"^[\d*/,-]+ [\d*/,-]+ [\d*/,-]+ [\d*/,-]+ [\d*/,-]+ root pwsh -NoProfile -NonInteractive -File \S+\.ps1 ", Assert.Single(lines));
    }

    private static string Root()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "RegistryTools.sln"))) directory = directory.Parent!;
        return directory.FullName;
    }
}
