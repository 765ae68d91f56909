namespace RegistryTools.Fuzz;

/// <summary>A parser that is fed.</summary>
/// <param name="Name">What <c>--only</c> takes.</param>
/// <param name="Seeds">Real inputs to begin with.</param>
/// <param name="Words">What its inputs are made of: put in where a mutation puts something in.</param>
/// <param name="Run">Reads an input, checks what must hold of the outcome, and describes it: two inputs with the same description went the same way.</param>
public sealed record FuzzTarget(string Name, string[] Seeds, string[] Words, Func<byte[], string> Run);

/// <summary>What must hold of an outcome did not.</summary>
public sealed class BrokenPromiseException(string message) : Exception(message);
