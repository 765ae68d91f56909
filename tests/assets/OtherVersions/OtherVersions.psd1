@{
    RootModule        = 'OtherVersions.dll'
    ModuleVersion     = '1.0.0'
    GUID              = '0e2a6a4c-6a0e-4f0b-9d0a-2f6f0b8f4c11'
    CmdletsToExport   = @('Get-OtherVersion')
    FunctionsToExport = @()
    AliasesToExport   = @()
    VariablesToExport = @()
}
