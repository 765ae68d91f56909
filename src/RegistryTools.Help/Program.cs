using RegistryTools.Help.Sources;
using RegistryTools.Help.Writing;

namespace RegistryTools.Help;

/// <summary>Makes the help. The build calls it with three arguments; without any it brings docs/cmdlets up to date.</summary>
internal static class Program
{
    private const string Usage = """
        Makes the help of the cmdlets, out of their XML documentation and src/RegistryTools/Help.

          RegistryTools.Help                              writes docs/cmdlets anew, from what the last build made
          RegistryTools.Help ASSEMBLY SOURCES OUTPUT      what the build calls: MAML and Markdown into OUTPUT
        """;

    public static int Main(string[] arguments)
    {
        try
        {
            switch (arguments)
            {
                case []:
                    Update();
                    return 0;
                case [var assembly, var sources, var output]:
                    Make(assembly, sources, output);
                    return 0;
                default:
                    Console.Error.WriteLine(Usage);
                    return 2;
            }
        }
        catch (HelpSourceException error)
        {
            // In the form in which the build takes it for an error with a place.
            Console.Error.WriteLine($"{error.File}({error.Line}): error RTHELP: {error.Message}");
            return 1;
        }
    }

    private static void Make(string assembly, string sources, string output)
    {
        using var source = new CmdletSource(assembly);
        var help = source.Read(sources);
        Directory.CreateDirectory(output);
        var pages = MarkdownWriter.Write(help);
        var directory = Directory.CreateDirectory(Path.Combine(output, "cmdlets")).FullName;
        Write(directory, pages);
        File.WriteAllText(Path.Combine(output, Path.GetFileName(assembly) + "-Help.xml"), MamlWriter.Write(help, Directory.GetFiles(sources, "*.provider.xml").Order(StringComparer.Ordinal).Select(static file => System.Xml.Linq.XElement.Load(file))));
    }

    private static void Update()
    {
        var root = FindRoot();
        var made = Path.Combine(root, "out", "help", "cmdlets");
        var pages = Directory.GetFiles(made, "*.md").ToDictionary(static file => Path.GetFileName(file), File.ReadAllText, StringComparer.Ordinal);
        var directory = Directory.CreateDirectory(Path.Combine(root, "docs", "cmdlets")).FullName;
        var changed = Write(directory, pages);
        Console.WriteLine($"{pages.Count} pages in docs/cmdlets, {changed} of them changed.");
    }

    /// <summary>Writes what has changed and removes what is no page any more; gives how many files that were.</summary>
    private static int Write(string directory, IReadOnlyDictionary<string, string> pages)
    {
        var changed = 0;
        foreach (var stale in Directory.GetFiles(directory, "*.md").Where(file => !pages.ContainsKey(Path.GetFileName(file))))
        {
            File.Delete(stale);
            changed++;
        }

        foreach (var (name, text) in pages)
        {
            var path = Path.Combine(directory, name);
            if (File.Exists(path) && File.ReadAllText(path) == text) continue;
            File.WriteAllText(path, text);
            changed++;
        }

        return changed;
    }

    private static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "RegistryTools.sln"))) return directory.FullName;
        }

        throw new DirectoryNotFoundException("This is not run from within the repository.");
    }
}
