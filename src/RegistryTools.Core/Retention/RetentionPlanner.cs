using System.Globalization;
using RegistryTools.Errors;
using RegistryTools.Inspection;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Text;

namespace RegistryTools.Retention;

/// <summary>What a policy comes to for one repository.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Entry">The policy's entry that applies.</param>
/// <param name="Decisions">Every tag, and what becomes of it.</param>
public sealed record RepositoryRetention(string Repository, RetentionPolicyEntry Entry, IReadOnlyList<RetentionDecision> Decisions)
{
    /// <summary>How many tags go.</summary>
    public int Removed { get; } = Decisions.Count(static decision => decision.IsRemoved);
}

/// <summary>Plans what a policy removes, in every repository, before any of it is removed.</summary>
public sealed class RetentionPlanner(IRegistry registry, RetentionPolicy policy, DateTimeOffset now, int throttleLimit, IActivityLog log)
{
    private const string Activity = "Planning retention";

    /// <summary>
    /// Plans for all repositories. A repository that can't be listed ends it: what is not seen is not decided on, and a part of a plan is no plan. One that the catalog lists and that is not there is passed over. A tag that can't be read is kept.
    /// </summary>
    /// <exception cref="RegistryRequestException">The registry does not list its repositories, or the tags of one.</exception>
    /// <exception cref="RetentionException">A regular expression takes too long.</exception>
    public async Task<IReadOnlyList<RepositoryRetention>> PlanAsync(CancellationToken cancellationToken)
    {
        var plans = new List<RepositoryRetention>();
        var repositories = await RepositoriesAsync(cancellationToken).ConfigureAwait(false);
        foreach (var repository in repositories)
        {
            log.Progress(Activity, repository, plans.Count, repositories.Count);
            if (policy.Find(repository) is not { } entry) log.Verbose($"No entry of the policy is for '{repository}': it is left alone.");
            else if (await DecideAsync(repository, entry, cancellationToken).ConfigureAwait(false) is { } decisions) plans.Add(new RepositoryRetention(repository, entry, decisions));
        }

        foreach (var entry in policy.Entries)
        {
            // An entry that was meant to spare more, below one that is for everything.
            if (repositories.Exists(entry.IsFor) && !repositories.Exists(repository => policy.Find(repository) == entry)) log.Warning($"The entries before '{entry.Name}' apply to every repository that it is for: it has no effect.");
        }

        return plans;
    }

    /// <summary>
    /// Sees that plans are within limits, of all and of each repository. Without a percentage, no repository may lose all its tags.
    /// </summary>
    /// <exception cref="RetentionLimitException">They are not: nothing must be removed.</exception>
    public static void CheckLimits(IReadOnlyList<RepositoryRetention> plans, int? maximumRemoval, double? maximumPercent)
    {
        var removed = plans.Sum(static plan => plan.Removed);
        var tags = plans.Sum(static plan => plan.Decisions.Count);
        if (removed > maximumRemoval) throw Beyond($"The policy would remove {removed} tags, and {maximumRemoval} at most are allowed.");
        foreach (var plan in plans)
        {
            var all = plan.Decisions.Count;
            if (plan.Removed == 0) continue;
            if (maximumPercent is null && plan.Removed == all) throw Beyond($"The policy would remove all {all} tags of '{plan.Repository}' ('{plan.Entry.Name}').", "If that is meant: -MaximumPercent 100, or maximumPercent in the policy.");
            if (100.0 * plan.Removed / all > maximumPercent) throw Beyond($"The policy would remove {plan.Removed} of {all} tags of '{plan.Repository}' ('{plan.Entry.Name}'), and {Percent(maximumPercent)} at most are allowed.");
        }

        if (tags > 0 && 100.0 * removed / tags > maximumPercent) throw Beyond($"The policy would remove {removed} of {tags} tags, and {Percent(maximumPercent)} at most are allowed.");
    }

    private static string Percent(double? value) => string.Format(CultureInfo.InvariantCulture, "{0:0.##} %", value);

    private static RetentionLimitException Beyond(string message, string? remedy = null) => new(message + " Nothing was removed.", remedy ?? "Look at the plan with -WhatIf; raise the limit if it is right.");

    private async Task<List<string>> RepositoriesAsync(CancellationToken cancellationToken)
    {
        var patterns = policy.Entries.SelectMany(static entry => entry.Repositories).ToList();
        if (!patterns.Exists(Wildcard.IsPattern)) return [.. patterns.Select(RepositoryName.Validate).Distinct(StringComparer.Ordinal)];
        var found = new List<string>();
        await foreach (var repository in registry.ListRepositoriesAsync(cancellationToken).ConfigureAwait(false)) found.Add(repository);

        // What is named letter for letter is meant, though the catalog may not show it.
        found.AddRange(patterns.Where(static pattern => !Wildcard.IsPattern(pattern)));
        return [.. found.Distinct(StringComparer.Ordinal)];
    }

    // What the list has twice, as one that is read in pages while something is pushed may, is one tag.
    private static async IAsyncEnumerable<string> OnceAsync(IAsyncEnumerable<string> names)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var name in names.ConfigureAwait(false))
        {
            if (seen.Add(name)) yield return name;
        }
    }

    /// <summary>Decides on a repository's tags; null where the catalog alone knows of it.</summary>
    private async Task<IReadOnlyList<RetentionDecision>?> DecideAsync(string repository, RetentionPolicyEntry entry, CancellationToken cancellationToken)
    {
        try
        {
            return await DecideOnAllAsync(repository, entry, cancellationToken).ConfigureAwait(false);
        }
        catch (RegistryNotFoundException exception) when (!policy.Entries.Any(named => named.Repositories.Contains(repository)))
        {
            // Whose last tag is gone is in the catalog for ever, and that must not end every night's run.
            log.Verbose($"The catalog lists '{repository}', and it has no tags: {exception.Message}");
            return null;
        }
    }

    private async Task<IReadOnlyList<RetentionDecision>> DecideOnAllAsync(string repository, RetentionPolicyEntry entry, CancellationToken cancellationToken)
    {
        var selector = new RetentionSelector(entry.Rules, now);
        var tags = new List<RetentionTag>();
        var unread = new List<RetentionDecision>();
        var names = OnceAsync(TagList.ReadAsync(registry, repository, cancellationToken: cancellationToken));
        if (entry.Rules.NeedsDetail)
        {
            await foreach (var detail in new TagInspector(registry, throttleLimit, log).InspectAsync(repository, names, cancellationToken).ConfigureAwait(false))
            {
                var tag = new RetentionTag(detail.Tag, detail.Created, detail.Tagged) { IsPlaceholder = detail.IsPlaceholder, Item = detail };
                if (detail.Error is RegistryDownException or RegistryUnauthorizedException) throw detail.Error;
                if (detail.Error is null) tags.Add(tag);
                else unread.Add(new RetentionDecision(tag, false, "Unreadable", $"it can't be read: {detail.Error.Message}", null));
            }
        }
        else
        {
            await foreach (var name in names.ConfigureAwait(false)) tags.Add(new RetentionTag(name));
        }

        return [.. selector.Select(tags), .. unread];
    }
}
