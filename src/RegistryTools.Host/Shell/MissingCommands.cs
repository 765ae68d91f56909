using System.Management.Automation;

namespace RegistryTools.Host.Shell;

/// <summary>
/// Tells who types a cmdlet of the full PowerShell why it isn't here. The engine defines its short names (<c>select</c>, <c>ft</c>) even
/// where the cmdlets behind them are in modules that it comes without, so most need no list.
/// </summary>
internal sealed class MissingCommands
{
    private static readonly string[] WithoutShortName =
    [
        "Add-Member", "Add-Type", "ConvertFrom-Csv", "ConvertFrom-Json", "ConvertTo-Csv", "ConvertTo-Json", "ConvertTo-SecureString", "Format-Custom",
        "Get-Credential", "Get-Date", "Get-Random", "Join-Path", "New-Object", "New-TimeSpan", "Out-File", "Out-String", "Read-Host", "Resolve-Path",
        "Select-Xml", "Split-Path", "Start-Transcript", "Test-Path", "Write-Debug", "Write-Error", "Write-Host", "Write-Information", "Write-Output",
        "Write-Progress", "Write-Verbose", "Write-Warning",
    ];

    private readonly HashSet<string> known = new(WithoutShortName, StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> asked = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> told = new(StringComparer.OrdinalIgnoreCase);

    public MissingCommands(CommandInvocationIntrinsics commands)
    {
        foreach (CommandInfo alias in commands.GetCommands("*", CommandTypes.Alias, nameIsPattern: true))
        {
            if (alias.Definition.Contains('-', StringComparison.Ordinal))
                known.Add(alias.Definition);
        }
        commands.CommandNotFoundAction += (_, e) =>
        {
            if (known.TryGetValue(e.CommandName, out string? name) && !told.Contains(name))
                asked.Add(name);
        };
    }

    /// <summary>What there is to say about the commands missed since the last call, or null; once for each.</summary>
    public string? Note()
    {
        if (asked.Count == 0)
            return null;
        string names = string.Join(", ", asked.Order(StringComparer.OrdinalIgnoreCase));
        told.UnionWith(asked);
        asked.Clear();
        return $"{names}: not in this host. It is the bare PowerShell engine, without the Utility and Management modules (see -Help); "
            + "in pwsh, the same pipeline finds all of them.";
    }
}
