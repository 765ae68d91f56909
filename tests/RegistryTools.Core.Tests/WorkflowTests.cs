using System.Text.RegularExpressions;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace RegistryTools.Tests;

/// <summary>The workflow that builds once and tests that on every platform: what can be known of it without running it.</summary>
public sealed class WorkflowTests
{
    private static readonly string Root = FindRoot();
    private static readonly YamlMappingNode Workflow = Load();
    private static readonly YamlMappingNode Jobs = (YamlMappingNode)Workflow["jobs"];

    [Fact]
    public void It_may_read_and_nothing_more_and_no_job_runs_for_ever()
    {
        Assert.Equal("read", Text(Workflow["permissions"]["contents"]));
        Assert.Single(((YamlMappingNode)Workflow["permissions"]).Children);
        foreach (var (name, job) in Jobs.Children)
        {
            Assert.False(((YamlMappingNode)job).Children.ContainsKey("permissions"), Text(name));
            Assert.InRange(int.Parse(Text(job["timeout-minutes"]), System.Globalization.CultureInfo.InvariantCulture), 1, 120);
        }
    }

    [Fact]
    public void Jobs_wait_for_jobs_that_there_are_and_what_one_takes_another_has_made()
    {
        foreach (var (name, job) in Jobs.Children)
        {
            var needs = Needs(job);
            Assert.All(needs, needed => Assert.True(Jobs.Children.ContainsKey(needed), $"{Text(name)} needs {needed}."));
            Assert.DoesNotContain(Text(name), needs);
            foreach (var taken in Steps(job).Where(step => Uses(step).StartsWith("actions/download-artifact@", StringComparison.Ordinal)).Select(step => Text(step["with"]["name"])))
                Assert.Contains(needs, needed => Steps(Jobs[needed]).Any(step => Uses(step).StartsWith("actions/upload-artifact@", StringComparison.Ordinal) && Text(step["with"]["name"]) == taken));
        }

        Assert.Equal("build", Assert.Single(Needs(Jobs["pester"])));
    }

    [Fact]
    public void What_was_built_is_what_is_tested_on_every_platform()
    {
        var matrix = (YamlMappingNode)Jobs["pester"]["strategy"]["matrix"];
        var names = ((YamlSequenceNode)matrix["name"]).Select(Text).ToList();
        var rows = ((YamlSequenceNode)matrix["include"]).Cast<YamlMappingNode>().ToDictionary(row => Text(row["name"]), row => (Os: Text(row["os"]), Shell: Text(row["shell"])));
        Assert.Equal(names.Order(StringComparer.Ordinal), rows.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(
            [("macos-latest", "pwsh"), ("ubuntu-latest", "pwsh"), ("windows-latest", "powershell"), ("windows-latest", "pwsh")],
            rows.Values.Order());
        Assert.Equal(["5", "6"], ((YamlSequenceNode)matrix["pester"]).Select(version => Text(version).Split('.')[0]));
        Assert.Equal("false", Text(Jobs["pester"]["strategy"]["fail-fast"]));

        // Nothing is built there: the module comes with the artifact.
        var scripts = Steps(Jobs["pester"]).Select(Run).ToList();
        Assert.DoesNotContain(scripts, script => Regex.IsMatch(script, "dotnet (build|pack|publish|test)|-Task (Build|Pack)"));
        Assert.Contains(scripts, script => script.Contains("-Task Pester", StringComparison.Ordinal) && script.Contains("-ModulePath artifacts/RegistryTools", StringComparison.Ordinal) && script.Contains("-HostPath artifacts/host/", StringComparison.Ordinal));
        var made = string.Join('\n', Steps(Jobs["build"]).Select(Run));
        Assert.Contains("dotnet pack src/RegistryTools.Package", made, StringComparison.Ordinal);
        Assert.Contains("-o artifacts/host", made, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_script_project_task_and_parameter_that_it_names_is_there()
    {
        var build = File.ReadAllText(Path.Combine(Root, "build.ps1"));
        var head = build[..build.IndexOf("$ErrorActionPreference", StringComparison.Ordinal)];
        var tasks = Regex.Matches(Regex.Match(head, @"ValidateSet\(([^)]*'Build'[^)]*)\)").Groups[1].Value, "'([A-Za-z]+)'").Select(match => match.Groups[1].Value).ToList();
        var parameters = Regex.Matches(head, @"\$([A-Z][A-Za-z]+)(?=[,\s=]|$)", RegexOptions.Multiline).Select(match => match.Groups[1].Value).Append("WhatIf").ToHashSet(StringComparer.OrdinalIgnoreCase);
        var scripts = Jobs.Children.Values.SelectMany(Steps).Select(Run).Where(script => script.Length > 0).ToList();
        Assert.NotEmpty(scripts);
        foreach (var script in scripts)
        {
            foreach (Match path in Regex.Matches(script, @"(?<=^|\s)(\./)?((src|tests|\.ci)/\S+|build\.ps1)"))
                Assert.True(Path.Exists(Path.Combine(Root, path.Value)), $"{path.Value} is not there: {script}");
            if (!script.Contains("build.ps1", StringComparison.Ordinal)) continue;
            Assert.Contains(Regex.Match(script, @"-Task (\w+)").Groups[1].Value, tasks);
            Assert.All(Regex.Matches(script, @" -([A-Z]\w+)").Select(match => match.Groups[1].Value), parameter => Assert.Contains(parameter, parameters));
        }

        foreach (var task in tasks) Assert.Matches($@"(?m)'{task}'( \)|\) | {{)", build[head.Length..]);
    }

    private static List<string> Needs(YamlNode job)
    {
        if (!((YamlMappingNode)job).Children.TryGetValue("needs", out var needs)) return [];
        return needs is YamlSequenceNode several ? [.. several.Select(Text)] : [Text(needs)];
    }

    private static IEnumerable<YamlMappingNode> Steps(YamlNode job) => ((YamlSequenceNode)job["steps"]).Cast<YamlMappingNode>();

    private static string Uses(YamlMappingNode step) => step.Children.TryGetValue("uses", out var uses) ? Text(uses) : string.Empty;

    private static string Run(YamlMappingNode step) => step.Children.TryGetValue("run", out var run) ? Text(run) : string.Empty;

    private static string Text(YamlNode node) => ((YamlScalarNode)node).Value!;

    private static YamlMappingNode Load()
    {
        var stream = new YamlStream();
        using (var reader = File.OpenText(Path.Combine(Root, ".github", "workflows", "ci.yml"))) stream.Load(reader);
        return Assert.IsType<YamlMappingNode>(Assert.Single(stream.Documents).RootNode);
    }

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "RegistryTools.sln"))) directory = directory.Parent!;
        return directory.FullName;
    }
}
