BeforeDiscovery { $behaviours = '2.8', '3' }

Describe 'Remove-RegistryTag on a registry like distribution <_>' -ForEach $behaviours {
    BeforeAll {
        . "$PSScriptRoot/Support.ps1"
        $test = Start-TestRegistry -Behave $_
        $before = Get-RegistryContent $test.Address
    }
    AfterAll { Stop-TestRegistry $test }
    BeforeEach {
        Reset-TestRegistry $test
        $null = Connect-Registry $test.Address -Name reg
    }

    It 'removes T12, T22 and T52, and nothing else' {
        Get-RegistryTag I1, I2, I5 | Where-Object Name -in T12, T22, T52 | Remove-RegistryTag | Should -BeNullOrEmpty
        $after = Get-RegistryContent $test.Address
        Get-ContentTag $after | Should -Be (Get-SampleTag | Where-Object { $_ -notin 'i1:T12', 'i2:T22', 'i5:T52' })
        $lost = $before | Where-Object { $after -notcontains $_ }
        # What T12 and T22 point to, T13 and T24 point to as well; T52 was the only one that pointed to its manifest, and nothing here lists that by itself.
        $lost | Where-Object { $_ -notmatch '^i5 blob ' } | ForEach-Object { ($_ -split ' ')[0] } | Should -Be i1:T12, i2:T22, i5:T52
        $after | Where-Object { $before -notcontains $_ } | Should -BeNullOrEmpty
    }

    It 'changes nothing with -WhatIf' {
        Get-RegistryTag I1, I2, I5 | Where-Object Name -in T12, T22, T52 | Remove-RegistryTag -WhatIf
        Remove-RegistryTag i3 T31 -WhatIf
        & { $WhatIfPreference = $true; Remove-RegistryTag i3 T32 }
        Remove-RegistryTag i3 T31 -Confirm:$false -WhatIf
        Get-RegistryContent $test.Address | Should -Be $before
        Get-RegistryRemoval | Should -BeNullOrEmpty
    }

    It 'takes names, references, objects, and a digest that the tag must still have' {
        Remove-RegistryTag i1 T11
        'i2:T21', "$($test.Host)/i2:T23" | Remove-RegistryTag
        Remove-RegistryTag -Reference i3:T31
        [pscustomobject]@{ Repository = 'i4'; Tag = 'T43' } | Remove-RegistryTag
        Get-RegistryTag i5 T52 -Detailed | Remove-RegistryTag
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Be (Get-SampleTag | Where-Object { $_ -notin 'i1:T11', 'i2:T21', 'i2:T23', 'i3:T31', 'i4:T43', 'i5:T52' })
        Get-ErrorId { Remove-RegistryTag i1 T12 -Digest "sha256:$('a' * 64)" } | Should -Be TagMoved
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Contain i1:T12
    }

    It 'says what it removed with -PassThru' {
        $removed = Remove-RegistryTag i1 T12 -PassThru
        $removed.ToString() | Should -Be reg/i1:T12
        $removed.State | Should -Be Removed
        $removed.Method | Should -Be $(if ((Test-Registry).TagDelete -eq 'Supported') { 'TagApi' } else { 'Placeholder' })
        $before | Should -Contain "i1:T12 200 $($removed.Digest)"
    }

    It 'tells <Id>, and goes on with the next' -ForEach @(
        @{ Id = 'TagNotFound'; Command = { Remove-RegistryTag i1 T99, T11 } }
        @{ Id = 'InvalidReference'; Command = { Remove-RegistryTag i1 'T 9', T11 } }
        @{ Id = 'InvalidReference'; Command = { 'i1', 'i1:T11' | Remove-RegistryTag } }
    ) {
        Get-ErrorId $Command | Should -Be $Id
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Be (Get-SampleTag | Where-Object { $_ -ne 'i1:T11' })
    }

    It 'is not asked for by default, and asks with -Confirm' {
        Invoke-WithAnswer $test 'Remove-RegistryTag i1 T11 -Confirm' -Answer N | Out-String | Should -Match 'Remove tag'
        Get-RegistryContent $test.Address | Should -Be $before
        Invoke-WithAnswer $test 'Remove-RegistryTag i1 T11, T12, T13 -Confirm' -Answer Y, N, Y
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Be (Get-SampleTag | Where-Object { $_ -notin 'i1:T11', 'i1:T13' })
        Invoke-WithAnswer $test '$ConfirmPreference = "Low"; Remove-RegistryTag i1 T12' -Answer L
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Contain i1:T12
        & { $ConfirmPreference = 'Low'; Remove-RegistryTag i1 T12 -Confirm:$false }
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Not -Contain i1:T12
    }
}

Describe 'Remove-RegistryTag where deletion is disabled' {
    BeforeAll {
        . "$PSScriptRoot/Support.ps1"
        $test = Start-TestRegistry -Behave 2.8-no-delete
        $null = Connect-Registry $test.Address
    }
    AfterAll { Stop-TestRegistry $test }

    It 'says so, and has touched nothing' {
        $before = Get-RegistryContent $test.Address
        Get-ErrorId { Get-RegistryTag i1 | Remove-RegistryTag } | Select-Object -Unique | Should -Be DeletionDisabled
        Get-RegistryContent $test.Address | Should -Be $before
    }
}
