using System.Text;
using RegistryTools.Authentication;
using RegistryTools.Errors;
using RegistryTools.GarbageCollection;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Storage;
using RegistryTools.Transport;

namespace RegistryTools.Fuzz;

/// <summary>Every parser of what comes from outside, with what must hold of what it makes of it.</summary>
public static class FuzzTargets
{
    private const string Hex = "25a10c94b843b253ec59d9382d4786777bd14a5628f7575d456e15cfcbab0548";
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    private static readonly RegistryAddress[] Addresses = [RegistryAddress.Parse("registry.example.com"), RegistryAddress.Parse("docker.io"), RegistryAddress.Parse("localhost:5000")];

    private static readonly string[] Json =
    [
        "{", "}", "[", "]", ":", ",", "\"", "null", "true", "false", "{}", "[]", "\\", "\\u0000", "\\ud800", "\\\"", "[[[[[[[[[[[[[[[[", "{\"a\":", "/**/", "//", "1e308", "-0", "NaN", " ", "\n",
    ];

    private static readonly string[] Manifests =
    [
        $$$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:{{{Hex}}}","size":581},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:{{{Hex}}}","size":138}],"annotations":{"a":"b"}}""",
        $$$"""{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":7023,"digest":"sha256:{{{Hex}}}"},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","size":32654,"digest":"sha256:{{{Hex}}}","urls":["https://example.com/x"]}]}""",
        $$$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/spdx+json","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:{{{Hex}}}","size":2,"data":"e30="},"layers":[],"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:{{{Hex}}}","size":400}}""",
        $$$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:{{{Hex}}}","size":401,"platform":{"architecture":"arm64","os":"linux","variant":"v8","os.version":"10.0.1","os.features":["win32k"]}},{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha512:{{{Hex}}}{{{Hex}}}","size":9}]}""",
        $$$"""{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json","manifests":[{"mediaType":"application/vnd.docker.distribution.manifest.v2+json","size":7143,"digest":"sha256:{{{Hex}}}","platform":{"architecture":"ppc64le","os":"linux"}}]}""",
        $$$"""{"schemaVersion":1,"name":"library/a","tag":"latest","architecture":"amd64","fsLayers":[{"blobSum":"sha256:{{{Hex}}}"}],"history":[{"v1Compatibility":"{\"id\":\"x\",\"created\":\"2015-01-01T00:00:00Z\"}"}],"signatures":[{"header":{"jwk":{"crv":"P-256"},"alg":"ES256"},"signature":"a","protected":"eyJmb3JtYXRMZW5ndGgiOjIwMCwiZm9ybWF0VGFpbCI6IkNuMCIsInRpbWUiOiIyMDE1In0"}]}""",
    ];

    private static readonly string[] ManifestWords =
    [
        .. Json, "\"schemaVersion\":2", "\"schemaVersion\":1", "\"mediaType\":", "\"config\":{", "\"layers\":[", "\"manifests\":[", "\"subject\":{", "\"digest\":", $"\"sha256:{Hex}\"", "\"size\":", "\"Digest\":", "\"LAYERS\":", "\"layer\u017f\":",
        "\"platform\":{", "\"data\":\"e30=\"", "\"blobs\":[", "\"fsLayers\":[", "\"blobSum\":", "\"signatures\":[", "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v1+prettyjws",
    ];

    /// <summary>All of them.</summary>
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new(
            "challenge",
            [
                "Bearer realm=\"https://auth.example.com/token\",service=\"registry.example.com\",scope=\"repository:a/b:pull,push\",error=\"insufficient_scope\"", "Basic realm=\"Registry Realm\"", "Negotiate, NTLM TlRMTVNTUAAB, Basic realm=x",
                "Bearer realm=https://a/token , service = b, Basic realm=\"a \\\"b\\\" c\"",
            ],
            ["Bearer", "Basic", "Negotiate", "Digest", " ", ",", "=", "\"", "\\\"", "\\", "realm", "realm=\"", "service=\"", "scope=\"", "error=", ";", "\t", "==", "a=b", ",,,", "repository:a:pull", "token68=="],
            input =>
            {
                var challenges = AuthenticationChallenge.Parse([Header(input)]);
                foreach (var challenge in challenges)
                {
                    Require(challenge.Scheme.Length > 0 && !challenge.Scheme.Any(c => c is ' ' or ',' or '=' or '"'), "a scheme is a token");
                    Require(challenge.Parameters.Keys.All(key => key.Length > 0), "a parameter has a name");
                }

                return string.Join(';', challenges.Select(challenge => (challenge.Is("Bearer") ? "B" : challenge.Is("Basic") ? "b" : "o") + string.Join(',', challenge.Parameters.Select(pair => (pair.Key.Length < 9 ? pair.Key.Length : 9) + ":" + Math.Min(pair.Value.Length, 9)).Take(8))).Take(8));
            }),
        new(
            "reference",
            ["i1:T12", "registry.example.com:5000/team/app:v1.2", $"localhost/app@sha256:{Hex}", $"a/b/c:tag@sha256:{Hex}", "I1", "[::1]:5000/a:b", "docker.io/library/x"],
            [":", "/", "@", ".", "-", "_", "__", "//", "sha256:", $"@sha256:{Hex}", "localhost", "[::1]", ":5000", ":99999", "..", "%2e", "A", "é", " ", "\\", "http://", "?", "#"],
            input =>
            {
                var reference = ImageReference.Parse(Text(input));
                Require(RepositoryName.IsValid(reference.Repository), "the repository is a name that registries take");
                Require(reference.Repository.Split('/').All(part => part is not ("." or "..")), "nothing leads out of the repository");
                Require(reference.Tag is null || reference.Tag.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-'), "a tag has nothing that a path could take for something else");
                var again = ImageReference.Parse(reference.ToString()!);
                Require(again.Repository == reference.Repository && again.Tag == reference.Tag && Equals(again.Digest, reference.Digest) && again.Registry == reference.Registry, $"'{reference}' reads as it was meant");
                return $"{reference.Registry is null}{reference.Repository.Count(c => c == '/')}{reference.Tag is null}{reference.Digest is null}{reference.RepositoryWasLowered}";
            }),
        new(
            "address",
            ["registry.example.com", "https://host/prefix", "http://localhost:5000", "[::1]:5000", "127.0.0.1", "host:443/a/b"],
            [":", "/", "@", ".", "-", "http://", "https://", "[::1]", "[", "]", ":0", ":65536", "%", "user:pass@", "?", "#", "é", "xn--", " ", "\\", ".."],
            input =>
            {
                var address = RegistryAddress.Parse(Text(input));
                var uri = address.ToUri(address.Scheme ?? "https");
                Require(uri.UserInfo.Length == 0 && uri.Query.Length == 0 && uri.Fragment.Length == 0, "an address has no user, query or fragment");
                Require(RegistryAddress.Parse(address.ToString()).Equals(address), $"'{address}' reads as it was meant");
                return $"{address.Scheme}{address.Port is null}{address.Prefix.Count(c => c == '/')}{address.IsLoopback}{uri.HostNameType}";
            }),
        new(
            "digest",
            [$"sha256:{Hex}", $"sha512:{Hex}{Hex}", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256+b64:aaaa"],
            [":", "sha256:", "sha512:", "+", ".", "_", "-", Hex, "A", "/", "..", "g"],
            input =>
            {
                var text = Text(input);
                if (!Digest.TryParse(text, out var digest)) return "no";
                Require(digest.ToString() == text, "a digest is what it was read from");
                Require(text.IndexOfAny(['/', '\\', '\0']) < 0, "a digest is no path");
                return digest.Algorithm + digest.CanVerify;
            }),
        new(
            "link",
            ["</v2/_catalog?last=b&n=100>; rel=\"next\"", "<https://host/v2/a/tags/list?last=z>; rel=next, </x>; rel=\"prev\"", "</a,b>;title=\"a,b\";rel=\"first next\""],
            ["<", ">", ";", ",", "rel=", "rel=\"next\"", "next", "\"", "\\\"", "\\", " ", "=", "rel*=", "REL", "/v2/", "?last=", "http://evil/", "title=\""],
            input =>
            {
                var next = LinkHeader.FindNext([Header(input)]);
                Require(next is null || (next.Length > 0 && !next.Contains('>')), "a target is what stands between the brackets");
                return next is null ? "none" : next.Length.ToString(System.Globalization.CultureInfo.InvariantCulture);
            }),
        new(
            "retry-after",
            ["120", "Fri, 31 Dec 2027 23:59:59 GMT", "Friday, 31-Dec-27 23:59:59 GMT", "Fri Dec 31 23:59:59 2027", "0", "-5", "1.5"],
            ["0", "9", "99999999999999999999", "-", "+", ".", " ", "GMT", "Mon", "Dec", ":", "Fri, ", "2026", "1e9", "٣", "UTC+25", "0001", "9999"],
            input =>
            {
                var wait = RetryAfter.Parse(Header(input), Now);
                Require(wait is null || (wait >= TimeSpan.Zero && wait <= TimeSpan.FromDays(365)), $"a wait of {wait} is within a year");
                return wait is null ? "none" : Math.Round(Math.Log(wait.Value.TotalSeconds + 1)).ToString(System.Globalization.CultureInfo.InvariantCulture);
            }),
        new(
            "rate-limit",
            ["100;w=21600", "97", "\"default\";r=50;t=30", "\"burst\";q=100;w=60, \"daily\";q=1000;w=86400", "1700000000"],
            [";", "w=", "r=", "t=", "q=", "\"", ",", "-1", "99999999999999999999", " ", "=", "0"],
            input =>
            {
                var text = Header(input);
                var limit = RateLimit.Parse(_ => text, Now) ?? RateLimit.Parse(name => name.EndsWith("imit", StringComparison.OrdinalIgnoreCase) ? text : null, Now);
                return limit is null ? "none" : $"{limit.Limit is null}{limit.Remaining is null}{limit.Window is null}{limit.Reset is null}" + limit.ToString().Length;
            }),
        new("manifest", Manifests, ManifestWords, input => Read(input, null)),
        new(
            "index",
            [.. Manifests[3..5]],
            ManifestWords,
            input => Read(input, MediaTypes.OciIndex)),
        new(
            "needs",
            Manifests,
            ManifestWords,
            input =>
            {
                var found = ManifestReferences.Parse(input, new DigestTable());

                // What the strict parser sees of a manifest, the collector must see too: what it misses would be collected.
                Manifest? manifest = null;
                try
                {
                    manifest = Manifest.Parse(input, null);
                }
                catch (RegistryToolsException)
                {
                    // What is refused there may be read here: keeping more is no harm.
                }

                if (manifest is not null && manifest.Kind is ManifestKind.Image or ManifestKind.Index && !found.IsUnknown)
                {
                    var digests = new DigestTable();
                    var again = ManifestReferences.Parse(input, digests);
                    var keys = again.Blobs.Concat(again.Manifests).Concat(again.Others).Select(reference => reference.Key).ToHashSet();
                    foreach (var needed in manifest.Layers.Concat(manifest.Manifests).Concat(manifest.Config is null ? [] : [manifest.Config])) Require(keys.Contains(digests.Key(needed.Digest)), $"{needed.Digest} is needed, and is not kept");
                }

                return $"{found.IsIndex}{found.IsSchema1}{found.IsUnknown}{Math.Min(found.Blobs.Length, 9)}{Math.Min(found.Manifests.Length, 9)}{Math.Min(found.Others.Length, 9)}{found.Subject is null}{manifest?.Kind}";
            }),
        new(
            "image-config",
            ["""{"created":"2024-05-06T07:08:09.123456789Z","author":"a","architecture":"amd64","os":"linux","config":{"Env":["A=b"],"Entrypoint":["/e"],"Cmd":null,"Labels":{"l":"v"},"ExposedPorts":{"80/tcp":{}}},"rootfs":{"type":"layers","diff_ids":["sha256:x"]},"history":[{"created":"2024-05-06T07:08:09Z","created_by":"COPY","empty_layer":true}]}"""],
            [.. Json, "\"created\":", "\"0001-01-01T00:00:00Z\"", "\"config\":", "\"Labels\":", "\"history\":[", "\"9999-12-31T23:59:60Z\"", "+99:99"],
            input =>
            {
                var config = ImageConfig.Parse(input, Digest.Compute(input));
                return (config.Created is null) + ":" + Math.Min(config.History.Count, 9);
            }),
        new(
            "docker-config",
            [
                """{"auths":{"https://index.docker.io/v1/":{"auth":"dXNlcjpzM2NyM3QtMDgxNQ=="},"registry.example.com":{"username":"u","password":"s3cr3t-0815","identitytoken":"s3cr3t-0815"},"localhost:5000/ns":{"registrytoken":"s3cr3t-0815"}},"credHelpers":{"ghcr.io":"secretservice"},"credsStore":"desktop","HttpHeaders":{"a":"b"}}""",
                """{"auths":{"registry.example.com":{"auth":"dXNlcjpzM2NyM3QtMDgxNQ=="}}}""",
            ],
            [.. Json, "\"auths\":{", "\"auth\":\"dXNlcjpzM2NyM3QtMDgxNQ==\"", "\"credsStore\":", "\"credHelpers\":{", "\"registry.example.com\":", "\"username\":", "\"password\":\"s3cr3t-0815\"", "\"identitytoken\":", "\"registrytoken\":", "s3cr3t-0815", "=", "https://"],
            input =>
            {
                try
                {
                    var file = DockerConfigFile.Parse(input, "config.json");
                    var outcome = new StringBuilder();
                    foreach (var address in Addresses)
                    {
                        var found = file.Find(address);
                        var namespaced = file.FindNamespaced(address, "ns/repo");
                        Require(found is null || !found.ToString()!.Contains("s3cr3t", StringComparison.Ordinal), "a credential shows no secret");
                        outcome.Append(found is null ? '0' : found.IdentityToken is null ? '1' : '2').Append(namespaced is null ? '0' : '1').Append(file.HelperFor(address, podman: false)?.Property).Append(file.Namespaces(address).Count());
                    }

                    return outcome.ToString();
                }
                catch (CredentialException exception)
                {
                    Require(!exception.ToString().Contains("s3cr3t", StringComparison.Ordinal) || Quotes(input, exception), $"an error shows no secret: {exception.Message}");
                    throw;
                }
            }),
        new(
            "token",
            [
                """{"token":"eyJhbGciOiJSUzI1NiJ9.e30.c2ln","access_token":"eyJhbGciOiJSUzI1NiJ9.e30.c2ln","expires_in":300,"issued_at":"2026-11-23T11:59:00Z"}""",
                """{"access_token":"abc","scope":"repository:a:pull","expires_in":60,"issued_at":"2026-11-23T11:59:00.123456789+01:00","refresh_token":"kas9Da81Dfa8"}""",
            ],
            [.. Json, "\"token\":", "\"access_token\":", "\"expires_in\":", "\"issued_at\":", "\"refresh_token\":", "0", "-1", "9223372036854775807", "1e9", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "+14:00", "\\r\\nX: y"],
            input =>
            {
                try
                {
                    var answer = TokenAnswer.Read(input, Now);
                    if (answer is null) return "none";
                    Require(answer.Value.All(c => c is >= '!' and <= '~'), "a token may stand in a header");
                    Require(answer.Lifetime >= TimeSpan.Zero && answer.Lifetime <= TimeSpan.FromDays(365), $"a lifetime of {answer.Lifetime} is within a year");
                    return $"{answer.Value.Length < 9}{answer.RefreshToken is null}{Math.Round(Math.Log(answer.Lifetime.TotalSeconds + 1))}";
                }
                catch (System.Text.Json.JsonException)
                {
                    return "no JSON";
                }
            }),
        new(
            "journal",
            [
                $$"""
                {"kind":"run","run":"20261123-1","registry":"http://localhost:5000","time":"2026-11-23T12:00:00Z"}
                {"kind":"manifest","digest":"sha256:{{Hex}}","data":"e30="}
                {"kind":"intent","repository":"i1","tag":"T12","digest":"sha256:{{Hex}}","mediaType":"a/b","method":"Placeholder","placeholder":"sha256:{{Hex}}","time":"2026-11-23T12:00:00Z"}
                {"kind":"outcome","repository":"i1","tag":"T12","digest":"sha256:{{Hex}}","state":"Removed","time":"2026-11-23T12:00:01Z"}
                """,
            ],
            [.. Json, "\"kind\":\"run\"", "\"kind\":\"intent\"", "\"kind\":\"outcome\"", "\"run\":", "\"registry\":", "\"repository\":", "\"tag\":", "\"digest\":", "\"state\":", "\"method\":", "Removed", "TagApi", "99", "Pending,Removed", $"\"sha256:{Hex}\""],
            input =>
            {
                var entries = Journal.RemovalJournal.Read("run.jsonl", Text(input).Split('\n'));
                Require(entries.All(entry => Enum.IsDefined(entry.State) && Enum.IsDefined(entry.Method)), "a state is one that there is");
                Require(entries.Select(entry => (entry.Repository, entry.Tag, entry.Digest.ToString())).Distinct().Count() == entries.Count, "a removal is there once");
                return string.Join(',', entries.Take(8).Select(entry => $"{entry.State}{entry.Method}{entry.Placeholder is null}{entry.Tag is null}"));
            }),
        new(
            "storage-link",
            [$"sha256:{Hex}", $"sha512:{Hex}{Hex}\n", " sha256:" + Hex + "\r\n"],
            [":", "sha256:", "sha512:", Hex, "\n", "\r", " ", "\t", "\0", "/", "..", "A", "md5:"],
            input =>
            {
                var digests = new DigestTable();
                if (!StorageFile.TryLink(input, digests, out var key)) return "no";
                var path = digests.BlobPath(key);
                Require(!path.Contains("..", StringComparison.Ordinal) && !path.Contains('\\') && !path.Contains('\0') && !path.StartsWith('/'), $"'{path}' does not lead out of the storage");
                Require(Text(input).Trim(' ', '\t', '\r', '\n') == digests.Segments(key).Replace('/', ':'), "a link is what it was read from");
                return path.Split('/')[0];
            }),
        new(
            "error-body",
            ["""{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"repository","Name":"a","Action":"pull"}]}]}""", "<html><body>502</body></html>", """{"message":"x"}"""],
            [.. Json, "\"errors\":[", "\"code\":", "\"message\":", "\"detail\":"],
            input =>
            {
                var errors = RegistryErrors.Parse(input);
                Require(errors.Count <= 32 && errors.All(error => error.Code.Length <= 101 && !error.Message.Any(c => c is '\u001B' or '\0' or '\n')), "what a registry says is short and harmless to show");
                return errors.Count + string.Join(',', errors.Select(error => Math.Min(error.Code.Length, 5)).Take(4));
            }),
        new(
            "list",
            ["""{"name":"a","tags":["v1","v2",null,3]}""", """{"name":"a","tags":null}""", """{"tags":[]}"""],
            [.. Json, "\"tags\":[", "\"name\":", "\"v1\"", "\"repositories\":["],
            input =>
            {
                var page = ListPage.Read(input, "tags");
                Require(page is null || page.All(tag => tag.Length > 0), "an entry is a name");
                return page is null ? "none" : Math.Min(page.Count, 20).ToString(System.Globalization.CultureInfo.InvariantCulture);
            }),
    ];

    private static string Read(byte[] input, string? mediaType)
    {
        var manifest = Manifest.Parse(input, mediaType);
        Require(manifest.Raw.Span.SequenceEqual(input), "the bytes are kept as they came");
        foreach (var descriptor in manifest.Layers.Concat(manifest.Manifests).Append(manifest.Config ?? manifest.ToDescriptor())) Require(descriptor.Digest.ToString().IndexOfAny(['/', '\\']) < 0, "a digest is no path");
        return $"{manifest.Kind}{manifest.MediaType.Length}{Math.Min(manifest.Layers.Count, 9)}{Math.Min(manifest.Manifests.Count, 9)}{manifest.Config is null}{manifest.Subject is null}{manifest.ArtifactType is null}{Math.Min(manifest.Annotations.Count, 9)}";
    }

    private static void Require(bool holds, string what)
    {
        if (!holds) throw new BrokenPromiseException("Not so: " + what);
    }

    // Names of keys are shown, and an input may well have put the secret into one.
    private static bool Quotes(byte[] input, CredentialException exception) => exception.Message.Contains("auths '", StringComparison.Ordinal) || exception.Message.Contains("credHelpers '", StringComparison.Ordinal) || input.Length == 0;

    private static string Text(byte[] input) => Encoding.UTF8.GetString(input);

    // A header's value comes as a character a byte.
    private static string Header(byte[] input) => Encoding.Latin1.GetString(input);
}
