using System.Management.Automation;
using System.Runtime.CompilerServices;
using RegistryTools.Deletion;
using RegistryTools.Errors;
using RegistryTools.Inspection;
using RegistryTools.Journal;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.Retention;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Applies a retention policy from a file to the repositories of a registry.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "RegistryRetention", SupportsShouldProcess = true, ConfirmImpact = ConfirmImpact.Medium)]
[OutputType(typeof(RegistryTagDecision))]
public sealed class InvokeRegistryRetentionCommand : RegistryTargetCmdlet
{
    private const int MaximumFile = 1024 * 1024;

    /// <summary>The policy's file: JSON, by <c>schemas/retention-policy.schema.json</c>.</summary>
    [Parameter(Mandatory = true, Position = 0)]
    [ValidateNotNullOrEmpty]
    public string Policy { get; set; } = string.Empty;

    /// <summary>How many tags may be removed at most: beyond it none is. It goes before what the policy says.</summary>
    /// <value>What the policy says</value>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int MaximumRemoval { get; set; }

    /// <summary>How many of a hundred tags may be removed at most, of each repository and of all: beyond it none is. It goes before what the policy says.</summary>
    /// <value>What the policy says; where it says nothing, no repository may lose all its tags</value>
    [Parameter]
    [ValidateRange(0.0, 100.0)]
    public double MaximumPercent { get; set; }

    /// <summary>Writes the tags that stay as well.</summary>
    [Parameter]
    public SwitchParameter Explain { get; set; }

    /// <summary>How many requests are under way at once, at most.</summary>
    [Parameter]
    [ValidateRange(1, 64)]
    public int ThrottleLimit { get; set; } = 8;

    private protected override void Process() => Apply();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Apply()
    {
        var subject = new ErrorSubject(Policy);
        if (ReadPolicy(subject) is not { } policy || !TryConnect(Registry, out var connection)) return;
        var place = new ErrorSubject(Policy, connection.Name);
        var planner = new RetentionPlanner(connection.Handle, policy, DateTimeOffset.UtcNow, ThrottleLimit, ActivityRouter.Log);
        if (!TryRun(place, planner.PlanAsync, out var plans, "Planning retention")) return;
        foreach (var plan in plans) Warn(plan);
        RetentionLimitException? beyond = null;
        try
        {
            RetentionPlanner.CheckLimits(
                plans,
                MyInvocation.BoundParameters.ContainsKey(nameof(MaximumRemoval)) ? MaximumRemoval : policy.MaximumRemoval,
                MyInvocation.BoundParameters.ContainsKey(nameof(MaximumPercent)) ? MaximumPercent : policy.MaximumPercent);
        }
        catch (RetentionLimitException error)
        {
            beyond = error;
            WriteFailure(error, place);
        }

        // What is beyond the limits is shown all the same where only a plan was asked for: that is how one finds out why.
        if (beyond is not null && !IsWhatIf()) return;
        var journal = RemovalJournal.ForUser();
        using var remover = new TagRemover(connection.Handle, journal, new TagRemoverOptions { ThrottleLimit = ThrottleLimit, Log = ActivityRouter.Log });
        using var hold = Hold(remover);
        using var all = Whole("Removing tags", "tag", plans.Sum(static plan => plan.Removed));
        foreach (var plan in plans)
        {
            if (Explain) foreach (var kept in plan.Decisions.Where(static decision => !decision.IsRemoved)) WriteObject(RegistryTagDecision.From(kept, connection.Name, plan.Repository, plan.Entry.Name));
            if (plan.Removed == 0) continue;
            var chosen = plan.Decisions.Where(static decision => decision.IsRemoved).ToList();
            if (ShouldProcess($"{connection.Name}/{plan.Repository}", $"Remove {plan.Removed} of {plan.Decisions.Count} tags by '{plan.Entry.Name}'")) Remove(connection, remover, plan, chosen, all);
            else if (IsWhatIf()) foreach (var decision in chosen) WriteObject(RegistryTagDecision.From(decision, connection.Name, plan.Repository, plan.Entry.Name));
        }
    }

    private void Remove(RegistryConnection connection, TagRemover remover, RepositoryRetention plan, List<RetentionDecision> chosen, ProgressDisplay.Part all)
    {
        for (var start = 0; start < chosen.Count; start += TagRemover.MaximumBatch)
        {
            var portion = chosen.GetRange(start, Math.Min(TagRemover.MaximumBatch, chosen.Count - start));

            // A tag that was pushed anew since it was judged is another: its digest tells.
            var requests = portion.ConvertAll(static decision => new TagRemovalRequest(decision.Tag.Tag, (decision.Tag.Item as TagDetail)?.Digest));
            if (!TryRun(new ErrorSubject(plan.Repository, connection.Name, plan.Repository), token => remover.RemoveAsync(plan.Repository, requests, token), out var removals, "Removing tags")) return;
            all.Done += portion.Count;
            var byTag = portion.ToDictionary(static decision => decision.Tag.Tag, StringComparer.Ordinal);
            foreach (var removal in removals)
            {
                var record = RegistryTagRemoval.From(removal, connection.Name);
                if (removal.Error is { } error) WriteFailure(error, new ErrorSubject(record, connection.Name, plan.Repository, removal.Tag));
                WriteObject(RegistryTagDecision.From(byTag[removal.Tag], connection.Name, plan.Repository, plan.Entry.Name, removal.State == RemovalState.Removed ? "Removed" : "Failed"));
            }
        }
    }

    private void Warn(RepositoryRetention plan)
    {
        foreach (var group in plan.Decisions.Where(static decision => decision.HasUnknownDate || decision.Rule == "Unreadable").GroupBy(static decision => decision.Rule))
        {
            var tags = group.Select(static decision => decision.Tag.Tag).ToList();
            WriteWarning($"{tags.Count} tag(s) of '{plan.Repository}' are kept since {(group.Key == "Unreadable" ? "they can't be read" : "their date can't be told")}: {string.Join(", ", tags.Take(5))}{(tags.Count > 5 ? $" and {tags.Count - 5} more" : string.Empty)}.");
        }
    }

    private RetentionPolicy? ReadPolicy(ErrorSubject subject)
    {
        try
        {
            var path = FileSystemPath(Policy);
            if (new FileInfo(path) is { Exists: true, Length: > MaximumFile }) throw new IOException("It is larger than any policy.");
            var policy = RetentionPolicy.Parse(File.ReadAllBytes(path), out var errors);
            foreach (var error in errors) WriteFailure(error, subject);
            return policy;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or StorageNotFoundException)
        {
            WriteError(ErrorRecords.Create(ErrorRecords.PolicyNotFound, ErrorCategory.ReadError, $"The policy '{Policy}' can't be read: {error.Message}", null, subject, error));
            return null;
        }
    }

    private bool IsWhatIf() => MyInvocation.BoundParameters.TryGetValue("WhatIf", out var bound)
        ? LanguagePrimitives.IsTrue(bound)
        : LanguagePrimitives.IsTrue(SessionState.PSVariable.GetValue("WhatIfPreference"));
}
