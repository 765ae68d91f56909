using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Docker.DotNet;
using RegistryTools.Errors;

namespace RegistryTools.Containers;

/// <summary>The certificates of an engine that is reached over TLS: ca.pem, cert.pem and key.pem, as Docker's own client has them.</summary>
internal static class DockerCertificates
{
    public static Credentials Load(string directory)
    {
#if NET
        try
        {
            var ca = X509CertificateLoading.Load(Path.Combine(directory, "ca.pem"));
            using var pem = X509Certificate2.CreateFromPemFile(Path.Combine(directory, "cert.pem"), Path.Combine(directory, "key.pem"));

            // Windows can't use a key that is not in a container of its own.
            var client = OperatingSystem.IsWindows() ? X509CertificateLoading.Copy(pem) : X509Certificate2.CreateFromPemFile(Path.Combine(directory, "cert.pem"), Path.Combine(directory, "key.pem"));
            return new TlsCredentials(ca, client);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new RegistryRuntimeException($"The certificates in '{directory}' can't be used: {Text.Shown.Short(exception.Message, 200)}", "ca.pem, cert.pem and key.pem are looked for there (DOCKER_CERT_PATH).", exception);
        }
#else
        throw new RegistryRuntimeException("A container engine over TLS needs PowerShell 7.4 or later.", "Use its pipe, or forward it: ssh -L.");
#endif
    }

#if NET
    private static class X509CertificateLoading
    {
#pragma warning disable SYSLIB0057 // The loader that replaces these is not in .NET 8.
        public static X509Certificate2 Load(string file) => X509Certificate2.CreateFromPem(File.ReadAllText(file));

        public static X509Certificate2 Copy(X509Certificate2 certificate) => new(certificate.Export(X509ContentType.Pfx));
#pragma warning restore SYSLIB0057
    }

    private sealed class TlsCredentials(X509Certificate2 ca, X509Certificate2 client) : Credentials
    {
        public override bool IsTlsCredentials() => true;

        public override HttpMessageHandler GetHandler(HttpMessageHandler innerHandler)
        {
            var handler = (Microsoft.Net.Http.Client.ManagedHandler)innerHandler;
            handler.ClientCertificates = [client];
            handler.ServerCertificateValidationCallback = (_, certificate, _, errors) =>
            {
                if (certificate is null || (errors & ~SslPolicyErrors.RemoteCertificateChainErrors) != SslPolicyErrors.None) return false;
                using var chain = new X509Chain();
                chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
                chain.ChainPolicy.CustomTrustStore.Add(ca);
                chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
                using var server = new X509Certificate2(certificate);
                return chain.Build(server);
            };
            return handler;
        }

        public override void Dispose()
        {
            base.Dispose();
            ca.Dispose();
            client.Dispose();
        }
    }
#endif
}
