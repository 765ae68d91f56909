namespace RegistryTools.Help.Sources;

/// <summary>Something that is wrong in what the help is made of, and where.</summary>
internal sealed class HelpSourceException(string file, int line, string message) : Exception(message)
{
    public string File { get; } = file;

    public int Line { get; } = line;
}
