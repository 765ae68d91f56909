BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $storage = $test.StoragePath
}
AfterAll { Stop-TestRegistry $test }

Describe 'Invoke-RegistryGarbageCollect' {
    BeforeEach {
        Reset-TestRegistry $test
        $null = Connect-Registry $test.Address -Name reg
        Get-RegistryTag i1, i3 | Where-Object Name -in T11, T31, T32 | Remove-RegistryTag
        $content = Get-RegistryContent $test.Address
        $files = Get-DirectoryContent $storage
    }

    It 'takes what no tag needs, and nothing that one does' {
        $result = Invoke-RegistryGarbageCollect $storage -RemoveUntagged -MinimumAge 0s 6>$null
        $result.ManifestsRemoved | Should -Be 3
        $result.BytesQuarantined | Should -BeGreaterThan 0
        $result.IsPlan | Should -BeFalse
        Get-RegistryContent $test.Address | Should -Be $content
        $rest = Get-DirectoryContent (Join-Path $storage docker/registry/v2)
        $rest.Count | Should -BeLessThan $files.Count
    }

    It 'keeps every platform of an index, and what refers to a live image' {
        $index = Get-RegistryManifest i4 T41
        $null = Invoke-RegistryGarbageCollect $storage -RemoveUntagged -MinimumAge 0s 6>$null
        (Get-RegistryImage i4 T41).Digest | Should -Be $index.Manifests.Digest
        @($content | Where-Object { $_ -match '^i5:sha256-' }).Count | Should -Be 1
        Get-RegistryContent $test.Address | Should -Be $content
    }

    It 'changes nothing with -WhatIf, and gives the plan' {
        $plan = Invoke-RegistryGarbageCollect $storage -RemoveUntagged -MinimumAge 0s -WhatIf -PassThru
        $plan[-1].IsPlan | Should -BeTrue
        $plan[-1].ManifestsRemoved | Should -Be 3
        @($plan | Where-Object Kind -eq Manifest) | Should -HaveCount 3
        $null = Invoke-RegistryGarbageCollect $storage -RemoveUntagged -MinimumAge 0s -Purge -Confirm:$false -WhatIf
        Get-DirectoryContent $storage | Should -Be $files
    }

    It 'leaves what is young, and what has no tag unless that is asked for' {
        (Invoke-RegistryGarbageCollect $storage -RemoveUntagged 6>$null).ManifestsRemoved | Should -Be 0
        (Invoke-RegistryGarbageCollect $storage -MinimumAge 0s 6>$null).ManifestsRemoved | Should -Be 0
    }

    It 'asks with -Confirm, and before it frees for good' {
        $null = Invoke-WithAnswer $test "Invoke-RegistryGarbageCollect '$storage' -RemoveUntagged -MinimumAge 0s -Confirm" -Answer N
        Invoke-WithAnswer $test "Invoke-RegistryGarbageCollect '$storage' -RemoveUntagged -MinimumAge 0s -Purge" -Answer N | Out-String | Should -Match 'for good'
        Get-DirectoryContent $storage | Should -Be $files
        (Invoke-RegistryGarbageCollect $storage -RemoveUntagged -MinimumAge 0s -Purge -Confirm:$false).BytesFreed | Should -BeGreaterThan 0
        Get-RegistryContent $test.Address | Should -Be $content
    }

    It 'binds a path by name' {
        ([pscustomobject]@{ StoragePath = $storage } | Invoke-RegistryGarbageCollect -WhatIf).StoragePath | Should -Be $storage
        (Get-Item $storage | Invoke-RegistryGarbageCollect -WhatIf).StoragePath | Should -Be $storage
    }

    It 'tells <Id>' -ForEach @(
        @{ Id = 'StorageNotFound'; Command = { Invoke-RegistryGarbageCollect (Join-Path $storage nothing) } }
        @{ Id = 'ParameterArgumentTransformationError'; Command = { Invoke-RegistryGarbageCollect $storage -MinimumAge '7 moons' } }
        @{ Id = 'InvalidArgument'; Command = { Invoke-RegistryGarbageCollect $storage -MinimumAge '-01:00:00' } }
    ) { Get-ErrorId $Command | Should -Be $Id }

    It 'is written as JSON and CSV, and is shown within <_> columns' -ForEach 80, 200 {
        $plan = Invoke-RegistryGarbageCollect $storage -RemoveUntagged -MinimumAge 0s -WhatIf -PassThru
        ($plan[-1] | ConvertTo-Json -Depth 3 | ConvertFrom-Json).ManifestsRemoved | Should -Be 3
        @($plan | Where-Object Kind | ConvertTo-Csv -NoTypeInformation | ConvertFrom-Csv | Where-Object Kind -eq Manifest) | Should -HaveCount 3
        $view = $plan[-1] | Get-View -Width $_
        # The heading names the storage, and a path is never cut.
        ($view | Where-Object { $_ -notmatch 'Storage:' } | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual $_
        "$view" | Should -Match 'planned'
    }
}
