using System.Security.Cryptography.X509Certificates;
using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Text;

namespace RegistryTools.Transport.Tls;

/// <summary>
/// The certificates that Docker and podman keep for a registry: in a directory of its name (<c>host</c> or <c>host:port</c>), <c>*.crt</c> are authorities, and <c>*.cert</c> with the <c>*.key</c> of
/// the same name is the client's certificate (docs.docker.com, "Verify repository client with certificates"; containers-certs.d(5)).
/// </summary>
public static class CertificateDirectories
{
    /// <summary>Where they are looked for when nothing else is said: the user's own before the machine's.</summary>
    public static IReadOnlyList<string> Default()
    {
        var directories = new List<string>();
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var configuration = Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } xdg ? xdg : home.Length > 0 ? Path.Combine(home, ".config") : string.Empty;
        if (configuration.Length > 0)
        {
            directories.Add(Path.Combine(configuration, "containers", "certs.d"));
            directories.Add(Path.Combine(configuration, "docker", "certs.d"));
        }

        if (home.Length > 0) directories.Add(Path.Combine(home, ".docker", "certs.d"));
        if (Path.DirectorySeparatorChar == '\\')
        {
            var data = Environment.GetFolderPath(Environment.SpecialFolder.CommonApplicationData);
            if (data.Length > 0) directories.Add(Path.Combine(data, "docker", "certs.d"));
        }
        else
        {
            directories.Add("/etc/containers/certs.d");
            directories.Add("/etc/docker/certs.d");
        }

        return directories;
    }

    /// <summary>Reads what these directories hold for a registry. Authorities of all count; of client certificates the first.</summary>
    /// <exception cref="CertificateFileException">A certificate lacks its key, or a key its certificate, or the two can't be used.</exception>
    internal static RegistryCertificates Read(IReadOnlyList<string> roots, RegistryAddress address, bool wantsClient, IActivityLog log)
    {
        var authorities = new List<X509Certificate2>();
        var unread = new List<string>();
        ClientCertificate? client = null;

        void Unread(string path, string why)
        {
            unread.Add(path);
            log.Warning($"{path} holds certificates for {address.Name} and was not used: {why}");
        }

        foreach (var directory in roots.SelectMany(root => Names(address).Select(name => Path.Combine(root, name))))
        {
            string[] files;
            try
            {
                if (!Directory.Exists(directory)) continue;
                files = Directory.GetFiles(directory);
            }
            catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
            {
                Unread(directory, exception is UnauthorizedAccessException ? "it may not be read by this user." : Shown.Short(exception.Message));
                continue;
            }

            Array.Sort(files, StringComparer.Ordinal);
            foreach (var file in files.Where(file => file.EndsWith(".crt", StringComparison.Ordinal)))
            {
                try
                {
                    authorities.AddRange(PemFile.ReadCertificates(file));
                }
                catch (CertificateFileException exception)
                {
                    // Docker passes such a file over without a word; the connection may do without it.
                    Unread(file, exception.Message);
                }
            }

            if (wantsClient) client ??= ReadClient(directory, files, Unread);
        }

        return new RegistryCertificates(authorities, client, unread);
    }

    /// <summary>The names of its directory: as it is written, and with or without the port that its scheme has anyway.</summary>
    private static IEnumerable<string> Names(RegistryAddress address)
    {
        if (address.Port is not { } port)
        {
            yield return address.Host;
            yield return address.Host + (address.Scheme == "http" ? ":80" : ":443");
            yield break;
        }

        yield return FormattableString.Invariant($"{address.Host}:{port}");
        if (port == (address.Scheme == "http" ? 80 : 443)) yield return address.Host;
    }

    private static ClientCertificate? ReadClient(string directory, string[] files, Action<string, string> unread)
    {
        ClientCertificate? client = null;
        var names = new HashSet<string>(files, StringComparer.Ordinal);
        foreach (var file in files)
        {
            if (file.EndsWith(".cert", StringComparison.Ordinal))
            {
                var key = file.Substring(0, file.Length - ".cert".Length) + ".key";
                if (!names.Contains(key)) throw new CertificateFileException(file, $"The client certificate {file} lacks its key: there is no {Path.GetFileName(key)} beside it.", "A certificate authority's file ends in .crt, a client certificate's in .cert.");
                try
                {
                    client ??= ClientCertificate.FromPem(file, key);
                }
                catch (CertificateFileException exception) when (exception.InnerException is UnauthorizedAccessException || !ClientCertificate.ReadsPemKeys)
                {
                    // The keys of the daemon, which runs as root: podman passes them over as well. And what can't be used here at all may not be needed.
                    unread(exception.Path, exception.Message);
                }
            }
            else if (file.EndsWith(".key", StringComparison.Ordinal) && !names.Contains(file.Substring(0, file.Length - ".key".Length) + ".cert"))
            {
                throw new CertificateFileException(file, $"The key {file} lacks its certificate: there is no {Path.GetFileNameWithoutExtension(file)}.cert beside it.", $"A client certificate's file ends in .cert, an authority's in .crt ({directory}).");
            }
        }

        return client;
    }
}

/// <summary>What the directories hold for one registry.</summary>
internal sealed record RegistryCertificates(IReadOnlyList<X509Certificate2> Authorities, ClientCertificate? Client, IReadOnlyList<string> Unread);
