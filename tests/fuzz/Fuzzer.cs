using System.Diagnostics;
using System.Text;
using RegistryTools.Errors;

namespace RegistryTools.Fuzz;

/// <summary>What a run found.</summary>
/// <param name="Inputs">How many inputs were read.</param>
/// <param name="Outcomes">How many ways they went.</param>
/// <param name="Slowest">The longest time that one took.</param>
/// <param name="Failure">The input that broke a promise, as a C# string, and how; null for none.</param>
public sealed record FuzzResult(long Inputs, int Outcomes, TimeSpan Slowest, string? Failure);

/// <summary>
/// Feeds a parser with mutations of real inputs. An input that goes a way that none went before joins those that are mutated: guided by behaviour, not by the coverage of branches.
/// </summary>
public static class Fuzzer
{
    /// <summary>No input may take longer: a parser that takes seconds for 64 kB hangs on more.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private const int MaximumCorpus = 4000;

    /// <summary>Runs one target.</summary>
    public static FuzzResult Run(FuzzTarget target, long count, int seed)
    {
        ArgumentNullException.ThrowIfNull(target);
        var mutator = new Mutator(seed);
        var corpus = target.Seeds.Select(Encoding.UTF8.GetBytes).ToList();
        var outcomes = new HashSet<string>(StringComparer.Ordinal);
        var slowest = TimeSpan.Zero;
        byte[] input = [];
        var began = Stopwatch.GetTimestamp();

        // A hang must be told with the input that hangs, and can't be by the thread that does.
        using var watch = new Timer(
            _ =>
            {
                if (Stopwatch.GetElapsedTime(Volatile.Read(ref began)) < Patience * 4) return;
                Console.Error.WriteLine($"{target.Name} hangs on {Shown(Volatile.Read(ref input))}");
                Environment.Exit(3);
            },
            null,
            1000,
            1000);
        for (long i = 0; i < count; i++)
        {
            Volatile.Write(ref input, i < target.Seeds.Length ? corpus[(int)i] : mutator.Next(corpus, target.Words));
            Volatile.Write(ref began, Stopwatch.GetTimestamp());
            string outcome;
            try
            {
                outcome = target.Run(input);
            }
            catch (RegistryToolsException exception)
            {
                outcome = exception.GetType().Name + " " + Template(exception.Message);
            }
            catch (Exception exception)
            {
                return new FuzzResult(i + 1, outcomes.Count, slowest, $"{Shown(input)}: {exception}");
            }

            var took = Stopwatch.GetElapsedTime(began);
            if (took > slowest) slowest = took;
            if (took > Patience) return new FuzzResult(i + 1, outcomes.Count, slowest, $"{Shown(input)}: took {took}");
            if (outcomes.Add(outcome) && corpus.Count < MaximumCorpus) corpus.Add(input);
        }

        return new FuzzResult(count, outcomes.Count, slowest, null);
    }

    /// <summary>The input as a C# string literal, a character a byte.</summary>
    public static string Shown(byte[] input)
    {
        var text = new StringBuilder("\"");
        foreach (var value in input.AsSpan(0, Math.Min(input.Length, 4000)))
        {
            if (value is (byte)'"' or (byte)'\\') text.Append('\\').Append((char)value);
            else if (value is >= 32 and < 127) text.Append((char)value);
            else text.Append("\\u00").Append(value.ToString("x2", System.Globalization.CultureInfo.InvariantCulture));
        }

        return text.Append('"').Append(input.Length > 4000 ? $" and {input.Length - 4000} bytes more" : string.Empty).ToString();
    }

    // A message without what it quotes.
    private static string Template(string message)
    {
        var text = new StringBuilder();
        var quoted = false;
        foreach (var c in message)
        {
            if (c == '\'') quoted = !quoted;
            else if (!quoted && !char.IsDigit(c)) text.Append(c);
            if (text.Length == 60) break;
        }

        return text.ToString();
    }
}
