using System.Globalization;
using RegistryTools.Host.Embedded;

namespace RegistryTools.Host.CommandLine;

/// <summary>What the host was started to do.</summary>
public enum HostMode
{
    /// <summary>Show the module at work on a registry of samples.</summary>
    Tour,

    /// <summary>Run commands given as text.</summary>
    Command,

    /// <summary>Run a script.</summary>
    File,

    /// <summary>Read commands from a prompt.</summary>
    Interactive,

    /// <summary>Only serve a registry.</summary>
    Serve,

    /// <summary>Say how it is used.</summary>
    Help,
}

/// <summary>The command line can't be understood.</summary>
/// <param name="message">What is wrong with it.</param>
public sealed class UsageException(string message) : Exception(message);

/// <summary>
/// The command line, in PowerShell's style: names without regard to case, shortened as long as they stay unambiguous, with one hyphen or
/// two; <c>-Command</c> and <c>-File</c> take all that follows them.
/// </summary>
public sealed class HostArguments
{
    private static readonly string[] Names =
    [
        "Behave", "Command", "EndWithInput", "File", "Help", "Interactive", "ModulePath", "NonInteractive", "Seed", "Serve", "StoragePath", "Width", "WithRegistry",
    ];

    /// <summary>What to do.</summary>
    public HostMode Mode { get; private set; } = HostMode.Tour;

    /// <summary>The text of <c>-Command</c>; "-" reads it from the input.</summary>
    public string? Command { get; private set; }

    /// <summary>The script of <c>-File</c>.</summary>
    public string? File { get; private set; }

    /// <summary>What the script is given.</summary>
    public IReadOnlyList<string> FileArguments { get; private set; } = [];

    /// <summary>The port of <c>-Serve</c>; 0 takes a free one.</summary>
    public int Port { get; private set; }

    /// <summary>How the embedded registry behaves: one of <see cref="EmbeddedRegistryOptions.Names"/>.</summary>
    public string Behaviour { get; private set; } = "2.8";

    /// <summary>Whether <c>-Serve</c> writes the samples into what it serves.</summary>
    public bool Seed { get; private set; }

    /// <summary>Whether <c>-Serve</c> ends when its input does.</summary>
    public bool EndWithInput { get; private set; }

    /// <summary>The directory that <c>-Serve</c> serves; null, with the samples alone, for one that goes with the server.</summary>
    public string? StoragePath { get; private set; }

    /// <summary>The width to format for; null follows the window.</summary>
    public int? Width { get; private set; }

    /// <summary>The module to import instead of the staged one.</summary>
    public string? ModulePath { get; private set; }

    /// <summary>Whether a registry of samples is to be started beside the session.</summary>
    public bool WithRegistry { get; private set; }

    /// <summary>Whether to ask nothing even where someone could answer.</summary>
    public bool NonInteractive { get; private set; }

    /// <summary>Reads a command line.</summary>
    /// <param name="args">The arguments.</param>
    /// <exception cref="UsageException">It can't be understood.</exception>
    public static HostArguments Parse(IReadOnlyList<string> args)
    {
        ArgumentNullException.ThrowIfNull(args);
        var parsed = new HostArguments();
        string? mode = null;
        bool behaves = false;
        for (int i = 0; i < args.Count; i++)
        {
            string name = NameOf(args[i]);
            switch (name)
            {
                case "Help":
                    parsed.Mode = HostMode.Help;
                    return parsed;
                case "Command":
                    parsed.SetMode(HostMode.Command, name, ref mode);
                    parsed.Command = Rest(name, args, i + 1);
                    return parsed.Checked(behaves);
                case "File":
                    parsed.SetMode(HostMode.File, name, ref mode);
                    parsed.File = Value(name, "the path of a script", args, ref i);
                    parsed.FileArguments = [.. args.Skip(i + 1)];
                    return parsed.Checked(behaves);
                case "Interactive":
                    parsed.SetMode(HostMode.Interactive, name, ref mode);
                    break;
                case "Serve":
                    parsed.SetMode(HostMode.Serve, name, ref mode);
                    parsed.Port = Number(name, "a port", Value(name, "a port", args, ref i), 0, 65535);
                    break;
                case "StoragePath":
                    parsed.StoragePath = Value(name, "a directory", args, ref i);
                    break;
                case "Behave":
                    string behaviour = Value(name, "a behaviour", args, ref i).ToLowerInvariant();
                    if (!EmbeddedRegistryOptions.Names.Contains(behaviour))
                        throw new UsageException($"-Behave needs one of {string.Join(", ", EmbeddedRegistryOptions.Names)}, not '{args[i]}'.");
                    parsed.Behaviour = behaviour;
                    behaves = true;
                    break;
                case "Seed":
                    parsed.Seed = true;
                    break;
                case "EndWithInput":
                    parsed.EndWithInput = true;
                    break;
                case "Width":
                    parsed.Width = Number(name, "a number of columns", Value(name, "a number of columns", args, ref i), 20, 10_000);
                    break;
                case "ModulePath":
                    parsed.ModulePath = Value(name, "a module manifest or its directory", args, ref i);
                    break;
                case "WithRegistry":
                    parsed.WithRegistry = true;
                    break;
                case "NonInteractive":
                    parsed.NonInteractive = true;
                    break;
            }
        }
        return parsed.Checked(behaves);
    }

    private static string NameOf(string argument)
    {
        if (argument is "-?" or "/?")
            return "Help";
        string typed = argument.StartsWith("--", StringComparison.Ordinal) ? argument[2..] : argument.StartsWith('-') ? argument[1..] : "";
        if (typed.Length == 0)
            throw new UsageException($"'{argument}' is no option of this host.");
        string[] matches = [.. Names.Where(n => n.StartsWith(typed, StringComparison.OrdinalIgnoreCase))];
        return matches.FirstOrDefault(n => n.Equals(typed, StringComparison.OrdinalIgnoreCase)) ?? matches switch
        {
            [var only] => only,
            [] => throw new UsageException($"'{argument}' is no option of this host."),
            _ => throw new UsageException($"'{argument}' could be {string.Join(" or ", matches.Select(n => "-" + n))}."),
        };
    }

    private static string Value(string name, string what, IReadOnlyList<string> args, ref int i)
    {
        if (i + 1 >= args.Count)
            throw new UsageException($"-{name} needs {what}.");
        return args[++i];
    }

    private static string Rest(string name, IReadOnlyList<string> args, int from)
    {
        if (from >= args.Count)
            throw new UsageException($"-{name} needs commands to run, or - to read them from the input.");
        return string.Join(' ', args.Skip(from));
    }

    private static int Number(string name, string what, string text, int least, int most) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most
            ? number
            : throw new UsageException($"-{name} needs {what} from {least} to {most}, not '{text}'.");

    private void SetMode(HostMode mode, string name, ref string? already)
    {
        if (already is not null)
            throw new UsageException(already == name ? $"-{name} is given twice." : $"-{already} and -{name} exclude each other.");
        already = name;
        Mode = mode;
    }

    private HostArguments Checked(bool behaves)
    {
        if (Mode == HostMode.Serve && StoragePath is null && !Seed)
            throw new UsageException("-Serve needs -StoragePath, the directory to serve, or -Seed to serve nothing but samples.");
        if (Mode != HostMode.Serve && Seed)
            throw new UsageException("-Seed goes with -Serve.");
        if (Mode != HostMode.Serve && EndWithInput)
            throw new UsageException("-EndWithInput goes with -Serve.");
        if (Mode != HostMode.Serve && !WithRegistry && behaves)
            throw new UsageException("-Behave goes with -Serve or -WithRegistry.");
        if (Mode != HostMode.Serve && StoragePath is not null)
            throw new UsageException("-StoragePath goes with -Serve.");
        if (WithRegistry && Mode is not (HostMode.Command or HostMode.File or HostMode.Interactive))
            throw new UsageException(Mode == HostMode.Tour ? "-WithRegistry goes with -Command, -File or -Interactive; the tour has a registry anyway." : "-WithRegistry doesn't go with -Serve.");
        if (NonInteractive && Mode == HostMode.Interactive)
            throw new UsageException("-Interactive and -NonInteractive exclude each other.");
        return this;
    }
}
