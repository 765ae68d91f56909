<#
.SYNOPSIS
    Runs the suites of this folder with Pester 5 or 6, and ends with 1 where a test fails. For a shell of its own: build.ps1 -Task Pester starts one.
.EXAMPLE
    pwsh -NoProfile -File tests/pester/Invoke-Suite.ps1 -PesterVersion 6 -Path tests/pester/Get-RegistryTag.Tests.ps1
#>
[CmdletBinding()]
param(
    # The suites; without it all.
    [string[]] $Path = @($PSScriptRoot),

    # Pester's major version; without it the newest that is installed.
    [ValidateSet(5, 6)]
    [int] $PesterVersion,

    # The module to test and the program that serves the samples, instead of what was built here.
    [string] $ModulePath,
    [string] $HostPath,

    # Where to write the results as NUnit's XML.
    [string] $ResultPath
)

$ErrorActionPreference = 'Stop'
$pester = Get-Module Pester -ListAvailable | Where-Object { $_.Version.Major -ge 5 -and (-not $PesterVersion -or $_.Version.Major -eq $PesterVersion) } | Sort-Object Version | Select-Object -Last 1
if (-not $pester) { throw "Pester $(if ($PesterVersion) { $PesterVersion } else { '5 or later' }) is not installed: Install-Module Pester -SkipPublisherCheck" }
Import-Module $pester.Path
if ($ModulePath) { $env:REGISTRYTOOLS_TEST_MODULE = (Resolve-Path -LiteralPath $ModulePath).ProviderPath }
if ($HostPath) { $env:REGISTRYTOOLS_TEST_HOST = (Resolve-Path -LiteralPath $HostPath).ProviderPath }

$configuration = New-PesterConfiguration
$configuration.Run.Path = $Path
$configuration.Run.PassThru = $true
if ($ResultPath) {
    $configuration.TestResult.Enabled = $true
    $configuration.TestResult.OutputPath = $ResultPath
}
$result = Invoke-Pester -Configuration $configuration
"Pester $($pester.Version) on PowerShell $($PSVersionTable.PSVersion): $($result.PassedCount) passed, $($result.FailedCount) failed, $($result.SkippedCount) skipped"
if ($result.Result -ne 'Passed' -or $result.PassedCount -eq 0) { exit 1 }
exit 0
