BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
}
AfterAll { Stop-TestRegistry $test }

Describe 'Disconnect-Registry' {
    BeforeEach {
        $one = Connect-Registry $test.Address -Name one
        $null = Connect-Registry $test.Address -Name two
    }
    AfterEach { Get-RegistryConnection | Disconnect-Registry }

    It 'closes the current connection and writes nothing' {
        Disconnect-Registry | Should -BeNullOrEmpty
        (Get-RegistryConnection).Name | Should -Be one
    }

    It 'takes a name, an object, and both from the pipeline' {
        Disconnect-Registry one
        (Get-RegistryConnection).Name | Should -Be two
        $one = Connect-Registry $test.Address -Name one
        Disconnect-Registry $one
        (Get-RegistryConnection).Name | Should -Be two
        $null = Connect-Registry $test.Address -Name one
        'one', 'two' | Disconnect-Registry
        Get-RegistryConnection | Should -BeNullOrEmpty
    }

    It 'closes what Get-RegistryConnection gives' {
        Get-RegistryConnection | Disconnect-Registry
        Get-RegistryConnection | Should -BeNullOrEmpty
        Get-ErrorId { Get-RegistryTag i1 } | Should -Be NotConnected
    }

    It 'tells that there is no such connection, and closes none' {
        Get-ErrorId { Disconnect-Registry three } | Should -Be ConnectionNotFound
        @(Get-RegistryConnection) | Should -HaveCount 2
    }

    It 'takes a connection that is closed already for what it is' {
        Disconnect-Registry $one
        Get-ErrorId { Disconnect-Registry $one } | Should -BeNullOrEmpty
        Get-ErrorId { Get-RegistryTag i1 -Registry $one } | Should -Be ConnectionClosed
    }
}
