BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $storage = $test.StoragePath
    $registry = Join-Path $storage docker/registry/v2
    $before = Get-RegistryContent $test.Address
}
AfterAll { Stop-TestRegistry $test }

Describe 'Repair-RegistryStorage' {
    BeforeEach {
        Reset-TestRegistry $test
        $pristine = Get-DirectoryContent $registry
        $link = Join-Path $storage docker/registry/v2/repositories/i1/_manifests/tags/T11/current/link
        Set-Content -LiteralPath $link -Value '' -NoNewline
        $files = Get-DirectoryContent $storage
    }

    It 'mends what can be mended' {
        Repair-RegistryStorage $storage | Should -BeNullOrEmpty
        Get-RegistryContent $test.Address | Should -Be $before
        Test-RegistryStorage $storage -Content -Quiet | Should -BeTrue
    }

    It 'takes what Test-RegistryStorage found, and says what it did with -PassThru' {
        $repair = Test-RegistryStorage $storage | Repair-RegistryStorage -PassThru
        $repair.State | Should -Be Repaired
        $repair.Kind | Should -Be TagLinkInvalid
        ($repair | ConvertTo-Json | ConvertFrom-Json).Tag | Should -Be T11
        ($repair | Get-View -Width 80 | Where-Object { $_ -notmatch 'Storage:' } | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual 80
        Get-RegistryContent $test.Address | Should -Be $before
    }

    It 'changes nothing with -WhatIf' {
        Repair-RegistryStorage $storage -WhatIf
        Test-RegistryStorage $storage | Repair-RegistryStorage -WhatIf
        Get-DirectoryContent $storage | Should -Be $files
    }

    It 'asks with -Confirm' {
        $null = Invoke-WithAnswer $test "Repair-RegistryStorage '$storage' -Confirm" -Answer N
        Get-DirectoryContent $storage | Should -Be $files
        $null = Invoke-WithAnswer $test "Repair-RegistryStorage '$storage' -Confirm" -Answer Y
        Get-DirectoryContent $registry | Should -Be $pristine
    }

    It 'tells what it can not mend, and what to do' {
        $digest = (Connect-Registry -StoragePath $storage | ForEach-Object { Get-RegistryManifest i3 T32 }).Digest
        Remove-Item -LiteralPath (Join-Path $storage "docker/registry/v2/blobs/sha256/$($digest.Substring(7, 2))/$($digest.Substring(7))") -Recurse
        Get-ErrorId { Repair-RegistryStorage $storage } | Should -Be StorageDamaged
        Repair-RegistryStorage $storage -ErrorAction SilentlyContinue -ErrorVariable failed
        $failed[0].Exception.Remedy | Should -Match 'Push the image again'
    }

    It 'tells that there is no storage' { Get-ErrorId { Repair-RegistryStorage (Join-Path $storage nothing) } | Should -Be StorageNotFound }
}
