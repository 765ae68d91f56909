using System.Text;
using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.References;
using Xunit;

namespace RegistryTools.Tests.References;

public sealed class ReferenceTests
{
    private const string Hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Fact]
    public void A_digest_is_parsed_and_is_equal_by_value()
    {
        var digest = Digest.Parse("sha256:" + Hex);
        Assert.Equal(("sha256", Hex, true), (digest.Algorithm, digest.Encoded, digest.CanVerify));
        Assert.Equal("e3b0c44298fc", digest.ToShortString());
        Assert.Equal(Digest.Compute(Array.Empty<byte>()), digest);
        Assert.Equal(digest.GetHashCode(), Digest.Parse("sha256:" + Hex).GetHashCode());
        Assert.True(digest == Digest.Parse("sha256:" + Hex));
        Assert.True(digest != Digest.Random());
        Assert.False(digest.Equals(null));
        Assert.True((Digest?)null == null);
    }

    [Theory]
    [InlineData("sha256:e3b0")]
    [InlineData("sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855")]
    [InlineData("sha256:g3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("sha256")]
    [InlineData("sha256:")]
    [InlineData(":abc")]
    [InlineData("Sha256:abc")]
    [InlineData("sha+:abc")]
    [InlineData("+sha:abc")]
    [InlineData("a++b:abc")]
    [InlineData("blake3:a/b")]
    [InlineData("blake3:a b")]
    [InlineData("")]
    [InlineData(null)]
    public void What_is_no_digest_is_refused(string? text) => Assert.False(Digest.TryParse(text, out _));

    [Theory]
    [InlineData("blake3:abc")]
    [InlineData("multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8")]
    [InlineData("sha256+b64u:LCa0a2j_xo_5m0U8HTBBNBNCLXBkg7-g-YpeiGJm564")]
    public void Another_algorithm_is_carried_and_not_verified(string text)
    {
        var digest = Digest.Parse(text);
        Assert.False(digest.CanVerify);
        Assert.Equal(text, digest.ToString());
        Assert.Throws<NotSupportedException>(() => digest.Matches(new byte[1]));
    }

    [Fact]
    public void Content_is_hashed_whole_and_in_pieces()
    {
        var content = Encoding.UTF8.GetBytes("some content");
        foreach (var algorithm in new[] { Digest.Sha256, Digest.Sha512 })
        {
            using var hash = new DigestHash(algorithm);
            hash.Append(content, 0, 4);
            hash.Append(content.AsMemory(4));
            Assert.Equal(Digest.Compute(algorithm, content), hash.Finish());
            Assert.True(Digest.Compute(algorithm, content).Matches(content));
            Assert.False(Digest.Compute(algorithm, content).Matches(new byte[3]));
        }

        Assert.Equal("sha256:290f493c44f5d63d06b374d0a5abd292fae38b92cab2fae5efefe1b0e9347f56", Digest.Compute(content).ToString());
    }

    [Fact]
    public void The_error_says_what_a_digest_looks_like()
    {
        var error = Assert.Throws<ReferenceFormatException>(() => Digest.Parse("latest\n\u001b[31m" + new string('x', 500)));
        Assert.Contains("64 lower-case hexadecimal", error.Message);
        Assert.True(error.Message.Length < 300);
        Assert.DoesNotContain('\u001b', error.Message);
    }

    [Theory]
    [InlineData("i1")]
    [InlineData("a/b/c")]
    [InlineData("a.b_c__d-e--f/0")]
    public void Repository_names_of_the_grammar_are_taken(string name)
    {
        Assert.True(RepositoryName.IsValid(name));
        Assert.Equal(name, RepositoryName.Normalize(name, out var lowered));
        Assert.False(lowered);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("a//b")]
    [InlineData("a..b")]
    [InlineData("a___b")]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData("a/-b")]
    [InlineData("a b")]
    [InlineData("a:b")]
    [InlineData("../a")]
    [InlineData("a/../b")]
    [InlineData("a%2fb")]
    [InlineData("ä")]
    [InlineData("a?b")]
    [InlineData(null)]
    public void What_is_no_repository_name_is_refused(string? name)
    {
        Assert.False(RepositoryName.IsValid(name));
        Assert.Throws<ReferenceFormatException>(() => RepositoryName.Normalize(name, out _));
    }

    [Fact]
    public void A_repository_name_is_lowered_and_its_length_bounded()
    {
        Assert.Equal("i1/app", RepositoryName.Normalize(" /I1/App/ ", out var lowered));
        Assert.True(lowered);
        Assert.True(RepositoryName.IsValid(new string('a', 255)));
        Assert.Contains("longer than 255", Assert.Throws<ReferenceFormatException>(() => RepositoryName.Normalize(new string('a', 256), out _)).Message);
    }

    [Theory]
    [InlineData("latest", true)]
    [InlineData("T12", true)]
    [InlineData("_x", true)]
    [InlineData("1.2.3-rc.1", true)]
    [InlineData(".x", false)]
    [InlineData("-x", false)]
    [InlineData("a/b", false)]
    [InlineData("a:b", false)]
    [InlineData("a+b", false)]
    [InlineData("a b", false)]
    [InlineData("é", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Tags_follow_the_grammar(string? tag, bool valid)
    {
        Assert.Equal(valid, TagName.IsValid(tag));
        if (valid) Assert.Equal(tag, TagName.Validate(tag));
        else Assert.Throws<ReferenceFormatException>(() => TagName.Validate(tag));
    }

    [Fact]
    public void A_tag_has_at_most_128_characters()
    {
        Assert.True(TagName.IsValid(new string('a', 128)));
        Assert.False(TagName.IsValid(new string('a', 129)));
    }

    [Fact]
    public void The_fallback_tag_of_a_subject_is_cut_to_what_a_tag_takes()
    {
        Assert.Equal("sha256-" + Hex, TagName.ForReferrersOf(Digest.Parse("sha256:" + Hex)));
        var long512 = TagName.ForReferrersOf(Digest.Compute(Digest.Sha512, new byte[1]));
        Assert.Equal("sha512-".Length + 64, long512.Length);
        Assert.True(TagName.IsValid(long512));
    }

    [Theory]
    [InlineData("/my.app/x:1", "my.app/x")]
    [InlineData("/localhost/x", "localhost/x")]
    [InlineData("registry.example.com/my.app/x", "my.app/x")]
    [InlineData("team/app", "team/app")]
    public void A_reference_that_is_written_out_reads_as_it_was_meant(string text, string repository)
    {
        var reference = ImageReference.Parse(text);
        Assert.Equal(repository, reference.Repository);
        Assert.Equal(text, reference.ToString());
    }

    [Theory]
    [InlineData("registry.example.com", null, "registry.example.com", null, "", "registry.example.com")]
    [InlineData("LOCALHOST:5000", null, "localhost", 5000, "", "localhost:5000")]
    [InlineData("https://Host/prefix/", "https", "host", null, "/prefix", "host/prefix")]
    [InlineData("HTTP://host:80/v2/", "http", "host", 80, "", "host:80")]
    [InlineData("https://host/artifactory/api/docker/v2", "https", "host", null, "/artifactory/api/docker", "host/artifactory/api/docker")]
    [InlineData("host/a//v2", null, "host", null, "/a", "host/a")]
    [InlineData("host/v2/v2", null, "host", null, "", "host")]
    [InlineData("[::1]:5000", null, "[::1]", 5000, "", "[::1]:5000")]
    [InlineData(" my_registry ", null, "my_registry", null, "", "my_registry")]
    public void Addresses_are_taken_apart(string text, string? scheme, string host, int? port, string prefix, string name)
    {
        var address = RegistryAddress.Parse(text);
        Assert.Equal((scheme, host, port, prefix, name), (address.Scheme, address.Host, address.Port, address.Prefix, address.Name));
        Assert.Equal(address, RegistryAddress.Parse(address.ToString()));
        Assert.StartsWith("https://" + address.Host, address.ToUri("https").AbsoluteUri, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("ftp://host")]
    [InlineData("host:0")]
    [InlineData("host:65536")]
    [InlineData("host:")]
    [InlineData("host:x")]
    [InlineData("ho st")]
    [InlineData("-host")]
    [InlineData("ho..st")]
    [InlineData("[::1")]
    [InlineData("[::1]x")]
    [InlineData("[zz]")]
    [InlineData("[::1[]:5000")]
    [InlineData("[[::1]")]
    [InlineData("[127.0.0.1]")]
    [InlineData("::1")]
    [InlineData("host/a?b=c")]
    [InlineData("host/a#b")]
    [InlineData("host/../x")]
    [InlineData("host//x")]
    [InlineData("host/a%2e")]
    [InlineData("host\\x")]
    public void What_is_no_address_is_refused(string text) => Assert.Throws<ReferenceFormatException>(() => RegistryAddress.Parse(text));

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("a.localhost:1", true)]
    [InlineData("127.0.0.1:5000", true)]
    [InlineData("127.8.8.8", true)]
    [InlineData("[::1]", true)]
    [InlineData("localhost.example.com", false)]
    [InlineData("127.0.0.1.example.com", false)]
    [InlineData("10.0.0.1", false)]
    public void Loopback_is_this_machine_only(string text, bool loopback) => Assert.Equal(loopback, RegistryAddress.Parse(text).IsLoopback);

    [Theory]
    [InlineData("https://user:s3cret@host")]
    [InlineData("user:s3cret@host:5000")]
    [InlineData("ftp://user:s3cret@host")]
    [InlineData("https://user:s3cret@host/x y")]
    [InlineData("https://user:s3/cret@host?x")]
    public void A_password_in_an_address_is_shown_nowhere(string text)
    {
        var error = Assert.Throws<ReferenceFormatException>(() => RegistryAddress.Parse(text));
        Assert.DoesNotContain("s3", error.ToString());
        Assert.DoesNotContain("s3", error.Input);
    }

    [Theory]
    [InlineData("https://user:s3cret@host/app:1")]
    [InlineData("user:s3cret@host/app:1")]
    [InlineData("host/app:s3cret@x")]
    public void A_password_in_a_reference_is_shown_nowhere(string text)
    {
        var error = Assert.Throws<ReferenceFormatException>(() => ImageReference.Parse(text));
        Assert.DoesNotContain("s3", error.ToString());
        Assert.DoesNotContain("s3", error.Input);
    }

    [Theory]
    [InlineData("i1", null, "i1", null, null)]
    [InlineData("I1:T12", null, "i1", "T12", null)]
    [InlineData("localhost/i1", "localhost", "i1", null, null)]
    [InlineData("localhost:5000/a/b:x", "localhost:5000", "a/b", "x", null)]
    [InlineData("Registry.Example.com/a", "registry.example.com", "a", null, null)]
    [InlineData("[::1]:5000/a:1", "[::1]:5000", "a", "1", null)]
    [InlineData("library/a:1", null, "library/a", "1", null)]
    [InlineData("a:1@sha256:" + Hex, null, "a", "1", "sha256:" + Hex)]
    [InlineData("host:5000/a@sha256:" + Hex, "host:5000", "a", null, "sha256:" + Hex)]
    public void References_are_taken_apart(string text, string? registry, string repository, string? tag, string? digest)
    {
        var reference = ImageReference.Parse(text);
        Assert.Equal((registry, repository, tag, digest), (reference.Registry, reference.Repository, reference.Tag, reference.Digest?.ToString()));
        Assert.Equal(reference.ToString(), ImageReference.Parse(reference.ToString()).ToString());
        Assert.Equal(text.Contains("I1"), reference.RepositoryWasLowered);
    }

    [Theory]
    [InlineData("")]
    [InlineData("localhost/")]
    [InlineData("a:")]
    [InlineData("a@")]
    [InlineData("a@sha256:x")]
    [InlineData(":x")]
    [InlineData("host:99999/a")]
    [InlineData("https://host/a")]
    [InlineData("a b")]
    public void What_is_no_reference_is_refused(string text) => Assert.Throws<ReferenceFormatException>(() => ImageReference.Parse(text));

    [Theory]
    [InlineData("linux/amd64", "linux", "amd64", null, null)]
    [InlineData("Linux/ARM64/v8", "linux", "arm64", "v8", null)]
    [InlineData("linux/x86_64", "linux", "amd64", null, null)]
    [InlineData("linux/aarch64", "linux", "arm64", null, null)]
    [InlineData("windows:10.0.20348/amd64", "windows", "amd64", null, "10.0.20348")]
    public void Platforms_are_parsed(string text, string os, string architecture, string? variant, string? version) =>
        Assert.Equal(new Platform(os, architecture, variant, version), Platform.Parse(text));

    [Theory]
    [InlineData("linux")]
    [InlineData("linux/")]
    [InlineData("a/b/c/d")]
    [InlineData("")]
    public void What_is_no_platform_is_refused(string text) => Assert.Throws<ReferenceFormatException>(() => Platform.Parse(text));

    [Theory]
    [InlineData("linux/arm64", "linux/arm64/v8", true)]
    [InlineData("linux/arm64/v8", "linux/arm64", true)]
    [InlineData("linux/arm/v7", "linux/arm", true)]
    [InlineData("linux/arm/v6", "linux/arm", false)]
    [InlineData("linux/arm/v6", "linux/arm/v7", false)]
    [InlineData("linux/amd64", "windows/amd64", false)]
    [InlineData("windows:10.0/amd64", "windows:10.0.20348.1/amd64", true)]
    [InlineData("windows:10.0.2/amd64", "windows/amd64", false)]
    public void A_platform_accepts_what_it_does_not_rule_out(string asked, string offered, bool accepted) =>
        Assert.Equal(accepted, Platform.Parse(asked).Accepts(Platform.Parse(offered)));

    [Fact]
    public void A_version_of_windows_is_not_taken_for_the_beginning_of_another() =>
        Assert.False(Platform.Parse("windows:10.0.2034/amd64").Accepts(Platform.Parse("windows:10.0.20348/amd64")));
}
