BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry -Behave 2.8
    $null = Connect-Registry $test.Address -Name old
    $other = Start-TestRegistry -Behave full
    $null = Connect-Registry $other.Address -Name new
}
AfterAll {
    Stop-TestRegistry $other
    Stop-TestRegistry $test
}

Describe 'Test-Registry' {
    It 'finds out what a registry can do' {
        $old = Test-Registry old
        $old.TagDelete | Should -Be NotSupported
        $old.ManifestDelete | Should -Be Supported
        $old.Referrers | Should -Be NotSupported
        $old.Location | Should -Be $test.Address
        $new = Test-Registry new
        $new.TagDelete | Should -Be Supported
        $new.Referrers | Should -Be Supported
    }

    It 'takes the current connection, a name, an object and both from the pipeline' {
        (Test-Registry).Registry | Should -Be new
        (Test-Registry (Get-RegistryConnection old)).Registry | Should -Be old
        ('old', 'new' | Test-Registry).Registry | Should -Be old, new
        (Get-RegistryConnection | Sort-Object Name | Test-Registry).Registry | Should -Be new, old
        (Test-Registry old -Repository I1).Registry | Should -Be old
    }

    It 'changes nothing' {
        $before = Get-RegistryContent $test.Address
        $null = Test-Registry old
        Get-RegistryContent $test.Address | Should -Be $before
    }

    It 'tells that there is no such connection' { Get-ErrorId { Test-Registry nowhere } | Should -Be NotConnected }

    It 'groups, and is written as JSON' {
        (Test-Registry old, new | Group-Object { "$($_.TagDelete)" } | Sort-Object Name).Name | Should -Be NotSupported, Supported
        (Test-Registry old | ConvertTo-Json | ConvertFrom-Json).Registry | Should -Be old
    }

    It 'is shown within <_> columns' -ForEach 80, 200 {
        $view = Test-Registry old | Get-View -Width $_
        ($view | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual $_
        "$view" | Should -Match 'NotSupported|no'
    }
}
