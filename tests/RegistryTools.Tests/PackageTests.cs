using System.IO.Compression;
using System.Management.Automation.Language;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using RegistryTools.Tests.Servers;

namespace RegistryTools.Cmdlets.Tests;

/// <summary>The module as it is packed, once for all tests.</summary>
public sealed class PackageFixture : IAsyncLifetime
{
    public string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("registrytools-package-").FullName;

    public string Folder => Path.Combine(Directory, "RegistryTools");

    /// <summary>What dotnet pack made.</summary>
    public string File { get; private set; } = string.Empty;

    public async Task InitializeAsync()
    {
        await DotNetAsync("pack", "RegistryTools.Package", $"-p:ModuleArtifacts={Directory}/");
        File = Assert.Single(System.IO.Directory.GetFiles(Directory, "*.nupkg"));
    }

    /// <summary>Lets dotnet do something with a project as the tests were built.</summary>
    public static async Task DotNetAsync(string verb, string project, params string[] more)
    {
        var configuration = typeof(PackageFixture).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
        var (code, output) = await Processes.RunAsync("dotnet", [verb, Path.Combine(ModuleSession.Root, "src", project), "--no-build", "-c", configuration, "-nr:false", "-tl:off", .. more], TimeSpan.FromMinutes(10));
        Assert.True(code == 0, output);
    }

    public Task DisposeAsync()
    {
        System.IO.Directory.Delete(Directory, recursive: true);
        return Task.CompletedTask;
    }
}

/// <summary>What the Gallery gets: looked at without pwsh.</summary>
public sealed class PackageTests(PackageFixture package) : IClassFixture<PackageFixture>
{
    private static readonly XElement Properties = XElement.Load(Path.Combine(ModuleSession.Root, "Directory.Build.props"));

    private static string Version => Properties.Descendants("VersionPrefix").Single().Value;

    private static string Prerelease => Properties.Descendants("VersionSuffix").Single().Value;

    [Fact]
    public void The_folder_and_the_file_hold_the_same()
    {
        var folder = Directory.GetFiles(package.Folder, "*", SearchOption.AllDirectories).ToDictionary(file => Path.GetRelativePath(package.Folder, file).Replace('\\', '/'), File.ReadAllBytes);
        using var zip = ZipFile.OpenRead(package.File);
        var packed = zip.Entries.Select(entry => Uri.UnescapeDataString(entry.FullName)).ToHashSet(StringComparer.Ordinal);
        string[] envelope = [.. packed.Where(name => name is "RegistryTools.nuspec" or "[Content_Types].xml" || name.StartsWith("_rels/", StringComparison.Ordinal) || name.StartsWith("package/", StringComparison.Ordinal))];
        Assert.Equal(4, envelope.Length);
        Assert.Equal(folder.Keys.Order(StringComparer.Ordinal), packed.Except(envelope).Order(StringComparer.Ordinal));
        foreach (var entry in zip.Entries.Where(entry => folder.ContainsKey(entry.FullName)))
        {
            using var stream = entry.Open();
            using var memory = new MemoryStream();
            stream.CopyTo(memory);
            Assert.True(folder[entry.FullName].AsSpan().SequenceEqual(memory.ToArray()), entry.FullName);
        }
    }

    [Fact]
    public void Both_editions_views_help_schema_and_licence_are_in_it_and_nothing_of_the_engine()
    {
        var names = Directory.GetFiles(package.Folder, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(package.Folder, file).Replace('\\', '/')).ToList();
        foreach (var framework in new[] { "net8.0", "netstandard2.0" })
        {
            Assert.Contains($"bin/{framework}/RegistryTools.dll", names);
            foreach (var assembly in new[] { "RegistryTools.Core", "RegistryTools.Containers", "Polly.Core", "NuGet.Versioning", "Docker.DotNet" }) Assert.Contains($"bin/{framework}/dependencies/{assembly}.dll", names);
        }

        foreach (var assembly in new[] { "System.Text.Json", "System.Memory", "Microsoft.Bcl.AsyncInterfaces" }) Assert.Contains($"bin/netstandard2.0/dependencies/{assembly}.dll", names);
        foreach (var name in new[] { "RegistryTools.psd1", "LICENSE", "format/RegistryTools.Format.ps1xml", "schemas/retention-policy.schema.json", "en-US/RegistryTools.dll-Help.xml", "en-US/about_RegistryTools.help.txt" }) Assert.Contains(name, names);
        Assert.Equal(["bin/net8.0/RegistryTools.dll", "bin/netstandard2.0/RegistryTools.dll"], names.Where(name => name.EndsWith("/RegistryTools.dll", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.DoesNotContain(names, name => Path.GetFileName(name) is "System.Management.Automation.dll" or "PowerShellStandard.Library.dll" || name.Contains("Test", StringComparison.Ordinal) || name.Contains("Host", StringComparison.Ordinal));
    }

    [Fact]
    public void The_version_is_that_of_the_build_properties_everywhere()
    {
        using var session = new ModuleSession(import: false);
        foreach (var manifest in new[] { Path.Combine(package.Folder, "RegistryTools.psd1"), ModuleSession.Manifest })
        {
            var read = session.Invoke($"$m = Test-ModuleManifest '{manifest}'; $m; $m.PrivateData.PSData.Prerelease").Succeed();
            Assert.Equal(Version, read.Output[0].Properties["Version"].Value.ToString());
            Assert.Equal(Prerelease, read.Output[1].ToString());
        }

        Assert.Equal(Prerelease.Length > 0 ? Version + "-" + Prerelease : Version, Nuspec("version"));
        Assert.EndsWith($"RegistryTools.{Nuspec("version")}.nupkg", package.File, StringComparison.Ordinal);
        Assert.Equal(Version, AssemblyName.GetAssemblyName(Path.Combine(package.Folder, "bin", "net8.0", "RegistryTools.dll")).Version!.ToString(3));
        Assert.Matches("^[0-9A-Za-z]*$", Prerelease);

        // At the root there is a place for it, and no second version that could be forgotten.
        Assert.DoesNotContain(Version, File.ReadAllText(Path.Combine(ModuleSession.Root, "RegistryTools.psd1")), StringComparison.Ordinal);
    }

    [Fact]
    public void The_manifest_says_what_the_Gallery_shows()
    {
        using var session = new ModuleSession(import: false);
        var module = Assert.Single(session.Invoke($"Test-ModuleManifest '{Path.Combine(package.Folder, "RegistryTools.psd1")}'").Succeed().Output);
        string Text(string property) => module.Properties[property].Value?.ToString() ?? string.Empty;
        Assert.Equal("https://opensource.org/licenses/MIT", Text("LicenseUri"));
        Assert.Equal(new Uri(Properties.Descendants("PackageProjectUrl").Single().Value).ToString(), Text("ProjectUri"));
        Assert.Equal(["Core", "Desktop"], (IEnumerable<string>)module.Properties["CompatiblePSEditions"].Value);
        Assert.NotEmpty(Text("Description"));
        Assert.NotEmpty(Text("Author"));
        var tags = (IReadOnlyCollection<string>)((IEnumerable<string>)module.Properties["Tags"].Value).ToList();
        foreach (var tag in new[] { "docker", "oci", "PSEdition_Core", "PSEdition_Desktop", "Windows", "Linux", "MacOS" }) Assert.Contains(tag, tags);

        var notes = Text("ReleaseNotes").ReplaceLineEndings("\n");
        var changelog = File.ReadAllText(Path.Combine(ModuleSession.Root, "CHANGELOG.md")).ReplaceLineEndings("\n");
        Assert.NotEmpty(notes);
        Assert.Equal(notes, Regex.Match(changelog, $@"^## {Regex.Escape(Version)}[^\n]*\n(.*?)(\n## |\z)", RegexOptions.Singleline | RegexOptions.Multiline).Groups[1].Value.Trim());
        Assert.Equal(notes, Nuspec("releaseNotes").ReplaceLineEndings("\n"));
        var text = File.ReadAllBytes(Path.Combine(package.Folder, "RegistryTools.psd1"));
        Assert.True(text.AsSpan().StartsWith("\ufeff"u8), "Windows PowerShell reads a manifest without a byte order mark by the system's code page.");
    }

    [Fact]
    public void The_nuspec_finds_the_module_by_edition_and_cmdlet()
    {
        using var session = new ModuleSession(import: false);
        var exported = session.Invoke($"(Test-ModuleManifest '{Path.Combine(package.Folder, "RegistryTools.psd1")}').ExportedCmdlets.Keys").Succeed().Output.Select(name => name.ToString()).ToList();
        Assert.NotEmpty(exported);
        var tags = Nuspec("tags").Split(' ');
        Assert.Equal(exported.Order(StringComparer.Ordinal), tags.Where(tag => tag.StartsWith("PSCmdlet_", StringComparison.Ordinal)).Select(tag => tag["PSCmdlet_".Length..]).Order(StringComparer.Ordinal));
        Assert.Equal(exported.Order(StringComparer.Ordinal), tags.Where(tag => tag.StartsWith("PSCommand_", StringComparison.Ordinal)).Select(tag => tag["PSCommand_".Length..]).Order(StringComparer.Ordinal));
        foreach (var tag in new[] { "PSModule", "PSIncludes_Cmdlet", "PSEdition_Core", "PSEdition_Desktop" }) Assert.Contains(tag, tags);
        Assert.InRange(Nuspec("tags").Length, 1, 4000);
        Assert.Equal("RegistryTools", Nuspec("id"));
        Assert.Equal("https://opensource.org/licenses/MIT", Nuspec("licenseUrl"));
        Assert.Equal(new Uri(Properties.Descendants("PackageProjectUrl").Single().Value).ToString(), new Uri(Nuspec("projectUrl")).ToString());
        Assert.DoesNotContain(Document().Descendants(), element => element.Name.LocalName == "dependency");
    }

    [Fact]
    public async Task What_is_packed_imports_and_works()
    {
        await using var registry = await EmbeddedFixture.StartAsync(RegistryTools.Host.Embedded.EmbeddedRegistryOptions.Distribution3());
        using var shell = new ChildShell { ModulePath = package.Folder };
        var (output, error) = await shell.RunAsync($"$null = Connect-Registry http://{registry.Host}; Get-RegistryTag i3 -Sort Name | % Name; (Get-Module RegistryTools).ModuleBase");
        Assert.Equal(string.Empty, error);
        Assert.Equal(["T31", "T32", package.Folder], output);
    }

    [Fact]
    public async Task The_host_that_serves_the_samples_to_whoever_tests_the_package_can_be_published()
    {
        var published = Path.Combine(package.Directory, "host");
        await PackageFixture.DotNetAsync("publish", "RegistryTools.Host", "-o", published);
        Assert.Empty(Directory.GetFiles(published, "RegistryTools.dll", SearchOption.AllDirectories));
        var (code, output) = await Processes.RunAsync("dotnet", [Path.Combine(published, "RegistryTools.Host.dll"), "-ModulePath", package.Folder, "-NonInteractive", "-Command", "(Get-Module RegistryTools).ModuleBase"]);
        Assert.Equal((0, package.Folder), (code, output.Trim()));
    }

    [Theory]
    [InlineData("build.ps1")]
    [InlineData("tests/pester/Invoke-Suite.ps1")]
    [InlineData("tests/pester/Support.ps1")]
    public void The_scripts_parse(string script)
    {
        Parser.ParseFile(Path.Combine(ModuleSession.Root, script), out _, out var errors);
        Assert.Empty(errors);
    }

    [Fact]
    public void Every_cmdlet_has_a_Pester_suite_that_parses_and_names_what_there_is()
    {
        using var session = new ModuleSession();
        var exported = session.Invoke("(Get-Module RegistryTools).ExportedCmdlets.Keys").Succeed().Output.Select(name => name.ToString()).ToList();
        var directory = Path.Combine(ModuleSession.Root, "tests", "pester");
        foreach (var cmdlet in exported)
        {
            var suite = Path.Combine(directory, cmdlet + ".Tests.ps1");
            Assert.True(File.Exists(suite), $"{cmdlet} has no suite.");
            Assert.Contains($"Describe '{cmdlet}", File.ReadAllText(suite), StringComparison.Ordinal);
        }

        foreach (var suite in Directory.GetFiles(directory, "*.Tests.ps1"))
        {
            var tree = Parser.ParseFile(suite, out _, out var errors);
            Assert.True(errors.Length == 0, suite + ": " + string.Join(", ", errors.Select(error => error.Message)));
            foreach (var command in tree.FindAll(node => node is CommandAst, true).Cast<CommandAst>().Where(command => command.GetCommandName()?.Contains("-Registry", StringComparison.Ordinal) == true))
            {
                var name = command.GetCommandName();
                if (!exported.Contains(name)) continue;
                foreach (var parameter in command.CommandElements.OfType<CommandParameterAst>())
                    Assert.True((bool)session.Invoke($"$c = Get-Command {name}; [bool]($c.Parameters.Values | ? {{ $_.Name -eq '{parameter.ParameterName}' -or $_.Aliases -contains '{parameter.ParameterName}' }})").Succeed().Output.Single().BaseObject, $"{suite}: {name} -{parameter.ParameterName}");
            }
        }
    }

    private XDocument Document()
    {
        using var zip = ZipFile.OpenRead(package.File);
        using var stream = zip.GetEntry("RegistryTools.nuspec")!.Open();
        return XDocument.Load(stream);
    }

    private string Nuspec(string element) => Document().Descendants().Single(node => node.Name.LocalName == element).Value;
}
