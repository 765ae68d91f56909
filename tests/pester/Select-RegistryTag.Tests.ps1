BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $null = Connect-Registry $test.Address -Name reg
}
AfterAll { Stop-TestRegistry $test }

Describe 'Select-RegistryTag' {
    It 'chooses by <Rule>' -ForEach @(
        @{ Rule = 'age'; Expected = 'T11', 'T12', 'T13'; Command = { Get-RegistryTag i1 | Select-RegistryTag -OlderThan 30d } }
        @{ Rule = 'number'; Expected = 'T21', 'T22', 'T24'; Command = { Get-RegistryTag i2 | Select-RegistryTag -KeepLast 1 } }
        @{ Rule = 'name'; Expected = 'T41', 'T42'; Command = { Get-RegistryTag i4 | Select-RegistryTag -Match '^T4' -NotMatch 3 } }
        @{ Rule = 'protection'; Expected = @('T11'); Command = { Get-RegistryTag i1 | Select-RegistryTag -OlderThan 30d -Protect T12, T?3 } }
        @{ Rule = 'protection with a star'; Expected = $null; Command = { Get-RegistryTag i1 | Select-RegistryTag -OlderThan 30d -Protect T* } }
        @{ Rule = 'age, of a storage'; Expected = $null; Command = { Get-RegistryTag i1 | Select-RegistryTag -OlderThan 2000w } }
    ) { (& $Command).Name | Sort-Object | Should -Be $Expected }

    It 'hands on what it was given, for Remove-RegistryTag' {
        $chosen = Get-RegistryTag i2 -Detailed | Select-RegistryTag -KeepLast 1
        $chosen[0].GetType().Name | Should -Be RegistryTagDetail
        $before = Get-RegistryContent $test.Address
        Get-RegistryTag i2 | Select-RegistryTag -OlderThan 30d -KeepLast 1 | Remove-RegistryTag -WhatIf
        Get-RegistryContent $test.Address | Should -Be $before
    }

    It 'explains every tag, in objects that Remove-RegistryTag does not take' {
        $decisions = Get-RegistryTag i2 | Select-RegistryTag -KeepLast 1 -Explain
        ($decisions | Sort-Object TagName).Action | Should -Be Remove, Remove, Keep, Remove
        ($decisions | Group-Object Action | Where-Object Name -eq Keep).Group.TagName | Should -Be T23
        $decisions.Reason | Should -Not -BeNullOrEmpty
        ($decisions | ConvertTo-Csv -NoTypeInformation | ConvertFrom-Csv | Where-Object TagName -eq T23).Action | Should -Be Keep
        $before = Get-RegistryContent $test.Address
        Get-ErrorId { $decisions | Remove-RegistryTag } | Should -Not -BeNullOrEmpty
        Get-RegistryContent $test.Address | Should -Be $before
    }

    It 'shows its explanation within <_> columns' -ForEach 80, 200 {
        $view = Get-RegistryTag i2 | Select-RegistryTag -KeepLast 1 -Explain | Get-View -Width $_
        ($view | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual $_
        "$view" | Should -Match 'Keep'
        "$view" | Should -Match 'T23'
    }

    It 'tells <Id>, and chooses nothing' -ForEach @(
        @{ Id = 'RetentionInvalid'; Command = { Get-RegistryTag i1 | Select-RegistryTag -Match '(' } }
        @{ Id = 'RetentionInvalid'; Command = { Get-RegistryTag i1 | Select-RegistryTag -SemVer 'nonsense' } }
        @{ Id = 'RetentionInvalid'; Command = { Get-RegistryTag i1 | Select-RegistryTag } }
        @{ Id = 'InvalidArgument'; Command = { 'i1:T11' | Select-RegistryTag -KeepLast 1 } }
        @{ Id = 'ParameterArgumentTransformationError'; Command = { Get-RegistryTag i1 | Select-RegistryTag -OlderThan '7 moons' } }
    ) {
        Get-ErrorId $Command | Should -Be $Id
        $ErrorActionPreference = 'SilentlyContinue'
        $chosen = try { & $Command } catch { $null }
        $chosen | Should -BeNullOrEmpty
    }
}
