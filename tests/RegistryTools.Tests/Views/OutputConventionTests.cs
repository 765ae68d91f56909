using System.Management.Automation;
using System.Reflection;

namespace RegistryTools.Cmdlets.Tests.Views;

/// <summary>
/// What <c>ConvertTo-Json</c>, <c>Export-Csv</c>, <c>Sort-Object</c>, <c>Group-Object</c> and <c>Compare-Object</c> need of an object. The cmdlets are not in this engine: these tests hold what they go by.
/// </summary>
public sealed class OutputConventionTests
{
    // As deep as ConvertTo-Json goes by itself; what lies deeper becomes its text, with a warning.
    private const int JsonDepth = 2;

    private static readonly Type[] Scalars = [typeof(string), typeof(bool), typeof(int), typeof(long), typeof(DateTimeOffset), typeof(TimeSpan), typeof(Uri)];

    public static TheoryData<string> Types() => OutputTypes.Names();

    [Theory]
    [MemberData(nameof(Types))]
    public void Properties_are_of_types_that_json_and_csv_can_write(string name)
    {
        foreach (var property in OutputTypes.Properties(OutputTypes.Named(name)))
        {
            var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (IsList(type)) type = type.GetGenericArguments()[0];
            Assert.True(Scalars.Contains(type) || OutputTypes.All.Contains(type) || type.Name == "RegistryDictionary", $"{name}.{property.Name} is a {property.PropertyType}: an enumeration is a number in JSON, bytes are a list of them, and an array is System.Object[] in CSV.");
            Assert.Empty(property.GetIndexParameters());
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Nothing_lies_deeper_than_json_goes(string name)
    {
        Visit(OutputTypes.Named(name), 0, name, []);

        static void Visit(Type type, int depth, string path, Type[] above)
        {
            Assert.False(above.Contains(type), path + " has itself in it.");
            foreach (var property in OutputTypes.Properties(type))
            {
                var own = property.PropertyType;
                var where = path + "." + property.Name;
                if (IsList(own) && OutputTypes.All.Contains(own.GetGenericArguments()[0])) Visit(own.GetGenericArguments()[0], depth + 2, where, [.. above, type]);
                else if (OutputTypes.All.Contains(own)) Visit(own, depth + 1, where, [.. above, type]);

                // Of a list's parts it is null where there is nothing, so that there is nothing to warn of.
                else if ((IsList(own) || own.Name == "RegistryDictionary") && depth + 1 > JsonDepth) Assert.Equal(NullabilityState.Nullable, new NullabilityInfoContext().Create(property).ReadState);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_value_has_a_text_of_its_own(string name)
    {
        var type = OutputTypes.Named(name);
        Assert.Equal(type, type.GetMethod(nameof(ToString), Type.EmptyTypes)!.DeclaringType);
        foreach (var made in new[] { OutputTypes.Empty(type), OutputTypes.Extreme(type) })
        {
            Assert.NotNull(made.ToString());
            foreach (var property in OutputTypes.Properties(type))
            {
                var text = property.GetValue(made)?.ToString() ?? string.Empty;
                Assert.False(text.StartsWith("System.", StringComparison.Ordinal) || text.StartsWith("RegistryTools.", StringComparison.Ordinal), $"{property.Name}: {text}");
            }
        }

        Assert.NotEmpty(OutputTypes.Extreme(type).ToString()!);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void The_text_of_what_is_in_a_repository_tells_which(string name)
    {
        var type = OutputTypes.Named(name);
        if (type.GetProperty("Registry") is null || type.GetProperty("Repository") is null || name is "RegistryRepository" or "RegistryDescriptor" or "RegistryStorageUsage") return;
        Assert.StartsWith(OutputTypes.Ipv6Registry + "/" + OutputTypes.LongRepository, OutputTypes.Extreme(type).ToString());
    }

    [Fact]
    public void Tags_are_the_same_by_registry_repository_and_name()
    {
        foreach (var (type, arguments) in new[] { ("RegistryTag", 4), ("RegistryTagDetail", 4) })
        {
            object Tag(string registry, string repository, string tag, string? digest = "sha256:a") => New(type, registry, repository, tag, digest);
            var one = Tag("a", "i1", "T1");
            Assert.Equal(arguments, one.GetType().GetConstructors(BindingFlags.NonPublic | BindingFlags.Instance).Single().GetParameters().Length);
            Assert.Equal(one, Tag("a", "i1", "T1"));
            Assert.Equal(one.GetHashCode(), Tag("a", "i1", "T1").GetHashCode());
            Assert.Equal(one.ToString(), Tag("a", "i1", "T1").ToString());
            foreach (var other in new[] { Tag("b", "i1", "T1"), Tag("a", "i2", "T1"), Tag("a", "i1", "t1"), Tag("a", "i1", "T2") })
            {
                Assert.NotEqual(one, other);
                Assert.NotEqual(one.ToString(), other.ToString());
                Assert.NotEqual(0, LanguagePrimitives.Compare(one, other, ignoreCase: true));
            }

            Assert.Equal(0, LanguagePrimitives.Compare(one, Tag("a", "i1", "T1"), ignoreCase: true));
            Assert.True(LanguagePrimitives.Compare(Tag("a", "i1", "T2"), Tag("a", "i1", "T10"), ignoreCase: true) < 0, "Numbers go by their value.");
        }

        // A tag that was pushed anew is not what it was; what was only listed has no digest to tell.
        Assert.NotEqual(New("RegistryTagDetail", "a", "i1", "T1", "sha256:a"), New("RegistryTagDetail", "a", "i1", "T1", "sha256:b"));
        Assert.Equal(New("RegistryTag", "a", "i1", "T1", null), New("RegistryTag", "a", "i1", "T1", "sha256:b"));
        Assert.Equal(New("RegistryRepository", "a", "i1"), New("RegistryRepository", "a", "i1"));
        Assert.True(LanguagePrimitives.Compare(New("RegistryRepository", "a", "i2"), New("RegistryRepository", "a", "i10")) < 0);
        Assert.Throws<ArgumentException>(() => ((IComparable)New("RegistryRepository", "a", "i2")).CompareTo("i2"));
    }

    [Fact]
    public void A_list_is_to_scripts_what_an_array_is()
    {
        using var session = new ModuleSession();
        var tag = OutputTypes.Extreme(OutputTypes.Named("RegistryTagDetail"));
        Assert.Equal("12 12 linux/386 windows/arm64 True 12", session.Invoke(
            "'{0} {1} {2} {3} {4} {5}' -f $tag.Platform.Count, $tag.Platform.Length, $tag.Platform[0], $tag.Platform[-1], ($tag.Platform -contains 'linux/s390x'), @($tag.Platform | ForEach-Object { $_ }).Count", ("tag", tag)).Succeed().Output[0].ToString());
        Assert.Equal("3", session.Invoke("function Count-It([string[]]$Text) { $Text.Count }; Count-It $tags.Tags", ("tags", OutputTypes.Extreme(OutputTypes.Named("RegistryManifestRemoval")))).Succeed().Output[0].ToString());
        Assert.Equal(string.Join(", ", OutputTypes.ManyPlatforms), tag.GetType().GetProperty("Platform")!.GetValue(tag)!.ToString());
        Assert.Throws<NotSupportedException>(() => ((System.Collections.IList)tag.GetType().GetProperty("Platform")!.GetValue(tag)!).Clear());
    }

    [Fact]
    public void Labels_are_found_by_their_name()
    {
        using var session = new ModuleSession();
        var image = OutputTypes.Extreme(OutputTypes.Named("RegistryImage"));
        Assert.Equal("a title a title", session.Invoke("$image.Labels['org.opencontainers.image.title'] + ' ' + $image.Labels.'org.opencontainers.image.title'", ("image", image)).Succeed().Output[0].ToString());
        Assert.StartsWith("org.opencontainers.image.title=a title, odd=", image.GetType().GetProperty("Labels")!.GetValue(image)!.ToString());
    }

    private static bool IsList(Type type) => type.IsGenericType && type.GetGenericTypeDefinition().FullName == "RegistryTools.PowerShell.RegistryList`1";

    private static object New(string type, params object?[] arguments) => Activator.CreateInstance(OutputTypes.Named(type), BindingFlags.NonPublic | BindingFlags.Instance, null, arguments, null)!;
}
