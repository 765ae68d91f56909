using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Reflection;
using System.Runtime.Loader;

namespace RegistryTools.Help.Sources;

/// <summary>The cmdlets as they were built, with what their XML documentation and their help files say.</summary>
internal sealed class CmdletSource : IDisposable
{
    private readonly Context _context;
    private readonly Assembly _assembly;
    private readonly XmlDocumentation _documentation;

    /// <param name="assembly">The cmdlet assembly, with its XML documentation and all that it needs beside it.</param>
    public CmdletSource(string assembly)
    {
        var path = Path.GetFullPath(assembly);
        _context = new Context(Path.GetDirectoryName(path)!);
        _assembly = _context.LoadFromAssemblyPath(path);
        _documentation = new XmlDocumentation(Path.ChangeExtension(path, ".xml"));
    }

    /// <summary>Reads it all.</summary>
    /// <param name="helpFiles">The directory of the help files.</param>
    /// <exception cref="HelpSourceException">A help file is not as it should be.</exception>
    public ModuleHelp Read(string helpFiles)
    {
        var types = _assembly.GetExportedTypes().Where(static type => !type.IsAbstract && type.GetCustomAttribute<CmdletAttribute>() is not null).ToList();
        var cmdlets = types.Select(type => Cmdlet(type, helpFiles)).OrderBy(static cmdlet => cmdlet.Name, StringComparer.Ordinal).ToList();
        foreach (var file in Directory.GetFiles(helpFiles, "*.md"))
        {
            if (!cmdlets.Exists(cmdlet => cmdlet.Name == Path.GetFileNameWithoutExtension(file))) throw new HelpSourceException(file, 1, "There is no such cmdlet.");
        }

        return new ModuleHelp(cmdlets, Types(types));
    }

    public void Dispose() => _context.Unload();

    private CmdletHelp Cmdlet(Type type, string helpFiles)
    {
        var attribute = type.GetCustomAttribute<CmdletAttribute>()!;
        var file = HelpFile.Read(Path.Combine(helpFiles, attribute.VerbName + "-" + attribute.NounName + ".md"));
        var instance = Activator.CreateInstance(type)!;
        try
        {
            var parameters = type.GetProperties().Where(static property => property.IsDefined(typeof(ParameterAttribute))).Select(property => Parameter(property, instance, file)).ToList();
            foreach (var stale in file.Parameters.Keys.Where(name => !parameters.Exists(parameter => parameter.Name.Equals(name, StringComparison.OrdinalIgnoreCase))))
            {
                throw new HelpSourceException(Path.Combine(helpFiles, file.Name + ".md"), 1, $"{file.Name} has no parameter -{stale}.");
            }

            if (attribute.SupportsShouldProcess) parameters.AddRange(ShouldProcess());
            var sets = parameters.SelectMany(static parameter => parameter.Uses).Select(static use => use.Set).Append(attribute.DefaultParameterSetName).OfType<string>().Where(static set => set != ParameterUse.AllSets).Distinct().Order(StringComparer.Ordinal).ToList();
            return new CmdletHelp
            {
                Verb = attribute.VerbName,
                Noun = attribute.NounName,
                Synopsis = _documentation.Summary(type),
                Description = file.Description,
                Sets = sets.Count == 0 ? [ParameterUse.AllSets] : [.. sets.OrderBy(set => set != attribute.DefaultParameterSetName)],
                HasDefaultSet = attribute.DefaultParameterSetName is not null && sets.Count > 1,
                Parameters = [.. parameters.OrderBy(static parameter => parameter.Name, StringComparer.Ordinal)],
                Examples = file.Examples,
                Inputs = file.Inputs,
                Outputs = [.. Outputs(type).Select(output => file.Outputs.FirstOrDefault(note => note.Type == output) ?? new TypeNote(output, string.Empty)), .. file.Outputs.Where(note => !Outputs(type).Contains(note.Type))],
                Notes = file.Notes,
                Links = file.Links,
            };
        }
        finally
        {
            (instance as IDisposable)?.Dispose();
        }
    }

    private ParameterHelp Parameter(PropertyInfo property, object instance, HelpFile file)
    {
        var type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        var element = type.IsArray ? type.GetElementType()! : type;
        var described = _documentation.Values(property);
        var values = property.GetCustomAttribute<ValidateSetAttribute>() is { } set
            ? set.ValidValues.Select(value => new AcceptedValue(value, described.GetValueOrDefault(value)))
            : element.IsEnum ? element.GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => new AcceptedValue(field.Name, _documentation.Summary(field) is { Length: > 0 } text ? text : null)) : [];
        return new ParameterHelp
        {
            Name = property.Name,
            Type = type.Name,
            Description = file.Parameters.GetValueOrDefault(property.Name) ?? _documentation.Description(property),
            Uses = [.. property.GetCustomAttributes<ParameterAttribute>().Select(static use => new ParameterUse(use.ParameterSetName, use.Mandatory, use.Position == int.MinValue ? null : use.Position, use.ValueFromPipeline, use.ValueFromPipelineByPropertyName))],
            Aliases = [.. property.GetCustomAttributes<AliasAttribute>().SelectMany(static alias => alias.AliasNames).Order(StringComparer.Ordinal)],
            TakesWildcards = property.IsDefined(typeof(SupportsWildcardsAttribute)),
            Default = _documentation.Value(property) ?? Default(property.GetValue(instance), type),
            Values = [.. values],
            Range = property.GetCustomAttribute<ValidateRangeAttribute>() is { MinRange: { } least, MaxRange: { } most } ? Range(least, most) : null,
        };
    }

    private static string Range(object least, object most) => (least, most) switch
    {
        (int from, int.MaxValue) => string.Create(CultureInfo.InvariantCulture, $"{from} or more"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{least} to {most}"),
    };

    // What a property has from the start, and the same as if it had nothing, is not something that counts: it says so in its <value> where it does.
    private static string Default(object? value, Type type) => value switch
    {
        SwitchParameter => "False",
        null or "" => "None",
        IList { Count: 0 } => "None",
        IList list => string.Join(", ", list.Cast<object>()),
        TimeSpan age => age == TimeSpan.Zero ? "None" : Age(age),
        _ when type.IsValueType && value.Equals(Activator.CreateInstance(type)) => "None",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string Age(TimeSpan age) =>
        age.Ticks % TimeSpan.TicksPerDay == 0 ? FormattableString.Invariant($"{age.TotalDays}d") : age.Ticks % TimeSpan.TicksPerHour == 0 ? FormattableString.Invariant($"{age.TotalHours}h") : age.ToString("c", CultureInfo.InvariantCulture);

    private static IEnumerable<ParameterHelp> ShouldProcess() =>
    [
        Common("Confirm", "cf", "Asks before each act, whatever `$ConfirmPreference` says; `-Confirm:$false` asks nothing."),
        Common("WhatIf", "wi", "Tells what would be done and does nothing: not one request that writes is sent, and no file is changed."),
    ];

    private static ParameterHelp Common(string name, string alias, string text) => new()
    {
        Name = name,
        Type = "SwitchParameter",
        Description = [new Paragraph(text)],
        Uses = [new ParameterUse(ParameterUse.AllSets, false, null, false, false)],
        Aliases = [alias],
        Default = "False",
    };

    private static List<string> Outputs(Type type) => [.. type.GetCustomAttributes<OutputTypeAttribute>().SelectMany(static attribute => attribute.Type).Select(static name => name.Type == typeof(void) ? "None" : name.Name).Distinct()];

    private List<TypeHelp> Types(IEnumerable<Type> cmdlets)
    {
        var known = new HashSet<Type>();
        var open = new Queue<Type>(cmdlets.SelectMany(static type => type.GetCustomAttributes<OutputTypeAttribute>()).SelectMany(static attribute => attribute.Type).Select(static name => name.Type).OfType<Type>());
        while (open.TryDequeue(out var type))
        {
            if (typeof(System.Collections.IEnumerable).IsAssignableFrom(type))
            {
                // Of a list what is in it is told of.
                foreach (var part in type.IsArray ? [type.GetElementType()!] : type.GetGenericArguments()) open.Enqueue(part);
                continue;
            }

            if (type.Assembly != _assembly || !known.Add(type) || type.IsEnum) continue;
            foreach (var property in type.GetProperties()) open.Enqueue(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType);
        }

        return [.. known.OrderBy(static type => type.Name, StringComparer.Ordinal).Select(Type)];
    }

    private TypeHelp Type(Type type)
    {
        IEnumerable<MemberInfo> members = type.IsEnum ? type.GetFields(BindingFlags.Public | BindingFlags.Static) : type.GetProperties();
        return new TypeHelp(type.Name, type.FullName!, _documentation.Summary(type), type.IsEnum, [.. members.OrderBy(static member => member.MetadataToken).Select(member => new MemberHelp(member.Name, member is PropertyInfo property ? Shown(property.PropertyType) : string.Empty, _documentation.Summary(member)))]);
    }

    private static bool IsCollection(Type type) => type != typeof(string) && typeof(System.Collections.IEnumerable).IsAssignableFrom(type) && !type.IsArray;

    private static string Shown(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } value) return value.Name;
        if (IsCollection(type) && type.GetGenericArguments() is [var item]) return Shown(item) + "[]";
        return type.IsGenericType ? type.Name[..type.Name.IndexOf('`', StringComparison.Ordinal)] + "<" + string.Join(", ", type.GetGenericArguments().Select(Shown)) + ">" : type.Name;
    }

    private sealed class Context(string directory) : AssemblyLoadContext("cmdlets", isCollectible: true)
    {
        protected override Assembly? Load(AssemblyName assemblyName)
        {
            // The engine's attributes must be those that this program knows.
            if (assemblyName.Name == "System.Management.Automation") return null;
            var path = Path.Combine(directory, assemblyName.Name + ".dll");
            return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
        }
    }
}
