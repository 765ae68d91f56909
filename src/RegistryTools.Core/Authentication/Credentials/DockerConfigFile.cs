using System.Text;
using System.Text.Json;
using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Text;

namespace RegistryTools.Authentication;

/// <summary>
/// Docker's config.json or Podman's auth.json: <c>auths</c>, <c>credHelpers</c> and <c>credsStore</c>; all else is left alone. What is wrong with an entry is told only where that entry is asked
/// for. Nothing but <see cref="CredentialException"/> leaves, and no message holds a piece of the content.
/// </summary>
internal sealed class DockerConfigFile
{
    public const int MaximumSize = 16 * 1024 * 1024;
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 64 };
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private readonly JsonElement _store;

    private DockerConfigFile(string name, byte[] content, JsonElement root)
    {
        Name = name;
        Content = content;
        Root = root;
        Auths = Section("auths");
        Helpers = Section("credHelpers");
        foreach (var (property, value) in Properties(root))
        {
            if (property == "credsStore") _store = value;
        }
    }

    /// <summary>What messages call it.</summary>
    public string Name { get; }

    /// <summary>The bytes that it was read from.</summary>
    public byte[] Content { get; }

    /// <summary>The whole, or Undefined for an empty file.</summary>
    public JsonElement Root { get; }

    private Dictionary<string, JsonElement> Auths { get; }

    private Dictionary<string, JsonElement> Helpers { get; }

    /// <summary>The keys of all entries, whatever stands there.</summary>
    public IEnumerable<string> Keys => Auths.Keys.Concat(Helpers.Keys);

    /// <summary>Reads a file; null where there is none.</summary>
    /// <param name="path">The file.</param>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="CredentialException">It can't be read, is too large, or is not what it should be.</exception>
    public static DockerConfigFile? Load(string path, string name)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var content = new MemoryStream();
            var buffer = new byte[81920];
            int count;
            while ((count = stream.Read(buffer, 0, buffer.Length)) > 0)
            {
                if (content.Length + count > MaximumSize) throw TooLarge(name);
                content.Write(buffer, 0, count);
            }

            return Parse(content.ToArray(), name);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new CredentialException($"{name} can't be read: {Shown.Short(exception.Message, 200)}", "Check that it is a file that you may read.", exception);
        }
    }

    /// <summary>Reads the content of one. Nothing but blanks is an empty one, as it is to Docker; a byte order mark is passed over.</summary>
    /// <exception cref="CredentialException">It is too large, or is not what it should be.</exception>
    public static DockerConfigFile Parse(byte[] content, string name)
    {
        if (content.Length > MaximumSize) throw TooLarge(name);
        var text = new ReadOnlyMemory<byte>(content);
        if (content.Length >= 3 && content[0] == 0xEF && content[1] == 0xBB && content[2] == 0xBF) text = text.Slice(3);
        if (IsBlank(text.Span)) return new DockerConfigFile(name, content, default);
        JsonElement root;
        try
        {
            using var document = JsonDocument.Parse(text, Options);
            root = document.RootElement.Clone();
        }
        catch (JsonException exception)
        {
            // The parser's own message quotes what it fell over, which may be a secret.
            var at = exception is { LineNumber: { } line, BytePositionInLine: { } position } ? FormattableString.Invariant($" (line {line + 1}, byte {position + 1})") : string.Empty;
            throw new CredentialException($"{name} is not JSON{at}.", "Mend the file, or move it away and log in again.");
        }

        if (root.ValueKind != JsonValueKind.Object) throw new CredentialException($"{name} is not a JSON object but {root.ValueKind}.", "Mend the file, or move it away and log in again.");
        return new DockerConfigFile(name, content, root);
    }

    /// <summary>The helper for a registry: that of <c>credHelpers</c>, else <c>credsStore</c>; null for none. An empty name means none on purpose.</summary>
    /// <param name="address">The registry.</param>
    /// <param name="podman">Whether this is Podman's file, which has no <c>credsStore</c>.</param>
    public (string Name, string Property)? HelperFor(RegistryAddress address, bool podman)
    {
        foreach (var key in CredentialKey.Exact(address, podman))
        {
            if (!Helpers.TryGetValue(key, out var value) || value.ValueKind == JsonValueKind.Null) continue;
            var name = Text(value, $"credHelpers '{key}'");
            return name.Length > 0 ? (name, "credHelpers") : null;
        }

        if (podman || _store.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null) return null;
        var store = Text(_store, "credsStore");
        return store.Length > 0 ? (store, "credsStore") : null;
    }

    /// <summary>The entry of <c>auths</c> for a registry as Docker finds it, or null.</summary>
    public RegistryCredential? Find(RegistryAddress address) => FindHost(address, podman: false);

    /// <summary>The entry of <c>auths</c> for a repository as Podman finds it, the most specific key first; or null.</summary>
    public RegistryCredential? FindNamespaced(RegistryAddress address, string? repository)
    {
        foreach (var key in CredentialKey.Namespaces(address, repository))
        {
            if (Auths.TryGetValue(key, out var entry)) return Read(key, entry);
        }

        return FindHost(address, podman: true);
    }

    /// <summary>The entries of <c>auths</c> for namespaces of a registry as Podman has them: what stands below the host and the registry's prefix, and who asks for it.</summary>
    public IEnumerable<KeyValuePair<string, RegistryCredential>> Namespaces(RegistryAddress address)
    {
        foreach (var host in CredentialKey.Exact(address, podman: true))
        {
            var start = host + address.Prefix + "/";
            if (host == CredentialKey.DockerHub) continue;
            foreach (var entry in Auths)
            {
                if (entry.Key.Length > start.Length && entry.Key.StartsWith(start, StringComparison.Ordinal) && Read(entry.Key, entry.Value) is { } credential) yield return new(entry.Key.Substring(start.Length).TrimEnd('/'), credential);
            }
        }
    }

    /// <summary>The keys of <c>auths</c> that mean this registry, whatever stands there.</summary>
    /// <param name="address">The registry.</param>
    /// <param name="loose">Whether those with a path of their own count too, which are taken only where there is no better.</param>
    public IEnumerable<string> KeysOf(RegistryAddress address, bool loose) =>
        Auths.Keys.Where(key => CredentialKey.Exact(address, podman: false).Contains(key) || CredentialKey.Fit(key, address, podman: false) >= (loose ? 1 : 2));

    /// <summary>The properties whose names are text; for one that is there twice both.</summary>
    public static IEnumerable<(string Name, JsonElement Value)> Properties(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object) yield break;
        foreach (var property in element.EnumerateObject())
        {
            if (NameOf(property) is { } name) yield return (name, property.Value);
        }
    }

    /// <summary>A property's name; null where it is no text, for an escape can be half a character.</summary>
    public static string? NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private RegistryCredential? FindHost(RegistryAddress address, bool podman)
    {
        foreach (var key in CredentialKey.Exact(address, podman))
        {
            if (Auths.TryGetValue(key, out var entry) && Read(key, entry) is { } credential) return credential;
        }

        var fitting = from key in Auths.Keys let fit = CredentialKey.Fit(key, address, podman) where fit > 0 orderby fit descending select key;
        foreach (var key in fitting)
        {
            if (Read(key, Auths[key]) is { } credential) return credential;
        }

        return null;
    }

    private RegistryCredential? Read(string key, JsonElement entry)
    {
        var where = $"auths '{Shown.Short(key)}'";
        if (entry.ValueKind == JsonValueKind.Null) return null;
        if (entry.ValueKind != JsonValueKind.Object) throw Bad(where, $"is not an object but {entry.ValueKind}");
        string? auth = null, user = null, password = null, identity = null, token = null;
        foreach (var (name, value) in Properties(entry))
        {
            if (name is not ("auth" or "username" or "password" or "identitytoken" or "registrytoken")) continue;
            var text = value.ValueKind == JsonValueKind.Null ? null : Text(value, where + "." + name) is { Length: > 0 } filled ? filled : null;
            switch (name)
            {
                case "auth": auth = text; break;
                case "username": user = text; break;
                case "password": password = text; break;
                case "identitytoken": identity = text; break;
                default: token = text; break;
            }
        }

        if (auth is not null) (user, password) = Decode(auth, where);
        if (token is not null && !IsToken(token)) throw Bad(where, "has a registrytoken that can't be one: it has characters that no header takes");
        if (user is null && identity is null && token is null) return null;
        return new RegistryCredential
        {
            UserName = user,
            Password = user is null ? null : password ?? string.Empty,
            IdentityToken = identity,
            RegistryToken = token,
            Source = $"{Name}: {where}",
        };
    }

    /// <summary>Whether it fits behind "Bearer " in a header.</summary>
    public static bool IsToken(string text) => text.Length > 0 && text.All(c => c is >= '!' and <= '~');

    private (string User, string Password) Decode(string auth, string where)
    {
        string text;
        try
        {
            text = Strict.GetString(Convert.FromBase64String(auth));
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException)
        {
            throw Bad(where, "has an auth that is not the base64 of a text");
        }

        var colon = text.IndexOf(':');
        if (colon < 1) throw Bad(where, "has an auth that is not of the form user:password");

        // Docker cuts these too: very old versions filled up with them.
        return (text.Substring(0, colon), text.Substring(colon + 1).Trim('\0'));
    }

    private Dictionary<string, JsonElement> Section(string name)
    {
        var section = default(JsonElement);
        foreach (var (property, value) in Properties(Root))
        {
            if (property == name) section = value;
        }

        if (section.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.Object)) throw Bad(name, $"is not an object but {section.ValueKind}");
        var map = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var (property, value) in Properties(section)) map[property] = value;
        return map;
    }

    private string Text(JsonElement value, string where)
    {
        if (value.ValueKind != JsonValueKind.String) throw Bad(where, $"is not a string but {value.ValueKind}");
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Bad(where, "is not valid Unicode");
        }
    }

    private CredentialException Bad(string where, string what) => new($"{Name}: {where} {what}.", "Log in again, or mend the file.");

    private static CredentialException TooLarge(string name) => new($"{name} is larger than {MaximumSize} bytes; it was not read.", "Check that it is the right file.");

    private static bool IsBlank(ReadOnlySpan<byte> text)
    {
        foreach (var value in text)
        {
            if (value is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')) return false;
        }

        return true;
    }
}
