BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry -Behave 3
    $storage = $test.StoragePath
}
AfterAll { Stop-TestRegistry $test }

Describe 'Restore-RegistryGarbage' {
    BeforeEach {
        Reset-TestRegistry $test
        $null = Connect-Registry $test.Address -Name reg
        Get-RegistryTag i1, i3 | Where-Object Name -in T11, T31 | Remove-RegistryTag
        $registry = Join-Path $storage docker/registry/v2
        $before = Get-DirectoryContent $registry
        $collection = Invoke-RegistryGarbageCollect $storage -RemoveUntagged -MinimumAge 0s 6>$null
        $after = Get-DirectoryContent $registry
    }

    It 'puts back every file' {
        $result = Restore-RegistryGarbage $storage
        $result.Left | Should -Be 0
        $result.Restored | Should -BeGreaterThan 0
        Get-DirectoryContent $registry | Should -Be $before
    }

    It 'takes a run, items and a collection from the pipeline' {
        Get-RegistryGarbage $storage -Detailed | Where-Object Kind -eq Manifest | Restore-RegistryGarbage | ForEach-Object Left | Should -Be 0, 0
        Get-DirectoryContent $registry | Should -Be $before
        $second = Invoke-RegistryGarbageCollect $storage -RemoveUntagged -MinimumAge 0s 6>$null
        $null = $second | Restore-RegistryGarbage
        Get-DirectoryContent $registry | Should -Be $before
    }

    It 'restores so that removed tags can be put back' {
        $null = Restore-RegistryGarbage $storage $collection.RunId
        Get-RegistryRemoval | Restore-RegistryTag
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Be (Get-SampleTag)
    }

    It 'changes nothing with -WhatIf' {
        $files = Get-DirectoryContent $storage
        Restore-RegistryGarbage $storage -WhatIf
        Get-RegistryGarbage $storage -Detailed | Restore-RegistryGarbage -WhatIf
        Get-DirectoryContent $storage | Should -Be $files
    }

    It 'asks with -Confirm' {
        $null = Invoke-WithAnswer $test "Restore-RegistryGarbage '$storage' -Confirm" -Answer N
        Get-DirectoryContent $registry | Should -Be $after
        $null = Invoke-WithAnswer $test "Restore-RegistryGarbage '$storage' -Confirm" -Answer Y
        Get-DirectoryContent $registry | Should -Be $before
    }

    It 'tells <Id>' -ForEach @(
        @{ Id = 'GarbageFailed'; Command = { Restore-RegistryGarbage $storage nothing } }
        @{ Id = 'InvalidReference'; Command = { Restore-RegistryGarbage $storage -Digest latest } }
        @{ Id = 'StorageNotFound'; Command = { Restore-RegistryGarbage (Join-Path $storage nothing) } }
    ) {
        Get-ErrorId $Command | Should -Be $Id
        Get-DirectoryContent $registry | Should -Be $after
    }

    It 'is written as JSON and shown within 80 columns' {
        $result = Restore-RegistryGarbage $storage
        ($result | ConvertTo-Json | ConvertFrom-Json).Restored | Should -Be $result.Restored
        ($result | Get-View -Width 80 | Where-Object { $_ -notmatch 'Storage:' } | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual 80
    }
}
