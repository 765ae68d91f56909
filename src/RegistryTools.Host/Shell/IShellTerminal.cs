namespace RegistryTools.Host.Shell;

/// <summary>
/// What the shell reads from and writes to: the process's own console, or something in its place. Everything that depends on whether a
/// person sits there is asked of it, so that the host is the same in a terminal, in a build log and in a test.
/// </summary>
public interface IShellTerminal
{
    /// <summary>What is typed, or piped in.</summary>
    TextReader Input { get; }

    /// <summary>Standard output.</summary>
    TextWriter Output { get; }

    /// <summary>Standard error: errors and progress.</summary>
    TextWriter Error { get; }

    /// <summary>Whether someone can type an answer.</summary>
    bool InputIsTerminal { get; }

    /// <summary>Whether the output is seen as it is written, rather than kept in a file or read by a program.</summary>
    bool OutputIsTerminal { get; }

    /// <summary>Whether standard error is seen as it is written.</summary>
    bool ErrorIsTerminal { get; }

    /// <summary>Whether escape sequences for colours may be written.</summary>
    bool UseColour { get; }

    /// <summary>The width of the window in characters, or null where there is none.</summary>
    int? WindowWidth { get; }

    /// <summary>The height of the window in lines, or null where there is none.</summary>
    int? WindowHeight { get; }

    /// <summary>Whether a key waits to be read; only where <see cref="InputIsTerminal"/> says so.</summary>
    bool KeyAvailable { get; }

    /// <summary>Reads one key; only where <see cref="InputIsTerminal"/> says so.</summary>
    /// <param name="intercept">Whether to keep the key from being shown.</param>
    ConsoleKeyInfo ReadKey(bool intercept);

    /// <summary>Has something called when Ctrl+C is pressed, on another thread, until what is returned is disposed of.</summary>
    /// <param name="handler">Says whether it dealt with it; where it did not, the process ends as it would without.</param>
    IDisposable OnInterrupt(Func<bool> handler);
}
