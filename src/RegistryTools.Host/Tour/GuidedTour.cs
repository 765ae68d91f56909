using RegistryTools.Host.Embedded;
using RegistryTools.Host.Shell;

namespace RegistryTools.Host.Tour;

/// <summary>Something on a tour did not come out as it has to.</summary>
/// <param name="message">What.</param>
public sealed class TourException(string message) : Exception(message);

/// <summary>
/// Shows the module at work on a registry of samples: each command, and what it really writes. What came of it is then judged without the
/// module: over plain HTTP, by downloading everything that has to be there.
/// </summary>
public sealed class GuidedTour
{
    private const int LongestLine = 110;

    private readonly TourTerminal terminal;
    private readonly Func<EmbeddedRegistryOptions, CancellationToken, Task<EmbeddedRegistry>> startRegistry;
    private readonly string module;
    private readonly int? width;

    /// <summary>A tour.</summary>
    /// <param name="terminal">Where it is shown.</param>
    /// <param name="startRegistry">Starts a registry of samples.</param>
    /// <param name="module">The manifest of the module to show.</param>
    /// <param name="width">The width to format for; null follows the window.</param>
    public GuidedTour(IShellTerminal terminal, Func<EmbeddedRegistryOptions, CancellationToken, Task<EmbeddedRegistry>> startRegistry, string module, int? width = null)
    {
        this.terminal = new TourTerminal(terminal);
        this.startRegistry = startRegistry;
        this.module = module;
        this.width = width;
    }

    /// <summary>Starts a registry full of samples, in a directory that goes with it.</summary>
    /// <param name="options">How it behaves.</param>
    /// <param name="cancellation">Stops the start.</param>
    public static async Task<EmbeddedRegistry> StartSamplesAsync(EmbeddedRegistryOptions options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        EmbeddedRegistry registry = await EmbeddedRegistry.StartAsync(options, cancellation);
        SampleData.Seed(registry.Store, fallbackTag: !options.ReferrersApi);
        return registry;
    }

    /// <summary>Takes the tour.</summary>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The verdict on each registry that was toured.</returns>
    /// <exception cref="TourException">A step did not come out as it has to.</exception>
    /// <exception cref="WitnessException">A registry can't be judged.</exception>
    public async Task<IReadOnlyList<Verdict>> TakeAsync(CancellationToken cancellation)
    {
        using var data = new ScratchData();
        using PowerShellSession session = PowerShellSession.Open(new ConsoleHost(terminal, interactive: false, width ?? terminal.WindowWidth ?? LongestLine), module);
        using CancellationTokenRegistration stop = cancellation.Register(() => session.Stop());
        var verdicts = new List<Verdict>();
        foreach (TourPart part in TourPart.All)
            verdicts.Add(await TakeAsync(part, session, cancellation));
        return verdicts;
    }

    private async Task<Verdict> TakeAsync(TourPart part, PowerShellSession session, CancellationToken cancellation)
    {
        await using EmbeddedRegistry registry = await startRegistry(part.Registry, cancellation);
        using var witness = new RegistryWitness(registry.BaseAddress);
        string address = registry.BaseAddress.GetLeftPart(UriPartial.Authority);
        IReadOnlyList<WitnessedTag> before = await witness.PullEverythingAsync(cancellation);
        RequireSamples(before);

        Say($"A registry of samples runs at {address}, reachable from this machine only: {before.Count} tags in {before.Select(t => t.Repository).Distinct().Count()} repositories. {part.Opening}");
        HashSet<(string, string)> state = [];
        foreach (TourStep step in part.Steps)
        {
            Say(step.Says);
            string command = step.Command.Replace("{address}", address, StringComparison.Ordinal);
            terminal.Output.WriteLine("PS> " + (terminal.UseColour ? $"\x1b[36m{command}\x1b[0m" : command));
            registry.ClearRequests();
            RunResult result = session.Run(command);
            IReadOnlyList<RecordedRequest> requests = registry.Requests;
            cancellation.ThrowIfCancellationRequested();
            if (result.Succeeded == step.IsRefused)
                throw new TourException(step.IsRefused ? $"'{command}' had to be refused, and was not." : $"'{command}' failed.");
            if (step.Gone is null)
                continue;
            if (state.SetEquals(step.Gone) && requests.Any(IsWrite))
                throw new TourException($"'{command}' was to change nothing, and sent {requests.First(IsWrite)}.");
            state = [.. step.Gone];
            Verdict soFar = await Verdict.ReachAsync(witness, before, step.Gone, cancellation);
            if (!soFar.IsRight)
                throw new TourException($"After '{command}': {soFar.Summary}.");
            WriteWrapped($"({Wire(requests)}; looked up over plain HTTP: {soFar.Summary})");
        }

        Say(part.Closing);
        Verdict verdict = await Verdict.ReachAsync(witness, before, TourPart.Unwanted, cancellation);
        if (part.IsBrief && verdict.IsRight)
            terminal.Output.WriteLine();
        else
            ShowFindings(verdict);
        terminal.Output.WriteLine(verdict.Summary);
        return verdict;
    }

    private static bool IsWrite(RecordedRequest request) => request.Method is not ("GET" or "HEAD");

    private static string Wire(IReadOnlyList<RecordedRequest> requests)
    {
        int reads = requests.Count(r => !IsWrite(r));
        string[] writes = [.. requests.Where(IsWrite).GroupBy(r => r.Method).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => $"{g.Count()} {g.Key}")];
        return $"on the wire: {reads} GET and HEAD, {(writes.Length == 0 ? "nothing that writes" : string.Join(", ", writes))}";
    }

    /// <summary>A tour on samples that pose no difficulty would show nothing.</summary>
    private static void RequireSamples(IReadOnlyList<WitnessedTag> tags)
    {
        foreach ((string repository, string tag) in TourPart.Unwanted)
        {
            if (!tags.Any(t => t.Repository == repository && t.Tag == tag))
                throw new TourException($"The samples lack {repository}:{tag}.");
        }
        string? Digest(string tag) => tags.FirstOrDefault(t => t.Repository == "i1" && t.Tag == tag)?.Content.Digest;
        if (Digest("T12") != Digest("T13"))
            throw new TourException("The samples are to have i1:T12 and i1:T13 share a manifest.");
    }

    private void Say(string text)
    {
        terminal.Output.WriteLine();
        WriteWrapped(text);
    }

    private void WriteWrapped(string text)
    {
        int room = Math.Min(width ?? terminal.WindowWidth ?? LongestLine, LongestLine);
        foreach (string line in TerminalText.Wrap(text, room))
            terminal.Output.WriteLine(line);
    }

    private void ShowFindings(Verdict verdict)
    {
        int repository = verdict.Findings.Max(f => f.Repository.Length);
        int tag = verdict.Findings.Max(f => f.Tag.Length);
        int room = width ?? terminal.WindowWidth ?? LongestLine;
        // A tag of the fallback for referrers is a whole digest, and would push everything out of the picture.
        tag = Math.Min(tag, 20);
        foreach (Finding finding in verdict.Findings)
        {
            string name = finding.Tag.Length > tag ? finding.Tag[..(tag - 1)] + "…" : finding.Tag;
            string digest = finding.Digest is null ? new string(' ', 12) : finding.Digest["sha256:".Length..][..12];
            terminal.Output.WriteLine(TerminalText.Fit($"  {finding.Repository.PadRight(repository)}  {name.PadRight(tag)}  {digest}  {(finding.IsRight ? "" : "WRONG: ")}{finding.Text}", room));
        }
        terminal.Output.WriteLine();
    }
}
