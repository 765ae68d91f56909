BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
}
AfterAll { Stop-TestRegistry $test }

Describe 'Connect-Registry' {
    AfterEach { Get-RegistryConnection | Disconnect-Registry }

    It 'gives the connection, which is the current one' {
        $connection = Connect-Registry $test.Address
        $connection.Location | Should -Be $test.Address
        $connection.Name | Should -Be $test.Host
        $connection.Kind | Should -Be Http
        $connection.IsCurrent | Should -BeTrue
        $connection.IsOpen | Should -BeTrue
        $connection.IsEncrypted | Should -BeFalse
        (Get-RegistryConnection -Current).Name | Should -Be $test.Host
    }

    It 'takes a bare loopback host, a URI and the pipeline' {
        (Connect-Registry $test.Host).Location | Should -Be $test.Address
        (Connect-Registry -Uri ([uri]$test.Address)).Location | Should -Be $test.Address
        ($test.Address | Connect-Registry).Location | Should -Be $test.Address
        (Connect-Registry -Url $test.Address -Name local).Name | Should -Be local
    }

    It 'makes an open connection current by its name' {
        $null = Connect-Registry $test.Address -Name one
        $null = Connect-Registry $test.Address -Name two
        (Get-RegistryConnection -Current).Name | Should -Be two
        (Connect-Registry one).Name | Should -Be one
        (Get-RegistryConnection -Current).Name | Should -Be one
    }

    It 'connects to a storage directory without a server' {
        $connection = Connect-Registry -StoragePath $test.StoragePath -Name disk
        $connection.Kind | Should -Be Storage
        @(Get-RegistryTag i1 -Registry disk).Name | Sort-Object | Should -Be T11, T12, T13
    }

    It 'tells <Id>' -ForEach @(
        @{ Id = 'RegistryUnreachable'; Command = { Connect-Registry http://127.0.0.1:9 -RetryCount 0 } }
        @{ Id = 'InvalidReference'; Command = { Connect-Registry 'ftp://127.0.0.1' } }
        @{ Id = 'StorageNotFound'; Command = { Connect-Registry -StoragePath (Join-Path $test.Directory nothing) } }
        @{ Id = 'AmbiguousParameterSet'; Command = { Connect-Registry -Uri $test.Address -StoragePath $test.StoragePath } }
        @{ Id = 'ParameterArgumentValidationError'; Command = { Connect-Registry $test.Address -RetryCount 101 } }
    ) {
        Get-ErrorId $Command | Should -Be $Id
        Get-RegistryConnection | Should -BeNullOrEmpty
    }

    It 'shows no secret, in no view and in no verbose message' {
        $secret = ConvertTo-SecureString 'pass-word-0815' -AsPlainText -Force
        $said = Connect-Registry $test.Address -Credential (New-Object pscredential someone, $secret) -Verbose 4>&1 5>&1
        @($said | Where-Object { $_ -is [Management.Automation.VerboseRecord] }).Count | Should -BeGreaterThan 0
        ($said | Format-List * | Out-String) + ($said | ConvertTo-Json -Depth 3 -WarningAction SilentlyContinue) | Should -Not -Match 0815
    }

    It 'is shown within <_> columns' -ForEach 80, 200 {
        $view = Connect-Registry $test.Address -Name local | Get-View -Width $_
        ($view | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual $_
        "$view" | Should -Match 'local'
    }
}
