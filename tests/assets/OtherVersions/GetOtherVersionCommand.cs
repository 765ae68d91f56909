using System.Diagnostics;
using System.Management.Automation;
using System.Reflection;
using Polly;
using Polly.Retry;

namespace OtherVersions;

/// <summary>Uses a Polly.Core in the shell's own context, and a System.Text.Json beside the shell's; tells which versions they are.</summary>
[Cmdlet(VerbsCommon.Get, "OtherVersion")]
[OutputType(typeof(string))]
public sealed class GetOtherVersionCommand : PSCmdlet
{
    private static readonly Assembly Json = Assembly.LoadFile(Path.Combine(Path.GetDirectoryName(typeof(GetOtherVersionCommand).Assembly.Location)!, "System.Text.Json.dll"));

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        var tries = 0;
        var pipeline = new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions { MaxRetryAttempts = 2, Delay = TimeSpan.Zero }).Build();
        pipeline.Execute(() =>
        {
            if (++tries < 3) throw new InvalidOperationException();
        });
        using var document = (IDisposable)Json.GetType("System.Text.Json.JsonDocument", throwOnError: true)!.GetMethod("Parse", [typeof(string), Json.GetType("System.Text.Json.JsonDocumentOptions", throwOnError: true)!])!
            .Invoke(null, ["{}", Activator.CreateInstance(Json.GetType("System.Text.Json.JsonDocumentOptions")!)!])!;
        WriteObject($"{tries} tries, Polly.Core {Version(typeof(ResiliencePipeline))}, System.Text.Json {Version(document.GetType())}");

        // Polly counts its assemblies by the major version only.
        static string Version(Type type) => string.Join(".", FileVersionInfo.GetVersionInfo(type.Assembly.Location).FileVersion!.Split('.').Take(2));
    }
}
