BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $storage = $test.StoragePath
}
AfterAll { Stop-TestRegistry $test }

Describe 'Clear-RegistryGarbage' {
    BeforeEach {
        Reset-TestRegistry $test
        $null = Connect-Registry $test.Address -Name reg
        Get-RegistryTag i1, i3 | Where-Object Name -in T11, T31 | Remove-RegistryTag
        $collection = Invoke-RegistryGarbageCollect $storage -RemoveUntagged -MinimumAge 0s 6>$null
        $content = Get-RegistryContent $test.Address
        $files = Get-DirectoryContent $storage
    }

    It 'frees what is in the quarantine, and nothing else' {
        Clear-RegistryGarbage $storage -Confirm:$false | Should -BeNullOrEmpty
        Get-RegistryGarbage $storage | Should -BeNullOrEmpty
        Get-RegistryContent $test.Address | Should -Be $content
        @(Get-DirectoryContent $storage).Count | Should -BeLessThan $files.Count
    }

    It 'takes a run by name and from the pipeline, and says what it freed with -PassThru' {
        (Get-RegistryGarbage $storage | Clear-RegistryGarbage -Confirm:$false -PassThru).RunId | Should -Be $collection.RunId
        Get-RegistryGarbage $storage | Should -BeNullOrEmpty
    }

    It 'leaves what is younger than -OlderThan' {
        Clear-RegistryGarbage $storage -OlderThan 7d -Confirm:$false
        Get-DirectoryContent $storage | Should -Be $files
    }

    It 'changes nothing with -WhatIf' {
        Clear-RegistryGarbage $storage -WhatIf
        Clear-RegistryGarbage $storage -Confirm:$false -WhatIf
        Get-RegistryGarbage $storage | Clear-RegistryGarbage -WhatIf
        Get-DirectoryContent $storage | Should -Be $files
    }

    It 'asks by default' {
        Invoke-WithAnswer $test "Clear-RegistryGarbage '$storage'" -Answer N | Out-String | Should -Match 'for good'
        Get-DirectoryContent $storage | Should -Be $files
        $null = Invoke-WithAnswer $test "Clear-RegistryGarbage '$storage'" -Answer Y
        Get-RegistryGarbage $storage | Should -BeNullOrEmpty
    }

    It 'tells <Id>' -ForEach @(
        @{ Id = 'GarbageFailed'; Command = { Clear-RegistryGarbage $storage nothing -Confirm:$false } }
        @{ Id = 'StorageNotFound'; Command = { Clear-RegistryGarbage (Join-Path $storage nothing) -Confirm:$false } }
        @{ Id = 'ParameterArgumentTransformationError'; Command = { Clear-RegistryGarbage $storage -OlderThan '7 moons' -Confirm:$false } }
    ) {
        Get-ErrorId $Command | Should -Be $Id
        Get-DirectoryContent $storage | Should -Be $files
    }
}
