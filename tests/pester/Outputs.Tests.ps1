BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $null = Connect-Registry $test.Address -Name reg
    $storage = $test.StoragePath

    # An output of every kind, by its type's name.
    $outputs = @{}
    $removed = Get-RegistryTag i3 T31 | Remove-RegistryTag -PassThru
    $all = @(
        Get-RegistryConnection; Test-Registry; Get-RegistryRepository; Get-RegistryTag i1, i2; Get-RegistryTag * -Detailed
        Get-RegistryManifest i4; (Get-RegistryManifest i4 T41).Manifests; Get-RegistryImage i1, i4; (Get-RegistryImage i1 T11).History
        Get-RegistryTag i1 | Select-RegistryTag -KeepLast 1 -Explain 6>$null
        $removed; Get-RegistryRemoval; $removed | Restore-RegistryTag -PassThru
        Get-RegistryTag i3 T32 | Remove-RegistryManifest -PassThru -Confirm:$false
        Measure-RegistryStorage $storage -By Registry, Repository, Tag; Measure-RegistryStorage $storage -Without i1:T12
        Invoke-RegistryGarbageCollect $storage -RemoveUntagged -MinimumAge 0s -PassThru 6>$null
        Get-RegistryGarbage $storage; Get-RegistryGarbage $storage -Detailed; Restore-RegistryGarbage $storage
        Remove-Item -LiteralPath (Join-Path $storage docker/registry/v2/repositories/i2/_layers) -Recurse
        Test-RegistryStorage $storage; Repair-RegistryStorage $storage -PassThru
        Remove-RegistryRepository i5 -PassThru -Confirm:$false
    )
    foreach ($group in $all | Group-Object { $_.GetType().Name }) { $outputs[$group.Name] = @($group.Group) }
    $typeNames = 'System\.|RegistryTools\.PowerShell'
}
AfterAll { Stop-TestRegistry $test }

Describe 'What the cmdlets write' {
    BeforeDiscovery {
        $types = 'RegistryConnection', 'RegistryDescriptor', 'RegistryGarbageCollection', 'RegistryGarbageItem', 'RegistryGarbageRestoration', 'RegistryGarbageRun', 'RegistryImage', 'RegistryImageHistory'
        $types += 'RegistryManifest', 'RegistryManifestRemoval', 'RegistryRepository', 'RegistryRepositoryRemoval', 'RegistrySavings', 'RegistryStorageFinding', 'RegistryStorageRepair', 'RegistryStorageUsage'
        $types += 'RegistryTag', 'RegistryTagDecision', 'RegistryTagDetail', 'RegistryTagRemoval', 'RegistryTagRestoration', 'RegistryTestResult'
    }

    It '<_> is written as JSON without names of types, and is small' -ForEach $types {
        $outputs[$_] | Should -Not -BeNullOrEmpty
        foreach ($one in $outputs[$_] | Select-Object -First 5) {
            $json = ConvertTo-Json $one -WarningVariable warning -WarningAction SilentlyContinue
            $warning | Should -BeNullOrEmpty
            $json | Should -Not -Match $typeNames
            ($json -split "`n").Count | Should -BeLessOrEqual 120
        }
    }

    It '<_> is written as CSV without names of types' -ForEach $types {
        ($outputs[$_] | ConvertTo-Csv -NoTypeInformation) -join "`n" | Should -Not -Match $typeNames
    }

    It '<_> sorts and groups by every property, and is like itself' -ForEach $types {
        $own = $outputs[$_]
        foreach ($property in $own[0].PSObject.Properties.Name) {
            @($own | Sort-Object $property -ErrorAction Stop) | Should -HaveCount $own.Count
            ($own | Group-Object $property -ErrorAction Stop | Measure-Object Count -Sum).Sum | Should -Be $own.Count
        }
        Compare-Object $own $own | Should -BeNullOrEmpty
    }

    It '<_> has a table, a list and a wide view that fit <Width> columns' -ForEach @(foreach ($type in $types) { foreach ($width in 80, 200) { @{ Type = $type; Width = $width } } }) {
        foreach ($view in { $input | Format-Table }, { $input | Format-List }, { $input | Format-Wide }) {
            $lines = $outputs[$Type] | & $view | Get-View -Width $Width
            ($lines | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual $Width
            "$lines" | Should -Not -Match '#ERR'
        }
    }

    It 'tells tags apart that differ in case only, and goes by numbers' {
        $tags = Get-RegistryTag i1
        (Compare-Object $tags ($tags | Where-Object Name -ne T12)).InputObject.Name | Should -Be T12
        (Get-RegistryTag i2, i1 | Sort-Object).Name | Should -Be T11, T12, T13, T21, T22, T23, T24
        @($tags) -contains (Get-RegistryTag i1 T12) | Should -BeTrue
        (Get-RegistryTag i1 -Detailed | Group-Object Repository).Name | Should -Be i1
    }

    It 'writes several platforms as a text in CSV and as an array in JSON' {
        $tag = Get-RegistryTag i4 T41 -Detailed
        ($tag | ConvertTo-Csv -NoTypeInformation | ConvertFrom-Csv).Platform | Should -Be 'linux/amd64, linux/arm64/v8, windows/amd64'
        ($tag | ConvertTo-Json | ConvertFrom-Json).Platform | Should -Be linux/amd64, linux/arm64/v8, windows/amd64
        ($tag | ConvertTo-Json | ConvertFrom-Json).Kind | Should -Be Index
    }

    It 'is shown as it was where it comes back from another process' {
        $tag = Get-RegistryTag i1 T12 -Detailed
        $back = [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($tag))
        $row = $tag | Get-View | Where-Object { $_ -match 'T12' }
        $row | Should -Match ' kB .*ago .*linux/amd64'
        $back | Get-View | Where-Object { $_ -match 'T12' } | Should -Be $row
    }
}
