using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using RegistryTools.Errors;

namespace RegistryTools.Transport.Tls;

/// <summary>A certificate with its private key, by which a registry knows its client (mutual TLS). Neither key nor password is in anything that it says.</summary>
public sealed class ClientCertificate
{
    private ClientCertificate(X509Certificate2 certificate, IReadOnlyList<X509Certificate2> intermediates, string source)
    {
        Certificate = certificate;
        Intermediates = intermediates;
        Source = source;
    }

    /// <summary>The certificate, with its key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>Where it is from: a path, or its subject.</summary>
    public string Source { get; }

    /// <summary>Whether this .NET reads keys in PEM files.</summary>
    internal static bool ReadsPemKeys =>
#if NET
        true;
#else
        false;
#endif

    /// <summary>What came along with it, to be sent along.</summary>
    internal IReadOnlyList<X509Certificate2> Intermediates { get; }

    /// <summary>From a PEM file with the certificate (and those between it and its authority), and one with the key.</summary>
    /// <param name="certificatePath">The certificate's file; it may hold the key too.</param>
    /// <param name="keyPath">The key's file; null where it is in the certificate's.</param>
    /// <param name="password">The key's password; null where it has none.</param>
    /// <exception cref="CertificateFileException">A file can't be read, holds something else, the two do not belong together, the password is not the right one, or this .NET (that of Windows PowerShell) reads no PEM keys.</exception>
    public static ClientCertificate FromPem(string certificatePath, string? keyPath = null, string? password = null)
    {
        var certificates = PemFile.ReadCertificates(certificatePath);
#if NET
        var keyFile = keyPath ?? certificatePath;
        var key = Encoding.UTF8.GetString(PemFile.Read(keyFile));
        if (key.IndexOf("PRIVATE KEY-----", StringComparison.Ordinal) < 0)
        {
            throw new CertificateFileException(keyFile, $"There is no private key in {keyFile}.", keyPath is null ? "Name the file of the key as well." : "A key's file has a line like -----BEGIN PRIVATE KEY-----.");
        }

        var encrypted = key.IndexOf("-----BEGIN ENCRYPTED PRIVATE KEY-----", StringComparison.Ordinal) >= 0;
        if (encrypted && password is null) throw new CertificateFileException(keyFile, $"The key in {keyFile} is protected by a password, and none was given.");
        if (key.IndexOf("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal) >= 0)
        {
            throw new CertificateFileException(keyFile, $"The key in {keyFile} is encrypted in OpenSSL's old way, which is not read here.", "Convert it: openssl pkcs8 -topk8 -in old.key -out new.key.");
        }

        var first = new string(PemEncoding.Write("CERTIFICATE", certificates[0].RawData));
        try
        {
            using var loaded = encrypted ? X509Certificate2.CreateFromEncryptedPem(first, key, password) : X509Certificate2.CreateFromPem(first, key);
            return new ClientCertificate(Usable(loaded), certificates.Skip(1).ToList(), certificatePath);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            // What the exception says of a key is not repeated.
            throw new CertificateFileException(
                keyFile,
                encrypted ? $"The key in {keyFile} can't be read with the password given, or does not belong to the certificate in {certificatePath}." : $"The key in {keyFile} can't be read, or does not belong to the certificate in {certificatePath}.");
        }
#else
        throw new CertificateFileException(
            keyPath ?? certificatePath,
            $"{certificatePath} was not used: Windows PowerShell reads no keys in PEM files.",
            "Make a PFX file of it: openssl pkcs12 -export -in client.cert -inkey client.key -out client.pfx. Or use PowerShell 7.4 or later.");
#endif
    }

    /// <summary>From a PFX (PKCS#12) file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="password">Its password; null where it has none.</param>
    /// <exception cref="CertificateFileException">The file can't be read, is none, has no key in it, or the password is not the right one.</exception>
    public static ClientCertificate FromPfx(string path, string? password = null)
    {
        var bytes = PemFile.Read(path);
        var loaded = new X509Certificate2Collection();
        try
        {
            loaded.Import(bytes, password ?? string.Empty, X509KeyStorageFlags.DefaultKeySet);
        }
        catch (CryptographicException)
        {
            throw new CertificateFileException(path, $"{path} can't be read: it is no PFX file, or the password is not {(password is null ? "empty" : "the right one")}.");
        }

        var own = loaded.Cast<X509Certificate2>().FirstOrDefault(certificate => certificate.HasPrivateKey)
            ?? throw new CertificateFileException(path, $"There is no certificate with a private key in {path}.");
        return new ClientCertificate(own, loaded.Cast<X509Certificate2>().Where(certificate => !ReferenceEquals(certificate, own)).ToList(), path);
    }

    /// <summary>From a certificate that is loaded already, one of the Windows certificate store for example.</summary>
    /// <exception cref="CertificateFileException">It has no private key.</exception>
    public static ClientCertificate From(X509Certificate2 certificate) =>
        certificate.HasPrivateKey
            ? new ClientCertificate(certificate, [], certificate.Subject)
            : throw new CertificateFileException(certificate.Subject, $"The certificate of {certificate.Subject} has no private key, or not one that this user may use.");

    /// <summary>Its subject and where it is from.</summary>
    public override string ToString() => $"{Certificate.Subject} ({Source})";

#if NET
    /// <summary>Windows' TLS uses no key that is in memory only.</summary>
    private static X509Certificate2 Usable(X509Certificate2 loaded) => new(OperatingSystem.IsWindows() ? new X509Certificate2(loaded.Export(X509ContentType.Pfx)) : new X509Certificate2(loaded));
#endif
}
