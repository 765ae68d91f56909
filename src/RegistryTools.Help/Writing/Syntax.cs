namespace RegistryTools.Help.Writing;

/// <summary>The order and the form in which a cmdlet's syntax is written.</summary>
internal static class Syntax
{
    /// <summary>A set's parameters: by position, then those that must be given, then the rest by name.</summary>
    public static IEnumerable<(ParameterHelp Parameter, ParameterUse Use)> Of(CmdletHelp cmdlet, string set) => cmdlet.Parameters
        .Select(parameter => (Parameter: parameter, Use: parameter.In(set)!))
        .Where(static pair => pair.Use is not null)
        .OrderBy(static pair => pair.Use.Position ?? int.MaxValue)
        .ThenBy(static pair => !pair.Use.IsMandatory)
        .ThenBy(static pair => pair.Parameter.Name is "WhatIf" or "Confirm")
        .ThenBy(static pair => pair.Parameter.Name, StringComparer.Ordinal);

    /// <summary>A set as one line.</summary>
    public static string Line(CmdletHelp cmdlet, string set) => cmdlet.Name + " " + string.Join(' ', Of(cmdlet, set).Select(static pair => Term(pair.Parameter, pair.Use)).Append("[<CommonParameters>]"));

    private static string Term(ParameterHelp parameter, ParameterUse use)
    {
        var value = parameter.IsSwitch ? string.Empty : parameter.Values.Count > 0 ? " {" + string.Join(" | ", parameter.Values.Select(static value => value.Value)) + "}" : " <" + parameter.Type + ">";
        return (use.IsMandatory, use.Position) switch
        {
            (true, null) => $"-{parameter.Name}{value}",
            (true, _) => $"[-{parameter.Name}]{value}",
            (false, null) => $"[-{parameter.Name}{value}]",
            _ => $"[[-{parameter.Name}]{value}]",
        };
    }
}
