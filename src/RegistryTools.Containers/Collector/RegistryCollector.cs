using System.Text;
using System.Text.RegularExpressions;
using RegistryTools.Errors;
using RegistryTools.Manifests;
using RegistryTools.References;
using RegistryTools.Registries;
using RegistryTools.Text;
using RegistryTools.Threading;

namespace RegistryTools.Containers;

/// <summary>What the registry's own collector is going to do, and with what.</summary>
/// <param name="BinaryPath">The registry's program.</param>
/// <param name="Version">Its version as it tells it; null where it does not.</param>
/// <param name="ConfigPath">Its configuration.</param>
/// <param name="Report">What its dry run says.</param>
/// <param name="Needed">The manifests that it would delete although a tagged image needs them or they belong to one.</param>
/// <param name="Unread">Manifests that it would delete and that could not be read, so that what they belong to is not known.</param>
/// <param name="State">The container as it was found.</param>
public sealed record CollectorPlan(string BinaryPath, string? Version, string ConfigPath, CollectorReport Report, IReadOnlyList<CollectedManifest> Needed, IReadOnlyList<CollectedManifest> Unread, RuntimeState State)
{
    /// <summary>Whether it keeps the children of tagged indexes: 3.0 and later do.</summary>
    public bool KeepsChildren => System.Version.TryParse(Version, out var version) && version.Major >= 3;
}

/// <summary>
/// Runs <c>registry garbage-collect</c> where the registry runs: finds its program and configuration, looks at what it would delete before it does, keeps pushes away meanwhile, and sees to it that the registry serves again afterwards.
/// </summary>
public sealed class RegistryCollector(IRegistryRuntime runtime, QuiescenceNotes notes, RegistryCollectorOptions options)
{
    private const string Activity = "The registry's garbage collector";
    private static readonly string[] Binaries = ["/bin/registry", "/usr/bin/docker-registry", "/usr/local/bin/registry", "/usr/bin/registry", "registry"];
    private static readonly string[] Configs = ["/etc/docker/registry/config.yml", "/etc/distribution/config.yml"];
    private static readonly Regex VersionText = new(@"v?(\d+\.\d+\.\d+)", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
    private static readonly Regex RootDirectory = new(@"^\s*rootdirectory:\s*[""']?([^""'#\r\n]+?)[""']?\s*(?:#.*)?$", RegexOptions.CultureInvariant | RegexOptions.Multiline, TimeSpan.FromSeconds(1));

    private static readonly Regex Address = new(@"\baddr:\s*[""']?([\w.\-\[\]]*:\d+)", RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
    private string _config = string.Empty;

    // What did not answer before is not waited for afterwards: from in a container, or with an engine elsewhere, its address is another.
    private bool _answered = true;

    /// <summary>What an earlier session has left of this registry; null for nothing.</summary>
    public QuiescenceNote? Left => notes.Find(runtime.Key);

    /// <summary>The error that it is where what was left is no left-over, but another session at work; null where it is one.</summary>
    public CollectorFailedException? IsUnderWay(QuiescenceNote left) =>
        QuiescenceNotes.OwnerLives(left) is { } owner ? new CollectorFailedException($"Another collection of the {runtime.Name} is under way, in process {owner}: it was not interfered with.", "Wait for it to end.") : null;

    /// <summary>Brings back what an earlier session has left stopped.</summary>
    /// <exception cref="RegistryNotResumedException">That failed.</exception>
    public async Task MendAsync(QuiescenceNote left, CancellationToken cancellationToken)
    {
        if (IsUnderWay(left) is { } other) throw other;

        // Whether a session on another machine lives can't be seen from here; what it started can.
        if (left.Details.TryGetValue("machine", out var machine) && machine != Environment.MachineName && await runtime.IsCollectingAsync(left, cancellationToken).ConfigureAwait(false))
        {
            throw new CollectorFailedException($"Another collection of the {runtime.Name} is under way, begun on {Shown.Short(machine)}: it was not interfered with.", $"Wait for it to end. By hand, where it is known to be dead: {runtime.Mend(left)}");
        }

        await ResumeAsync(left, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Finds the collector, and lets it say what it would do. Nothing is changed.</summary>
    /// <exception cref="CollectorFailedException">There is no collector, or its dry run failed.</exception>
    /// <exception cref="RegistryRuntimeException">The container can't be asked.</exception>
    public async Task<CollectorPlan> PlanAsync(CancellationToken cancellationToken)
    {
        var state = await runtime.InspectAsync(cancellationToken).ConfigureAwait(false);
        if (!state.IsRunning || state.IsPaused) throw new RegistryContainerNotFoundException($"The {runtime.Name} does not run.", "Start it: its collector is run in it.");
        var (binary, version) = await FindBinaryAsync(state, cancellationToken).ConfigureAwait(false);
        var (config, text) = await FindConfigAsync(state, cancellationToken).ConfigureAwait(false);
        _config = text;
        options.Log.Verbose($"{runtime.Name} has {binary} ({version ?? "of an unknown version"}) with {config}.");
        var report = await RunAsync([binary, "garbage-collect", "--dry-run", .. Untagged, config], beside: false, cancellationToken).ConfigureAwait(false);
        if (!options.RemoveUntagged) return new CollectorPlan(binary, version, config, report, [], [], state);
        var (needed, unread) = await FindNeededAsync(report, RootOf(text, state), cancellationToken).ConfigureAwait(false);
        return new CollectorPlan(binary, version, config, report, needed, unread, state);
    }

    /// <summary>Why this must not be done, or null where nothing speaks against it.</summary>
    public CollectorUnsafeException? Refusal(CollectorPlan plan)
    {
        if (options.Force || (plan.Needed.Count == 0 && plan.Unread.Count == 0)) return null;
        var needed = plan.Needed.Count > 0;
        var manifests = needed ? plan.Needed : plan.Unread;
        var named = string.Join(", ", manifests.Take(5).Select(manifest => $"{manifest.Repository}@{manifest.Digest}")) + (manifests.Count > 5 ? $" and {manifests.Count - 5} more" : string.Empty);
        return new CollectorUnsafeException(
            needed
                ? $"The collector of {runtime.Name} ({plan.Version ?? "version unknown"}) would delete {manifests.Count} manifest(s) without a tag that images with a tag need, or that belong to them: {named}. It was not run."
                : $"{manifests.Count} manifest(s) without a tag could not be read, so that it is not known whether they belong to an image with a tag: {named}. The collector of {runtime.Name} was not run.",
            needed
                ? $"Leave out -RemoveUntagged, or {Native}: this module's collector keeps what images of several platforms and referrers need. -Force runs it all the same."
                : $"Connect to the registry and name it with -Registry, so that they can be read; or leave out -RemoveUntagged; or {Native}.",
            [.. manifests.Select(static manifest => $"{manifest.Repository}@{manifest.Digest}")]);
    }

    /// <summary>Does it.</summary>
    /// <exception cref="CollectorUnsafeException">It would delete what is needed.</exception>
    /// <exception cref="CollectorFailedException">It failed, or its connection was lost.</exception>
    /// <exception cref="RegistryNotResumedException">It was stopped for this and could not be brought back.</exception>
    public async Task<CollectorReport> CollectAsync(CollectorPlan plan, CancellationToken cancellationToken)
    {
        if (Refusal(plan) is { } refusal) throw refusal;
        string[] command = [plan.BinaryPath, "garbage-collect", .. Untagged, plan.ConfigPath];
        if (options.Quiesce == Quiescence.None)
        {
            if (options.Restart) CheckStorage(plan, "-Restart");
            var done = await RunAsync(command, beside: false, cancellationToken).ConfigureAwait(false);
            if (options.Restart && done.Blobs.Count + done.Manifests.Count > 0)
            {
                options.Log.Progress("Restarting the registry", runtime.Name, 0, null, string.Empty);
                _answered = await AnswersAsync(plan.State, cancellationToken).ConfigureAwait(false);
                await runtime.RestartAsync(cancellationToken).ConfigureAwait(false);
                await WaitUntilServesAsync(cancellationToken).ConfigureAwait(false);
            }

            return done;
        }

        if (!runtime.Quiescences.Contains(options.Quiesce)) throw new RegistryRuntimeException($"A registry in a {runtime.Name} can't be made quiet by {options.Quiesce}.", "There are: " + string.Join(", ", runtime.Quiescences) + ".");
        CheckStorage(plan, options.Quiesce.ToString());
        QuiescenceNote? written = null;
        _answered = await AnswersAsync(plan.State, cancellationToken).ConfigureAwait(false);
        try
        {
            options.Log.Progress("Making the registry quiet", $"{runtime.Name}, by {options.Quiesce}", 0, null, string.Empty);
            await runtime.QuiesceAsync(
                options.Quiesce,
                note =>
                {
                    var details = QuiescenceNotes.WithOwner(note.Details).ToDictionary(static pair => pair.Key, static pair => pair.Value, StringComparer.Ordinal);
                    details["answered"] = _answered ? "yes" : "no";
                    note = note with { Details = details };
                    notes.Write(note);
                    written = note;
                    return Task.CompletedTask;
                },
                cancellationToken).ConfigureAwait(false);
            options.Log.Verbose($"{runtime.Name} is quiet ({options.Quiesce}).");
            if (options.RemoveUntagged && !options.Force) CheckUnchanged(plan.Report, await RunAsync([plan.BinaryPath, "garbage-collect", "--dry-run", "-m", plan.ConfigPath], beside: true, cancellationToken).ConfigureAwait(false));
            var report = await RunAsync(command, beside: true, cancellationToken).ConfigureAwait(false);
            if (options.Quiesce == Quiescence.Stop && (await runtime.InspectAsync(cancellationToken).ConfigureAwait(false)).IsRunning)
            {
                options.Log.Warning($"The {runtime.Name} was stopped, and something else has started it again meanwhile, such as a service of systemd: what was pushed during the collection may lack layers. Test-RegistryStorage shows it.");
            }

            if (report.Repositories.Count == 0 && plan.Report.Repositories.Count > 0) throw new CollectorFailedException($"The collector beside the {runtime.Name} saw another storage than the registry's own: an empty one. Nothing was deleted.", "Its storage is on no volume. Leave out -Quiesce.");
            return report;
        }
        finally
        {
            // Whatever happened, and also where the user has stopped it: a registry that stays down is worse than any of that.
            if (written is not null)
            {
                using var limit = new CancellationTokenSource(options.ResumeTimeout + TimeSpan.FromSeconds(60));
                await ResumeAsync(written, limit.Token).ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Sees that the registry's storage is still there when it has been stopped, and can be seen from beside it. A pod's own disk, and an emptyDir, are gone with the pod, and so is a container that is run with --rm.
    /// </summary>
    private void CheckStorage(CollectorPlan plan, string what)
    {
        var state = plan.State;
        if (state.IsDeletedWhenStopped && options.Quiesce is Quiescence.Stop or Quiescence.ReadOnly)
        {
            throw new RegistryRuntimeException($"The {runtime.Name} is deleted, with its volumes, as soon as it stops (--rm): it was not stopped.", "Use -Quiesce Pause, or run the registry without --rm.");
        }

        // Where the configuration could not be read, the usual directory has to do.
        if (RootOf(_config, state) is not { } root)
        {
            if (_config.Length > 0) return;
            root = "/var/lib/registry";
        }

        var mount = state.Mounts.Where(candidate => MountedStorage.IsBelow(root, candidate.Destination)).OrderByDescending(static candidate => candidate.Destination.Length).FirstOrDefault();
        if (mount is { IsLasting: true }) return;
        if (mount is null && !state.ForgetsItself && options.Quiesce == Quiescence.None) return;
        throw new RegistryRuntimeException(
            state.ForgetsItself
                ? $"The storage of the {runtime.Name} ({root}) is on {(mount is null ? "no volume" : "a volume that ends with the pod")}: {what} would lose all of it. Nothing was done."
                : $"The storage of the {runtime.Name} ({root}) is on no volume, and can't be seen from beside it. Nothing was done.",
            state.ForgetsItself ? "Leave out -Quiesce and -Restart; and give the registry a volume that lasts." : "Leave out -Quiesce.");
    }

    /// <summary>Between its being looked at and its being quiet something may have been pushed: what was decided then holds for what there was then.</summary>
    private void CheckUnchanged(CollectorReport before, CollectorReport now)
    {
        var known = new HashSet<CollectedManifest>(before.Manifests);
        var marked = new HashSet<CollectedManifest>(before.Marked);
        var news = now.Needed.Concat(now.Manifests.Where(manifest => !known.Contains(manifest))).Concat(now.Marked.Where(manifest => !marked.Contains(manifest))).Distinct().ToList();
        if (news.Count == 0) return;
        throw new CollectorUnsafeException(
            $"Something was pushed to the {runtime.Name} while it was looked at, {news[0].Repository}@{news[0].Digest} for one. Its collector was not run.",
            "Run this again.",
            [.. news.Select(static manifest => $"{manifest.Repository}@{manifest.Digest}")]);
    }

    private string Native => runtime is DockerRuntime ? "use -Native" : "run Invoke-RegistryGarbageCollect -StoragePath (as -Native does for a container) where the volume is mounted";

    private IEnumerable<string> Untagged => options.RemoveUntagged ? ["-m"] : [];

    private async Task ResumeAsync(QuiescenceNote note, CancellationToken cancellationToken)
    {
        try
        {
            options.Log.Progress("Bringing the registry back", runtime.Name, 0, null, string.Empty);
            _answered = !note.Details.TryGetValue("answered", out var answered) || answered != "no";
            await runtime.ResumeAsync(note, cancellationToken).ConfigureAwait(false);
            await WaitUntilServesAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is RegistryToolsException or OperationCanceledException)
        {
            throw new RegistryNotResumedException($"The {runtime.Name} was made quiet ({note.How}) on {note.Time.ToLocalTime():g} and could not be brought back: {exception.Message}", $"By hand: {runtime.Mend(note)}", exception);
        }

        notes.Delete(note.Key);
        options.Log.Verbose($"{runtime.Name} is back.");
    }

    private async Task WaitUntilServesAsync(CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        var since = DateTimeOffset.UtcNow;
        var until = since + options.ResumeTimeout;
        while (true)
        {
            options.Log.Progress("Waiting for the registry to serve again", runtime.Name, (long)(DateTimeOffset.UtcNow - since).TotalSeconds, (long)options.ResumeTimeout.TotalSeconds, "second");
            var state = await runtime.InspectAsync(cancellationToken).ConfigureAwait(false);
            var addresses = AddressesOf(state);
            if (state.IsRunning && !state.IsPaused)
            {
                if (addresses.Count == 0) return;
                if (!_answered)
                {
                    options.Log.Warning($"The {runtime.Name} runs again. Whether it serves can't be seen from here: it did not answer at {string.Join(", ", addresses)} before either.");
                    return;
                }

                foreach (var address in addresses)
                {
                    if (await AnswersAsync(client, address, cancellationToken).ConfigureAwait(false)) return;
                }
            }

            if (DateTimeOffset.UtcNow > until)
            {
                throw new RegistryRuntimeException($"The {runtime.Name} {(state.IsRunning ? $"does not answer at {string.Join(", ", addresses)}" : "does not run")} {options.ResumeTimeout.TotalSeconds:0} s after it was started.", "Look at its log.");
            }

            await Task.Delay(250, cancellationToken).ConfigureAwait(false);
        }
    }

    private IReadOnlyList<string> AddressesOf(RuntimeState state) => state.Addresses.Count > 0 ? state.Addresses : state.SharesHostNetwork && AddressOf(state) is { } own ? [own] : [];

    private async Task<bool> AnswersAsync(RuntimeState state, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        foreach (var address in AddressesOf(state))
        {
            if (await AnswersAsync(client, address, cancellationToken).ConfigureAwait(false)) return true;
        }

        return false;
    }

    private string? AddressOf(RuntimeState state)
    {
        var text = state.Environment.TryGetValue("REGISTRY_HTTP_ADDR", out var set) ? set : Address.Match(_config) is { Success: true } match ? match.Groups[1].Value : null;
        return text is null || text.IndexOf(':') < 0 ? null : text.StartsWith(":", StringComparison.Ordinal) ? "127.0.0.1" + text : text.Replace("0.0.0.0", "127.0.0.1");
    }

    // Any answer will do, be it that one is not known, or that it is spoken to without TLS.
    private static async Task<bool> AnswersAsync(HttpClient client, string address, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await client.GetAsync(new Uri($"http://{address}/v2/"), HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            return (int)response.StatusCode < 500;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException or IOException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return false;
        }
    }

    private async Task<(string Path, string? Version)> FindBinaryAsync(RuntimeState state, CancellationToken cancellationToken)
    {
        var own = state.Command.Count > 0 && state.Command[0].IndexOf("registry", StringComparison.Ordinal) >= 0 ? state.Command[0] : null;
        var candidates = options.BinaryPath is { } given ? [given] : own is null ? Binaries : [own, .. Binaries];
        string? last = null;
        foreach (var candidate in candidates.Distinct(StringComparer.Ordinal))
        {
            var said = new StringBuilder();
            try
            {
                var ended = await runtime.RunAsync([candidate, "--version"], line => said.AppendLine(line), cancellationToken).ConfigureAwait(false);
                last = Shown.Short(said.ToString().Trim(), 200);
                if (ended.ExitCode != 0 || said.ToString().IndexOf("distribution", StringComparison.OrdinalIgnoreCase) < 0) continue;
            }
            catch (RegistryRuntimeException exception) when (exception is not RegistryContainerNotFoundException)
            {
                // Some engines answer with an error where a program is not there.
                last = exception.Message;
                continue;
            }

            return (candidate, VersionText.Match(said.ToString()) is { Success: true } match ? match.Groups[1].Value : null);
        }

        throw new CollectorFailedException($"There is no registry program in {runtime.Name}: {string.Join(", ", candidates)} {(candidates.Length > 1 ? "are" : "is")} not there, or not distribution's ({last}).", "Name it with -BinaryPath.");
    }

    private async Task<(string Path, string Text)> FindConfigAsync(RuntimeState state, CancellationToken cancellationToken)
    {
        var named = state.Command.Where(static argument => argument.EndsWith(".yml", StringComparison.OrdinalIgnoreCase) || argument.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase)).LastOrDefault();
        if (named is null && state.Environment.TryGetValue("REGISTRY_CONFIGURATION_PATH", out var fromEnvironment)) named = fromEnvironment;
        var candidates = options.ConfigPath is { } given ? [given] : named is { Length: > 0 } ? [named, .. Configs] : Configs;
        foreach (var candidate in candidates.Distinct(StringComparer.Ordinal))
        {
            if (await ReadAsync(candidate, cancellationToken).ConfigureAwait(false) is { } text && text.IndexOf("storage", StringComparison.Ordinal) >= 0) return (candidate, text);
        }

        // What is given is taken at its word: there are images without a program to look at files with.
        if (options.ConfigPath is { } taken) return (taken, string.Empty);
        if (named is { Length: > 0 }) return (named, string.Empty);
        throw new CollectorFailedException($"The configuration of the registry in {runtime.Name} was not found: {string.Join(", ", candidates)}.", "Name it with -ConfigPath.");
    }

    private async Task<string?> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        try
        {
            var ended = await runtime.RunAsync(["cat", path], line => text.Append(line).Append('\n'), cancellationToken).ConfigureAwait(false);
            return ended.ExitCode == 0 ? text.ToString() : null;
        }
        catch (RegistryRuntimeException exception) when (exception is not RegistryContainerNotFoundException)
        {
            return null;
        }
    }

    /// <summary>The directory of the storage in the container; null where it is not a directory.</summary>
    internal static string? RootOf(string config, RuntimeState state)
    {
        if (state.Environment.TryGetValue("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", out var root)) return root;
        if (state.Environment.TryGetValue("REGISTRY_STORAGE", out var driver) && driver != "filesystem") return null;
        if (RootDirectory.Match(config) is { Success: true } match) return match.Groups[1].Value;
        return config.IndexOf("filesystem", StringComparison.Ordinal) >= 0 ? "/var/lib/registry" : null;
    }

    private async Task<CollectorReport> RunAsync(IReadOnlyList<string> command, bool beside, CancellationToken cancellationToken)
    {
        var output = new CollectorOutput();
        var clock = DateTimeOffset.UtcNow;
        void Line(string line)
        {
            output.Add(line);
            if (DateTimeOffset.UtcNow - clock < TimeSpan.FromMilliseconds(200)) return;
            clock = DateTimeOffset.UtcNow;
            options.Log.Progress(Activity, Shown.Short(line, 120), output.Steps, null, "line");
        }

        var ended = beside ? await runtime.RunBesideAsync(command, Line, cancellationToken).ConfigureAwait(false) : await runtime.RunAsync(command, Line, cancellationToken).ConfigureAwait(false);
        var report = output.Report();

        // Nothing was ever pushed to it.
        if (ended.ExitCode != 0 && output.Last.IndexOf("Path not found: /docker/registry/v2/repositories", StringComparison.Ordinal) >= 0) return new CollectorReport { BlobsMarked = 0 };
        if (ended.ExitCode != 0) throw new CollectorFailedException($"The collector of {runtime.Name} ended with exit code {ended.ExitCode}: {output.Last}", "It deletes manifests first and blobs last; what it did is done. Its own words are above.") { ExitCode = ended.ExitCode };
        if (!report.IsWhole) throw new CollectorFailedException($"The collector of {runtime.Name} ended without its summary: {(output.Last.Length > 0 ? output.Last : "it wrote nothing")}", "Its connection was lost, or it is a version that is not known.") { ExitCode = 0 };
        foreach (var warning in report.Warnings) options.Log.Warning($"The collector warns: {warning}");
        if (report.Unknown.Count > 0) options.Log.Warning($"The collector wrote {report.Unknown.Count} line(s) that are not known, the first of them: {report.Unknown[0]}");
        return report;
    }

    /// <summary>What would be deleted although it is needed: children of what stays, and referrers, however far away, of what stays.</summary>
    private async Task<(IReadOnlyList<CollectedManifest> Needed, IReadOnlyList<CollectedManifest> Unread)> FindNeededAsync(CollectorReport report, string? root, CancellationToken cancellationToken)
    {
        var needed = report.Needed.ToDictionary(static manifest => (manifest.Repository, manifest.Digest));
        var unread = new List<CollectedManifest>();
        var subjects = new List<(CollectedManifest Manifest, string Subject)>();
        var children = new List<(CollectedManifest Manifest, string Child)>();
        var done = 0;
        await Throttle.ForEachAsync(
            report.Manifests.Where(manifest => !needed.ContainsKey((manifest.Repository, manifest.Digest))).ToList(),
            4,
            async manifest =>
            {
                var read = await FindManifestAsync(manifest, root, cancellationToken).ConfigureAwait(false);
                options.Log.Progress("Looking at what would be deleted", manifest.Repository, Interlocked.Increment(ref done), report.Manifests.Count, "manifest");
                lock (subjects)
                {
                    if (read is null) unread.Add(manifest);
                    else if (read.Subject is { } subject) subjects.Add((manifest, subject.Digest.ToString()));
                    foreach (var child in read?.Manifests ?? []) children.Add((manifest, child.Digest.ToString()));
                }
            },
            cancellationToken).ConfigureAwait(false);

        var kept = new HashSet<(string, string)>(report.Marked.Select(static manifest => (manifest.Repository, manifest.Digest)));
        foreach (var key in needed.Keys) kept.Add(key);
        for (var grew = true; grew;)
        {
            grew = false;
            foreach (var (manifest, subject) in subjects)
            {
                if (kept.Contains((manifest.Repository, subject)) && kept.Add((manifest.Repository, manifest.Digest))) grew = true;
            }

            // What a referrer that stays is made of stays with it.
            foreach (var (manifest, child) in children)
            {
                if (kept.Contains((manifest.Repository, manifest.Digest)) && kept.Add((manifest.Repository, child))) grew = true;
            }
        }

        return ([.. report.Manifests.Where(manifest => kept.Contains((manifest.Repository, manifest.Digest)))], [.. unread.Where(manifest => !kept.Contains((manifest.Repository, manifest.Digest)))]);
    }

    private async Task<Manifest?> FindManifestAsync(CollectedManifest manifest, string? root, CancellationToken cancellationToken)
    {
        if (!Digest.TryParse(manifest.Digest, out var digest)) return null;
        if (root is not null)
        {
            var encoded = digest.Encoded;
            var text = await ReadAsync($"{root.TrimEnd('/')}/docker/registry/v2/blobs/{digest.Algorithm}/{encoded.Substring(0, 2)}/{encoded}/data", cancellationToken).ConfigureAwait(false);

            // A line's end may have been added where the last line had none.
            if (text is not null && (Parse(text, digest) ?? Parse(text.TrimEnd('\n'), digest)) is { } read) return read;
        }

        if (options.Registry is null) return null;
        try
        {
            return await options.Registry.GetManifestAsync(manifest.Repository, manifest.Digest, cancellationToken).ConfigureAwait(false);
        }
        catch (RegistryToolsException exception)
        {
            options.Log.Verbose($"{manifest.Repository}@{manifest.Digest} could not be read: {exception.Message}");
            return null;
        }
    }

    private static Manifest? Parse(string text, Digest digest)
    {
        try
        {
            return Manifest.Parse(Encoding.UTF8.GetBytes(text), null, digest);
        }
        catch (RegistryToolsException)
        {
            return null;
        }
    }
}
