using System.Runtime.CompilerServices;
using RegistryTools.Host.Embedded;
using RegistryTools.Tests.Servers;

namespace RegistryTools.Cmdlets.Tests.Help;

/// <summary>
/// What the examples of the help are run in: the embedded registry with the README's data and a repository team/app, its storage, a connection to it, a journal of its own, and a working directory with
/// a policy and a certificate authority. The addresses that the examples name stand for these.
/// </summary>
internal sealed class ExamplePlace : IAsyncDisposable
{
    private const string DataVariable = "REGISTRYTOOLS_DATA";

    // The engine of the tests lacks what every shell has. These do the little that the examples ask of them, and are stricter: a property that is not there is an error.
    private const string Stand = """
        function Get-Date { [datetime]::Now }
        function Read-Host { param([Parameter(Position = 0)] $Prompt, [switch] $AsSecureString) $secret = [securestring]::new(); foreach ($letter in 'secret'.ToCharArray()) { $secret.AppendChar($letter) }; $secret }
        function Get-Credential { [pscredential]::new('user', (Read-Host -AsSecureString)) }
        function Format-List { process { $_ } }
        function Select-Object {
            param([Parameter(Position = 0)] [string[]] $Property, [int] $First = -1, [int] $Last = -1, [Parameter(ValueFromPipeline)] $InputObject)
            begin { $all = [System.Collections.Generic.List[object]]::new() }
            process { $all.Add($InputObject) }
            end {
                if ($First -ge 0) { $all = $all.GetRange(0, [math]::Min($First, $all.Count)) }
                if ($Last -ge 0) { $all = $all.GetRange([math]::Max(0, $all.Count - $Last), [math]::Min($Last, $all.Count)) }
                foreach ($item in $all) {
                    if (-not $Property) { $item; continue }
                    $chosen = [ordered]@{}
                    foreach ($name in $Property) { if (-not $item.PSObject.Properties[$name]) { throw "There is no property $name." }; $chosen[$name] = $item.$name }
                    [pscustomobject] $chosen
                }
            }
        }
        function Sort-Object {
            param([Parameter(Position = 0)] [string] $Property, [switch] $Descending, [Parameter(ValueFromPipeline)] $InputObject)
            begin { $all = [System.Collections.Generic.List[object]]::new(); $keys = [System.Collections.Generic.List[object]]::new() }
            process { $all.Add($InputObject); if ($Property -and -not $InputObject.PSObject.Properties[$Property]) { throw "There is no property $Property." }; $keys.Add($(if ($Property) { $InputObject.$Property } else { $InputObject })) }
            end { $items = $all.ToArray(); [array]::Sort($keys.ToArray(), $items); if ($Descending) { [array]::Reverse($items) }; $items }
        }
        function Measure-Object {
            param([Parameter(Position = 0)] [string] $Property, [switch] $Sum, [Parameter(ValueFromPipeline)] $InputObject)
            begin { $total = 0; $count = 0 }
            process { if (-not $InputObject.PSObject.Properties[$Property]) { throw "There is no property $Property." }; $total += $InputObject.$Property; $count++ }
            end { [pscustomobject] @{ Count = $count; Sum = $total } }
        }
        """;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("registrytools-example-");
    private readonly EmbeddedRegistry _registry;
    private readonly string? _data;

    private ExamplePlace(EmbeddedRegistry registry)
    {
        _registry = registry;
        RuntimeHelpers.RunClassConstructor(typeof(ModuleSession).TypeHandle);
        _data = Environment.GetEnvironmentVariable(DataVariable);
        Environment.SetEnvironmentVariable(DataVariable, Path.Combine(_directory.FullName, "data"));
        Session = new ModuleSession();
    }

    public ModuleSession Session { get; }

    public static async Task<ExamplePlace> StartAsync()
    {
        var place = new ExamplePlace(await EmbeddedFixture.StartAsync(EmbeddedRegistryOptions.Full()));
        try
        {
            place.Fill();
            return place;
        }
        catch
        {
            await place.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs what an example says, here.</summary>
    public ScriptResult Invoke(string script) => Session.Invoke(Here(script));

    /// <summary>What the shell shows of it, as the example would have it.</summary>
    public string Show(string script) => Session.Show(Here(script)).Replace(_registry.Host, "registry.example.com", StringComparison.Ordinal).Replace(_registry.StoragePath, "/var/lib/registry", StringComparison.Ordinal);

    public async ValueTask DisposeAsync()
    {
        Session.Dispose();
        Environment.SetEnvironmentVariable(DataVariable, _data);
        await _registry.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    private string Here(string script) => script
        .Replace("https://registry.example.com", "http://" + _registry.Host, StringComparison.Ordinal)
        .Replace("http://localhost:5000", "http://" + _registry.Host, StringComparison.Ordinal)
        .Replace("registry.example.com", _registry.Host, StringComparison.Ordinal)
        .Replace("/var/lib/registry", _registry.StoragePath, StringComparison.Ordinal);

    private void Fill()
    {
        var store = _registry.Store;
        foreach (var (tag, created) in new[] { ("pr-17", "2023-06-17"), ("pr-18", "2023-07-18"), ("1.3.0", "2024-01-10"), ("1.3.9", "2024-02-10"), ("1.4.0", "2024-03-10"), ("2.0.0-rc.1", "2024-04-10"), ("2.0.0", "2024-05-10"), ("stable-2", "2024-06-10") })
        {
            store.AddImage("team/app", tag, "team/app/" + tag, new ImageOptions { Created = DateTimeOffset.Parse(created + "T12:00:00Z", System.Globalization.CultureInfo.InvariantCulture) });
        }

        var newest = store.FindTag("team/app", "2.0.0")!;
        store.WriteManifest("team/app", "latest", store.ReadManifest("team/app", newest)!, newest);
        store.AddImage("team/app", null, "team/app without a tag");

        // What was written an hour ago is not collected: all of it is older.
        var then = DateTime.UtcNow.AddDays(-10);
        foreach (var file in Directory.GetFiles(_registry.StoragePath, "*", SearchOption.AllDirectories)) File.SetLastWriteTimeUtc(file, then);

        File.WriteAllText(Path.Combine(_directory.FullName, "retention-policy.json"), """{ "maximumPercent": 50, "policies": [ { "name": "pull requests", "repositories": ["team/*"], "match": "^pr-", "olderThan": "30d" } ] }""");
        using (var authority = new TestAuthority()) File.WriteAllText(Path.Combine(_directory.FullName, "ca.pem"), authority.Pem);
        for (var i = 0; i < 50; i++) Session.Host.Answers.Enqueue("Yes");
        Session.Invoke(Stand).Succeed();
        Session.Runspace.SessionStateProxy.Path.SetLocation(_directory.FullName);
        Session.Invoke($"Connect-Registry http://{_registry.Host}").Succeed();
    }
}
