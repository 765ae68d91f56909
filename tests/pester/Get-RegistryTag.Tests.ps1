BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $null = Connect-Registry $test.Address -Name reg
    $content = Get-RegistryContent $test.Address
}
AfterAll { Stop-TestRegistry $test }

Describe 'Get-RegistryTag' {
    It 'lists the tags of a repository, of several, of all' {
        (Get-RegistryTag I1).Name | Sort-Object | Should -Be T11, T12, T13
        Get-RegistryTag I1, I2, I5 | Where-Object Name -in T12, T22, T52 | ForEach-Object ToString | Sort-Object | Should -Be reg/i1:T12, reg/i2:T22, reg/i5:T52
        @(Get-RegistryTag * | Where-Object Name -notlike sha256-*) | ForEach-Object { "$($_.Repository):$($_.Name)" } | Sort-Object | Should -Be (Get-SampleTag)
    }

    It 'takes names and wildcards, case counting' {
        (Get-RegistryTag i1 T12).Tag | Should -BeExactly T12
        (Get-RegistryTag i1 T1[13] -Sort Name).Tag | Should -Be T11, T13
        Get-RegistryTag i1 t1? | Should -BeNullOrEmpty
        (Get-RegistryTag i1:T13).Name | Should -Be T13
    }

    It 'binds repositories by value and by name' {
        'i3', 'i5:T51' | Get-RegistryTag -Sort Name | ForEach-Object ToString | Should -Be reg/i3:T31, reg/i3:T32, reg/i5:T51
        ([pscustomobject]@{ Repository = 'i2'; Tag = 'T23' } | Get-RegistryTag).ToString() | Should -Be reg/i2:T23
        (Get-RegistryTag i1 T11 | Get-RegistryTag -Detailed).Kind | Should -Be Image
    }

    It 'adds the details, with the digest of the bytes that a registry gives' {
        $tag = Get-RegistryTag i1 T12 -Detailed
        $content | Should -Contain "i1:T12 200 $($tag.Digest)"
        $tag.Size | Should -BeOfType long
        $tag.Created | Should -Be ([datetimeoffset]'2024-05-12T12:00:00Z')
        $tag.Platform | Should -Be linux/amd64
        (Get-RegistryTag i4 T41 -Detailed).Platform | Should -Be linux/amd64, linux/arm64/v8, windows/amd64
    }

    It 'sorts by <Order>' -ForEach @(
        @{ Order = 'Name'; Expected = 'T41', 'T42', 'T43', 'vT44' }
        @{ Order = 'Natural'; Expected = 'T41', 'T42', 'T43', 'vT44' }
    ) { (Get-RegistryTag i4 -Sort $Order).Name | Should -Be $Expected }

    It 'stops with the pipeline' { @(Get-RegistryTag * | Select-Object -First 2) | Should -HaveCount 2 }

    It 'tells <Id>, and goes on with the next' -ForEach @(
        @{ Id = 'RepositoryNotFound'; Command = { Get-RegistryTag nowhere, i1 } }
        @{ Id = 'TagNotFound'; Command = { Get-RegistryTag i1 T99, T11 } }
        @{ Id = 'InvalidReference'; Command = { Get-RegistryTag i1 'T 9', T11 } }
        @{ Id = 'InvalidArgument'; Command = { Get-RegistryTag "i1@sha256:$('a' * 64)", i1 } }
    ) {
        Get-ErrorId $Command | Should -Be $Id
        $ErrorActionPreference = 'SilentlyContinue'
        @(& $Command).Name | Should -Contain T11
    }

    It 'is a terminating error where that is asked for' {
        { Get-RegistryTag nowhere -ErrorAction Stop } | Should -Throw -ErrorId 'RepositoryNotFound,RegistryTools.PowerShell.Commands.GetRegistryTagCommand'
    }

    It 'gives what sorts, groups, compares and is written as JSON and CSV' {
        $tags = Get-RegistryTag i1, i2 -Detailed
        ($tags | Sort-Object Created | Select-Object -First 1).Name | Should -Be T11
        $largest = $tags | Sort-Object Size -Descending | Select-Object -First 1
        $largest.Size | Should -Be ($tags | Measure-Object Size -Maximum).Maximum
        ($tags | Group-Object Digest | Where-Object Count -eq 2 | ForEach-Object { ($_.Group.Name | Sort-Object) -join '+' } | Sort-Object) | Should -Be T12+T13, T22+T24
        (Compare-Object (Get-RegistryTag i1) (Get-RegistryTag i1 | Where-Object Name -ne T12) -Property Name).Name | Should -Be T12
        $json = $tags | ConvertTo-Json -Depth 4 | ConvertFrom-Json
        ($json | Where-Object Name -eq T12).Digest | Should -Be ($tags | Where-Object Name -eq T12).Digest
        ($json | Where-Object Name -eq T12).Size | Should -Be ($tags | Where-Object Name -eq T12).Size
        $csv = $tags | ConvertTo-Csv -NoTypeInformation | ConvertFrom-Csv
        ($csv | Where-Object Name -eq T12).Digest | Should -Be ($tags | Where-Object Name -eq T12).Digest
    }

    It 'is shown within <_> columns, under its repository, sizes and ages for people' -ForEach 80, 200 {
        $view = Get-RegistryTag i1, i4 -Detailed | Get-View -Width $_
        ($view | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual $_
        "$view" | Should -Match 'reg/i1'
        "$view" | Should -Match 'reg/i4'
        "$view" | Should -Match '\d(\.\d)? kB .*ago .*linux/amd64 +T12'
        "$view" | Should -Not -Match "[0-9a-f]{13}"
    }
}
