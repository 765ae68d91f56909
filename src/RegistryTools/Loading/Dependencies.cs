using System.Reflection;
#if NET
using System.Runtime.Loader;
#endif

namespace RegistryTools.PowerShell.Loading;

/// <summary>
/// Finds the core and what it depends on in <c>dependencies/</c> beside this assembly, where no other module's copies can meet them.
/// Several runspaces of a process may have the module imported: the hook stays until the last of them has removed it.
/// </summary>
internal static class Dependencies
{
    // The second is loaded by what works on containers, and not before.
    private static readonly string[] Own = ["RegistryTools.Core", "RegistryTools.Containers"];
    private static readonly object Gate = new();
    private static readonly string Folder = Path.Combine(Path.GetDirectoryName(typeof(Dependencies).Assembly.Location)!, "dependencies");
    private static int _imports;

    private static bool IsOwn(string? name) => Array.Exists(Own, own => string.Equals(own, name, StringComparison.OrdinalIgnoreCase));

    public static void Attach()
    {
        lock (Gate)
        {
            if (_imports++ == 0) Hook();
        }
    }

    public static void Detach()
    {
        lock (Gate)
        {
            if (_imports > 0 && --_imports == 0) Unhook();
        }
    }

#if NET
    // Made once for the process: the types of a second context would not be those that this assembly is already bound to.
    private static readonly CoreLoadContext Context = new();

    private static void Hook() => AssemblyLoadContext.Default.Resolving += Resolve;

    private static void Unhook() => AssemblyLoadContext.Default.Resolving -= Resolve;

    private static Assembly? Resolve(AssemblyLoadContext context, AssemblyName name) =>
        IsOwn(name.Name) ? Context.LoadFromAssemblyName(name) : null;

    private sealed class CoreLoadContext() : AssemblyLoadContext("RegistryTools")
    {
        protected override Assembly? Load(AssemblyName assemblyName)
        {
            var path = Path.Combine(Folder, assemblyName.Name + ".dll");
            return File.Exists(path) ? LoadFromAssemblyPath(path) : null;
        }
    }
#else
    private static readonly Dictionary<string, Assembly> Loaded = new(StringComparer.OrdinalIgnoreCase);

    private static void Hook() => AppDomain.CurrentDomain.AssemblyResolve += Resolve;

    private static void Unhook() => AppDomain.CurrentDomain.AssemblyResolve -= Resolve;

    // The .NET Framework binds exact versions, and a module can't bring binding redirects: whatever version of these one of ours asks
    // for, it gets the file that is shipped. LoadFile keeps it apart from what other modules loaded under the same name.
    private static Assembly? Resolve(object? sender, ResolveEventArgs args)
    {
        var name = new AssemblyName(args.Name);
        if (name.Name is null || !(IsOwn(name.Name) || IsOurs(args.RequestingAssembly))) return null;
        lock (Loaded)
        {
            if (Loaded.TryGetValue(name.Name, out var assembly)) return assembly;
            var path = Path.Combine(Folder, name.Name + ".dll");
            if (!File.Exists(path)) return null;
            assembly = Assembly.LoadFile(path);
            Loaded[name.Name] = assembly;
            return assembly;
        }
    }

    private static bool IsOurs(Assembly? assembly)
    {
        if (assembly is null || assembly.IsDynamic) return false;
        if (assembly == typeof(Dependencies).Assembly) return true;
        return string.Equals(Path.GetDirectoryName(assembly.Location), Folder, StringComparison.OrdinalIgnoreCase);
    }
#endif
}
