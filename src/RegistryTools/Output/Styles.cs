using System.Management.Automation;
using System.Reflection;

namespace RegistryTools.PowerShell.Output;

/// <summary>
/// The colours of $PSStyle, as the user has set them; empty where there is none (before PowerShell 7.2), where NO_COLOR is set, and where the process's output is no terminal, unless $PSStyle.OutputRendering asks for them all the
/// same. Where the host has no colours, or what is formatted goes into a text or a file, the engine takes them out again.
/// </summary>
internal static class Styles
{
    private static readonly object? Style = typeof(PSObject).Assembly.GetType("System.Management.Automation.PSStyle")?.GetProperty("Instance", BindingFlags.Public | BindingFlags.Static)?.GetValue(null);
    private static readonly PropertyInfo? Rendering = Style?.GetType().GetProperty("OutputRendering");
    private static readonly Func<string>? ErrorStyle = Getter("Formatting", "Error");
    private static readonly Func<string>? WarningStyle = Getter("Formatting", "Warning");
    private static readonly Func<string>? DimStyle = Getter(null, "Dim") ?? Getter("Foreground", "BrightBlack");
    private static readonly Func<string>? ResetStyle = Getter(null, "Reset");

    public static string Error => Get(ErrorStyle);

    public static string Warning => Get(WarningStyle);

    public static string Dim => Get(DimStyle);

    public static string Reset => Get(ResetStyle);

    private static bool IsPlain => Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 } || (Console.IsOutputRedirected && Rendering?.GetValue(Style)?.ToString() != "Ansi");

    private static string Get(Func<string>? style) => style is null || IsPlain ? string.Empty : style();

    private static Func<string>? Getter(string? part, string name)
    {
        var target = part is null ? Style : Style?.GetType().GetProperty(part)?.GetValue(Style);
        return target?.GetType().GetProperty(name)?.GetGetMethod() is { } getter && getter.ReturnType == typeof(string) ? (Func<string>)Delegate.CreateDelegate(typeof(Func<string>), target, getter) : null;
    }
}
