BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $before = Get-RegistryContent $test.Address
    $files = Get-DirectoryContent $test.StoragePath
}
AfterAll { Stop-TestRegistry $test }

Describe 'Remove-RegistryRepository over HTTP' {
    BeforeEach {
        Reset-TestRegistry $test
        $null = Connect-Registry $test.Address -Name reg
    }

    It 'removes every tag with its manifest, and no other repository' {
        $removed = Remove-RegistryRepository I3 -Confirm:$false -PassThru
        $removed.Repository | Should -Be i3
        $removed.Tags | Sort-Object | Should -Be T31, T32
        Get-RegistryContent $test.Address | Should -Be ($before | Where-Object { $_ -notmatch '^i3[: @]' })
    }

    It 'takes what Get-RegistryRepository gives' {
        Get-RegistryRepository i[12] | Remove-RegistryRepository -Confirm:$false
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Be (Get-SampleTag | Where-Object { $_ -notmatch '^i[12]:' })
    }

    It 'changes nothing with -WhatIf' {
        Get-RegistryRepository | Remove-RegistryRepository -WhatIf
        Remove-RegistryRepository i1 -Confirm:$false -WhatIf
        Get-RegistryContent $test.Address | Should -Be $before
        Get-DirectoryContent $test.StoragePath | Should -Be $files
    }

    It 'asks by default' {
        Invoke-WithAnswer $test 'Remove-RegistryRepository i1' -Answer N | Out-String | Should -Match 'T11'
        Get-RegistryContent $test.Address | Should -Be $before
        $null = Invoke-WithAnswer $test 'Remove-RegistryRepository i1, i2' -Answer Y, N
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Be (Get-SampleTag | Where-Object { $_ -notmatch '^i1:' })
    }

    It 'tells <Id>' -ForEach @(
        @{ Id = 'RepositoryNotFound'; Command = { Remove-RegistryRepository nowhere -Confirm:$false } }
        @{ Id = 'InvalidReference'; Command = { Remove-RegistryRepository 'a//b' -Confirm:$false } }
    ) {
        Get-ErrorId $Command | Should -Be $Id
        Get-RegistryContent $test.Address | Should -Be $before
    }
}

Describe 'Remove-RegistryRepository of a storage' {
    BeforeEach {
        Reset-TestRegistry $test
        $null = Connect-Registry -StoragePath $test.StoragePath -Name disk
    }

    It 'moves it to the quarantine, from where it comes back' {
        $removed = Remove-RegistryRepository i3 -Confirm:$false -PassThru
        $removed.StoragePath | Should -Be $test.StoragePath
        Get-RegistryContent $test.Address | Should -Be ($before | Where-Object { $_ -notmatch '^i3[: @]' })
        $removed | Restore-RegistryGarbage | ForEach-Object Left | Should -Be 0
        Get-RegistryContent $test.Address | Should -Be $before
    }

    It 'changes nothing with -WhatIf' {
        Remove-RegistryRepository i3 -WhatIf
        Get-DirectoryContent $test.StoragePath | Should -Be $files
    }
}
