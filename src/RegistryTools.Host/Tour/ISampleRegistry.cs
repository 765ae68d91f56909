namespace RegistryTools.Host.Tour;

/// <summary>How a registry of samples behaves.</summary>
public enum SampleBehaviour
{
    /// <summary>As distribution 2.8: manifests can be deleted, tags alone can't.</summary>
    Distribution2,

    /// <summary>As distribution 3: tags can be deleted by name.</summary>
    Distribution3,
}

/// <summary>A registry full of samples, on loopback, for as long as it isn't disposed of.</summary>
public interface ISampleRegistry : IAsyncDisposable
{
    /// <summary>Its address.</summary>
    Uri Address { get; }
}
