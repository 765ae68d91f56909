namespace RegistryTools.Transport;

/// <summary>
/// Requests whose answer is welcome and not needed, as those behind a completion: each is sent once, and one that fails says nothing of whether the registry is up. Not even one is sent while
/// the registry is taken to be down.
/// </summary>
public static class CasualRequests
{
    private static readonly AsyncLocal<bool> Flow = new();

    internal static bool AreOn => Flow.Value;

    /// <summary>From here to the end of the calling async method, requests are such.</summary>
    public static void Begin() => Flow.Value = true;
}
