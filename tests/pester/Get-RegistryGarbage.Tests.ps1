BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $storage = $test.StoragePath
    $null = Connect-Registry $test.Address -Name reg
    Get-RegistryTag i1, i3 | Where-Object Name -in T11, T31 | Remove-RegistryTag
    $collection = Invoke-RegistryGarbageCollect $storage -RemoveUntagged -MinimumAge 0s 6>$null
}
AfterAll { Stop-TestRegistry $test }

Describe 'Get-RegistryGarbage' {
    It 'lists the runs' {
        $run = Get-RegistryGarbage $storage
        $run.RunId | Should -Be $collection.RunId
        $run.Manifests | Should -Be 2
        $run.Size | Should -BeOfType long
        $run.State | Should -Be Complete
    }

    It 'lists what is in them, or one digest of it' {
        $items = Get-RegistryGarbage $storage -Detailed
        @($items | Where-Object Kind -eq Manifest) | Should -HaveCount 2
        $digest = ($items | Where-Object Kind -eq Manifest | Select-Object -First 1).Digest
        (Get-RegistryGarbage $storage -Digest $digest).Digest | Select-Object -Unique | Should -Be $digest
        Get-RegistryGarbage $storage -RunId nothing | Should -BeNullOrEmpty
    }

    It 'binds a path and a run by name' {
        @($collection | Get-RegistryGarbage) | Should -HaveCount 1
        @(Get-RegistryGarbage $storage | Get-RegistryGarbage -Detailed).Count | Should -Be @(Get-RegistryGarbage $storage -Detailed).Count
    }

    It 'changes nothing' {
        $files = Get-DirectoryContent $storage
        $null = Get-RegistryGarbage $storage -Detailed
        Get-DirectoryContent $storage | Should -Be $files
    }

    It 'tells that there is no storage' { Get-ErrorId { Get-RegistryGarbage (Join-Path $storage nothing) } | Should -Be StorageNotFound }

    It 'gives what sorts, groups, compares and is written as JSON and CSV' {
        $items = Get-RegistryGarbage $storage -Detailed
        ($items | Sort-Object Size -Descending | Select-Object -First 1).Size | Should -Be ($items | Measure-Object Size -Maximum).Maximum
        ($items | Group-Object Kind | Where-Object Name -eq Manifest).Count | Should -Be 2
        (Compare-Object $items ($items | Where-Object Kind -ne Manifest) -Property Path) | Should -HaveCount 2
        (Get-RegistryGarbage $storage | ConvertTo-Json | ConvertFrom-Json).RunId | Should -Be $collection.RunId
        @($items | ConvertTo-Csv -NoTypeInformation | ConvertFrom-Csv).Count | Should -Be $items.Count
    }

    It 'is shown within <_> columns' -ForEach 80, 200 {
        foreach ($view in (Get-RegistryGarbage $storage | Get-View -Width $_), (Get-RegistryGarbage $storage -Detailed | Get-View -Width $_)) {
            ($view | Where-Object { $_ -notmatch 'Storage:' } | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual $_
            "$view" | Should -Match ' k?B'
        }
    }
}
