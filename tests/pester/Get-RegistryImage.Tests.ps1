BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $null = Connect-Registry $test.Address -Name reg
}
AfterAll { Stop-TestRegistry $test }

Describe 'Get-RegistryImage' {
    It 'gives the configuration of an image' {
        $image = Get-RegistryImage I1 T12
        $image.Platform | Should -Be linux/amd64
        $image.Created | Should -Be ([datetimeoffset]'2024-05-12T12:00:00Z')
        $image.Layers.Count | Should -BeGreaterThan 0
        $image.Size | Should -BeOfType long
        @(Get-RegistryContent $test.Address | Where-Object { $_ -like "i1 blob $($image.ConfigDigest) 200 *" }) | Should -HaveCount 1
    }

    It 'gives one of each platform of an index, or the one that is asked for' {
        (Get-RegistryImage i4 T41).Platform | Should -Be linux/amd64, linux/arm64/v8, windows/amd64
        (Get-RegistryImage i4:T41 -Platform windows/amd64).Os | Should -Be windows
    }

    It 'takes what Get-RegistryTag gives' {
        (Get-RegistryTag i3 | Get-RegistryImage | Sort-Object Tag).Tag | Should -Be T31, T32
        ([pscustomobject]@{ Repository = 'i3'; Name = 'T31' } | Get-RegistryImage).Tag | Should -Be T31
    }

    It 'tells <Id>' -ForEach @(
        @{ Id = 'TagNotFound'; Command = { Get-RegistryImage i1 T99 } }
        @{ Id = 'RepositoryNotFound'; Command = { Get-RegistryImage nowhere T* } }
        @{ Id = 'PlatformNotFound'; Command = { Get-RegistryImage i1 T11 -Platform windows/amd64 } }
    ) { Get-ErrorId $Command | Should -Be $Id }

    It 'gives what sorts, groups, compares and is written as JSON' {
        $images = Get-RegistryTag i4 | Get-RegistryImage
        (Get-RegistryTag i1, i2 | Get-RegistryImage | Sort-Object Created | Select-Object -First 1).Tag | Should -Be T11
        ($images | Group-Object Platform | Where-Object Name -eq windows/amd64).Count | Should -Be 1
        Compare-Object (Get-RegistryImage i1 T12) (Get-RegistryImage i1 T13) -Property Digest, ConfigDigest | Should -BeNullOrEmpty
        ($images[0] | ConvertTo-Json -Depth 5 | ConvertFrom-Json).Digest | Should -Be $images[0].Digest
    }

    It 'is shown within <_> columns' -ForEach 80, 200 {
        $view = Get-RegistryTag i1, i4 | Get-RegistryImage | Get-View -Width $_
        ($view | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual $_
        "$view" | Should -Match 'windows/amd64'
        "$view" | Should -Match 'ago'
    }
}
