BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $null = Connect-Registry $test.Address -Name one
    $null = Connect-Registry -StoragePath $test.StoragePath -Name disk
}
AfterAll { Stop-TestRegistry $test }

Describe 'Get-RegistryConnection' {
    It 'gives all, some by a wildcard, one by its name, the current one' {
        (Get-RegistryConnection).Name | Sort-Object | Should -Be disk, one
        (Get-RegistryConnection o*).Name | Should -Be one
        (Get-RegistryConnection DISK).Name | Should -Be disk
        (Get-RegistryConnection -Current).Name | Should -Be disk
        ('one', 'd*' | Get-RegistryConnection).Name | Should -Be one, disk
    }

    It 'tells that there is no such connection; a wildcard that fits none is no error' {
        Get-ErrorId { Get-RegistryConnection three } | Should -Be ConnectionNotFound
        Get-ErrorId { Get-RegistryConnection x* } | Should -BeNullOrEmpty
    }

    It 'gives what sorts, groups, compares and is written as JSON and CSV' {
        (Get-RegistryConnection | Sort-Object Name -Descending).Name | Should -Be one, disk
        (Get-RegistryConnection | Group-Object Kind | Sort-Object Name).Name | Should -Be Http, Storage
        (Get-RegistryConnection | ConvertTo-Csv -NoTypeInformation | ConvertFrom-Csv | Sort-Object Name).Location | Should -Be $test.StoragePath, $test.Address
        (Get-RegistryConnection one | ConvertTo-Json | ConvertFrom-Json).Location | Should -Be $test.Address
        Compare-Object (Get-RegistryConnection) (Get-RegistryConnection) -Property Name, Location | Should -BeNullOrEmpty
    }

    It 'is shown within <_> columns, the current one with a star' -ForEach 80, 200 {
        $view = Get-RegistryConnection one | Get-View -Width $_
        ($view | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual $_
        "$view" | Should -Match ([regex]::Escape($test.Address))
        "$(Get-RegistryConnection disk | Get-View -Width $_)" | Should -Match '\* +disk'
    }
}
