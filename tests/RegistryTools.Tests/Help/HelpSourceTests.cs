using RegistryTools.Help;
using RegistryTools.Help.Sources;

namespace RegistryTools.Cmdlets.Tests.Help;

/// <summary>What the help is made of: what is wrong in it is told, with its place.</summary>
public sealed class HelpSourceTests : IDisposable
{
    private readonly string _path = Path.Combine(Directory.CreateTempSubdirectory("registrytools-help-").FullName, "Get-RegistryTag.md");

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(_path)!, recursive: true);

    [Fact]
    public void A_file_is_read_by_its_sections()
    {
        var file = Write("""
            # Get-RegistryTag

            ## Description

            One
            paragraph.

            - A point,
              and more of it.
            - Another.

            ## Parameters

            ### -Name

            What it is here.

            ## Examples

            ### The first

            <!-- before: $a = 1 -->
            <!-- check:
              $a -eq 1
            -->

            ```powershell
            Get-RegistryTag i1
            # ## no title
            ```

            ```output
            T1
            ```

            Said of it.

            ## Inputs

            - System.String: names: of tags

            ## Links

            - Connect-Registry
            - [A page](../page.md)
            """);
        Assert.Equal([new Paragraph("One paragraph.")], file.Description.Take(1));
        Assert.Equal(["A point, and more of it.", "Another."], Assert.IsType<Bullets>(file.Description[1]).Items);
        Assert.Equal("What it is here.", Assert.IsType<Paragraph>(Assert.Single(file.Parameters["name"])).Text);
        var example = Assert.Single(file.Examples);
        Assert.Equal(("The first", "Get-RegistryTag i1\n# ## no title", "T1", "$a = 1", "$a -eq 1", null), (example.Title, example.Code, example.Output, example.Before, example.Check, example.NotRun));
        Assert.Equal(new TypeNote("System.String", "names: of tags"), Assert.Single(file.Inputs));
        Assert.Equal(["Connect-Registry", "[A page](../page.md)"], file.Links);
    }

    [Theory]
    [InlineData("# Get-RegistryTags", 1, "'# Get-RegistryTag'")]
    [InlineData("# Get-RegistryTag\n\ntext", 3, "text before")]
    [InlineData("# Get-RegistryTag\n\n## Descripton\n", 3, "none of the sections")]
    [InlineData("# Get-RegistryTag\n\n## Examples\n\n### One\n\ntext\n", 5, "has no code")]
    [InlineData("# Get-RegistryTag\n\n## Examples\n\n### One\n\n```powershell\n1\n", 7, "no end")]
    [InlineData("# Get-RegistryTag\n\n## Examples\n\n### One\n\n```bash\n1\n```\n", 7, "one block of 'powershell'")]
    [InlineData("# Get-RegistryTag\n\n## Examples\n\n### One\n\n<!-- unless: x -->\n", 7, "A comment is")]
    [InlineData("# Get-RegistryTag\n\n## Parameters\n\n### Name\n\nx\n", 5, "'### -Name'")]
    [InlineData("# Get-RegistryTag\n\n## Inputs\n\n- System.String\n", 4, "'- Type: text'")]
    [InlineData("# Get-RegistryTag\n\n## Description\n\n| a | table |\n", 5, "paragraphs and lists")]
    public void What_is_wrong_is_told_with_its_line(string text, int line, string message)
    {
        var error = Assert.Throws<HelpSourceException>(() => Write(text));
        Assert.Equal((_path, line), (error.File, error.Line));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_names_no_cmdlet_or_parameter_is_told()
    {
        using var source = new CmdletSource(Path.Combine(ModuleSession.Root, "src", "RegistryTools", "bin", Configuration(), "net8.0", "RegistryTools.dll"));
        var sources = Path.GetDirectoryName(_path)!;
        Write("# Get-RegistryTag\n\n## Parameters\n\n### -Nmae\n\nx\n");
        Assert.Contains("no parameter -Nmae", Assert.Throws<HelpSourceException>(() => source.Read(sources)).Message, StringComparison.Ordinal);
        Write("# Get-RegistryTag\n\n## Parameters\n\n### -Name\n\nInstead.\n");
        var cmdlet = source.Read(sources).Cmdlets.Single(static cmdlet => cmdlet.Name == "Get-RegistryTag");
        Assert.Equal([new Paragraph("Instead.")], cmdlet.Parameters.Single(static parameter => parameter.Name == "Name").Description);
        File.WriteAllText(Path.Combine(sources, "Get-Nothing.md"), "# Get-Nothing\n");
        Assert.Contains("no such cmdlet", Assert.Throws<HelpSourceException>(() => source.Read(sources)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("`-Name` and **this** of [the page](../page.md)", "-Name and this of the page")]
    [InlineData(@"such as \*, 1 \< 2 and `*`", "such as *, 1 < 2 and *")]
    [InlineData("[`Get-It`](x.md)", "Get-It")]
    public void Markdown_as_plain_text(string markdown, string plain) => Assert.Equal(plain, MarkdownText.Plain(markdown));

    [Theory]
    [InlineData("a * b < c ` d \\ e")]
    [InlineData("REGISTRYTOOLS_TOKEN and 'x*'")]
    public void What_is_escaped_comes_back(string text) => Assert.Equal(text, MarkdownText.Plain(MarkdownText.Escape(text)));

    private HelpFile Write(string text)
    {
        File.WriteAllText(_path, text);
        return HelpFile.Read(_path);
    }

    private static string Configuration() => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
}
