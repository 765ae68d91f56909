using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Runtime.CompilerServices;
using RegistryTools.Errors;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.References;

namespace RegistryTools.PowerShell.Binding;

/// <summary>The connections of one runspace.</summary>
internal sealed class RegistrySession
{
    private static readonly ConditionalWeakTable<Runspace, RegistrySession> Sessions = new();
    private readonly Runspace _runspace;
    private readonly object _gate = new();
    private readonly List<RegistryConnection> _connections = [];

    private RegistrySession(Runspace runspace)
    {
        _runspace = runspace;
        runspace.StateChanged += OnStateChanged;
    }

    /// <summary>What was found for completions.</summary>
    public CandidateCache Candidates { get; } = new();

    /// <summary>The session of the runspace that the calling thread works for.</summary>
    public static RegistrySession Current
    {
        get
        {
            var runspace = Runspace.DefaultRunspace ?? throw new InvalidOperationException("A cmdlet runs in a runspace.");
            return Sessions.GetValue(runspace, static runspace => new RegistrySession(runspace));
        }
    }

    /// <summary>Closes the connections of the calling runspace, if it has any.</summary>
    public static void CloseCurrent()
    {
        if (FindCurrent() is not { } session) return;
        Sessions.Remove(Runspace.DefaultRunspace!);
        session._runspace.StateChanged -= session.OnStateChanged;
        session.CloseAll();
    }

    /// <summary>The session of the calling runspace, or null where it has none yet.</summary>
    public static RegistrySession? FindCurrent() => Runspace.DefaultRunspace is { } runspace && Sessions.TryGetValue(runspace, out var session) ? session : null;

    /// <summary>The connections in the order in which they were made.</summary>
    public IReadOnlyList<RegistryConnection> Connections
    {
        get
        {
            lock (_gate) return _connections.ToArray();
        }
    }

    /// <summary>The connection of that name, or null.</summary>
    public RegistryConnection? FindByName(string name) => Connections.FirstOrDefault(connection => SameName(connection, name));

    /// <summary>Adds a connection, in the place of one of the same name.</summary>
    public RegistryConnection Add(RegistryConnection connection, bool makeCurrent)
    {
        RegistryConnection? replaced = null;
        lock (_gate)
        {
            var index = _connections.FindIndex(other => SameName(other, connection.Name));
            if (index >= 0)
            {
                replaced = _connections[index];
                makeCurrent |= replaced.IsCurrent;
                _connections[index] = connection;
            }
            else
            {
                _connections.Add(connection);
            }

            if (makeCurrent) MakeCurrent(connection);
        }

        if (replaced is not null) Close(replaced);
        return connection;
    }

    /// <summary>Makes this the connection that is used where none is named.</summary>
    public void MakeCurrent(RegistryConnection connection)
    {
        lock (_gate)
        {
            foreach (var other in _connections) other.IsCurrent = ReferenceEquals(other, connection);
        }
    }

    /// <summary>Closes a connection and forgets it. Where it was the current one, the last that was made is current.</summary>
    public void Remove(RegistryConnection connection)
    {
        lock (_gate)
        {
            var wasCurrent = connection.IsCurrent;
            _connections.Remove(connection);
            if (wasCurrent && _connections.Count > 0) MakeCurrent(_connections[_connections.Count - 1]);
        }

        Close(connection);
    }

    /// <summary>
    /// What an argument means: nothing, the current connection; an object, itself; a text, the connection of that name, else the one to that address, else an address that
    /// is not connected yet, else the path of a storage. A text that looks like no address, being without a period, a colon and a scheme, can only be a name.
    /// </summary>
    public Resolution Resolve(RegistryConnection? argument)
    {
        if (argument is null || argument.Unresolved is { Length: 0 })
        {
            var current = Connections.FirstOrDefault(connection => connection.IsCurrent);
            return current is not null
                ? new Resolution { Connection = current }
                : new Resolution
                {
                    Error = ErrorRecords.Create(
                        ErrorRecords.NotConnected,
                        ErrorCategory.ConnectionError,
                        "There is no connection to a registry in this session.",
                        "Type Connect-Registry and the registry's address first, such as: Connect-Registry https://registry.example.com. Or name a registry with -Registry.",
                        ErrorSubject.None),
                };
        }

        if (argument.Unresolved is not { } text)
        {
            return argument.IsOpen
                ? new Resolution { Connection = argument }
                : new Resolution
                {
                    Error = ErrorRecords.Create(
                        ErrorRecords.ConnectionClosed,
                        ErrorCategory.ConnectionError,
                        $"The connection '{argument.Name}' is closed.",
                        $"Connect again: Connect-Registry {argument.Location}",
                        new ErrorSubject(argument, argument.Name)),
                };
        }

        var connections = Connections;
        if (connections.FirstOrDefault(connection => SameName(connection, text)) is { } named) return new Resolution { Connection = named };

        // What the journal holds of a storage is its path.
        if (connections.FirstOrDefault(connection => string.Equals(connection.Location, text, StringComparison.Ordinal)) is { } located) return new Resolution { Connection = located };
        if (IsPath(text)) return new Resolution { StoragePath = text };
        var isAddress = text.IndexOf('.') >= 0 || text.IndexOf(':') >= 0 || text.Split('/')[0].Equals("localhost", StringComparison.OrdinalIgnoreCase);
        if (!isAddress)
        {
            var known = connections.Count == 0 ? "There are no connections." : "There are: " + string.Join(", ", connections.Select(connection => connection.Name)) + ".";
            return new Resolution
            {
                Error = ErrorRecords.Create(
                    ErrorRecords.NotConnected,
                    ErrorCategory.ObjectNotFound,
                    $"There is no connection named '{RegistryTools.Text.Shown.Short(text)}' in this session. {known}",
                    $"Connect first: Connect-Registry ADDRESS -Name {RegistryTools.Text.Shown.Short(text)}. A registry's address has a period or a colon in it, or a scheme.",
                    new ErrorSubject(text, text)),
            };
        }

        try
        {
            var address = RegistryAddress.Parse(text);
            var connected = connections.FirstOrDefault(connection =>
                connection.Address is { } other && string.Equals(other.Name, address.Name, StringComparison.Ordinal)
                && (address.Scheme is null || string.Equals(connection.Uri?.Scheme, address.Scheme, StringComparison.Ordinal)));
            return new Resolution { Connection = connected, Address = address };
        }
        catch (ReferenceFormatException error)
        {
            return new Resolution { Error = ErrorRecords.From(error, new ErrorSubject(error.Input)) };
        }
    }

    // No registry's address begins with a slash or a period, or has a backslash or a drive of one letter in it.
    private static bool IsPath(string text) =>
        text[0] is '/' or '.' or '~' || text.IndexOf('\\') >= 0 || (text.Length > 2 && text[1] == ':' && text[2] == '/' && char.IsLetter(text[0]));

    private static bool SameName(RegistryConnection connection, string name) => string.Equals(connection.Name, name, StringComparison.OrdinalIgnoreCase);

    private void OnStateChanged(object? sender, RunspaceStateEventArgs change)
    {
        if (change.RunspaceStateInfo.State is RunspaceState.Closed or RunspaceState.Broken) CloseAll();
    }

    private void CloseAll()
    {
        foreach (var connection in Connections) Remove(connection);
        Candidates.Clear();
    }

    private void Close(RegistryConnection connection)
    {
        Candidates.Forget(connection);
        UnfinishedWork.Wait();
        connection.Close();
    }

    /// <summary>What an argument turned out to mean: one of these.</summary>
    internal sealed class Resolution
    {
        public RegistryConnection? Connection { get; set; }

        public RegistryAddress? Address { get; set; }

        /// <summary>A path of the file system, as it was given: the storage of a registry may be there.</summary>
        public string? StoragePath { get; set; }

        public ErrorRecord? Error { get; set; }
    }
}
