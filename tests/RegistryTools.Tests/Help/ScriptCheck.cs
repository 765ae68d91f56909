using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;

namespace RegistryTools.Cmdlets.Tests.Help;

/// <summary>Whether a script names cmdlets and parameters that there are, without running it.</summary>
internal static class ScriptCheck
{
    /// <summary>What is wrong with its use of this module's cmdlets, and how often they are used in it.</summary>
    public static (IReadOnlyList<string> Errors, int Cmdlets) Read(ModuleSession session, string script)
    {
        var errors = new List<string>();
        var tree = Parser.ParseInput(script, out _, out var parseErrors);
        errors.AddRange(parseErrors.Select(static error => error.Message));
        var known = session.Invoke("Get-Command -Module RegistryTools").Succeed().Output.Select(static item => (System.Management.Automation.CmdletInfo)item.BaseObject).ToDictionary(static info => info.Name, StringComparer.OrdinalIgnoreCase);
        var commands = tree.FindAll(static node => node is CommandAst, searchNestedScriptBlocks: true).Cast<CommandAst>().Where(static command => command.GetCommandName()?.Contains("-Registry", StringComparison.Ordinal) == true).ToList();
        var before = Runspace.DefaultRunspace;
        Runspace.DefaultRunspace = session.Runspace;
        try
        {
            foreach (var command in commands)
            {
                if (!known.TryGetValue(command.GetCommandName(), out var info))
                {
                    errors.Add($"There is no {command.GetCommandName()}.");
                    continue;
                }

                foreach (var parameter in command.CommandElements.OfType<CommandParameterAst>())
                {
                    if (!info.Parameters.ContainsKey(parameter.ParameterName)) errors.Add($"{info.Name} has no parameter -{parameter.ParameterName}.");
                }

                var bound = StaticParameterBinder.BindCommand(command, resolve: true);
                errors.AddRange(bound.BindingExceptions.Select(pair => $"{command.Extent.Text}: {pair.Key}: {pair.Value.BindingException.Message}"));
            }
        }
        finally
        {
            Runspace.DefaultRunspace = before;
        }

        return (errors, commands.Count);
    }
}
