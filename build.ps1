#!/usr/bin/env pwsh
<#
.SYNOPSIS
    Builds, tests, packs and shows the module: thin over dotnet, which alone does the work.
.DESCRIPTION
    Build stages the module in out/RegistryTools; Test runs every xunit test; Pester runs the suites of tests/pester; Import imports the staged module into a new shell and lists its commands; Tour shows the
    main job; Bench measures; Help makes the cmdlets' help; Pack lays the module in artifacts/RegistryTools as the PowerShell Gallery wants it, and a .nupkg beside it; Publish pushes what Pack made.
    Without -Task: Build, Test, Import and Tour.
.EXAMPLE
    ./build.ps1 -Task Build, Pester -PesterVersion 5
.EXAMPLE
    ./build.ps1 -Task Pack, Publish -ApiKey (Read-Host -AsSecureString)
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [ValidateSet('Build', 'Test', 'Pester', 'Import', 'Tour', 'Bench', 'Help', 'Pack', 'Publish')]
    [string[]] $Task = @('Build', 'Test', 'Import', 'Tour'),

    # As a rule Debug; of what is packed and measured, Release.
    [ValidateSet('Debug', 'Release')]
    [string] $Configuration,

    # For Pester: the major version, 5 or 6; without it the newest that is installed.
    [ValidateSet(5, 6)]
    [int] $PesterVersion,

    # For Pester: the module to test, and the program that serves the samples, instead of what was built here.
    [string] $ModulePath,
    [string] $HostPath,

    # For Publish: the folder that Pack made, where to, and the key. Without -ApiKey the environment's PSGALLERY_API_KEY is used.
    [string] $PackagePath = "$PSScriptRoot/artifacts/RegistryTools",
    [string] $Repository = 'PSGallery',
    [securestring] $ApiKey
)

$ErrorActionPreference = 'Stop'
$ordinary = if ($Configuration) { $Configuration } else { 'Debug' }
$released = if ($Configuration) { $Configuration } else { 'Release' }

function Invoke-DotNet {
    & dotnet @args
    if ($LASTEXITCODE -ne 0) { throw "dotnet $($args -join ' ') ended with exit code $LASTEXITCODE." }
}

# In a process of its own: an assembly that this shell has loaded could not be built again.
function Invoke-NewShell {
    & (Get-Process -Id $PID).Path -NoProfile @args
    if ($LASTEXITCODE -ne 0) { throw "The shell that did it ended with exit code $LASTEXITCODE." }
}

function Publish-Package {
    if (-not (Test-Path -LiteralPath "$PackagePath/RegistryTools.psd1")) { throw "There is no package at $PackagePath. Make it first: ./build.ps1 -Task Pack" }
    $manifest = Test-ModuleManifest -Path "$PackagePath/RegistryTools.psd1"
    $prerelease = $manifest.PrivateData.PSData.Prerelease
    $version = "$($manifest.Version)$(if ($prerelease) { '-' + $prerelease })"
    if (-not $PSCmdlet.ShouldProcess($Repository, "Publish RegistryTools $version, which cannot be taken back")) { return }

    $key = if ($ApiKey) { (New-Object Net.NetworkCredential '', $ApiKey).Password } else { $env:PSGALLERY_API_KEY }
    if (-not $key) { throw 'Nothing was published: there is no API key. Give -ApiKey (Read-Host -AsSecureString), or set PSGALLERY_API_KEY.' }
    if ($manifest.ProjectUri.Host -like '*.example') { throw "Nothing was published: $($manifest.ProjectUri) is a placeholder. Set PackageProjectUrl in Directory.Build.props, and pack again." }

    $newer = Get-Command Publish-PSResource -ErrorAction Ignore
    $file = Join-Path (Split-Path $PackagePath) "RegistryTools.$version.nupkg"
    # The very file that was made and tested, where the command can push one.
    if ($newer -and $newer.Parameters.ContainsKey('NupkgPath') -and (Test-Path -LiteralPath $file)) { Publish-PSResource -NupkgPath $file -Repository $Repository -ApiKey $key }
    elseif ($newer) { Publish-PSResource -Path $PackagePath -Repository $Repository -ApiKey $key }
    elseif (Get-Command Publish-Module -ErrorAction Ignore) { Publish-Module -Path $PackagePath -Repository $Repository -NuGetApiKey $key }
    else { throw 'Nothing was published: neither Publish-PSResource (Microsoft.PowerShell.PSResourceGet) nor Publish-Module (PowerShellGet) is here.' }
}

Push-Location $PSScriptRoot
try {
    foreach ($one in $Task) {
        if ($one -eq 'Publish') { Publish-Package; continue }
        if (-not $PSCmdlet.ShouldProcess($PSScriptRoot, $one)) { continue }
        switch ($one) {
            'Build' { Invoke-DotNet build RegistryTools.sln -c $ordinary }
            'Test' { Invoke-DotNet test RegistryTools.sln -c $ordinary }
            'Tour' { Invoke-DotNet run -c $ordinary --project src/RegistryTools.Host }
            'Bench' { Invoke-DotNet run -c $released --project tests/bench }
            'Help' { Invoke-DotNet build src/RegistryTools.Help -c $ordinary }
            'Import' { Invoke-NewShell -Command "Import-Module '$PSScriptRoot/out/RegistryTools' -ErrorAction Stop; Get-Command -Module RegistryTools | Format-Table Name, Version" }
            'Pester' {
                $more = @()
                if ($PesterVersion) { $more += '-PesterVersion', $PesterVersion }
                if ($ModulePath) { $more += '-ModulePath', $ModulePath }
                if ($HostPath) { $more += '-HostPath', $HostPath }
                Invoke-NewShell -ExecutionPolicy Bypass -File tests/pester/Invoke-Suite.ps1 @more
            }
            'Pack' {
                Invoke-DotNet pack src/RegistryTools.Package -c $released
                $null = Test-ModuleManifest -Path artifacts/RegistryTools/RegistryTools.psd1
            }
        }
    }
}
finally {
    Pop-Location
}
