using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Text;

namespace RegistryTools.PowerShell.Drives;

/// <summary>
/// What a path below a drive's root may mean, by its words alone. <c>team/app</c> may be a repository, a namespace, or the tag <c>app</c> of <c>team</c>: a registry is asked which. A colon says that it is the
/// tag, <c>team:app</c> or, as the drive writes it, <c>team/:app</c>; a digest follows an @. Repositories are lower case, whatever was typed; tags keep their case.
/// </summary>
internal sealed class DrivePath
{
    private static readonly char[] Separators = ['/', '\\'];
    private static readonly char[] Marks = [':', '@'];

    private DrivePath(string text) => Text = text;

    /// <summary>The path as it was given, below the drive's root.</summary>
    public string Text { get; }

    /// <summary>Whether it is the root.</summary>
    public bool IsRoot => Container is null && Repository is null;

    /// <summary>The repository or namespace that it is, if it is one; null where it can be none.</summary>
    public string? Container { get; private set; }

    /// <summary>The repository of the tag or manifest that it is, if it is one; null where it can be none.</summary>
    public string? Repository { get; private set; }

    /// <summary>The tag that it is, if it is one; null where it can be none.</summary>
    public string? Tag { get; private set; }

    /// <summary>The digest that was given; null for none.</summary>
    public Digest? Digest { get; private set; }

    /// <summary>Whether it can be nothing but a tag or a manifest.</summary>
    public bool IsLeaf => Container is null && Repository is not null;

    /// <summary>Whether upper-case letters of <see cref="Container"/> were lowered.</summary>
    public bool ContainerWasLowered { get; private set; }

    /// <summary>Whether upper-case letters of <see cref="Repository"/> were lowered.</summary>
    public bool RepositoryWasLowered { get; private set; }

    /// <summary>The parts between the separators, of which there are two: / and \.</summary>
    public static string[] Split(string path) => path.Split(Separators, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>
    /// The parts of a path below a drive's root, as the drive writes them: a tag or digest that was typed behind its repository, <c>app:T1</c>, is a part of its own, <c>app/:T1</c>, so that the parent of
    /// every path is what it is in.
    /// </summary>
    public static List<string> Parts(string path)
    {
        var parts = new List<string>(Split(path));
        if (parts.Count == 0) return parts;
        var last = parts[parts.Count - 1];
        var mark = last.IndexOfAny(Marks);
        if (mark <= 0) return parts;
        parts[parts.Count - 1] = last.Substring(0, mark);
        parts.Add(last.Substring(mark));
        return parts;
    }

    /// <summary>Reads a path below a drive's root.</summary>
    /// <exception cref="ReferenceFormatException">It is the path of nothing that a registry could have.</exception>
    public static DrivePath Parse(string path)
    {
        var parts = Parts(path);
        var result = new DrivePath(string.Join("/", parts));
        if (parts.Count == 0) return result;
        var last = parts[parts.Count - 1];
        parts.RemoveAt(parts.Count - 1);
        var parent = string.Join("/", parts);
        if (last[0] is ':' or '@')
        {
            if (parts.Count == 0) throw new ReferenceFormatException(path, $"'{Shown.Short(path)}' names no repository: expected repository/:tag or repository/@digest.");
            result.Repository = RepositoryName.Normalize(parent, out var lowered);
            result.RepositoryWasLowered = lowered;
            var at = last.IndexOf('@');
            if (at >= 0)
            {
                result.Digest = Digest.Parse(last.Substring(at + 1));
                last = last.Substring(0, at);
            }

            if (last.Length == 0) return result;
            result.Tag = TagName.Validate(last.Substring(1));
            return result;
        }

        ReferenceFormatException? wrong = null;
        try
        {
            result.Container = RepositoryName.Normalize(parts.Count == 0 ? last : parent + "/" + last, out var lowered);
            result.ContainerWasLowered = lowered;
        }
        catch (ReferenceFormatException error) when (parts.Count > 0)
        {
            wrong = error;
        }

        if (parts.Count == 0) return result;
        if (wrong is not null && !TagName.IsValid(last)) throw wrong;
        if (TagName.IsValid(last))
        {
            result.Repository = RepositoryName.Normalize(parent, out var lowered);
            result.RepositoryWasLowered = lowered;
            result.Tag = last;
        }

        return result;
    }
}
