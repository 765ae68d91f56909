using System.Diagnostics;
using System.Globalization;
using RegistryTools.Fuzz;

long count = 1_000_000;
var seed = 20261123;
string? only = null;
for (var i = 0; i < args.Length; i++)
{
    var value = i + 1 < args.Length ? args[i + 1] : null;
    switch (args[i])
    {
        case "--count" when long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out count):
        case "--seed" when int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out seed):
            i++;
            break;
        case "--only" when value is not null:
            only = value;
            i++;
            break;
        default:
            Console.Error.WriteLine("dotnet run -c Release --project tests/fuzz [-- --count N] [--seed N] [--only " + string.Join('|', FuzzTargets.All.Select(target => target.Name)) + "]");
            return 2;
    }
}

var failures = 0;
Console.WriteLine($"seed {seed}");
foreach (var target in FuzzTargets.All.Where(target => only is null || target.Name == only))
{
    var clock = Stopwatch.StartNew();
    var result = Fuzzer.Run(target, count, seed);
    Console.WriteLine(FormattableString.Invariant($"{target.Name,-16} {result.Inputs,10:N0} inputs {result.Outcomes,6:N0} outcomes {result.Inputs / clock.Elapsed.TotalSeconds,10:N0}/s, the slowest {result.Slowest.TotalMilliseconds:0.0} ms, {(result.Failure is null ? "no failure" : "FAILED")}"));
    if (result.Failure is null) continue;
    Console.WriteLine(result.Failure);
    failures++;
}

return failures > 0 ? 1 : 0;
