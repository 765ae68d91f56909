using System.Management.Automation;
using System.Runtime.CompilerServices;
using RegistryTools.Errors;
using RegistryTools.Inspection;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.Retention;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Chooses tags by the rules of retention: what it writes is what is to go.</summary>
[Cmdlet(VerbsCommon.Select, "RegistryTag")]
[OutputType(typeof(RegistryTag), typeof(RegistryTagDetail), typeof(RegistryTagDecision))]
public sealed class SelectRegistryTagCommand : RegistryCmdlet
{
    private readonly List<PSObject> _input = [];

    /// <summary>The tags, as <c>Get-RegistryTag</c> writes them. Dates that are needed and not there are looked up.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true)]
    [ValidateNotNull]
    public PSObject InputObject { get; set; } = null!;

    /// <summary>Chooses tags older than this: <c>30d</c>, <c>2w</c>, <c>12h</c> or a TimeSpan. A tag whose date can't be told is kept, and named in a warning.</summary>
    [Parameter]
    [AgeTransformation(IsLong = true)]
    public TimeSpan? OlderThan { get; set; }

    /// <summary>
    /// The date that counts, for <c>-OlderThan</c> and <c>-KeepLast</c>.
    /// <list type="bullet">
    /// <item><term>Created</term><description>When the image was built, as it says itself. What says 1970 or 1980, as reproducible builds do, has no date.</description></item>
    /// <item><term>Tagged</term><description>When the tag was written, which only a storage tells (<c>Connect-Registry -StoragePath</c>), and no registry over HTTP.</description></item>
    /// </list>
    /// </summary>
    [Parameter]
    [ValidateSet("Created", "Tagged")]
    public string By { get; set; } = "Created";

    /// <summary>
    /// Keeps so many of the newest of each repository, or of each group, of those that the rules on names choose. What is protected, and what has no date, is kept besides. Alone, it chooses the rest.
    /// </summary>
    [Parameter]
    [ValidateRange(1, int.MaxValue)]
    public int KeepLast { get; set; }

    /// <summary>
    /// A regular expression whose first group names the group that a tag is counted in by <c>-KeepLast</c> and <c>-KeepSemVer</c>, such as <c>'^(.*)-\d+$'</c>. A tag in no group is kept.
    /// </summary>
    /// <value>One group of all tags of a repository</value>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? GroupBy { get; set; }

    /// <summary>Chooses tags that this regular expression matches. Case counts.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Match { get; set; }

    /// <summary>Chooses tags that this regular expression does not match. Case counts.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? NotMatch { get; set; }

    /// <summary>
    /// Chooses tags that are versions within a range, such as <c>'&lt;1.4.0'</c>, <c>'>=1.2 &lt;2'</c>, <c>'^1.2.0 || ~2.1'</c>. What is no version, such as <c>latest</c> or <c>1.3</c>, is never chosen by it.
    /// </summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? SemVer { get; set; }

    /// <summary>
    /// Keeps the last versions, a prerelease only where nothing of its line was released. Alone, it chooses the other versions.
    /// <list type="bullet">
    /// <item><term>Latest</term><description>The highest version.</description></item>
    /// <item><term>LatestPatch</term><description>The highest version of each major.minor.</description></item>
    /// <item><term>LatestMinor</term><description>The highest version of each major.</description></item>
    /// </list>
    /// </summary>
    [Parameter]
    [ValidateSet("Latest", "LatestPatch", "LatestMinor")]
    public string? KeepSemVer { get; set; }

    /// <summary>The tags that stay whatever the other rules say. <c>*</c> and <c>?</c> are taken.</summary>
    [Parameter]
    [ValidateNotNull]
    [SupportsWildcards]
    [NameTransformation]
    public string[] Protect { get; set; } = [];

    /// <summary>Writes every tag, with what is to become of it and the rule that says so, in place of the tags that are chosen.</summary>
    [Parameter]
    public SwitchParameter Explain { get; set; }

    /// <summary>How many requests are under way at once, at most, where dates are looked up.</summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int ThrottleLimit { get; set; } = 8;

    private protected override void Process() => _input.Add(InputObject);

    private protected override void End()
    {
        // A method of its own, so that the core is there when it is made ready.
        SelectAll();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void SelectAll()
    {
        RetentionSelector selector;
        var rules = Rules();
        try
        {
            // A variable that is not there is no rule that is not given.
            if (OlderThan is null && MyInvocation.BoundParameters.ContainsKey(nameof(OlderThan))) throw new RetentionException("An age is given, and it is nothing.", "-OlderThan takes a TimeSpan, or such as 30d.");
            selector = new RetentionSelector(rules, DateTimeOffset.UtcNow);
        }
        catch (RetentionException error)
        {
            // Without good rules nothing is chosen, and whatever follows must not take that for an answer.
            ThrowTerminatingError(ErrorRecords.From(error, ErrorSubject.None));
            return;
        }

        var groups = _input.GroupBy(static item => (Registry: Text(item, "Registry"), Repository: Text(item, "Repository"))).ToList();
        _input.Clear();
        foreach (var group in groups)
        {
            var (registry, repository) = group.Key;
            if (registry is null || repository is null || group.Any(static item => Text(item, "Name") is null && Text(item, "Tag") is null))
            {
                WriteError(ErrorRecords.Create(ErrorRecords.InvalidArgument, ErrorCategory.InvalidType, "What was piped is no tag: it has no registry, repository or name.", "Pipe what Get-RegistryTag writes.", new ErrorSubject(group.First())));
                continue;
            }

            Select(selector, rules, registry, repository, [.. group]);
        }
    }

    private void Select(RetentionSelector selector, RetentionRules rules, string registry, string repository, List<PSObject> items)
    {
        var subject = new ErrorSubject(repository, registry, repository);
        var tags = new List<RetentionTag>(items.Count);
        var bare = items.Where(static item => item.Properties["Created"] is null).ToList();
        var details = new Dictionary<string, TagDetail>(StringComparer.Ordinal);
        if (rules.NeedsDetail && bare.Count > 0 && !TryLookUp(subject, registry, repository, bare, details)) return;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var item in items)
        {
            var name = (Text(item, "Name") ?? Text(item, "Tag"))!;
            if (!seen.Add(name)) continue;
            if (details.TryGetValue(name, out var detail))
            {
                if (detail.Error is { } error) WriteFailure(error, new ErrorSubject(repository + ":" + name, registry, repository, name));
                else tags.Add(new RetentionTag(name, detail.Created, detail.Tagged) { IsPlaceholder = detail.IsPlaceholder, Item = detail });
            }
            else
            {
                tags.Add(new RetentionTag(name, Date(item, "Created"), Date(item, "Tagged")) { IsPlaceholder = item.Properties["IsPlaceholder"]?.Value is true, Item = item });
            }
        }

        IReadOnlyList<RetentionDecision> decisions;
        try
        {
            decisions = selector.Select(tags, Explain);
        }
        catch (RetentionException error)
        {
            WriteFailure(error, subject);
            return;
        }

        Warn(repository, decisions);
        foreach (var decision in decisions)
        {
            if (Explain) WriteObject(RegistryTagDecision.From(decision, registry, repository, null));
            else if (decision.IsRemoved) WriteObject(decision.Tag.Item is TagDetail detail ? Outputs.Tag(registry, repository, detail) : decision.Tag.Item);
        }
    }

    /// <summary>What is kept since its date can't be told is named, and where that is all, so is the way out.</summary>
    private void Warn(string repository, IReadOnlyList<RetentionDecision> decisions)
    {
        var unknown = decisions.Where(static decision => decision.HasUnknownDate).ToList();
        if (unknown.Count == 0) return;
        var named = string.Join(", ", unknown.Take(5).Select(static decision => decision.Tag.Tag)) + (unknown.Count > 5 ? $" and {unknown.Count - 5} more" : string.Empty);
        var all = unknown.Count == decisions.Count && By == "Tagged" ? " Over HTTP no registry tells when a tag was written: -By Created, or work on its storage." : string.Empty;
        WriteWarning($"{unknown.Count} tag(s) of '{repository}' are kept since their date ({By}) can't be told: {named}.{all}");
    }

    private bool TryLookUp(ErrorSubject subject, string registry, string repository, List<PSObject> items, Dictionary<string, TagDetail> details)
    {
        if (!TryConnect(RegistryConnection.FromText(registry), out var connection)) return false;
        var names = items.ConvertAll(static item => (Text(item, "Name") ?? Text(item, "Tag"))!);
        var inspector = new TagInspector(connection.Handle, ThrottleLimit, ActivityRouter.Log);
        return TryStream(subject, token => inspector.InspectAsync(repository, TagList.FromNames(names), token), detail => details[detail.Tag] = detail, $"Looking up the dates of {repository}");
    }

    private RetentionRules Rules() => new()
    {
        OlderThan = OlderThan,
        By = By.Equals("Tagged", StringComparison.OrdinalIgnoreCase) ? RetentionDate.Tagged : RetentionDate.Created,
        KeepLast = MyInvocation.BoundParameters.ContainsKey(nameof(KeepLast)) ? KeepLast : null,
        GroupBy = GroupBy,
        Match = Match,
        NotMatch = NotMatch,
        SemVer = SemVer,
        KeepSemVer = Enum.TryParse<VersionLine>(KeepSemVer, ignoreCase: true, out var line) ? line : null,
        Protect = Protect,
    };

    private static string? Text(PSObject item, string name) => item.Properties[name]?.Value?.ToString() is { Length: > 0 } text ? text : null;

    private static DateTimeOffset? Date(PSObject item, string name) => item.Properties[name]?.Value switch
    {
        null => null,
        DateTimeOffset time => time,
        var other => LanguagePrimitives.TryConvertTo<DateTimeOffset>(other, System.Globalization.CultureInfo.InvariantCulture, out var time) ? time : null,
    };
}
