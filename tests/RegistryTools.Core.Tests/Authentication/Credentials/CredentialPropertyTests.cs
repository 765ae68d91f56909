using System.Text;
using RegistryTools.Authentication;
using RegistryTools.Errors;
using RegistryTools.References;
using Xunit;
using Xunit.Abstractions;

namespace RegistryTools.Tests.Authentication;

/// <summary>The parser of credential files on arbitrary and mutated content.</summary>
public sealed class CredentialPropertyTests(ITestOutputHelper output)
{
    private const int Count = 4000;
    private static readonly RegistryAddress[] Addresses = [.. new[] { "registry.example.com", "docker.io", "quay.io:443", "https://h/p" }.Select(RegistryAddress.Parse)];

    private static readonly string[] Values =
    [
        "null", "true", "0", "-1e999", "\"\"", "\"x\"", "\"YTpi\"", "\"YTo=\"", "\"\\ud800\"", "\"\\u0000\"", "[]", "{}", "[{}]", "{\"auth\":\"YTpi\"}", "{\"auth\":\"YTpi\",\"identitytoken\":\"t\"}",
        "{\"auth\":7}", "{\"auth\":\"%\"}", "{\"username\":\"a\",\"password\":\"b\"}", "{\"\\ud800\":1}", "{\"registrytoken\":\"a b\"}", "{\"auths\":{}}",
    ];

    private static readonly string[] Names =
    [
        "auths", "credHelpers", "credsStore", "auth", "registry.example.com", "https://registry.example.com/v1/", "https://index.docker.io/v1/", "docker.io", "quay.io:443", "h", "h/p", "://", "https://", "/", "",
        "\\ud800", "a@b", "registry.example.com/team/app", "HTTP://REGISTRY.EXAMPLE.COM",
    ];

    [Fact]
    public void Nothing_but_CredentialException_leaves_the_parser()
    {
        var first = Environment.GetEnvironmentVariable("RT_SEED") is { Length: > 0 } text ? int.Parse(text) : Random.Shared.Next();
        output.WriteLine($"Seeds {first} to {first + Count - 1}; RT_SEED={first} repeats them.");
        var (good, refused) = (0, 0);
        for (var seed = first; seed < first + Count; seed++)
        {
            var random = new Random(seed);
            var content = Content(random);
            try
            {
                var file = DockerConfigFile.Parse(content, "the file");
                foreach (var address in Addresses)
                {
                    Quietly(() => file.Find(address));
                    Quietly(() => file.FindNamespaced(address, null));
                    Quietly(() => file.FindNamespaced(address, "team/app"));
                    Quietly(() => file.HelperFor(address, podman: false));
                    Quietly(() => file.HelperFor(address, podman: true));
                    Assert.All(file.KeysOf(address, loose: true), key => Assert.NotEmpty(key));
                }

                good++;
            }
            catch (CredentialException)
            {
                refused++;
            }
            catch (Exception exception)
            {
                Assert.Fail($"Seed {seed}: {exception}\n{Convert.ToBase64String(content)}");
            }
        }

        Assert.True(good > Count / 20 && refused > Count / 20, $"{good} good, {refused} refused: the generator is one-sided.");
    }

    [Fact]
    public async Task What_is_stored_in_any_good_file_is_found_and_the_rest_stays()
    {
        using var place = new CredentialPlace();
        var first = Environment.GetEnvironmentVariable("RT_SEED") is { Length: > 0 } text ? int.Parse(text) : Random.Shared.Next();
        output.WriteLine($"Seeds {first} to {first + 299}; RT_SEED={first} repeats them.");
        for (var seed = first; seed < first + 300; seed++)
        {
            var random = new Random(seed);
            place.Docker(Encoding.UTF8.GetString(Content(random)));
            var address = Addresses[random.Next(Addresses.Length)];
            var before = File.ReadAllBytes(place.DockerFile);
            try
            {
                await new CredentialStore(place.Options).StoreAsync(address, new RegistryCredential { UserName = "ann", Password = "seed" + seed }, allowClearText: true);
            }
            catch (CredentialException)
            {
                Assert.Equal(before, File.ReadAllBytes(place.DockerFile));
                continue;
            }
            catch (Exception exception)
            {
                Assert.Fail($"Seed {seed}: {exception}");
            }

            Assert.Equal("seed" + seed, (await place.FindAsync(address.ToString()))?.Password);
            var (old, now) = (DockerConfigFile.Parse(before, "before"), DockerConfigFile.Parse(File.ReadAllBytes(place.DockerFile), "after"));
            foreach (var other in Addresses.Where(other => other != address)) Assert.Equal(Try(old, other), Try(now, other));
        }

        static string? Try(DockerConfigFile file, RegistryAddress address)
        {
            try
            {
                return file.Find(address)?.Password;
            }
            catch (CredentialException)
            {
                return "(refused)";
            }
        }
    }

    private static void Quietly(Func<object?> act)
    {
        try
        {
            act();
        }
        catch (CredentialException)
        {
            // What it may throw.
        }
    }

    private static byte[] Content(Random random)
    {
        if (random.Next(20) == 0)
        {
            var noise = new byte[random.Next(200)];
            random.NextBytes(noise);
            return noise;
        }

        var text = Root(random);
        if (random.Next(40) == 0) text = new string('[', random.Next(200)) + text;
        var bytes = Encoding.UTF8.GetBytes(text);
        if (random.Next(3) > 0) return bytes;
        var mutated = bytes.ToList();
        for (var i = random.Next(1, 4); i > 0 && mutated.Count > 0; i--)
        {
            var at = random.Next(mutated.Count);
            switch (random.Next(4))
            {
                case 0: mutated[at] = (byte)random.Next(256); break;
                case 1: mutated.RemoveAt(at); break;
                case 2: mutated.Insert(at, (byte)"\"{}[]:,\\0 "[random.Next(10)]); break;
                default: mutated.RemoveRange(at, random.Next(mutated.Count - at)); break;
            }
        }

        return [.. mutated];
    }

    private static string Root(Random random)
    {
        var properties = Enumerable.Range(0, random.Next(5)).Select(_ =>
        {
            var name = random.Next(4) > 0 ? Names[random.Next(3)] : Names[random.Next(Names.Length)];
            return $"\"{name}\": {(random.Next(4) > 0 ? Section(random) : Values[random.Next(Values.Length)])}";
        });
        return "{" + string.Join(", ", properties) + "}";
    }

    private static string Section(Random random) =>
        "{" + string.Join(",", Enumerable.Range(0, random.Next(6)).Select(_ => $"\"{Names[random.Next(3, Names.Length)]}\":{Values[random.Next(Values.Length)]}")) + "}";
}
