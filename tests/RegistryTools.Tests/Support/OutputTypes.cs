using System.Collections;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace RegistryTools.Cmdlets.Tests.Support;

/// <summary>The types that the cmdlets write, and objects of them that no registry gives: with nothing in them, and with more than fits anywhere.</summary>
public static class OutputTypes
{
    public const string LongTag = "v1.27.3-alpine3.20-20240131.1-1234567890abcdef1234567890abcdef12345678";
    public const string LongRepository = "team/quite-a-long-project-name/and-a-component/of-it";
    public const string Ipv6Registry = "[2001:db8:85a3::8a2e:370:7334]:5000";

    public static readonly string LongDigest = "sha512:" + string.Concat(Enumerable.Repeat("0123456789abcdef", 8));
    public static readonly string[] ManyPlatforms =
    [
        "linux/386", "linux/amd64", "linux/arm/v5", "linux/arm/v6", "linux/arm/v7", "linux/arm64/v8", "linux/mips64le", "linux/ppc64le", "linux/riscv64", "linux/s390x", "windows/amd64", "windows/arm64",
    ];

    /// <summary>The module's own assembly, loaded as it is for users.</summary>
    public static Assembly Assembly { get; } = Load();

    /// <summary>All of them: the public classes that carry values.</summary>
    public static IReadOnlyList<Type> All { get; } =
    [
        .. Assembly.GetExportedTypes()
            .Where(type => type is { IsClass: true, IsAbstract: false, IsGenericTypeDefinition: false, Namespace: "RegistryTools.PowerShell" })
            .Where(type => type.BaseType == typeof(object) && type.GetProperties().Length > 0)
            .OrderBy(type => type.Name, StringComparer.Ordinal),
    ];

    public static TheoryData<string> Names()
    {
        var names = new TheoryData<string>();
        foreach (var type in All) names.Add(type.Name);
        return names;
    }

    public static Type Named(string name) => All.Single(type => type.Name == name);

    public static IEnumerable<PropertyInfo> Properties(Type type) => type.GetProperties(BindingFlags.Public | BindingFlags.Instance);

    /// <summary>An object in which everything is null, zero or empty.</summary>
    public static object Empty(Type type) => Make(type, static (_, _) => null);

    /// <summary>An object in which everything is as long, as large and as odd as it may be.</summary>
    public static object Extreme(Type type) => Make(type, Extreme);

    private static object? Extreme(Type type, string name)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type == typeof(bool)) return name != "IsPlan";
        if (type == typeof(int)) return int.MaxValue;
        if (type == typeof(long)) return long.MaxValue;
        if (type == typeof(DateTimeOffset)) return DateTimeOffset.MaxValue;
        if (type == typeof(TimeSpan)) return TimeSpan.MaxValue;
        if (type == typeof(Uri)) return new Uri("https://" + Ipv6Registry + "/a/prefix/");
        if (type != typeof(string)) return null;
        return name switch
        {
            "Registry" or "RegistryName" or "RegistryLocation" => Ipv6Registry,
            "Repository" or "RepositoryName" => LongRepository,
            "Tag" or "Name" or "TagName" => LongTag,
            "Location" => "https://" + Ipv6Registry + "/a/prefix",
            "Platform" => "windows/amd64:10.0.20348.2227",
            "Kind" or "State" or "Method" or "Action" or "Rule" or "Result" or "Authentication" or "Severity" or "Scope" or "Cause" or "Catalog" or "Referrers" or "TagDelete" or "ManifestDelete" => "Unknown",
            "RunId" => "20240131T120000000Z-0123abcd",
            _ when name.EndsWith("Digest", StringComparison.Ordinal) => LongDigest,
            _ => "\u001b[31m" + name + " and\r\nmore of it, " + new string('x', 300),
        };
    }

    private static object Make(Type type, Func<Type, string, object?> value)
    {
        if (type.Name == "RegistryStorageFinding") return Finding(type, value);
        var made = RuntimeHelpers.GetUninitializedObject(type);
        foreach (var property in Properties(type))
        {
            if (type.GetField($"<{property.Name}>k__BackingField", BindingFlags.NonPublic | BindingFlags.Instance) is { } field) field.SetValue(made, Value(property, value));
        }

        // A manifest's size is that of its bytes.
        type.GetField("_bytes", BindingFlags.NonPublic | BindingFlags.Instance)?.SetValue(made, Array.Empty<byte>());
        return made;
    }

    private static object? Value(PropertyInfo property, Func<Type, string, object?> value)
    {
        var type = property.PropertyType;
        if (type.IsGenericType && type.Name.StartsWith("RegistryList", StringComparison.Ordinal))
        {
            var element = type.GetGenericArguments()[0];
            var isEmpty = value(typeof(string), property.Name) is null;
            var items = isEmpty ? [] : element == typeof(string) ? (property.Name == "Platform" ? ManyPlatforms : [LongTag, value(typeof(string), string.Empty) as string ?? string.Empty, "c"]) : Enumerable.Repeat(Make(element, value), 12).ToArray();
            var array = Array.CreateInstance(element, items.Length);
            items.CopyTo(array, 0);
            return Activator.CreateInstance(type, BindingFlags.NonPublic | BindingFlags.Instance, null, [array], null);
        }

        if (type.Name == "RegistryDictionary")
        {
            if (value(typeof(string), property.Name) is null) return type.GetField("None", BindingFlags.NonPublic | BindingFlags.Static)!.GetValue(null);
            var pairs = new Dictionary<string, string> { ["org.opencontainers.image.title"] = "a title", ["odd"] = "\u001b[31mred\n" };
            return Activator.CreateInstance(type, BindingFlags.NonPublic | BindingFlags.Instance, null, [pairs], null);
        }

        if (All.Contains(type)) return value(typeof(string), property.Name) is null ? null : Make(type, value);
        return value(type, property.Name) ?? (type == typeof(string) && !IsNullable(property) ? string.Empty : type.IsValueType && Nullable.GetUnderlyingType(type) is null ? Activator.CreateInstance(type) : null);
    }

    private static bool IsNullable(PropertyInfo property) => new NullabilityInfoContext().Create(property).ReadState == NullabilityState.Nullable;

    /// <summary>A finding of the core's in its wrapping.</summary>
    private static object Finding(Type type, Func<Type, string, object?> value)
    {
        var inner = type.GetProperty("Finding", BindingFlags.NonPublic | BindingFlags.Instance)!.PropertyType;
        var finding = RuntimeHelpers.GetUninitializedObject(inner);
        foreach (var property in Properties(inner))
        {
            if (inner.GetField($"<{property.Name}>k__BackingField", BindingFlags.NonPublic | BindingFlags.Instance) is not { } field) continue;
            if (property.PropertyType == typeof(string)) field.SetValue(finding, value(typeof(string), property.Name) ?? (IsNullable(property) ? null : string.Empty));
            else if (typeof(IEnumerable<string>).IsAssignableFrom(property.PropertyType)) field.SetValue(finding, value(typeof(string), "Tag") is string tag ? new List<string> { tag, tag } : []);
        }

        return Activator.CreateInstance(type, BindingFlags.NonPublic | BindingFlags.Instance, null, [finding, (string?)value(typeof(string), "StoragePath") ?? string.Empty], null)!;
    }

    private static Assembly Load()
    {
        using var session = new ModuleSession();
        session.Invoke("Get-RegistryTag i1").Fail("NotConnected");
        return AppDomain.CurrentDomain.GetAssemblies().Single(candidate => candidate.GetName().Name == "RegistryTools");
    }
}
