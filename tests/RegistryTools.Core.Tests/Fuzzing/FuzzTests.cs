using RegistryTools.Fuzz;
using Xunit;

namespace RegistryTools.Tests.Fuzzing;

/// <summary>A short run of every fuzz target: once with the seed of the recorded run, once with another each time. docs/fuzzing.md tells of the long one.</summary>
public sealed class FuzzTests
{
    public static TheoryData<string> Targets() => [.. FuzzTargets.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void No_input_breaks_a_promise(string name)
    {
        var target = FuzzTargets.All.Single(one => one.Name == name);
        foreach (var seed in new[] { 20261123, Random.Shared.Next() })
        {
            var result = Fuzzer.Run(target, 5_000, seed);
            Assert.True(result.Failure is null, $"--only {name} --seed {seed}: {result.Failure}");
            Assert.True(result.Outcomes > 1, $"{name} tells no input from another.");
        }
    }

    [Fact]
    public void A_parser_that_throws_what_it_should_not_is_found()
    {
        var target = new FuzzTarget("broken", ["abc"], ["!"], input => input.Contains((byte)'!') ? throw new InvalidOperationException("broken") : "fine");
        var result = Fuzzer.Run(target, 1_000, 1);
        Assert.Contains("broken", result.Failure, StringComparison.Ordinal);
        Assert.Contains("!", result.Failure, StringComparison.Ordinal);
        Assert.Equal(result.Failure, Fuzzer.Run(target, 1_000, 1).Failure);
    }
}
