# build.ps1 as far as it decides anything: what it publishes, and what it refuses to.
BeforeAll {
    . "$PSScriptRoot/Support.ps1"
    $build = (Resolve-Path "$PSScriptRoot/../../build.ps1").ProviderPath
    $directory = Join-Path ([IO.Path]::GetTempPath()) ('registrytools-pester-' + [guid]::NewGuid().ToString('N'))
    $package = Join-Path $directory RegistryTools
    $before = $env:PSGALLERY_API_KEY
}
AfterAll { $env:PSGALLERY_API_KEY = $before }

Describe 'build.ps1 -Task Publish' {
    BeforeEach {
        $env:PSGALLERY_API_KEY = $null
        $null = New-Item -ItemType Directory -Path $directory
        Copy-Item -LiteralPath (Split-Path (Get-TestModule)) -Destination $package -Recurse
        $manifest = Join-Path $package RegistryTools.psd1
        (Get-Content -LiteralPath $manifest -Encoding UTF8) -replace 'https://[a-z.]+\.example', 'https://registrytools.test' | Set-Content -LiteralPath $manifest -Encoding UTF8
        $pushed = New-Object Collections.Generic.List[object]
        # Stands in for the command of PSResourceGet: found before any module's, and pushes nothing.
        function global:Publish-PSResource { param($Path, $NupkgPath, $Repository, $ApiKey) $pushed.Add(@{ Path = $Path; NupkgPath = $NupkgPath; Repository = $Repository; ApiKey = $ApiKey }) }
    }
    AfterEach {
        Remove-Item function:global:Publish-PSResource
        Remove-Item -LiteralPath $directory -Recurse -Force
    }

    It 'refuses without a key' {
        { & $build -Task Publish -PackagePath $package } | Should -Throw '*no API key*'
        $pushed | Should -BeNullOrEmpty
    }

    It 'pushes with a key that is given or in the environment, where it is told to' {
        & $build -Task Publish -PackagePath $package -Repository Mine -ApiKey (ConvertTo-SecureString given -AsPlainText -Force)
        $env:PSGALLERY_API_KEY = 'environment'
        & $build -Task Publish -PackagePath $package
        $pushed.ApiKey | Should -Be given, environment
        $pushed.Repository | Should -Be Mine, PSGallery
        $pushed.Path | Should -Be $package, $package
    }

    It 'pushes the very file that was packed, where there is one' {
        $version = Test-ModuleManifest $manifest | ForEach-Object { "$($_.Version)$(if ($_.PrivateData.PSData.Prerelease) { '-' + $_.PrivateData.PSData.Prerelease })" }
        $file = Join-Path $directory "RegistryTools.$version.nupkg"
        Set-Content -LiteralPath $file -Value x
        $env:PSGALLERY_API_KEY = 'environment'
        & $build -Task Publish -PackagePath $package
        $pushed.NupkgPath | Should -Be $file
    }

    It 'pushes nothing with -WhatIf, key or no key' {
        & $build -Task Publish -PackagePath $package -WhatIf
        $env:PSGALLERY_API_KEY = 'environment'
        & $build -Task Publish -PackagePath $package -WhatIf
        $pushed | Should -BeNullOrEmpty
    }

    It 'refuses what is not packed, and what names a placeholder as its home' {
        $env:PSGALLERY_API_KEY = 'environment'
        { & $build -Task Publish -PackagePath (Join-Path $directory nothing) } | Should -Throw '*-Task Pack*'
        (Get-Content -LiteralPath $manifest -Encoding UTF8) -replace 'registrytools\.test', 'registrytools.example' | Set-Content -LiteralPath $manifest -Encoding UTF8
        { & $build -Task Publish -PackagePath $package } | Should -Throw '*placeholder*'
        $pushed | Should -BeNullOrEmpty
    }
}

Describe 'build.ps1' {
    It 'does nothing with -WhatIf' { & $build -Task Build, Test, Pack, Bench -WhatIf | Should -BeNullOrEmpty }
    It 'knows its tasks' { { & $build -Task Nonsense } | Should -Throw }
}
