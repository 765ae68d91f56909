using System.Text;
using RegistryTools.Authentication;
using RegistryTools.References;
using RegistryTools.Text;

namespace RegistryTools.Tests.Authentication;

/// <summary>A home directory, a directory for helpers, and variables of its own.</summary>
internal sealed class CredentialPlace : IDisposable
{
    public const string Secret = "s3cr3t-Pa55word-of-the-test";

    public CredentialPlace()
    {
        Root = Directory.CreateTempSubdirectory("rt-creds-").FullName;
        Home = Directory.CreateDirectory(Path.Combine(Root, "home")).FullName;
        Bin = Directory.CreateDirectory(Path.Combine(Root, "bin")).FullName;
    }

    public string Root { get; }

    public string Home { get; }

    public string Bin { get; }

    public Dictionary<string, string?> Variables { get; } = [];

    public List<string> Said { get; } = [];

    public TimeSpan TimeLimit { get; set; } = TimeSpan.FromSeconds(30);

    public string DockerFile => Path.Combine(Home, ".docker", "config.json");

    public CredentialOptions Options => new()
    {
        EnvironmentVariable = name => Variables.TryGetValue(name, out var value) ? value : null,
        HomeDirectory = Home,
        SearchPath = Bin,
        HelperTimeLimit = TimeLimit,
        RunDirectory = Path.Combine(Root, "run"),
        Log = new DelegateActivityLog(Say, Say, Say),
    };

    public static string Auth(string user, string password) => Convert.ToBase64String(Encoding.UTF8.GetBytes(user + ":" + password));

    public Task<RegistryCredential?> FindAsync(string address, string? repository = null, CancellationToken cancellationToken = default) =>
        new CredentialFinder(Options).FindAsync(RegistryAddress.Parse(address), repository, cancellationToken);

    public string Docker(string json) => Write(DockerFile, json);

    public string Write(string path, string text)
    {
        path = Path.Combine(Root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>A helper that is a shell script; what it was asked goes to the files NAME.verbs and NAME.input.</summary>
    public void Helper(string name, string body)
    {
        var path = Path.Combine(Bin, "docker-credential-" + name);
        File.WriteAllText(path, $"#!/bin/sh\necho \"$1\" >> '{Bin}/{name}.verbs'\n{body}\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public string Verbs(string name) => Read(name + ".verbs");

    public string Read(string file) => File.Exists(Path.Combine(Bin, file)) ? File.ReadAllText(Path.Combine(Bin, file)).Trim() : string.Empty;

    public void Dispose() => Directory.Delete(Root, recursive: true);

    private void Say(string message)
    {
        lock (Said) Said.Add(message);
    }
}
