using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Reflection;

namespace RegistryTools.Cmdlets.Tests;

/// <summary>The conventions of the house, held by reflection over the module as it is loaded.</summary>
public sealed class ConventionTests
{
    private static readonly string[] Mutating = ["Remove", "Restore", "Set", "New", "Add", "Copy", "Move", "Clear", "Invoke", "Publish", "Update"];
    private static readonly IReadOnlyList<Type> Types = Load();
    private static readonly IReadOnlyList<Type> Cmdlets = [.. Types.Where(type => !type.IsAbstract && typeof(Cmdlet).IsAssignableFrom(type))];

    public static TheoryData<string> CmdletNames()
    {
        var names = new TheoryData<string>();
        foreach (var type in Cmdlets) names.Add(type.Name);
        return names;
    }

    [Theory]
    [MemberData(nameof(CmdletNames))]
    public void A_cmdlet_is_named_and_declared_as_the_house_does_it(string name)
    {
        var type = Cmdlets.Single(cmdlet => cmdlet.Name == name);
        var attribute = type.GetCustomAttribute<CmdletAttribute>()!;
        Assert.True(type.IsSealed);
        Assert.Equal(attribute.VerbName + attribute.NounName + "Command", type.Name);
        Assert.Equal("RegistryTools.PowerShell.Commands", type.Namespace);
        Assert.Contains(attribute.VerbName, ApprovedVerbs());
        Assert.StartsWith("Registry", attribute.NounName, StringComparison.Ordinal);
        Assert.False(attribute.NounName.EndsWith('s'), "A noun is singular.");
        Assert.NotEmpty(type.GetCustomAttributes<OutputTypeAttribute>());
        Assert.True(File.Exists(Path.Combine(ModuleSession.Root, "src", "RegistryTools", "Commands", type.Name + ".cs")), "A file per command.");
        if (Mutating.Contains(attribute.VerbName)) Assert.True(attribute.SupportsShouldProcess, "What changes something asks ShouldProcess.");
    }

    [Theory]
    [MemberData(nameof(CmdletNames))]
    public void A_parameter_is_named_as_users_expect(string name)
    {
        var type = Cmdlets.Single(cmdlet => cmdlet.Name == name);
        foreach (var property in type.GetProperties().Where(property => property.GetCustomAttributes<ParameterAttribute>().Any()))
        {
            Assert.True(char.IsUpper(property.Name[0]), property.Name);
            if (property.PropertyType == typeof(bool)) Assert.Fail($"{property.Name} is a bool: a switch is a SwitchParameter.");
            if (property.Name is "Registry" or "Repository" or "Reference" or "Tag" or "Digest" or "Platform" or "RunId") Assert.NotNull(property.GetCustomAttribute<ArgumentCompleterAttribute>());
            if (property.Name == "Name" && type.Name != "ConnectRegistryCommand") Assert.NotNull(property.GetCustomAttribute<ArgumentCompleterAttribute>());
            if (property.GetCustomAttributes<ParameterAttribute>().Any(parameter => parameter.ValueFromPipelineByPropertyName)) Assert.True(property.CanWrite, property.Name);
        }
    }

    [Theory]
    [MemberData(nameof(CmdletNames))]
    public void A_parameter_that_takes_names_does_not_take_numbers_for_them(string name)
    {
        var type = Cmdlets.Single(cmdlet => cmdlet.Name == name);
        foreach (var property in type.GetProperties().Where(property => property.GetCustomAttributes<ParameterAttribute>().Any()))
        {
            var isConnection = type.Name.EndsWith("RegistryConnectionCommand", StringComparison.Ordinal) || type.Name == "ConnectRegistryCommand";
            if (isConnection || property.Name is not ("Repository" or "Tag" or "Name" or "Reference" or "Protect")) continue;
            Assert.True(property.GetCustomAttributesData().Any(attribute => attribute.AttributeType.Name == "NameTransformationAttribute"), property.Name);
        }
    }

    [Theory]
    [MemberData(nameof(CmdletNames))]
    public void No_parameter_takes_a_secret_as_plain_text(string name)
    {
        var type = Cmdlets.Single(cmdlet => cmdlet.Name == name);
        foreach (var property in type.GetProperties().Where(property => property.GetCustomAttributes<ParameterAttribute>().Any()))
        {
            if (!new[] { "Password", "Secret", "Token", "Credential" }.Any(word => property.Name.EndsWith(word, StringComparison.OrdinalIgnoreCase))) continue;
            Assert.True(property.PropertyType == typeof(System.Security.SecureString) || property.PropertyType == typeof(PSCredential) || property.PropertyType == typeof(SwitchParameter), property.Name);
        }
    }

    [Fact]
    public void The_manifest_exports_what_there_is()
    {
        using var session = new ModuleSession();
        var exported = session.Invoke($"(Import-PowerShellDataFile '{ModuleSession.Manifest}').CmdletsToExport");
        var names = exported.Errors.Count == 0
            ? exported.Output.Select(item => item.ToString()).ToList()
            : [.. session.Invoke("(Get-Module RegistryTools).ExportedCmdlets.Keys").Succeed().Output.Select(item => item.ToString())];
        var declared = Cmdlets.Select(type => type.GetCustomAttribute<CmdletAttribute>()!).Select(attribute => attribute.VerbName + "-" + attribute.NounName);
        Assert.Equal(declared.Order(StringComparer.Ordinal), names.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void No_public_type_shows_or_inherits_a_type_of_the_core()
    {
        foreach (var type in Types.Where(type => type.IsVisible))
        {
            Check(type.BaseType, type.FullName!);
            foreach (var contract in type.GetInterfaces()) Check(contract, type.FullName!);
            const BindingFlags all = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
            foreach (var method in type.GetMethods(all).Cast<MethodBase>().Concat(type.GetConstructors(all)).Where(method => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly))
            {
                var where = type.FullName + "." + method.Name;
                if (method is MethodInfo info) Check(info.ReturnType, where);
                foreach (var parameter in method.GetParameters()) Check(parameter.ParameterType, where);
            }

            foreach (var field in type.GetFields(all).Where(field => field.IsPublic || field.IsFamily)) Check(field.FieldType, type.FullName + "." + field.Name);
        }

        static void Check(Type? type, string where)
        {
            if (type is null) return;
            Assert.False(type.Assembly.GetName().Name == "RegistryTools.Core", $"{where} shows {type.FullName}.");
            foreach (var argument in type.GetGenericArguments()) Check(argument, where);
            if (type.HasElementType) Check(type.GetElementType(), where);
        }
    }

    [Fact]
    public void No_type_at_all_inherits_or_implements_a_type_of_the_core()
    {
        foreach (var type in Types)
        {
            for (var ancestor = type.BaseType; ancestor is not null; ancestor = ancestor.BaseType) Assert.NotEqual("RegistryTools.Core", ancestor.Assembly.GetName().Name);
            foreach (var contract in type.GetInterfaces()) Assert.NotEqual("RegistryTools.Core", contract.Assembly.GetName().Name);
        }
    }

    [Fact]
    public void Every_output_type_has_a_table_and_a_list()
    {
        var views = File.ReadAllText(Path.Combine(Path.GetDirectoryName(ModuleSession.Manifest)!, "format", "RegistryTools.Format.ps1xml"));
        var document = System.Xml.Linq.XDocument.Parse(views);
        var kinds = document.Descendants("View")
            .Select(view => (Type: view.Descendants("TypeName").First().Value, Control: view.Elements().Last().Name.LocalName))
            .ToList();
        var outputs = new HashSet<Type>(Cmdlets.SelectMany(type => type.GetCustomAttributes<OutputTypeAttribute>()).SelectMany(attribute => attribute.Type).Select(name => name.Type!).Where(type => type.Assembly == Cmdlets[0].Assembly));
        Assert.NotEmpty(outputs);
        foreach (var type in outputs)
        {
            Assert.Contains((type.FullName!, "TableControl"), kinds);
            Assert.Contains((type.FullName!, "ListControl"), kinds);
        }

        foreach (var (type, _) in kinds) Assert.Contains(type, Types.Select(known => known.FullName));
    }

    private static HashSet<string> ApprovedVerbs()
    {
        var verbs = new HashSet<string>();
        foreach (var group in new[] { typeof(VerbsCommon), typeof(VerbsCommunications), typeof(VerbsData), typeof(VerbsDiagnostic), typeof(VerbsLifecycle), typeof(VerbsSecurity), typeof(VerbsOther) })
        {
            foreach (var field in group.GetFields()) verbs.Add((string)field.GetValue(null)!);
        }

        return verbs;
    }

    private static ReadOnlyCollection<Type> Load()
    {
        using var session = new ModuleSession();
        session.Invoke("Get-RegistryTag i1").Fail("NotConnected");
        var assembly = AppDomain.CurrentDomain.GetAssemblies().Single(candidate => candidate.GetName().Name == "RegistryTools");
        return assembly.GetTypes().AsReadOnly();
    }
}
