BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $before = Get-RegistryContent $test.Address
    $null = Connect-Registry $test.Address -Name reg
    $start = [datetimeoffset]::Now.AddMinutes(-1)
    Remove-RegistryTag i1 T12
    Remove-RegistryTag i2 T21, T22
    Restore-RegistryTag i2 T21
}
AfterAll { Stop-TestRegistry $test }

Describe 'Get-RegistryRemoval' {
    It 'reads the journal' {
        Get-RegistryRemoval | Sort-Object Tag | ForEach-Object { "$($_.Repository):$($_.Tag)" } | Should -Be i1:T12, i2:T21, i2:T22
        $removal = Get-RegistryRemoval i1 T12
        $before | Should -Contain "i1:T12 200 $($removal.Digest)"
        $removal.Registry | Should -Be $test.Address
        $removal.Time | Should -BeGreaterThan $start
    }

    It 'chooses by repository, tag, state, time, run and registry' {
        (Get-RegistryRemoval I2 | Sort-Object Tag).Tag | Should -Be T21, T22
        (Get-RegistryRemoval * T?2 | Sort-Object Tag).Tag | Should -Be T12, T22
        (Get-RegistryRemoval -State Restored).Tag | Should -Be T21
        Get-RegistryRemoval -After ([datetimeoffset]::Now.AddHours(1)) | Should -BeNullOrEmpty
        @(Get-RegistryRemoval -RunId (Get-RegistryRemoval i2 T22).RunId) | Should -HaveCount 2
        @(Get-RegistryRemoval -Registry reg) | Should -HaveCount 3
    }

    It 'needs no connection' {
        Disconnect-Registry reg
        try { @(Get-RegistryRemoval) | Should -HaveCount 3 } finally { $null = Connect-Registry $test.Address -Name reg }
    }

    It 'gives what sorts, groups, compares and is written as JSON and CSV' {
        (Get-RegistryRemoval | Sort-Object Time | Select-Object -First 1).Tag | Should -Be T12
        (Get-RegistryRemoval | Group-Object State | Where-Object Name -eq Removed).Count | Should -Be 2
        (Compare-Object (Get-RegistryRemoval) (Get-RegistryRemoval -State Removed) -Property Tag).Tag | Should -Be T21
        (Get-RegistryRemoval i1 | ConvertTo-Json | ConvertFrom-Json).Digest | Should -Be (Get-RegistryRemoval i1).Digest
        (Get-RegistryRemoval i1 | ConvertTo-Csv -NoTypeInformation | ConvertFrom-Csv).Tag | Should -Be T12
    }

    It 'is shown within <_> columns' -ForEach 80, 200 {
        $view = Get-RegistryRemoval | Get-View -Width $_
        ($view | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual $_
        "$view" | Should -Match 'T12'
        "$view" | Should -Match 'Restored'
    }
}
