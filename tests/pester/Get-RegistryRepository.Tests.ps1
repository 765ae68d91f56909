BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $null = Connect-Registry $test.Address -Name reg
}
AfterAll { Stop-TestRegistry $test }

Describe 'Get-RegistryRepository' {
    It 'lists all, some by a wildcard, one by its name in any case' {
        (Get-RegistryRepository).Repository | Should -Be i1, i2, i3, i4, i5
        (Get-RegistryRepository i[24]).Repository | Should -Be i2, i4
        (Get-RegistryRepository I3).Repository | Should -Be i3
        (Get-RegistryRepository -Repository i1, i5).Repository | Should -Be i1, i5
        (Get-RegistryRepository -Registry $test.Address).Registry | Select-Object -Unique | Should -Be reg
    }

    It 'feeds Get-RegistryTag' {
        (Get-RegistryRepository i3 | Get-RegistryTag).Name | Sort-Object | Should -Be T31, T32
        @(Get-RegistryRepository | Get-RegistryTag | Where-Object Name -notlike sha256-*) | Should -HaveCount (Get-SampleTag).Count
    }

    It 'stops with the pipeline' { (Get-RegistryRepository | Select-Object -First 1).Repository | Should -Be i1 }

    It 'tells that there is no such repository; a wildcard that fits none is no error' {
        Get-ErrorId { Get-RegistryRepository nowhere } | Should -Be RepositoryNotFound
        Get-ErrorId { Get-RegistryRepository x* } | Should -BeNullOrEmpty
        Get-ErrorId { Get-RegistryRepository 'a//b' } | Should -Be InvalidReference
    }

    It 'gives what sorts, groups, compares and is written as JSON and CSV' {
        (Get-RegistryRepository | Sort-Object Repository -Descending).Repository | Should -Be i5, i4, i3, i2, i1
        @(Get-RegistryRepository | Group-Object Registry).Count | Should -Be 1
        (Get-RegistryRepository | ConvertTo-Csv -NoTypeInformation | ConvertFrom-Csv).Repository | Should -Be i1, i2, i3, i4, i5
        (Get-RegistryRepository i1 | ConvertTo-Json | ConvertFrom-Json).Repository | Should -Be i1
        (Compare-Object (Get-RegistryRepository) (Get-RegistryRepository i[1-4]) -Property Repository).Repository | Should -Be i5
    }

    It 'is shown within <_> columns' -ForEach 80, 200 {
        $view = Get-RegistryRepository | Get-View -Width $_
        ($view | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual $_
        "$view" | Should -Match 'i1 .*i5'
    }
}
