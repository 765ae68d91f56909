using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using RegistryTools.Errors;
using RegistryTools.Text;

namespace RegistryTools.Transport.Tls;

/// <summary>Certificates in files: PEM (RFC 7468), or DER.</summary>
internal static class PemFile
{
    private const string Begin = "-----BEGIN CERTIFICATE-----";
    private const string End = "-----END CERTIFICATE-----";
    private const int MaximumSize = 16 * 1024 * 1024;

    /// <summary>All certificates of a file, at least one.</summary>
    /// <exception cref="CertificateFileException">The file can't be read, or there is no certificate in it, or one that is none.</exception>
    public static IReadOnlyList<X509Certificate2> ReadCertificates(string path)
    {
        var bytes = Read(path);
        var text = Encoding.UTF8.GetString(bytes);
        var certificates = new List<X509Certificate2>();
        try
        {
            if (text.IndexOf("-----BEGIN", StringComparison.Ordinal) < 0)
            {
                certificates.Add(new X509Certificate2(bytes));
                return certificates;
            }

            for (var begin = text.IndexOf(Begin, StringComparison.Ordinal); begin >= 0; begin = text.IndexOf(Begin, begin, StringComparison.Ordinal))
            {
                begin += Begin.Length;
                var end = text.IndexOf(End, begin, StringComparison.Ordinal);
                if (end < 0) throw new CertificateFileException(path, $"{path} is cut short: a certificate in it does not end.");
                certificates.Add(new X509Certificate2(Convert.FromBase64String(text.Substring(begin, end - begin))));
                begin = end;
            }
        }
        catch (Exception exception) when (exception is CryptographicException or FormatException)
        {
            throw new CertificateFileException(path, $"{path} does not hold what it should: {(certificates.Count == 0 ? "it" : "a part of it")} is no certificate (PEM or DER).");
        }

        return certificates.Count > 0 ? certificates : throw new CertificateFileException(path, $"There is no certificate in {path}, only other things.", "An authority's file begins with -----BEGIN CERTIFICATE-----.");
    }

    /// <summary>A file's bytes.</summary>
    /// <exception cref="CertificateFileException">It can't be read, or is far too large.</exception>
    public static byte[] Read(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var memory = new MemoryStream();
            var buffer = new byte[16 * 1024];
            for (int count; (count = stream.Read(buffer, 0, buffer.Length)) > 0;)
            {
                if (memory.Length + count > MaximumSize) throw new CertificateFileException(path, $"{path} is no file of certificates: it is larger than {MaximumSize} bytes.");
                memory.Write(buffer, 0, count);
            }

            return memory.ToArray();
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CertificateFileException(path, $"There is no file {path}.", null, exception);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new CertificateFileException(path, $"{path} may not be read by this user.", null, exception);
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or NotSupportedException)
        {
            throw new CertificateFileException(path, $"{path} can't be read: {Shown.Short(exception.Message)}", null, exception);
        }
    }
}
