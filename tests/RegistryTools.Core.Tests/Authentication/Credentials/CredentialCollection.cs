using Xunit;

namespace RegistryTools.Tests.Authentication;

/// <summary>
/// Runs by itself: one of its tests sets a variable of the process, and a script that is being written can't be run while another test's child still has it open.
/// </summary>
[CollectionDefinition("Credentials", DisableParallelization = true)]
public sealed class CredentialCollection;
