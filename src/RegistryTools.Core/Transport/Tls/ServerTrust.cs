using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Text;

namespace RegistryTools.Transport.Tls;

/// <summary>Why a server's certificate was not accepted.</summary>
internal sealed record TlsRejection(TlsFailure Failure, string Message, string? Remedy);

/// <summary>
/// Decides whose certificates are accepted: what the system trusts, and what the caller's authorities vouch for. Either way the name, the dates and the purpose must be right.
/// Why it refused is kept by host, since no platform hands that through.
/// </summary>
internal sealed class ServerTrust
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private readonly IReadOnlyList<X509Certificate2> _authorities;
    private readonly IReadOnlyList<string> _unread;
    private readonly bool _acceptsAll;
    private readonly string _registry;
    private readonly IActivityLog _log;
    private readonly ConcurrentDictionary<string, TlsRejection> _rejections = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, bool> _askedForClient = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, bool> _seen = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, bool> _toldUnchecked = new(StringComparer.OrdinalIgnoreCase);

    private ServerTrust(IReadOnlyList<X509Certificate2> authorities, ClientCertificate? client, IReadOnlyList<string> unread, RegistryAddress address, HttpRegistryOptions options)
    {
        _authorities = authorities;
        Client = client;
        _unread = unread;
        _registry = address.Name.Substring(0, address.Name.Length - address.Prefix.Length);
        _acceptsAll = options.SkipCertificateCheck;
        _log = options.Log;
    }

    /// <summary>What is shown to the registry where it asks; null for nothing.</summary>
    public ClientCertificate? Client { get; }

    /// <summary>Reads what the options name.</summary>
    /// <exception cref="CertificateFileException">A file that is named can't be used.</exception>
    public static ServerTrust Load(RegistryAddress address, string scheme, HttpRegistryOptions options)
    {
        var authorities = new List<X509Certificate2>(options.CertificateAuthorities);
        foreach (var file in options.CertificateAuthorityFiles) authorities.AddRange(PemFile.ReadCertificates(file));

        // Over plain http nothing in them is needed, and what is wrong with them is no reason to fail.
        var kept = scheme == "https" ? CertificateDirectories.Read(options.CertificateDirectories ?? CertificateDirectories.Default(), address, options.ClientCertificate is null, options.Log) : null;
        if (kept is not null) authorities.AddRange(kept.Authorities);
        var client = options.ClientCertificate ?? kept?.Client;
        if (client is not null && DateTime.Now is var now && (now > client.Certificate.NotAfter || now < client.Certificate.NotBefore)) options.Log.Warning($"The client certificate {client} {Validity(client.Certificate)}.");
        return new ServerTrust(authorities, client, kept?.Unread ?? [], address, options);
    }

    /// <summary>Why the certificate of a host was refused last; null where the last one was accepted.</summary>
    public TlsRejection? Rejection(string host) => _rejections.TryGetValue(host.Trim('[', ']'), out var rejection) ? rejection : null;

    /// <summary>Notes that a server wants to know the client by certificate.</summary>
    public void NoteRequest(string host) => _askedForClient[host.Trim('[', ']')] = true;

    /// <summary>Whether the host has asked for a client's certificate that it did not get.</summary>
    public bool AskedForClient(string host) => _askedForClient.ContainsKey(host.Trim('[', ']'));

    /// <summary>Whether the host has shown a certificate, whatever it was worth.</summary>
    public bool SpeaksTls(string host) => _seen.ContainsKey(host.Trim('[', ']'));

    /// <summary>Whether a server's certificate is accepted.</summary>
    public bool Accepts(string host, X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors)
    {
        host = host.Trim('[', ']');
        _seen[host] = true;
        if (errors != SslPolicyErrors.None && _acceptsAll)
        {
            if (_toldUnchecked.TryAdd(host, true)) _log.Warning($"The certificate of {host} is not one to trust, and is accepted since that was asked for: whoever is on the way can read and alter what is sent.");
            errors = SslPolicyErrors.None;
        }

        if (errors == SslPolicyErrors.None)
        {
            _rejections.TryRemove(host, out _);
            return true;
        }

        var rejection = Judge(host, shown, chain, errors);
        if (rejection is null)
        {
            _rejections.TryRemove(host, out _);
            return true;
        }

        _rejections[host] = rejection;
        return false;
    }

    /// <summary>What is wrong with it; null where an authority of the caller's vouches for it and all else is right.</summary>
    private TlsRejection? Judge(string host, X509Certificate? shown, X509Chain? chain, SslPolicyErrors errors)
    {
        const SslPolicyErrors Known = SslPolicyErrors.RemoteCertificateNameMismatch | SslPolicyErrors.RemoteCertificateChainErrors | SslPolicyErrors.RemoteCertificateNotAvailable;
        if (shown is null || (errors & SslPolicyErrors.RemoteCertificateNotAvailable) != 0) return new TlsRejection(TlsFailure.BadCertificate, $"{host} shows no certificate.", null);
        if ((errors & ~Known) != 0) return new TlsRejection(TlsFailure.BadCertificate, $"The certificate of {host} was refused ({errors}).", null);
        var certificate = shown as X509Certificate2 ?? new X509Certificate2(shown);
        var found = new List<TlsRejection>();
        if ((errors & SslPolicyErrors.RemoteCertificateChainErrors) != 0)
        {
            var sent = chain is null ? [] : chain.ChainPolicy.ExtraStore.Cast<X509Certificate2>().Concat(Certificates(chain)).ToList();
            if (_authorities.Count == 0) found.AddRange(Explain(host, certificate, chain));
            else found.AddRange(JudgeByAuthorities(host, certificate, sent));
        }

        if ((errors & SslPolicyErrors.RemoteCertificateNameMismatch) != 0)
        {
            found.Add(new TlsRejection(
                TlsFailure.NameMismatch,
                $"The certificate of {host} is made out to {Names(certificate)}, not to {host}.",
                "Use a name that the certificate has, or have it made out to this one."));
        }

        if (found.Count == 0) return null;
        var first = found[0];
        return found.Count == 1 ? first : first with { Message = string.Join(" ", found.Select(one => one.Message)) };
    }

    /// <summary>What the caller's own authorities say of it: nothing where one of them vouches for it.</summary>
    private IReadOnlyList<TlsRejection> JudgeByAuthorities(string host, X509Certificate2 certificate, List<X509Certificate2> sent)
    {
#if NET
        using (var own = Prepare(sent))
        {
            own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            own.ChainPolicy.DisableCertificateDownloads = true;
            foreach (var authority in _authorities) own.ChainPolicy.CustomTrustStore.Add(authority);
            if (own.Build(certificate)) return [];
        }
#endif

        // An authority that is not self-signed, as one between the root and the servers, is no root for the system's chain; Docker takes it for one. And the old .NET knows
        // no other roots than the system's. So the chain is built without regard to its end, and its end looked at here: byte for byte.
        using var chain = Prepare(sent);
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.AllowUnknownCertificateAuthority;
        foreach (var authority in _authorities) chain.ChainPolicy.ExtraStore.Add(authority);
        var whole = chain.Build(certificate);
        if (whole
            && chain.ChainElements.Count > 0
            && chain.ChainStatus.All(status => (status.Status & ~(X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) == 0)
            && IsOwn(chain.ChainElements[chain.ChainElements.Count - 1].Certificate))
        {
            return [];
        }

        return Explain(host, certificate, chain);
    }

    private static X509Chain Prepare(List<X509Certificate2> sent)
    {
        var chain = new X509Chain();
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        foreach (var one in sent) chain.ChainPolicy.ExtraStore.Add(one);
        return chain;
    }

    private static IEnumerable<X509Certificate2> Certificates(X509Chain chain)
    {
        foreach (var element in chain.ChainElements) yield return element.Certificate;
    }

    private bool IsOwn(X509Certificate2 certificate)
    {
        var raw = certificate.RawData;
        return _authorities.Any(authority => authority.RawData.AsSpan().SequenceEqual(raw));
    }

    /// <summary>A chain's faults in words, the gravest first; at least one.</summary>
    private IReadOnlyList<TlsRejection> Explain(string host, X509Certificate2 certificate, X509Chain? chain)
    {
        var flags = X509ChainStatusFlags.NoError;
        foreach (var status in chain?.ChainStatus ?? []) flags |= status.Status;
        var found = new List<TlsRejection>();
        if (flags == X509ChainStatusFlags.NoError || (flags & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain)) != 0)
        {
            var top = chain is { ChainElements.Count: > 0 } ? chain.ChainElements[chain.ChainElements.Count - 1].Certificate : certificate;
            if (!IsOwn(top)) found.Add(Untrusted(host, certificate, top));
        }

        if ((flags & X509ChainStatusFlags.NotTimeValid) != 0)
        {
            var late = chain!.ChainElements.Cast<X509ChainElement>().FirstOrDefault(element => element.ChainElementStatus.Any(status => (status.Status & X509ChainStatusFlags.NotTimeValid) != 0))?.Certificate ?? certificate;
            var own = late.RawData.AsSpan().SequenceEqual(certificate.RawData);
            found.Add(new TlsRejection(
                TlsFailure.Expired,
                own ? $"The certificate of {host} {Validity(late)}." : $"The certificate of {host} hangs on that of {Shown.Short(late.Subject)}, which {Validity(late)}.",
                "Renew it on the server. If it is valid, this machine's clock is wrong."));
        }

        var rest = flags & ~(X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.NotTimeValid | X509ChainStatusFlags.RevocationStatusUnknown | X509ChainStatusFlags.OfflineRevocation);
        if (rest != X509ChainStatusFlags.NoError || found.Count == 0)
        {
            var why = (rest & X509ChainStatusFlags.NotValidForUsage) != 0 ? "it, or an authority that it hangs on, is not made out for servers"
                : (rest & X509ChainStatusFlags.NotSignatureValid) != 0 ? "a signature in it, or in one that it hangs on, is not right"
                : (rest & X509ChainStatusFlags.Revoked) != 0 ? "it is revoked"
                : (rest & X509ChainStatusFlags.InvalidBasicConstraints) != 0 ? "one that it hangs on is not an authority's"
                : rest == X509ChainStatusFlags.NoError ? "no chain to an authority could be built" : rest.ToString();
            found.Add(new TlsRejection(TlsFailure.BadCertificate, $"The certificate of {host} is not accepted: {why}.", "It must be made anew for that server."));
        }

        return found;
    }

    private TlsRejection Untrusted(string host, X509Certificate2 certificate, X509Certificate2 top)
    {
        // By the last one that was found of its chain: that one's issuer is what is missing.
        var selfSigned = IsSelfIssued(certificate);
        var why = selfSigned ? $"it is self-signed ({Shown.Short(certificate.Subject)}), and not one that is trusted here"
            : IsSelfIssued(top) ? $"its issuer, {Shown.Short(top.Subject)}, is not among the authorities that are trusted here"
            : $"its issuer, {Shown.Short(top.Issuer)}, is not known here";
        var unread = _unread.Count > 0 ? $" Not used, since it could not be read: {string.Join(", ", _unread)}." : string.Empty;

        // The directory goes by the registry's name and port; what else the registry needs (its token service) is trusted by the same directory.
        return new TlsRejection(
            TlsFailure.UntrustedIssuer,
            $"The certificate of {host} is not trusted: {why}.{unread}",
            $"Give {(selfSigned ? "that certificate" : "its authority's certificate")} with -CertificateAuthority ca.pem, or put it in /etc/docker/certs.d/{_registry}/ca.crt.");
    }

    private static bool IsSelfIssued(X509Certificate2 certificate) => certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData);

    private static string Validity(X509Certificate2 certificate)
    {
        static string Day(DateTime time) => time.ToUniversalTime().ToString("u", CultureInfo.InvariantCulture);

        return DateTime.Now > certificate.NotAfter ? $"expired on {Day(certificate.NotAfter)}"
            : DateTime.Now < certificate.NotBefore ? $"is valid only from {Day(certificate.NotBefore)} on"
            : $"is valid from {Day(certificate.NotBefore)} to {Day(certificate.NotAfter)}, which is not within its authority's time";
    }

    /// <summary>The names that a certificate is made out to, as they may be shown.</summary>
    private static string Names(X509Certificate2 certificate)
    {
        var names = new List<string>();
        foreach (var extension in certificate.Extensions)
        {
            if (extension.Oid?.Value != "2.5.29.17") continue;
            try
            {
#if NET
                var alternatives = new X509SubjectAlternativeNameExtension(extension.RawData);
                names.AddRange(alternatives.EnumerateDnsNames());
                names.AddRange(alternatives.EnumerateIPAddresses().Select(address => address.ToString()));
#else
                names.Add(extension.Format(false));
#endif
            }
            catch (CryptographicException)
            {
                // A list of names that can't be read names nobody.
            }
        }

        return names.Count > 0 ? Shown.Short(string.Join(", ", names), 300) : Shown.Short(certificate.Subject, 300);
    }
}
