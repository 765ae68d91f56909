using System.Diagnostics;
using System.Reflection;
using System.Runtime.Loader;

namespace RegistryTools.Cmdlets.Tests;

/// <summary>That the module loads as it should, and again, and keeps its dependencies to itself.</summary>
public sealed class ModuleTests
{
    [Fact]
    public void The_core_is_in_a_context_of_its_own()
    {
        using var session = new ModuleSession();
        session.Invoke("Get-RegistryTag i1").Fail("NotConnected");
        var cmdlets = Assert.Single(AppDomain.CurrentDomain.GetAssemblies(), assembly => assembly.GetName().Name == "RegistryTools");
        Assert.Same(AssemblyLoadContext.Default, AssemblyLoadContext.GetLoadContext(cmdlets));
        var core = Assert.Single(AppDomain.CurrentDomain.GetAssemblies(), assembly => assembly.GetName().Name == "RegistryTools.Core");
        Assert.Equal("RegistryTools", AssemblyLoadContext.GetLoadContext(core)!.Name);
        Assert.DoesNotContain(AssemblyLoadContext.Default.Assemblies, assembly => assembly.GetName().Name is "RegistryTools.Core" or "Polly.Core" or "NuGet.Versioning");
        Assert.Equal(Path.Combine(Path.GetDirectoryName(cmdlets.Location)!, "dependencies", "RegistryTools.Core.dll"), core.Location);
    }

    [Fact]
    public void It_imports_again_and_again()
    {
        using var session = new ModuleSession();
        session.Invoke($"Import-Module '{ModuleSession.Manifest}' -Force -ErrorAction Stop").Succeed();
        session.Invoke($"Import-Module '{ModuleSession.Manifest}' -Force -ErrorAction Stop").Succeed();
        session.Invoke("Get-RegistryTag i1").Fail("NotConnected");
        Assert.Equal("RegistryTools", session.Invoke("Get-Module RegistryTools").Succeed().Texts("Name"));
        session.Invoke("Remove-Module RegistryTools").Succeed();
        session.Invoke($"Import-Module '{ModuleSession.Manifest}' -ErrorAction Stop").Succeed();
        session.Invoke("Get-RegistryTag i1").Fail("NotConnected");
    }

    [Fact]
    public void Removing_it_in_one_runspace_leaves_the_others_alone()
    {
        using var first = new ModuleSession();
        using (var second = new ModuleSession()) second.Invoke("Remove-Module RegistryTools").Succeed();
        first.Invoke("Get-RegistryTag i1").Fail("NotConnected");
    }

    [Fact]
    public void Its_manifest_is_in_order()
    {
        using var session = new ModuleSession();
        var result = session.Invoke($"Test-ModuleManifest '{ModuleSession.Manifest}'").Succeed();
        Assert.Equal("RegistryTools", result.Texts("Name"));
    }

    [Theory]
    [InlineData("net8.0")]
    [InlineData("netstandard2.0")]
    public void Nothing_of_the_engine_is_shipped_and_both_editions_are(string framework)
    {
        var bin = Path.Combine(Path.GetDirectoryName(ModuleSession.Manifest)!, "bin", framework);
        Assert.True(File.Exists(Path.Combine(bin, "RegistryTools.dll")));
        Assert.True(File.Exists(Path.Combine(bin, "dependencies", "RegistryTools.Core.dll")));
        Assert.Equal(["RegistryTools.dll"], Directory.GetFiles(bin, "*.dll").Select(Path.GetFileName));
        Assert.DoesNotContain(Directory.GetFiles(bin, "*.dll", SearchOption.AllDirectories), file => Path.GetFileName(file).StartsWith("System.Management.Automation", StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("net8.0")]
    [InlineData("netstandard2.0")]
    public void The_types_that_PowerShell_reads_before_the_core_can_be_found_need_nothing_of_it(string framework)
    {
        var bin = Path.Combine(Path.GetDirectoryName(ModuleSession.Manifest)!, "bin", framework);
        var context = new WithoutDependencies(Path.Combine(bin, "dependencies"));
        var assembly = context.LoadFromAssemblyPath(Path.Combine(bin, "RegistryTools.dll"));
        Assert.Throws<FileNotFoundException>(() => context.LoadFromAssemblyName(new AssemblyName("RegistryTools.Core")));
        const BindingFlags all = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        foreach (var type in assembly.GetExportedTypes())
        {
            _ = type.BaseType;
            _ = type.GetInterfaces();
            foreach (var member in type.GetMembers(all).Where(member => member is not Type))
            {
                switch (member)
                {
                    case MethodBase method:
                        _ = method.GetParameters().Select(parameter => parameter.ParameterType.Name).ToList();
                        if (method is MethodInfo info) _ = info.ReturnType.Name;
                        break;
                    case PropertyInfo property:
                        _ = property.PropertyType.Name;
                        break;
                    case FieldInfo field:
                        _ = field.FieldType.Name;
                        break;
                }
            }
        }

        context.Unload();
    }

    [Fact]
    public async Task The_build_for_Windows_PowerShell_finds_its_dependencies_too()
    {
        await using var registry = await ScriptedRegistry.StartAsync();
        registry.AddImage("i1", "T11");
        var copy = Directory.CreateTempSubdirectory("registrytools-desktop-");
        var storage = Directory.CreateTempSubdirectory("registrytools-desktop-storage-");
        try
        {
            var store = new RegistryTools.Host.Embedded.DistributionStore(storage.FullName);
            RegistryTools.Host.Embedded.SampleData.Seed(store);
            store.DeleteTag("i1", "T11");
            CopyAll(Path.GetDirectoryName(ModuleSession.Manifest)!, copy.FullName);
            var manifest = Path.Combine(copy.FullName, "RegistryTools.psd1");
            var text = await File.ReadAllLinesAsync(manifest);
            await File.WriteAllLinesAsync(manifest, text.Select(line => line.Contains("RootModule", StringComparison.Ordinal) ? "RootModule = 'bin/netstandard2.0/RegistryTools.dll'" : line));
            var script = $"(Connect-Registry http://{registry.Address}).Kind; (Get-RegistryTag i1 -Detailed).Platform; (Get-RegistryManifest i1:T11).Kind; "
                + "Import-Module -Force (Get-Module RegistryTools).Path; Get-RegistryTag i1 -Registry http://" + registry.Address + " | % Name; "
                + $"$s = '{storage.FullName}'; (Measure-RegistryStorage $s -By Registry).Tags; Test-RegistryStorage $s -Content -Quiet; (Invoke-RegistryGarbageCollect $s -RemoveUntagged -MinimumAge 0s 6>$null).ManifestsRemoved; "
                + "(Restore-RegistryGarbage $s).Restored; $c = Connect-Registry -StoragePath $s; (Remove-RegistryRepository i3 -Confirm:$false -PassThru | Restore-RegistryGarbage).Restored; Test-RegistryStorage $s -Content -Quiet; "
                + "[AppDomain]::CurrentDomain.GetAssemblies() | ? Location -like '*netstandard2.0*RegistryTools.Core.dll' | % { 'core ' + $_.GetName().Name }";
            using var shell = new ChildShell { ModulePath = copy.FullName };
            var (output, error) = await shell.RunAsync(script);
            Assert.Equal(string.Empty, error);
            Assert.Equal(["Http", "linux/amd64", "Image", "T11", "15", "True", "1", "6", "10", "True", "core RegistryTools.Core"], output);
        }
        finally
        {
            copy.Delete(recursive: true);
            storage.Delete(recursive: true);
        }

        static void CopyAll(string from, string to)
        {
            foreach (var file in Directory.GetFiles(from, "*", SearchOption.AllDirectories))
            {
                var target = Path.Combine(to, Path.GetRelativePath(from, file));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(file, target);
            }
        }
    }

    private sealed class WithoutDependencies(string directory) : AssemblyLoadContext("without the dependencies", isCollectible: true)
    {
        protected override Assembly? Load(AssemblyName assemblyName) =>
            File.Exists(Path.Combine(directory, assemblyName.Name + ".dll")) ? throw new FileNotFoundException("Not yet.", assemblyName.Name) : null;
    }
}
