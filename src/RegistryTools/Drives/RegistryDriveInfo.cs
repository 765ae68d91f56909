using System.Management.Automation;

namespace RegistryTools.PowerShell.Drives;

/// <summary>
/// A drive of a registry. It belongs to one connection, and goes on with none but that or, where that was closed, a later one of the same name to the same place.
/// </summary>
public sealed class RegistryDriveInfo : PSDriveInfo
{
    // Credentials stay with the connection: a drive that kept them would show them to whoever asks for the drive.
    internal RegistryDriveInfo(PSDriveInfo drive, string root, RegistryConnection connection, bool ownsConnection)
        : base(drive.Name, drive.Provider, root, string.IsNullOrEmpty(drive.Description) ? connection.Location : drive.Description, null, connection.Location)
    {
        Connection = connection;
        OwnsConnection = ownsConnection;
    }

    /// <summary>The connection that the drive works with: give it to <c>-Registry</c>.</summary>
    public RegistryConnection Connection { get; internal set; }

    /// <summary>Whether the connection was made for this drive, and is closed with it.</summary>
    internal bool OwnsConnection { get; set; }

    /// <summary>The registry's repositories, as they were listed a moment ago.</summary>
    internal RepositoryTree Tree { get; } = new();
}
