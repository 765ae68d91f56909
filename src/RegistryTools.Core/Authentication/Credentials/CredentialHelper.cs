using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using RegistryTools.Errors;
using RegistryTools.Text;

namespace RegistryTools.Authentication;

/// <summary>
/// A program <c>docker-credential-NAME</c> and its protocol: one verb as its argument, the server's address or a JSON object on its input, JSON or an error's text on its output (see
/// docker/docker-credential-helpers).
/// </summary>
internal sealed class CredentialHelper
{
    private const string TokenUser = "<token>";
    private const string NotShown = "(what it said is not shown: it may hold a secret)";

    /// <summary>What helpers say of a server that they know nothing of: the protocol's words, and the system's where one passes them on.</summary>
    private static readonly string[] NotFound = ["credentials not found in native keychain", "credentials not found", "The specified item could not be found in the keychain"];

    private readonly string _name;
    private readonly CredentialOptions _options;
    private readonly string _origin;

    /// <param name="name">What stands behind <c>docker-credential-</c>.</param>
    /// <param name="origin">Where the name was found; becomes part of the credential's source.</param>
    /// <param name="options">Where programs are looked for, and how long they may take.</param>
    /// <exception cref="CredentialException">The name is none.</exception>
    public CredentialHelper(string name, string origin, CredentialOptions options)
    {
        if (name.Length is 0 or > 128 || !name.All(c => c is (>= 'a' and <= 'z') or (>= 'A' and <= 'Z') or (>= '0' and <= '9') or '.' or '_' or '-'))
        {
            throw new CredentialException($"{origin} names '{Shown.Short(name, 60)}', which can't be a credential helper: a name has letters, digits, '.', '_' and '-'.", "Mend the name; it is what follows 'docker-credential-'.");
        }

        _name = name;
        _origin = origin;
        _options = options;
    }

    /// <summary>The program's name.</summary>
    public string Program => "docker-credential-" + _name;

    private string Source => $"{_origin} ({_name})";

    /// <summary>Asks for the credentials of a server; null where the helper has none.</summary>
    /// <exception cref="CredentialException">The helper is absent, failed, took too long, or answered something else.</exception>
    public async Task<RegistryCredential?> GetAsync(string server, CancellationToken cancellationToken)
    {
        var outcome = await RunAsync("get", Encoding.UTF8.GetBytes(server), cancellationToken).ConfigureAwait(false);
        if (outcome.ExitCode != 0)
        {
            if (!SaysNotFound(outcome)) throw Failed("get", server, outcome, []);
            _options.Log.Debug($"{Program} has no credentials for {server}.");
            return null;
        }

        string? url = null, user = null, secret = null;
        foreach (var (name, value) in Answer(outcome.Output, server))
        {
            // As Go reads it: without regard to case.
            if (name.Equals("ServerURL", StringComparison.OrdinalIgnoreCase)) url = value;
            else if (name.Equals("Username", StringComparison.OrdinalIgnoreCase)) user = value;
            else if (name.Equals("Secret", StringComparison.OrdinalIgnoreCase)) secret = value;
        }

        if (!string.IsNullOrEmpty(url) && !CredentialKey.Same(url!, server))
        {
            throw new CredentialException($"{Program} was asked for {server} and answered for another server. Its credentials were not used.", Remedy);
        }

        if (string.IsNullOrEmpty(secret))
        {
            _options.Log.Verbose($"{Program} answered for {server} without a secret: as if it had none.");
            return null;
        }

        if (string.IsNullOrEmpty(user)) throw new CredentialException($"{Program} answered for {server} with a secret and without a user name.", Remedy);
        return user == TokenUser
            ? new RegistryCredential { IdentityToken = secret, Source = Source }
            : new RegistryCredential { UserName = user, Password = secret, Source = Source };
    }

    /// <summary>Stores credentials: a user name and password, or an identity token.</summary>
    /// <exception cref="CredentialException">The helper is absent, failed or took too long; the message does not hold the secret.</exception>
    public async Task StoreAsync(string server, RegistryCredential credential, CancellationToken cancellationToken)
    {
        var identity = !string.IsNullOrEmpty(credential.IdentityToken);
        var user = identity ? TokenUser : credential.UserName;
        var secret = identity ? credential.IdentityToken : credential.Password;
        if (string.IsNullOrEmpty(user) || string.IsNullOrEmpty(secret))
        {
            throw new CredentialException($"{Program} can't keep these credentials of {server}: helpers keep a user name and a password, or an identity token.");
        }

        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            writer.WriteStartObject();
            writer.WriteString("ServerURL", server);
            writer.WriteString("Username", user);
            writer.WriteString("Secret", secret);
            writer.WriteEndObject();
        }

        var outcome = await RunAsync("store", stream.ToArray(), cancellationToken).ConfigureAwait(false);
        Array.Clear(stream.GetBuffer(), 0, (int)stream.Length);
        if (outcome.ExitCode != 0) throw Failed("store", server, outcome, [secret!, $"{user}:{secret}"]);
    }

    /// <summary>Removes a server's credentials; false where the helper had none.</summary>
    /// <exception cref="CredentialException">The helper is absent, failed or took too long.</exception>
    public async Task<bool> EraseAsync(string server, CancellationToken cancellationToken)
    {
        var outcome = await RunAsync("erase", Encoding.UTF8.GetBytes(server), cancellationToken).ConfigureAwait(false);
        if (outcome.ExitCode == 0) return true;
        return SaysNotFound(outcome) ? false : throw Failed("erase", server, outcome, []);
    }

    /// <summary>The servers that the helper knows, each with its user's name.</summary>
    /// <exception cref="CredentialException">The helper is absent, failed, took too long, or answered something else.</exception>
    public async Task<IReadOnlyDictionary<string, string>> ListAsync(CancellationToken cancellationToken)
    {
        var outcome = await RunAsync("list", Encoding.UTF8.GetBytes("unused"), cancellationToken).ConfigureAwait(false);
        if (outcome.ExitCode != 0) throw Failed("list", "its servers", outcome, []);
        var servers = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (server, user) in Answer(outcome.Output, "its servers")) servers[server] = user;
        return servers;
    }

    private string Remedy => $"Run '{Program}' by hand to see what it does, or give -Credential.";

    private Task<HelperOutcome> RunAsync(string verb, byte[] input, CancellationToken cancellationToken)
    {
        var program = Locate();
        _options.Log.Debug($"Runs {program} {verb} ({_origin}).");
        return HelperProcess.RunAsync(program, verb, input, _options.HelperTimeLimit, cancellationToken);
    }

    private string Locate()
    {
        var path = _options.SearchPath ?? _options.Variable("PATH") ?? string.Empty;
        IEnumerable<string> endings = [string.Empty];
        if (CredentialPaths.IsWindows)
        {
            // A name may come with its ending, as Docker Desktop's desktop.exe does.
            var known = (_options.Variable("PATHEXT") ?? ".COM;.EXE;.BAT;.CMD").Split([';'], StringSplitOptions.RemoveEmptyEntries);
            endings = known.Any(ending => _name.EndsWith(ending, StringComparison.OrdinalIgnoreCase)) ? [string.Empty, .. known] : known;
        }

        foreach (var part in path.Split(Path.PathSeparator))
        {
            // A relative directory would let whoever owns the current one choose the program that gets the secrets.
            var directory = part.Trim('"');
            if (directory.Length == 0 || directory.IndexOfAny(Path.GetInvalidPathChars()) >= 0 || !Path.IsPathRooted(directory)) continue;
            foreach (var ending in endings)
            {
                var file = Path.Combine(directory, Program + ending);
                if (IsProgram(file)) return file;
            }
        }

        throw new CredentialException(
            $"{_origin} names the credential helper '{_name}', and there is no program {Program} in the PATH searched: {(path.Length > 0 ? Shown.Short(path, 400) : "(empty)")}.",
            $"Install {Program}, take it out of the file, or give -Credential.");
    }

    private static bool IsProgram(string file)
    {
        if (!File.Exists(file)) return false;
#if NET
        if (!OperatingSystem.IsWindows())
        {
            try
            {
                return (File.GetUnixFileMode(file) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0;
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }
#endif
        return true;
    }

    /// <summary>The texts of the object that a helper answered with; what is no text is passed over.</summary>
    private List<(string Name, string Value)> Answer(byte[] output, string server)
    {
        var texts = new List<(string Name, string Value)>();
        try
        {
            using var document = JsonDocument.Parse(output, new JsonDocumentOptions { MaxDepth = 16 });
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                foreach (var property in document.RootElement.EnumerateObject())
                {
                    if (property.Value.ValueKind == JsonValueKind.String) texts.Add((property.Name, property.Value.GetString()!));
                }

                return texts;
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Told below, without the parser's words, which quote the answer.
        }

        throw new CredentialException($"{Program} was asked for {server} and answered something that is not a JSON object.", Remedy);
    }

    private static bool SaysNotFound(HelperOutcome outcome) => Lines(outcome.Output).Concat(Lines(outcome.Error)).Any(line => NotFound.Any(text => line.TrimEnd('.').Equals(text, StringComparison.OrdinalIgnoreCase)));

    private static IEnumerable<string> Lines(byte[] text) =>
        Encoding.UTF8.GetString(text, 0, Math.Min(text.Length, 16384)).Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0);

    private CredentialException Failed(string verb, string server, HelperOutcome outcome, string[] secrets)
    {
        var text = string.Join(" ", Lines(outcome.Output));
        if (text.Length == 0) text = string.Join(" ", Lines(outcome.Error));
        var shown = text.Length == 0 ? "it said nothing" : MayHoldSecret(text, secrets) ? NotShown : Shown.Short(text, 300);
        return new CredentialException(FormattableString.Invariant($"{Program} {verb} failed for {server} with exit code {outcome.ExitCode}: {shown}"), Remedy);
    }

    /// <summary>Whether the text looks like an answer with a secret in it, or holds any piece of the secrets as they were given or in a usual encoding.</summary>
    private static bool MayHoldSecret(string text, string[] secrets)
    {
        if (text.IndexOf("\"Secret\"", StringComparison.OrdinalIgnoreCase) >= 0) return true;
        foreach (var secret in secrets)
        {
            var bytes = Encoding.UTF8.GetBytes(secret);
            string[] forms =
            [
                secret,
                JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(secret),
                JavaScriptEncoder.Default.Encode(secret),
                Convert.ToBase64String(bytes),
                Uri.EscapeDataString(secret),
            ];
            if (forms.Any(form => SharesPiece(text, form))) return true;
        }

        return false;
    }

    private static bool SharesPiece(string text, string secret)
    {
        const int Piece = 6;
        if (secret.Length <= Piece) return text.IndexOf(secret, StringComparison.Ordinal) >= 0;
        var pieces = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i + Piece <= secret.Length; i++) pieces.Add(secret.Substring(i, Piece));
        for (var i = 0; i + Piece <= text.Length; i++)
        {
            if (pieces.Contains(text.Substring(i, Piece))) return true;
        }

        return false;
    }
}
