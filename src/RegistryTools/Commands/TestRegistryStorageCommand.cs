using System.Management.Automation;
using RegistryTools.PowerShell.Binding;
using RegistryTools.PowerShell.Completion;
using RegistryTools.PowerShell.Output;
using RegistryTools.PowerShell.Pipeline;
using RegistryTools.Verification;

namespace RegistryTools.PowerShell.Commands;

/// <summary>Looks through a registry's storage for what is broken.</summary>
[Cmdlet(VerbsDiagnostic.Test, "RegistryStorage")]
[OutputType(typeof(RegistryStorageFinding), typeof(bool))]
public sealed class TestRegistryStorageCommand : StorageCmdlet
{
    /// <summary>Reads every blob and holds its bytes against its digest. That takes as long as reading the whole storage.</summary>
    [Parameter]
    public SwitchParameter Content { get; set; }

    /// <summary>The repositories that are looked through, with the blobs that they link to. Wildcards are taken.</summary>
    /// <value>All repositories, and every blob</value>
    [Parameter]
    [SupportsWildcards]
    [NameTransformation]
    [ArgumentCompleter(typeof(RepositoryCompleter))]
    public string[]? Repository { get; set; }

    /// <summary>How many files are read at once, at most.</summary>
    /// <value>As many as there are processors, and at least 2</value>
    [Parameter]
    [ValidateRange(1, 64)]
    public int ThrottleLimit { get; set; } = Math.Min(64, Math.Max(2, Environment.ProcessorCount));

    /// <summary>Writes only whether the storage is sound: true where there is no finding of severity Error or Warning.</summary>
    [Parameter]
    public SwitchParameter Quiet { get; set; }

    private protected override void Process()
    {
        if (!TryFindStorage(out var storage)) return;
        var verifier = new StorageVerifier(storage, new StorageVerifierOptions { Content = Content, RepositoryFilter = Filter(Repository), ThrottleLimit = ThrottleLimit, Log = ActivityRouter.Log });
        if (!TryRun(
            new ErrorSubject(storage.Root),
            (post, token) => verifier.VerifyAsync(
                finding =>
                {
                    if (!Quiet) post(() => WriteObject(RegistryStorageFinding.From(finding, storage.Root)));
                },
                token),
            out var result,
            "Verifying the storage")) return;
        if (Quiet) WriteObject(result.IsSound);
    }
}
