using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;
using RegistryTools.PowerShell.Binding;

namespace RegistryTools.PowerShell;

/// <summary>Completes the names of this session's connections.</summary>
public sealed class RegistryNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        var results = new List<CompletionResult>();
        var word = (wordToComplete ?? string.Empty).Trim('\'', '"');
        foreach (var connection in RegistrySession.Current.Connections)
        {
            if (!connection.Name.StartsWith(word, StringComparison.OrdinalIgnoreCase)) continue;
            var text = connection.Name.IndexOfAny([' ', '\'', '[', ']', '(', ')', '$', ';', '&', '|']) >= 0 ? "'" + connection.Name.Replace("'", "''") + "'" : connection.Name;
            results.Add(new CompletionResult(text, connection.Name, CompletionResultType.ParameterValue, connection.Name + " (" + connection.Location + ")"));
        }

        return results;
    }
}
