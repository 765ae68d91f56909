using System.Management.Automation;

namespace RegistryTools.PowerShell.Pipeline;

/// <summary>What a cmdlet and a provider have in common: the pipeline that they write to, on its own thread.</summary>
internal interface IPipelineWriter
{
    /// <summary>Writes for -Verbose.</summary>
    void WriteVerbose(string text);

    /// <summary>Writes for -Debug.</summary>
    void WriteDebug(string text);

    /// <summary>Writes a warning.</summary>
    void WriteWarning(string text);

    /// <summary>Shows how far the work is.</summary>
    void WriteProgress(ProgressRecord progressRecord);

    /// <summary>Writes a non-terminating error.</summary>
    void WriteError(ErrorRecord errorRecord);
}
