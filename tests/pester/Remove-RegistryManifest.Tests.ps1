BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $before = Get-RegistryContent $test.Address
}
AfterAll { Stop-TestRegistry $test }

Describe 'Remove-RegistryManifest' {
    BeforeEach {
        Reset-TestRegistry $test
        $null = Connect-Registry $test.Address -Name reg
    }

    It 'removes a manifest with the tag that was named' {
        $digest = (Get-RegistryTag i1 T11 -Detailed).Digest
        $removed = Remove-RegistryManifest i1 T11 -Confirm:$false -PassThru
        $removed.Digest | Should -Be $digest
        $removed.Tags | Should -Be T11
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Be (Get-SampleTag | Where-Object { $_ -ne 'i1:T11' })
        Get-ErrorId { Get-RegistryManifest "i1@$digest" } | Should -Be ManifestNotFound
    }

    It 'does not take other tags, platforms or referrers along, but with -Force' {
        Get-ErrorId { Get-RegistryTag I1 | Where-Object Name -eq T12 | Remove-RegistryManifest -Confirm:$false } | Should -Be ManifestInUse
        Get-ErrorId { (Get-RegistryManifest i4 T41).Manifests[0] | Remove-RegistryManifest -Confirm:$false } | Should -Be ManifestInUse
        Get-ErrorId { Remove-RegistryManifest i5 T51 -Confirm:$false } | Should -Be ManifestInUse
        Get-RegistryContent $test.Address | Should -Be $before
        (Remove-RegistryManifest i1 T12 -Force -Confirm:$false -PassThru).Tags | Sort-Object | Should -Be T12, T13
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Be (Get-SampleTag | Where-Object { $_ -notin 'i1:T12', 'i1:T13' })
    }

    It 'removes what all tags of it were named for' {
        Get-RegistryTag i1 | Where-Object Name -in T12, T13 | Remove-RegistryManifest -Confirm:$false
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Be (Get-SampleTag | Where-Object { $_ -notin 'i1:T12', 'i1:T13' })
    }

    It 'changes nothing with -WhatIf, even with -Force' {
        Remove-RegistryManifest i1 T11 -WhatIf
        Remove-RegistryManifest i1 T12 -Force -WhatIf
        Remove-RegistryManifest i1 T12 -Force -Confirm:$false -WhatIf
        & { $WhatIfPreference = $true; 'i3:T31' | Remove-RegistryManifest }
        Get-RegistryContent $test.Address | Should -Be $before
    }

    It 'asks by default' {
        Invoke-WithAnswer $test 'Remove-RegistryManifest i1 T11' -Answer N | Out-String | Should -Match 'Remove manifest'
        Get-RegistryContent $test.Address | Should -Be $before
        $null = Invoke-WithAnswer $test 'Remove-RegistryManifest i1 T11' -Answer Y
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Not -Contain i1:T11
    }

    It 'can be undone by the journal' {
        Remove-RegistryManifest i1 T11 -Confirm:$false
        Get-RegistryRemoval -State Removed | Restore-RegistryTag
        Get-RegistryContent $test.Address | Should -Be $before
    }

    It 'tells <Id>' -ForEach @(
        @{ Id = 'TagNotFound'; Command = { Remove-RegistryManifest i1 T99 -Confirm:$false } }
        @{ Id = 'ManifestNotFound'; Command = { Remove-RegistryManifest i1 -Digest "sha256:$('a' * 64)" -Confirm:$false } }
        @{ Id = 'InvalidArgument'; Command = { Remove-RegistryManifest i1 -Confirm:$false } }
        @{ Id = 'InvalidReference'; Command = { 'i1' | Remove-RegistryManifest -Confirm:$false } }
        @{ Id = 'InvalidReference'; Command = { Remove-RegistryManifest i1 -Digest latest -Confirm:$false } }
    ) {
        Get-ErrorId $Command | Should -Be $Id
        Get-RegistryContent $test.Address | Should -Be $before
    }
}
