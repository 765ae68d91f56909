<#
.SYNOPSIS
Retention, and then garbage collection: what every schedule in this folder runs.
.DESCRIPTION
Exit codes: 0, all went well; 1, something failed, and standard error says what; 2, the policy went beyond its limits, and nothing was removed.
.EXAMPLE
./Invoke-NightlyCleanup.ps1 -Registry https://registry.example.com -Policy retention-policy.json -Container registry
.EXAMPLE
./Invoke-NightlyCleanup.ps1 -Registry /var/lib/registry -Policy retention-policy.json -PurgeAfter 7d
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    # The registry's address, or the path of its storage.
    [Parameter(Mandatory)] [string] $Registry,
    [Parameter(Mandatory)] [string] $Policy,
    # The container that the registry runs in, for its own collector.
    [string] $Container,
    # The deployment of Kubernetes that it runs in.
    [string] $Deployment,
    [string] $Namespace,
    # How long the quarantine keeps what was collected from a storage.
    [string] $PurgeAfter = '7d',
    # The module, where it is not on the module path.
    [string] $ModulePath = 'RegistryTools'
)
# Without this an error is written and the script goes on: the schedule would never know.
$ErrorActionPreference = 'Stop'
try {
    Import-Module $ModulePath -Verbose:$false
    $isStorage = $Registry -notmatch '^https?://' -and [IO.Directory]::Exists($Registry)
    if ($isStorage) { $null = Connect-Registry -StoragePath $Registry } else { $null = Connect-Registry $Registry }
    $removed = @(Invoke-RegistryRetention $Policy)
    $removed
    if ($isStorage) {
        Invoke-RegistryGarbageCollect $Registry -RemoveUntagged -PurgeOlderThan $PurgeAfter
    }
    elseif ($Container) {
        Invoke-RegistryGarbageCollect -Container $Container -Restart -Confirm:$false
    }
    elseif ($Deployment) {
        $where = @{ Deployment = $Deployment }
        if ($Namespace) { $where.Namespace = $Namespace }
        Invoke-RegistryGarbageCollect @where -Quiesce ReadOnly -Confirm:$false
    }
}
catch {
    [Console]::Error.WriteLine("$($_.FullyQualifiedErrorId): $($_.Exception.Message)")
    if ($_.FullyQualifiedErrorId -like 'RetentionLimit*') { exit 2 }
    exit 1
}
exit 0
