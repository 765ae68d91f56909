BeforeDiscovery {
    . "$PSScriptRoot/Support.ps1"
    # Read, not imported: what a test needs it imports itself.
    $cmdlets = (Test-ModuleManifest -Path (Get-TestModule)).ExportedCmdlets.Keys | Sort-Object | ForEach-Object { @{ Name = $_ } }
}

BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $manifest = Get-TestModule
}
AfterAll { Stop-TestRegistry $test }

Describe 'The module' {
    It 'has a manifest in order' {
        $module = Test-ModuleManifest -Path $manifest
        $module.Name | Should -Be RegistryTools
        $module.Version.ToString() | Should -Not -Be 0.0.0
        $module.CompatiblePSEditions | Should -Be Core, Desktop
        $module.PrivateData.PSData.ReleaseNotes | Should -Match Remove-RegistryTag
        $module.ProjectUri | Should -Not -BeNullOrEmpty
        $module.LicenseUri | Should -Not -BeNullOrEmpty
    }

    It 'is the build for this edition' {
        $expected = if ($PSVersionTable.PSEdition -eq 'Core') { 'net8.0' } else { 'netstandard2.0' }
        (Get-Command Get-RegistryTag).DLL | Should -Match ([regex]::Escape([IO.Path]::DirectorySeparatorChar + $expected + [IO.Path]::DirectorySeparatorChar))
    }

    It 'imports again and again, and goes' {
        Import-Module $manifest -Force
        Import-Module $manifest -Force
        $null = Connect-Registry $test.Address -Name reg
        (Get-RegistryTag i1 T11).Name | Should -Be T11
        Remove-Module RegistryTools
        Get-Command Get-RegistryTag -Module RegistryTools -ErrorAction Ignore | Should -BeNullOrEmpty
        Import-Module $manifest
        Get-ErrorId { Get-RegistryTag i1 } | Should -Be NotConnected
        $null = Connect-Registry $test.Address -Name reg
        (Get-RegistryTag i1 T11).Name | Should -Be T11
    }

    It 'exports <Name>, with help and at least three examples' -ForEach $cmdlets {
        (Get-Command $Name -Module RegistryTools).CommandType | Should -Be Cmdlet
        $help = Get-Help $Name -Full
        $help.Synopsis | Should -Not -Match "^\s*$Name"
        @($help.examples.example).Count | Should -BeGreaterOrEqual 3
        $help.description | Out-String | Should -Match '\S'
    }

    It 'has about topics' {
        Get-Help about_RegistryTools | Out-String | Should -Match 'Remove-RegistryTag'
        Get-Help about_RegistryTools_Safety | Out-String | Should -Match 'WhatIf'
    }
}
