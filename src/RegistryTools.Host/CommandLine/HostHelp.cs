namespace RegistryTools.Host.CommandLine;

/// <summary>What -Help says.</summary>
internal static class HostHelp
{
    public const string Text = """
        RegistryTools.Host: the RegistryTools module in a PowerShell engine of its own. It needs nothing but the .NET SDK.

          dotnet run --project src/RegistryTools.Host [-- options]

          (none)                     The tour: an embedded registry full of samples, and the module at work on it.
          -Command <text...>         Runs commands; takes all that follows. "-Command -" reads them from the input.
          -File <script> [args...]   Runs a script with the arguments that follow.
          -Interactive               A prompt. Incomplete input goes on at ">> "; Ctrl+C stops a command, exit leaves.
          -Serve <port> [-StoragePath <directory>] [-Behave <name>] [-Seed] [-EndWithInput]
                                     Only serves a registry, on loopback, from and into a directory in the layout of the
                                     distribution registry, until Ctrl+C. Port 0 takes a free one. -Seed writes the samples into it
                                     first; with -Seed alone the directory is a temporary one. -EndWithInput ends it when its
                                     input ends, as that of a child does whose parent has gone.
          -Help                      This text.

        Before -Command and -File, or beside any:
          -WithRegistry              For -Command, -File and -Interactive: starts the embedded registry, full of samples, on a free
                                     port of loopback, and puts its address into $RegistryUri and $env:REGISTRY_URI. Nothing starts it
                                     unasked. It ends with the host, and all that was done to it with it; the journal of removals
                                     stays the one that the module always writes ($env:REGISTRYTOOLS_DATA names another).
          -Behave <name>             How the embedded registry behaves: 2.8 (as distribution 2.8, the default: no deletion of a tag by
                                     its name), 3 (as distribution 3: with it), 2.8-no-delete and 3-no-delete (deletion switched off), or
                                     full (as 3, and with the referrers API).
          -NonInteractive            Asks nothing: a question becomes an error. So it is anyhow where the input is no terminal.
          -Width <columns>           Formats for so many columns. Else the window's width, or 120 where there is no window.
          -ModulePath <path>         Imports this module (its manifest, or the directory of it) instead of out/RegistryTools.

        Names may be shortened, and letter case doesn't matter. Colours appear in a terminal only, and never where NO_COLOR is set.

        The engine is the bare one: System.Management.Automation, with the language, Where-Object (?), ForEach-Object (%), Get-Command,
        Get-Help, Get-Module, Import-Module, Invoke-Command, jobs, history, Out-Default, Out-Host, Out-Null and the formatting of objects
        by views. The cmdlets of the modules Microsoft.PowerShell.Utility and .Management (Select-Object, Sort-Object, Format-Table,
        Measure-Object, ConvertTo-Json, Write-Host, Get-ChildItem, Set-Location and so on) are not in it. The language often does instead:
        @($tags)[0..4], $tags.Name, $tags.Count, $tags | ForEach-Object { "$($_.Name) $($_.Size)" }, [Text.Json.JsonSerializer]. In pwsh
        there is all of it: Import-Module out/RegistryTools/RegistryTools.psd1.

        Exit codes: 0; what exit says; 1 where an error ends the commands, where the last command of -Command failed, or where the tour
        finds something wrong; of -File otherwise the exit code of the last program that ran; 64 where the options make no sense; 130
        after Ctrl+C.
        """;
}
