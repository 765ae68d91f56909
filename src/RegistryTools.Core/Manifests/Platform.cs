using RegistryTools.Errors;
using RegistryTools.Text;

namespace RegistryTools.Manifests;

/// <summary>What an image runs on (OCI image-spec, image-index.md, "platform").</summary>
/// <param name="Os">The operating system, as Go names it: linux, windows.</param>
/// <param name="Architecture">The architecture, as Go names it: amd64, arm64.</param>
/// <param name="Variant">The architecture's variant, such as v8; or null.</param>
/// <param name="OsVersion">The version that the operating system must have, as Windows images do; or null.</param>
public sealed record Platform(string Os, string Architecture, string? Variant = null, string? OsVersion = null)
{
    /// <summary>Whether this is the mark of what is no image, such as a build attestation: unknown/unknown.</summary>
    public bool IsUnknown => Os is "unknown" or "" && Architecture is "unknown" or "";

    /// <summary>Parses <c>os/architecture[/variant]</c>, with <c>:version</c> after the os where wanted: <c>windows:10.0.20348/amd64</c>.</summary>
    /// <exception cref="ReferenceFormatException">The text is no platform.</exception>
    public static Platform Parse(string text)
    {
        var parts = (text ?? string.Empty).Trim().ToLowerInvariant().Split('/');
        if (parts.Length is < 2 or > 3 || parts.Any(part => part.Length == 0))
        {
            throw new ReferenceFormatException(text ?? string.Empty, $"'{Shown.Short(text)}' is not a platform: expected os/architecture or os/architecture/variant, such as linux/arm64/v8.");
        }

        var os = parts[0];
        string? version = null;
        var colon = os.IndexOf(':');
        if (colon > 0)
        {
            version = os.Substring(colon + 1);
            os = os.Substring(0, colon);
        }

        return new Platform(os, Architectures(parts[1]), parts.Length == 3 ? parts[2] : null, version);
    }

    /// <summary>Whether an image for <paramref name="offered"/> is what this asks for: what this leaves out may be anything.</summary>
    public bool Accepts(Platform offered) =>
        string.Equals(Os, offered.Os, StringComparison.OrdinalIgnoreCase)
        && string.Equals(Architecture, offered.Architecture, StringComparison.OrdinalIgnoreCase)
        && (Variant is null || string.Equals(Variant, offered.Variant, StringComparison.OrdinalIgnoreCase) || (offered.Variant is null && (Architecture, Variant) is ("arm64", "v8") or ("arm", "v7")))
        && (OsVersion is null || AcceptsVersion(OsVersion, offered.OsVersion));

    /// <inheritdoc/>
    public override string ToString() => Os + "/" + Architecture + (string.IsNullOrEmpty(Variant) ? string.Empty : "/" + Variant);

    /// <summary>Whether a version is the asked one, or one that is told more closely: 10.0.20348.1 is 10.0.20348, and 10.0.203480 is not.</summary>
    private static bool AcceptsVersion(string asked, string? offered) =>
        offered is not null
        && offered.StartsWith(asked, StringComparison.OrdinalIgnoreCase)
        && (offered.Length == asked.Length || offered[asked.Length] == '.' || asked.EndsWith(".", StringComparison.Ordinal));

    private static string Architectures(string name) => name switch
    {
        "x86_64" or "x64" => "amd64",
        "aarch64" => "arm64",
        "i386" or "x86" => "386",
        "armhf" => "arm",
        _ => name,
    };
}
