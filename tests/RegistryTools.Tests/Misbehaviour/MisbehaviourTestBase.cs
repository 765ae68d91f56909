using System.Management.Automation;
using RegistryTools.Tests.Servers;

namespace RegistryTools.Cmdlets.Tests.Misbehaviour;

/// <summary>One session for the tests of a class, which come one after the other.</summary>
public sealed class SharedSession : IDisposable
{
    public ModuleSession Session { get; } = new();

    public void Dispose() => Session.Dispose();
}

/// <summary>
/// A session connected to a server that misbehaves, and what holds whatever it does: an error is clear, no other server learns who asks, and no password or token is seen in any stream. The last is looked at as each test ends.
/// </summary>
public abstract class MisbehaviourTestBase(SharedSession shared) : IClassFixture<SharedSession>, IAsyncLifetime
{
    private readonly List<ScriptResult> _seen = [];
    private readonly List<string> _secrets = [];

    protected ModuleSession Session { get; } = shared.Session;

    protected MisbehavingServer Server { get; private set; } = new();

    /// <summary>Another server, which nothing of the registry's business is for.</summary>
    protected MisbehavingServer Foreign { get; } = new();

    public Task InitializeAsync()
    {
        Session.Host.Text.Clear();
        Run("$Error.Clear()");
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        AssertNoSecretIsSeen();
        Assert.All(Foreign.Requests, request => Assert.Null(request.Authorization));
        Run("Get-RegistryConnection | Disconnect-Registry -ErrorAction SilentlyContinue");
        await Server.DisposeAsync();
        await Foreign.DisposeAsync();
    }

    /// <summary>Something more that must be seen nowhere.</summary>
    protected void Keep(string secret) => _secrets.Add(secret);

    /// <summary>Starts the server anew with this doorkeeper, and connects with the user's password where there is one.</summary>
    protected async Task<ScriptResult> ConnectAsync(Doorkeeper doorkeeper = Doorkeeper.Basic, string options = "-RetryCount 1 -MaximumRetryDelaySec 1 -TimeoutSec 5")
    {
        await StartAsync(doorkeeper);
        return Connect(options).Succeed();
    }

    protected async Task StartAsync(Doorkeeper doorkeeper)
    {
        await Server.DisposeAsync();
        Server = new MisbehavingServer(doorkeeper);
    }

    protected ScriptResult Connect(string options) =>
        Run($"$s = [securestring]::new(); '{MisbehavingServer.Password}'.ToCharArray() | % {{ $s.AppendChar($_) }}; Connect-Registry http://{Server.Address} -Credential ([pscredential]::new('{MisbehavingServer.User}', $s)) {options}");

    /// <summary>Runs a script with every stream open.</summary>
    protected ScriptResult Run(string script)
    {
        var result = Session.Invoke("$VerbosePreference = 'Continue'; $DebugPreference = 'Continue'; $ConfirmPreference = 'None'; " + script);
        _seen.Add(result);
        return result;
    }

    /// <summary>Runs a script that must end in one clear error, which is of this id and category, tells the registry and what was asked, and has nothing for output.</summary>
    protected ErrorRecord Fails(string script, string id, ErrorCategory category, params string[] told)
    {
        var result = Run(script);
        var error = result.Fail(id);
        Assert.Equal(category, error.CategoryInfo.Category);
        Assert.Empty(result.Output);
        AssertClear(error, told);
        return error;
    }

    /// <summary>What every error must be: it names the registry, and is a sentence for people.</summary>
    protected void AssertClear(ErrorRecord error, params string[] told)
    {
        var text = error.Exception.Message;
        Assert.Contains(Server.Address, text, StringComparison.Ordinal);
        Assert.All(told, part => Assert.Contains(part, text, StringComparison.Ordinal));
        Assert.DoesNotContain("   at ", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Exception", text, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", text, StringComparison.Ordinal);
        Assert.DoesNotMatch("\\.\\.( |$)", text);
        Assert.DoesNotContain(text, char.IsControl);
        Assert.InRange(text.Length, 20, 1500);
    }

    /// <summary>That a script changes nothing on the server, whatever it says.</summary>
    protected void Unchanged(Action act)
    {
        var before = Server.Snapshot();
        act();
        Assert.Equal(before, Server.Snapshot());
        Assert.Empty(Server.Changes);
    }

    /// <summary>How often something was asked since the server was started.</summary>
    protected int Count(string line) => Server.Requests.Count(request => request.Line.StartsWith(line, StringComparison.Ordinal));

    private void AssertNoSecretIsSeen()
    {
        var texts = new List<string> { Session.Host.Text.ToString() };
        var errors = Session.Invoke("$Error");
        foreach (var item in errors.Output) Add(item.BaseObject is ErrorRecord record ? record : item.BaseObject);
        foreach (var result in _seen)
        {
            texts.AddRange(result.Verbose);
            texts.AddRange(result.Debug);
            texts.AddRange(result.Warnings);
            texts.AddRange(result.Progress.Select(record => record.ToString() + record.CurrentOperation + record.StatusDescription));
            if (result.End is not null) texts.Add(result.End.ToString());
            foreach (var error in result.Errors) Add(error);
            foreach (var item in result.Output) texts.Add(item + " " + string.Join(" ", item.Properties.Select(property => Value(property))));
        }

        foreach (var file in Directory.EnumerateFiles(Environment.GetEnvironmentVariable("REGISTRYTOOLS_DATA")!, "*", SearchOption.AllDirectories)) texts.Add(Read(file));
        foreach (var secret in Server.Secrets.Concat(Foreign.Secrets).Concat(_secrets))
        {
            foreach (var text in texts) Assert.False(text.Contains(secret, StringComparison.OrdinalIgnoreCase), $"'{secret}' is seen in: {text}");
        }

        void Add(object one)
        {
            if (one is not ErrorRecord error)
            {
                texts.Add(one.ToString()!);
                return;
            }

            texts.Add($"{error} {error.Exception} {error.ErrorDetails?.Message} {error.ErrorDetails?.RecommendedAction} {error.CategoryInfo} {error.TargetObject} {error.FullyQualifiedErrorId}");
            for (var inner = error.Exception; inner is not null; inner = inner.InnerException) texts.Add(string.Join(" ", PSObject.AsPSObject(inner).Properties.Select(Value)));
        }
    }

    // Another test's journal may be written to at the moment.
    private static string Read(string file)
    {
        try
        {
            using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
            return reader.ReadToEnd();
        }
        catch (IOException)
        {
            return string.Empty;
        }
    }

    private static string Value(PSPropertyInfo property)
    {
        try
        {
            return property.Value is System.Collections.IEnumerable list and not string ? string.Join(" ", list.Cast<object?>()) : property.Value?.ToString() ?? string.Empty;
        }
        catch (GetValueException)
        {
            return string.Empty;
        }
    }
}
