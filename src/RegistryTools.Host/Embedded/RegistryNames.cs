using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace RegistryTools.Host.Embedded;

/// <summary>The grammar of names and digests, by the specification's own regular expressions: told another way than the module tells it, so that the two can disagree.</summary>
internal static partial class RegistryNames
{
    public static bool IsRepository(string text) => text.Length <= 255 && Repository().IsMatch(text);

    public static bool IsTag(string text) => Tag().IsMatch(text);

    public static bool IsDigest(string text) => Sha256().IsMatch(text) || Sha512().IsMatch(text);

    /// <summary>The digest of bytes, by the algorithm of another digest where one is given.</summary>
    public static string DigestOf(ReadOnlySpan<byte> bytes, string? like = null) =>
        like?.StartsWith("sha512:", StringComparison.Ordinal) == true
            ? "sha512:" + Convert.ToHexStringLower(SHA512.HashData(bytes))
            : "sha256:" + Convert.ToHexStringLower(SHA256.HashData(bytes));

    public static async Task<string> DigestOfAsync(Stream stream, string like, CancellationToken cancellationToken) =>
        like.StartsWith("sha512:", StringComparison.Ordinal)
            ? "sha512:" + Convert.ToHexStringLower(await SHA512.HashDataAsync(stream, cancellationToken))
            : "sha256:" + Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken));

    [GeneratedRegex(@"\A[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\z")]
    private static partial Regex Repository();

    [GeneratedRegex(@"\A[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}\z")]
    private static partial Regex Tag();

    [GeneratedRegex(@"\Asha256:[a-f0-9]{64}\z")]
    private static partial Regex Sha256();

    [GeneratedRegex(@"\Asha512:[a-f0-9]{128}\z")]
    private static partial Regex Sha512();
}
