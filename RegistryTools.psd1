@{
    RootModule           = if ($PSEdition -eq 'Core') { 'bin/net8.0/RegistryTools.dll' } else { 'bin/netstandard2.0/RegistryTools.dll' }
    ModuleVersion        = '0.0.0' # The build writes the version here, and below the prerelease, the project's address and the release notes.
    GUID                 = '5f0f4f5e-3c1b-4d0e-9d6a-6f6d2f0f7a11'
    Author               = 'The RegistryTools contributors'
    CompanyName          = 'The RegistryTools contributors'
    Copyright            = '(c) The RegistryTools contributors. MIT licence.'
    Description          = 'Lists, inspects and safely deletes what is in private Docker/OCI registries: a tag without the manifest that other tags share, with an undo.'
    PowerShellVersion    = '5.1'
    CompatiblePSEditions = 'Core', 'Desktop'
    DotNetFrameworkVersion = '4.7.2'
    FormatsToProcess     = 'format/RegistryTools.Format.ps1xml', 'format/RegistryTools.Drive.Format.ps1xml'
    FunctionsToExport    = @()
    AliasesToExport      = @()
    VariablesToExport    = @()
    CmdletsToExport      = @(
        'Clear-RegistryGarbage'
        'Connect-Registry'
        'Disconnect-Registry'
        'Get-RegistryConnection'
        'Get-RegistryGarbage'
        'Get-RegistryImage'
        'Get-RegistryManifest'
        'Get-RegistryRemoval'
        'Get-RegistryRepository'
        'Get-RegistryTag'
        'Invoke-RegistryGarbageCollect'
        'Invoke-RegistryRetention'
        'Measure-RegistryStorage'
        'Remove-RegistryManifest'
        'Remove-RegistryRepository'
        'Remove-RegistryTag'
        'Repair-RegistryStorage'
        'Restore-RegistryGarbage'
        'Restore-RegistryTag'
        'Select-RegistryTag'
        'Test-Registry'
        'Test-RegistryStorage'
    )
    PrivateData          = @{
        PSData = @{
            Tags         = 'docker', 'oci', 'registry', 'container', 'image', 'tag', 'manifest', 'retention', 'PSEdition_Core', 'PSEdition_Desktop', 'Windows', 'Linux', 'MacOS'
            LicenseUri   = 'https://opensource.org/licenses/MIT'
            ProjectUri   = ''
            Prerelease   = ''
            ReleaseNotes = 'See CHANGELOG.md.'
        }
    }
}
