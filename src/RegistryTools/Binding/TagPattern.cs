using System.Collections;
using System.Management.Automation;
using RegistryTools.Errors;
using RegistryTools.References;
using RegistryTools.Usage;

namespace RegistryTools.PowerShell.Binding;

/// <summary>Tags as a user names them: <c>repository:tag</c>, each with wildcards, or an object that has a repository and a tag. Without a tag, all of the repository's.</summary>
internal sealed class TagPattern
{
    private TagPattern(string text, string repository, string? tag, string? registry, bool isLiteral)
    {
        Text = text;
        Registry = registry;
        Repository = !isLiteral && WildcardPattern.ContainsWildcardCharacters(repository) ? repository : RepositoryName.Normalize(repository, out _);
        RepositoryPattern = Repository == repository && !isLiteral && WildcardPattern.ContainsWildcardCharacters(repository) ? WildcardPattern.Get(repository, WildcardOptions.IgnoreCase) : null;
        TagIsPattern = !isLiteral && tag is not null && WildcardPattern.ContainsWildcardCharacters(tag);
        Tag = tag is null || TagIsPattern ? tag : TagName.Validate(tag);
    }

    /// <summary>What the user gave.</summary>
    public string Text { get; }

    /// <summary>The registry that an object came from; null where none is told.</summary>
    public string? Registry { get; }

    /// <summary>The repository, or the pattern of it.</summary>
    public string Repository { get; }

    /// <summary>The pattern; null where a repository is named.</summary>
    public WildcardPattern? RepositoryPattern { get; }

    private string? Tag { get; }

    private bool TagIsPattern { get; }

    /// <summary>Reads what was given.</summary>
    /// <exception cref="ReferenceFormatException">It names no tags.</exception>
    public static TagPattern Read(object? value)
    {
        var wrapped = PSObject.AsPSObject(value ?? string.Empty);
        if (wrapped.BaseObject is string text) return FromText(text.Trim());
        var repository = Property(wrapped, "Repository");
        if (string.IsNullOrEmpty(repository)) throw new ReferenceFormatException(wrapped.ToString(), $"'{wrapped}' names no tags: it is neither a reference nor has it a Repository.");
        var tag = Property(wrapped, "Tag") ?? Property(wrapped, "Name");
        return new TagPattern(wrapped.ToString(), repository!, string.IsNullOrEmpty(tag) ? null : tag, Property(wrapped, "Registry"), isLiteral: true);
    }

    /// <summary>The same without a registry before the repository, where that is this one.</summary>
    public TagPattern On(string registry) => Text.StartsWith(registry + "/", StringComparison.OrdinalIgnoreCase) && Repository.StartsWith(registry + "/", StringComparison.OrdinalIgnoreCase) ? FromText(Text.Substring(registry.Length + 1)) : this;

    /// <summary>The tags of a measured registry that are meant. What is named without wildcards is among them though it is not there.</summary>
    public IEnumerable<TagSelection> Select(StorageMeasurement measured)
    {
        var repositories = RepositoryPattern is null ? [Repository] : measured.Repositories.Select(static usage => usage.Repository!).Where(name => RepositoryPattern.IsMatch(name));
        var pattern = TagIsPattern ? WildcardPattern.Get(Tag, WildcardOptions.None) : null;
        foreach (var repository in repositories)
        {
            // A tag that is named is looked for in all the repositories that are like the pattern: most will not have it.
            if (Tag is null || (!TagIsPattern && RepositoryPattern is null)) yield return new TagSelection(repository, Tag);
            else foreach (var name in measured.TagNames(repository).Where(name => pattern is null ? name == Tag : pattern.IsMatch(name))) yield return new TagSelection(repository, name);
        }
    }

    private static TagPattern FromText(string text)
    {
        if (text.IndexOf('@') >= 0) throw new ReferenceFormatException(text, $"'{text}' names a manifest, not a tag: expected repository:tag.");
        var colon = text.LastIndexOf(':');
        return colon > text.LastIndexOf('/') ? new TagPattern(text, text.Substring(0, colon), text.Substring(colon + 1), null, false) : new TagPattern(text, text, null, null, false);
    }

    private static string? Property(PSObject value, string name)
    {
        var found = value.BaseObject is IDictionary dictionary ? dictionary.Contains(name) ? dictionary[name] : null : value.Properties[name]?.Value;
        return found is null ? null : PSObject.AsPSObject(found).ToString();
    }
}
