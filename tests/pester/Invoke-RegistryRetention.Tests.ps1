BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $before = Get-RegistryContent $test.Address
    $policy = Join-Path $test.Directory policy.json
}
AfterAll { Stop-TestRegistry $test }

Describe 'Invoke-RegistryRetention' {
    BeforeEach {
        Reset-TestRegistry $test
        $null = Connect-Registry $test.Address -Name reg
        Set-Content -LiteralPath $policy -Value '{ "policies": [{ "name": "builds", "repositories": ["i1", "i2"], "olderThan": "30d", "keepLast": 1, "protect": ["T22"] }] }'
    }

    It 'removes what the policy says, and nothing else' {
        $decisions = Invoke-RegistryRetention $policy
        $decisions.Action | Select-Object -Unique | Should -Be Removed
        $gone = $decisions | ForEach-Object { $_.RepositoryName + ':' + $_.TagName } | Sort-Object
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Be (Get-SampleTag | Where-Object { $_ -notin $gone })
        $gone | Should -Contain i2:T21
        $gone | Should -Not -Contain i2:T22
        $gone | Should -Not -Contain i2:T23
        $gone | Where-Object { $_ -notmatch '^i[12]:' } | Should -BeNullOrEmpty
    }

    It 'changes nothing with -WhatIf, and gives the plan' {
        $plan = Invoke-RegistryRetention $policy -WhatIf
        $plan.Action | Select-Object -Unique | Should -Be Remove
        $explained = Invoke-RegistryRetention $policy -WhatIf -Explain
        @($explained).Count | Should -BeGreaterThan @($plan).Count
        Get-RegistryContent $test.Address | Should -Be $before
        Get-RegistryRemoval | Should -BeNullOrEmpty
    }

    It 'asks with -Confirm, by repository' {
        $null = Invoke-WithAnswer $test "Invoke-RegistryRetention '$policy' -Confirm" -Answer N, Y
        $left = Get-ContentTag (Get-RegistryContent $test.Address)
        $left | Where-Object { $_ -like 'i1:*' } | Should -Be i1:T11, i1:T12, i1:T13
        $left | Should -Not -Contain i2:T21
    }

    It 'stops at its limits before the first removal' {
        Get-ErrorId { Invoke-RegistryRetention $policy -MaximumRemoval 1 } | Should -Be RetentionLimit
        Get-ErrorId { Invoke-RegistryRetention $policy -MaximumPercent 10 } | Should -Be RetentionLimit
        Get-RegistryContent $test.Address | Should -Be $before
    }

    It 'tells <Id>' -ForEach @(
        @{ Id = 'PolicyNotFound'; Text = $null }
        @{ Id = 'PolicyInvalid'; Text = '{ "policies": [{ "repositories": ["*"], "olderThen": "1d" }] }' }
        @{ Id = 'PolicyInvalid'; Text = '{' }
    ) {
        if ($Text) { Set-Content -LiteralPath $policy -Value $Text } else { Remove-Item -LiteralPath $policy }
        Get-ErrorId { Invoke-RegistryRetention $policy } | Should -Be $Id
        Get-RegistryContent $test.Address | Should -Be $before
    }

    It 'gives what groups, is written as CSV, and is shown within <_> columns' -ForEach 80, 200 {
        $plan = Invoke-RegistryRetention $policy -WhatIf -Explain
        ($plan | Group-Object RepositoryName | Sort-Object Name).Name | Should -Be i1, i2
        ($plan | ConvertTo-Csv -NoTypeInformation | ConvertFrom-Csv | Where-Object TagName -eq T22).Action | Should -Be Keep
        $view = $plan | Get-View -Width $_
        ($view | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual $_
        "$view" | Should -Match 'T22'
    }
}
