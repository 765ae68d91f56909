BeforeDiscovery { $behaviours = '2.8', '3' }

Describe 'A drive of a registry like distribution <_>' -ForEach $behaviours {
    BeforeAll {
        . "$PSScriptRoot/Support.ps1"
        $test = Start-TestRegistry -Behave $_
        $before = Get-RegistryContent $test.Address
        $null = New-PSDrive -PSProvider ContainerRegistry -Name reg -Root $test.Address -Scope Global
    }
    AfterAll {
        Remove-PSDrive reg -ErrorAction SilentlyContinue
        Stop-TestRegistry $test
    }
    BeforeEach { Reset-TestRegistry $test }

    It 'lists repositories and tags as the cmdlets do' {
        Get-ChildItem reg:/ | ForEach-Object ToString | Should -Be i1, i2, i3, i4, i5
        (Get-ChildItem reg:/)[0] | Should -BeOfType RegistryTools.PowerShell.RegistryRepository
        Get-ChildItem reg:/I1 | Sort-Object Name | ForEach-Object Name | Should -Be T11, T12, T13
        Get-ChildItem reg:/i1 -Name | Sort-Object | Should -Be T11, T12, T13
        (Get-ChildItem reg:/i1/T1*)[0] | Should -BeOfType RegistryTools.PowerShell.RegistryTag
        Get-ChildItem reg:/i1/t1* | Should -BeNullOrEmpty
        Get-ChildItem reg:/ -Recurse | Where-Object PSIsContainer -eq $false | ForEach-Object { "$($_.Repository):$($_.Name)" } | Where-Object { $_ -notmatch ':sha256-' } | Sort-Object -CaseSensitive |
            Should -Be (Get-SampleTag | Sort-Object -CaseSensitive)
    }

    It 'gives details where they are asked for' {
        $detail = Get-ChildItem reg:/i4 -Detailed | Where-Object Name -EQ T41
        $detail | Should -BeOfType RegistryTools.PowerShell.RegistryTagDetail
        $detail.Platform.Count | Should -Be 3
        (Get-Item reg:/i4/T41 -Detailed).Digest | Should -Be $detail.Digest
        (Get-ChildItem reg:/i4/T4* -Detailed | Where-Object Name -EQ T41).Digest | Should -Be $detail.Digest
    }

    It 'stops when the pipeline has had enough' {
        Get-ChildItem reg:/ -Recurse | Select-Object -First 2 | Should -HaveCount 2
        Get-ChildItem reg:/i1 -Detailed | Select-Object -First 1 | Should -HaveCount 1
    }

    It 'reads manifests byte for byte' {
        $digest = (Get-Item reg:/i1/T11).Digest
        Get-Sha256 ([Text.Encoding]::UTF8.GetBytes((Get-Content reg:/i1/T11 -Raw))) | Should -Be $digest
        Get-Sha256 (Get-Content reg:/i1/T11 -AsByteStream) | Should -Be $digest
        (Get-Content "reg:/i1@$digest" -Raw) | Should -Be (Get-Content reg:/i1/T11 -Raw)
        (Get-Content reg:/i1/T11 -Raw | ConvertFrom-Json).schemaVersion | Should -Be 2
    }

    It 'completes paths' {
        foreach ($case in @(
                @{ Text = 'Get-Item reg:/i1/T'; Is = 'reg:/i1/T11', 'reg:/i1/T12', 'reg:/i1/T13' }
                @{ Text = 'Get-Item reg:/i'; Is = 'reg:/i1', 'reg:/i2', 'reg:/i3', 'reg:/i4', 'reg:/i5' }
                @{ Text = 'Get-Item reg:/nothing/T'; Is = @() }
            )) {
            $found = [Management.Automation.CommandCompletion]::CompleteInput($case.Text, $case.Text.Length, $null).CompletionMatches | ForEach-Object CompletionText
            @($found | ForEach-Object { $_.Replace('\', '/') }) | Should -Be $case.Is
        }
    }

    It 'changes nothing with -WhatIf' {
        Remove-Item reg:/i1/T12 -WhatIf
        Remove-Item reg:/i1/T1* -WhatIf
        Remove-Item reg:/i2 -Recurse -Force -WhatIf
        Get-ChildItem reg:/i3 | Remove-Item -WhatIf
        & { $WhatIfPreference = $true; Remove-Item reg:/i1/T11 }
        Get-RegistryContent $test.Address | Should -Be $before
        Get-RegistryRemoval | Should -BeNullOrEmpty
    }

    It 'removes the tag that is named, and brings it back' {
        Remove-Item reg:/i1/T12 | Should -BeNullOrEmpty
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Be (Get-SampleTag | Where-Object { $_ -ne 'i1:T12' })
        Get-RegistryRemoval | Where-Object Tag -EQ T12 | Restore-RegistryTag
        Get-RegistryContent $test.Address | Should -Be $before
    }

    It 'removes what is listed, by itself or by the cmdlet' {
        Get-ChildItem reg:/i1 | Where-Object Name -EQ T12 | Remove-Item
        Get-ChildItem reg:/i2 -Detailed | Where-Object Name -EQ T22 | Remove-Item
        Get-ChildItem reg:/i5 | Where-Object Name -EQ T52 | Remove-RegistryTag
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Be (Get-SampleTag | Where-Object { $_ -notin 'i1:T12', 'i2:T22', 'i5:T52' })
    }

    It 'removes a repository with -Recurse, and asks' {
        $script = "`$null = New-PSDrive -PSProvider ContainerRegistry -Name reg -Root $($test.Address); Remove-Item reg:/i3 -Recurse"
        Invoke-WithAnswer $test $script -Answer N | Out-String | Should -Match 'i3 with 2 tag'
        Get-RegistryContent $test.Address | Should -Be $before
        Invoke-WithAnswer $test $script -Answer Y
        Remove-Item reg:/i4 -Recurse -Force
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Be (Get-SampleTag | Where-Object { $_ -notmatch '^i[34]:' })
    }

    It 'refuses a path that is a tag and a repository' {
        $i1 = Join-Path $test.StoragePath docker/registry/v2/repositories/i1
        $null = New-Item -ItemType Directory -Path (Join-Path $i1 t12)
        Copy-Item -LiteralPath (Join-Path $i1 _manifests), (Join-Path $i1 _layers) -Destination (Join-Path $i1 t12) -Recurse
        $both = Get-RegistryContent $test.Address
        Get-ErrorId { Remove-Item reg:/i1/T12 } | Should -Be PathAmbiguous
        Get-ErrorId { Remove-Item reg:/i1/T12 -Recurse -Force } | Should -Be PathAmbiguous
        Get-RegistryContent $test.Address | Should -Be $both
        Remove-Item reg:/i1:T12
        $after = Get-ContentTag (Get-RegistryContent $test.Address)
        Get-ContentTag $both | Where-Object { $after -notcontains $_ } | Should -Be i1:T12
    }

    It 'tells <Id> for <Command>' -ForEach @(
        @{ Id = 'TagNotFound'; Command = { Get-Item reg:/i1/T99 } }
        @{ Id = 'TagNotFound'; Command = { Remove-Item reg:/i1/t12 } }
        @{ Id = 'RepositoryNotFound'; Command = { Get-Item reg:/nothing } }
        @{ Id = 'InvalidReference'; Command = { Get-Item 'reg:/i1/!' } }
        @{ Id = 'InvalidArgument'; Command = { Get-Content reg:/i1 } }
        @{ Id = 'InvalidArgument'; Command = { Remove-Item reg:/ -Recurse -Force } }
        @{ Id = 'RegistryUnsupported'; Command = { Set-Content reg:/i1/T11 x } }
        @{ Id = 'RegistryUnsupported'; Command = { New-Item reg:/i9 } }
        @{ Id = 'RegistryUnsupported'; Command = { Rename-Item reg:/i1/T11 T99 } }
        @{ Id = 'RegistryUnreachable'; Command = { New-PSDrive -PSProvider ContainerRegistry -Name none -Root http://127.0.0.1:1 } }
    ) {
        Get-ErrorId $Command | Should -Be $Id
        Get-RegistryContent $test.Address | Should -Be $before
    }

    It 'shows tables' {
        Get-ChildItem reg:/ | Get-View | Should -Contain 'i1'
        (Get-ChildItem reg:/i1 | Get-View) -match '^\s*Repository: .*/i1' | Should -HaveCount 1
        (Get-ChildItem reg:/i1 -Detailed | Get-View) -match '^T11|T11$' | Should -HaveCount 1
        Get-PSDrive reg | Get-View -Width 200 | Out-String | Should -Match ([regex]::Escape($test.Address))
    }

    It 'has the storage directory for a root as well' {
        $null = New-PSDrive -PSProvider ContainerRegistry -Name disk -Root $test.StoragePath
        Get-ChildItem disk:/i1 | Sort-Object Name | ForEach-Object Name | Should -Be T11, T12, T13
        Remove-Item disk:/i1/T12
        Get-ContentTag (Get-RegistryContent $test.Address) | Should -Not -Contain i1:T12
        Remove-PSDrive disk
        Get-RegistryConnection | ForEach-Object Location | Should -Not -Contain $test.StoragePath
    }
}
