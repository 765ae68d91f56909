using System.Text;
using System.Text.Json;
using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.References;
using Xunit;

namespace RegistryTools.Tests.Manifests;

public sealed class ManifestTests
{
    private static readonly string One = Digest.Compute(Encoding.UTF8.GetBytes("one")).ToString();
    private static readonly string Two = Digest.Compute(Encoding.UTF8.GetBytes("two")).ToString();

    private static readonly string DockerImage = $$"""
        {"schemaVersion":2,"mediaType":"{{MediaTypes.DockerManifest}}","config":{"mediaType":"{{MediaTypes.DockerConfig}}","size":10,"digest":"{{One}}"},
         "layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":100,"digest":"{{Two}}"},{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":100,"digest":"{{Two}}"},
                   {"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","size":7,"digest":"{{One}}","urls":["https://elsewhere/x"]}]}
        """;

    private static readonly string OciImage = $$"""
        {"schemaVersion":2,"config":{"mediaType":"{{MediaTypes.OciConfig}}","size":10,"digest":"{{One}}"},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","size":5,"digest":"{{Two}}"}],"annotations":{"a":"b","n":null} }
        """;

    private static readonly string Index = $$"""
        {"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[
          {"mediaType":"{{MediaTypes.OciManifest}}","size":10,"digest":"{{One}}","platform":{"os":"linux","architecture":"arm64","variant":"v8"} },
          {"mediaType":"{{MediaTypes.OciManifest}}","size":11,"digest":"{{Two}}","platform":{"os":"unknown","architecture":"unknown"},"annotations":{"vnd.docker.reference.type":"attestation-manifest"} }]}
        """;

    private static readonly string Artifact = $$"""
        {"mediaType":"{{MediaTypes.OciArtifactManifest}}","artifactType":"application/x.sbom","blobs":[{"mediaType":"text/spdx","size":3,"digest":"{{One}}"}],"subject":{"mediaType":"{{MediaTypes.OciManifest}}","size":5,"digest":"{{Two}}"} }
        """;

    private static readonly string Schema1 = $$"""
        {"schemaVersion":1,"name":"a","tag":"b","architecture":"amd64","fsLayers":[{"blobSum":"{{One}}"},{"blobSum":"{{Two}}"}],"history":[]}
        """;

    [Fact]
    public void A_docker_image_is_read()
    {
        var manifest = Parse(DockerImage, MediaTypes.DockerManifest + "; charset=utf-8");
        Assert.Equal((ManifestKind.Image, MediaTypes.DockerManifest, 2), (manifest.Kind, manifest.MediaType, manifest.SchemaVersion));
        Assert.Equal(Digest.Compute(Encoding.UTF8.GetBytes(DockerImage)), manifest.Digest);
        Assert.Equal(One, manifest.Config!.Digest.ToString());
        Assert.Equal([false, false, true], manifest.Layers.Select(layer => layer.IsForeign));
        Assert.Equal(["https://elsewhere/x"], manifest.Layers[2].Urls);
        Assert.Equal(110, manifest.ContentSize);
        Assert.Equal(4, manifest.Blobs().Count());
        Assert.Null(manifest.ArtifactType);
        Assert.Equal(DockerImage, Encoding.UTF8.GetString(manifest.Raw.Span));
        Assert.Equal((MediaTypes.DockerManifest, manifest.Digest, (long)DockerImage.Length), (manifest.ToDescriptor().MediaType, manifest.ToDescriptor().Digest, manifest.ToDescriptor().Size));
    }

    [Theory]
    [InlineData(MediaTypes.OciManifest)]
    [InlineData("application/json")]
    [InlineData("text/plain; charset=utf-8")]
    [InlineData(null)]
    [InlineData("")]
    public void An_OCI_image_is_known_by_its_shape(string? served)
    {
        var manifest = Parse(OciImage, served);
        Assert.Equal((ManifestKind.Image, MediaTypes.OciManifest, 15L), (manifest.Kind, manifest.MediaType, manifest.ContentSize));
        Assert.Equal(("b", ""), (manifest.Annotations["a"], manifest.Annotations["n"]));
    }

    [Fact]
    public void An_index_is_read_in_both_its_names()
    {
        var manifest = Parse(Index, MediaTypes.OciIndex);
        Assert.Equal((ManifestKind.Index, null), (manifest.Kind, manifest.ContentSize));
        Assert.Equal(new Platform("linux", "arm64", "v8"), manifest.Manifests[0].Platform);
        Assert.True(manifest.Manifests[1].Platform!.IsUnknown);
        Assert.Equal("attestation-manifest", manifest.Manifests[1].Annotations["vnd.docker.reference.type"]);
        var list = Parse(Index.Replace(MediaTypes.OciIndex, MediaTypes.DockerManifestList), "application/json");
        Assert.Equal((ManifestKind.Index, MediaTypes.DockerManifestList), (list.Kind, list.MediaType));
    }

    [Fact]
    public void An_index_whose_list_is_null_is_empty()
    {
        var manifest = Parse($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":null}""", MediaTypes.OciIndex);
        Assert.Equal(ManifestKind.Index, manifest.Kind);
        Assert.Empty(manifest.Manifests);
        Assert.Throws<ManifestFormatException>(() => Parse($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}"}""", MediaTypes.OciIndex));
    }

    [Fact]
    public void An_artifact_manifest_tells_its_subject()
    {
        foreach (var served in new[] { MediaTypes.OciArtifactManifest, "application/json" })
        {
            var manifest = Parse(Artifact, served);
            Assert.Equal((ManifestKind.Image, "application/x.sbom", Two, 0), (manifest.Kind, manifest.ArtifactType, manifest.Subject!.Digest.ToString(), manifest.SchemaVersion));
            Assert.Null(manifest.Config);
            Assert.Equal(One, Assert.Single(manifest.Layers).Digest.ToString());
            Assert.Equal("application/x.sbom", manifest.ToDescriptor().ArtifactType);
        }
    }

    [Fact]
    public void The_config_of_an_artifact_names_it()
    {
        Assert.Equal("application/x.helm", Parse(OciImage.Replace(MediaTypes.OciConfig, "application/x.helm"), MediaTypes.OciManifest).ArtifactType);
        Assert.Null(Parse(OciImage, MediaTypes.OciManifest).ArtifactType);
    }

    [Fact]
    public void Schema_1_is_recognised_and_its_layers_are_put_in_order()
    {
        foreach (var served in new[] { MediaTypes.DockerSchema1, null })
        {
            var manifest = Parse(Schema1, served);
            Assert.Equal((ManifestKind.Schema1, MediaTypes.DockerSchema1, 1), (manifest.Kind, manifest.MediaType, manifest.SchemaVersion));
            Assert.Equal([Two, One], manifest.Layers.Select(layer => layer.Digest.ToString()));
            Assert.Null(manifest.ContentSize);
        }
    }

    [Fact]
    public void The_digest_of_signed_schema_1_is_of_what_was_signed()
    {
        var payload = Encoding.UTF8.GetBytes(Schema1);
        var signed = Sign(Schema1);
        var manifest = Manifest.Parse(signed, MediaTypes.DockerSchema1Signed, Digest.Compute(payload));
        Assert.Equal((ManifestKind.Schema1, Digest.Compute(payload)), (manifest.Kind, manifest.Digest));
        Assert.Equal(signed, manifest.Raw.ToArray());
        Assert.Equal(Digest.Compute(payload), Manifest.Parse(signed, "application/json", Digest.Compute(payload)).Digest);

        // Where the registry names it by its bytes as they are, that is as good.
        Assert.Equal(Digest.Compute(signed), Manifest.Parse(signed, MediaTypes.DockerSchema1Signed, Digest.Compute(signed)).Digest);
    }

    [Fact]
    public void What_is_read_out_of_signed_schema_1_is_what_was_signed()
    {
        // The digest covers what the protected header regains. What is put in beside it must not be believed.
        var evil = Digest.Compute(Encoding.UTF8.GetBytes("evil")).ToString();
        var signed = Encoding.UTF8.GetString(Sign(Schema1)).Replace(",\"signatures\"", $",\"fsLayers\":[{{\"blobSum\":\"{evil}\"}}],\"signatures\"");
        var manifest = Manifest.Parse(Encoding.UTF8.GetBytes(signed), MediaTypes.DockerSchema1Signed, Digest.Compute(Encoding.UTF8.GetBytes(Schema1)));
        Assert.Equal([Two, One], manifest.Layers.Select(layer => layer.Digest.ToString()));
    }

    [Theory]
    [InlineData("{\"signatures\":[{\"protected\":\"!!!\"}],\"schemaVersion\":1,\"fsLayers\":[]}")]
    [InlineData("{\"signatures\":[{}],\"schemaVersion\":1,\"fsLayers\":[]}")]
    [InlineData("{\"signatures\":[{\"protected\":\"e30\"}],\"schemaVersion\":1,\"fsLayers\":[]}")]
    [InlineData("{\"signatures\":[{\"protected\":\"eyJmb3JtYXRMZW5ndGgiOjk5OTk5OTk5OTl9\"}],\"schemaVersion\":1,\"fsLayers\":[]}")]
    public void Signatures_that_make_no_sense_leave_the_bytes_as_they_are(string json)
    {
        var manifest = Parse(json, MediaTypes.DockerSchema1Signed);
        Assert.Equal(Digest.Compute(Encoding.UTF8.GetBytes(json)), manifest.Digest);
    }

    [Fact]
    public void An_unknown_media_type_is_carried_raw()
    {
        var manifest = Parse("not even JSON", "application/vnd.example.thing.v1");
        Assert.Equal((ManifestKind.Unknown, "application/vnd.example.thing.v1"), (manifest.Kind, manifest.MediaType));
        Assert.Equal((ManifestKind.Unknown, "application/vnd.example.thing.v1"), (Parse("{\"mediaType\":\"application/vnd.example.thing.v1\"}", "application/json").Kind, Parse("{\"mediaType\":\"application/vnd.example.thing.v1\"}", null).MediaType));
        Assert.Equal(ManifestKind.Unknown, Parse("{\"a\":1}", null).Kind);
    }

    [Fact]
    public void A_digest_that_does_not_match_is_told_with_both()
    {
        var expected = Digest.Random();
        var error = Assert.Throws<DigestMismatchException>(() => Manifest.Parse(Encoding.UTF8.GetBytes(OciImage), MediaTypes.OciManifest, expected));
        Assert.Equal((expected.ToString(), Digest.Compute(Encoding.UTF8.GetBytes(OciImage)).ToString()), (error.Expected, error.Actual));
        var other = Digest.Compute(Digest.Sha512, Encoding.UTF8.GetBytes(OciImage));
        Assert.Equal(other, Manifest.Parse(Encoding.UTF8.GetBytes(OciImage), MediaTypes.OciManifest, other).Digest);
    }

    [Fact]
    public void What_is_two_kinds_at_once_is_refused()
    {
        var both = OciImage.TrimEnd().TrimEnd('}') + $",\"manifests\":[]}}";
        foreach (var served in new[] { MediaTypes.OciManifest, MediaTypes.OciIndex, MediaTypes.DockerManifest, "application/json", null })
        {
            Assert.Contains("at once", Assert.Throws<ManifestFormatException>(() => Parse(both, served)).Message);
        }

        Assert.Throws<ManifestFormatException>(() => Parse(Index, MediaTypes.OciManifest));
        Assert.Throws<ManifestFormatException>(() => Parse(DockerImage, MediaTypes.DockerManifestList));
        Assert.Throws<ManifestFormatException>(() => Parse(Schema1.TrimEnd().TrimEnd('}') + ",\"manifests\":[]}", MediaTypes.OciIndex));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("{\"config\":3}")]
    [InlineData("{\"config\":{}}")]
    [InlineData("{\"config\":{\"digest\":\"x\"}}")]
    [InlineData("{\"config\":{\"digest\":3}}")]
    [InlineData("{\"mediaType\":3}")]
    [InlineData("{\"schemaVersion\":\"2\"}")]
    [InlineData("{\"schemaVersion\":1e400}")]
    [InlineData("{\"\\ud800\":1}")]
    [InlineData("{\"\\ud800\":1,\"mediaType\":\"a\"}")]
    public void Garbage_is_one_clear_error(string json) => Assert.Throws<ManifestFormatException>(() => Parse(json, MediaTypes.OciManifest));

    [Fact]
    public void Sizes_that_no_content_has_do_not_overflow()
    {
        var json = OciImage.Replace("\"size\":10", $"\"size\":{long.MaxValue}");
        Assert.Null(Parse(json, MediaTypes.OciManifest).ContentSize);
        Assert.Throws<ManifestFormatException>(() => Parse(OciImage.Replace("\"size\":10", "\"size\":-10"), MediaTypes.OciManifest));
        Assert.Null(Parse(OciImage.Replace("\"size\":10,", ""), MediaTypes.OciManifest).ContentSize);
    }

    [Fact]
    public void Nothing_but_its_own_errors_leaves_the_reader_whatever_it_is_given()
    {
        var random = new Random(12345);
        var samples = new[] { DockerImage, OciImage, Index, Artifact, Schema1, Encoding.UTF8.GetString(Sign(Schema1)), Config }.Select(Encoding.UTF8.GetBytes).ToArray();
        string?[] types = [MediaTypes.OciManifest, MediaTypes.OciIndex, MediaTypes.DockerSchema1Signed, MediaTypes.OciArtifactManifest, "application/json", null];
        string[] pieces = ["null", "{}", "[]", "\"\\ud800\"", "1e999", "-1", "\"x\"", "\u00ff", "true", "[[[", "\\", "9223372036854775807"];
        for (var i = 0; i < 20000; i++)
        {
            var bytes = (byte[])samples[random.Next(samples.Length)].Clone();
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                var at = random.Next(bytes.Length);
                switch (random.Next(4))
                {
                    case 0:
                        bytes[at] = (byte)random.Next(256);
                        break;
                    case 1:
                        bytes = [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + random.Next(20))..]];
                        break;
                    case 2:
                        bytes = [.. bytes[..at], .. Encoding.UTF8.GetBytes(pieces[random.Next(pieces.Length)]), .. bytes[at..]];
                        break;
                    default:
                        // A whole value goes.
                        var colon = Array.IndexOf(bytes, (byte)':', at);
                        if (colon < 0) break;
                        var end = Array.FindIndex(bytes, colon, b => b is (byte)',' or (byte)'}' or (byte)']');
                        if (end > 0) bytes = [.. bytes[..(colon + 1)], .. Encoding.UTF8.GetBytes(pieces[random.Next(pieces.Length)]), .. bytes[end..]];
                        break;
                }

                if (bytes.Length == 0) bytes = [(byte)' '];
            }

            try
            {
                var manifest = Manifest.Parse(bytes, types[random.Next(types.Length)]);
                _ = manifest.ContentSize;
                _ = manifest.ToString();
            }
            catch (RegistryToolsException)
            {
            }

            try
            {
                ImageConfig.Parse(bytes, Digest.Compute(bytes));
            }
            catch (RegistryToolsException)
            {
            }
        }
    }

    private const string Config = """
        {"created":"2024-05-01T12:34:56.123456789Z","author":"me","architecture":"arm64","variant":"v8","os":"linux",
         "config":{"User":"1000","Env":["PATH=/bin","A=b"],"Entrypoint":["/x"],"Cmd":["y","z"],"WorkingDir":"/w","Labels":{"l":"v"},"ExposedPorts":{"80/tcp":{}},"Volumes":{"/data":{}}},
         "rootfs":{"type":"layers","diff_ids":["sha256:1","sha256:2"]},
         "history":[{"created":"1970-01-01T00:00:00Z","created_by":"ADD x"},{"created_by":"ENV A=b","empty_layer":true,"comment":"c"}]}
        """;

    [Fact]
    public void An_images_configuration_is_read()
    {
        var raw = Encoding.UTF8.GetBytes(Config);
        var config = ImageConfig.Parse(raw, Digest.Compute(raw));
        Assert.Equal(new DateTimeOffset(2024, 5, 1, 12, 34, 56, TimeSpan.Zero), config.Created!.Value.AddTicks(-(config.Created.Value.Ticks % TimeSpan.TicksPerSecond)));
        Assert.Equal(("me", new Platform("linux", "arm64", "v8"), "1000", "/w"), (config.Author, config.Platform, config.User, config.WorkingDirectory));
        Assert.Equal(["PATH=/bin", "A=b"], config.Environment);
        Assert.Equal((["/x"], ["y", "z"]), (config.Entrypoint.ToArray(), config.Command.ToArray()), new PairComparer());
        Assert.Equal("v", config.Labels["l"]);
        Assert.Equal(["80/tcp"], config.ExposedPorts);
        Assert.Equal(["/data"], config.Volumes);
        Assert.Equal(["sha256:1", "sha256:2"], config.DiffIds);
        Assert.Equal([false, true], config.History.Select(step => step.EmptyLayer));
        Assert.Equal(DateTimeOffset.UnixEpoch, config.History[0].Created);
        Assert.Null(config.History[1].Created);
    }

    [Theory]
    [InlineData("{}", null)]
    [InlineData("{\"created\":null,\"config\":null,\"history\":null,\"rootfs\":null}", null)]
    [InlineData("{\"created\":\"0001-01-01T00:00:00Z\"}", "0001-01-01T00:00:00Z")]
    [InlineData("{\"created\":\"2024-05-01T14:00:00+02:00\"}", "2024-05-01T12:00:00Z")]
    [InlineData("{\"created\":\"yesterday\"}", null)]
    [InlineData("{\"created\":\"\"}", null)]
    public void A_sparse_configuration_is_read(string json, string? created)
    {
        var config = ImageConfig.Parse(Encoding.UTF8.GetBytes(json), Digest.Random());
        Assert.Equal(created is null ? null : DateTimeOffset.Parse(created), config.Created);
        Assert.True(config.Platform.IsUnknown);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"config\":{\"Env\":{}}}")]
    [InlineData("{\"config\":{\"Env\":[1]}}")]
    [InlineData("{\"config\":{\"ExposedPorts\":{\"\\ud800\":{}}}}")]
    [InlineData("{\"history\":{}}")]
    [InlineData("{\"os\":1}")]
    public void A_configuration_of_another_shape_is_one_clear_error(string json) =>
        Assert.Throws<ManifestFormatException>(() => ImageConfig.Parse(Encoding.UTF8.GetBytes(json), Digest.Random()));

    private static Manifest Parse(string json, string? type) => Manifest.Parse(Encoding.UTF8.GetBytes(json), type);

    private static byte[] Sign(string json)
    {
        var text = json.TrimEnd();
        var length = text.LastIndexOf('}');
        var tail = json[length..];
        var header = JsonSerializer.Serialize(new { formatLength = length, formatTail = Base64Url(tail), time = "2016-01-01T00:00:00Z" });
        return Encoding.UTF8.GetBytes(text[..length] + ",\"signatures\":[{\"header\":{\"alg\":\"ES256\"},\"signature\":\"x\",\"protected\":\"" + Base64Url(header) + "\"}]}");
    }

    private static string Base64Url(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private sealed class PairComparer : IEqualityComparer<(string[], string[])>
    {
        public bool Equals((string[], string[]) x, (string[], string[]) y) => x.Item1.SequenceEqual(y.Item1) && x.Item2.SequenceEqual(y.Item2);

        public int GetHashCode((string[], string[]) pair) => 0;
    }
}
