using RegistryTools.Transport;

namespace RegistryTools.Authentication;

/// <summary>One challenge of a WWW-Authenticate header (RFC 9110, section 11.6.1).</summary>
/// <param name="Scheme">The scheme as it was written: Bearer, Basic.</param>
/// <param name="Parameters">Its parameters; names are looked up without regard to case, and the first of a name counts.</param>
public sealed record AuthenticationChallenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    private const int MaximumLength = 16 * 1024;

    /// <summary>Whether it is of this scheme.</summary>
    public bool Is(string scheme) => string.Equals(Scheme, scheme, StringComparison.OrdinalIgnoreCase);

    /// <summary>A parameter's value, or null.</summary>
    public string? this[string name] => Parameters.TryGetValue(name, out var value) ? value : null;

    /// <summary>Reads every challenge of the header's values. What can't be read is passed over; nothing is thrown.</summary>
    public static IReadOnlyList<AuthenticationChallenge> Parse(IEnumerable<string> values)
    {
        var challenges = new List<AuthenticationChallenge>();
        foreach (var value in values)
        {
            if (value.Length <= MaximumLength) Parse(value, challenges);
        }

        return challenges;
    }

    private static void Parse(string value, List<AuthenticationChallenge> challenges)
    {
        Dictionary<string, string>? parameters = null;
        var i = 0;
        while (i < value.Length)
        {
            if (value[i] is ' ' or '\t' or ',')
            {
                i++;
                continue;
            }

            var start = i;
            while (i < value.Length && HeaderText.IsToken(value[i])) i++;
            if (i == start)
            {
                // Nothing that belongs here: on to the next comma.
                if (value[i] == '"') HeaderText.ReadQuoted(value, ref i);
                else i++;
                continue;
            }

            var word = value.Substring(start, i - start);
            var after = i;
            while (after < value.Length && value[after] is ' ' or '\t') after++;
            if (after < value.Length && value[after] == '=' && parameters is not null && !(after + 1 == value.Length || value[after + 1] is '=' or ','))
            {
                i = after + 1;
                while (i < value.Length && value[i] is ' ' or '\t') i++;
                var text = i < value.Length && value[i] == '"' ? HeaderText.ReadQuoted(value, ref i) : HeaderText.ReadUntil(value, ref i, ",").Trim();
#if NET
                parameters.TryAdd(word, text);
#else
                if (!parameters.ContainsKey(word)) parameters.Add(word, text);
#endif
                continue;
            }

            if (after < value.Length && value[after] == '=')
            {
                // A token68, or a parameter with nothing after it: neither scheme here has one.
                HeaderText.ReadUntil(value, ref i, ",");
                continue;
            }

            parameters = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            challenges.Add(new AuthenticationChallenge(word, parameters));
        }
    }
}
