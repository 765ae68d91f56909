namespace RegistryTools.Errors;

/// <summary>A garbage collection, or what is done with a quarantine, that can't be done.</summary>
public sealed class GarbageException(string message, string? remedy = null, Exception? innerException = null)
    : RegistryToolsException(message, remedy, innerException);
