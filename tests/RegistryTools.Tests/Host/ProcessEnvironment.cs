namespace RegistryTools.Cmdlets.Tests.Host;

/// <summary>Tests that change what belongs to the whole process: they run while no other test does.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ProcessEnvironment
{
    public const string Name = "Process environment";
}
