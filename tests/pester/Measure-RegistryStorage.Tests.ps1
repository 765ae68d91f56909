BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $storage = $test.StoragePath
    $null = Connect-Registry $test.Address -Name reg
}
AfterAll { Stop-TestRegistry $test }

Describe 'Measure-RegistryStorage' {
    It 'measures a storage, by registry, repository and tag' {
        $all = Measure-RegistryStorage $storage -By Registry
        $all.Repositories | Should -Be 5
        $all.Size | Should -BeOfType long
        (Measure-RegistryStorage $storage -By Repository).Repository | Sort-Object | Should -Be i1, i2, i3, i4, i5
        (Measure-RegistryStorage $storage -By Tag -Repository i1).Tag | Sort-Object | Should -Be T11, T12, T13
    }

    It 'measures a registry over HTTP' {
        $i1 = Measure-RegistryStorage -Repository i1 -By Repository
        $i1.Tags | Should -Be 3
        $i1.Registry | Should -Be reg
    }

    It 'says what removing a tag would free: nothing where another tag shares its manifest' {
        (Get-RegistryTag I1 | Where-Object Name -eq T12 | Measure-RegistryStorage $storage).Freed | Should -Be 0
        $alone = Get-RegistryTag I1 | Where-Object Name -eq T11 | Measure-RegistryStorage $storage
        $alone.Freed | Should -BeGreaterThan 0
        $both = Get-RegistryTag I1 | Where-Object Name -in T12, T13 | Measure-RegistryStorage $storage
        $both.Freed | Should -BeGreaterThan 0
        $both.Tags | Should -Be 2
        ('i1:T11' | Measure-RegistryStorage $storage).Freed | Should -Be $alone.Freed
        (Measure-RegistryStorage $storage -Without i1:T1*).Tags | Should -Be 3
        (Get-RegistryTag i1 T11 | Measure-RegistryStorage).Freed | Should -BeGreaterThan 0
    }

    It 'foretells what a collection then frees' {
        $wanted = Get-RegistryTag i1 T11 | Measure-RegistryStorage $storage
        Remove-RegistryTag i1 T11
        try { (Measure-RegistryStorage $storage -By Registry).Untagged | Should -BeGreaterOrEqual $wanted.Freed } finally { Reset-TestRegistry $test }
    }

    It 'changes nothing' {
        $files = Get-DirectoryContent $storage
        $null = Measure-RegistryStorage $storage -By Tag
        $null = Measure-RegistryStorage -Repository * -By Tag
        Get-DirectoryContent $storage | Should -Be $files
    }

    It 'tells <Id>' -ForEach @(
        @{ Id = 'StorageNotFound'; Command = { Measure-RegistryStorage (Join-Path $storage nothing) } }
        @{ Id = 'RepositoryNotFound'; Command = { Measure-RegistryStorage $storage -Repository nowhere } }
        @{ Id = 'TagNotFound'; Command = { 'i1:T99' | Measure-RegistryStorage $storage } }
        @{ Id = 'InvalidReference'; Command = { "i1@sha256:$('a' * 64)" | Measure-RegistryStorage $storage } }
    ) { Get-ErrorId $Command | Should -Be $Id }

    It 'gives what sorts, groups, compares and is written as JSON and CSV' {
        $usage = Measure-RegistryStorage $storage -By Repository, Tag
        ($usage | Sort-Object Size -Descending | Select-Object -First 1).Size | Should -Be ($usage | Measure-Object Size -Maximum).Maximum
        ($usage | Group-Object Scope | Where-Object Name -eq Repository).Count | Should -Be 5
        (Compare-Object ($usage | Where-Object Scope -eq Tag) (Measure-RegistryStorage $storage -By Tag -Repository i[1-4]) -Property Repository, Tag).Repository | Select-Object -Unique | Should -Be i5
        (($usage | ConvertTo-Json | ConvertFrom-Json) | Where-Object Tag -eq T11).Freed | Should -Be ($usage | Where-Object Tag -eq T11).Freed
        ($usage | ConvertTo-Csv -NoTypeInformation | ConvertFrom-Csv | Where-Object Tag -eq T11).Freed | Should -Be ($usage | Where-Object Tag -eq T11).Freed
    }

    It 'is shown within <_> columns' -ForEach 80, 200 {
        $view = Measure-RegistryStorage $storage -By Repository | Get-View -Width $_
        ($view | Where-Object { $_ -notmatch 'Storage:' } | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual $_
        "$view" | Should -Match 'i5'
        "$view" | Should -Match ' k?B'
    }
}
