#!/usr/bin/env pwsh
<#
.SYNOPSIS
    Builds, tests and shows the module: thin over dotnet, which alone does the work.
.PARAMETER Task
    Build stages the module in out/RegistryTools; Test runs every test; Import imports the staged module into a new shell and lists its commands;
    Tour shows the main job; Bench measures. Without it: Build, Test, Import and Tour.
#>
[CmdletBinding()]
param(
    [ValidateSet('Build', 'Test', 'Import', 'Tour', 'Bench')]
    [string[]] $Task = @('Build', 'Test', 'Import', 'Tour'),

    [ValidateSet('Debug', 'Release')]
    [string] $Configuration = 'Debug'
)

$ErrorActionPreference = 'Stop'

function Invoke-DotNet {
    & dotnet @args
    if ($LASTEXITCODE -ne 0) { throw "dotnet $($args -join ' ') ended with exit code $LASTEXITCODE." }
}

Push-Location $PSScriptRoot
try {
    foreach ($one in $Task) {
        switch ($one) {
            'Build' { Invoke-DotNet build RegistryTools.sln -c $Configuration }
            'Test' { Invoke-DotNet test RegistryTools.sln -c $Configuration }
            'Tour' { Invoke-DotNet run -c $Configuration --project src/RegistryTools.Host }
            'Bench' { Invoke-DotNet run -c Release --project tests/bench }
            'Import' {
                # In a process of its own: an assembly that this shell has loaded could not be built again.
                $shell = (Get-Process -Id $PID).Path
                & $shell -NoProfile -Command "Import-Module '$PSScriptRoot/out/RegistryTools' -ErrorAction Stop; Get-Command -Module RegistryTools | Format-Table Name, Version"
                if ($LASTEXITCODE -ne 0) { throw 'The staged module does not import.' }
            }
        }
    }
}
finally {
    Pop-Location
}
