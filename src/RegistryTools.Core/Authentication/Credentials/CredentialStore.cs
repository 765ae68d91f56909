using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Text;

namespace RegistryTools.Authentication;

/// <summary>
/// Keeps credentials where Docker keeps them: with the helper that its config.json names (<c>credHelpers</c>, else <c>credsStore</c>), or in that file in clear text where the caller allows it. What
/// else stands in the file stays byte for byte. Podman's files are read only.
/// </summary>
public sealed class CredentialStore
{
    // Two writers of one process would each put back what the other has taken away.
    private static readonly SemaphoreSlim Gate = new(1, 1);
    private readonly CredentialOptions _options;

    /// <summary>Makes a store.</summary>
    /// <param name="options">Where Docker's file and the helpers are; null for the process's own environment.</param>
    public CredentialStore(CredentialOptions? options = null) => _options = options ?? new CredentialOptions();

    /// <summary>Called between reading the file and putting the new one in its place, for tests.</summary>
    internal Action? BeforeReplace { get; init; }

    /// <summary>The file in which a registry's credentials would stand in clear text if they were stored; null where a helper keeps them.</summary>
    /// <param name="address">The registry.</param>
    /// <exception cref="CredentialException">The file is broken.</exception>
    public string? FindClearTextFile(RegistryAddress address)
    {
        if (address is null) throw new ArgumentNullException(nameof(address));
        var path = Path();
        var shown = CredentialPaths.Show(path, _options);
        return DockerConfigFile.Load(path, shown)?.HelperFor(address, podman: false) is null ? shown : null;
    }

    /// <summary>Stores a registry's credentials.</summary>
    /// <param name="address">The registry.</param>
    /// <param name="credential">The credentials: a user name and password, or an identity token; a bearer token only in clear text.</param>
    /// <param name="allowClearText">Whether they may be written to the file where no helper is configured.</param>
    /// <param name="cancellationToken">Ends it before anything is written.</param>
    /// <returns>Where they are now: the file and the helper or the key.</returns>
    /// <exception cref="CredentialStoreMissingException">No helper is configured, and clear text is not allowed. Nothing was written.</exception>
    /// <exception cref="CredentialException">The file is broken or can't be written, or the helper failed. No message holds the secret.</exception>
    public async Task<string> StoreAsync(RegistryAddress address, RegistryCredential credential, bool allowClearText = false, CancellationToken cancellationToken = default)
    {
        if (address is null) throw new ArgumentNullException(nameof(address));
        if (credential is null) throw new ArgumentNullException(nameof(credential));
        var path = Path();
        var shown = CredentialPaths.Show(path, _options);
        var key = CredentialKey.ForDocker(address);
        await Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var file = DockerConfigFile.Load(path, shown);
            if (file?.HelperFor(address, podman: false) is { } helper)
            {
                await new CredentialHelper(helper.Name, $"{shown}: {helper.Property}", _options).StoreAsync(key, credential, cancellationToken).ConfigureAwait(false);

                // What stood there in clear text before is out of date, and would be taken when the helper has lost its own.
                if (file.KeysOf(address, loose: false).Any()) Rewrite(path, shown, address, loose: false, entry: null);
                return $"{shown}: {helper.Property} ({helper.Name})";
            }

            if (!allowClearText) throw new CredentialStoreMissingException(shown, address.Name);
            cancellationToken.ThrowIfCancellationRequested();
            Rewrite(path, shown, address, loose: false, Entry(key, credential));
            _options.Log.Warning($"The credentials of {address.Name} are in {shown} in clear text.");
            return $"{shown}: auths '{key}'";
        }
        finally
        {
            Gate.Release();
        }
    }

    /// <summary>Removes a registry's credentials from the helper and from the file.</summary>
    /// <param name="address">The registry.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Whether there were any.</returns>
    /// <exception cref="CredentialException">The file is broken or can't be written, or the helper failed.</exception>
    public async Task<bool> EraseAsync(RegistryAddress address, CancellationToken cancellationToken = default)
    {
        if (address is null) throw new ArgumentNullException(nameof(address));
        var path = Path();
        var shown = CredentialPaths.Show(path, _options);
        await Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var file = DockerConfigFile.Load(path, shown);
            if (file is null) return false;
            var erased = false;
            if (file.HelperFor(address, podman: false) is { } helper)
            {
                erased = await new CredentialHelper(helper.Name, $"{shown}: {helper.Property}", _options).EraseAsync(CredentialKey.ForDocker(address), cancellationToken).ConfigureAwait(false);
            }

            if (!file.KeysOf(address, loose: true).Any()) return erased;
            Rewrite(path, shown, address, loose: true, entry: null);
            return true;
        }
        finally
        {
            Gate.Release();
        }
    }

    private string Path() => CredentialPaths.DockerConfig(_options)
        ?? throw new CredentialException("There is no place for Docker's config.json: neither DOCKER_CONFIG nor a home directory is set.", "Set DOCKER_CONFIG to a directory.");

    private static string Entry(string key, RegistryCredential credential)
    {
        var (user, password) = (credential.UserName ?? string.Empty, credential.Password ?? string.Empty);
        if (user.IndexOf(':') >= 0) throw new CredentialException("The user name has a colon in it: Docker's file can't hold it.");
        if (user.Length == 0 && string.IsNullOrEmpty(credential.IdentityToken) && string.IsNullOrEmpty(credential.RegistryToken)) throw new CredentialException("There is nothing to store: no user name and no token.");
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true }))
        {
            writer.WriteStartObject();
            writer.WriteStartObject(key);
            if (user.Length > 0) writer.WriteString("auth", Convert.ToBase64String(Encoding.UTF8.GetBytes(user + ":" + password)));
            if (!string.IsNullOrEmpty(credential.IdentityToken)) writer.WriteString("identitytoken", credential.IdentityToken);
            if (!string.IsNullOrEmpty(credential.RegistryToken)) writer.WriteString("registrytoken", credential.RegistryToken);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        var text = Encoding.UTF8.GetString(stream.ToArray());
        return text.Substring(1, text.Length - 2);
    }

    /// <summary>Writes the file anew, without the registry's entries and with a new one in their place if there is one.</summary>
    private void Rewrite(string path, string shown, RegistryAddress address, bool loose, string? entry)
    {
        try
        {
            path = Target(path);
            for (var attempt = 0; ; attempt++)
            {
                var file = DockerConfigFile.Load(path, shown);
                var temporary = WriteTemporary(path, Encoding.UTF8.GetBytes(Compose(file, address, loose, entry)), shown);
                try
                {
                    BeforeReplace?.Invoke();

                    // A login by another program meanwhile must not be lost. What happens in the instant that remains is lost, as it is between two logins of Docker's.
                    if (!Same(file, DockerConfigFile.Load(path, shown)))
                    {
                        if (attempt < 5) continue;
                        throw new CredentialException($"{shown} keeps changing: nothing was written.", "Another program writes to it; try again.");
                    }

                    Place(temporary, path);
                    return;
                }
                finally
                {
                    if (File.Exists(temporary)) File.Delete(temporary);
                }
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new CredentialException($"{shown} can't be written: {Shown.Short(exception.Message, 200)}", "Check that you may write to the file and its directory.", exception);
        }
    }

    private static bool Same(DockerConfigFile? one, DockerConfigFile? other) => one is null ? other is null : other is not null && one.Content.AsSpan().SequenceEqual(other.Content);

    // From the raw text of each property: an escape, a long number or a doubled name comes out as it went in.
    private static string Compose(DockerConfigFile? file, RegistryAddress address, bool loose, string? entry)
    {
        var properties = new List<string>();
        var drop = new HashSet<string>(file?.KeysOf(address, loose) ?? [], StringComparer.Ordinal);
        var placed = false;
        if (file is { Root.ValueKind: JsonValueKind.Object })
        {
            var last = file.Root.EnumerateObject().Count(property => DockerConfigFile.NameOf(property) == "auths");
            foreach (var property in file.Root.EnumerateObject())
            {
                if (DockerConfigFile.NameOf(property) != "auths")
                {
                    properties.Add(property.ToString());
                    continue;
                }

                // Where there are two, the last one counts.
                if (--last > 0) continue;
                var entries = new List<string>();
                if (property.Value.ValueKind == JsonValueKind.Object) entries.AddRange(property.Value.EnumerateObject().Where(one => DockerConfigFile.NameOf(one) is not { } name || !drop.Contains(name)).Select(one => one.ToString()));
                if (entry is not null) entries.Add(entry);
                properties.Add(Auths(entries));
                placed = true;
            }
        }

        if (!placed && entry is not null) properties.Add(Auths([entry]));
        return properties.Count == 0 ? "{}\n" : "{\n\t" + string.Join(",\n\t", properties) + "\n}\n";
    }

    private static string Auths(List<string> entries) => entries.Count == 0 ? "\"auths\": {}" : "\"auths\": {\n\t\t" + string.Join(",\n\t\t", entries) + "\n\t}";

    /// <summary>The file that a link leads to: people keep their configuration elsewhere and link to it.</summary>
    private static string Target(string path)
    {
#if NET
        return new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
#else
        return path;
#endif
    }

    private string WriteTemporary(string path, byte[] content, string shown)
    {
        var directory = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        var temporary = System.IO.Path.Combine(directory, ".config.json." + Guid.NewGuid().ToString("N"));
        try
        {
#if NET
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(directory);
            else Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using var stream = new FileStream(temporary, options);
            if (!OperatingSystem.IsWindows() && File.Exists(path))
            {
                var mode = File.GetUnixFileMode(path);
                if ((mode & (UnixFileMode.GroupRead | UnixFileMode.OtherRead)) != 0) _options.Log.Warning($"{shown} can be read by others than you.");
                File.SetUnixFileMode(temporary, mode | UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }
#else
            var made = !Directory.Exists(directory);
            Directory.CreateDirectory(directory);
            if (made && !CredentialPaths.IsWindows) _ = chmod(directory, 0x1C0);
            using var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write);
            if (!CredentialPaths.IsWindows) _ = chmod(temporary, 0x180);
#endif
            stream.Write(content, 0, content.Length);
            stream.Flush(flushToDisk: true);
            return temporary;
        }
        catch
        {
            if (File.Exists(temporary)) File.Delete(temporary);
            throw;
        }
        finally
        {
            Array.Clear(content, 0, content.Length);
        }
    }

    private static void Place(string temporary, string path)
    {
#if NET
        File.Move(temporary, path, overwrite: true);
#else
        if (File.Exists(path)) File.Replace(temporary, path, null);
        else File.Move(temporary, path);
#endif
    }

#if !NET
    [DllImport("libc", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int chmod(string path, uint mode);
#endif
}
