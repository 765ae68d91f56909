using System.Text;

namespace RegistryTools.Cmdlets.Tests.Commands;

public sealed class GetRegistryTagTests : RegistryTestBase
{
    [Fact]
    public void It_lists_tags_that_describe_themselves()
    {
        var result = Session.Invoke("Get-RegistryTag i1").Succeed();
        Assert.Equal("T11 T12 T13", result.Texts("Name"));
        Assert.Equal("T11 T12 T13", result.Texts("Tag"));
        Assert.Equal("i1 i1 i1", result.Texts("Repository"));
        Assert.Equal("reg reg reg", result.Texts("Registry"));
        Assert.Equal("RegistryTools.PowerShell.RegistryTag", result.Output[0].TypeNames[0]);
        Assert.Equal("reg/i1:T11", result.Output[0].ToString());
    }

    [Fact]
    public void Upper_case_repositories_are_lowered_and_verbose_says_so()
    {
        var result = Session.Invoke("Get-RegistryTag I1 -Verbose").Succeed();
        Assert.Equal("T11 T12 T13", result.Texts("Name"));
        Assert.Contains(result.Verbose, message => message.Contains("'I1'", StringComparison.Ordinal) && message.Contains("'i1'", StringComparison.Ordinal));
        Assert.Empty(Session.Invoke("Get-RegistryTag i1").Verbose);
    }

    [Theory]
    [InlineData("'i1', 'i3' | Get-RegistryTag")]
    [InlineData("Get-RegistryTag i1, i3")]
    [InlineData("Get-RegistryTag i[13]")]
    [InlineData("Get-RegistryRepository i1, i3 | Get-RegistryTag")]
    [InlineData("Get-RegistryRepository | ? Repository -in i1, i3 | Get-RegistryTag")]
    [InlineData("Get-RegistryTag i1 | Get-RegistryTag")]
    [InlineData("Get-RegistryTag i1:T11, i1:T12, i1:T13")]
    [InlineData("'i1:T11', 'i1:T12', 'i1:T13' | Get-RegistryTag -Registry reg")]
    [InlineData("Get-RegistryTag i1 -Name T1*")]
    [InlineData("Get-RegistryTag i1 -Tag T11, T12, T13")]
    [InlineData("Get-RegistryTag i1 T11, T1[23]")]
    [InlineData("@{ Repository = 'i1'; Registry = 'reg' } | % { [pscustomobject]$_ } | Get-RegistryTag")]
    public void Repositories_and_tags_bind_in_many_ways(string script) => Assert.Equal("T11 T12 T13", Session.Invoke(script).Succeed().Texts("Name"));

    [Fact]
    public void A_reference_may_name_the_registry()
    {
        Session.Invoke($"Connect-Registry http://{Registry.Address} -Name other").Succeed();
        Assert.Equal("reg", Session.Invoke($"Get-RegistryTag {Registry.Address}/i1:T11").Succeed().Texts("Registry"));
        Assert.Equal("other", Session.Invoke($"Get-RegistryTag {Registry.Address}/i1:T11 -Registry other").Succeed().Texts("Registry"));
    }

    [Fact]
    public void A_repository_may_look_like_another_registry()
    {
        Registry.AddImage("docker.io/library/nginx", "1.27");
        Assert.Equal("1.27", Session.Invoke("Get-RegistryRepository docker.io/* | Get-RegistryTag").Succeed().Texts("Name"));
        Assert.Equal("docker.io/library/nginx", Session.Invoke("Get-RegistryTag docker.io/library/nginx -Registry reg").Succeed().Texts("Repository"));
    }

    [Fact]
    public void The_case_of_a_tag_counts()
    {
        Session.Invoke("Get-RegistryTag i1 t11").Fail("TagNotFound");
        Assert.Empty(Session.Invoke("Get-RegistryTag i1 t*").Succeed().Output);
    }

    [Fact]
    public void Tags_that_are_named_are_asked_for_without_the_list()
    {
        var result = Session.Invoke("Get-RegistryTag i1 T12").Succeed();
        Assert.StartsWith("sha256:", result.Texts("Digest"), StringComparison.Ordinal);
        Assert.Equal(["HEAD /v2/i1/manifests/T12"], Registry.Requests);
    }

    [Fact]
    public void What_is_not_there_is_an_error_and_the_rest_is_not()
    {
        var result = Session.Invoke("Get-RegistryTag i1, nothing, i3, i2");
        var error = result.Fail("RepositoryNotFound");
        Assert.Equal("nothing", error.TargetObject);
        Assert.Equal("There is no repository 'nothing' on reg.", error.Exception.Message);
        Assert.Equal("ObjectNotFound", error.CategoryInfo.Category.ToString());
        Assert.Equal("T11 T12 T13 T21", result.Texts("Name"));

        result = Session.Invoke("Get-RegistryTag i1 T11, T99, T13");
        error = result.Fail("TagNotFound");
        Assert.Equal("i1:T99", error.TargetObject);
        Assert.Equal("T11 T13", result.Texts("Name"));

        result = Session.Invoke("Get-RegistryTag i1 T9, T1?");
        result.Fail("TagNotFound");
        Assert.Equal("T11 T12 T13", result.Texts("Name"));
    }

    [Fact]
    public void What_is_malformed_is_an_error_and_the_rest_is_not()
    {
        var result = Session.Invoke("Get-RegistryTag 'a b', i1 T11; Get-RegistryTag i1 'a b', T12; Get-RegistryTag i1:-x");
        Assert.Equal(["InvalidReference", "InvalidReference", "InvalidReference"], result.ErrorIds);
        Assert.Equal("T11 T12", result.Texts("Name"));
        Session.Invoke("Get-RegistryTag i1@sha256:" + new string('0', 64)).Fail("InvalidArgument");
    }

    [Theory]
    [InlineData("None", "1.10.0 1.2.0 1.2.0-rc.1 T10 T2 latest v1.3")]
    [InlineData("Name", "1.10.0 1.2.0 1.2.0-rc.1 T10 T2 latest v1.3")]
    [InlineData("Natural", "1.2.0 1.2.0-rc.1 1.10.0 latest T2 T10 v1.3")]
    [InlineData("Semantic", "1.2.0-rc.1 1.2.0 v1.3 1.10.0 latest T2 T10")]
    public void Orders(string order, string expected)
    {
        var digest = Registry.AddImage("order", "latest");
        foreach (var tag in new[] { "T2", "T10", "1.2.0", "1.10.0", "1.2.0-rc.1", "v1.3" }) Registry.Tag("order", tag, digest);
        Assert.Equal(expected, Session.Invoke($"Get-RegistryTag order -Sort {order}").Succeed().Texts("Name"));
        Assert.Equal(expected, Session.Invoke($"Get-RegistryTag order -Sort {order} -Detailed").Succeed().Texts("Name"));
    }

    [Fact]
    public void Details()
    {
        var result = Session.Invoke("Get-RegistryTag i1, i2 -Detailed").Succeed();
        Assert.Equal("T11 T12 T13 T21", result.Texts("Name"));
        Assert.Equal("RegistryTools.PowerShell.RegistryTagDetail", result.Output[0].TypeNames[0]);
        Assert.Equal("Image Image Image Index", result.Texts("Kind"));
        Assert.Equal("linux/amd64 linux/amd64 linux/amd64 linux/amd64+linux/arm64", result.Texts("Platform"));
        Assert.Equal(new DateTimeOffset(2024, 1, 1, 0, 0, 0, TimeSpan.Zero), result.Output[3].Properties["Created"].Value);
        Assert.IsType<long>(result.Output[0].Properties["Size"].Value);
        Assert.Equal(result.Output[1].Properties["Digest"].Value, result.Output[2].Properties["Digest"].Value);
        Assert.Equal("False False False False", result.Texts("IsPlaceholder"));
    }

    [Fact]
    public void The_size_of_an_index_counts_what_its_platforms_share_once()
    {
        var index = (string)Session.Invoke("Get-RegistryTag i2 T21").Succeed().Output[0].Properties["Digest"].Value;
        var manifests = Session.Invoke("(Get-RegistryManifest i2 T21).Manifests | ? Platform -ne unknown/unknown | Get-RegistryManifest").Succeed().Output;
        long expected = Registry.Manifest("i2", index).Length;
        var blobs = new Dictionary<string, long>();
        foreach (var manifest in manifests)
        {
            expected += (long)manifest.Properties["Size"].Value;
            foreach (var blob in new[] { manifest.Properties["Config"].Value }.Concat((IEnumerable<object>)manifest.Properties["Layers"].Value))
            {
                var descriptor = System.Management.Automation.PSObject.AsPSObject(blob);
                blobs[(string)descriptor.Properties["Digest"].Value] = (long)descriptor.Properties["Size"].Value;
            }
        }

        Assert.Equal(2 + 3, blobs.Count);
        Assert.Equal(expected + blobs.Values.Sum(), Session.Invoke("Get-RegistryTag i2 T21 -Detailed").Succeed().Output[0].Properties["Size"].Value);
    }

    [Fact]
    public void No_digest_is_fetched_twice_and_the_order_is_kept()
    {
        var digests = Enumerable.Range(0, 20).Select(i => Registry.AddImage("many", null, seed: "m" + (i % 10))).ToArray();
        for (var i = 0; i < 200; i++) Registry.Tag("many", $"t{i:000}", digests[i % 20]);
        Registry.PageSize = 30;
        Registry.Before = async context =>
        {
            await Task.Delay(Random.Shared.Next(5));
            return false;
        };
        var result = Session.Invoke("Get-RegistryTag many -Detailed").Succeed();
        Assert.Equal(200, result.Output.Count);
        Assert.Equal(result.Values("Name"), result.Values("Name").Order());
        Assert.Equal(200, Registry.Count("HEAD", "/many/manifests/t"));
        foreach (var group in Registry.Requests.Where(request => request.StartsWith("GET ", StringComparison.Ordinal) && request.Contains("sha256", StringComparison.Ordinal)).GroupBy(request => request)) Assert.Single(group);
        Assert.Equal(10, Registry.Count("GET", "/many/manifests/sha256"));
        Assert.InRange(Registry.MostAtOnce, 2, 9);
    }

    [Fact]
    public void The_throttle_limit_is_kept()
    {
        for (var i = 0; i < 20; i++) Registry.AddImage("many", $"t{i}", seed: i.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Registry.Before = async context =>
        {
            await Task.Delay(5);
            return false;
        };
        Session.Invoke("Get-RegistryTag many -Detailed -ThrottleLimit 1").Succeed();
        Assert.InRange(Registry.MostAtOnce, 1, 2);
    }

    [Fact]
    public void A_tag_that_fails_does_not_keep_the_others_back()
    {
        Registry.Tag("i1", "T125", "sha256:" + new string('1', 64));
        var bad = Registry.AddImage("i1", "T126", seed: "bad");
        Registry.Corrupt("i1", bad, "{\"schemaVersion\":2}"u8.ToArray());
        var broken = Registry.AddManifest("i1", "T127", ScriptedRegistry.OciManifest, Encoding.UTF8.GetBytes("{\"schemaVersion\":2,"));
        var result = Session.Invoke("Get-RegistryTag i1 -Detailed");
        Assert.Equal("T11 T12 T13", result.Texts("Name"));
        Assert.Equal(["TagNotFound", "DigestMismatch", "ManifestInvalid"], result.ErrorIds);
        Assert.Equal(["i1:T125", "i1:T126", "i1:T127"], result.Errors.Select(error => error.TargetObject));
        Assert.NotEqual(bad, broken);
    }

    [Fact]
    public void An_artifact_and_a_placeholder_say_what_they_are()
    {
        var empty = Registry.AddBlob("{}"u8.ToArray());
        Registry.AddManifest("a", "chart", ScriptedRegistry.OciManifest, Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"{{empty}}","size":2},"layers":[]}"""));
        var result = Session.Invoke("Get-RegistryTag a -Detailed").Succeed();
        Assert.Equal("Artifact", result.Texts("Kind"));
        Assert.Equal("application/vnd.cncf.helm.config.v1+json", result.Texts("ArtifactType"));
        Assert.Null(result.Output[0].Properties["Created"].Value);

        const string config = """{"architecture":"amd64","config":{},"history":[],"os":"linux","rootfs":{"diff_ids":[],"type":"layers"}}""";
        Registry.AddManifest("p", "T", ScriptedRegistry.OciManifest, Encoding.UTF8.GetBytes(
            $$$"""{"schemaVersion":2,"config":{"mediaType":"{{{ScriptedRegistry.OciConfig}}}","digest":"{{{Registry.AddBlob(Encoding.UTF8.GetBytes(config))}}}","size":{{{config.Length}}}},"layers":[],"annotations":{"io.github.registrytools.placeholder":"run-1"}}"""));
        Assert.Equal("True", Session.Invoke("Get-RegistryTag p -Detailed").Succeed().Texts("IsPlaceholder"));
    }

    [Fact]
    public void An_index_whose_platform_is_missing_tells_what_it_can()
    {
        var there = Registry.AddImage("sparse", null);
        Registry.AddIndex("sparse", "T", (there, "linux", "amd64"), ("sha256:" + new string('2', 64), "linux", "s390x"));
        var result = Session.Invoke("Get-RegistryTag sparse -Detailed -Verbose").Succeed();
        Assert.Equal("linux/amd64+linux/s390x", result.Texts("Platform"));
        Assert.Null(result.Output[0].Properties["Size"].Value);
        Assert.Contains(result.Verbose, message => message.Contains("not there", StringComparison.Ordinal));
    }

    [Fact]
    public void Answers_that_are_not_a_registrys()
    {
        Registry.Before = async context =>
        {
            if (!context.Request.Path.Value!.Contains("/html/", StringComparison.Ordinal)) return false;
            context.Response.ContentType = "text/html";
            await Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(context.Response, "<html>It works!</html>");
            return true;
        };
        var result = Session.Invoke("Get-RegistryTag html, i1");
        result.Fail("RegistryProtocolError");
        Assert.Equal("T11 T12 T13", result.Texts("Name"));
    }

    [Theory]
    [InlineData(401, "RegistryUnauthorized", "AuthenticationError")]
    [InlineData(403, "RegistryDenied", "PermissionDenied")]
    [InlineData(405, "RegistryUnsupported", "NotImplemented")]
    [InlineData(429, "RegistryBusy", "ResourceBusy")]
    [InlineData(500, "RegistryRequestFailed", "ResourceUnavailable")]
    [InlineData(503, "RegistryBusy", "ResourceBusy")]
    [InlineData(418, "RegistryRequestFailed", "InvalidResult")]
    public void What_the_registry_answers_becomes_an_error_of_its_own(int status, string id, string category)
    {
        Registry.Before = context =>
        {
            if (!context.Request.Path.Value!.Contains("/i1/", StringComparison.Ordinal)) return Task.FromResult(false);
            context.Response.StatusCode = status;
            return Task.FromResult(true);
        };
        var result = Session.Invoke("Get-RegistryTag i1, i2");
        var error = result.Fail(id);
        Assert.Equal(category, error.CategoryInfo.Category.ToString());
        Assert.Equal(status, System.Management.Automation.PSObject.AsPSObject(error.Exception).Properties["StatusCode"].Value);
        Assert.Equal("T21", result.Texts("Name"));
    }

    [Fact]
    public void A_part_that_is_missing_is_not_taken_for_the_tag()
    {
        Registry.AddIndex("sparse", "T", ("sha256:" + new string('2', 64), "linux", "s390x"));
        Session.Invoke("Get-RegistryImage sparse:T").Fail("ManifestNotFound");
        Registry.AddManifest("noconfig", "T", ScriptedRegistry.OciManifest, Encoding.UTF8.GetBytes(
            $$"""{"schemaVersion":2,"config":{"mediaType":"{{ScriptedRegistry.OciConfig}}","digest":"sha256:{{new string('3', 64)}}","size":9},"layers":[]}"""));
        Session.Invoke("Get-RegistryImage noconfig:T").Fail("BlobNotFound");
        Session.Invoke("Get-RegistryTag noconfig -Detailed").Fail("BlobNotFound");
    }
}
