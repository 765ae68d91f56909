BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $test = Start-TestRegistry
    $null = Connect-Registry $test.Address -Name reg
    $content = Get-RegistryContent $test.Address
}
AfterAll { Stop-TestRegistry $test }

Describe 'Get-RegistryManifest' {
    It 'gives the manifest of a tag, of a digest, of a reference' {
        $manifest = Get-RegistryManifest I1 T12
        $content | Should -Contain "i1:T12 200 $($manifest.Digest)"
        $manifest.Kind | Should -Be Image
        (Get-RegistryManifest i1 -Digest $manifest.Digest).Digest | Should -Be $manifest.Digest
        (Get-RegistryManifest i1:T13).Digest | Should -Be $manifest.Digest
        (Get-RegistryManifest "i1@$($manifest.Digest)").Layers.Digest | Should -Be $manifest.Layers.Digest
    }

    It 'gives the exact bytes with -Raw' {
        $raw = Get-RegistryManifest i4 T41 -Raw
        $raw | Should -BeOfType string
        $content | Should -Contain "i4:T41 200 $(Get-Sha256 ([Text.Encoding]::UTF8.GetBytes($raw)))"
        ($raw | ConvertFrom-Json).manifests | Should -HaveCount 3
    }

    It 'looks below an index for a platform' {
        $index = Get-RegistryManifest i4 T41
        $index.Kind | Should -Be Index
        $index.Manifests.Platform | Should -Be linux/amd64, linux/arm64/v8, windows/amd64
        $arm = Get-RegistryManifest i4 T41 -Platform linux/arm64
        $arm.Kind | Should -Be Image
        $index.Manifests.Digest | Should -Contain $arm.Digest
        $arm.IndexDigest | Should -Be $index.Digest
    }

    It 'takes what Get-RegistryTag gives' {
        (Get-RegistryTag i2 | Get-RegistryManifest | Sort-Object Tag).Tag | Should -Be T21, T22, T23, T24
        (Get-RegistryTag i2 T23 -Detailed | Get-RegistryManifest).MediaType | Should -Be application/vnd.oci.image.manifest.v1+json
    }

    It 'tells <Id>' -ForEach @(
        @{ Id = 'TagNotFound'; Command = { Get-RegistryManifest i1 T99 } }
        @{ Id = 'ManifestNotFound'; Command = { Get-RegistryManifest "i1@sha256:$('a' * 64)" } }
        @{ Id = 'PlatformNotFound'; Command = { Get-RegistryManifest i4 T41 -Platform plan9/mips } }
        @{ Id = 'InvalidReference'; Command = { Get-RegistryManifest i4 T41 -Platform '///' } }
    ) { Get-ErrorId $Command | Should -Be $Id }

    It 'gives what sorts, groups and is written as JSON' {
        $manifests = Get-RegistryTag i1, i4 | Get-RegistryManifest
        ($manifests | Sort-Object Size | Select-Object -First 1).Size | Should -Be ($manifests | Measure-Object Size -Minimum).Minimum
        ($manifests | Group-Object Kind | Where-Object Name -eq Index).Count | Should -Be 2
        $json = Get-RegistryManifest i1 T12 | ConvertTo-Json -Depth 5 | ConvertFrom-Json
        @($json.Layers)[0].Digest | Should -Be (Get-RegistryManifest i1 T12).Layers[0].Digest
    }

    It 'is shown within <_> columns' -ForEach 80, 200 {
        $view = Get-RegistryTag i1, i4 | Get-RegistryManifest | Get-View -Width $_
        ($view | Measure-Object Length -Maximum).Maximum | Should -BeLessOrEqual $_
        "$view" | Should -Match 'T12'
    }
}
