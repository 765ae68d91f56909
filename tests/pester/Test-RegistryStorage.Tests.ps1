BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $storage = $test.StoragePath
}
AfterAll { Stop-TestRegistry $test }

Describe 'Test-RegistryStorage' {
    BeforeEach { Reset-TestRegistry $test }

    It 'finds nothing in a sound storage, and changes nothing' {
        $files = Get-DirectoryContent $storage
        Test-RegistryStorage $storage -Content | Should -BeNullOrEmpty
        Test-RegistryStorage $storage -Content -Quiet | Should -BeTrue
        Get-DirectoryContent $storage | Should -Be $files
    }

    Context 'where a link is empty and a byte has changed' {
        BeforeEach {
            Set-Content -LiteralPath (Join-Path $storage docker/registry/v2/repositories/i1/_manifests/tags/T11/current/link) -Value '' -NoNewline
            $hex = (Connect-Registry -StoragePath $storage | ForEach-Object { Get-RegistryManifest i3 T31 }).Layers[0].Digest.Substring(7)
            $blob = Join-Path $storage "docker/registry/v2/blobs/sha256/$($hex.Substring(0, 2))/$hex/data"
            $bytes = [IO.File]::ReadAllBytes($blob)
            $bytes[0] = $bytes[0] -bxor 1
            [IO.File]::WriteAllBytes($blob, $bytes)
        }

        It 'names them, the changed byte with -Content' {
            (Test-RegistryStorage $storage).Kind | Should -Be TagLinkInvalid
            $found = Test-RegistryStorage $storage -Content
            $found.Kind | Sort-Object | Should -Be BlobCorrupt, TagLinkInvalid
            ($found | Where-Object Kind -eq TagLinkInvalid).Tag | Should -Be T11
            $found.Remedy | Should -Not -BeNullOrEmpty
            Test-RegistryStorage $storage -Quiet | Should -BeFalse
        }

        It 'looks at some repositories only' { Test-RegistryStorage $storage -Repository i4, i5 -Content | Should -BeNullOrEmpty }

        It 'gives what sorts, groups and is written as JSON and CSV' {
            $found = Test-RegistryStorage $storage -Content
            ($found | Group-Object Kind | Sort-Object Name).Name | Should -Be BlobCorrupt, TagLinkInvalid
            (($found | ConvertTo-Json -Depth 3 | ConvertFrom-Json) | Where-Object Kind -eq TagLinkInvalid).Tag | Should -Be T11
            ($found | ConvertTo-Csv -NoTypeInformation | ConvertFrom-Csv | Where-Object Kind -eq TagLinkInvalid).Tag | Should -Be T11
        }

        It 'is shown within <_> columns' -ForEach 80, 200 {
            $view = Test-RegistryStorage $storage | Get-View -Width $_
            ($view | Where-Object { $_ -notmatch 'Storage:' } | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual $_
            "$view" | Should -Match 'i1:T11'
        }
    }

    It 'tells that there is no storage' { Get-ErrorId { Test-RegistryStorage (Join-Path $storage nothing) } | Should -Be StorageNotFound }

    It 'binds a path by name' { [pscustomobject]@{ StoragePath = $storage } | Test-RegistryStorage -Quiet | Should -BeTrue }
}
