BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $before = Get-RegistryContent $test.Address
}
AfterAll { Stop-TestRegistry $test }

Describe 'Restore-RegistryTag' {
    BeforeEach {
        Reset-TestRegistry $test
        $null = Connect-Registry $test.Address -Name reg
        Get-RegistryTag I1, I2, I5 | Where-Object Name -in T12, T22, T52 | Remove-RegistryTag
    }

    It 'puts back what the journal has, with the digests of before' {
        Get-RegistryRemoval | Where-Object Tag -eq T12 | Restore-RegistryTag | Should -BeNullOrEmpty
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Be (Get-SampleTag | Where-Object { $_ -notin 'i2:T22', 'i5:T52' })
        Get-RegistryRemoval | Restore-RegistryTag
        Get-RegistryContent $test.Address | Should -Be $before
    }

    It 'takes names, references and a digest' {
        Restore-RegistryTag I2 T22
        'i1:T12' | Restore-RegistryTag
        Restore-RegistryTag i5 T52 -Digest (Get-RegistryRemoval i5 T52).Digest
        Get-RegistryContent $test.Address | Should -Be $before
    }

    It 'says what it did with -PassThru' {
        $restored = Restore-RegistryTag i1 T12 -PassThru
        $restored.ToString() | Should -Be reg/i1:T12
        $before | Should -Contain "i1:T12 200 $($restored.Digest)"
        ($restored | ConvertTo-Json | ConvertFrom-Json).Result | Should -Be $restored.Result
        "$($restored | Get-View -Width 80)" | Should -Match T12
    }

    It 'changes nothing with -WhatIf' {
        $now = Get-RegistryContent $test.Address
        Get-RegistryRemoval | Restore-RegistryTag -WhatIf
        Get-RegistryContent $test.Address | Should -Be $now
        (Get-RegistryRemoval).State | Select-Object -Unique | Should -Be Removed
    }

    It 'asks with -Confirm' {
        $now = Get-RegistryContent $test.Address
        $null = Invoke-WithAnswer $test 'Restore-RegistryTag i1 T12 -Confirm' -Answer N
        Get-RegistryContent $test.Address | Should -Be $now
        $null = Invoke-WithAnswer $test 'Restore-RegistryTag i1 T12 -Confirm' -Answer Y
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Contain i1:T12
    }

    It 'does not move a tag that has been pushed anew, but with -Force' {
        $other = (Get-RegistryTag i1 T11 -Detailed).Digest
        Restore-RegistryTag i1 T12 -Digest $other
        Get-ErrorId { Get-RegistryRemoval i1 T12 | Restore-RegistryTag } | Should -Be RestoreFailed
        Get-RegistryContent $test.Address | Should -Contain "i1:T12 200 $other"
        Get-RegistryRemoval i1 T12 | Restore-RegistryTag -Force
        Get-RegistryContent $test.Address | Where-Object { $_ -like 'i1:T12 *' } | Should -Be ($before | Where-Object { $_ -like 'i1:T12 *' })
    }

    It 'tells <Id>' -ForEach @(
        @{ Id = 'RestoreFailed'; Command = { Restore-RegistryTag i1 T11 } }
        @{ Id = 'InvalidReference'; Command = { Restore-RegistryTag i1 T11 -Digest latest } }
    ) { Get-ErrorId $Command | Should -Be $Id }
}
