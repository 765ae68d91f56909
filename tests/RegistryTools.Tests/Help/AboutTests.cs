using System.Text.RegularExpressions;

namespace RegistryTools.Cmdlets.Tests.Help;

/// <summary>The about topics, and the code in the documentation.</summary>
public sealed partial class AboutTests
{
    private static readonly string Topics = Path.Combine(ModuleSession.Root, "en-US");

    public static TheoryData<string> Names()
    {
        var names = new TheoryData<string>();
        foreach (var name in Found()) names.Add(name);
        return names;
    }

    public static TheoryData<string> Pages()
    {
        var pages = new TheoryData<string> { "README.md" };
        foreach (var file in Directory.GetFiles(Path.Combine(ModuleSession.Root, "docs"), "*.md").Order(StringComparer.Ordinal)) pages.Add("docs/" + Path.GetFileName(file));
        return pages;
    }

    [Fact]
    public void There_are_these() =>
        Assert.Superset(new HashSet<string> { "about_RegistryTools", "about_RegistryTools_Safety", "about_RegistryTools_GarbageCollection", "about_RegistryTools_Authentication" }, Found().ToHashSet(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_topic_is_found_and_written_as_topics_are(string name)
    {
        using var session = new ModuleSession();
        var help = session.Invoke($"Get-Help {name}").Succeed();
        Assert.Equal("HelpFile", help.Texts("Category"));
        Assert.Equal(name, help.Texts("Name"));
        var lines = File.ReadAllLines(Path.Combine(Topics, name + ".help.txt"));
        Assert.Equal(["TOPIC", "    " + name, "", "SHORT DESCRIPTION"], lines[..4]);

        // Get-Help takes the fifth line for the synopsis, whatever stands there.
        Assert.Equal(lines[4].Trim(), help.Texts("Synopsis"));
        Assert.EndsWith(".", lines[4], StringComparison.Ordinal);
        Assert.Contains("LONG DESCRIPTION", lines);
        Assert.Contains("SEE ALSO", lines);
        Assert.All(lines, line => Assert.True(line.Length <= 80 && line.All(static letter => letter is >= ' ' and <= '~'), line));
        Assert.Equal(name, session.Invoke("Get-Help " + name[..^1] + "?").Succeed().Texts("Name"));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_topic_names_cmdlets_and_parameters_that_there_are(string name)
    {
        using var session = new ModuleSession();
        var known = session.Invoke("Get-Command -Module RegistryTools").Succeed();
        var cmdlets = known.Output.Select(static item => item.Properties["Name"].Value.ToString()!).ToHashSet(StringComparer.Ordinal);
        var parameters = known.Output.SelectMany(static item => ((System.Management.Automation.CommandInfo)item.BaseObject).Parameters.Keys).ToHashSet(StringComparer.Ordinal);
        var lines = File.ReadAllLines(Path.Combine(Topics, name + ".help.txt"));
        foreach (Match match in Cmdlet().Matches(string.Join('\n', lines))) Assert.Contains(match.Value, cmdlets);
        foreach (Match match in Parameter().Matches(string.Join('\n', lines.Where(static line => !line.StartsWith("        ", StringComparison.Ordinal))))) Assert.Contains(match.Groups[1].Value, parameters);
        foreach (var line in lines.SkipWhile(static line => line != "SEE ALSO").Skip(1).Select(static line => line.Trim()).Where(static line => line.Length > 0)) Assert.True(cmdlets.Contains(line) || File.Exists(Path.Combine(Topics, line + ".help.txt")), line);

        var blocks = Blocks(lines).ToList();
        Assert.NotEmpty(blocks);
        var uses = 0;
        foreach (var block in blocks)
        {
            var (errors, count) = ScriptCheck.Read(session, block);
            Assert.Empty(errors);
            uses += count;
        }

        Assert.True(uses > 0);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void The_code_on_a_page_names_cmdlets_and_parameters_that_there_are(string page)
    {
        using var session = new ModuleSession();
        foreach (Match match in Code().Matches(File.ReadAllText(Path.Combine(ModuleSession.Root, page)).ReplaceLineEndings("\n")))
        {
            var (errors, _) = ScriptCheck.Read(session, match.Groups[1].Value);
            Assert.Empty(errors);
        }
    }

    private static IEnumerable<string> Found() => Directory.GetFiles(Topics, "about_*.help.txt").Order(StringComparer.Ordinal).Select(static file => Path.GetFileName(file)[..^".help.txt".Length]);

    /// <summary>What stands eight columns in and begins with a cmdlet.</summary>
    private static IEnumerable<string> Blocks(IEnumerable<string> lines)
    {
        var block = new List<string>();
        foreach (var line in lines.Append(string.Empty))
        {
            if (line.StartsWith("        ", StringComparison.Ordinal))
            {
                block.Add(line.Trim());
                continue;
            }

            if (block.Count > 0 && Command().IsMatch(block[0])) yield return string.Join('\n', block);
            block.Clear();
        }
    }

    [GeneratedRegex(@"\b[A-Z][a-z]+-Registry\w*")]
    private static partial Regex Cmdlet();

    [GeneratedRegex(@"(?<![\w-])-([A-Z]\w+)")]
    private static partial Regex Parameter();

    [GeneratedRegex(@"^\(?[A-Z][a-z]+-[A-Z]\w+($|[\s)])")]
    private static partial Regex Command();

    [GeneratedRegex("```powershell\n(.*?)\n```", RegexOptions.Singleline)]
    private static partial Regex Code();
}
