using System.Management.Automation;
using RegistryTools.Errors;
using RegistryTools.Inspection;
using RegistryTools.Manifests;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;
using RegistryTools.References;

namespace RegistryTools.PowerShell;

/// <summary>The base of the cmdlets that read manifests, which are named by tag, by digest, by reference, or by a piped object.</summary>
public abstract class ManifestQueryCmdlet : RepositoryQueryCmdlet
{
    /// <summary>The tags. Wildcards are taken, and case counts. Without a tag and a digest, all tags of the repository are read.</summary>
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    [Alias("Name")]
    [AllowNull]
    [AllowEmptyCollection]
    [AllowEmptyString]
    [SupportsWildcards]
    [NameTransformation]
    [ArgumentCompleter(typeof(TagCompleter))]
    public string[]? Tag { get; set; }

    /// <summary>
    /// The digests of manifests, such as <c>sha256:4c1d…</c>. A piped object that has a tag and a digest is asked for by its digest, so that what is read is what was listed.
    /// </summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [AllowNull]
    [AllowEmptyCollection]
    [AllowEmptyString]
    [ArgumentCompleter(typeof(DigestCompleter))]
    public string[]? Digest { get; set; }

    /// <summary>The platform to choose from an index, such as linux/amd64 or linux/arm64/v8.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(PlatformCompleter))]
    public string? Platform { get; set; }

    /// <summary>The platform that was asked for, read; null where none was.</summary>
    private protected Platform? Wanted { get; private set; }

    private protected sealed override void Begin()
    {
        if (Platform is null) return;
        try
        {
            Wanted = Manifests.Platform.Parse(Platform);
        }
        catch (ReferenceFormatException error)
        {
            ThrowTerminatingError(ErrorRecords.From(error, new ErrorSubject(Platform)));
        }
    }

    private protected sealed override void Process() => ForEachRepository(Find);

    /// <summary>Reads one manifest. <paramref name="tag"/> is the tag that led to it, where one did; <paramref name="reference"/> is what to ask the registry for.</summary>
    private protected abstract void Read(Query query, string? tag, string reference);

    private void Find(Query query)
    {
        var digests = Digest?.Where(text => !string.IsNullOrEmpty(text)).ToArray() ?? [];
        var tags = Tag?.Where(text => !string.IsNullOrEmpty(text)).ToArray() ?? [];
        if (query.Digest is not null)
        {
            Read(query, query.Tag, query.Digest.ToString());
            return;
        }

        if (digests.Length > 0)
        {
            foreach (var text in digests)
            {
                if (References.Digest.TryParse(text, out var digest)) Read(query, tags.Length == 1 && digests.Length == 1 ? tags[0] : null, digest.ToString());
                else WriteInvalid(() => References.Digest.Parse(text), query, text);
            }

            return;
        }

        if (query.Tag is not null)
        {
            Read(query, query.Tag, query.Tag);
            return;
        }

        foreach (var tag in tags.Length == 0 ? ["*"] : tags)
        {
            if (WildcardPattern.ContainsWildcardCharacters(tag))
            {
                var pattern = WildcardPattern.Get(tag, WildcardOptions.None);
                TryStream(
                    query.Subject(),
                    token => TagList.ReadAsync(query.Connection.Handle, query.Repository, pattern.IsMatch, null, token),
                    found => Read(query, found, found),
                    $"Reading manifests of {query.Repository}");
            }
            else if (TagName.IsValid(tag))
            {
                Read(query, tag, tag);
            }
            else
            {
                WriteInvalid(() => TagName.Validate(tag), query, tag);
            }
        }
    }

    private void WriteInvalid(Action parse, Query query, string text)
    {
        try
        {
            parse();
        }
        catch (ReferenceFormatException error)
        {
            WriteFailure(error, query.Subject(text, text));
        }
    }
}
