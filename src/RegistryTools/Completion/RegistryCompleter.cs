using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;

namespace RegistryTools.PowerShell.Completion;

/// <summary>
/// The base of this module's completers. They ask the connections of the session and the storages that the command line names, and connect to nothing: what would need a password is not completed. They write nothing, to
/// no registry and no stream; they throw nothing; and they answer within a third of a second with what there is by then.
/// </summary>
public abstract class RegistryCompleter : IArgumentCompleter
{
    private protected RegistryCompleter()
    {
    }

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        try
        {
            return Runspace.DefaultRunspace is null ? [] : Complete(new CommandLine(commandName, parameterName, wordToComplete, fakeBoundParameters)).ToArray();
        }
        catch (Exception)
        {
            // Whatever is wrong with the line is told when the command runs.
            return [];
        }
    }

    private protected abstract IEnumerable<CompletionResult> Complete(CommandLine line);
}
