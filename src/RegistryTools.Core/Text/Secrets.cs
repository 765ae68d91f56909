using System.Text;
using System.Text.Json;

namespace RegistryTools.Text;

/// <summary>
/// The secrets that are in use, so that no text shows them which came from elsewhere: a server that tells back the password that it was sent is not a reason to print it. What comes from elsewhere goes through
/// <see cref="Shown"/>, and so through this. What is said here in words of one's own has no secret in it to begin with, and is left alone: a password may be a word that messages have.
/// </summary>
internal static class Secrets
{
    /// <summary>What stands where a secret stood.</summary>
    public const string Hidden = "***";

    // A secret of fewer characters guards nothing, and hiding it would spoil every text.
    private const int Shortest = 4;
    private static readonly object Gate = new();
    private static readonly Dictionary<string, int> Uses = new(StringComparer.Ordinal);
    private static string[] _all = [];

    /// <summary>Hides these, as they are and as JSON, addresses and Base64 write them, until the result is disposed of.</summary>
    public static IDisposable Keep(params string?[] secrets)
    {
        var forms = secrets.Where(static secret => secret?.Length >= Shortest).SelectMany(static secret => Forms(secret!)).Distinct(StringComparer.Ordinal).ToArray();
        lock (Gate)
        {
            foreach (var form in forms) Uses[form] = Uses.TryGetValue(form, out var uses) ? uses + 1 : 1;
            Publish();
        }

        return new Kept(forms);
    }

    /// <summary>The text without them.</summary>
    public static string Hide(string text)
    {
        // By the length, so that what holds another is hidden whole.
        foreach (var secret in Volatile.Read(ref _all))
        {
            var at = text.IndexOf(secret, StringComparison.OrdinalIgnoreCase);
            if (at < 0) continue;
            var builder = new StringBuilder(text.Length);
            var from = 0;
            for (; at >= 0; at = text.IndexOf(secret, from, StringComparison.OrdinalIgnoreCase))
            {
                builder.Append(text, from, at - from).Append(Hidden);
                from = at + secret.Length;
            }

            text = builder.Append(text, from, text.Length - from).ToString();
        }

        return text;
    }

    /// <summary>The address without them; one that can't be made without is cut down to what is before its path.</summary>
    public static Uri Hide(Uri uri)
    {
        var text = uri.ToString();
        var hidden = Hide(text);
        if (ReferenceEquals(hidden, text) || hidden == text) return uri;
        return Uri.TryCreate(hidden, UriKind.Absolute, out var shown) ? shown : new Uri(uri.Scheme + "://hidden.invalid/");
    }

    /// <summary>The exception, or null where it has one of them in it, be it farther within.</summary>
    public static Exception? Hide(Exception? exception)
    {
        for (var inner = exception; inner is not null; inner = inner.InnerException)
        {
            if (!ReferenceEquals(Hide(inner.Message), inner.Message)) return null;
        }

        return exception;
    }

    private static IEnumerable<string> Forms(string secret)
    {
        yield return secret;
        yield return JsonEncodedText.Encode(secret).ToString();
        yield return Uri.EscapeDataString(secret);
        yield return Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)).TrimEnd('=');
    }

    private static void Publish() => Volatile.Write(ref _all, [.. Uses.Keys.OrderByDescending(static secret => secret.Length)]);

    private sealed class Kept(string[] forms) : IDisposable
    {
        private bool _disposed;

        public void Dispose()
        {
            lock (Gate)
            {
                if (_disposed) return;
                _disposed = true;
                foreach (var form in forms)
                {
                    if (--Uses[form] == 0) Uses.Remove(form);
                }

                Publish();
            }
        }
    }
}
