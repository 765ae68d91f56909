using System.Text;

namespace RegistryTools.Cmdlets.Tests.Commands;

public sealed class ManifestAndImageTests : RegistryTestBase
{
    [Theory]
    [InlineData("Get-RegistryManifest i1 T12")]
    [InlineData("Get-RegistryManifest I1:T12")]
    [InlineData("'i1:T12' | Get-RegistryManifest")]
    [InlineData("Get-RegistryManifest -Repository i1 -Tag T12")]
    [InlineData("Get-RegistryTag i1 | ? Name -eq T12 | Get-RegistryManifest")]
    [InlineData("Get-RegistryTag i1 -Detailed | ? Name -eq T12 | Get-RegistryManifest")]
    [InlineData("Get-RegistryManifest i1 T?2")]
    public void A_manifest_by_tag(string script)
    {
        var manifest = Assert.Single(Session.Invoke(script).Succeed().Output);
        Assert.Equal("T12", manifest.Properties["Tag"].Value);
        Assert.Equal("Image", manifest.Properties["Kind"].Value.ToString());
        Assert.Equal("i1", manifest.Properties["Repository"].Value);
        Assert.Equal("reg", manifest.Properties["Registry"].Value);
        Assert.Equal((long)Registry.Manifest("i1", (string)manifest.Properties["Digest"].Value).Length, manifest.Properties["Size"].Value);
    }

    [Fact]
    public void By_digest()
    {
        var digest = (string)Session.Invoke("Get-RegistryTag i1 T12").Output[0].Properties["Digest"].Value;
        Assert.Equal(digest, Session.Invoke($"Get-RegistryManifest i1 -Digest {digest}").Succeed().Texts("Digest"));
        Assert.Equal(digest, Session.Invoke($"Get-RegistryManifest i1@{digest}").Succeed().Texts("Digest"));
        Assert.Null(Session.Invoke($"Get-RegistryManifest i1@{digest}").Succeed().Output[0].Properties["Tag"].Value);
        Session.Invoke("Get-RegistryManifest i1 -Digest sha256:" + new string('0', 64)).Fail("ManifestNotFound");
        Session.Invoke("Get-RegistryManifest i1 -Digest sha256:abc").Fail("InvalidReference");
    }

    [Fact]
    public void All_tags_where_none_is_named() => Assert.Equal("T11 T12 T13", Session.Invoke("Get-RegistryManifest i1").Succeed().Texts("Tag"));

    [Fact]
    public void Raw_is_the_exact_text()
    {
        var bytes = Encoding.UTF8.GetBytes("{ \"schemaVersion\": 2,\n  \"manifests\": [] ,\"annotations\":{\"a\":\"é\"} }\n");
        Registry.AddManifest("raw", "T", ScriptedRegistry.OciIndex, bytes);
        var text = Assert.Single(Session.Invoke("Get-RegistryManifest raw T -Raw").Succeed().Output);
        Assert.Equal(bytes, Encoding.UTF8.GetBytes((string)text.BaseObject));
        Assert.Equal(bytes, (byte[])Session.Invoke("$m = Get-RegistryManifest raw T; , $m.GetBytes()").Succeed().Output[0].BaseObject);
    }

    [Fact]
    public void An_index_is_not_followed_but_for_a_platform()
    {
        var index = Session.Invoke("Get-RegistryManifest i2 T21").Succeed();
        Assert.Equal("Index", index.Texts("Kind"));
        Assert.Equal(["GET /v2/i2/manifests/T21"], Registry.Requests);
        var arm = Session.Invoke("Get-RegistryManifest i2 T21 -Platform linux/arm64").Succeed();
        Assert.Equal("linux/arm64", arm.Texts("Platform"));
        Assert.Equal(index.Texts("Digest"), arm.Texts("IndexDigest"));
        Assert.Null(arm.Output[0].Properties["Tag"].Value);
        var error = Session.Invoke("Get-RegistryManifest i2 T21 -Platform windows/amd64").Fail("PlatformNotFound");
        Assert.Contains("linux/arm64", error.Exception.Message, StringComparison.Ordinal);
        Assert.Equal("linux/amd64", Session.Invoke("Get-RegistryManifest i1 T12 -Platform linux/x86_64").Succeed().Texts("Platform"));
        Session.Invoke("Get-RegistryManifest i1 T12 -Platform linux/arm").Fail("PlatformNotFound");
        Session.Invoke("Get-RegistryManifest i1 T12 -Platform amd64").Fail("InvalidReference");
    }

    [Fact]
    public void What_is_not_there_or_not_right()
    {
        var result = Session.Invoke("Get-RegistryManifest i1 T99, T12");
        var error = result.Fail("TagNotFound");
        Assert.Equal("i1:T99", error.TargetObject);
        Assert.Equal("T12", result.Texts("Tag"));
        var exception = System.Management.Automation.PSObject.AsPSObject(error.Exception);
        Assert.Equal("reg", exception.Properties["Registry"].Value);
        Assert.Equal("i1", exception.Properties["Repository"].Value);
        Assert.Equal("T99", exception.Properties["Reference"].Value);
        Assert.Equal(404, exception.Properties["StatusCode"].Value);
        Assert.Equal(["MANIFEST_UNKNOWN"], (string[])exception.Properties["Codes"].Value);

        var digest = Registry.AddImage("i1", "bad", seed: "bad");
        Registry.Corrupt("i1", digest, "{\"schemaVersion\":2}"u8.ToArray());
        Session.Invoke($"Get-RegistryManifest i1@{digest}").Fail("DigestMismatch");
    }

    [Fact]
    public void An_image()
    {
        var image = Assert.Single(Session.Invoke("Get-RegistryImage i1:T12").Succeed().Output);
        object? Value(string name) => image.Properties[name].Value;
        Assert.Equal("T12", Value("Tag"));
        Assert.Equal("linux/amd64", Value("Platform"));
        Assert.Equal(new DateTimeOffset(2024, 5, 6, 7, 8, 9, TimeSpan.Zero), Value("Created"));
        Assert.Equal("tests", Value("Author"));
        Assert.Equal(["PATH=/bin", "A=b"], (IEnumerable<string>)Value("Environment")!);
        Assert.Equal(["/entry"], (IEnumerable<string>)Value("Entrypoint")!);
        Assert.Equal(["serve"], (IEnumerable<string>)Value("Command")!);
        Assert.Equal("app", Value("User"));
        Assert.Equal("/srv", Value("WorkingDirectory"));
        Assert.Equal(["80/tcp"], (IEnumerable<string>)Value("ExposedPorts")!);
        Assert.Equal("someone", Session.Invoke("(Get-RegistryImage i1:T12).Labels['maintainer']").Succeed().Output[0].ToString());
        var steps = Session.Invoke("(Get-RegistryImage i1:T12).History").Succeed();
        Assert.Equal("False True", steps.Texts("EmptyLayer"));
        Assert.NotNull(steps.Output[0].Properties["LayerDigest"].Value);
        Assert.Null(steps.Output[1].Properties["LayerDigest"].Value);
    }

    [Fact]
    public void An_image_for_several_platforms()
    {
        var result = Session.Invoke("Get-RegistryImage i2 T21").Succeed();
        Assert.Equal("linux/amd64 linux/arm64", result.Texts("Platform"));
        Assert.Equal(2, result.Values("Digest").Distinct().Count());
        Assert.Single(result.Values("IndexDigest").Distinct());
        Assert.Equal("linux/arm64", Session.Invoke("Get-RegistryImage i2 T21 -Platform linux/arm64").Succeed().Texts("Platform"));
        Session.Invoke("Get-RegistryImage i2 T21 -Platform linux/riscv64").Fail("PlatformNotFound");
    }

    [Fact]
    public void What_is_no_image()
    {
        Registry.AddManifest("a", "chart", ScriptedRegistry.OciManifest, Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"{{Registry.AddBlob("{}"u8.ToArray())}}","size":2},"layers":[]}"""));
        Session.Invoke("Get-RegistryImage a chart").Fail("NotAnImage");
        Session.Invoke("Get-RegistryImage i1 T99").Fail("TagNotFound");
    }

    [Fact]
    public void Repositories()
    {
        Assert.Equal("i1 i2 i3", Session.Invoke("Get-RegistryRepository").Succeed().Texts("Repository"));
        Assert.Equal("i1 i2", Session.Invoke("Get-RegistryRepository I[12]").Succeed().Texts("Repository"));
        Assert.Equal("i1", Session.Invoke("Get-RegistryRepository I1").Succeed().Texts("Repository"));
        Assert.Equal("i1 i2 i3", Session.Invoke("Get-RegistryConnection | Get-RegistryRepository").Succeed().Texts("Repository"));
        var result = Session.Invoke("Get-RegistryRepository nothing, i1, x*");
        result.Fail("RepositoryNotFound");
        Assert.Equal("i1", result.Texts("Repository"));
    }
}
