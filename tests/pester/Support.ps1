# What every suite needs: the staged module, a registry of samples on loopback that can be put back as it was, and ways to look at both without the module.
# A suite dot-sources it in BeforeAll, so that each file runs by itself. It is for PowerShell 7.4 and later and for Windows PowerShell 5.1.

Add-Type -AssemblyName System.Net.Http

$manifestTypes = @(
    'application/vnd.oci.image.index.v1+json', 'application/vnd.oci.image.manifest.v1+json'
    'application/vnd.docker.distribution.manifest.list.v2+json', 'application/vnd.docker.distribution.manifest.v2+json'
)

# The module's manifest: of the build, or the one that REGISTRYTOOLS_TEST_MODULE names.
function Get-TestModule {
    $path = if ($env:REGISTRYTOOLS_TEST_MODULE) { $env:REGISTRYTOOLS_TEST_MODULE } else { "$PSScriptRoot/../../out/RegistryTools" }
    if (Test-Path -LiteralPath $path -PathType Container) { $path = Join-Path $path RegistryTools.psd1 }
    if (-not (Test-Path -LiteralPath $path)) { throw "There is no module at $path. Build first: ./build.ps1 -Task Build" }
    (Resolve-Path -LiteralPath $path).ProviderPath
}

# The program that serves the samples: of the last build, or the one that REGISTRYTOOLS_TEST_HOST names.
function Get-TestHost {
    if ($env:REGISTRYTOOLS_TEST_HOST) { return (Resolve-Path -LiteralPath $env:REGISTRYTOOLS_TEST_HOST).ProviderPath }
    $found = Get-Item "$PSScriptRoot/../../src/RegistryTools.Host/bin/*/net*/RegistryTools.Host.dll" | Sort-Object LastWriteTime | Select-Object -Last 1
    if (-not $found) { throw 'The host is not built: ./build.ps1 -Task Build' }
    $found.FullName
}

# Imports the module, with a journal and credentials of its own: those of whoever runs this are none of a test's business.
function Initialize-TestModule {
    $directory = Join-Path ([IO.Path]::GetTempPath()) ('registrytools-pester-' + [guid]::NewGuid().ToString('N'))
    $data = New-Item -ItemType Directory -Path $directory, (Join-Path $directory data) | Select-Object -Last 1 -ExpandProperty FullName
    $before = @{}
    foreach ($name in 'REGISTRYTOOLS_DATA', 'DOCKER_CONFIG', 'REGISTRY_AUTH_FILE', 'REGISTRYTOOLS_USERNAME', 'REGISTRYTOOLS_PASSWORD', 'REGISTRYTOOLS_TOKEN') {
        $before[$name] = [Environment]::GetEnvironmentVariable($name)
        [Environment]::SetEnvironmentVariable($name, $null)
    }
    $env:REGISTRYTOOLS_DATA = $data
    $env:DOCKER_CONFIG = $directory
    $env:REGISTRY_AUTH_FILE = Join-Path $directory auth.json
    Import-Module (Get-TestModule) -ErrorAction Stop
    [pscustomobject]@{ Directory = $directory; Data = $data; Before = $before; Address = $null; Host = $null; StoragePath = $null; Process = $null }
}

# Starts the embedded registry of samples. It ends with this process, whatever happens.
function Start-TestRegistry {
    param([ValidateSet('2.8', '3', '2.8-no-delete', '3-no-delete', 'full')] [string] $Behave = '2.8')
    $test = Initialize-TestModule
    $test.StoragePath = Join-Path $test.Directory storage
    $start = New-Object Diagnostics.ProcessStartInfo 'dotnet', "`"$(Get-TestHost)`" -Serve 0 -Seed -EndWithInput -Behave $Behave -StoragePath `"$($test.StoragePath)`""
    $start.UseShellExecute = $false
    $start.RedirectStandardInput = $start.RedirectStandardOutput = $true
    $test.Process = [Diagnostics.Process]::Start($start)
    $said = $test.Process.StandardOutput.ReadLine()
    if ($said -notmatch ' at http://(127\.0\.0\.1:\d+)/ as ') { throw "The registry of samples does not start: $said" }
    $test.Host = $Matches[1]
    $test.Address = 'http://' + $test.Host
    Copy-Item -LiteralPath $test.StoragePath -Destination (Join-Path $test.Directory pristine) -Recurse
    $test
}

# Puts the samples and the journal back as they were at the start. The server keeps nothing in memory.
function Reset-TestRegistry {
    param([Parameter(Mandatory)] $Test)
    Get-ChildItem -LiteralPath $Test.StoragePath, $Test.Data -Force | Remove-Item -Recurse -Force
    Get-ChildItem -LiteralPath (Join-Path $Test.Directory pristine) -Force | Copy-Item -Destination $Test.StoragePath -Recurse
}

function Stop-TestRegistry {
    param([Parameter(Mandatory)] [AllowNull()] $Test)
    if ($null -eq $Test) { return }
    Get-RegistryConnection | Disconnect-Registry
    if ($Test.Process) {
        $Test.Process.StandardInput.Close()
        if (-not $Test.Process.WaitForExit(30000)) { $Test.Process.Kill() }
        $Test.Process.Dispose()
    }
    foreach ($name in $Test.Before.Keys) { [Environment]::SetEnvironmentVariable($name, $Test.Before[$name]) }
    Remove-Item -LiteralPath $Test.Directory -Recurse -Force -ErrorAction SilentlyContinue
}

function Get-Sha256 {
    param([byte[]] $Bytes)
    $hash = [Security.Cryptography.SHA256]::Create()
    try { 'sha256:' + [BitConverter]::ToString($hash.ComputeHash($Bytes)).Replace('-', '').ToLowerInvariant() } finally { $hash.Dispose() }
}

# Everything that a registry gives over plain HTTP, in lines: each tag with the digest of its bytes, each manifest below it, each blob with its size.
function Get-RegistryContent {
    param([Parameter(Mandatory)] [string] $Address)
    $client = New-Object Net.Http.HttpClient
    try {
        $lines = New-Object Collections.Generic.SortedSet[string] ([StringComparer]::Ordinal)
        $catalog = $client.GetStringAsync("$Address/v2/_catalog").GetAwaiter().GetResult() | ConvertFrom-Json
        foreach ($repository in $catalog.repositories) {
            $answer = $client.GetAsync("$Address/v2/$repository/tags/list").GetAwaiter().GetResult()
            if ([int]$answer.StatusCode -eq 404) { continue }
            $list = $answer.Content.ReadAsStringAsync().GetAwaiter().GetResult() | ConvertFrom-Json
            foreach ($tag in $list.tags) { if ($tag) { Add-ManifestContent $client $Address $repository $tag $lines } }
        }
        @($lines)
    }
    finally { $client.Dispose() }
}

function Add-ManifestContent {
    param($Client, [string] $Address, [string] $Repository, [string] $Reference, $Lines)
    $request = New-Object Net.Http.HttpRequestMessage ([Net.Http.HttpMethod]::Get), "$Address/v2/$Repository/manifests/$Reference"
    foreach ($type in $manifestTypes) { $request.Headers.Accept.ParseAdd($type) }
    $answer = $Client.SendAsync($request).GetAwaiter().GetResult()
    $bytes = $answer.Content.ReadAsByteArrayAsync().GetAwaiter().GetResult()
    $name = if ($Reference.Contains(':')) { "$Repository@$Reference" } else { "${Repository}:$Reference" }
    $null = $Lines.Add("$name $([int]$answer.StatusCode) $(Get-Sha256 $bytes)")
    if ([int]$answer.StatusCode -ne 200) { return }
    $manifest = [Text.Encoding]::UTF8.GetString($bytes) | ConvertFrom-Json
    foreach ($child in $manifest.manifests) { if ($child) { Add-ManifestContent $Client $Address $Repository $child.digest $Lines } }
    foreach ($blob in @($manifest.config) + @($manifest.layers)) {
        if (-not $blob) { continue }
        $head = New-Object Net.Http.HttpRequestMessage ([Net.Http.HttpMethod]::Head), "$Address/v2/$Repository/blobs/$($blob.digest)"
        $found = $Client.SendAsync($head).GetAwaiter().GetResult()
        $null = $Lines.Add("$Repository blob $($blob.digest) $([int]$found.StatusCode) $($found.Content.Headers.ContentLength)")
    }
}

# The tags of what Get-RegistryContent gave, as repository:tag.
function Get-ContentTag {
    param([string[]] $Content)
    $Content | Where-Object { $_ -match '^[^ @]+:[^ ]+ 200 ' } | ForEach-Object { ($_ -split ' ')[0] } | Where-Object { $_ -notmatch ':sha256-' }
}

# What the samples are, whatever their digests.
function Get-SampleTag { 'i1:T11', 'i1:T12', 'i1:T13', 'i2:T21', 'i2:T22', 'i2:T23', 'i2:T24', 'i3:T31', 'i3:T32', 'i4:T41', 'i4:T42', 'i4:T43', 'i4:vT44', 'i5:T51', 'i5:T52' }

# Every file below a directory, in lines: its path and its hash.
function Get-DirectoryContent {
    param([Parameter(Mandatory)] [string] $Path)
    @(Get-ChildItem -LiteralPath $Path -Recurse -File -Force | ForEach-Object { $_.FullName.Substring($Path.Length).Replace('\', '/') + ' ' + (Get-FileHash -LiteralPath $_.FullName).Hash } | Sort-Object)
}

# The ids of all errors of a command, without the command's name; none where it went well.
function Get-ErrorId {
    param([Parameter(Mandatory)] [scriptblock] $Command)
    $ErrorActionPreference = 'Continue'
    $all = try { & $Command 2>&1 3>$null 6>$null } catch { $_ }
    @($all | Where-Object { $_ -is [Management.Automation.ErrorRecord] } | ForEach-Object { ($_.FullyQualifiedErrorId -split ',')[0] })
}

# What a shell of some width shows of objects: lines without colours.
function Get-View {
    param([Parameter(ValueFromPipeline)] $InputObject, [int] $Width = 80)
    end { (($input | Out-String -Width $Width) -replace '\x1b\[[0-9;]*m') -split '\r?\n' }
}

# Runs a script in a shell of its own that is connected to the samples, with an answer typed to each question. Gives what it wrote.
function Invoke-WithAnswer {
    param([Parameter(Mandatory)] $Test, [Parameter(Mandatory)] [string] $Script, [string[]] $Answer = @())
    $file = Join-Path $Test.Directory ([guid]::NewGuid().ToString('N') + '.ps1')
    Set-Content -LiteralPath $file -Value "`$ErrorActionPreference = 'Stop'; Import-Module '$(Get-TestModule)'; `$null = Connect-Registry $($Test.Address); $Script"
    $shell = (Get-Process -Id $PID).Path
    $Answer | & $shell -NoProfile -ExecutionPolicy Bypass -File $file
}
